"""What drawing a recording's waveform costs, against rendering the same recording as sound.

A call of two tracks, its segments sealed on a disk, drawn in a process that has to answer others
meanwhile: how late its event loop becomes is measured beside.

    python -m tests.bench.bench_waveform [--json]
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import tempfile
from collections.abc import Awaitable
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

import structlog

from services.chassis.blobs import MemoryBlobs
from services.chassis.bus import MemoryBus
from services.chassis.ids import CallId, TenantId
from services.chassis.tasks import Tasks
from services.recording.audio import Renderer, Source
from services.recording.core.timeline import timeline_of
from services.recording.drawing import Waveforms
from services.recording.examining import Examiner
from services.recording.ingest import Ingest
from services.recording.keys import ensure_keys
from services.recording.model.calls import Found
from services.recording.segments_stored import DirectorySegments
from services.recording.store import MemoryRecordingStore
from services.recording.wire import manifest_of, sealed_of
from tests.unit.recording.conftest import HandClock
from tests.unit.recording.tape import Tape, mu_law, tone

ACME, CALL = TenantId("acme"), CallId("call-1")
MINUTES = 10
SEGMENT_SAMPLES = 16_000
COLUMNS = 1_000
LOOK_S = 0.005


@dataclass(frozen=True, slots=True)
class Result:
    """Milliseconds, and what was divided by what."""

    drawn_ms_per_call_minute: float
    drawn_to_rendered: float
    again_ms: float
    loop_late_at_most_ms: float


class Stage:
    """One closed recording on a disk, and what draws it."""

    def __init__(self, folder: Path) -> None:
        self.keys = ensure_keys(folder / "keys" / "keys")
        self.files = DirectorySegments(folder / "segments")
        self.store = MemoryRecordingStore(MemoryBus())
        self.examiner = Examiner(files=self.files, keys=self.keys)
        self.tasks = Tasks()
        self.waveforms = Waveforms(
            store=self.store, examiner=self.examiner, blobs=MemoryBlobs(), tasks=self.tasks
        )

    async def record(self) -> Found:
        ingest = Ingest(
            keys=self.keys,
            files=self.files,
            store=self.store,
            examiner=self.examiner,
            clock=HandClock(),
            new_id=lambda: "id",
            tasks=self.tasks,
        )
        tape = Tape(CALL, self.keys.present)
        payload = mu_law(tone(400, -10, SEGMENT_SAMPLES))
        for track_id in ("leg-a", "leg-b"):
            for place in range(MINUTES * 30):
                request = tape.segment(track_id, place + 1, payload, at=place * SEGMENT_SAMPLES)
                await ingest.put_segment(ACME, sealed_of(request))
        manifest = tape.manifest(duration_ms=MINUTES * 60_000).manifest
        await ingest.put_manifest(ACME, manifest_of(manifest))
        found = await self.store.found(ACME, CALL)
        assert found is not None
        return found

    async def render(self, found: Found) -> None:
        segments = await self.store.segments(ACME, CALL)
        source = Source(ACME, CALL, timeline_of(found.recording, found.call, segments))
        renderer = Renderer(examiner=self.examiner, blobs=MemoryBlobs(), source=source)
        async for _ in renderer.read(0, source.total_bytes):
            pass


async def timed_ms(work: Awaitable[object]) -> float:
    began_s = perf_counter()
    await work
    return (perf_counter() - began_s) * 1_000


async def measure(folder: Path) -> Result:
    stage = Stage(folder)
    found = await stage.record()
    rendered_ms = await timed_ms(stage.render(found))
    late_s = [0.0]

    async def look() -> None:
        while True:
            began_s = perf_counter()
            await asyncio.sleep(LOOK_S)
            late_s[0] = max(late_s[0], perf_counter() - began_s - LOOK_S)

    looking = asyncio.ensure_future(look())
    drawn_ms = await timed_ms(stage.waveforms.waveform(ACME, found, COLUMNS))
    looking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await looking
    again_ms = await timed_ms(stage.waveforms.waveform(ACME, found, COLUMNS))
    await stage.tasks.close()
    return Result(drawn_ms / MINUTES, drawn_ms / rendered_ms, again_ms, late_s[0] * 1_000)


def main() -> int:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    with tempfile.TemporaryDirectory() as folder:
        result = asyncio.run(measure(Path(folder)))
    if "--json" in sys.argv:
        sys.stdout.write(json.dumps(asdict(result)) + "\n")
        return 0
    sys.stdout.write(
        f"drawn in {result.drawn_ms_per_call_minute:.1f} ms per minute of a call of two tracks,"
        f" {result.drawn_to_rendered:.2f} of what rendering its sound takes\n"
        f"again in {result.again_ms:.1f} ms; the loop was late by {result.loop_late_at_most_ms:.1f}"
        " ms at most\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
