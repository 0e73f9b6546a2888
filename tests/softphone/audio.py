"""Telephone sound as numbers: G.711, tones, levels and in-band DTMF.

All sound is numpy int16 at 8,000 samples a second. Levels are in dBm0 as ITU-T G.711 defines
them: a sine that just fills the A-law coder is +3.14 dBm0.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

PCM = npt.NDArray[np.int16]

RATE_HZ: Final = 8000
FRAME_SAMPLES: Final = 160
SILENCE_DBM0: Final = -96.0
FULL_SCALE_SINE_DBM0: Final = 3.14

_DTMF_ROWS: Final = (697.0, 770.0, 852.0, 941.0)
_DTMF_COLUMNS: Final = (1209.0, 1336.0, 1477.0, 1633.0)
_DTMF_KEYS: Final = ("123A", "456B", "789C", "*0#D")
_DTMF_WINDOW: Final = 320
"""40 ms: the shortest tone a receiver must accept (ITU-T Q.24)."""
_DTMF_FLOOR_DBM0: Final = -30.0


def _mu_law_values() -> PCM:
    code = np.arange(256) ^ 0xFF
    magnitude = ((((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _a_law_values() -> PCM:
    code = np.arange(256) ^ 0x55
    segment = (code & 0x70) >> 4
    step = (code & 0x0F) << 4
    magnitude = np.where(segment == 0, step + 8, (step + 0x108) << np.maximum(segment - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


def _mu_law_codes() -> npt.NDArray[np.uint8]:
    sample = np.arange(-32768, 32768)
    biased = np.minimum(np.abs(sample), 32635) + 0x84
    segment = np.floor(np.log2(biased)).astype(int) - 7
    code = (segment << 4) | ((biased >> (segment + 3)) & 0x0F)
    return np.asarray((code | np.where(sample < 0, 0x80, 0)) ^ 0xFF, np.uint8)


def _a_law_codes() -> npt.NDArray[np.uint8]:
    sample = np.arange(-32768, 32768)
    # A negative sample falls in the interval below it: -1 belongs to the first negative step.
    magnitude = np.where(sample < 0, -sample - 1, sample) >> 3
    segment = np.maximum(np.floor(np.log2(np.maximum(magnitude, 1))).astype(int) - 4, 0)
    mantissa = (magnitude >> np.maximum(segment, 1)) & 0x0F
    code = (segment << 4) | mantissa
    return np.asarray((code | np.where(sample < 0, 0, 0x80)) ^ 0x55, np.uint8)


_VALUES: Final = {"PCMU": _mu_law_values(), "PCMA": _a_law_values()}
# Indexed by the sample's bits as they are, without a sign: the negative half comes last.
_CODES: Final = {
    "PCMU": np.roll(_mu_law_codes(), 32768),
    "PCMA": np.roll(_a_law_codes(), 32768),
}
CODECS: Final = tuple(_VALUES)


def encode(codec: str, pcm: PCM) -> bytes:
    """One octet per sample, in the codec named PCMU or PCMA (ITU-T G.711)."""
    return _CODES[codec][pcm.view(np.uint16)].tobytes()


def decode(codec: str, payload: bytes) -> PCM:
    """The samples that these octets stand for."""
    return _VALUES[codec][np.frombuffer(payload, np.uint8)]


def silence(seconds: float) -> PCM:
    """So many seconds of zeros."""
    return np.zeros(round(seconds * RATE_HZ), np.int16)


def tone(freq_hz: float, seconds: float, *, level_dbm0: float = -13.0, start: int = 0) -> PCM:
    """A sine; `start` is its first sample's index, so that pieces join without a click."""
    index = np.arange(start, start + round(seconds * RATE_HZ))
    return _rounded(_peak(level_dbm0) * np.sin(2 * np.pi * freq_hz * index / RATE_HZ))


