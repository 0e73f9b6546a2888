"""What S3 costs a recording: a call-minute through the adapter, against bare puts in the same run.

A call-minute is what gateways hand over of two voices: 120 sealed segments of a second. It goes to
a MinIO of this run's own, in turns, by eight threads that call the `minio` client and do nothing
else; by the adapter (`S3Objects`) with as many; and by what the recording service does with each
segment before it acknowledges it: opened, checked, put. Beside it stand the same on a folder of
this machine, and the closing of a call, for which every segment is read again. All objects are
locked, as evidence is. Times are medians of rounds.

    python -m tests.bench.bench_storage [--json]
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from itertools import count
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import uvloop
from minio import Minio
from minio.commonconfig import COMPLIANCE
from minio.retention import Retention

from protos.recording.v1 import recording_pb2
from services.chassis.blobs_s3 import S3Blobs
from services.chassis.bus import MemoryBus
from services.chassis.ids import TenantId
from services.chassis.log import configure
from services.chassis.objects import Objects
from services.chassis.objects_sealed import SealedObjects
from services.chassis.s3 import S3, S3Address
from services.chassis.tasks import Tasks
from services.recording.examining import Examiner
from services.recording.ingest import Ingest
from services.recording.keys import KeyRing, ensure_keys
from services.recording.model.evidence import State
from services.recording.segments import SegmentFiles
from services.recording.segments_stored import DirectorySegments, StoredSegments
from services.recording.store import MemoryRecordingStore
from services.recording.wire import manifest_of, sealed_of
from tests.stage.s3 import fresh_bucket, running_minio
from tests.unit.recording.conftest import HandClock
from tests.unit.recording.tape import Tape

ACME = TenantId("acme")
SECONDS = 60
TRACKS = ("leg-a", "leg-b")
SECOND_BYTES = 8_000
ROUNDS = 9
ALONE = 60
"""Puts one after another, for the time of one without company."""
LONG_MINUTES = 10
"""Of the call that is closed."""
RETENTION_DAYS = 1

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one call-minute took."""

    ms: float
    """Of the wall."""
    cpu_ms: float
    """Of this process."""


@dataclass(frozen=True, slots=True)
class Result:
    """What was measured; each `…_minute_ms` is 120 segments."""

    threads: int
    segment_bytes: int
    bare_minute_ms: float
    bare_minute_cpu_ms: float
    adapter_minute_ms: float
    adapter_minute_cpu_ms: float
    service_minute_ms: float
    service_minute_cpu_ms: float
    folder_minute_ms: float
    adapter_to_bare: float
    service_to_bare: float
    adapter_call_minutes_per_minute: int
    bare_put_p50_ms: float
    adapter_put_p50_ms: float
    closed_minutes: int
    closed_from_s3_ms: float
    closed_from_folder_ms: float


def tape_of(minutes: int, keys: KeyRing) -> tuple[Tape, list[recording_pb2.PutSegmentRequest]]:
    """A call nobody had before, and its segments as they come."""
    tape = Tape(f"call-{next(_numbers)}", keys.present)
    requests = [
        tape.segment(track, second + 1, bytes([second % 251]) * SECOND_BYTES, at=8_000 * second)
        for second in range(SECONDS * minutes)
        for track in TRACKS
    ]
    return tape, requests


class Bare:
    """Threads with the `minio` client, and nothing else."""

    def __init__(self, client: Minio, address: S3Address) -> None:
        self._client = client
        self._bucket = address.bucket
        self._threads = ThreadPoolExecutor(address.threads)

    async def put_all(self, stored: Sequence[bytes]) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.gather(
            *(loop.run_in_executor(self._threads, self.put, data) for data in stored)
        )

    def put(self, data: bytes) -> None:
        held = Retention(COMPLIANCE, datetime.now(UTC) + timedelta(days=RETENTION_DAYS))
        name = f"bare/{next(_numbers)}"
        self._client.put_object(self._bucket, name, BytesIO(data), len(data), retention=held)

    def close(self) -> None:
        self._threads.shutdown()


def ingest_of(files: SegmentFiles, keys: KeyRing, tasks: Tasks) -> Ingest:
    return Ingest(
        keys=keys,
        files=files,
        store=MemoryRecordingStore(MemoryBus()),
        examiner=Examiner(files=files, keys=keys),
        clock=HandClock(),
        new_id=lambda: f"id-{next(_numbers)}",
        tasks=tasks,
    )


async def cost(work: Awaitable[object]) -> Cost:
    began, cpu = perf_counter(), process_time()
    await work
    return Cost(1_000 * (perf_counter() - began), 1_000 * (process_time() - cpu))


async def put_all(objects: Objects, stored: Sequence[bytes]) -> None:
    await asyncio.gather(*(objects.put(f"{next(_numbers)}", data) for data in stored))


async def take_all(ingest: Ingest, requests: Sequence[recording_pb2.PutSegmentRequest]) -> None:
    await asyncio.gather(*(ingest.put_segment(ACME, sealed_of(each)) for each in requests))


