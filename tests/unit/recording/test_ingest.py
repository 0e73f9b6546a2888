"""Segments and manifests in, as a gateway hands them over."""

from __future__ import annotations

import asyncio

import pytest

from protos.recording.v1 import recording_pb2
from services.chassis.ids import CallId, TenantId
from services.chassis.sealing import SealBroken, generate_key_pair
from services.chassis.tasks import Tasks
from services.recording.examining import Examiner
from services.recording.ingest import Ingest
from services.recording.model.calls import CallOver, Leg, LegKnown, Note
from services.recording.model.errors import (
    BadManifest,
    BadSegment,
    ManifestDiffers,
    NoSuchRecording,
    NoSuchSealingKey,
    RecordingChanged,
    RecordingClosed,
    SegmentDiffers,
    SegmentsMissing,
)
from services.recording.model.evidence import MAX_SEGMENT_BYTES, Gap, State
from services.recording.segments import MemorySegments, SegmentPlace
from services.recording.summary import summary_of
from services.recording.wire import manifest_of
from tests.unit.recording.conftest import ACME, Desk
from tests.unit.recording.tape import START_MS, Tape

TWO_S = b"\x55" * 16_000


@pytest.fixture
def tape(desk: Desk) -> Tape:
    return Tape("call-1", desk.keys.present)


async def whole_call(desk: Desk, tape: Tape) -> None:
    for number in (1, 2):
        for track_id in ("leg-a", "leg-b"):
            await desk.put(tape.segment(track_id, number, TWO_S, at=16_000 * (number - 1)))


async def test_a_call_that_was_shipped_whole_is_complete(desk: Desk, tape: Tape) -> None:
    await whole_call(desk, tape)
    assert (await desk.recording("call-1")).state is State.RECORDING
    recording = await desk.close(tape.manifest())
    assert recording.state is State.COMPLETE
    assert (recording.segments, recording.gaps, recording.consent) == (4, (), "announced")
    assert recording.ended_at_ms - recording.started_at_ms == 10_000
    assert (await desk.store.call(ACME, CallId("call-1"))).agent_ids == ("anna",)
    assert await desk.events() == ["RecordingBegun", "RecordingFinalised"]


async def test_everything_may_come_twice(desk: Desk, tape: Tape) -> None:
    segments = [tape.segment("leg-a", number, TWO_S) for number in (1, 2)]
    for request in (*segments, *segments):
        await desk.put(request)
    first = await desk.close(tape.manifest())
    for request in segments:
        await desk.put(request)
    assert await desk.close(tape.manifest()) == first
    assert first.segments == 2
    assert await desk.events() == ["RecordingBegun", "RecordingFinalised"]


async def test_a_manifest_asked_for_twice_at_once_is_worked_on_once(desk: Desk, tape: Tape) -> None:
    await whole_call(desk, tape)
    results = await asyncio.gather(*(desk.close(tape.manifest()) for _ in range(5)))
    assert len({result.sha256 for result in results}) == 1
    assert await desk.events() == ["RecordingBegun", "RecordingFinalised"]


class Stuck(MemorySegments):
    """Storage that never answers."""

    async def get(self, place: SegmentPlace) -> bytes:
        await asyncio.Event().wait()
        return await super().get(place)


async def test_those_who_wait_are_let_go_when_the_service_stops(desk: Desk, tape: Tape) -> None:
    await whole_call(desk, tape)
    tasks, files = Tasks(), Stuck()
    ingest = Ingest(
        keys=desk.keys,
        files=files,
        store=desk.store,
        examiner=Examiner(files=files, keys=desk.keys),
        clock=desk.clock,
        new_id=lambda: "id",
        tasks=tasks,
    )
    manifest = manifest_of(tape.manifest().manifest)
    asking = asyncio.ensure_future(ingest.put_manifest(ACME, manifest))
    for _ in range(3):  # it asks, work begins, and waits for the storage
        await asyncio.sleep(0)
    assert len(tasks) == 1
    await tasks.close()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert (await desk.recording("call-1")).state is State.RECORDING


