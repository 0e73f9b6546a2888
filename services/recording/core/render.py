"""Segments as sound: the caller on the left, all others on the right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.recording.core.g711 import Pcm, decode
from services.recording.model.evidence import Frames


@dataclass(frozen=True, slots=True)
class Sound:
    """One segment as samples, each with its place in the recording."""

    at: npt.NDArray[np.int64]
    """The place of each sample, counted from the recording's first."""
    pcm: Pcm
    """The samples."""


def sound_of(frames: Frames, *, t0_ms: int) -> Sound:
    """A segment of PCMU or PCMA, placed in a recording that begins at `t0_ms`."""
    sizes = np.array(frames.sizes, dtype=np.int64)
    at = np.array(frames.at_samples, dtype=np.int64) + (frames.track_started_at_ms - t0_ms) * 8
    within = np.arange(sizes.sum(), dtype=np.int64) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return Sound(at=np.repeat(at, sizes) + within, pcm=decode(frames.payload, frames.codec))


def mix(tracks: Iterable[Sequence[Sound]], *, first: int, count: int) -> Pcm:
    """Several tracks in one channel, `count` samples from `first` on; the rest is silence.

    Tracks are summed and held within 16 bits; within a track a later frame replaces an earlier.
    """
    total = np.zeros(count, dtype=np.int32)
    for sounds in tracks:
        track = np.zeros(count, dtype=np.int32)
        for sound in sounds:
            wanted = (sound.at >= first) & (sound.at < first + count)
            track[sound.at[wanted] - first] = sound.pcm[wanted]
        total += track
    return np.clip(total, -32_768, 32_767).astype(np.int16)


def interleave(left: Pcm, right: Pcm) -> bytes:
    """Stereo frames, little-endian, as a WAV keeps them."""
    return np.stack((left, right), axis=1).astype("<i2").tobytes()
