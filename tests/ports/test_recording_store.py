"""What every store of recordings must do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import asyncpg
import pytest

from protos.recording.v1 import recording_pb2
from protos.recording.v1.recording_pb2_grpc import RecordingStub
from services.chassis.bus import MemoryBus
from services.chassis.database import Database, DatabaseAddress
from services.chassis.envelope import Envelope
from services.chassis.ids import CallId, TenantId
from services.chassis.lifecycle import Running
from services.chassis.rpc import metadata
from services.chassis.world import local_world
from services.recording.main import build
from services.recording.model.calls import (
    AgentTookPart,
    Call,
    CallOver,
    ContactKnown,
    DispositionGiven,
    Leg,
    LegKnown,
    LegsHeard,
    Named,
    Note,
    RecordingAllowed,
    Search,
)
from services.recording.model.errors import (
    RecordingChanged,
    RecordingClosed,
    SegmentDiffers,
    TooManySegments,
)
from services.recording.model.evidence import (
    MAX_SEGMENTS,
    Gap,
    Listening,
    Marker,
    Pause,
    Place,
    Played,
    Recording,
    Segment,
    State,
    Track,
)
from services.recording.store import TOPIC, MemoryRecordingStore, RecordingStore
from services.recording.store_sql import SqlRecordingStore
from tests.stage.postgres import fresh_database
from tests.unit.recording.tape import Tape

ACME, OTHER = TenantId("acme"), TenantId("other")
CALL = CallId("call-1")


@dataclass
class Stage:
    store: RecordingStore
    told: Callable[[], Awaitable[list[str]]]
    """Ids of the events that left, in order."""


@pytest.fixture(params=["memory", "sql"])
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    if request.param == "memory":
        bus = MemoryBus()

        async def published() -> list[str]:
            async with bus.consumer(group="test", topics=[TOPIC]) as consumer:
                ids: list[str] = []
                while batch := await consumer.fetch(wait_s=0.01):
                    ids += [event.event_id for event in batch.events]
                return ids

        yield Stage(MemoryRecordingStore(bus), published)
        return
    async with fresh_database(request.getfixturevalue("postgres_server")) as address:
        database = Database(address, schema="recording")

        async def written() -> list[str]:
            async with database.untenanted() as connection:
                rows = await connection.fetch("SELECT event_id FROM outbox ORDER BY id")
                return [row["event_id"] for row in rows]

        yield Stage(SqlRecordingStore(database, written=lambda: None), written)
        await database.close()


def event(event_id: str) -> Envelope:
    return Envelope(
        event_id=event_id, tenant_id=ACME, at_ms=1, key=CALL, type="x", payload=b"\x00\x01"
    )


def begun(call_id: str = CALL, at_ms: int = 1_000, incarnation: str = "gw-1") -> Recording:
    return Recording(
        recording_id=CallId(call_id),
        state=State.RECORDING,
        incarnation=incarnation,
        started_at_ms=at_ms,
        ended_at_ms=0,
        heard_at_ms=at_ms + 5,
    )


def segment(number: int = 1, track_id: str = "leg-a", sha256: str = "a" * 64) -> Segment:
    return Segment(
        track_id=track_id,
        number=number,
        sha256=sha256,
        size_bytes=100,
        codec="PCMU",
        track_started_at_ms=1_000,
        from_sample=16_000 * (number - 1),
        to_sample=4_294_967_295,
        incarnation="gw-1",
    )


def closed(recording: Recording) -> Recording:
    return replace(
        recording,
        state=State.COMPLETE,
        ended_at_ms=9_000,
        from_number="+4930123456",
        to_number="+49301",
        consent="announced",
        sha256="b" * 64,
        manifest_sha256="c" * 64,
        tracks=(Track("leg-a", "caller", "", 1_000, 9_000, 2),),
        gaps=(Gap("leg-a", 3_000, 5_000, "disk-full"),),
        pauses=(Pause(5_000, 0, "card", "anna"),),
        played=(Played("leg-a", 1_000, 2_000, ("d" * 64, "moh"), loop=True),),
        markers=(Marker("keys", 2_000, 2_500, "leg-a", 4),),
    )


async def stored(stage: Stage, call_id: str, at_ms: int, tenant_id: TenantId = ACME) -> None:
    await stage.store.add_segment(tenant_id, begun(call_id, at_ms), segment(), [])


async def test_the_first_segment_begins_a_recording_and_is_told_once(stage: Stage) -> None:
    await stage.store.add_segment(ACME, begun(), segment(1), [event("e1")])
    await stage.store.add_segment(ACME, begun(at_ms=900), segment(2), [event("e2")])
    await stage.store.add_segment(ACME, begun(), segment(2), [event("e3")])
    recording = await stage.store.recording(ACME, CALL)
    assert recording == replace(
        begun(), started_at_ms=900, heard_at_ms=905, segments=2, size_bytes=200
    )
    assert await stage.store.segments(ACME, CALL) == [segment(1), segment(2)]
    assert await stage.told() == ["e1"]


async def test_tracks_that_begin_at_once_make_one_recording(stage: Stage) -> None:
    tracks = [f"leg-{n}" for n in range(6)]
    async with asyncio.TaskGroup() as group:
        for each in tracks:
            group.create_task(
                stage.store.add_segment(ACME, begun(), segment(1, each), [event(each)])
            )
    recording = await stage.store.recording(ACME, CALL)
    assert recording is not None
    assert recording.segments == len(tracks)
    assert [each.track_id for each in await stage.store.segments(ACME, CALL)] == tracks
    assert len(await stage.told()) == 1


async def test_a_segment_that_comes_twice_at_once_counts_once(stage: Stage) -> None:
    await stage.store.add_segment(ACME, begun(), segment(), [])
    async with asyncio.TaskGroup() as group:
        for _ in range(6):
            group.create_task(stage.store.add_segment(ACME, begun(), segment(2), []))
    recording = await stage.store.recording(ACME, CALL)
    assert recording is not None
    assert (recording.segments, recording.size_bytes) == (2, 200)
    assert len(await stage.store.segments(ACME, CALL)) == 2


async def test_other_bytes_under_a_name_are_refused_and_change_nothing(stage: Stage) -> None:
    await stage.store.add_segment(ACME, begun(), segment(), [])
    with pytest.raises(SegmentDiffers):
        await stage.store.add_segment(ACME, begun(), segment(sha256="f" * 64), [])
    assert await stage.store.segments(ACME, CALL) == [segment()]


async def test_segments_are_in_the_order_of_track_and_number(stage: Stage) -> None:
    for track_id, number in [("b", 2), ("a", 10), ("B", 1), ("a", 9), ("ä", 1), ("b", 1)]:
        await stage.store.add_segment(ACME, begun(), segment(number, track_id), [])
    found = [(each.track_id, each.number) for each in await stage.store.segments(ACME, CALL)]
    assert found == [("B", 1), ("a", 9), ("a", 10), ("b", 1), ("b", 2), ("ä", 1)]


async def test_a_closed_recording_comes_back_as_it_was_written(stage: Stage) -> None:
    await stage.store.add_segment(ACME, begun(), segment(), [])
    before = await stage.store.recording(ACME, CALL)
    assert before is not None
    notes = [AgentTookPart(CALL, "anna", "")]
    await stage.store.close_recording(ACME, before, closed(before), notes, [event("end")])
    assert await stage.store.recording(ACME, CALL) == closed(before)
    assert (await stage.store.call(ACME, CALL)).agent_ids == ("anna",)
    assert await stage.told() == ["end"]


async def test_nothing_is_added_after_the_manifest(stage: Stage) -> None:
    await stage.store.add_segment(ACME, begun(), segment(), [])
    before = await stage.store.recording(ACME, CALL)
    assert before is not None
    await stage.store.close_recording(ACME, before, closed(before), [], [])
    await stage.store.add_segment(ACME, begun(), segment(), [])  # what is there is not added
    with pytest.raises(RecordingClosed):
        await stage.store.add_segment(ACME, begun(), segment(2), [])


async def test_a_recording_without_segments_can_be_closed(stage: Stage) -> None:
    await stage.store.close_recording(ACME, None, closed(begun()), [], [])
    assert await stage.store.recording(ACME, CALL) == closed(begun())
    with pytest.raises(RecordingChanged):
        await stage.store.close_recording(ACME, None, closed(begun()), [], [event("no")])
    assert await stage.told() == []


async def test_a_recording_that_grew_meanwhile_is_not_closed(stage: Stage) -> None:
    await stage.store.add_segment(ACME, begun(), segment(), [])
    before = await stage.store.recording(ACME, CALL)
    assert before is not None
    await stage.store.add_segment(ACME, begun(), segment(2), [])
    notes = [AgentTookPart(CALL, "anna", "")]
    with pytest.raises(RecordingChanged):
        await stage.store.close_recording(ACME, before, closed(before), notes, [event("no")])
    assert (await stage.store.call(ACME, CALL)).agent_ids == ()
    assert await stage.told() == []


async def test_a_recording_of_a_lost_gateway_goes_on_when_a_segment_comes(stage: Stage) -> None:
    await stage.store.add_segment(ACME, begun(), segment(), [])
    before = await stage.store.recording(ACME, CALL)
    assert before is not None
    lost = replace(closed(before), manifest_sha256="", state=State.INCOMPLETE)
    await stage.store.close_recording(ACME, before, lost, [], [])
    await stage.store.add_segment(ACME, begun(), segment(2), [])
    recording = await stage.store.recording(ACME, CALL)
    assert recording is not None
    assert (recording.state, recording.sha256, recording.gaps, recording.segments) == (
        State.RECORDING,
        "",
        (),
        2,
    )


async def test_a_recording_has_a_limit(stage: Stage) -> None:
    full = replace(begun(), segments=MAX_SEGMENTS)
    await stage.store.close_recording(ACME, None, full, [], [])
    with pytest.raises(TooManySegments):
        await stage.store.add_segment(ACME, begun(), segment(), [])


async def test_news_of_a_call_add_up_and_repeating_them_changes_nothing(stage: Stage) -> None:
    notes: list[Note] = [
        LegKnown(CALL, "leg-b", Leg("agent", "ben")),
        ContactKnown(CALL, {"caller": "+4930", "vip": "ja ü"}, "case-7"),
        Named("agent", "anna", "Anna"),
        AgentTookPart(CALL, "anna", "sales"),
        LegsHeard(CALL, ("leg-a", "leg-b")),
        RecordingAllowed(CALL, "announced"),
        DispositionGiven(CALL, "sold"),
        CallOver(CALL, 9_000),
        AgentTookPart(CallId("call-2"), "cleo", ""),
    ]
    wanted = Call(
        call_id=CALL,
        ended_at_ms=9_000,
        bridged=True,
        consent="announced",
        agent_ids=("anna", "ben"),
        queue_ids=("sales",),
        dispositions=("sold",),
        attributes={"caller": "+4930", "vip": "ja ü"},
        external_ref="case-7",
        legs={"leg-b": Leg("agent", "ben")},
    )
    for _ in range(2):
        await stage.store.note(ACME, notes)
        assert await stage.store.call(ACME, CALL) == wanted
    assert (await stage.store.call(ACME, CallId("call-2"))).agent_ids == ("cleo",)
    assert await stage.store.call(OTHER, CALL) == Call(CALL)


async def test_news_that_come_by_two_ways_at_once_are_all_kept(stage: Stage) -> None:
    async with asyncio.TaskGroup() as group:
        for n in range(8):
            calls = [CallId("call-1"), CallId("call-2")]
            ordered = calls if n % 2 else calls[::-1]
            notes: list[Note] = [AgentTookPart(each, f"agent-{n}", "") for each in ordered]
            group.create_task(stage.store.note(ACME, notes))
    for call_id in ("call-1", "call-2"):
        call = await stage.store.call(ACME, CallId(call_id))
        assert sorted(call.agent_ids) == [f"agent-{n}" for n in range(8)]


async def test_a_recording_is_found_with_its_call_and_names(stage: Stage) -> None:
    await stored(stage, "call-1", 1_000)
    notes: list[Note] = [
        AgentTookPart(CALL, "anna", "sales"),
        Named("agent", "anna", "Anna"),
        Named("queue", "sales", "Sales"),
        Named("queue", "sales", "Verkauf"),
    ]
    await stage.store.note(ACME, notes)
    found = await stage.store.found(ACME, CALL)
    assert found is not None
    assert found.recording.recording_id == CALL
    assert found.call.agent_ids == ("anna",)
    assert found.names["agent", "anna"] == "Anna"
    assert found.names["queue", "sales"] == "Verkauf"
    assert await stage.store.found(ACME, CallId("none")) is None
    assert await stage.store.found(OTHER, CALL) is None


async def searched(stage: Stage, search: Search, tenant_id: TenantId = ACME) -> list[str]:
    found = await stage.store.search(tenant_id, search, None, 100)
    return [each.recording.recording_id for each in found]


async def test_a_search_tells_the_newest_first_page_by_page(stage: Stage) -> None:
    for call_id, at_ms in [("a", 1_000), ("b", 2_000), ("c", 2_000), ("d", 500)]:
        await stored(stage, call_id, at_ms)
    assert await searched(stage, Search()) == ["c", "b", "a", "d"]
    page = await stage.store.search(ACME, Search(), (2_000, "c"), 2)
    assert [each.recording.recording_id for each in page] == ["b", "a"]
    assert await searched(stage, Search(), OTHER) == []


SEARCHES = [
    (Search(), ["b", "a"]),
    (Search(agent_id="anna"), ["b", "a"]),
    (Search(agent_id="ben"), ["b"]),
    (Search(agent_id="ben", own_agent_id="anna"), ["b"]),
    (Search(own_agent_id="cleo"), []),
    (Search(queue_id="sales"), ["a"]),
    (Search(number="+4930123456"), ["a"]),
    (Search(number="3456"), ["a"]),
    (Search(number="456"), []),
    (Search(number="%"), []),
    (Search(number="100"), ["b"]),
    (Search(from_ms=2_000), ["b"]),
    (Search(to_ms=2_000), ["a"]),
    (Search(attributes={"vip": "yes"}), ["a"]),
    (Search(attributes={"vip": "yes", "caller": "+49"}), ["a"]),
    (Search(attributes={"vip": "no"}), []),
    (Search(external_ref="case-7"), ["a"]),
    (Search(state="complete"), ["a"]),
    (Search(state="recording"), ["b"]),
]


async def test_a_search_means_what_matches_all_of_it(stage: Stage) -> None:
    first = replace(closed(begun("a", 1_000)), to_number="+49301")
    await stage.store.close_recording(ACME, None, first, [], [])
    second = replace(begun("b", 2_000), from_number="anonymous", to_number="100")
    await stage.store.close_recording(ACME, None, second, [], [])
    a, b = CallId("a"), CallId("b")
    notes: list[Note] = [
        ContactKnown(a, {"vip": "yes", "caller": "+49"}, "case-7"),
        AgentTookPart(a, "anna", "sales"),
        AgentTookPart(b, "anna", ""),
        AgentTookPart(b, "ben", "support"),
    ]
    await stage.store.note(ACME, notes)
    for search, wanted in SEARCHES:
        assert await searched(stage, search) == wanted, search


async def ended(stage: Stage, call_id: str, at_ms: int, tenant_id: TenantId = ACME) -> None:
    after = replace(closed(begun(call_id)), ended_at_ms=at_ms)
    await stage.store.close_recording(tenant_id, None, after, [], [])


async def test_pairs_are_calls_that_ended_and_recordings_nobody_ended(stage: Stage) -> None:
    await stored(stage, "a", 1_000)
    await stored(stage, "goes-on", 2_500)
    for call_id, at_ms in [("b", 2_000), ("c", 2_500), ("early", 1_999), ("z", 9_000)]:
        await ended(stage, call_id, at_ms)
    a, d = CallId("a"), CallId("d")
    notes: list[Note] = [CallOver(a, 2_000), CallOver(d, 3_000), CallOver(CallId("e"), 9_000)]
    await stage.store.note(ACME, [*notes, AgentTookPart(CallId("b"), "anna", "")])
    await ended(stage, "b", 9_500, OTHER)
    pairs = await stage.store.pairs(ACME, 2_000, 9_000, "", 10)
    known = [(each.call_id, each.call is not None, each.recording is not None) for each in pairs]
    assert known == [("a", True, True), ("b", True, True), ("c", False, True), ("d", True, False)]
    rest = await stage.store.pairs(ACME, 2_000, 9_000, "b", 1)
    assert [each.call_id for each in rest] == ["c"]
    assert await stage.store.tenants(3_000) == [ACME, OTHER]
    assert await stage.store.tenants(9_001) == [OTHER]
    assert await stage.store.tenants(9_501) == []


async def test_what_is_lost_was_not_heard_of_in_any_way(stage: Stage) -> None:
    await stage.store.add_segment(ACME, begun("silent", 1_000, "gw-1"), segment(), [])
    await stage.store.add_segment(OTHER, begun("alive", 1_000, "gw-2"), segment(), [])
    await stage.store.add_segment(OTHER, begun("also", 1_100, "gw-1"), segment(), [])
    await stage.store.add_segment(ACME, begun("fresh", 60_000, "gw-1"), segment(), [])
    done = replace(begun("done", 1_000, "gw-1"), state=State.INCOMPLETE)
    await stage.store.close_recording(ACME, None, done, [], [])
    await stage.store.hear_gateway("gw-2", 50_000)
    await stage.store.hear_gateway("gw-2", 40_000)
    assert await stage.store.heard_gateway("gw-2") == 50_000
    assert await stage.store.heard_gateway("gw-1") == 0
    lost = await stage.store.lost(50_000, 10)
    assert lost == [Place(ACME, CallId("silent")), Place(OTHER, CallId("also"))]
    assert await stage.store.lost(50_000, 1) == [Place(ACME, CallId("silent"))]
    assert len(await stage.store.lost(50_001, 10)) == 3


async def test_a_tenant_sees_nothing_of_another(database_address: DatabaseAddress) -> None:
    """By the database's own rules, whatever the query."""
    database = Database(database_address, schema="recording")
    store = SqlRecordingStore(database, written=lambda: None)
    await store.add_segment(ACME, begun(), segment(), [])
    await store.note(ACME, [CallOver(CALL, 5), Named("agent", "anna", "Anna")])
    await store.add_listening(ACME, Listening("l1", CALL, "anna", "Anna", 1), [])
    for table in ("recording", "segment", "call", "name", "listening"):
        for tenant_id, rows in ((ACME, 1), (OTHER, 0)):
            async with database.transaction(tenant_id) as connection:
                count = await connection.fetchval(f"SELECT count(*) FROM {table}")
                assert count == rows, table
    await database.close()


