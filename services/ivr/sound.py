"""WAV files as people bring them, made into what the telephone carries."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt
import soxr

from services.chassis.errors import CarillonError, Kind
from services.ivr.speech import TELEPHONE_HZ
from services.ivr.voice import wav

MAX_WAV_BYTES = 10 * 1024 * 1024
MAX_SOUND_S = 300
MIN_HZ, MAX_HZ = 8_000, 48_000
MAX_CHANNELS = 2
MAX_CHUNKS = 64
"""Of a RIFF file, before its samples."""
HEADER_BYTES = 44
"""Of the WAVs that are made here: samples of two bytes follow."""

_PCM: Final = 1
_EXTENSIBLE: Final = 0xFFFE
_PCM_SUBFORMAT = bytes.fromhex("0100000000001000800000aa00389b71")
_FULL_SCALE: Final = {1: 128.0, 2: 32_768.0, 3: 8_388_608.0}
"""By bytes per sample."""


class NotAWav(CarillonError):
    """The bytes are no WAV of the kinds that are taken."""

    code: ClassVar[str] = "not-a-wav"
    kind: ClassVar[Kind] = Kind.INVALID


class TooLong(CarillonError):
    """The sound lasts longer than five minutes, or has more than 10 MiB."""

    code: ClassVar[str] = "too-long"
    kind: ClassVar[Kind] = Kind.INVALID


@dataclass(frozen=True, slots=True)
class _Form:
    channels: int
    rate_hz: int
    sample_bytes: int


def for_telephone(data: bytes) -> bytes:
    """A WAV as mono, 16 bit, 8,000 Hz, as loud as it was; NotAWav, TooLong."""
    form, samples = _read(data)
    frames = len(samples) // (form.channels * form.sample_bytes)
    if frames > MAX_SOUND_S * form.rate_hz:
        raise TooLong(f"{frames / form.rate_hz:.0f} s, at most {MAX_SOUND_S}")
    levels = _levels(samples, form).reshape(-1, form.channels).mean(axis=1, dtype=np.float32)
    if form.rate_hz != TELEPHONE_HZ:
        levels = np.asarray(
            soxr.resample(levels, form.rate_hz, TELEPHONE_HZ, quality="HQ"), dtype=np.float32
        )
    # What was at full scale may overshoot by resampling: it is clipped, not wrapped round.
    return wav(np.clip(np.rint(levels * 32_768), -32_768, 32_767).astype(np.int16))


def duration_ms(wav_bytes: int) -> int:
    """How long a WAV of the telephone's form lasts."""
    return max(0, wav_bytes - HEADER_BYTES) * 1_000 // (2 * TELEPHONE_HZ)


def _read(data: bytes) -> tuple[_Form, bytes]:
    if len(data) > MAX_WAV_BYTES:
        raise TooLong(f"{len(data)} bytes, at most {MAX_WAV_BYTES}")
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise NotAWav("it does not begin as a WAV (RIFF) does")
    form: _Form | None = None
    for name, body in _chunks(data):
        if name == b"fmt ":
            form = _form(body)
        elif name == b"data":
            if form is None:
                raise NotAWav("its samples come before their form")
            if not body or len(body) % (form.channels * form.sample_bytes):
                raise NotAWav("it holds no sound, or breaks off within a sample")
            return form, body
    raise NotAWav("it has no samples")


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    for _ in range(MAX_CHUNKS):
        if at + 8 > len(data):
            return
        name, size = struct.unpack_from("<4sI", data, at)
        if at + 8 + size > len(data):
            raise NotAWav("it breaks off before its end")
        yield name, data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _form(body: bytes) -> _Form:
    if len(body) < 16:
        raise NotAWav("its form is too short")
    tag, channels, rate_hz, _, block, bits = struct.unpack_from("<HHIIHH", body)
    if tag == _EXTENSIBLE and body[24:40] == _PCM_SUBFORMAT:
        tag = _PCM
    if tag != _PCM:
        raise NotAWav("it is not PCM; save it as PCM, 16 bit")
    if not 1 <= channels <= MAX_CHANNELS:
        raise NotAWav(f"it has {channels} channels, not 1 or 2")
    if not MIN_HZ <= rate_hz <= MAX_HZ:
        raise NotAWav(f"it has {rate_hz} Hz, not {MIN_HZ} to {MAX_HZ}")
    if bits not in {8, 16, 24} or block != channels * bits // 8:
        raise NotAWav(f"it has {bits} bits, not 8, 16 or 24")
    return _Form(channels, rate_hz, bits // 8)


def _levels(samples: bytes, form: _Form) -> npt.NDArray[np.float32]:
    """Every sample between -1 and 1."""
    raw = np.frombuffer(samples, dtype=np.uint8)
    if form.sample_bytes == 1:
        whole = raw.astype(np.float32) - 128  # the one size without a sign
    elif form.sample_bytes == 2:
        whole = np.frombuffer(samples, dtype="<i2").astype(np.float32)
    else:
        parts = raw.reshape(-1, 3).astype(np.int32)
        unsigned = parts[:, 0] | parts[:, 1] << 8 | parts[:, 2] << 16
        whole = ((unsigned ^ 0x800000) - 0x800000).astype(np.float32)
    return np.asarray(whole / _FULL_SCALE[form.sample_bytes], dtype=np.float32)
