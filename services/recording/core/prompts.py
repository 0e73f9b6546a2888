"""What Carillon played to the caller, as sound: it is in no track, since nobody sent it."""

from __future__ import annotations

import io
import wave
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.recording.core.g711 import Pcm
from services.recording.core.render import Sound
from services.recording.core.wav import RATE_HZ
from services.recording.model.evidence import Recording

MAX_CLIP_SAMPLES = RATE_HZ * 600
_SAMPLES_PER_MS = RATE_HZ // 1_000


@dataclass(frozen=True, slots=True)
class Playing:
    """Prompts that were played, placed in the recording's sound."""

    first: int
    """The sample at which they began."""
    end: int
    """The sample at which they ended, or were stopped."""
    prompts: tuple[str, ...]
    """SHA-256 of blobs, or names of system sounds."""
    loop: bool
    """True: over and over."""


def playings_of(
    recording: Recording, caller_legs: set[str], *, t0_ms: int, samples: int
) -> tuple[Playing, ...]:
    """What the caller was played; what has no end lasts as long as the recording."""
    return tuple(
        Playing(
            first=(played.from_ms - t0_ms) * _SAMPLES_PER_MS,
            end=(played.to_ms - t0_ms) * _SAMPLES_PER_MS if played.to_ms else samples,
            prompts=played.prompts,
            loop=played.loop,
        )
        for played in recording.played
        if played.leg_id in caller_legs
    )


def clip_of(data: bytes) -> Pcm | None:
    """The samples of a mono 16-bit WAV at 8,000 Hz; None when it is something else."""
    try:
        with wave.open(io.BytesIO(data)) as file:
            shape = (file.getnchannels(), file.getsampwidth(), file.getframerate())
            if shape != (1, 2, RATE_HZ) or file.getnframes() > MAX_CLIP_SAMPLES:
                return None
            frames = file.readframes(file.getnframes())
    except (wave.Error, EOFError):
        return None
    return np.frombuffer(frames, dtype="<i2").astype(np.int16)


def heard(playing: Playing, clips: Sequence[Pcm | None], *, first: int, count: int) -> Sound:
    """What of it was heard in `count` samples from `first` on.

    After a clip that is not at hand (None) nobody knows where the next began: silence follows.
    """
    known = [clip for clip in clips[: _first_unknown(clips)] if clip is not None]
    sequence = np.concatenate(known) if known else np.zeros(0, dtype=np.int16)
    at = np.arange(max(first, playing.first), min(first + count, playing.end), dtype=np.int64)
    place = at - playing.first
    if playing.loop and len(known) == len(clips) and len(sequence):
        place %= len(sequence)
    within = place < len(sequence)
    return Sound(at=at[within], pcm=sequence[place[within]])


def _first_unknown(clips: Sequence[Pcm | None]) -> int:
    return next((n for n, clip in enumerate(clips) if clip is None), len(clips))
