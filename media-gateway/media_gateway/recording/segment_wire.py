"""Segments as they travel: `Segment` inside, sealed in `PutSegmentRequest`."""

from __future__ import annotations

import hashlib

from media_gateway.recording.model import CallKey, Piece
from protos.recording.v1 import recording_pb2
from services.chassis.sealing import SealedKey, seal_segment


def sealed_segment(
    piece: Piece,
    *,
    call: CallKey,
    track_id: str,
    number: int,
    track_started_at_ms: int,
    key: bytes,
    wrapped: SealedKey,
    incarnation: str,
) -> recording_pb2.PutSegmentRequest:
    """A piece under its number, readable by the recording service alone."""
    clear = recording_pb2.Segment(
        call_id=call.call_id,
        track_id=track_id,
        number=number,
        track_started_at_ms=track_started_at_ms,
        codec=piece.codec,
        at_samples=piece.at_samples,
        sizes=[len(frame) for frame in piece.frames],
        payload=b"".join(piece.frames),
    ).SerializeToString()
    return recording_pb2.PutSegmentRequest(
        call_id=call.call_id,
        track_id=track_id,
        number=number,
        key=recording_pb2.WrappedKey(
            key_id=wrapped.key_id,
            ephemeral_public_key=wrapped.ephemeral_public_key,
            wrapped=wrapped.wrapped,
        ),
        sealed=seal_segment(key, clear, call_id=call.call_id, track_id=track_id, number=number),
        sha256=hashlib.sha256(clear).hexdigest(),
        incarnation=incarnation,
    )
