"""A gateway that records, two recording services, a bucket, and a ledger of all that passes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import count, cycle
from pathlib import Path
from typing import TYPE_CHECKING

from grpc import aio
from minio import Minio

from media_gateway.recording.call_recording import Track
from media_gateway.recording.cutter import TrackCutter
from media_gateway.recording.model import CallKey
from media_gateway.recording.shipper import Shipper
from media_gateway.recording.spool import Room, Spool, Waiting
from media_gateway.recording.writing import Batch, CallWriter
from protos.recording.v1 import recording_pb2
from protos.recording.v1.recording_pb2_grpc import RecordingStub
from services.chassis.blobs_s3 import S3Blobs
from services.chassis.database import DatabaseAddress
from services.chassis.ids import CallId, TenantId
from services.chassis.lifecycle import Running
from services.chassis.rpc import metadata
from services.chassis.s3 import S3, S3Address
from services.chassis.world import World, local_world
from services.recording.main import USE, build
from services.recording.segments import SegmentPlace
from services.recording.segments_stored import segment_name, summary_name
from services.recording.store import TOPIC
from tests.unit.gateway_recording.test_cutter import voice

if TYPE_CHECKING:
    from protos.recording.v1.recording_pb2_grpc import RecordingAsyncStub

ACME = TenantId("acme")
MINE = metadata(tenant_id=ACME)
START_MS = 1_700_000_000_000
GATEWAY = "gw-1"
REPLICAS = 2
PLENTY = Room(max_bytes=1 << 30, min_free_bytes=0)
ALIVE_EACH_S = 5.0
LOOK_S = 0.02
VERIFY_LIMIT_S = 120.0
LOOKING_LIMIT_S = 120.0
"""For a list of all that an outage of minutes has brought into the bucket."""

Sent = tuple[str, str, int]
"""A call, a track and a number."""


class Ledger(Spool):
    """A gateway's spool that remembers what went through it."""

    def __init__(self, folder: Path, *, room: Room) -> None:
        super().__init__(folder, room=room)
        self.sent: dict[Sent, str] = {}
        """The hash of each segment that a call's sound became."""
        self.acknowledged: set[Sent] = set()
        """What a recording service said that it has."""
        self._names: dict[tuple[CallKey, str], Sent] = {}

    def add_segment(
        self, call: CallKey, request: recording_pb2.PutSegmentRequest, record: bytes
    ) -> None:
        super().add_segment(call, request, record)
        key = (call.call_id, request.track_id, request.number)
        assert key not in self.sent
        self.sent[key] = request.sha256

    def waiting(self, call: CallKey, *, limit: int) -> list[Waiting]:
        found = super().waiting(call, limit=limit)
        for each in found:
            sent = (each.request.call_id, each.request.track_id, each.request.number)
            self._names[call, each.name] = sent
        return found

    def forget(self, call: CallKey, names: Iterable[str]) -> None:
        names = list(names)
        super().forget(call, names)
        self.acknowledged |= {self._names[call, name] for name in names}


@dataclass
class Speaker:
    """One call with one voice, as the gateway's writing thread sees it."""

    floor: Floor
    key: CallKey
    writer: CallWriter
    track: Track = field(
        default_factory=lambda: Track("leg-a", START_MS, TrackCutter(started_at_ms=START_MS))
    )
    seconds: int = 0
    """Said so far."""

    async def say(self, seconds: int = 1) -> None:
        """So many seconds, each of which becomes a segment, where there is room."""
        for second in range(self.seconds, self.seconds + seconds):
            frames = voice(50, timestamp=8_000 * second, at_ms=START_MS + 1_000 * second)
            known = self._known() if second == 0 else None
            await self._write(Batch(known, ((self.track, frames),), over=False))
        self.seconds += seconds

    async def hang_up(self) -> None:
        """The call is over; what of it cannot be noted yet is noted when there is room."""
        known: recording_pb2.Manifest | None = self._known(ended_ms=START_MS + 1_000 * self.seconds)
        while not self.writer.finished:
            await self._write(Batch(known, ((self.track, []),), over=True))
            known = None
            await asyncio.sleep(0 if self.writer.finished else LOOK_S)

    async def _write(self, batch: Batch) -> None:
        await self.floor.on_disk(lambda: self.writer.write(batch))
        self.floor.shipper.offer(self.key)

    def _known(self, *, ended_ms: int = 0) -> recording_pb2.Manifest:
        made = recording_pb2.Manifest(
            call_id=self.key.call_id,
            to="+49301000",
            started_at_ms=START_MS,
            ended_at_ms=ended_ms,
            consent="announced",
            incarnation=GATEWAY,
            answered=True,
        )
        made.tracks.add(
            track_id="leg-a", role="caller", started_at_ms=START_MS, ended_at_ms=ended_ms
        )
        return made


