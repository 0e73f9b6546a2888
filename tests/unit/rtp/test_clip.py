from __future__ import annotations

import io
import wave

import numpy as np
import pytest

from media_gateway.rtp import g711
from media_gateway.rtp.clip import MAX_CLIP_MS, AudioClip
from media_gateway.rtp.errors import BadAudio
from tests.unit.rtp.rig import Pcm, tone


def wav(pcm: Pcm, *, channels: int = 1, width: int = 2, rate: int = 8_000) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(width)
        out.setframerate(rate)
        out.writeframes(pcm.tobytes())
    return file.getvalue()


def test_frames_are_20_ms_and_the_last_is_padded_with_silence() -> None:
    clip = AudioClip(tone(440, 401))
    for codec in ("PCMU", "PCMA"):
        frames = clip.frames(codec)
        assert [len(frame) for frame in frames] == [160, 160, 160]
        assert frames[2][81:] == g711.SILENCE[codec] * 79
        assert b"".join(frames)[:401] == g711.encode(tone(440, 401), codec)
    assert clip.duration_ms == 60


def test_frames_are_encoded_once() -> None:
    clip = AudioClip(tone(440, 320))
    assert clip.frames("PCMU") is clip.frames("PCMU")


def test_an_empty_clip_has_no_frames() -> None:
    clip = AudioClip(np.zeros(0, dtype=np.int16))
    assert (clip.frames("PCMA"), clip.duration_ms) == ((), 0)


def test_a_wave_file_gives_its_samples() -> None:
    pcm = tone(440, 1_000)
    assert np.array_equal(AudioClip.from_wav(wav(pcm)).pcm, pcm)


def test_every_second_sample_of_an_array_may_be_played() -> None:
    pcm = tone(440, 640)[::2]
    assert AudioClip(pcm).frames("PCMU")[0] == g711.encode(np.ascontiguousarray(pcm), "PCMU")[:160]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"RIFF",
        b"not a wave file at all, whatever its name says",
        wav(tone(440, 100))[:30],
        wav(tone(440, 100), channels=2),
        wav(tone(440, 100), width=1),
        wav(tone(440, 100), rate=16_000),
        wav(tone(440, 100)).replace(b"\x01\x00\x01\x00", b"\x07\x00\x01\x00", 1),
        wav(np.zeros(MAX_CLIP_MS * 8 + 1, dtype=np.int16)),
        bytes(2 * MAX_CLIP_MS * 8 + 70_000),
    ],
    ids=[
        "empty", "half", "text", "no data", "stereo", "8 bit", "16 kHz", "mu-law", "long", "huge",
    ],
)  # fmt: skip
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(BadAudio):
        AudioClip.from_wav(data)


def test_a_file_cut_within_a_sample_plays_up_to_there() -> None:
    assert AudioClip.from_wav(wav(tone(440, 100))[:-1]).pcm.size == 99


@pytest.mark.parametrize(
    "pcm", [np.zeros(10), np.zeros((2, 10), dtype=np.int16)], ids=["floats", "two rows"]
)
def test_other_arrays_are_refused(pcm: Pcm) -> None:
    with pytest.raises(BadAudio):
        AudioClip(pcm)
