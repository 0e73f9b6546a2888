"""WAV files as people bring them."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest

from services.ivr.sound import MAX_WAV_BYTES, NotAWav, TooLong, duration_ms, for_telephone

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
SUBFORMAT = bytes.fromhex("0100000000001000800000aa00389b71")


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"WAVE"
    for name, data in chunks:
        body += struct.pack("<4sI", name, len(data)) + data + b"\0" * (len(data) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def form(rate: int = 8_000, channels: int = 1, bits: int = 16, tag: int = PCM) -> bytes:
    block = channels * bits // 8
    head = struct.pack("<HHIIHH", tag, channels, rate, rate * block, block, bits)
    if tag == EXTENSIBLE:
        head += struct.pack("<HHI", 22, bits, 0) + SUBFORMAT
    return head


def tone(rate: int, channels: int, bits: int, seconds: float = 0.5) -> bytes:
    """440 Hz at half of full scale, on every channel."""
    at = np.arange(int(rate * seconds)) / rate
    level = np.repeat(0.5 * np.sin(2 * np.pi * 440 * at), channels)
    if bits == 8:
        return (level * 127 + 128).astype(np.uint8).tobytes()
    if bits == 16:
        return (level * 32_767).astype("<i2").tobytes()
    whole = (level * 8_388_607).astype("<i4")
    return whole.view(np.uint8).reshape(-1, 4)[:, :3].tobytes()


def samples_of(wav: bytes) -> Any:
    assert wav[:4] == b"RIFF"
    assert struct.unpack_from("<HHIIHH", wav, 20) == (1, 1, 8_000, 16_000, 2, 16)
    return np.frombuffer(wav[44:], dtype="<i2").astype(float)


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("bits", [8, 16, 24])
def test_every_kind_that_is_taken_sounds_as_it_did(rate: int, channels: int, bits: int) -> None:
    wav = riff((b"fmt ", form(rate, channels, bits)), (b"data", tone(rate, channels, bits)))
    samples = samples_of(for_telephone(wav))
    assert len(samples) == pytest.approx(4_000, abs=8)
    inner = samples[400:-400]
    spectrum = np.abs(np.fft.rfft(inner * np.hanning(len(inner))))
    assert np.argmax(spectrum) * 8_000 / len(inner) == pytest.approx(440, abs=4)
    assert np.sqrt(np.mean(inner**2)) == pytest.approx(0.5 * 32_768 / 2**0.5, rel=0.03)


def test_other_chunks_and_the_extensible_form_are_read_over() -> None:
    wav = riff(
        (b"LIST", b"odd"),
        (b"fmt ", form(16_000, 2, 24, EXTENSIBLE)),
        (b"fact", b"\0" * 4),
        (b"data", tone(16_000, 2, 24)),
        (b"junk", b"x"),
    )
    assert len(samples_of(for_telephone(wav))) == 4_000
    assert duration_ms(len(for_telephone(wav))) == 500


def test_silence_is_a_sound_too_and_two_sides_are_mixed() -> None:
    silent = for_telephone(riff((b"fmt ", form()), (b"data", b"\0\0" * 80)))
    assert not samples_of(silent).any()
    sides = np.array([10_000, -10_000] * 80, dtype="<i2").tobytes()
    mixed = for_telephone(riff((b"fmt ", form(channels=2)), (b"data", sides)))
    assert not samples_of(mixed).any()


def test_what_is_at_full_scale_stays_on_its_side() -> None:
    edges = np.array([32_767, -32_768] * 8_000, dtype="<i2").repeat(6).tobytes()
    samples = samples_of(for_telephone(riff((b"fmt ", form(48_000)), (b"data", edges))))
    assert samples.max() <= 32_767
    assert samples.min() >= -32_768


DATA = (b"data", b"\0\0" * 80)


@pytest.mark.parametrize(
    "wav",
    [
        b"",
        b"RIFF",
        b"ID3\x04" + b"\0" * 100,
        riff(),
        riff((b"fmt ", form())),
        riff(DATA),
        riff(DATA, (b"fmt ", form())),
        riff((b"fmt ", form()), (b"data", b"")),
        riff((b"fmt ", form()), (b"data", b"\0" * 3)),
        riff((b"fmt ", form()[:14]), DATA),
        riff((b"fmt ", form(tag=FLOAT)), DATA),
        riff((b"fmt ", form(tag=EXTENSIBLE)[:24] + b"\x03" + b"\0" * 15), DATA),
        riff((b"fmt ", form(channels=3)), DATA),
        riff((b"fmt ", form(channels=0)), DATA),
        riff((b"fmt ", form(rate=7_999)), DATA),
        riff((b"fmt ", form(rate=96_000)), DATA),
        riff((b"fmt ", form(rate=0)), DATA),
        riff((b"fmt ", form(bits=32)), DATA),
        riff((b"fmt ", form(bits=12)), DATA),
        riff((b"fmt ", form()), DATA)[:-10],
        riff(*((b"junk", b"x"),) * 64, (b"fmt ", form()), DATA),
    ],
)
def test_what_is_no_wav_of_these_kinds_is_refused(wav: bytes) -> None:
    with pytest.raises(NotAWav):
        for_telephone(wav)


def test_five_minutes_are_enough() -> None:
    minute = b"\x80" * 8_000 * 60
    longest = riff((b"fmt ", form(bits=8)), (b"data", minute * 5))
    assert duration_ms(len(for_telephone(longest))) == 300_000
    with pytest.raises(TooLong, match="300"):
        for_telephone(riff((b"fmt ", form(bits=8)), (b"data", minute * 5 + b"\x80")))
    with pytest.raises(TooLong, match="bytes"):
        for_telephone(b"RIFF" + b"\0" * MAX_WAV_BYTES)
