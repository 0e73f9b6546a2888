"""A gateway's side of a recording: segments sealed and a manifest, with sound to recognise."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from protos.recording.v1 import recording_pb2
from services.chassis import sealing

START_MS = 1_700_000_000_000
FRAME = 160
"""Samples of 20 ms."""


def tone(hz: float, level_db: float, samples: int) -> npt.NDArray[np.int16]:
    """A sine; 0 dB is the largest that 16 bits can hold."""
    time_s = np.arange(samples) / 8_000
    wave = np.sin(2 * np.pi * hz * time_s) * 32_767 * 10 ** (level_db / 20)
    return np.round(wave).astype(np.int16)


def mu_law(pcm: npt.NDArray[np.int16]) -> bytes:
    """By the formula of G.711 for each sample, apart from the tables of the product."""
    coded = bytearray()
    for sample in pcm.tolist():
        magnitude = min(abs(sample), 32_635) + 132
        exponent = magnitude.bit_length() - 8
        mantissa = (magnitude >> (exponent + 3)) & 0x0F
        coded.append(~((0x80 if sample < 0 else 0) | exponent << 4 | mantissa) & 0xFF)
    return bytes(coded)


class Tape:
    """One call's recording, as a gateway makes it."""

    def __init__(
        self,
        call_id: str,
        key: sealing.KeyPair | recording_pb2.SealingKey,
        *,
        gateway: str = "gw-1",
    ) -> None:
        self.call_id = call_id
        self.gateway = gateway
        self._key = sealing.generate_key()
        self._wrapped = sealing.seal_key(self._key, public_key=key.public_key, call_id=call_id)
        self.tracks: dict[str, list[str]] = {}

    def segment(
        self,
        track_id: str,
        number: int,
        payload: bytes,
        *,
        at: int = 0,
        codec: str = "PCMU",
        started_at_ms: int = START_MS,
    ) -> recording_pb2.PutSegmentRequest:
        """A segment of frames of 20 ms, the first of which begins at sample `at`."""
        sizes = [len(payload[n : n + FRAME]) for n in range(0, len(payload), FRAME)]
        return self.seal(
            recording_pb2.Segment(
                call_id=self.call_id,
                track_id=track_id,
                number=number,
                track_started_at_ms=started_at_ms,
                codec=codec,
                at_samples=[at + n * FRAME for n in range(len(sizes))],
                sizes=sizes,
                payload=payload,
            )
        )

    def seal(self, segment: recording_pb2.Segment) -> recording_pb2.PutSegmentRequest:
        """Any segment, sealed under its own name."""
        clear = segment.SerializeToString()
        sha256 = hashlib.sha256(clear).hexdigest()
        self.tracks.setdefault(segment.track_id, []).append(sha256)
        return recording_pb2.PutSegmentRequest(
            call_id=self.call_id,
            track_id=segment.track_id,
            number=segment.number,
            key=recording_pb2.WrappedKey(
                key_id=self._wrapped.key_id,
                ephemeral_public_key=self._wrapped.ephemeral_public_key,
                wrapped=self._wrapped.wrapped,
            ),
            sealed=sealing.seal_segment(
                self._key,
                clear,
                call_id=self.call_id,
                track_id=segment.track_id,
                number=segment.number,
            ),
            sha256=sha256,
            incarnation=self.gateway,
        )

    def manifest(
        self, *, duration_ms: int = 10_000, roles: Sequence[str] = ("caller", "agent")
    ) -> recording_pb2.PutManifestRequest:
        """All that was sealed so far, in its order; the first track is the caller's."""
        manifest = recording_pb2.Manifest(
            call_id=self.call_id,
            to="+49301000",
            started_at_ms=START_MS,
            ended_at_ms=START_MS + duration_ms,
            consent="announced",
            incarnation=self.gateway,
            answered=True,
        )
        setattr(manifest, "from", "+4930123456")
        for (track_id, hashes), role in zip(self.tracks.items(), roles, strict=False):
            manifest.tracks.add(
                track_id=track_id,
                role=role,
                agent_id="anna" if role == "agent" else "",
                started_at_ms=START_MS,
                ended_at_ms=START_MS + duration_ms,
                segment_sha256=hashes,
            )
        return recording_pb2.PutManifestRequest(manifest=manifest)
