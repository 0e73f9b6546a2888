"""Recording's parts in memory, on a clock that a test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import count

import pytest

from protos.recording.v1 import recording_pb2
from services.chassis.bus import MemoryBus
from services.chassis.ids import CallId, TenantId
from services.chassis.sealing import generate_key_pair
from services.chassis.tasks import Tasks
from services.recording.examining import Examiner
from services.recording.ingest import Ingest
from services.recording.keys import KeyRing
from services.recording.model.evidence import Recording
from services.recording.segments import MemorySegments
from services.recording.store import TOPIC, MemoryRecordingStore
from services.recording.wire import manifest_of, sealed_of
from tests.unit.recording.tape import START_MS

ACME = TenantId("acme")


@dataclass
class HandClock:
    """Stands still until it is moved."""

    ms: int = START_MS + 3_600_000

    def now_ms(self) -> int:
        return self.ms

    def monotonic_ms(self) -> float:
        return float(self.ms)


@dataclass
class Desk:
    """The parts, and a gateway's requests to them."""

    keys: KeyRing
    files: MemorySegments
    store: MemoryRecordingStore
    clock: HandClock
    bus: MemoryBus
    examiner: Examiner
    ingest: Ingest
    ids: count[int] = field(default_factory=lambda: count(1))

    def over(self, files: MemorySegments, tasks: Tasks | None = None) -> None:
        """Takes segments in to other files from now on."""
        self.ingest = Ingest(
            keys=self.keys,
            files=files,
            store=self.store,
            examiner=Examiner(files=files, keys=self.keys),
            clock=self.clock,
            new_id=lambda: "id",
            tasks=tasks or Tasks(),
        )

    async def put(self, request: recording_pb2.PutSegmentRequest) -> None:
        await self.ingest.put_segment(ACME, sealed_of(request))

    async def close(self, request: recording_pb2.PutManifestRequest) -> Recording:
        return await self.ingest.put_manifest(ACME, manifest_of(request.manifest))

    async def recording(self, call_id: str) -> Recording:
        recording = await self.store.recording(ACME, CallId(call_id))
        assert recording is not None
        return recording

    async def events(self) -> list[str]:
        """Names of the events that left so far."""
        names = []
        async with self.bus.consumer(group=f"test-{next(self.ids)}", topics=[TOPIC]) as consumer:
            while batch := await consumer.fetch(wait_s=0.01):
                names += [event.type.rpartition(".")[2] for event in batch.events]
        return names


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    keys = KeyRing([generate_key_pair()])
    files, bus, clock, tasks = MemorySegments(), MemoryBus(), HandClock(), Tasks()
    store = MemoryRecordingStore(bus)
    examiner = Examiner(files=files, keys=keys)
    ids = count(1)
    ingest = Ingest(
        keys=keys,
        files=files,
        store=store,
        examiner=examiner,
        clock=clock,
        new_id=lambda: f"id-{next(ids):04d}",
        tasks=tasks,
    )
    yield Desk(keys, files, store, clock, bus, examiner, ingest)
    await tasks.close()
