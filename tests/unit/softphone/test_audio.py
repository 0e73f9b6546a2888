from collections.abc import Callable

import numpy as np
import pytest

from tests.softphone import audio

# The sinusoid of 1 kHz at a nominal 0 dBm0 (ITU-T G.711, tables 5 and 6).
MILLIWATT = {"PCMA": "34212134b4a1a1b4", "PCMU": "1e0b0b1e9e8b8b9e"}


def mu_law_value(code: int) -> int:
    code ^= 0xFF
    magnitude = ((2 * (code & 15) + 33) << ((code >> 4) & 7)) - 33
    return 4 * (-magnitude if code & 0x80 else magnitude)


def a_law_value(code: int) -> int:
    code ^= 0x55
    segment, step = (code >> 4) & 7, code & 15
    magnitude = (2 * step + 33) << (segment - 1) if segment else 2 * step + 1
    return 8 * magnitude if code & 0x80 else -8 * magnitude


@pytest.mark.parametrize(("codec", "value"), [("PCMU", mu_law_value), ("PCMA", a_law_value)])
def test_every_code_has_the_value_of_the_recommendation(
    codec: str, value: Callable[[int], int]
) -> None:
    decoded = audio.decode(codec, bytes(range(256)))
    assert decoded.tolist() == [value(code) for code in range(256)]


@pytest.mark.parametrize("codec", audio.CODECS)
def test_every_value_is_encoded_as_its_own_code(codec: str) -> None:
    values = audio.decode(codec, bytes(range(256)))
    again = audio.decode(codec, audio.encode(codec, values))
    assert again.tolist() == values.tolist()


@pytest.mark.parametrize("codec", audio.CODECS)
def test_every_sample_goes_to_a_value_at_most_half_a_step_away(codec: str) -> None:
    samples = np.arange(-32768, 32768).astype(np.int16)
    error = np.abs(audio.decode(codec, audio.encode(codec, samples)).astype(int) - samples)
    # 16 steps to a segment: half a step is 1/32 of the segment's upper end, at most 1/16 of x.
    assert (error <= np.maximum(np.abs(samples.astype(int)) / 16, 8.5)).all()


@pytest.mark.parametrize("codec", audio.CODECS)
def test_encoding_never_turns_back(codec: str) -> None:
    samples = np.arange(-32768, 32768).astype(np.int16)
    heard = audio.decode(codec, audio.encode(codec, samples)).astype(int)
    assert (np.diff(heard) >= 0).all()


@pytest.mark.parametrize("codec", audio.CODECS)
def test_the_digital_milliwatt_is_0_dbm0(codec: str) -> None:
    pcm = audio.decode(codec, bytes.fromhex(MILLIWATT[codec]) * 100)
    assert audio.level_dbm0(pcm) == pytest.approx(0.0, abs=0.1)
    assert audio.tone_level_dbm0(pcm, 1000.0) == pytest.approx(0.0, abs=0.1)
    assert audio.dominant_tone_hz(pcm) == pytest.approx(1000.0, abs=1.0)


@pytest.mark.parametrize("level", [-3.0, -13.0, -30.0])
@pytest.mark.parametrize("freq", [300.0, 440.0, 1004.5, 3300.0])
def test_a_tone_has_its_level_and_frequency(freq: float, level: float) -> None:
    pcm = audio.tone(freq, 0.5, level_dbm0=level)
    assert audio.tone_level_dbm0(pcm, freq) == pytest.approx(level, abs=0.1)
    assert audio.level_dbm0(pcm) == pytest.approx(level, abs=0.1)
    assert audio.dominant_tone_hz(pcm) == pytest.approx(freq, abs=1.0)
    assert audio.tone_level_dbm0(pcm, freq + 60.0) < level - 30.0


def test_a_tone_in_pieces_is_the_tone_in_one() -> None:
    pieces = [audio.tone(440.0, 0.02, start=start) for start in range(0, 1600, 160)]
    assert np.concatenate(pieces).tolist() == audio.tone(440.0, 0.2).tolist()


def test_no_frequency_dominates_silence_noise_or_a_chord() -> None:
    noise = np.random.default_rng(1).normal(0, 3000, 4000).astype(np.int16)
    chord = np.sum([audio.tone(f, 0.5) for f in (400.0, 700.0, 1100.0)], axis=0).astype(np.int16)
    assert audio.dominant_tone_hz(audio.silence(0.5)) is None
    assert audio.dominant_tone_hz(noise) is None
    assert audio.dominant_tone_hz(chord) is None


def test_nothing_has_the_level_of_silence() -> None:
    assert audio.level_dbm0(audio.silence(0.0)) == audio.SILENCE_DBM0
    assert audio.tone_level_dbm0(audio.silence(0.0), 440.0) == audio.SILENCE_DBM0
    assert audio.level_dbm0(audio.silence(0.1)) == audio.SILENCE_DBM0


def test_all_sixteen_keys_are_heard_in_band() -> None:
    keys = "1234567890*#ABCD"
    pieces = [np.concatenate([audio.dtmf(key, 0.08), audio.silence(0.05)]) for key in keys]
    pcm = np.concatenate(pieces)
    assert audio.dtmf_digits(audio.decode("PCMU", audio.encode("PCMU", pcm))) == keys


def test_a_key_pressed_twice_is_two_and_a_long_one_is_one() -> None:
    twice = np.concatenate([audio.dtmf("5", 0.1), audio.silence(0.06), audio.dtmf("5", 0.1)])
    assert audio.dtmf_digits(twice) == "55"
    assert audio.dtmf_digits(audio.dtmf("5", 1.0)) == "5"


def test_speech_like_sound_and_single_tones_are_no_keys() -> None:
    noise = np.random.default_rng(2).normal(0, 4000, 8000).astype(np.int16)
    assert audio.dtmf_digits(noise) == ""
    assert audio.dtmf_digits(audio.tone(770.0, 0.5)) == ""


def test_what_is_no_key_cannot_be_pressed() -> None:
    with pytest.raises(ValueError, match="no DTMF key"):
        audio.dtmf("x", 0.1)