async def test_one_who_gives_up_waiting_finds_the_recording_closed(desk: Desk, tape: Tape) -> None:
    await whole_call(desk, tape)
    asking = asyncio.ensure_future(desk.close(tape.manifest()))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert (await desk.close(tape.manifest())).state is State.COMPLETE
    assert await desk.events() == ["RecordingBegun", "RecordingFinalised"]


async def test_other_bytes_under_the_same_name_are_refused(desk: Desk, tape: Tape) -> None:
    await desk.put(tape.segment("leg-a", 1, TWO_S))
    with pytest.raises(SegmentDiffers):
        await desk.put(tape.segment("leg-a", 1, TWO_S[1:]))


async def test_a_segment_that_was_changed_on_its_way_is_refused(desk: Desk, tape: Tape) -> None:
    request = tape.segment("leg-a", 1, TWO_S)
    request.sealed = request.sealed[:-1] + bytes([request.sealed[-1] ^ 1])
    with pytest.raises(SealBroken):
        await desk.put(request)
    request = tape.segment("leg-a", 1, TWO_S)
    request.sha256 = "0" * 64
    with pytest.raises(BadSegment, match="hash"):
        await desk.put(request)


async def test_a_segment_under_another_name_is_refused(desk: Desk, tape: Tape) -> None:
    request = tape.segment("leg-a", 1, TWO_S)
    request.number = 2
    with pytest.raises(SealBroken):
        await desk.put(request)
    inner = recording_pb2.Segment(call_id="call-9", track_id="leg-a", number=1, codec="PCMU")
    with pytest.raises(BadSegment, match="inside it says call-9/leg-a/1"):
        await desk.put(tape.seal(inner))


async def test_a_segment_for_another_services_key_is_refused(desk: Desk) -> None:
    with pytest.raises(NoSuchSealingKey):
        await desk.put(Tape("call-1", generate_key_pair()).segment("leg-a", 1, TWO_S))


async def test_a_segment_has_a_limit(desk: Desk, tape: Tape) -> None:
    with pytest.raises(BadSegment, match="bytes"):
        await desk.put(tape.segment("leg-a", 1, b"\0" * MAX_SEGMENT_BYTES))


@pytest.mark.parametrize(
    "change",
    [
        {"call_id": ""},
        {"track_id": "a\0b"},
        {"number": 0},
        {"incarnation": ""},
        {"sha256": "A" * 64},
        {"sha256": "a"},
    ],
)
async def test_a_segment_without_a_proper_name_is_refused(
    desk: Desk, tape: Tape, change: dict[str, object]
) -> None:
    request = tape.segment("leg-a", 1, TWO_S)
    for name, value in change.items():
        setattr(request, name, value)
    with pytest.raises(BadSegment):
        await desk.put(request)


async def test_what_is_no_segment_inside_is_refused(desk: Desk, tape: Tape) -> None:
    good = recording_pb2.Segment(
        call_id="call-1",
        track_id="leg-a",
        number=1,
        track_started_at_ms=START_MS,
        codec="PCMU",
        at_samples=[0, 160],
        sizes=[2, 2],
        payload=b"\0" * 4,
    )
    for change in (
        {"codec": "MP3"},
        {"track_started_at_ms": 0},
        {"track_started_at_ms": 1 << 60},
        {"payload": b"\0" * 3},
    ):
        bad = recording_pb2.Segment()
        bad.CopyFrom(good)
        for name, value in change.items():
            setattr(bad, name, value)
        with pytest.raises(BadSegment):
            await desk.put(tape.seal(bad))
    await desk.put(tape.seal(good))


async def test_a_manifest_waits_for_the_segments_that_it_names(desk: Desk, tape: Tape) -> None:
    late = tape.segment("leg-a", 1, TWO_S)
    await desk.put(tape.segment("leg-a", 2, TWO_S))
    with pytest.raises(SegmentsMissing, match=r"^leg-a/1$"):
        await desk.close(tape.manifest())
    await desk.put(late)
    assert (await desk.close(tape.manifest())).state is State.COMPLETE


async def test_a_manifest_that_names_another_hash_is_refused(desk: Desk, tape: Tape) -> None:
    await desk.put(tape.segment("leg-a", 1, TWO_S))
    request = tape.manifest()
    request.manifest.tracks[0].segment_sha256[0] = "0" * 64
    with pytest.raises(SegmentDiffers):
        await desk.close(request)


