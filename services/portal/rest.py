"""REST: every RPC that is for outside, transcoded by the protos' own annotations."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeVar
from urllib.parse import parse_qsl

from google.protobuf import json_format
from google.protobuf.message import Message
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from services.chassis.log import get_logger
from services.portal import rest_read
from services.portal.edge import Asked, Edge
from services.portal.problem import CONTENT_TYPE, BadRequest, Problem, Refused, problem_of
from services.portal.rest_paths import Found, OtherVerbs, Paths

T = TypeVar("T")

log = get_logger("portal.rest")

MAX_BODY_BYTES = 1024 * 1024
MAX_STRANGERS_BODY_BYTES = 16 * 1024
"""Of requests that need no credentials: signing in takes little."""
BODY_LIMIT_S = 10.0
"""How long a body may take to come."""
LARGE_BYTES = 64 * 1024
"""Turning more than this into JSON, or back, takes long enough for others to notice."""
MAX_INSTANCE_CHARS = 1_000
IDEMPOTENCY_HEADER = "idempotency-key"
_CLOSE = (("connection", "close"),)
NO_STORE: Final[Mapping[str, str]] = {"cache-control": "no-store"}


Special = Callable[[Request, Found], Awaitable[Response]]
"""Answers what is no JSON."""


class Rest:
    """Answers whatever path nothing else answers, as an ASGI application."""

    def __init__(
        self, *, edge: Edge, paths: Paths, special: Mapping[str, Special] | None = None
    ) -> None:
        """`special` answers by itself what is no JSON, by the RPC's path."""
        self._edge = edge
        self._paths = paths
        self._special = special or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        request = Request(scope, receive)
        response = await answered(request, self._answer(request))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        found = self._paths.find(request.method, path_of(request))
        if found is None:
            raise Refused(Problem(404, "no-such-path", "nothing is here; see /openapi.json"))
        if isinstance(found, OtherVerbs):
            detail = f"{request.method} is not one of {', '.join(found.allow)}"
            allow = (("allow", ", ".join(found.allow)),)
            raise Refused(Problem(405, "method-not-allowed", detail, headers=allow))
        if found.exposed.path in self._special:
            return await self._special[found.exposed.path](request, found)
        answer = await self._edge.ask(
            Asked(
                exposed=found.exposed,
                bearer=bearer_of(request),
                address=address_of(request),
                read=lambda: _message(found, request),
                idempotency_key=request.headers.get(IDEMPOTENCY_HEADER),
            )
        )
        headers = dict(NO_STORE)
        if answer.replayed:
            headers["idempotency-replayed"] = "true"
        parse = found.exposed.response.FromString
        told = await _aside(len(answer.body), lambda: as_json(parse(answer.body)))
        return Response(told, media_type="application/json", headers=headers)


def as_json(message: Message) -> bytes:
    """A message as every answer shows it: all fields, by the names they have in the proto."""
    text = json_format.MessageToJson(
        message,
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
        indent=None,
        ensure_ascii=False,
    )
    return text.encode()


async def answered(request: Request, work: Awaitable[Response]) -> Response:
    """What the work makes, or the problem that it met."""
    try:
        return await work
    except Exception as error:  # who asks learns nothing about the inside; the log does
        problem = problem_of(error)
        if problem.status == 500:
            log.error("request failed", path=request.url.path, exc_info=error)
    return problem_response(problem.at(path_of(request)[:MAX_INSTANCE_CHARS]))


async def _aside(size_bytes: int, work: Callable[[], T]) -> T:
    """Does what takes long in a thread: this loop is also that of whoever is being rung."""
    return work() if size_bytes <= LARGE_BYTES else await asyncio.to_thread(work)


def problem_response(problem: Problem) -> Response:
    """A problem as HTTP tells it."""
    headers = {**NO_STORE, **dict(problem.headers)}
    return Response(problem.body(), problem.status, headers, media_type=CONTENT_TYPE)


def path_of(request: Request) -> str:
    """The path as it came, percent-encoded."""
    return bytes(request.scope["raw_path"]).decode("ascii", "replace")


def bearer_of(request: Request) -> str:
    """The token or key that a request shows; empty when it shows none, or several."""
    shown = request.headers.getlist("authorization")
    if len(shown) != 1:
        return ""
    scheme, _, token = shown[0].partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def address_of(request: Request) -> str:
    """Where a request comes from."""
    return request.client.host if request.client else ""


async def _message(found: Found, request: Request) -> Message:
    """The RPC's request, read once it is known that they may ask: nobody else's body is kept."""
    try:
        query = parse_qsl(
            bytes(request.scope["query_string"]).decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=rest_read.MAX_QUERY_PARAMETERS,
        )
    except ValueError:
        raise BadRequest("the query can not be read") from None
    is_stranger = found.exposed.rule.anonymous
    body = await _body(request, MAX_STRANGERS_BODY_BYTES if is_stranger else MAX_BODY_BYTES)
    return await _aside(len(body or b""), lambda: rest_read.read(found, query=query, body=body))


async def _body(request: Request, limit_bytes: int) -> bytes | None:
    """The body; None when there is none."""
    data = await body_of(request, limit_bytes=limit_bytes, limit_s=BODY_LIMIT_S)
    if not data:
        return None
    if content_type_of(request) != "application/json":
        raise Refused(Problem(415, "not-json", "send Content-Type: application/json"))
    return data


def content_type_of(request: Request) -> str:
    """What a body says of itself, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def body_of(request: Request, *, limit_bytes: int, limit_s: float) -> bytes:
    """The body, counted while it comes; Refused when it is too large or too slow."""
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length[:10]) > limit_bytes:
        raise _too_large(limit_bytes)
    try:
        async with asyncio.timeout(limit_s):
            return await _received(request, limit_bytes)
    except TimeoutError:
        detail = f"the body took longer than {limit_s:.0f} seconds"
        raise Refused(Problem(408, "too-slow", detail, headers=_CLOSE)) from None
    except ClientDisconnect:
        raise Refused(Problem(400, "gone", "the request broke off")) from None


async def _received(request: Request, limit_bytes: int) -> bytes:
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > limit_bytes:
            raise _too_large(limit_bytes)
    return bytes(data)


def _too_large(limit_bytes: int) -> Refused:
    detail = f"a body has at most {limit_bytes} bytes here"
    return Refused(Problem(413, "too-large", detail, headers=_CLOSE))
