"""Every recording of a gateway: taps emptied every two seconds, written, and handed over.

The event loop only gathers frames. Cutting, sealing and writing are done in one thread, one round
at a time, so that a slow disk lets frames wait in their taps, each of which is bounded, and delays
no packet. The call never waits for its recording.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from grpc import aio

from media_gateway.core import events as e
from media_gateway.core.state import Call
from media_gateway.recording.call_recording import CallRecording
from media_gateway.recording.model import NO_SEALING_KEY, CallKey
from media_gateway.recording.sealing_key import SealingKeys
from media_gateway.recording.shipper import Shipper
from media_gateway.recording.spool import Room, Spool
from media_gateway.recording.writing import Batch, CallWriter
from media_gateway.rtp.model import Tap
from protos.recording.v1 import recording_pb2, recording_pb2_grpc
from services.chassis.clock import Clock
from services.chassis.ids import LegId
from services.chassis.log import about, get_logger
from services.chassis.metrics import Reading

log = get_logger("recording")

LOOK_S = 0.1
SEGMENT_MS = 1_900
"""How often a call's taps are emptied: with a look's delay that makes segments of 2 seconds."""
RETRY_MS = 1_000
"""How soon the end of a recording is tried again that the disk did not take."""
CLOSE_AGAIN_S = 2.0
"""How soon what a lost gateway left is closed that the disk did not let close."""
REPORT_S = 10.0
REPORT_AGAIN_S = 1.0
GOODBYE_S = 3.0
"""For what is left to be handed over when the gateway ends."""

Trouble = Callable[[str | None], None]
"""Told why a recording fails; None: it goes on."""


class LiveRecording:
    """What a call's shell knows of its recording; used from the event loop."""

    def __init__(self, recorder: Recorder, on_trouble: Trouble) -> None:
        self._recorder = recorder
        self._on_trouble = on_trouble
        self._about = CallRecording()
        self._trouble = ""
        self.writer: CallWriter | None = None
        """None until the call may be recorded."""
        self.due_ms = 0
        """When its taps are emptied next."""

    @property
    def call(self) -> CallKey:
        """Whose it is, once begun."""
        assert self._about.call is not None, "it has begun"
        return self._about.call

    @property
    def over(self) -> bool:
        """Whether the call has ended."""
        return self._about.over

    def observe(self, event: e.Event, call: Call) -> None:
        """Sees every decision of the call."""
        now_ms = self._recorder.clock.now_ms()
        self._about.observe(event, now_ms=now_ms)
        if not isinstance(event, e.BeginRecording):
            return
        self._about.begin(call, event.basis, now_ms=now_ms, incarnation=self._recorder.incarnation)
        if not self._recorder.record(self):
            # It is followed all the same: what is missing is marked, and it begins with the key.
            log.error("recording cannot begin", call=call.call_id, reason=NO_SEALING_KEY)
            self._trouble = NO_SEALING_KEY
            self._on_trouble(NO_SEALING_KEY)

    def tap(self, leg_id: LegId) -> Tap | None:
        """Where what a leg says is to be put; None: it is not recorded."""
        if self.writer is None:
            return None
        return self._about.tap(leg_id, now_ms=self._recorder.clock.now_ms())

    def take_batch(self) -> Batch:
        """What there is to write."""
        about = self._about
        heard = tuple((track, track.take_frames()) for track in about.tracks.values())
        return Batch(about.known() if about.changed else None, heard, about.over)

    def settle(self, batch: Batch, *, trouble: str) -> None:
        """A batch was written, as far as it could be; `trouble` says why not all of it."""
        if trouble and trouble != self._trouble:
            self._trouble = trouble
            log.error("recording fails", reason=trouble)
            self._on_trouble(trouble)
        elif not trouble and self._trouble and any(frames for _, frames in batch.heard):
            self._trouble = ""
            log.info("recording goes on")
            self._on_trouble(None)