async def closing_ms(files: SegmentFiles, keys: KeyRing, tasks: Tasks) -> float:
    """From a long call's manifest to its recording, closed."""
    ingest = ingest_of(files, keys, tasks)
    tape, requests = tape_of(LONG_MINUTES, keys)
    for first in range(0, len(requests), 2 * SECONDS):
        await take_all(ingest, requests[first : first + 2 * SECONDS])
    manifest = tape.manifest(duration_ms=60_000 * LONG_MINUTES).manifest
    began = perf_counter()
    recording = await ingest.put_manifest(ACME, manifest_of(manifest))
    assert recording.state is State.COMPLETE
    return 1_000 * (perf_counter() - began)


async def alone_ms(put: Callable[[bytes], Awaitable[object]], data: bytes) -> float:
    return median([(await cost(put(data))).ms for _ in range(ALONE)])


async def measure(address: S3Address, folder: Path) -> Result:
    keys, tasks = ensure_keys(folder / "keys"), Tasks()
    blobs, looking = S3Blobs(address), S3(address)
    objects = blobs.objects("recordings")
    stored = StoredSegments(objects, summaries=SealedObjects(objects, keys.pairs))
    local = DirectorySegments(folder / "segments")
    bare = await looking.ask(lambda client: Bare(client, address), about="the client")
    costs: dict[str, list[Cost]] = {}
    for number in range(ROUNDS + 1):
        _, requests = tape_of(1, keys)
        data = [sealed_of(each).to_bytes() for each in requests]
        works = {
            "bare": bare.put_all(data),
            "adapter": put_all(objects, data),
            "service": take_all(ingest_of(stored, keys, tasks), requests),
            "folder": take_all(ingest_of(local, keys, tasks), requests),
        }
        for name, work in works.items():
            took = await cost(work)
            if number:  # the first round makes connections
                costs.setdefault(name, []).append(took)
    ms = {name: median(each.ms for each in found) for name, found in costs.items()}
    cpu = {name: median(each.cpu_ms for each in found) for name, found in costs.items()}
    result = Result(
        threads=address.threads,
        segment_bytes=len(data[0]),
        bare_minute_ms=ms["bare"],
        bare_minute_cpu_ms=cpu["bare"],
        adapter_minute_ms=ms["adapter"],
        adapter_minute_cpu_ms=cpu["adapter"],
        service_minute_ms=ms["service"],
        service_minute_cpu_ms=cpu["service"],
        folder_minute_ms=ms["folder"],
        adapter_to_bare=ms["adapter"] / ms["bare"],
        service_to_bare=ms["service"] / ms["bare"],
        adapter_call_minutes_per_minute=round(60_000 / ms["adapter"]),
        bare_put_p50_ms=await alone_ms(lambda each: bare.put_all([each]), data[0]),
        adapter_put_p50_ms=await alone_ms(lambda each: put_all(objects, [each]), data[0]),
        closed_minutes=LONG_MINUTES,
        closed_from_s3_ms=await closing_ms(stored, keys, tasks),
        closed_from_folder_ms=await closing_ms(local, keys, tasks),
    )
    bare.close()
    await tasks.close()
    await blobs.close()
    await looking.close()
    return result


async def run() -> Result:
    with tempfile.TemporaryDirectory(prefix="carillon-bench-") as folder:
        async with running_minio() as server:
            address = await fresh_bucket(
                server, worm=True, retention_days=RETENTION_DAYS, timeout_s=30.0
            )
            return await measure(address, Path(folder))


def main() -> int:
    configure(level="error", as_json=False)
    result = uvloop.run(run())
    if "--json" in sys.argv[1:]:
        sys.stdout.write(json.dumps(asdict(result), indent=2) + "\n")
        return 0
    r = result
    sys.stdout.write(
        f"a call-minute: {2 * SECONDS} segments of {r.segment_bytes} bytes, {r.threads} threads\n"
        f"bare puts        {r.bare_minute_ms:7.0f} ms  ({r.bare_minute_cpu_ms:.0f} ms of CPU)\n"
        f"through adapter  {r.adapter_minute_ms:7.0f} ms  ({r.adapter_minute_cpu_ms:.0f} ms of CPU)"
        f"  {r.adapter_to_bare:.2f} of bare;"
        f" {r.adapter_call_minutes_per_minute} call-minutes a minute\n"
        f"through recording{r.service_minute_ms:7.0f} ms  ({r.service_minute_cpu_ms:.0f} ms of CPU)"
        f"  {r.service_to_bare:.2f} of bare\n"
        f"the same, folder {r.folder_minute_ms:7.0f} ms\n"
        f"one put, alone: bare p50 {r.bare_put_p50_ms:.1f} ms,"
        f" through the adapter {r.adapter_put_p50_ms:.1f} ms\n"
        f"a call of {r.closed_minutes} minutes closed, all of it read again:"
        f" S3 {r.closed_from_s3_ms:.0f} ms, folder {r.closed_from_folder_ms:.0f} ms\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
