"""What is remembered of recordings besides their bytes: the port, and its form in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from services.chassis.bus import Bus
from services.chassis.envelope import Envelope
from services.chassis.ids import CallId, TenantId
from services.recording.core.calls import noted
from services.recording.core.search import matches
from services.recording.model.calls import Call, Found, Named, Note, Pair, Search
from services.recording.model.errors import (
    RecordingChanged,
    RecordingClosed,
    SegmentDiffers,
    TooManySegments,
)
from services.recording.model.evidence import (
    MAX_SEGMENTS,
    Listening,
    Place,
    Recording,
    Segment,
    State,
)
from services.recording.store_policies import MemoryPolicies, PolicyStore
from services.recording.store_waveforms import MemoryWaveforms, WaveformStore

TOPIC = "recording.events.v1"

Names = Mapping[tuple[str, str], str]
"""Of agents and queues, by (kind, id)."""


class RecordingStore(PolicyStore, WaveformStore, Protocol):
    """Recordings, what is known of their calls, and who listened. Events leave with the state."""

    async def add_segment(
        self, tenant_id: TenantId, begun: Recording, segment: Segment, events: Sequence[Envelope]
    ) -> None:
        """Adds a segment that is durable; the same again changes nothing.

        The first one makes the recording `begun`, and the events are told. SegmentDiffers,
        RecordingClosed, TooManySegments.
        """

    async def segments(self, tenant_id: TenantId, recording_id: CallId) -> list[Segment]:
        """All segments of a recording by track and number."""

    async def recording(self, tenant_id: TenantId, recording_id: CallId) -> Recording | None:
        """A recording; None: there is none."""

    async def close_recording(
        self,
        tenant_id: TenantId,
        before: Recording | None,
        after: Recording,
        notes: Sequence[Note],
        events: Sequence[Envelope],
    ) -> None:
        """Finalises a recording and adds what its end tells of the call.

        RecordingChanged when it is not as it was `before`: a segment or a manifest came.
        """

    async def found(self, tenant_id: TenantId, recording_id: CallId) -> Found | None:
        """A recording with its call; None: there is none."""

    async def search(
        self, tenant_id: TenantId, search: Search, after: tuple[int, str] | None, size: int
    ) -> list[Found]:
        """Recordings that match, newest first, after the one that began then with that id."""

    async def note(self, tenant_id: TenantId, notes: Sequence[Note]) -> None:
        """Remembers news of calls and names; the same again change nothing."""

    async def call(self, tenant_id: TenantId, call_id: CallId) -> Call:
        """What is known of a call; nothing yet: an empty one."""

    async def pairs(
        self, tenant_id: TenantId, from_ms: int, to_ms: int, after: str, size: int
    ) -> list[Pair]:
        """Calls that ended in a stretch, and recordings closed in it of calls that nobody ended.

        By call id, after that one. What is being recorded is of calls that go on.
        """

    async def add_listening(
        self, tenant_id: TenantId, listening: Listening, events: Sequence[Envelope]
    ) -> None:
        """Puts on the trail that somebody listened."""

    async def last_listened(
        self, tenant_id: TenantId, recording_id: CallId, listener_id: str
    ) -> int:
        """When somebody last listened to a recording; 0: never."""

    async def listenings(
        self, tenant_id: TenantId, recording_id: CallId, before: str, size: int
    ) -> list[Listening]:
        """Who listened, newest first, before the listening with that id; empty: from now."""

    async def hear_gateway(self, incarnation: str, at_ms: int) -> None:
        """A gateway process is alive."""

    async def heard_gateway(self, incarnation: str) -> int:
        """When a gateway process was last heard of; 0: never."""

    async def lost(self, before_ms: int, size: int) -> list[Place]:
        """Recordings that go on though neither they nor their gateway were heard since then."""

    async def tenants(self, since_ms: int) -> list[TenantId]:
        """Tenants with calls, or recordings, that ended since then."""


class MemoryRecordingStore(MemoryPolicies, MemoryWaveforms):
    """Recordings for tests and simulation; events go to the bus at once."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._recordings: dict[tuple[TenantId, CallId], Recording] = {}
        self._segments: dict[tuple[TenantId, CallId], dict[tuple[str, int], Segment]] = defaultdict(
            dict
        )
        self._calls: dict[tuple[TenantId, CallId], Call] = {}
        self._names: dict[TenantId, dict[tuple[str, str], str]] = defaultdict(dict)
        self._listenings: dict[tuple[TenantId, CallId], list[Listening]] = defaultdict(list)
        self._gateways: dict[str, int] = {}
        self._policies = {}
        self._waveforms = {}

    async def add_segment(
        self, tenant_id: TenantId, begun: Recording, segment: Segment, events: Sequence[Envelope]
    ) -> None:
        """See `RecordingStore.add_segment`."""
        place = tenant_id, begun.recording_id
        known = self._segments[place].get((segment.track_id, segment.number))
        if known is not None:
            check_same(known, segment)
            return
        before = self._recordings.get(place)
        self._recordings[place] = grown(before, begun, segment)
        self._segments[place][segment.track_id, segment.number] = segment
        if before is None:
            await self._bus.publish(TOPIC, events)

    async def segments(self, tenant_id: TenantId, recording_id: CallId) -> list[Segment]:
        """See `RecordingStore.segments`."""
        kept = self._segments[tenant_id, recording_id]
        return [kept[key] for key in sorted(kept)]

    async def recording(self, tenant_id: TenantId, recording_id: CallId) -> Recording | None:
        """See `RecordingStore.recording`."""
        return self._recordings.get((tenant_id, recording_id))

    async def close_recording(
        self,
        tenant_id: TenantId,
        before: Recording | None,
        after: Recording,
        notes: Sequence[Note],
        events: Sequence[Envelope],
    ) -> None:
        """See `RecordingStore.close_recording`."""
        if self._recordings.get((tenant_id, after.recording_id)) != before:
            raise RecordingChanged(after.recording_id)
        self._recordings[tenant_id, after.recording_id] = after
        await self.note(tenant_id, notes)
        await self._bus.publish(TOPIC, events)

    async def found(self, tenant_id: TenantId, recording_id: CallId) -> Found | None:
        """See `RecordingStore.found`."""
        recording = self._recordings.get((tenant_id, recording_id))
        if recording is None:
            return None
        call = await self.call(tenant_id, recording_id)
        return Found(recording, call, dict(self._names[tenant_id]))

    async def search(
        self, tenant_id: TenantId, search: Search, after: tuple[int, str] | None, size: int
    ) -> list[Found]:
        """See `RecordingStore.search`."""
        found = []
        for (owner, call_id), recording in self._recordings.items():
            call = await self.call(tenant_id, call_id)
            if owner == tenant_id and matches(search, recording, call):
                found.append(Found(recording, call, dict(self._names[tenant_id])))
        found.sort(key=_begun, reverse=True)
        return [each for each in found if after is None or _begun(each) < after][:size]

    async def note(self, tenant_id: TenantId, notes: Sequence[Note]) -> None:
        """See `RecordingStore.note`."""
        for note in notes:
            if isinstance(note, Named):
                self._names[tenant_id][note.kind, note.id] = note.name
            else:
                call = await self.call(tenant_id, note.call_id)
                self._calls[tenant_id, note.call_id] = noted(call, note)

    async def call(self, tenant_id: TenantId, call_id: CallId) -> Call:
        """See `RecordingStore.call`."""
        return self._calls.get((tenant_id, call_id)) or Call(call_id)

    async def pairs(
        self, tenant_id: TenantId, from_ms: int, to_ms: int, after: str, size: int
    ) -> list[Pair]:
        """See `RecordingStore.pairs`."""
        ids = {
            call_id
            for (owner, call_id), call in self._calls.items()
            if owner == tenant_id and call.ended_at_ms and from_ms <= call.ended_at_ms < to_ms
        }
        ids |= {
            call_id
            for (owner, call_id), recording in self._recordings.items()
            if owner == tenant_id
            and recording.state is not State.RECORDING
            and from_ms <= recording.ended_at_ms < to_ms
            and not (await self.call(tenant_id, call_id)).ended_at_ms
        }
        return [
            Pair(self._calls.get((tenant_id, each)), self._recordings.get((tenant_id, each)))
            for each in sorted(each for each in ids if each > after)[:size]
        ]

    async def add_listening(
        self, tenant_id: TenantId, listening: Listening, events: Sequence[Envelope]
    ) -> None:
        """See `RecordingStore.add_listening`."""
        self._listenings[tenant_id, listening.recording_id].append(listening)
        await self._bus.publish(TOPIC, events)

    async def last_listened(
        self, tenant_id: TenantId, recording_id: CallId, listener_id: str
    ) -> int:
        """See `RecordingStore.last_listened`."""
        heard = self._listenings[tenant_id, recording_id]
        return max((each.at_ms for each in heard if each.listener_id == listener_id), default=0)

    async def listenings(
        self, tenant_id: TenantId, recording_id: CallId, before: str, size: int
    ) -> list[Listening]:
        """See `RecordingStore.listenings`."""
        heard = sorted(
            self._listenings[tenant_id, recording_id],
            key=lambda each: each.listening_id,
            reverse=True,
        )
        return [each for each in heard if not before or each.listening_id < before][:size]

    async def hear_gateway(self, incarnation: str, at_ms: int) -> None:
        """See `RecordingStore.hear_gateway`."""
        self._gateways[incarnation] = max(at_ms, self._gateways.get(incarnation, 0))

    async def heard_gateway(self, incarnation: str) -> int:
        """See `RecordingStore.heard_gateway`."""
        return self._gateways.get(incarnation, 0)

    async def lost(self, before_ms: int, size: int) -> list[Place]:
        """See `RecordingStore.lost`."""
        return [
            Place(tenant_id, call_id)
            for (tenant_id, call_id), recording in self._recordings.items()
            if recording.state is State.RECORDING
            and recording.heard_at_ms < before_ms
            and self._gateways.get(recording.incarnation, 0) < before_ms
        ][:size]

    async def tenants(self, since_ms: int) -> list[TenantId]:
        """See `RecordingStore.tenants`."""
        calls = {place for place, call in self._calls.items() if call.ended_at_ms >= since_ms}
        closed = {
            place
            for place, recording in self._recordings.items()
            if recording.state is not State.RECORDING and recording.ended_at_ms >= since_ms
        }
        return sorted({tenant_id for tenant_id, _ in calls | closed})


