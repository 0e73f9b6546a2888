from __future__ import annotations

import numpy as np
import pytest

from media_gateway.rtp.clip import AudioClip
from media_gateway.rtp.sounds import BEEP, MUSIC, MUSIC_DBOV, RINGBACK, system_sounds
from tests.unit.rtp.rig import level_db


@pytest.fixture(scope="module")
def sounds() -> dict[str, AudioClip]:
    return system_sounds()


def dbov(samples: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(samples**2)) / 32_768 + 1e-9))


def test_music_is_long_quiet_and_never_clips(sounds: dict[str, AudioClip]) -> None:
    music = sounds[MUSIC].pcm.astype(np.float64)
    assert sounds[MUSIC].duration_ms >= 20_000
    assert sounds[MUSIC].duration_ms * 8 == music.size
    assert dbov(music) == pytest.approx(MUSIC_DBOV, abs=0.1)
    assert np.abs(music).max() < 20_000
    seconds = music.reshape(-1, 8_000)
    # No second so quiet that a waiting caller thinks the call is gone.
    assert min(dbov(second) for second in seconds) > MUSIC_DBOV - 8


def test_music_loops_without_a_click(sounds: dict[str, AudioClip]) -> None:
    music = sounds[MUSIC].pcm.astype(np.float64)
    # A click is a bend no other place has; look at the seam as at any strike of a bell.
    around = np.concatenate([music[-4_000:], music[:4_000]])
    seam = np.abs(np.diff(around, 2))[3_990:4_010].max()
    assert seam <= np.abs(np.diff(music, 2)).max() / 2


def test_sounds_are_the_same_each_time(sounds: dict[str, AudioClip]) -> None:
    again = system_sounds()
    assert all(np.array_equal(sounds[name].pcm, again[name].pcm) for name in sounds)
    assert again.keys() == {MUSIC, RINGBACK, BEEP}


def test_ringing_is_two_seconds_of_two_tones_in_six(sounds: dict[str, AudioClip]) -> None:
    ringing = sounds[RINGBACK].pcm
    assert ringing.size == 6 * 8_000
    for frequency_hz in (440, 480):
        assert level_db(ringing[800:15_200], frequency_hz) == pytest.approx(-22.1, abs=0.3)
    assert not ringing[16_000:].any()


def test_the_beep_is_short_and_soft_at_its_ends(sounds: dict[str, AudioClip]) -> None:
    beep = sounds[BEEP].pcm
    assert sounds[BEEP].duration_ms == 400
    assert level_db(beep[400:2_800], 1_000) == pytest.approx(-18.1, abs=0.3)
    assert np.abs(beep[:8]).max() < 1_000
    assert np.abs(beep[-8:]).max() < 1_000