class Recorder:
    """Owns the spool, its thread, and what is recorded now."""

    def __init__(
        self,
        *,
        folder: Path,
        room: Room,
        dial: Callable[[str], aio.Channel],
        clock: Clock,
        incarnation: str,
    ) -> None:
        """`folder` is this gateway's alone."""
        self.clock = clock
        """What time it is."""
        self.incarnation = incarnation
        """This process, in the segments that it writes."""
        self._folder = folder
        self._dial = dial
        self._disk = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spool")
        self._spool = Spool(folder / "spool", room=room)
        self._keys = SealingKeys(folder / "sealing-key.json", dial)
        self._live: dict[LiveRecording, None] = {}
        self._left: dict[CallKey, str] = {}
        self._unclosed: list[CallKey] = []
        self._shipper = Shipper(
            spool=self._spool,
            disk=self._disk,
            dial=dial,
            on_gone=self._forget,
        )
        self._refused = 0
        self._died_at_ms = 0

    async def start(self, *, died_at_ms: int) -> None:
        """Takes over what an earlier process left: it died at that instant, if it did not end."""
        loop = asyncio.get_running_loop()
        self._died_at_ms = died_at_ms
        for call in await loop.run_in_executor(self._disk, self._take_over):
            self._shipper.offer(call)

    @property
    def told(self) -> asyncio.Event:
        """Set once the recording service has told its key; an older one may be known before."""
        return self._keys.had

    def follow(self, on_trouble: Trouble) -> LiveRecording:
        """A new call, which may be recorded or not."""
        return LiveRecording(self, on_trouble)

    def record(self, live: LiveRecording) -> bool:
        """Begins to write; False when there is no key to seal for yet."""
        keys = self._keys
        live.writer = CallWriter(
            live.call,
            public_key=lambda: keys.public_key,
            spool=self._spool,
            incarnation=self.incarnation,
        )
        live.due_ms = self.clock.now_ms() + SEGMENT_MS
        self._live[live] = None
        if keys.public_key is None:
            self._refused += 1
            return False
        return True

    async def run(self) -> None:
        """Records for ever."""
        async with asyncio.TaskGroup() as parts:
            parts.create_task(self._keys.run())
            parts.create_task(self._shipper.run())
            parts.create_task(self._report())
            parts.create_task(self._write_on())
            parts.create_task(self._close_left())

    async def close(self) -> None:
        """Writes what is left; what is not handed over soon is the next process's."""
        await self._write(list(self._live))
        shipping = asyncio.ensure_future(self._shipper.run())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                await self._shipper.emptied()
        shipping.cancel()
        await asyncio.gather(shipping, return_exceptions=True)
        self._disk.shutdown(wait=True)

    def readings(self) -> Iterable[Reading]:
        """How the recordings fare."""
        yield Reading("carillon_gateway_recordings", "Calls being recorded.", len(self._live))
        yield Reading(
            "carillon_gateway_spool_bytes",
            "Bytes that wait to be handed over to recording.",
            self._spool.used_bytes,
        )
        yield Reading(
            "carillon_gateway_spool_room_bytes",
            "Bytes that the spool has room for, by its limit and by the disk.",
            self._spool.room_bytes(),
        )
        yield Reading(
            "carillon_gateway_spool_age_seconds",
            "For how long a recording has had something to hand over without having been empty.",
            self._shipper.age_s,
        )
        yield Reading(
            "carillon_gateway_recordings_waiting",
            "Recordings of which something is left to hand over.",
            self._shipper.waiting,
        )
        yield Reading(
            "carillon_gateway_segments_shipped_total",
            "Segments handed over.",
            self._shipper.shipped,
            kind="counter",
        )
        yield Reading(
            "carillon_gateway_segments_refused_total",
            "Segments and manifests that recording will never take.",
            self._shipper.refused,
            kind="counter",
        )
        yield Reading(
            "carillon_gateway_recordings_without_key_total",
            "Calls that could not be recorded from their beginning for want of a sealing key.",
            self._refused,
            kind="counter",
        )

    async def _write_on(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            now_ms = self.clock.now_ms()
            due = [live for live in self._live if live.due_ms <= now_ms]
            if due:
                await self._write(due)

    async def _write(self, due: list[LiveRecording]) -> None:
        batches = [(live, live.take_batch()) for live in due]
        loop = asyncio.get_running_loop()
        writing = loop.run_in_executor(self._disk, _write_all, batches)
        # What was taken from the taps is nowhere else: it is written though this task be cancelled.
        results = await asyncio.shield(writing)
        now_ms = self.clock.now_ms()
        for (live, batch), (trouble, finished) in zip(batches, results, strict=True):
            live.due_ms = now_ms + (RETRY_MS if live.over else SEGMENT_MS)
            _settle(live, batch, trouble)
            self._shipper.offer(live.call)
            if finished:
                del self._live[live]

    async def _report(self) -> None:
        """Says that this process lives, and that what it found is in good hands."""
        stub = recording_pb2_grpc.RecordingStub(self._dial("recording"))
        while True:
            pause_s = REPORT_S
            for incarnation in {self.incarnation, *filter(None, self._left.values())}:
                request = recording_pb2.ReportGatewayRequest(incarnation=incarnation)
                try:
                    await stub.ReportGateway(request)
                except aio.AioRpcError:
                    # Who comes back counts silence from then on: it is told at once.
                    pause_s = REPORT_AGAIN_S
            await asyncio.sleep(pause_s)

    def _forget(self, call: CallKey) -> None:
        self._left.pop(call, None)

    async def _close_left(self) -> None:
        """What could not be closed at the start is, as soon as the disk takes it."""
        loop = asyncio.get_running_loop()
        while self._unclosed:
            await asyncio.sleep(CLOSE_AGAIN_S)
            for call in await loop.run_in_executor(self._disk, self._close_unclosed):
                self._shipper.offer(call)

    def _take_over(self) -> list[CallKey]:
        """What is left to hand over; runs in the writing thread, as all that follows."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._keys.recall()
        for call in self._spool.open():
            incarnation = self._spool.log_of(call).incarnation
            if not incarnation and not self._spool.has_segments(call):
                self._spool.remove(call)  # killed before anything of it was whole
                continue
            # Segments without a log are handed over all the same; of a gateway that nobody says
            # is alive, the recording service makes of them what it can.
            self._left[call] = incarnation
            if incarnation and not self._spool.is_finished(call):
                self._unclosed.append(call)
        self._close_unclosed()
        return list(self._left)

    def _close_unclosed(self) -> list[CallKey]:
        """Closes what a lost gateway left open, as far as the disk lets it; what was closed."""
        closed = []
        for call in list(self._unclosed):
            with about(call.subject):
                log.error("recording of a lost gateway is closed")
                try:
                    self._spool.close_lost(call, at_ms=self._died_at_ms)
                except OSError as error:
                    log.error("it cannot be closed yet", reason=str(error))
                    continue
            self._unclosed.remove(call)
            closed.append(call)
        return closed


def _settle(live: LiveRecording, batch: Batch, trouble: str) -> None:
    with about(live.call.subject):
        try:
            live.settle(batch, trouble=trouble)
        except Exception as error:
            # A fault of one call must not end the recordings of all others.
            log.error("call not told of its recording", exc_info=error)


def _write_all(batches: list[tuple[LiveRecording, Batch]]) -> list[tuple[str, bool]]:
    """Of each batch, why not all of it was written, and whether its recording is finished."""
    results = []
    for live, batch in batches:
        writer = live.writer
        assert writer is not None, "what is due has begun"
        with about(live.call.subject):
            try:
                writer.write(batch)
            except Exception as error:
                # One recording that cannot be written must not end all others.
                log.error("recording not written", exc_info=error)
                writer.lose(batch)
        results.append((writer.trouble, writer.finished))
    return results
