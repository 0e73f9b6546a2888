"""Tones through a bridge: as loud as they were, nothing missing, nothing added."""

from __future__ import annotations

import numpy as np
import pytest

from media_gateway.rtp import g711
from media_gateway.rtp.clip import AudioClip
from media_gateway.rtp.model import Codec
from tests.unit.rtp.rig import Clock, Floor, Leg, Pcm, level_db, tone

FRAMES = 50
"""One second."""


def bridge(left_codec: Codec, right_codec: Codec) -> tuple[Leg, Leg, Floor]:
    clock = Clock()
    left = Leg(clock, "left", codec=left_codec)
    right = Leg(clock, "right", number=1, codec=right_codec)
    left.negotiate()
    right.negotiate()
    left.port.connect(right.port)
    return left, right, Floor(left, right)


def frame_of(frequency_hz: float, number: int, codec: Codec) -> bytes:
    return g711.encode(tone(frequency_hz, 160, start=160 * number), codec)


def purity_db(pcm: Pcm, frequency_hz: float) -> float:
    """How far all the rest lies below the tone; a click or a hole is broad and shows at once."""
    window = np.hanning(pcm.size)
    power = np.abs(np.fft.rfft(pcm * window)) ** 2
    at = round(frequency_hz * pcm.size / 8_000)
    wanted = power[at - 3 : at + 4].sum()
    return float(10 * np.log10(wanted / (power.sum() - wanted)))


@pytest.mark.parametrize("codecs", [("PCMU", "PCMU"), ("PCMA", "PCMA"), ("PCMU", "PCMA")])
def test_a_tone_keeps_its_level_and_has_no_seam(codecs: tuple[Codec, Codec]) -> None:
    left, right, floor = bridge(*codecs)
    for n in range(FRAMES):
        floor.pass_frame(left=frame_of(440, n, codecs[0]), right=frame_of(660, n, codecs[1]))
    sent_db = level_db(tone(440, 8_000), 440)
    for leg, own_hz, other_hz in ((right, 440, 660), (left, 660, 440)):
        pcm = leg.heard_pcm()
        assert pcm.size == 8_000
        # One law's steps shift the level of a pure tone by up to 0.1 dB, two by twice that.
        assert level_db(pcm, own_hz) == pytest.approx(sent_db, abs=0.2)
        assert level_db(pcm, other_hz) < sent_db - 50
        # G.711 alone leaves about 38 dB, two laws in a row about 35.
        assert purity_db(pcm, own_hz) > 33


def test_a_hole_would_be_noticed() -> None:
    pcm = tone(440, 8_000)
    pcm[4_000:4_160] = 0
    assert purity_db(pcm, 440) < 33


def test_a_tone_is_whole_again_after_a_prompt_cut_into_it() -> None:
    _left, right, floor = bridge("PCMU", "PCMU")
    prompt = AudioClip(tone(1_000, 20 * 160))
    for n in range(FRAMES + 20 + FRAMES):
        if n == FRAMES:
            right.port.play("prompt", [prompt], loop=False)
        floor.pass_frame(left=frame_of(440, n, "PCMU"))
    pcm = right.heard_pcm()
    before, during, after = pcm[:8_000], pcm[8_000:11_200], pcm[11_200:]
    sent_db = level_db(tone(440, 8_000), 440)
    assert level_db(before, 440) == pytest.approx(sent_db, abs=0.1)
    assert level_db(during, 1_000) == pytest.approx(sent_db, abs=0.1)
    assert level_db(during, 440) < sent_db - 40
    assert level_db(after[:7_680], 440) == pytest.approx(sent_db, abs=0.1)
    assert purity_db(after[:7_680], 440) > 33


def test_a_muted_tone_is_true_silence() -> None:
    left, right, floor = bridge("PCMU", "PCMA")
    left.port.set_mute(muted=True)
    for n in range(FRAMES):
        floor.pass_frame(left=frame_of(440, n, "PCMU"))
    assert np.abs(right.heard_pcm()).max() <= 8


def test_a_loop_has_no_seam() -> None:
    leg = Leg(Clock())
    leg.negotiate()
    floor = Floor(leg)
    leg.port.play("tone", [AudioClip(tone(400, 1_600))], loop=True)
    for _ in range(FRAMES):
        floor.pass_frame()
    assert purity_db(leg.heard_pcm(), 400) > 33
