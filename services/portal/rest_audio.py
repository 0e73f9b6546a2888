"""The sound of a recording over HTTP: a WAV, whole or by ranges (RFC 9110, 14)."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, replace

from google.protobuf.message_factory import GetMessageClass
from grpc import aio
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from protos.recording.v1 import recording_pb2
from services.chassis.errors import Kind
from services.chassis.status import remote_error
from services.portal.access import Binding, Exposed, Registry
from services.portal.edge import Asked, Edge
from services.portal.problem import BadRequest, Problem, Refused
from services.portal.rest import address_of, bearer_of
from services.portal.rest_paths import Found

PATH = "/v1/recordings/{recording_id}/audio.wav"
AUDIO_LIMIT_S = 600.0
"""How long one download may take."""
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


@dataclass(frozen=True, slots=True)
class Range:
    """The part of a document that was asked for."""

    first: int | None
    """The first byte; None: as many from the end as `last` says."""
    last: int | None
    """The last byte, itself included; None: to the end."""


def parsed_range(header: str) -> Range | None:
    """The one range of a header; None: the whole document is to be sent.

    Several ranges and what is no range at all are answered by the whole, as the RFC allows.
    """
    match = _RANGE.fullmatch(header.strip().replace(" ", ""))
    if match is None:
        return None
    first, last = match.groups()
    if not first:
        return Range(None, int(last)) if last else None
    if last and int(last) < int(first):
        return None
    return Range(int(first), int(last) if last else None)


def read_audio(registry: Registry) -> Exposed:
    """ReadAudio as it is offered here: to whoever may see the recording, and always audited."""
    service = recording_pb2.DESCRIPTOR.services_by_name["Recording"]
    seen = registry.find(f"/{service.full_name}/GetRecording")
    assert seen is not None, "recordings can be read over REST"
    method = service.methods_by_name["ReadAudio"]
    return Exposed(
        target=seen.target,
        method=method,
        request=GetMessageClass(method.input_type),
        response=GetMessageClass(method.output_type),
        rule=replace(seen.rule, audited=True),
        bindings=(Binding("GET", PATH),),
        word="listen",
    )


class Audio:
    """Answers requests for the sound of recordings."""

    def __init__(self, *, edge: Edge, exposed: Exposed) -> None:
        self._edge = edge
        self._exposed = exposed

    async def answer(self, request: Request, found: Found) -> Response:
        """The sound that a request asks for, or its size."""
        recording_id = found.values["recording_id"]
        wanted = parsed_range(request.headers.get("range", ""))
        if "if-range" in request.headers:
            wanted = None  # nothing is said here that could be compared, so all of it is sent
        if request.method == "HEAD":
            total = await self._total(request, recording_id)
            return Response(headers=audio_headers(total), media_type="audio/wav")
        if wanted is None:
            stream, chunk = await self._begun(request, recording_id, 0, 0)
            return _Sound(stream, chunk, headers=audio_headers(chunk.total_bytes))
        return await self._part(request, recording_id, wanted)

    async def _part(self, request: Request, recording_id: str, wanted: Range) -> Response:
        first, last = wanted.first, wanted.last
        if first is None:
            assert last is not None, "a range has one end at least"
            total = await self._total(request, recording_id)
            if not last:
                raise outside(total)
            first, last = max(0, total - last), None
        stream, chunk = await self._begun(
            request, recording_id, first, 0 if last is None else last - first + 1
        )
        total = chunk.total_bytes
        if first >= total:
            await stream.aclose()
            raise outside(total)
        last = total - 1 if last is None else min(last, total - 1)
        headers = audio_headers(last - first + 1) | {
            "content-range": f"bytes {first}-{last}/{total}"
        }
        return _Sound(stream, chunk, status_code=206, headers=headers)

    async def _total(self, request: Request, recording_id: str) -> int:
        """How large the sound is."""
        stream, chunk = await self._begun(request, recording_id, 0, 1)
        await stream.aclose()
        return int(chunk.total_bytes)

    async def _begun(
        self, request: Request, recording_id: str, offset: int, length: int
    ) -> tuple[AsyncGenerator[bytes, None], recording_pb2.AudioChunk]:
        """The sound from `offset` on, with its first chunk, which tells how large the whole is."""
        stream = self._edge.stream(
            Asked(
                exposed=self._exposed,
                bearer=bearer_of(request),
                address=address_of(request),
                read=lambda: _message(recording_id, offset, length),
                timeout_s=AUDIO_LIMIT_S,
                outlives_token=True,
            )
        )
        try:
            return stream, recording_pb2.AudioChunk.FromString(await anext(stream))
        except StopAsyncIteration:
            raise outside(await self._total(request, recording_id)) from None
        except aio.AioRpcError as error:
            if offset and remote_error(error).kind is Kind.INVALID:
                raise outside(await self._total(request, recording_id)) from error
            raise


class _Sound(StreamingResponse):
    """Sends the sound chunk by chunk, and lets go of it when the listener leaves."""

    media_type = "audio/wav"

    def __init__(
        self,
        stream: AsyncGenerator[bytes, None],
        first: recording_pb2.AudioChunk,
        *,
        headers: dict[str, str],
        status_code: int = 200,
    ) -> None:
        super().__init__(_data(first, stream), status_code, headers)
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._stream.aclose()


async def _message(recording_id: str, offset: int, length: int) -> recording_pb2.ReadAudioRequest:
    if "\x00" in recording_id:
        raise BadRequest("the text holds what is no character", field="recording_id")
    return recording_pb2.ReadAudioRequest(recording_id=recording_id, offset=offset, length=length)


async def _data(
    first: recording_pb2.AudioChunk, stream: AsyncIterator[bytes]
) -> AsyncIterator[bytes]:
    yield first.data
    async for data in stream:
        yield recording_pb2.AudioChunk.FromString(data).data


def audio_headers(length: int, name: str = "recording") -> dict[str, str]:
    """What is said of a sound, or of a part of so many bytes; `name` is the file's."""
    return {
        "accept-ranges": "bytes",
        "content-length": str(length),
        "cache-control": "no-store",
        "content-disposition": f'inline; filename="{name}.wav"',
    }


def outside(total: int) -> Refused:
    """Nothing of a sound of so many bytes is in the range that was asked for."""
    headers = (("content-range", f"bytes */{total}"), ("accept-ranges", "bytes"))
    return Refused(Problem(416, "range-outside", f"the sound has {total} bytes", headers=headers))