async def test_nothing_comes_after_the_manifest(desk: Desk, tape: Tape) -> None:
    await desk.put(tape.segment("leg-a", 1, TWO_S))
    await desk.close(tape.manifest())
    with pytest.raises(RecordingClosed):
        await desk.put(tape.segment("leg-a", 2, TWO_S))
    with pytest.raises(ManifestDiffers):
        await desk.close(tape.manifest(duration_ms=9_000))


async def test_a_manifest_needs_names_and_an_order_of_time(desk: Desk, tape: Tape) -> None:
    await desk.put(tape.segment("leg-a", 1, TWO_S))
    nameless = tape.manifest()
    nameless.manifest.incarnation = ""
    for request in (nameless, tape.manifest(duration_ms=-1)):
        with pytest.raises(BadManifest):
            await desk.close(request)


async def test_lost_segments_are_gaps_and_the_recording_is_incomplete(
    desk: Desk, tape: Tape
) -> None:
    await desk.put(tape.segment("leg-a", 1, TWO_S))
    tape.tracks["leg-a"].append("")
    await desk.put(tape.segment("leg-a", 3, TWO_S, at=32_000))
    tape.tracks["leg-a"].append("")
    recording = await desk.close(tape.manifest())
    assert recording.state is State.INCOMPLETE
    assert recording.gaps == (
        Gap("leg-a", START_MS + 2_000, START_MS + 4_000, "segment-lost"),
        Gap("leg-a", START_MS + 6_000, START_MS + 10_000, "segment-lost"),
    )


async def test_a_hole_that_the_gateway_explains_is_not_explained_again(
    desk: Desk, tape: Tape
) -> None:
    await desk.put(tape.segment("leg-a", 1, TWO_S))
    tape.tracks["leg-a"].append("")
    request = tape.manifest()
    request.manifest.gaps.add(
        track_id="leg-a", from_ms=START_MS + 3_000, to_ms=START_MS + 9_000, reason="disk-full"
    )
    recording = await desk.close(request)
    assert [gap.reason for gap in recording.gaps] == ["disk-full"]


class Growing(MemorySegments):
    """Storage during whose reading one more segment comes, so many times."""

    def __init__(self, desk: Desk, tape: Tape, times: int) -> None:
        super().__init__()
        self._desk = desk
        self._numbers = iter(range(2, 2 + times))
        self._tape = tape

    async def get(self, place: SegmentPlace) -> bytes:
        number = next(self._numbers, 0)
        if number:
            await self._desk.put(self._tape.segment("leg-a", number, TWO_S))
        return await super().get(place)


def growing(desk: Desk, tape: Tape, times: int) -> Ingest:
    desk.over(Growing(desk, tape, times))
    return desk.ingest


async def test_a_recording_that_grows_while_it_is_closed_is_closed_with_all_of_it(
    desk: Desk, tape: Tape
) -> None:
    ingest = growing(desk, tape, times=2)
    await desk.put(tape.segment("leg-a", 1, TWO_S))
    recording = await ingest.close_lost(ACME, CallId("call-1"))
    assert recording.segments == 3
    assert (await desk.recording("call-1")) == recording


async def test_a_recording_that_never_stops_growing_is_not_closed(desk: Desk, tape: Tape) -> None:
    ingest = growing(desk, tape, times=1_000)
    await desk.put(tape.segment("leg-a", 1, TWO_S))
    with pytest.raises(RecordingChanged):
        await ingest.close_lost(ACME, CallId("call-1"))
    assert (await desk.recording("call-1")).state is State.RECORDING
    with pytest.raises(RecordingChanged):
        await desk.close(tape.manifest())


async def test_a_recording_of_which_nothing_came_is_told_as_one(desk: Desk, tape: Tape) -> None:
    request = tape.manifest()
    request.manifest.gaps.add(
        track_id="leg-a", from_ms=START_MS, to_ms=START_MS + 10_000, reason="disk-full"
    )
    recording = await desk.close(request)
    assert (recording.state, recording.segments) == (State.INCOMPLETE, 0)
    assert await desk.events() == ["RecordingFinalised"]


