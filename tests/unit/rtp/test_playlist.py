from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media_gateway.rtp.clip import AudioClip
from media_gateway.rtp.g711 import decode
from media_gateway.rtp.playlist import Playlist


def clip(*levels: int) -> AudioClip:
    """One frame of each level, so that frames can be told apart."""
    return AudioClip(np.repeat(np.array(levels, dtype=np.int16), 160))


def playlist(*clips: AudioClip, loop: bool = False) -> Playlist:
    return Playlist("op", clips, loop=loop, resume_key=None)


def levels(playlist: Playlist, count: int) -> list[int | None]:
    frames = [playlist.take("PCMU") for _ in range(count)]
    return [None if frame is None else round(int(decode(frame, "PCMU")[0]), -3) for frame in frames]


def test_clips_follow_each_other_and_end() -> None:
    play = playlist(clip(1_000, 2_000), clip(), clip(3_000))
    assert not play.exhausted
    assert levels(play, 3) == [1_000, 2_000, 3_000]
    assert play.exhausted
    assert play.take("PCMU") is None


def test_a_loop_begins_again_and_never_ends() -> None:
    play = playlist(clip(1_000), clip(2_000), loop=True)
    assert levels(play, 5) == [1_000, 2_000, 1_000, 2_000, 1_000]
    assert (play.exhausted, play.position) == (False, 1)


@pytest.mark.parametrize("clips", [(), (clip(),)])
def test_nothing_to_play_has_ended_even_in_a_loop(clips: tuple[AudioClip, ...]) -> None:
    play = playlist(*clips, loop=True)
    play.resume(7)
    assert play.exhausted
    assert play.take("PCMU") is None


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 40), st.integers(0, 12))
def test_resuming_goes_on_where_the_other_left(position: int, taken: int) -> None:
    clips = (clip(1_000, 2_000), clip(3_000), clip(4_000, 5_000, 6_000))
    straight, resumed = playlist(*clips, loop=True), playlist(*clips, loop=True)
    levels(straight, position + taken)
    resumed.resume(position)
    levels(resumed, taken)
    assert resumed.position == straight.position
    assert levels(resumed, 8) == levels(straight, 8)