@dataclass
class Floor:
    """All of it."""

    ledger: Ledger
    shipper: Shipper
    worlds: list[World]
    s3: S3
    """To look into the bucket by; nothing of the product."""
    storages: list[S3]
    """Those of the replicas."""
    public_key: bytes
    disk: ThreadPoolExecutor
    speakers: list[Speaker] = field(default_factory=list)
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def call(self) -> Speaker:
        """A new call."""
        key = CallKey(ACME, f"call-{next(self._numbers)}")
        writer = CallWriter(
            key, public_key=lambda: self.public_key, spool=self.ledger, incarnation=GATEWAY
        )
        speaker = Speaker(self, key, writer)
        self.speakers.append(speaker)
        return speaker

    def calls(self, number: int) -> list[Speaker]:
        """So many."""
        return [self.call() for _ in range(number)]

    async def on_disk(self, work: Callable[[], object]) -> None:
        await asyncio.get_running_loop().run_in_executor(self.disk, work)

    def stub(self, replica: int = 0) -> RecordingAsyncStub:
        """A recording service."""
        return RecordingStub(self.worlds[replica].dial("recording"))

    @property
    def failures(self) -> int:
        """Requests that storage has failed for good."""
        return sum(each.failures for each in self.storages)

    async def until(self, true: Callable[[], object]) -> None:
        """Until something holds that tells nobody; the test's own limit ends the waiting."""
        while not true():  # noqa: ASYNC110 (what is looked at has no event)
            await asyncio.sleep(LOOK_S)

    async def until_acknowledged(self) -> None:
        """All that was said so far."""
        sent = set(self.ledger.sent)
        await self.until(lambda: sent <= self.ledger.acknowledged)

    async def stored(self) -> dict[str, set[str]]:
        """What is in the bucket: the hashes of each object's versions."""

        def read(client: Minio) -> dict[str, set[str]]:
            bucket = self.s3.address.bucket
            found: dict[str, set[str]] = {}
            for each in client.list_objects(bucket, recursive=True, include_version=True):
                assert not each.is_delete_marker
                found.setdefault(str(each.object_name), set()).add(str(each.etag))
            return found

        return await self.s3.ask(read, about="everything")

    async def check_acknowledged(self) -> int:
        """Everything that was acknowledged is in the bucket; how much that was."""
        acknowledged = set(self.ledger.acknowledged)
        names = {self._name(sent) for sent in acknowledged}
        assert names <= (await self.stored()).keys()
        return len(acknowledged)

    async def settle(self, *, states: Counter[str] | None = None) -> None:
        """All calls are over: the ledger of what was sent, acknowledged and is there agrees.

        `states` are how their recordings closed; None: all of them complete.
        """
        await self.shipper.emptied()
        ledger = self.ledger
        assert self.shipper.refused == 0
        assert ledger.acknowledged == set(ledger.sent)
        assert (await asyncio.to_thread(ledger.open), ledger.used_bytes) == ([], 0)
        stored = await self.stored()
        summaries = {
            f"{USE}/{summary_name(ACME, CallId(each.key.call_id))}" for each in self.speakers
        }
        assert stored.keys() == {self._name(sent) for sent in ledger.sent} | summaries
        # Written twice is no harm, if it was the same.
        assert {name for name, hashes in stored.items() if len(hashes) > 1} <= summaries
        found: Counter[str] = Counter()
        for number, each in enumerate(self.speakers):
            stub = self.stub(number % REPLICAS)
            by_id = recording_pb2.GetRecordingRequest(recording_id=each.key.call_id)
            verified = await stub.VerifyRecording(by_id, metadata=MINE, timeout=VERIFY_LIMIT_S)
            assert (verified.intact, list(verified.faults)) == (True, [])
            sent = [key for key in ledger.sent if key[0] == each.key.call_id]
            assert verified.segments_checked == len(sent)
            found[(await stub.GetRecording(by_id, metadata=MINE)).state] += 1
        assert found == (states or Counter({"complete": len(self.speakers)}))
        await self._check_events()

    async def _check_events(self) -> None:
        """Each recording began once and was closed once, as the others are told."""
        told: dict[str, tuple[str, str]] = {}
        wanted = Counter(
            (each.key.call_id, kind)
            for each in self.speakers
            for kind in ("RecordingBegun", "RecordingFinalised")
        )
        async with self.worlds[0].bus.consumer(group="ledger", topics=[TOPIC]) as consumer:
            while len(told) < len(wanted):
                batch = await consumer.fetch(wait_s=10)
                assert batch is not None, f"events never came: {told}"
                for event in batch.events:
                    told[event.event_id] = (event.key, event.type.rpartition(".")[2])
                await consumer.commit(batch)
        assert Counter(told.values()) == wanted

    def _name(self, sent: Sent) -> str:
        call_id, track_id, number = sent
        place = SegmentPlace(ACME, CallId(call_id), track_id, number, self.ledger.sent[sent])
        return f"{USE}/{segment_name(place)}"


