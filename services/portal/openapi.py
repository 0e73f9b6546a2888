"""The description of REST (OpenAPI 3.1), made from the same descriptors that it is served by."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from protos.ivr.v1 import library_pb2
from services.portal.access import Binding, Exposed
from services.portal.openapi_schemas import Schema, Schemas
from services.portal.problem import TITLES
from services.portal.rest_audio import PATH as AUDIO_PATH
from services.portal.rest_prompts import PATH as PROMPT_AUDIO_PATH
from services.portal.rest_values import is_map, message_of

_NESTED = re.compile(r"\{[a-z_.]+\.")
JSON = "application/json"
PROBLEM = "application/problem+json"
ALWAYS = (400, 401, 403, 404, 408, 409, 413, 415, 429, 501, 503, 504)
"""What any request may be answered; 500 would be a fault, and is not promised."""

ABOUT = """\
Everything that Carillon does for people and programs, over HTTP with JSON. The same requests can
be made by gRPC on a port of its own, with reflection.

Sign in by `POST /v1/sessions`, or make an API key, and send it as `Authorization: Bearer ...`. The
tenant is that of the credentials. Fields have the names given here; 64-bit numbers are shown as
text, and read as numbers or text. What is refused comes as `application/problem+json` (RFC 9457)
whose `code` does not change; `field` names what is wrong. A request that changes something may
bear an `Idempotency-Key`: sent again within 24 hours it is answered as the first time and not
done twice. Lists come by pages: send `next_token` of one as `page.token` for the next."""


def document(registry: Iterable[Exposed], comments: Mapping[str, str]) -> dict[str, Any]:
    """The whole description."""
    schemas = Schemas(comments)
    paths: dict[str, dict[str, Any]] = {}
    tags: dict[str, str] = {}
    for exposed in registry:
        service = exposed.method.containing_service
        if exposed.bindings:
            tags.setdefault(service.name, comments.get(service.full_name, ""))
        for place, binding in enumerate(exposed.bindings):
            operation = _operation(exposed, binding, place, schemas, comments)
            # `{queue.queue_id}` is `{queue_id}` to readers: dots there break their tools.
            path = _NESTED.sub("{", binding.template)
            paths.setdefault(path, {})[binding.verb.lower()] = operation
    paths[AUDIO_PATH] = {"get": _audio()}
    paths[PROMPT_AUDIO_PATH] = {"get": _prompt_audio(), "put": _put_prompt_audio(schemas)}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Carillon", "version": "1", "description": ABOUT},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "tags": [{"name": name, "description": words} for name, words in tags.items()],
        "paths": dict(sorted(paths.items())),
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "responses": {str(status): _problem_response(status) for status in TITLES},
            "schemas": {"Problem": _PROBLEM_SCHEMA, **dict(sorted(schemas.named.items()))},
        },
    }


def _operation(
    exposed: Exposed,
    binding: Binding,
    place: int,
    schemas: Schemas,
    comments: Mapping[str, str],
) -> dict[str, Any]:
    method = exposed.method
    words = comments.get(method.full_name, "")
    suffix = f"_{place + 1}" if place else ""
    operation: dict[str, Any] = {
        "operationId": f"{method.containing_service.name}_{method.name}{suffix}",
        "tags": [method.containing_service.name],
        "summary": words.partition(". ")[0].split("\n")[0].rstrip(".") or _spoken(method.name),
        "description": "\n\n".join(part for part in (words, _who(exposed)) if part),
        "parameters": list(_parameters(exposed, binding, schemas, comments)),
        "responses": {
            "200": {
                "description": "Done.",
                "content": {JSON: {"schema": schemas.answer(method.output_type)}},
            },
            **_refusals(),
        },
    }
    if exposed.rule.anonymous:
        operation["security"] = []
    body = _body(exposed, binding, schemas)
    if body is not None:
        operation["requestBody"] = body
    return operation


def _spoken(name: str) -> str:
    """`ListApiKeys` in words."""
    return re.sub(r"(?<!^)([A-Z])", r" \1", name).capitalize()


def _who(exposed: Exposed) -> str:
    rule = exposed.rule
    if rule.anonymous:
        return "Needs no credentials."
    if not rule.roles:
        return "For whoever is authenticated."
    order = ("agent", "supervisor", "administrator", "platform")
    words = f"Needs one of the roles: {', '.join(role for role in order if role in rule.roles)}."
    if rule.own_agent_field:
        words += f" As an agent, only with one's own id as `{rule.own_agent_field}`."
    return words


def _parameters(
    exposed: Exposed, binding: Binding, schemas: Schemas, comments: Mapping[str, str]
) -> Iterator[Schema]:
    message = exposed.method.input_type
    for path in binding.path_fields:
        field = _field_at(message, path)
        # An empty one would be another path.
        schema = schemas.parameter(field) | {"minLength": 1}
        yield _parameter("path", field.name, schema, comments.get(field.full_name, ""))
    if binding.body != "*":
        taken = {*binding.path_fields, binding.body}
        for path, field in _query_fields(message):
            if path not in taken and path.partition(".")[0] != binding.body:
                schema = schemas.parameter(field)
                if field.is_repeated:
                    schema = {"type": "array", "items": schema}
                yield _parameter("query", path, schema, comments.get(field.full_name, ""))
    if exposed.changes and not (exposed.rule.never_replayed or exposed.rule.anonymous):
        words = "A name of this request, 1 to 255 visible ASCII characters: it is done once."
        schema = {"type": "string", "pattern": "^[!-~]{1,255}$"}
        yield _parameter("header", "Idempotency-Key", schema, words)


def _parameter(place: str, name: str, schema: Schema, words: str) -> Schema:
    parameter: Schema = {"name": name, "in": place, "schema": schema}
    if place == "path":
        parameter["required"] = True
    return {**parameter, "description": words} if words else parameter


def _query_fields(message: Descriptor, before: str = "") -> Iterator[tuple[str, FieldDescriptor]]:
    for field in message.fields:
        path = f"{before}{field.name}"
        if is_map(field):
            continue
        if field.message_type is None:
            yield path, field
        elif not field.is_repeated and not before:
            yield from _query_fields(message_of(field), f"{path}.")


def _body(exposed: Exposed, binding: Binding, schemas: Schemas) -> Schema | None:
    message = exposed.method.input_type
    if not binding.body:
        return None
    whole = binding.body == "*"
    of = message if whole else message_of(message.fields_by_name[binding.body])
    before = "" if whole else f"{binding.body}."
    without = frozenset(path.removeprefix(before) for path in binding.path_fields)
    schema = schemas.request(of, without=without)
    return {"required": not whole, "content": {JSON: {"schema": schema}}}


def _field_at(message: Descriptor, path: str) -> FieldDescriptor:
    *parents, last = path.split(".")
    for parent in parents:
        message = message_of(message.fields_by_name[parent])
    return message.fields_by_name[last]


def _refusals(extra: Iterable[int] = ()) -> dict[str, Schema]:
    statuses = sorted({*ALWAYS, *extra})
    return {str(status): {"$ref": f"#/components/responses/{status}"} for status in statuses}


def _problem_response(status: int) -> Schema:
    return {
        "description": TITLES[status],
        "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


_SOUND: Schema = {"audio/wav": {"schema": {"type": "string", "contentMediaType": "audio/wav"}}}
_SOUNDS: Schema = {
    "200": {"description": "All of it.", "content": _SOUND},
    "206": {"description": "The range.", "content": _SOUND},
}


def _range() -> Schema:
    return _parameter("header", "Range", {"type": "string"}, "One range of bytes (RFC 9110).")


def _prompt_audio() -> Schema:
    return {
        "operationId": "Library_PromptAudio",
        "tags": ["Library"],
        "summary": "The sound of a prompt",
        "description": (
            "A WAV: mono, 16-bit, 8,000 Hz.\n\nNeeds one of the roles: supervisor, administrator."
        ),
        "parameters": [
            _parameter("path", "prompt_id", {"type": "string", "minLength": 1}, ""),
            _range(),
        ],
        "responses": {**_SOUNDS, **_refusals((416,))},
    }


def _put_prompt_audio(schemas: Schemas) -> Schema:
    prompt = schemas.answer(library_pb2.LibraryPrompt.DESCRIPTOR)
    return {
        "operationId": "Library_PutPromptAudio",
        "tags": ["Library"],
        "summary": "Bring the sound of a prompt",
        "description": (
            "Any PCM WAV of 1 or 2 channels, 8, 16 or 24 bit, 8 to 48 kHz, at most 10 MiB and 5 "
            "minutes. Calls that begin afterwards hear it.\n\nNeeds one of the roles: "
            "administrator."
        ),
        "parameters": [_parameter("path", "prompt_id", {"type": "string", "minLength": 1}, "")],
        "requestBody": {"required": True, "content": _SOUND},
        "responses": {
            "200": {"description": "Done.", "content": {JSON: {"schema": prompt}}},
            **_refusals(),
        },
    }


def _audio() -> Schema:
    return {
        "operationId": "Recording_Audio",
        "tags": ["Recording"],
        "summary": "The sound of a recording",
        "description": (
            "A stereo WAV: the caller left, all others right; 16-bit, 8,000 Hz. Who listens is "
            "on the audit trail.\n\nNeeds one of the roles: agent, supervisor, administrator. "
            "An agent hears only what they took part in."
        ),
        "parameters": [
            _parameter("path", "recording_id", {"type": "string", "minLength": 1}, ""),
            _range(),
        ],
        "responses": {**_SOUNDS, **_refusals((416,))},
    }


_PROBLEM_SCHEMA: Schema = {
    "type": "object",
    "description": "Why a request was refused (RFC 9457).",
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable; act upon this."},
        "detail": {"type": "string", "description": "In words, for people."},
        "field": {"type": "string", "description": "Which field of the request is wrong."},
        "instance": {"type": "string", "description": "The path that was asked for."},
    },
    "required": ["type", "title", "status", "code", "detail"],
}
