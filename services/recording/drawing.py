"""Waveforms: drawn beside the loop from the stored segments, and kept once nothing can change."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from services.chassis.blobs import Blobs
from services.chassis.ids import CallId, TenantId
from services.chassis.log import get_logger
from services.chassis.tasks import Tasks
from services.recording.audio import Clips
from services.recording.core.prompts import Playing, heard
from services.recording.core.render import sound_of
from services.recording.core.timeline import Timeline, timeline_of
from services.recording.core.wav import RATE_HZ
from services.recording.core.waveform import Peaks, draw, narrowed, scaled, silence
from services.recording.examining import Examiner
from services.recording.model.calls import Found
from services.recording.model.errors import SegmentDamaged, WaveformsBusy
from services.recording.model.evidence import Segment
from services.recording.model.waveform import Waveform
from services.recording.store import RecordingStore
from services.recording.wire import clear_frames

log = get_logger("recording")

AT_ONCE = 2
"""Recordings that are drawn at the same time; others wait."""
MAX_WAITING = 64
BATCH = 32
"""Segments that are opened at once, and then drawn in one go: a minute of one track."""
STRETCH = 60 * RATE_HZ
"""Samples of a prompt that are drawn in one go."""


@dataclass(slots=True)
class _Sheet:
    """What one recording looks like so far."""

    tenant_id: TenantId
    recording_id: CallId
    timeline: Timeline
    damaged: bool = False
    left: Peaks = field(init=False)
    right: Peaks = field(init=False)

    def __post_init__(self) -> None:
        self.left = silence(self.timeline.samples)
        self.right = silence(self.timeline.samples)


class Waveforms:
    """Draws what is asked for, each recording once at a time."""

    def __init__(
        self, *, store: RecordingStore, examiner: Examiner, blobs: Blobs, tasks: Tasks
    ) -> None:
        """`blobs` has the prompts that were played."""
        self._store = store
        self._examiner = examiner
        self._blobs = blobs
        self._tasks = tasks
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._drawing: dict[tuple[TenantId, CallId], asyncio.Future[Waveform]] = {}

    async def waveform(self, tenant_id: TenantId, found: Found, columns: int) -> Waveform:
        """The waveform in so many columns; CodecNotRendered, WaveformsBusy, SegmentsUnavailable.

        Of what is still being recorded it is what there is now.
        """
        kept = await self._store.waveform(tenant_id, found.recording.recording_id)
        fine = kept or await self._drawn(tenant_id, found)
        return Waveform(
            fine.duration_ms, narrowed(fine.left, columns), narrowed(fine.right, columns)
        )

    async def _drawn(self, tenant_id: TenantId, found: Found) -> Waveform:
        key = tenant_id, found.recording.recording_id
        drawing = self._drawing.get(key)
        if drawing is None:
            if len(self._drawing) >= MAX_WAITING:
                raise WaveformsBusy("many recordings are being drawn: try again in a moment")
            drawing = self._drawing[key] = asyncio.get_running_loop().create_future()
            # Whoever gives up waiting finds it kept when they ask again.
            task = self._tasks.start(self._draw_for(tenant_id, found, drawing), "draw waveform")
            task.add_done_callback(lambda _: self._let_go(key))
        return await asyncio.shield(drawing)

    async def _draw_for(
        self, tenant_id: TenantId, found: Found, drawing: asyncio.Future[Waveform]
    ) -> None:
        # Whoever asked may be gone by now, and the result is theirs to read, not the loop's.
        drawing.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            async with self._turns:
                drawing.set_result(await self._draw(tenant_id, found))
        except Exception as error:  # noqa: BLE001  # each failure is told to those who wait for it
            drawing.set_exception(error)

    def _let_go(self, key: tuple[TenantId, CallId]) -> None:
        """Those who still wait are let go: what draws has ended, or never began."""
        self._drawing.pop(key).cancel()

    async def _draw(self, tenant_id: TenantId, found: Found) -> Waveform:
        recording = found.recording
        segments = await self._store.segments(tenant_id, recording.recording_id)
        timeline = timeline_of(recording, found.call, segments)
        sheet = _Sheet(tenant_id, recording.recording_id, timeline)
        for line in timeline.lines:
            peaks = sheet.left if line.caller else sheet.right
            stored = line.between(0, timeline.samples)
            for first in range(0, len(stored), BATCH):
                await self._draw_segments(sheet, peaks, stored[first : first + BATCH])
        clips = Clips(self._blobs)
        for playing in timeline.playings:
            await _draw_playing(sheet, playing, clips)
        duration_ms = timeline.samples * 1_000 // RATE_HZ
        drawn = Waveform(duration_ms, scaled(sheet.left), scaled(sheet.right))
        # After the manifest nothing is added; and what is damaged may be mended.
        if recording.manifest_sha256 and not sheet.damaged:
            await self._store.keep_waveform(tenant_id, recording.recording_id, drawn)
        return drawn

    async def _draw_segments(
        self, sheet: _Sheet, peaks: Peaks, segments: Sequence[Segment]
    ) -> None:
        opened = await asyncio.gather(*(self._open(sheet, each) for each in segments))
        await asyncio.to_thread(_draw_opened, sheet.timeline, peaks, opened)

    async def _open(self, sheet: _Sheet, segment: Segment) -> bytes | None:
        """A segment's cleartext; what is damaged is silence, and said to the log."""
        try:
            return await self._examiner.open(sheet.tenant_id, sheet.recording_id, segment)
        except SegmentDamaged as error:
            sheet.damaged = True
            log.error(
                "stored segment is damaged",
                call=sheet.recording_id,
                segment=segment.name,
                why=str(error),
            )
            return None


def _draw_opened(timeline: Timeline, peaks: Peaks, opened: Sequence[bytes | None]) -> None:
    for clear in opened:
        if clear is not None:
            sound = sound_of(clear_frames(clear), t0_ms=timeline.t0_ms)
            draw(peaks, sound, samples=timeline.samples)


async def _draw_playing(sheet: _Sheet, playing: Playing, clips: Clips) -> None:
    """What Carillon played to the caller: they heard it, as they heard all others."""
    known = await clips.of(playing)
    samples = sheet.timeline.samples
    first, end = max(0, playing.first), min(samples, playing.end)
    for begin in range(first, end, STRETCH):
        count = min(STRETCH, end - begin)
        sound = await asyncio.to_thread(heard, playing, known, first=begin, count=count)
        await asyncio.to_thread(draw, sheet.right, sound, samples=samples)
