"""What recording costs on the hot path, and behind it.

Relay: as in bench_relay, bridged calls whose packets come from another process, with and without
a tap on each leg, in turns; what the taps gather is thrown away. Recorded: the same with every
call recorded into a spool on disk, cut and sealed in its thread; the CPU time of the whole
process counts, that of the thread included.

    python -m tests.bench.bench_taps [--json]
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections import deque
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic, perf_counter, process_time

import uvloop

from media_gateway.recording.call_recording import MAX_FRAMES_WAITING, Track
from media_gateway.recording.cutter import TrackCutter
from media_gateway.recording.model import CallKey
from media_gateway.recording.recorder import SEGMENT_MS
from media_gateway.recording.spool import Room, Spool
from media_gateway.recording.writing import Batch, CallWriter
from media_gateway.rtp.model import Heard
from media_gateway.rtp.port import MediaPort
from protos.recording.v1 import recording_pb2
from services.chassis.sealing import generate_key_pair
from tests.bench.bench_relay import (
    BUSY,
    CALLS,
    HOST,
    PACKET_RATE,
    ROUNDS,
    Deaf,
    Sender,
    new_engine,
    remote_at,
)

CALLS_WRITTEN = 100
"""Calls whose segments are written in a row, to measure one."""


@dataclass(frozen=True, slots=True)
class Result:
    """What was measured; times in microseconds of CPU."""

    relay_us_per_packet: float
    tapped_us_per_packet: float
    tapped_to_relay: float
    recorded_us_per_packet: float
    recorded_to_relay: float
    calls_per_core_at_70_percent: int
    recorded_calls_per_core_at_70_percent: int
    segment_us: float
    """To cut, seal and spool one segment of two seconds."""
    segment_bytes: int


class Tapes:
    """Every leg's track, emptied as a recorder would."""

    def __init__(self, folder: Path) -> None:
        self._spool = Spool(folder, room=Room(max_bytes=1 << 34, min_free_bytes=0))
        self._spool.open()
        public_key = generate_key_pair().public_key
        started_ms = int(monotonic() * 1_000)
        self._disk = ThreadPoolExecutor(max_workers=1)
        self.tracks: list[Track] = []
        self._writers: list[CallWriter] = []
        for number in range(CALLS):
            call = CallKey("bench", f"call-{number}")
            writer = CallWriter(
                call, public_key=lambda: public_key, spool=self._spool, incarnation="bench"
            )
            writer.write(Batch(recording_pb2.Manifest(call_id=call.call_id), (), over=False))
            self._writers.append(writer)
            for leg in ("1", "2"):
                cutter = TrackCutter(started_at_ms=started_ms)
                self.tracks.append(Track(leg, started_ms, cutter))

    async def run(self) -> None:
        """Writes a tenth of the calls at a time, each every two seconds."""
        loop, turn = asyncio.get_running_loop(), 0
        while True:
            await asyncio.sleep(SEGMENT_MS / 10_000)
            batches = [
                (writer, self._batch(number))
                for number, writer in enumerate(self._writers)
                if number % 10 == turn % 10
            ]
            turn += 1
            await loop.run_in_executor(self._disk, _write, batches)

    def close(self) -> None:
        """Waits for what is being written."""
        self._disk.shutdown(wait=True)

    def _batch(self, number: int) -> Batch:
        pair = self.tracks[2 * number : 2 * number + 2]
        return Batch(None, tuple((track, track.take_frames()) for track in pair), over=False)


def _write(batches: list[tuple[CallWriter, Batch]]) -> None:
    for writer, batch in batches:
        writer.write(batch)


@asynccontextmanager
async def bridged(sender: Sender, first_port: int) -> AsyncIterator[list[MediaPort]]:
    """Calls whose legs hear each other."""
    engine = new_engine(first_port)
    ports = [await engine.open(f"leg {n}", Deaf()) for n in range(2 * CALLS)]
    for port, far_end in zip(ports, sender.far_ends, strict=True):
        port.negotiate(remote_at(far_end))
    for left, right in zip(ports[::2], ports[1::2], strict=True):
        left.connect(right)
    try:
        yield ports
    finally:
        await engine.close()


async def measure_relay(sender: Sender, ports: list[MediaPort]) -> float:
    targets = [(HOST, port.rtp_port) for port in ports]
    return (
        await sender.measure(targets, lambda: sum(port.report().packets_sent for port in ports))
    )[0]


