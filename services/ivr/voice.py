"""A voice: text in, telephone audio out."""

from __future__ import annotations

import asyncio
import io
import re
import wave

import numpy as np
import numpy.typing as npt
import soxr

from services.ivr.speech import TELEPHONE_HZ, Engine, NoSuchVoice, Speech, VoiceFailed

MAX_SPOKEN_CHARS = 2_000
MAX_SPEECH_S = 300
TARGET_DBOV = -20.0
"""Level of the active speech, relative to overload (ITU-T G.100.1): loud enough, never clipped."""
PEAK = 29_000
"""The highest sample allowed, of 32,767."""

_VOICE_NAME = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,8}){0,3}")
_FRAME = 160
_SILENCE_RMS = 60
"""Below this a 20 ms frame is silence."""
_LEAD_FRAMES = 1
_TAIL_FRAMES = 8


class Voice:
    """An engine, with its words brought to the telephone's form."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def name(self) -> str:
        """The engine's."""
        return self._engine.name

    async def render(self, text: str, language: str, voice: str = "") -> bytes:
        """A mono 16-bit 8,000 Hz WAV of the text; NoSuchVoice or VoiceFailed."""
        if not text.strip() or len(text) > MAX_SPOKEN_CHARS:
            raise VoiceFailed(f"a text has 1 to {MAX_SPOKEN_CHARS} characters, not {len(text)}")
        name = voice or language
        # Engines take names as paths of files, so only names are let through.
        if not _VOICE_NAME.fullmatch(name):
            raise NoSuchVoice(name[:64])
        speech = await self._engine.speak(text, name)
        # A long text takes some 20 ms: other calls must not wait for it.
        return await asyncio.to_thread(lambda: wav(for_telephone(speech)))

    async def close(self) -> None:
        """Releases the engine."""
        await self._engine.close()


def for_telephone(speech: Speech) -> npt.NDArray[np.int16]:
    """Speech at 8,000 Hz, without silence around it, at the level of telephone speech."""
    samples = np.frombuffer(speech.samples, dtype="<i2")
    if len(samples) > MAX_SPEECH_S * speech.rate_hz:
        raise VoiceFailed(f"more than {MAX_SPEECH_S} s of speech")
    resampled = soxr.resample(
        samples.astype(np.float32), speech.rate_hz, TELEPHONE_HZ, quality="HQ"
    )
    return levelled(trimmed(np.asarray(resampled, dtype=np.float32)))


def trimmed(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The samples from just before the first sound to shortly after the last."""
    loud = np.flatnonzero(_frame_rms(samples) > _SILENCE_RMS)
    if len(loud) == 0:
        raise VoiceFailed("the engine said nothing")
    first = max(0, int(loud[0]) - _LEAD_FRAMES)
    last = int(loud[-1]) + 1 + _TAIL_FRAMES
    return samples[first * _FRAME : last * _FRAME]


def levelled(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.int16]:
    """The samples with their active parts at -20 dBov, or less where a peak would clip."""
    rms = _frame_rms(samples)
    active = rms[rms > rms.max() / 10]  # pauses, 20 dB below the loudest, do not count
    level = float(np.sqrt(np.mean(active**2)))
    wanted = 32_768 * 10 ** (TARGET_DBOV / 20)
    gain = min(wanted / level, PEAK / float(np.abs(samples).max()))
    return np.asarray(np.rint(samples * gain), dtype=np.int16)


def wav(samples: npt.NDArray[np.int16]) -> bytes:
    """A WAV file of mono samples at 8,000 Hz."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(TELEPHONE_HZ)
        out.writeframes(samples.astype("<i2").tobytes())
    return file.getvalue()


def _frame_rms(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    whole = -(-len(samples) // _FRAME) * _FRAME
    frames = np.pad(samples, (0, whole - len(samples))).reshape(-1, _FRAME)
    return np.asarray(np.sqrt(np.mean(frames**2, axis=1)), dtype=np.float32)
