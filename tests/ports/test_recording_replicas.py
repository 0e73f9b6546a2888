"""Two replicas of recording over one real PostgreSQL and one storage: a recording ends once."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count

import pytest

from protos.recording.v1 import recording_pb2
from services.chassis.database import Database, DatabaseAddress
from services.chassis.ids import CallId
from services.chassis.objects import MemoryObjects
from services.chassis.sealing import generate_key_pair
from services.chassis.tasks import Tasks
from services.recording.examining import Examiner
from services.recording.ingest import Ingest
from services.recording.keys import KeyRing
from services.recording.model.evidence import Recording, State
from services.recording.segments_stored import StoredSegments
from services.recording.store_sql import SqlRecordingStore
from services.recording.summary import summary_of
from services.recording.wire import manifest_of, sealed_of
from tests.unit.recording.conftest import ACME, HandClock
from tests.unit.recording.tape import Tape

TWO_S = b"\x55" * 16_000
TRACKS = ("leg-a", "leg-b")
CALLS = 8


@dataclass(slots=True)
class Replica:
    """One process, as a gateway reaches it."""

    ingest: Ingest
    store: SqlRecordingStore

    async def put(self, request: recording_pb2.PutSegmentRequest) -> None:
        await self.ingest.put_segment(ACME, sealed_of(request))

    async def close(self, request: recording_pb2.PutManifestRequest) -> Recording:
        return await self.ingest.put_manifest(ACME, manifest_of(request.manifest))

    async def close_lost(self, call_id: CallId) -> Recording:
        return await self.ingest.close_lost(ACME, call_id)


@dataclass(slots=True)
class Stage:
    """Both replicas, and what they share."""

    one: Replica
    other: Replica
    keys: KeyRing
    files: StoredSegments
    database: Database

    async def told(self) -> Counter[tuple[str, str]]:
        """How often an event of each call was written: call and name."""
        async with self.database.untenanted() as connection:
            rows = await connection.fetch("SELECT key, type FROM outbox")
        return Counter((row["key"], row["type"].rpartition(".")[2]) for row in rows)

    async def agrees(self, call_id: CallId) -> Recording:
        """The recording, once what stands beside its segments says the same."""
        recording = await self.one.store.recording(ACME, call_id)
        assert recording is not None
        assert recording == await self.other.store.recording(ACME, call_id)
        segments = await self.one.store.segments(ACME, call_id)
        beside = await self.files.summary(ACME, call_id)
        assert beside is not None
        assert json.loads(beside) == json.loads(summary_of(recording, segments))
        return recording


@pytest.fixture
async def stage(database_address: DatabaseAddress) -> AsyncIterator[Stage]:
    databases = [Database(database_address, schema="recording") for _ in range(2)]
    keys, tasks, ids = KeyRing([generate_key_pair()]), Tasks(), count(1)
    files = StoredSegments(MemoryObjects())

    def replica(database: Database) -> Replica:
        store = SqlRecordingStore(database, written=lambda: None)
        ingest = Ingest(
            keys=keys,
            files=files,
            store=store,
            examiner=Examiner(files=files, keys=keys),
            clock=HandClock(),
            new_id=lambda: f"id-{next(ids):05}",
            tasks=tasks,
        )
        return Replica(ingest, store)

    one, other = map(replica, databases)
    yield Stage(one, other, keys, files, databases[0])
    await tasks.close()
    for database in databases:
        await database.close()


async def shipped(stage: Stage, number: int) -> Tape:
    """A call whose segments came to both in turn."""
    tape = Tape(f"call-{number}", stage.keys.present)
    for at in (1, 2):
        for replica, track_id in zip((stage.one, stage.other), TRACKS, strict=True):
            await replica.put(tape.segment(track_id, at, TWO_S, at=16_000 * (at - 1)))
    return tape


async def test_a_segment_that_comes_to_both_at_once_is_there_once(stage: Stage) -> None:
    tape = Tape("call-0", stage.keys.present)
    segments = [tape.segment(track_id, 1, TWO_S) for track_id in TRACKS]
    await asyncio.gather(
        *(each.put(request) for request in segments for each in (stage.one, stage.other))
    )
    closed = await stage.one.close(tape.manifest())
    assert (closed.state, closed.segments) == (State.COMPLETE, 2)
    assert await stage.agrees(CallId("call-0")) == closed
    assert set((await stage.told()).values()) == {1}


async def test_a_recording_that_both_close_at_once_is_closed_once(stage: Stage) -> None:
    tapes = [await shipped(stage, number) for number in range(CALLS)]
    # The gateway asked one, lost patience, and asks the other while the first goes on.
    results = await asyncio.gather(
        *(each.close(tape.manifest()) for tape in tapes for each in (stage.one, stage.other))
    )
    for tape, first, second in zip(tapes, results[::2], results[1::2], strict=True):
        assert first == second == await stage.agrees(CallId(tape.call_id))
        assert (first.state, first.segments, first.gaps) == (State.COMPLETE, 4, ())
    told = await stage.told()
    assert len(told) == 2 * CALLS
    assert set(told.values()) == {1}, "one beginning and one end of each"
    closed = [each.ingest.counts.closed for each in (stage.one, stage.other)]
    assert closed[0] + closed[1] == Counter({State.COMPLETE: CALLS})


async def test_a_gateway_that_comes_back_while_its_recording_is_closed_as_lost(
    stage: Stage,
) -> None:
    """Whoever is first: what the gateway says of its own call is what stays."""
    tapes = [await shipped(stage, number) for number in range(CALLS)]
    await asyncio.gather(
        *(stage.one.close(tape.manifest()) for tape in tapes),
        *(stage.other.close_lost(CallId(tape.call_id)) for tape in tapes),
    )
    told = await stage.told()
    for tape in tapes:
        recording = await stage.agrees(CallId(tape.call_id))
        assert (recording.state, recording.gaps) == (State.COMPLETE, ())
        assert recording.manifest_sha256 == manifest_of(tape.manifest().manifest).sha256
        assert 1 <= told[tape.call_id, "RecordingFinalised"] <= 2
    lost = stage.other.ingest.counts.lost
    ends = sum(often for (_, name), often in told.items() if name == "RecordingFinalised")
    assert ends == CALLS + lost, "one end each, and one more of those that were closed as lost"


async def test_both_close_what_a_lost_gateway_left_and_it_ends_once(stage: Stage) -> None:
    """Every replica looks for such recordings by itself."""
    tapes = [await shipped(stage, number) for number in range(CALLS)]
    results = await asyncio.gather(
        *(
            each.close_lost(CallId(tape.call_id))
            for tape in tapes
            for each in (stage.one, stage.other)
        )
    )
    for tape, first, second in zip(tapes, results[::2], results[1::2], strict=True):
        assert first == second == await stage.agrees(CallId(tape.call_id))
        assert first.state is State.INCOMPLETE
    told = await stage.told()
    assert {often for (_, name), often in told.items() if name == "RecordingFinalised"} == {1}
    assert sum(each.ingest.counts.lost for each in (stage.one, stage.other)) == CALLS
