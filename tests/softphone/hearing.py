"""A call's mouth and ears: what a test says, and what it asserts to hear.

Every `hears_` looks at the newest audio, frame after frame, until it is what was asked for, and
returns the seconds that took; NotInTime tells what was heard instead.
"""

from __future__ import annotations

import asyncio
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

import numpy as np

from tests.softphone import audio
from tests.softphone.audio import PCM, RATE_HZ
from tests.softphone.errors import NotInTime
from tests.softphone.media import MediaSession, MediaStats
from tests.softphone.sender import FRAME_S

DTMFHow = Literal["rfc4733", "info", "inband"]

TONE_DBM0: Final = -35.0
"""A tone sent at the usual -13 dBm0 may lose 22 dB, in a conference say, and is still heard."""
TONE_SHARE_DB: Final = 12.0
"""How far below all that is heard one tone may be: it is one of several, not a trace."""

SLICES: Final = 4
"""A tone must be in each quarter of the time asked for, so that its end or start is not enough."""


class Audible:
    """The audio half of a call."""

    def __init__(self, media: MediaSession) -> None:
        self.media = media

    @property
    def heard_s(self) -> float:
        """Where the timeline is now: pass it to `received_pcm` later to hear what came since."""
        return self.media.reception.live_end(self.media.now_s) / RATE_HZ

    def stats(self) -> MediaStats:
        return self.media.stats()

    def say(self, pcm: PCM) -> None:
        """Queue speech (int16, 8 kHz); it goes before any tone. `said` waits for its end."""
        self.media.sender.say(pcm)

    async def said(self, within_s: float = 30.0) -> None:
        await self._until(lambda: not self.media.sender.speaking, within_s, "the end of speech")

    def play_tone(
        self, freq_hz: float, seconds: float | None = None, *, level_dbm0: float = -13.0
    ) -> None:
        """Play a sine, without an end if `seconds` is None, instead of the tone before."""
        self.media.sender.play_tone(freq_hz, seconds, level_dbm0)

    def stop_tone(self) -> None:
        self.media.sender.stop_tone()

    def received_pcm(self, since_s: float = 0.0) -> PCM:
        """What was heard from `since_s` on the timeline until now; gaps are zeros."""
        return self.media.reception.received(since_s, self.media.now_s)

    def latest_pcm(self, seconds: float) -> PCM:
        """The newest audio as the ear has it: what does not arrive is silence."""
        return self.media.reception.latest(seconds, self.media.now_s)

    def tone_level(self, freq_hz: float, window_s: float = 0.2) -> float:
        """The level of one frequency in the newest audio, dBm0."""
        return audio.tone_level_dbm0(self.latest_pcm(window_s), freq_hz)

    def dominant_tone(self, seconds: float = 0.5) -> float | None:
        """The frequency in Hz that holds most of the newest audio's power, if one does."""
        return audio.dominant_tone_hz(self.latest_pcm(seconds))

    async def hears_tone(
        self,
        freq_hz: float,
        within_s: float = 3.0,
        *,
        above_dbm0: float = TONE_DBM0,
        for_s: float = 0.2,
    ) -> float:
        """Wait until a tone is there, alone or among others, all through the last `for_s`."""

        def there() -> bool:
            slices = np.array_split(self.latest_pcm(for_s), SLICES)
            return all(_has_tone(part, freq_hz, above_dbm0) for part in slices)

        return await self._until(there, within_s, f"a tone of {freq_hz} Hz")

    async def hears_no_tone(
        self,
        freq_hz: float,
        within_s: float = 3.0,
        *,
        below_dbm0: float = -50.0,
        for_s: float = 0.5,
    ) -> float:
        """Wait until a frequency has been absent for `for_s`, whatever else is heard."""
        return await self._until(
            lambda: self.tone_level(freq_hz, for_s) < below_dbm0,
            within_s,
            f"the end of the tone of {freq_hz} Hz",
        )

    async def hears_audio(
        self, within_s: float = 3.0, *, above_dbm0: float = -40.0, for_s: float = 0.1
    ) -> float:
        """Wait until something is heard."""
        return await self._until(
            lambda: audio.level_dbm0(self.latest_pcm(for_s)) > above_dbm0, within_s, "audio"
        )

    async def hears_silence(
        self, within_s: float = 3.0, *, below_dbm0: float = -55.0, for_s: float = 0.5
    ) -> float:
        """Wait until nothing has been heard for `for_s`, whether or not packets come."""
        return await self._until(
            lambda: audio.level_dbm0(self.latest_pcm(for_s)) < below_dbm0, within_s, "silence"
        )

    async def hears_digits(
        self, digits: str, within_s: float = 3.0, *, how: DTMFHow = "rfc4733"
    ) -> float:
        """Wait until these are all the digits received in this way since the beginning."""
        return await self._until(lambda: self.digits(how) == digits, within_s, f"digits {digits}")

    def digits(self, how: DTMFHow = "rfc4733") -> str:
        """The keys received so far as telephone events or in-band; a call adds INFO."""
        if how == "inband":
            return audio.dtmf_digits(self.received_pcm())
        return "".join(press.key for press in self.media.reception.keys)

    def save_wav(self, path: Path | str) -> None:
        """Write what was heard as 16-bit mono at 8 kHz."""
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE_HZ)
            file.writeframes(self.received_pcm().astype("<i2").tobytes())

    def describe_sound(self) -> str:
        """What the last quarter second sounds like, in words."""
        pcm = self.latest_pcm(0.25)
        level = audio.level_dbm0(pcm)
        if level < -55.0:
            return "silence"
        freq_hz = audio.dominant_tone_hz(pcm)
        return f"audio at {level:.0f} dBm0" if freq_hz is None else f"a tone of {freq_hz:.0f} Hz"

    def story(self) -> str:
        """What happened so far, for the text of a failure; a call adds its ladder."""
        return str(self.stats())

    async def _until(self, met: Callable[[], bool], within_s: float, what: str) -> float:
        loop = asyncio.get_running_loop()
        started_at_s = loop.time()
        while not met():
            if loop.time() - started_at_s >= within_s:
                heard = f"{self.describe_sound()}; digits {self.digits()!r}"
                raise NotInTime(
                    f"{what} did not come within {within_s} s, but {heard}\n{self.story()}"
                )
            await asyncio.sleep(FRAME_S)
        return loop.time() - started_at_s


def _has_tone(pcm: PCM, freq_hz: float, above_dbm0: float) -> bool:
    level = audio.tone_level_dbm0(pcm, freq_hz)
    return level > max(above_dbm0, audio.level_dbm0(pcm) - TONE_SHARE_DB)
