"""A recording service in this process: takes what it is given, or does not, as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import grpc
from grpc import aio

from protos.recording.v1 import recording_pb2
from services.chassis.errors import CarillonError, Kind
from services.chassis.request import tenant_id
from services.chassis.rpc import Face, RpcServer
from services.chassis.sealing import (
    SealedKey,
    generate_key_pair,
    open_segment,
    unseal_key,
)

WAIT_S = 8.0
LOOK_S = 0.01


async def until(condition: Callable[[], object]) -> None:
    """Until the condition holds, for what tells nobody that it changes."""
    for _ in range(round(WAIT_S / LOOK_S)):
        if condition():
            return
        await asyncio.sleep(LOOK_S)
    raise AssertionError("it never happened")


class Refused(CarillonError):
    """It will never be taken."""

    code: ClassVar[str] = "bad-segment"
    kind: ClassVar[Kind] = Kind.INVALID


class Full(CarillonError):
    """Not now."""

    code: ClassVar[str] = "recording-disk-full"
    kind: ClassVar[Kind] = Kind.EXHAUSTED


class Archive:
    """Keeps segments and manifests in memory."""

    def __init__(self) -> None:
        self.pair = generate_key_pair()
        self.segments: dict[tuple[str, str, int], recording_pb2.Segment] = {}
        self.hashes: dict[tuple[str, str, int], str] = {}
        self.tenants: set[str] = set()
        self.manifests: dict[str, recording_pb2.Manifest] = {}
        self.alive: set[str] = set()
        self.keys_given = 0
        self.asked = 0
        self.trouble: Callable[[Any], CarillonError | None] = lambda _: None
        """What a request is refused with."""
        self._more = asyncio.Event()
        self._server: RpcServer | None = None

    async def open(self, run_dir: Path) -> None:
        self._server = RpcServer(path=run_dir / "recording.sock", faces=[self.face()])
        await self._server.start()

    async def close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            await server.stop()

    def face(self) -> Face:
        requests: dict[str, Any] = {
            "GetSealingKey": recording_pb2.GetSealingKeyRequest,
            "PutSegment": recording_pb2.PutSegmentRequest,
            "PutManifest": recording_pb2.PutManifestRequest,
            "ReportGateway": recording_pb2.ReportGatewayRequest,
        }
        handlers: dict[str, Any] = {
            name: grpc.unary_unary_rpc_method_handler(
                getattr(self, name),
                request_deserializer=request.FromString,
                response_serializer=lambda answer: answer.SerializeToString(),
            )
            for name, request in requests.items()
        }
        name = recording_pb2.DESCRIPTOR.services_by_name["Recording"].full_name
        generic = grpc.method_handlers_generic_handler(name, handlers)
        return Face(register=lambda server: server.add_generic_rpc_handlers((generic,)), name=name)

    async def manifest(self, call_id: str = "") -> recording_pb2.Manifest:
        """A call's manifest, or the only one."""
        await self.until(lambda: call_id in self.manifests if call_id else bool(self.manifests))
        return self.manifests[call_id] if call_id else next(iter(self.manifests.values()))

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_S):
            while not true():
                self._more.clear()
                await self._more.wait()

    def track(self, track_id: str) -> list[recording_pb2.Segment]:
        """A track's segments in their order."""
        return [segment for key, segment in sorted(self.segments.items()) if key[1] == track_id]

    async def GetSealingKey(self, request: Any, context: Any) -> recording_pb2.SealingKey:
        self.keys_given += 1
        self._more.set()
        return recording_pb2.SealingKey(key_id=self.pair.key_id, public_key=self.pair.public_key)

    async def PutSegment(
        self, request: recording_pb2.PutSegmentRequest, context: aio.ServicerContext[Any, Any]
    ) -> recording_pb2.PutSegmentResponse:
        self._ask(request)
        wrapped = SealedKey(
            request.key.key_id, request.key.ephemeral_public_key, request.key.wrapped
        )
        key = unseal_key(wrapped, private_key=self.pair.private_key, call_id=request.call_id)
        clear = open_segment(
            key,
            request.sealed,
            call_id=request.call_id,
            track_id=request.track_id,
            number=request.number,
        )
        name = (request.call_id, request.track_id, request.number)
        assert self.hashes.get(name, request.sha256) == request.sha256
        self.segments[name] = recording_pb2.Segment.FromString(clear)
        self.hashes[name] = request.sha256
        return recording_pb2.PutSegmentResponse()

    async def PutManifest(
        self, request: recording_pb2.PutManifestRequest, context: aio.ServicerContext[Any, Any]
    ) -> recording_pb2.RecordingView:
        self._ask(request)
        manifest = request.manifest
        for track in manifest.tracks:
            for number, sha256 in enumerate(track.segment_sha256, start=1):
                stored = self.hashes.get((manifest.call_id, track.track_id, number), "")
                assert stored == sha256
        self.manifests[manifest.call_id] = manifest
        return recording_pb2.RecordingView(recording_id=manifest.call_id)

    async def ReportGateway(
        self, request: recording_pb2.ReportGatewayRequest, context: Any
    ) -> recording_pb2.ReportGatewayResponse:
        self.alive.add(request.incarnation)
        self._more.set()
        return recording_pb2.ReportGatewayResponse()

    def _ask(self, request: Any) -> None:
        self.asked += 1
        self._more.set()
        if error := self.trouble(request):
            raise error
        self.tenants.add(tenant_id())
