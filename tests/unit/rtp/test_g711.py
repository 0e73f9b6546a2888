from __future__ import annotations

import numpy as np
import pytest

from media_gateway.rtp import g711
from media_gateway.rtp.model import Codec

LAWS: tuple[Codec, ...] = ("PCMU", "PCMA")
ALL_CODES = bytes(range(256))
ALL_SAMPLES = np.arange(-32_768, 32_768).astype(np.int16)


@pytest.mark.parametrize(
    ("codec", "sample", "code"),
    [
        # ITU-T G.711 tables 1 and 2, scaled to 16 bits: zero, the smallest steps, the extremes.
        ("PCMU", 0, 0xFF),
        ("PCMU", 8, 0xFE),
        ("PCMU", -8, 0x7E),
        ("PCMU", 32_124, 0x80),
        ("PCMU", -32_124, 0x00),
        ("PCMU", 32_767, 0x80),
        ("PCMU", -32_768, 0x00),
        ("PCMA", 0, 0xD5),
        ("PCMA", 8, 0xD5),
        ("PCMA", -8, 0x55),
        ("PCMA", 32_256, 0xAA),
        ("PCMA", -32_256, 0x2A),
        ("PCMA", 32_767, 0xAA),
        ("PCMA", -32_768, 0x2A),
    ],
)
def test_known_values_encode(codec: Codec, sample: int, code: int) -> None:
    assert g711.encode(np.array([sample], dtype=np.int16), codec)[0] == code


@pytest.mark.parametrize(
    ("codec", "code", "sample"),
    [
        ("PCMU", 0x80, 32_124),
        ("PCMU", 0x00, -32_124),
        ("PCMU", 0xFF, 0),
        ("PCMU", 0x7F, 0),
        ("PCMU", 0xEF, 132),
        ("PCMU", 0x8F, 16_764),
        ("PCMA", 0xAA, 32_256),
        ("PCMA", 0x2A, -32_256),
        ("PCMA", 0xD5, 8),
        ("PCMA", 0x55, -8),
        ("PCMA", 0xC5, 264),
    ],
)
def test_known_values_decode(codec: Codec, code: int, sample: int) -> None:
    assert g711.decode(bytes([code]), codec)[0] == sample


@pytest.mark.parametrize("codec", LAWS)
def test_every_code_survives_the_way_through_pcm(codec: Codec) -> None:
    again = g711.encode(g711.decode(ALL_CODES, codec), codec)
    changed = {code for code in range(256) if again[code] != code}
    # Mu-law has two zeros; the negative one becomes the positive.
    assert changed == ({0x7F} if codec == "PCMU" else set())


@pytest.mark.parametrize("codec", LAWS)
def test_error_stays_within_half_a_step(codec: Codec) -> None:
    error = np.abs(g711.decode(g711.encode(ALL_SAMPLES, codec), codec) - ALL_SAMPLES.astype(int))
    clipped = np.maximum(np.abs(ALL_SAMPLES.astype(int)) - 32_256, 0)
    step = np.maximum(np.abs(ALL_SAMPLES.astype(int)) / 16 + 8, 16)
    assert np.all(error <= step / 2 + 4 + clipped)


@pytest.mark.parametrize("codec", LAWS)
def test_encoding_keeps_the_order_of_samples(codec: Codec) -> None:
    decoded = g711.decode(g711.encode(ALL_SAMPLES, codec), codec).astype(int)
    assert np.all(np.diff(decoded) >= 0)


def test_translation_equals_decoding_and_encoding() -> None:
    table = g711.translation("PCMU", "PCMA")
    assert table is not None
    assert ALL_CODES.translate(table) == g711.encode(g711.decode(ALL_CODES, "PCMU"), "PCMA")
    assert g711.translation("PCMA", "PCMA") is None


@pytest.mark.parametrize("codec", LAWS)
def test_silence_is_the_quietest_code(codec: Codec) -> None:
    assert abs(int(g711.decode(g711.SILENCE[codec], codec)[0])) <= 8