async def test_what_is_damaged_before_the_manifest_is_marked(desk: Desk, tape: Tape) -> None:
    await whole_call(desk, tape)
    place = next(iter(desk.files.places()))
    await desk.files.put(place, b"{}\nnothing")
    recording = await desk.close(tape.manifest())
    assert recording.state is State.INCOMPLETE
    assert recording.gaps == (Gap(place.track_id, START_MS, START_MS + 2_000, "damaged"),)


async def test_a_lost_gateways_recording_ends_in_a_gap(desk: Desk, tape: Tape) -> None:
    await whole_call(desk, tape)
    notes: list[Note] = [
        LegKnown(CallId("call-1"), "leg-b", Leg("agent", "anna")),
        CallOver(CallId("call-1"), START_MS + 9_500),
    ]
    await desk.store.note(ACME, notes)
    recording = await desk.ingest.close_lost(ACME, CallId("call-1"))
    assert recording.state is State.INCOMPLETE
    assert [(each.track_id, each.role, each.agent_id) for each in recording.tracks] == [
        ("leg-a", "caller", ""),
        ("leg-b", "agent", "anna"),
    ]
    lost = (START_MS + 4_000, START_MS + 9_500, "gateway-lost")
    assert recording.gaps == (Gap("leg-a", *lost), Gap("leg-b", *lost))
    assert len(recording.sha256) == 64
    assert await desk.ingest.close_lost(ACME, CallId("call-1")) == recording
    assert await desk.events() == ["RecordingBegun", "RecordingFinalised"]


async def test_without_news_of_the_call_the_gateways_last_sign_counts(
    desk: Desk, tape: Tape
) -> None:
    await desk.put(tape.segment("leg-a", 1, TWO_S))
    desk.clock.ms += 5_000
    await desk.store.hear_gateway("gw-1", desk.clock.ms)
    recording = await desk.ingest.close_lost(ACME, CallId("call-1"))
    assert recording.ended_at_ms == desk.clock.ms
    assert recording.gaps[0].to_ms == desk.clock.ms


async def test_a_successor_may_still_bring_what_the_lost_gateway_had(
    desk: Desk, tape: Tape
) -> None:
    await desk.put(tape.segment("leg-a", 1, TWO_S))
    lost = await desk.ingest.close_lost(ACME, CallId("call-1"))
    assert lost.state is State.INCOMPLETE
    await desk.put(tape.segment("leg-a", 2, TWO_S, at=16_000))
    assert (await desk.recording("call-1")).state is State.RECORDING
    recording = await desk.close(tape.manifest())
    assert (recording.state, recording.segments) == (State.COMPLETE, 2)
    assert recording.sha256 != lost.sha256


class Overtaken(MemorySegments):
    """Storage that is so slow that the manifest comes while a lost recording is closed."""

    def __init__(self, desk: Desk, tape: Tape) -> None:
        super().__init__()
        self._desk = desk
        self._manifests = [tape.manifest()]

    async def close_call(self, tenant_id: TenantId, call_id: CallId, summary: bytes) -> None:
        if self._manifests:
            await self._desk.close(self._manifests.pop())
        await super().close_call(tenant_id, call_id, summary)


async def test_what_stands_beside_the_segments_is_the_end_that_came_about(
    desk: Desk, tape: Tape
) -> None:
    request = tape.segment("leg-a", 1, TWO_S)
    files, tasks = Overtaken(desk, tape), Tasks()
    desk.over(files, tasks)
    await desk.put(request)
    closed = await desk.ingest.close_lost(ACME, CallId("call-1"))
    assert closed.manifest_sha256
    wanted = summary_of(closed, await desk.store.segments(ACME, CallId("call-1")))
    assert await files.summary(ACME, CallId("call-1")) == wanted
    await tasks.close()


async def test_only_what_has_begun_can_be_lost(desk: Desk) -> None:
    with pytest.raises(NoSuchRecording):
        await desk.ingest.close_lost(ACME, CallId("none"))


async def test_segments_of_two_tenants_with_one_call_id_stay_apart(desk: Desk, tape: Tape) -> None:
    await desk.put(tape.segment("leg-a", 1, TWO_S))
    assert await desk.store.recording(ACME, CallId("call-1")) is not None
    other = TenantId("other")
    assert await desk.store.recording(other, CallId("call-1")) is None
