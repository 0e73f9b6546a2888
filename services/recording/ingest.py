"""Segments and manifests in: opened, checked, made durable, and only then acknowledged."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from services.chassis import spans
from services.chassis.clock import Clock
from services.chassis.ids import CallId, TenantId
from services.chassis.log import get_logger
from services.chassis.tasks import Tasks
from services.recording.core.finalise import (
    check_manifest,
    close_by_manifest,
    close_without_manifest,
    compare,
)
from services.recording.core.segments import check_frames, extent
from services.recording.examining import Examined, Examiner
from services.recording.keys import KeyRing
from services.recording.model.calls import AgentTookPart, Note
from services.recording.model.errors import (
    BadSegment,
    ManifestDiffers,
    NoSuchRecording,
    RecordingChanged,
)
from services.recording.model.evidence import (
    MAX_SEGMENT_BYTES,
    MAX_SEGMENTS,
    Manifest,
    Recording,
    Segment,
    State,
)
from services.recording.segments import SealedSegment, SegmentFiles, SegmentPlace
from services.recording.store import RecordingStore
from services.recording.summary import summary_of
from services.recording.wire import frames_of
from services.recording.wire_events import begun_event, finalised_event

log = get_logger("recording")

MAX_ATTEMPTS = 5
"""Of a finalisation during which more segments come."""


@dataclass(slots=True)
class Counts:
    """What this process has done so far."""

    segments: int = 0
    """Made durable."""
    stored_bytes: int = 0
    """Of those, sealed."""
    damaged: int = 0
    """Stored segments that could not be opened again."""
    lost: int = 0
    """Recordings closed without a manifest."""
    closed: Counter[State] = field(default_factory=Counter)
    """Recordings closed, by their state."""


class Ingest:
    """What gateways hand over."""

    def __init__(
        self,
        *,
        keys: KeyRing,
        files: SegmentFiles,
        store: RecordingStore,
        examiner: Examiner,
        clock: Clock,
        new_id: Callable[[], str],
        tasks: Tasks,
    ) -> None:
        self._keys = keys
        self._files = files
        self._store = store
        self._examiner = examiner
        self._clock = clock
        self._new_id = new_id
        self._tasks = tasks
        self.counts = Counts()
        """For metrics."""
        self._closing: dict[tuple[TenantId, CallId, str], asyncio.Future[Recording]] = {}

    @property
    def closing(self) -> int:
        """Recordings that are being closed now."""
        return len(self._closing)

    async def put_segment(self, tenant_id: TenantId, sealed: SealedSegment) -> None:
        """Keeps a segment; durable when it returns. The same again changes nothing."""
        if len(sealed.sealed) > MAX_SEGMENT_BYTES or sealed.number > MAX_SEGMENTS:
            raise BadSegment(f"{len(sealed.sealed)} bytes, number {sealed.number}")
        segment = self._opened(sealed)
        place = SegmentPlace(
            tenant_id, sealed.call_id, sealed.track_id, sealed.number, sealed.sha256
        )
        await self._files.put(place, sealed.to_bytes())
        now_ms = self._clock.now_ms()
        begun = Recording(
            recording_id=sealed.call_id,
            state=State.RECORDING,
            incarnation=sealed.incarnation,
            started_at_ms=segment.track_started_at_ms,
            ended_at_ms=0,
            heard_at_ms=now_ms,
        )
        event = begun_event(tenant_id, sealed.call_id, event_id=self._new_id(), at_ms=now_ms)
        await self._store.add_segment(tenant_id, begun, segment, [event])
        self.counts.segments += 1
        self.counts.stored_bytes += len(sealed.sealed)
        log.debug("segment kept", call=sealed.call_id, segment=segment.name)

    async def put_manifest(self, tenant_id: TenantId, manifest: Manifest) -> Recording:
        """Closes a recording once every segment that the manifest names is there.

        BadManifest, SegmentsMissing, SegmentDiffers; ManifestDiffers after another one. Whoever
        asks again while the hashes are computed waits for the same result.
        """
        check_manifest(manifest)
        key = (tenant_id, manifest.call_id, manifest.sha256)
        closing = self._closing.get(key)
        if closing is None:
            closing = self._closing[key] = asyncio.get_running_loop().create_future()
            # A long call takes longer to hash than one who asks may wait.
            self._tasks.start(self._close(tenant_id, manifest, closing), "close recording")
        return await asyncio.shield(closing)

    async def close_lost(self, tenant_id: TenantId, recording_id: CallId) -> Recording:
        """Closes a recording whose gateway is lost; what is closed already stays as it is."""
        for _ in range(MAX_ATTEMPTS):
            before = await self._store.recording(tenant_id, recording_id)
            if before is None:
                raise NoSuchRecording(recording_id)
            if before.state is not State.RECORDING:
                return before
            after = await self._as_lost(tenant_id, before)
            if await self._closed(tenant_id, before, after, []):
                self.counts.lost += 1
                log.warning("recording of a lost gateway closed", call=recording_id)
                return after
        raise RecordingChanged(recording_id)

    def _opened(self, sealed: SealedSegment) -> Segment:
        clear = self._keys.open(sealed)
        frames = frames_of(clear, sealed)
        check_frames(frames)
        from_sample, to_sample = extent(frames)
        return Segment(
            track_id=sealed.track_id,
            number=sealed.number,
            sha256=sealed.sha256,
            size_bytes=len(clear),
            codec=frames.codec,
            track_started_at_ms=frames.track_started_at_ms,
            from_sample=from_sample,
            to_sample=to_sample,
            incarnation=sealed.incarnation,
        )

    async def _close(
        self, tenant_id: TenantId, manifest: Manifest, closing: asyncio.Future[Recording]
    ) -> None:
        # Whoever asked may be gone by now, and the result is theirs to read, not the loop's.
        closing.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            with spans.span("recording", "finalise", call_id=manifest.call_id):
                recording = await self._close_by(tenant_id, manifest)
            spans.step(
                "recording",
                "keep segments",
                call_id=manifest.call_id,
                from_ms=recording.started_at_ms,
                to_ms=max(recording.started_at_ms, recording.heard_at_ms),
                attributes={"segments": str(recording.segments)},
            )
            closing.set_result(recording)
        except asyncio.CancelledError:
            closing.cancel()
            raise
        except Exception as error:  # noqa: BLE001  # each failure is told to those who wait for it
            closing.set_exception(error)
        finally:
            del self._closing[tenant_id, manifest.call_id, manifest.sha256]

    async def _close_by(self, tenant_id: TenantId, manifest: Manifest) -> Recording:
        for _ in range(MAX_ATTEMPTS):
            before = await self._store.recording(tenant_id, manifest.call_id)
            if before is not None and before.manifest_sha256:
                if before.manifest_sha256 != manifest.sha256:
                    raise ManifestDiffers(manifest.call_id)
                return before
            after = await self._as_told(tenant_id, before, manifest)
            if await self._closed(tenant_id, before, after, _taking_part(manifest)):
                log.info(
                    "recording closed",
                    call=manifest.call_id,
                    state=after.state.value,
                    segments=after.segments,
                    gaps=len(after.gaps),
                )
                return after
        raise RecordingChanged(manifest.call_id)

    async def _as_told(
        self, tenant_id: TenantId, before: Recording | None, manifest: Manifest
    ) -> Recording:
        segments = await self._store.segments(tenant_id, manifest.call_id)
        compare(manifest, segments)
        examined = await self._examined(tenant_id, manifest.call_id, segments)
        return close_by_manifest(
            before or _unbegun(manifest, self._clock.now_ms()),
            manifest,
            segments,
            sha256=examined.sha256,
            damaged=[segment for segment, _ in examined.damaged],
        )

    async def _as_lost(self, tenant_id: TenantId, before: Recording) -> Recording:
        segments = await self._store.segments(tenant_id, before.recording_id)
        examined = await self._examined(tenant_id, before.recording_id, segments)
        call = await self._store.call(tenant_id, before.recording_id)
        heard_ms = await self._store.heard_gateway(before.incarnation)
        lost_at_ms = max(heard_ms, before.heard_at_ms)
        if call.ended_at_ms:
            lost_at_ms = min(lost_at_ms, call.ended_at_ms)
        return close_without_manifest(
            before,
            segments,
            sha256=examined.sha256,
            lost_at_ms=lost_at_ms,
            legs=call.legs,
            damaged=[segment for segment, _ in examined.damaged],
        )

    async def _closed(
        self, tenant_id: TenantId, before: Recording | None, after: Recording, notes: list[Note]
    ) -> bool:
        """Writes the end of a recording, its files first; False: it changed meanwhile."""
        segments = await self._store.segments(tenant_id, after.recording_id)
        await self._files.close_call(tenant_id, after.recording_id, summary_of(after, segments))
        event = finalised_event(
            tenant_id, after, event_id=self._new_id(), at_ms=self._clock.now_ms()
        )
        try:
            await self._store.close_recording(tenant_id, before, after, notes, [event])
        except RecordingChanged:
            await self._keep_what_is(tenant_id, after.recording_id)
            return False
        self.counts.closed[after.state] += 1
        return True

    async def _keep_what_is(self, tenant_id: TenantId, recording_id: CallId) -> None:
        """Another end was first: beside the segments stands that one, not what came too late."""
        present = await self._store.recording(tenant_id, recording_id)
        if present is not None and present.state is not State.RECORDING:
            segments = await self._store.segments(tenant_id, recording_id)
            await self._files.close_call(tenant_id, recording_id, summary_of(present, segments))

    async def _examined(
        self, tenant_id: TenantId, recording_id: CallId, segments: list[Segment]
    ) -> Examined:
        examined = await self._examiner.examine(tenant_id, recording_id, segments)
        for segment, why in examined.damaged:
            self.counts.damaged += 1
            log.error("stored segment is damaged", call=recording_id, segment=segment.name, why=why)
        return examined


def _unbegun(manifest: Manifest, now_ms: int) -> Recording:
    """A recording of which no segment ever came."""
    return Recording(
        recording_id=manifest.call_id,
        state=State.RECORDING,
        incarnation=manifest.incarnation,
        started_at_ms=manifest.started_at_ms,
        ended_at_ms=0,
        heard_at_ms=now_ms,
    )


def _taking_part(manifest: Manifest) -> list[Note]:
    return [
        AgentTookPart(manifest.call_id, track.agent_id, queue_id="")
        for track in manifest.tracks
        if track.agent_id
    ]
