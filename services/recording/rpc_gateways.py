"""The half of recording's face that gateways use."""

from __future__ import annotations

from typing import Any

from grpc import aio

from protos.recording.v1 import recording_pb2
from services.chassis.clock import Clock
from services.chassis.rpc import tenant_id
from services.recording.ingest import Ingest
from services.recording.keys import KeyRing
from services.recording.model.calls import Call, Found
from services.recording.store import RecordingStore
from services.recording.wire import incarnation_of, manifest_of, sealed_of, view_message

Context = aio.ServicerContext[Any, Any]


class GatewayCalls:
    """Segments and manifests in."""

    _keys: KeyRing
    _ingest: Ingest
    _store: RecordingStore
    _clock: Clock

    async def GetSealingKey(
        self, _request: recording_pb2.GetSealingKeyRequest, _context: Context
    ) -> recording_pb2.SealingKey:
        """The public key; the same for all tenants."""
        pair = self._keys.present
        return recording_pb2.SealingKey(key_id=pair.key_id, public_key=pair.public_key)

    async def PutSegment(
        self, request: recording_pb2.PutSegmentRequest, _context: Context
    ) -> recording_pb2.PutSegmentResponse:
        """Durable once it returns."""
        await self._ingest.put_segment(tenant_id(), sealed_of(request))
        return recording_pb2.PutSegmentResponse()

    async def PutManifest(
        self, request: recording_pb2.PutManifestRequest, _context: Context
    ) -> recording_pb2.RecordingView:
        """The recording, closed."""
        tenant = tenant_id()
        recording = await self._ingest.put_manifest(tenant, manifest_of(request.manifest))
        found = await self._store.found(tenant, recording.recording_id)
        return view_message(found or Found(recording, Call(recording.recording_id)))

    async def ReportGateway(
        self, request: recording_pb2.ReportGatewayRequest, _context: Context
    ) -> recording_pb2.ReportGatewayResponse:
        """A gateway process is alive."""
        await self._store.hear_gateway(incarnation_of(request), self._clock.now_ms())
        return recording_pb2.ReportGatewayResponse()