async def relay(sender: Sender) -> float:
    async with bridged(sender, 12_000) as ports:
        return await measure_relay(sender, ports)


async def tapped(sender: Sender) -> float:
    async with bridged(sender, 13_000) as ports:
        for port in ports:
            kept: deque[Heard] = deque(maxlen=MAX_FRAMES_WAITING // 20)
            port.set_tap(kept.append)
        return await measure_relay(sender, ports)


async def recorded(sender: Sender) -> float:
    with tempfile.TemporaryDirectory(prefix="taps-") as folder:
        tapes = Tapes(Path(folder))
        async with bridged(sender, 14_000) as ports:
            for port, track in zip(ports, tapes.tracks, strict=True):
                port.set_tap(track.frames.append)
            writing = asyncio.ensure_future(tapes.run())
            try:
                return await measure_relay(sender, ports)
            finally:
                writing.cancel()
                await asyncio.gather(writing, return_exceptions=True)
                tapes.close()


def measure_segment() -> tuple[float, int]:
    """Microseconds to cut, seal and spool two seconds, and how many bytes they take."""
    frames: list[Heard] = [(1, 160 * n, "PCMU", bytes(160), 20.0 * n) for n in range(95)]
    with tempfile.TemporaryDirectory(prefix="taps-") as name:
        folder = Path(name)
        spool = Spool(folder, room=Room(max_bytes=1 << 34, min_free_bytes=0))
        spool.open()
        key = generate_key_pair().public_key
        writers = []
        for number in range(CALLS_WRITTEN):
            call = CallKey("bench", f"{number}")
            writer = CallWriter(call, public_key=lambda: key, spool=spool, incarnation="b")
            writer.write(Batch(recording_pb2.Manifest(call_id=call.call_id), (), over=False))
            writers.append((writer, Track("1", 0, TrackCutter(started_at_ms=0))))
        for writer, track in writers:  # the first one wraps the call's key, too
            writer.write(Batch(None, ((track, frames[:1]),), over=False))
        before, began, spent_s = spool.used_bytes, perf_counter(), process_time()
        for writer, track in writers:
            writer.write(Batch(None, ((track, frames[1:]),), over=False))
        spent_s = process_time() - spent_s
        assert perf_counter() - began > 0
        size = (spool.used_bytes - before) // CALLS_WRITTEN
    return 1e6 * spent_s / CALLS_WRITTEN, size


def measure() -> Result:
    sender = Sender()
    rounds = [
        (uvloop.run(relay(sender)), uvloop.run(tapped(sender)), uvloop.run(recorded(sender)))
        for _ in range(ROUNDS)
    ]
    sender.stop()
    # The least disturbed round of each is the nearest to what the code costs.
    relay_us, tapped_us, recorded_us = (min(each) for each in zip(*rounds, strict=True))
    segment_us, segment_bytes = measure_segment()
    return Result(
        relay_us_per_packet=relay_us,
        tapped_us_per_packet=tapped_us,
        tapped_to_relay=tapped_us / relay_us,
        recorded_us_per_packet=recorded_us,
        recorded_to_relay=recorded_us / relay_us,
        calls_per_core_at_70_percent=int(BUSY * 1e6 / (PACKET_RATE * relay_us)),
        recorded_calls_per_core_at_70_percent=int(BUSY * 1e6 / (PACKET_RATE * recorded_us)),
        segment_us=segment_us,
        segment_bytes=segment_bytes,
    )


def main() -> None:
    result = measure()
    if "--json" in sys.argv[1:]:
        print(json.dumps(asdict(result)))
        return
    print(f"relay:    {result.relay_us_per_packet:6.1f} µs of CPU per packet")
    print(
        f"tapped:   {result.tapped_us_per_packet:6.1f} µs, {result.tapped_to_relay:.2f}x the relay"
    )
    print(
        f"recorded: {result.recorded_us_per_packet:6.1f} µs with cutting, sealing and writing, "
        f"{result.recorded_to_relay:.2f}x the relay"
    )
    print(
        f"segment:  {result.segment_us:6.0f} µs for two seconds of a leg, "
        f"{result.segment_bytes} bytes on disk"
    )
    print(
        f"calls per core at 70 %: {result.calls_per_core_at_70_percent} bridged, "
        f"{result.recorded_calls_per_core_at_70_percent} bridged and recorded"
    )


if __name__ == "__main__":
    main()
