"""The half of recording's face that people use, by way of portal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from grpc import aio

from protos.common.v1 import common_pb2
from protos.recording.v1 import recording_pb2
from services.chassis.blobs import Blobs
from services.chassis.clock import Clock
from services.chassis.paging import page_size
from services.chassis.rpc import present, tenant_id
from services.recording.audio import Renderer, Source
from services.recording.core.timeline import timeline_of
from services.recording.core.wav import range_of
from services.recording.core.waveform import columns_of
from services.recording.drawing import Waveforms
from services.recording.examining import Examiner
from services.recording.listening import Trail
from services.recording.model.calls import Found
from services.recording.model.errors import NoSuchRecording
from services.recording.reconciling import Reconciler
from services.recording.rpc_policies import check_may_listen
from services.recording.segments import SegmentFiles
from services.recording.store import RecordingStore
from services.recording.verify import verify_recording
from services.recording.wire import (
    full_message,
    listening_message,
    place_of,
    place_token,
    reconciliation_message,
    recording_id_of,
    search_of,
    stretch_of,
    term,
    verification_message,
    view_message,
    waveform_message,
)

Context = aio.ServicerContext[Any, Any]


class PeopleCalls:
    """Recordings found, shown, heard, verified and compared."""

    _store: RecordingStore
    _files: SegmentFiles
    _examiner: Examiner
    _blobs: Blobs
    _reconciler: Reconciler
    _trail: Trail
    _waveforms: Waveforms
    _clock: Clock

    async def ListRecordings(
        self, request: recording_pb2.ListRecordingsRequest, _context: Context
    ) -> recording_pb2.ListRecordingsResponse:
        """Newest first; an agent's own only."""
        size = page_size(request.page)
        search = search_of(request, present().own_agent_id)
        after = place_of(request.page.token)
        rows = await self._store.search(tenant_id(), search, after, size + 1)
        token = place_token(rows[size - 1].recording) if len(rows) > size else ""
        return recording_pb2.ListRecordingsResponse(
            recordings=[view_message(each) for each in rows[:size]],
            page=common_pb2.PageResponse(next_token=token),
        )

    async def GetRecording(
        self, request: recording_pb2.GetRecordingRequest, _context: Context
    ) -> recording_pb2.RecordingView:
        """With tracks, gaps, pauses, markers and what was played."""
        found = await self._found(request.recording_id)
        segments = await self._store.segments(tenant_id(), found.recording.recording_id)
        return full_message(found, segments)

    async def VerifyRecording(
        self, request: recording_pb2.GetRecordingRequest, _context: Context
    ) -> recording_pb2.Verification:
        """Every segment read again."""
        found = await self._found(request.recording_id)
        segments = await self._store.segments(tenant_id(), found.recording.recording_id)
        verification = await verify_recording(
            tenant_id(),
            found.recording,
            segments,
            files=self._files,
            examiner=self._examiner,
            now_ms=self._clock.now_ms(),
        )
        return verification_message(verification)

    async def ReadAudio(
        self, request: recording_pb2.ReadAudioRequest, _context: Context
    ) -> AsyncIterator[recording_pb2.AudioChunk]:
        """The WAV or a part of it; whoever listens is written down first. ListeningNotAllowed."""
        found = await self._found(request.recording_id)
        await check_may_listen(self._store)
        recording_id = found.recording.recording_id
        segments = await self._store.segments(tenant_id(), recording_id)
        timeline = timeline_of(found.recording, found.call, segments)
        source = Source(tenant_id(), recording_id, timeline)
        total = source.total_bytes
        first, end = range_of(request.offset, request.length, total)
        await self._trail.heard(
            tenant_id(),
            recording_id,
            listener_id=present().user_id,
            listener_name=present().user_name,
            from_start=request.offset == 0,
        )
        if first == end:
            yield recording_pb2.AudioChunk(total_bytes=total)
        renderer = Renderer(examiner=self._examiner, blobs=self._blobs, source=source)
        async for data in renderer.read(first, end):
            yield recording_pb2.AudioChunk(data=data, total_bytes=total)

    async def GetWaveform(
        self, request: recording_pb2.GetWaveformRequest, _context: Context
    ) -> recording_pb2.Waveform:
        """How loud both sides are; ListeningNotAllowed, BadColumns."""
        columns = columns_of(request.columns)
        found = await self._found(request.recording_id)
        await check_may_listen(self._store)
        return waveform_message(await self._waveforms.waveform(tenant_id(), found, columns))

    async def ListListenings(
        self, request: recording_pb2.ListListeningsRequest, _context: Context
    ) -> recording_pb2.ListListeningsResponse:
        """Newest first."""
        size = page_size(request.page)
        found = await self._found(request.recording_id)
        rows = await self._store.listenings(
            tenant_id(), found.recording.recording_id, term(request.page.token), size + 1
        )
        token = rows[size - 1].listening_id if len(rows) > size else ""
        return recording_pb2.ListListeningsResponse(
            listenings=[listening_message(each) for each in rows[:size]],
            page=common_pb2.PageResponse(next_token=token),
        )

    async def Reconcile(
        self, request: recording_pb2.ReconcileRequest, _context: Context
    ) -> recording_pb2.Reconciliation:
        """Answered calls against recordings."""
        from_ms, to_ms = stretch_of(request, self._clock.now_ms())
        result = await self._reconciler.reconcile(tenant_id(), from_ms, to_ms)
        return reconciliation_message(result)

    async def _found(self, recording_id: str) -> Found:
        """A recording that the one who asks may know of; NoSuchRecording."""
        wanted = recording_id_of(recording_id)
        found = await self._store.found(tenant_id(), wanted)
        own = present().own_agent_id
        if found is None or (own and own not in found.call.agent_ids):
            raise NoSuchRecording(recording_id)
        return found
