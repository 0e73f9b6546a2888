"""The sound of a prompt over HTTP: a WAV, brought whole, heard whole or by ranges."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from google.protobuf.message_factory import GetMessageClass
from starlette.requests import Request
from starlette.responses import Response

from protos.ivr.v1 import library_pb2
from services.portal.access import Binding, Exposed, Registry
from services.portal.edge import Asked, Edge, TooManyRequests
from services.portal.problem import BadRequest, Problem, Refused
from services.portal.rest import (
    NO_STORE,
    address_of,
    as_json,
    bearer_of,
    body_of,
    content_type_of,
)
from services.portal.rest_audio import audio_headers, outside, parsed_range
from services.portal.rest_paths import Found

PATH = "/v1/prompts/{prompt_id}/audio.wav"
MAX_WAV_BYTES = 10 * 1024 * 1024
UPLOAD_LIMIT_S = 60.0
"""How long a sound may take to come, and once more to be made into what the telephone carries."""
MAX_UPLOADS = 4
"""Sounds that come at once, of everybody: each is kept whole until it is there."""
PART_BYTES = 1024 * 1024
READ_LIMIT_S = 30.0
WAV_TYPES: Final = frozenset({"audio/wav", "audio/wave", "audio/x-wav", "audio/vnd.wave"})


def put_audio(registry: Registry) -> Exposed:
    """PutPromptAudio as it is offered here: to whoever may change the prompt."""
    return _exposed(registry, like="PutPrompt", name="PutPromptAudio", verb="PUT")


def read_audio(registry: Registry) -> Exposed:
    """ReadPromptAudio as it is offered here: to whoever may see the prompt."""
    return _exposed(registry, like="GetPrompt", name="ReadPromptAudio", verb="GET")


def _exposed(registry: Registry, *, like: str, name: str, verb: str) -> Exposed:
    service = library_pb2.DESCRIPTOR.services_by_name["Library"]
    known = registry.find(f"/{service.full_name}/{like}")
    assert known is not None, "prompts can be reached over REST"
    method = service.methods_by_name[name]
    return Exposed(
        target=known.target,
        method=method,
        request=GetMessageClass(method.input_type),
        response=GetMessageClass(method.output_type),
        rule=known.rule,
        bindings=(Binding(verb, PATH),),
    )


class Uploads:
    """Takes the sounds of prompts in."""

    def __init__(self, *, edge: Edge, exposed: Exposed) -> None:
        self._edge = edge
        self._exposed = exposed
        self._coming = 0

    async def answer(self, request: Request, found: Found) -> Response:
        """Sends a sound on, once all of it is here and whoever brings it may."""
        if self._coming >= MAX_UPLOADS:
            raise TooManyRequests("too many sounds come at once; wait for answers")
        self._coming += 1
        try:
            body = await self._brought(request, _prompt_id(found))
        finally:
            self._coming -= 1
        told = as_json(library_pb2.LibraryPrompt.FromString(body))
        return Response(told, media_type="application/json", headers=dict(NO_STORE))

    async def _brought(self, request: Request, prompt_id: str) -> bytes:
        sound = b""

        async def read() -> library_pb2.PutPromptAudioRequest:
            nonlocal sound
            if content_type_of(request) not in WAV_TYPES:
                raise Refused(Problem(415, "not-audio", "send Content-Type: audio/wav"))
            sound = await body_of(request, limit_bytes=MAX_WAV_BYTES, limit_s=UPLOAD_LIMIT_S)
            return library_pb2.PutPromptAudioRequest(prompt_id=prompt_id)

        def parts() -> Iterator[library_pb2.PutPromptAudioRequest]:
            for at in range(0, len(sound), PART_BYTES):
                yield library_pb2.PutPromptAudioRequest(data=sound[at : at + PART_BYTES])

        asked = Asked(
            exposed=self._exposed,
            bearer=bearer_of(request),
            address=address_of(request),
            read=read,
            timeout_s=UPLOAD_LIMIT_S,
        )
        return await self._edge.bring(asked, parts)


class Sounds:
    """Lets the sounds of prompts be heard."""

    def __init__(self, *, edge: Edge, exposed: Exposed) -> None:
        self._edge = edge
        self._exposed = exposed

    async def answer(self, request: Request, found: Found) -> Response:
        """The sound that a request asks for, or its size."""
        prompt_id = _prompt_id(found)
        sound = await self._read(request, prompt_id)
        wanted = parsed_range(request.headers.get("range", ""))
        if request.method == "HEAD":
            return Response(headers=audio_headers(len(sound), "prompt"), media_type="audio/wav")
        if wanted is None or "if-range" in request.headers:
            headers = audio_headers(len(sound), "prompt")
            return Response(sound, 200, headers, media_type="audio/wav")
        first, last = wanted.first, wanted.last
        if first is None:
            first, last = max(0, len(sound) - (last or 0)), None
        if first >= len(sound):
            raise outside(len(sound))
        part = sound[first : len(sound) if last is None else last + 1]
        headers = audio_headers(len(part), "prompt") | {
            "content-range": f"bytes {first}-{first + len(part) - 1}/{len(sound)}"
        }
        return Response(part, 206, headers, media_type="audio/wav")

    async def _read(self, request: Request, prompt_id: str) -> bytes:
        """All of it: five minutes at most, so a part is cut from the whole."""

        async def read() -> library_pb2.PromptRequest:
            return library_pb2.PromptRequest(prompt_id=prompt_id)

        stream = self._edge.stream(
            Asked(
                exposed=self._exposed,
                bearer=bearer_of(request),
                address=address_of(request),
                read=read,
                timeout_s=READ_LIMIT_S,
            )
        )
        parts = [library_pb2.PromptAudio.FromString(data).data async for data in stream]
        return b"".join(parts)


def _prompt_id(found: Found) -> str:
    prompt_id = found.values["prompt_id"]
    if "\x00" in prompt_id:
        raise BadRequest("the text holds what is no character", field="prompt_id")
    return prompt_id