@asynccontextmanager
async def floor_on(
    address: S3Address,
    *,
    endpoint: str,
    database: DatabaseAddress,
    folder: Path,
    room: Room = PLENTY,
) -> AsyncIterator[Floor]:
    """`address` is where the test looks; `endpoint` where the services do.

    The private keys are those that the environment names.
    """
    disk = ThreadPoolExecutor(max_workers=1)
    file = folder / "database.json"
    await asyncio.to_thread(database.write, file)
    async with AsyncExitStack() as stack:
        stack.callback(disk.shutdown)
        looking = S3(replace(address, timeout_s=LOOKING_LIMIT_S))
        stack.push_async_callback(looking.close)
        worlds, storages = [], []
        for number in range(REPLICAS):
            storage = S3(replace(address, endpoint=endpoint))
            world = await stack.enter_async_context(
                _replica(folder / f"r{number}", storage, database_file=file)
            )
            worlds.append(world)
            storages.append(storage)
        ledger = Ledger(folder / "spool", room=room)
        ledger.open()
        channels: cycle[aio.Channel] = cycle([world.dial("recording") for world in worlds])
        shipper = Shipper(
            spool=ledger, disk=disk, dial=lambda _: next(channels), on_gone=lambda _: None
        )
        first = RecordingStub(next(channels))
        key = await first.GetSealingKey(recording_pb2.GetSealingKeyRequest())
        floor = Floor(ledger, shipper, worlds, looking, storages, key.public_key, disk)
        running = [asyncio.ensure_future(work) for work in (shipper.run(), _be_alive(floor))]
        try:
            yield floor
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)


@asynccontextmanager
async def _replica(folder: Path, storage: S3, *, database_file: Path) -> AsyncIterator[World]:
    made = local_world(var_dir=folder, run_dir=folder / "run", database_file=database_file)
    blobs = S3Blobs(storage.address, s3=storage)
    world = replace(made, blobs=blobs, objects=blobs.objects)
    running = Running([build(world)], world)
    await running.start()
    try:
        yield world
    finally:
        await running.stop()
        await storage.close()


async def _be_alive(floor: Floor) -> None:
    """A gateway that says nothing for a minute is taken for lost."""
    for number in count():
        request = recording_pb2.ReportGatewayRequest(incarnation=GATEWAY)
        with suppress(aio.AioRpcError):
            await floor.stub(number % REPLICAS).ReportGateway(request)
        await asyncio.sleep(ALIVE_EACH_S)
