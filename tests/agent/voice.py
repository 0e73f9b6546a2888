"""A peer's mouth and ears: tracks as a browser's page would have them."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, cast

import numpy as np
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import AudioFrame

from tests.softphone import audio
from tests.softphone.audio import FRAME_SAMPLES, PCM, RATE_HZ

FRAME_S: Final = FRAME_SAMPLES / RATE_HZ
REMEMBERED_S: Final = 30.0
JOINED_S: Final = 0.2
"""Frames that come closer than this to the last one's end follow it without a gap."""
LATE_S: Final = 0.1
"""The ear waits so long for the next frame before it calls it silence."""


class Mouth(MediaStreamTrack):
    """A microphone: silence, speech or a tone, a frame every 20 ms."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._freq_hz = 0.0
        self._level_dbm0 = audio.SILENCE_DBM0
        self._left: int | None = 0
        self._speech = np.zeros(0, np.int16)
        self._sent = 0
        self._started_s: float | None = None

    @property
    def speaking(self) -> bool:
        """Whether speech is left."""
        return len(self._speech) > 0

    def say(self, pcm: PCM) -> None:
        """Queues speech; it goes before any tone."""
        self._speech = np.concatenate([self._speech, pcm])

    def play_tone(self, freq_hz: float, seconds: float | None, level_dbm0: float) -> None:
        """A sine, without an end if `seconds` is None."""
        self._freq_hz, self._level_dbm0 = freq_hz, level_dbm0
        self._left = None if seconds is None else round(seconds * RATE_HZ)

    def stop_tone(self) -> None:
        """Silence."""
        self._left = 0

    async def recv(self) -> AudioFrame:
        """The next frame, when it is due."""
        if self.readyState != "live":
            raise MediaStreamError
        now_s = time.monotonic()
        if self._started_s is None:
            self._started_s = now_s
        due_s = self._started_s + self._sent / RATE_HZ
        if due_s > now_s:
            await asyncio.sleep(due_s - now_s)
        frame = AudioFrame.from_ndarray(self._next()[np.newaxis, :], "s16", "mono")
        frame.sample_rate = RATE_HZ
        frame.pts = self._sent
        frame.time_base = cast("Any", Fraction(1, RATE_HZ))
        self._sent += FRAME_SAMPLES
        return frame

    def _next(self) -> PCM:
        if self.speaking:
            frame, self._speech = self._speech[:FRAME_SAMPLES], self._speech[FRAME_SAMPLES:]
        elif self._left is None or self._left > 0:
            frame = audio.tone(
                self._freq_hz, FRAME_S, level_dbm0=self._level_dbm0, start=self._sent
            )
            if self._left is not None:
                frame, self._left = frame[: self._left], max(0, self._left - FRAME_SAMPLES)
        else:
            frame = np.zeros(0, np.int16)
        return np.pad(frame, (0, FRAME_SAMPLES - len(frame)))


@dataclass(frozen=True, slots=True)
class _Heard:
    """A frame on the ear's timeline."""

    start: int
    pcm: PCM


class Ear:
    """What came from the far end, on a timeline of this peer's own; gaps are silence."""

    def __init__(self) -> None:
        self._frames: deque[_Heard] = deque(maxlen=round(REMEMBERED_S / FRAME_S))
        self._born_s = time.monotonic()
        self._end = 0
        self._arrived_s = -REMEMBERED_S
        self.frames_in = 0

    def hear(self, pcm: PCM, at_s: float) -> None:
        """Puts a frame where it belongs."""
        now = round((at_s - self._born_s) * RATE_HZ)
        joined = abs(now - len(pcm) - self._end) < JOINED_S * RATE_HZ
        start = self._end if joined else max(self._end, now - len(pcm))
        self._frames.append(_Heard(start, pcm))
        self._end, self._arrived_s = start + len(pcm), at_s
        self.frames_in += 1

    def latest(self, seconds: float, at_s: float) -> PCM:
        """The newest audio."""
        end = self.live_end(at_s)
        return self._slice(end - round(seconds * RATE_HZ), end)

    def received(self, since_s: float, at_s: float) -> PCM:
        """All audio from a place on the timeline until now."""
        return self._slice(round(since_s * RATE_HZ), self.live_end(at_s))

    def live_end(self, at_s: float) -> int:
        """Where the timeline is now, in samples."""
        if at_s - self._arrived_s < LATE_S:
            return self._end
        return max(self._end, round((at_s - self._born_s) * RATE_HZ))

    def _slice(self, start: int, end: int) -> PCM:
        start = max(0, start)
        heard = np.zeros(max(0, end - start), np.int16)
        for frame in reversed(self._frames):
            offset = frame.start - start
            if offset + len(frame.pcm) <= 0:
                break
            first, last = max(0, offset), min(len(heard), offset + len(frame.pcm))
            if first < last:
                heard[first:last] = frame.pcm[first - offset : last - offset]
        return heard