async def test_nobody_takes_back_that_somebody_listened(database_address: DatabaseAddress) -> None:
    database = Database(database_address, schema="recording")
    store = SqlRecordingStore(database, written=lambda: None)
    await store.add_listening(ACME, Listening("l1", CALL, "anna", "Anna", 1), [])
    for statement in ("DELETE FROM listening", "UPDATE listening SET listener_id = 'ben'"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with database.transaction(ACME) as connection:
                await connection.execute(statement)
    assert len(await store.listenings(ACME, CALL, "", 10)) == 1
    await database.close()


async def test_the_service_lives_on_postgresql(
    database_address: DatabaseAddress, tmp_path: Path
) -> None:
    """The real wiring: what was acknowledged outlives the process, and its events are told."""
    database_address.write(tmp_path / "database.json")
    world = local_world(var_dir=tmp_path)
    running = Running([build(world)], world)
    await running.start()
    stub = RecordingStub(world.dial("recording"))
    tape = Tape(CALL, await stub.GetSealingKey(recording_pb2.GetSealingKeyRequest()))
    mine = metadata(tenant_id=ACME)
    for number in (1, 2):
        request = tape.segment("leg-a", number, b"\x55" * 16_000, at=16_000 * (number - 1))
        await stub.PutSegment(request, metadata=mine)
    await running.stop()

    world = local_world(var_dir=tmp_path)
    running = Running([build(world)], world)
    await running.start()
    stub = RecordingStub(world.dial("recording"))
    closed_view = await stub.PutManifest(tape.manifest(), metadata=mine)
    assert (closed_view.state, closed_view.segments) == ("complete", 2)
    by_id = recording_pb2.GetRecordingRequest(recording_id=CALL)
    assert (await stub.VerifyRecording(by_id, metadata=mine)).intact
    # At least once: what was being published as the first process ended is published again.
    kinds: dict[str, str] = {}
    async with world.bus.consumer(group="test", topics=[TOPIC]) as consumer:
        while len(kinds) < 2:
            batch = await consumer.fetch(wait_s=10)
            assert batch is not None, "the events never came"
            for each in batch.events:
                kinds.setdefault(each.event_id, each.type)
            await consumer.commit(batch)
    assert list(kinds.values()) == [
        "carillon.recording.v1.RecordingBegun",
        "carillon.recording.v1.RecordingFinalised",
    ]
    await running.stop()