def dtmf(digit: str, seconds: float, *, level_dbm0: float = -10.0) -> PCM:
    """Both tones of a key (ITU-T Q.23), each at `level_dbm0`."""
    for row, keys in zip(_DTMF_ROWS, _DTMF_KEYS, strict=True):
        if digit in keys:
            column = _DTMF_COLUMNS[keys.index(digit)]
            low = tone(row, seconds, level_dbm0=level_dbm0)
            high = tone(column, seconds, level_dbm0=level_dbm0)
            return _rounded(low.astype(np.float64) + high)
    raise ValueError(f"{digit!r} is no DTMF key")


def level_dbm0(pcm: PCM) -> float:
    """The power of all that is there; SILENCE_DBM0 for nothing."""
    if not len(pcm):
        return SILENCE_DBM0
    return _level(float(np.mean(pcm.astype(np.float64) ** 2)))


def tone_level_dbm0(pcm: PCM, freq_hz: float) -> float:
    """The power at one frequency: a single bin of the Fourier transform, as Goertzel computes.

    A Hann window keeps a loud neighbour from leaking in; resolution is about 2/duration.
    """
    if not len(pcm):
        return SILENCE_DBM0
    window = np.hanning(len(pcm) + 2)[1:-1]
    turning = np.exp(-2j * np.pi * freq_hz * np.arange(len(pcm)) / RATE_HZ)
    peak = 2 * abs(np.dot(pcm * window, turning)) / window.sum()
    return _level(peak**2 / 2)


def dominant_tone_hz(pcm: PCM, *, floor_dbm0: float = -45.0) -> float | None:
    """The frequency that holds at least half of all the power; None for silence or speech."""
    total = level_dbm0(pcm)
    if len(pcm) < FRAME_SAMPLES or total < floor_dbm0:
        return None
    # Zero-padding to a second or more makes the bins 1 Hz or finer.
    size = max(RATE_HZ, len(pcm))
    spectrum = np.abs(np.fft.rfft(pcm * np.hanning(len(pcm)), size))
    freq_hz = float(np.argmax(spectrum)) * RATE_HZ / size
    return freq_hz if tone_level_dbm0(pcm, freq_hz) > total - 3.0 else None


def dtmf_digits(pcm: PCM) -> str:
    """The keys heard in-band, each once for as long as it is held without a pause."""
    heard, held = [], None
    for at in range(0, len(pcm) - _DTMF_WINDOW + 1, FRAME_SAMPLES):
        digit = _dtmf_digit(pcm[at : at + _DTMF_WINDOW])
        if digit is not None and digit != held:
            heard.append(digit)
        held = digit
    return "".join(heard)


def _dtmf_digit(pcm: PCM) -> str | None:
    rows = [tone_level_dbm0(pcm, freq) for freq in _DTMF_ROWS]
    columns = [tone_level_dbm0(pcm, freq) for freq in _DTMF_COLUMNS]
    row, column = int(np.argmax(rows)), int(np.argmax(columns))
    loud = min(rows[row], columns[column]) > _DTMF_FLOOR_DBM0
    alike = abs(rows[row] - columns[column]) < 8.0
    both_db = 10 * np.log10(10 ** (rows[row] / 10) + 10 ** (columns[column] / 10))
    alone = both_db > level_dbm0(pcm) - 2.0
    return _DTMF_KEYS[row][column] if loud and alike and alone else None


def _peak(level: float) -> float:
    return float(32768 * 10 ** ((level - FULL_SCALE_SINE_DBM0) / 20))


def _level(mean_square: float) -> float:
    if mean_square <= 0:
        return SILENCE_DBM0
    level = 10 * np.log10(mean_square / (32768**2 / 2)) + FULL_SCALE_SINE_DBM0
    return max(SILENCE_DBM0, float(level))


def _rounded(samples: npt.NDArray[np.float64]) -> PCM:
    return np.clip(np.rint(samples), -32768, 32767).astype(np.int16)
