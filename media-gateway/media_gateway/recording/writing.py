"""What the writing thread does with a call's frames: cut, sealed, spooled, or marked as missing."""

from __future__ import annotations

from dataclasses import dataclass

from media_gateway.recording import call_log
from media_gateway.recording.call_recording import Track
from media_gateway.recording.model import DISK_FULL, SAMPLES_PER_MS, CallKey, Piece
from media_gateway.recording.segment_wire import sealed_segment
from media_gateway.recording.spool import Spool
from media_gateway.rtp.model import Heard
from protos.recording.v1 import recording_pb2
from services.chassis.sealing import SealedKey, generate_key, seal_key


@dataclass(frozen=True, slots=True)
class Batch:
    """What there is to write of one call."""

    known: recording_pb2.Manifest | None
    """All that is known of it, when that changed."""
    heard: tuple[tuple[Track, list[Heard]], ...]
    """What its legs said since the last batch."""
    over: bool
    """Whether this is its last."""


class CallWriter:
    """Writes one call's recording; all its methods block and run in the writing thread."""

    def __init__(self, call: CallKey, *, public_key: bytes, spool: Spool, incarnation: str) -> None:
        self._call = call
        self._spool = spool
        self._incarnation = incarnation
        self._public_key = public_key
        self._keys: tuple[bytes, SealedKey] | None = None
        self._unknown: recording_pb2.Manifest | None = None

    def write(self, batch: Batch) -> bool:
        """Writes what it can; False when the disk did not take all of it."""
        self._unknown = batch.known or self._unknown
        whole = self._note()
        for track, frames in batch.heard:
            for piece in track.cutter.cut(frames):
                whole = self._write_piece(track, piece) and whole
            whole = self._note_gap(track) and whole
        if batch.over and whole:
            try:
                self._spool.finish(self._call)
            except OSError:
                return False
        return whole

    def _note(self) -> bool:
        """What is known of the call, before any segment of it."""
        if self._unknown is None:
            return True
        try:
            self._spool.begin(self._call)
            self._spool.add_record(self._call, call_log.known(self._unknown))
        except OSError:
            return False
        self._unknown = None
        return True

    def _write_piece(self, track: Track, piece: Piece) -> bool:
        from_ms = track.started_at_ms + piece.at_samples[0] // SAMPLES_PER_MS
        to_ms = track.started_at_ms - (-piece.end_samples // SAMPLES_PER_MS)
        try:
            self._seal_and_add(track, piece, from_ms, to_ms)
        except OSError:
            if track.missing is None:
                track.missing = recording_pb2.Gap(
                    track_id=track.track_id, from_ms=from_ms, reason=DISK_FULL
                )
            track.missing.to_ms = max(track.missing.to_ms, to_ms)
            return False
        track.number += 1
        # The stretch that is missing ends here.
        return self._note_gap(track)

    def _note_gap(self, track: Track) -> bool:
        if track.missing is None:
            return True
        try:
            self._spool.begin(self._call)
            self._spool.check_room(0)
            self._spool.add_record(self._call, call_log.gap(track.missing))
        except OSError:
            return False
        track.missing = None
        return True

    def _seal_and_add(self, track: Track, piece: Piece, from_ms: int, to_ms: int) -> None:
        key, wrapped = self._call_key()
        request = sealed_segment(
            piece,
            call=self._call,
            track_id=track.track_id,
            number=track.number + 1,
            track_started_at_ms=track.started_at_ms,
            key=key,
            wrapped=wrapped,
            incarnation=self._incarnation,
        )
        record = call_log.segment(track.track_id, request.sha256, from_ms=from_ms, to_ms=to_ms)
        self._spool.add_segment(self._call, request, record)

    def _call_key(self) -> tuple[bytes, SealedKey]:
        if self._keys is None:
            key = generate_key()
            wrapped = seal_key(key, public_key=self._public_key, call_id=self._call.call_id)
            self._keys = key, wrapped
        return self._keys
