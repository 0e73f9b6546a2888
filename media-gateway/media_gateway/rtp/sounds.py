"""The sounds that every gateway has without asking anyone, synthesised once at start-up.

The same samples each time; what loops does so without a seam, for a bell that still rings at the
end of the round goes on ringing at its beginning.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from media_gateway.rtp.clip import SAMPLE_RATE, AudioClip
from media_gateway.rtp.g711 import Pcm

MUSIC: Final = "music"
RINGBACK: Final = "ringback"
BEEP: Final = "beep"

MUSIC_DBOV: Final = -22.0
"""Loudness of the music against a full-scale square wave: clearly below speech."""
RINGBACK_DBM0: Final = -19.0
"""Of each of its two tones, as American exchanges send it."""
BEEP_DBM0: Final = -15.0

_Wave = npt.NDArray[np.float64]
_FULL_SCALE: Final = 32_768.0
_DBM0_SINE_PEAK_DB: Final = -3.14
"""The peak of a 0 dBm0 sine against full scale (A-law's; mu-law's differs by 0.03)."""

_STRIKE_S: Final = 1.0
"""The pace of the carillon: one bell a second, three bars of eight in a round of 24 s."""
_MELODY: Final = (
    (67, 48), (72, 0), (76, 0), (74, 55), (72, 0), (69, 0), (67, 52), (0, 0),
    (69, 53), (72, 0), (77, 0), (76, 48), (74, 0), (72, 0), (74, 55), (0, 0),
    (76, 48), (79, 0), (77, 53), (76, 0), (74, 55), (71, 0), (72, 48), (0, 0),
)  # fmt: skip
"""Each second's bell and the low bell under it, as MIDI notes; 0 is none. The highest partial of
the highest bell is 2.4 kHz, well within a telephone's band."""
_BELL: Final = (
    (0.5, 0.30, 2.8), (1.0, 1.00, 2.2), (1.2, 0.22, 1.4), (1.5, 0.12, 1.1),
    (2.0, 0.35, 1.0), (2.5, 0.08, 0.6), (3.0, 0.06, 0.5),
)  # fmt: skip
"""A bell's partials (hum, prime, minor third, fifth, octave, ...): ratio, weight, decay in s."""
_ATTACK_S: Final = 0.012
_RING_S: Final = 7.0
"""How long a bell is followed; its slowest partial is then 20 dB and more below its start."""


def system_sounds() -> dict[str, AudioClip]:
    """Music on hold, ringing and a beep, by name."""
    return {MUSIC: AudioClip(_music()), RINGBACK: AudioClip(_ringback()), BEEP: AudioClip(_beep())}


def _music() -> Pcm:
    around = np.zeros(int(len(_MELODY) * _STRIKE_S * SAMPLE_RATE))
    notes = {note for pair in _MELODY for note in pair if note}
    bells = {note: _bell(440.0 * 2 ** ((note - 69) / 12)) for note in notes}
    for second, (high, low) in enumerate(_MELODY):
        start = int(second * _STRIKE_S * SAMPLE_RATE)
        for note, weight in ((high, 1.0), (low, 0.7)):
            if note:
                _ring_into(around, start, weight * bells[note])
    level = _FULL_SCALE * 10 ** (MUSIC_DBOV / 20) / np.sqrt(np.mean(around**2))
    return _samples(around * level)


def _bell(pitch_hz: float) -> _Wave:
    time_s = np.arange(int(_RING_S * SAMPLE_RATE)) / SAMPLE_RATE
    sound = np.zeros_like(time_s)
    for ratio, weight, decay_s in _BELL:
        # After six decays a partial is 52 dB down, under the noise of G.711.
        rings_s = time_s[: int(6 * decay_s * SAMPLE_RATE)]
        swing = np.sin(2 * np.pi * ratio * pitch_hz * rings_s)
        sound[: rings_s.size] += weight * swing * np.exp(-rings_s / decay_s)
    sound *= np.minimum(time_s / _ATTACK_S, 1.0)
    # Fade the rest away, so that leaving the bell is as inaudible as striking it is soft.
    return sound * np.clip((_RING_S - time_s) / 2.0, 0.0, 1.0)


def _ring_into(around: _Wave, start: int, sound: _Wave) -> None:
    places = (start + np.arange(sound.size)) % around.size
    around[places] += sound


def _ringback() -> Pcm:
    ringing = _tone(440.0, RINGBACK_DBM0, 2.0) + _tone(480.0, RINGBACK_DBM0, 2.0)
    return _samples(np.concatenate([ringing, np.zeros(4 * SAMPLE_RATE)]))


def _beep() -> Pcm:
    return _samples(_tone(1_000.0, BEEP_DBM0, 0.4))


def _tone(frequency_hz: float, level_dbm0: float, seconds: float) -> _Wave:
    time_s = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    peak = _FULL_SCALE * 10 ** ((level_dbm0 + _DBM0_SINE_PEAK_DB) / 20)
    fade = np.clip(np.minimum(time_s, seconds - time_s) / 0.01, 0.0, 1.0)
    return peak * fade * np.sin(2 * np.pi * frequency_hz * time_s)


def _samples(sound: _Wave) -> Pcm:
    samples: Pcm = np.round(sound).astype(np.int16)
    return samples