def check_same(known: Segment, segment: Segment) -> None:
    """Raises SegmentDiffers when two segments of one name are not the same."""
    if known.sha256 != segment.sha256:
        raise SegmentDiffers(f"{segment.name} is stored with other bytes")


def grown(before: Recording | None, begun: Recording, segment: Segment) -> Recording:
    """The recording with one segment more; RecordingClosed, TooManySegments."""
    if before is None:
        return replace(begun, segments=1, size_bytes=segment.size_bytes)
    if before.manifest_sha256:
        raise RecordingClosed(f"{segment.name} is not in the manifest")
    if before.segments >= MAX_SEGMENTS:
        raise TooManySegments(f"at most {MAX_SEGMENTS} of one call")
    # What was finalised for want of a gateway goes on when its gateway turns out to live.
    return replace(
        before,
        state=State.RECORDING,
        ended_at_ms=0,
        sha256="",
        tracks=(),
        gaps=(),
        incarnation=segment.incarnation,
        started_at_ms=min(before.started_at_ms, begun.started_at_ms),
        heard_at_ms=begun.heard_at_ms,
        segments=before.segments + 1,
        size_bytes=before.size_bytes + segment.size_bytes,
    )


def calls_of(notes: Iterable[Note]) -> list[CallId]:
    """The calls that notes are about, each once, in the order of their ids."""
    return sorted({note.call_id for note in notes if not isinstance(note, Named)})


def _begun(found: Found) -> tuple[int, str]:
    return found.recording.started_at_ms, found.recording.recording_id
