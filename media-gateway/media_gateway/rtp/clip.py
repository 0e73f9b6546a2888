"""Audio that can be played: encoded once into the frames that go out, shared by all listeners."""

from __future__ import annotations

import io
import wave
from typing import Final

import numpy as np

from media_gateway.rtp import g711
from media_gateway.rtp.errors import BadAudio
from media_gateway.rtp.g711 import Pcm
from media_gateway.rtp.model import FRAME_MS, FRAME_SAMPLES, SAMPLES_PER_MS, Codec

SAMPLE_RATE: Final = 1_000 * SAMPLES_PER_MS
MAX_CLIP_MS: Final = 10 * 60 * 1_000
_MAX_SAMPLES: Final = MAX_CLIP_MS * SAMPLES_PER_MS
_MAX_WAV_BYTES: Final = 2 * _MAX_SAMPLES + 65_536
"""The samples, and room for the chunks that editors add."""


class AudioClip:
    """Up to ten minutes of 8 kHz audio, in 20 ms frames for each codec (the last is padded)."""

    __slots__ = ("_frames", "_pcm")

    def __init__(self, pcm: Pcm) -> None:
        """Take mono int16 samples; raises BadAudio."""
        if pcm.dtype != np.int16 or pcm.ndim != 1:
            raise BadAudio(f"want one row of int16 samples, got {pcm.ndim} of {pcm.dtype}")
        if pcm.size > _MAX_SAMPLES:
            raise BadAudio(f"{pcm.size / SAMPLE_RATE:.0f} s of audio, at most 600 s are played")
        self._pcm = np.ascontiguousarray(pcm)
        self._frames: dict[Codec, tuple[bytes, ...]] = {}

    @classmethod
    def from_wav(cls, data: bytes) -> AudioClip:
        """Read a RIFF file of mono 16-bit 8 kHz PCM; raises BadAudio."""
        if len(data) > _MAX_WAV_BYTES:
            raise BadAudio(f"a file of {len(data)} bytes, at most 600 s of audio are played")
        try:
            with wave.open(io.BytesIO(data)) as file:
                shape = (file.getnchannels(), 8 * file.getsampwidth(), file.getframerate())
                samples = file.readframes(file.getnframes())
        except (wave.Error, EOFError, ValueError, ZeroDivisionError) as error:
            raise BadAudio(f"not a PCM wave file: {error}") from error
        if shape != (1, 16, SAMPLE_RATE):
            raise BadAudio(f"want 1 channel, 16 bits, 8000 Hz; the file has {shape}")
        # A file that was cut off may end within a sample.
        return cls(np.frombuffer(samples[: len(samples) & ~1], dtype="<i2").astype(np.int16))

    @property
    def pcm(self) -> Pcm:
        """The samples as they were given."""
        return self._pcm

    @property
    def duration_ms(self) -> int:
        """How long it plays, in whole frames."""
        return -(-self._pcm.size // FRAME_SAMPLES) * FRAME_MS

    def frames(self, codec: Codec) -> tuple[bytes, ...]:
        """The payloads to send, 160 bytes each; encoded at first use."""
        frames = self._frames.get(codec)
        if frames is None:
            frames = self._frames[codec] = self._encode(codec)
        return frames

    def _encode(self, codec: Codec) -> tuple[bytes, ...]:
        payload = g711.encode(self._pcm, codec)
        payload += g711.SILENCE[codec] * (-len(payload) % FRAME_SAMPLES)
        return tuple(
            payload[start : start + FRAME_SAMPLES]
            for start in range(0, len(payload), FRAME_SAMPLES)
        )
