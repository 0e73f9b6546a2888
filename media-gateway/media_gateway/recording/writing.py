"""What the writing thread does with a call's frames: cut, sealed, spooled, or marked as missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from media_gateway.recording import call_log
from media_gateway.recording.call_recording import MAX_FRAMES_WAITING, Track
from media_gateway.recording.model import (
    DISK_FULL,
    DISK_SLOW,
    FRAME_MS,
    NO_SEALING_KEY,
    SAMPLES_PER_MS,
    SEGMENT_LOST,
    CallKey,
    Piece,
)
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

    def __init__(
        self,
        call: CallKey,
        *,
        public_key: Callable[[], bytes | None],
        spool: Spool,
        incarnation: str,
    ) -> None:
        """`public_key` tells what to seal for; None: not known yet, and what is said is missing."""
        self._call = call
        self._spool = spool
        self._incarnation = incarnation
        self._public_key = public_key
        self._keys: tuple[bytes, SealedKey] | None = None
        self._unknown: recording_pb2.Manifest | None = None
        self._noted = b""
        self._ended: frozenset[str] = frozenset()
        self.trouble = ""
        """Why something of the last batch is missing, or waits; empty: all of it was written."""
        self.finished = False
        """Whether the manifest is written."""

    def write(self, batch: Batch) -> bool:
        """Writes what it can; False when something is missing, or has to be tried again."""
        self.trouble = ""
        self._unknown = batch.known or self._unknown
        self._note(ended=False)
        accounted = True
        for track, frames in batch.heard:
            self._mark_overflow(track, frames)
            for piece in track.cutter.cut(frames):
                self._write_piece(track, piece)
            accounted = self._note_gap(track) and accounted
        # That a track has ended is said after all that it said: who finds the log of a process
        # that died in between must not take for whole what is not.
        if accounted and self._note(ended=True) and batch.over:
            self._finish()
        return not self.trouble

    def lose(self, batch: Batch) -> None:
        """Marks a batch as missing of which nobody knows how much was written."""
        for track, frames in batch.heard:
            if frames:
                to_ms = int(frames[-1][4]) + FRAME_MS
                self._miss(track, SEGMENT_LOST, from_ms=int(frames[0][4]), to_ms=to_ms)
        self.trouble = SEGMENT_LOST

    def _note(self, *, ended: bool) -> bool:
        """Logs what is known of the call, `ended` or as if nothing had ended since the last time.

        So a segment never stands in the log before its track.
        """
        if self._unknown is None:
            return True
        known = self._unknown if ended else self._still_open(self._unknown)
        record = call_log.known(known)
        if record != self._noted:
            try:
                self._spool.begin(self._call)
                self._spool.add_record(self._call, record)
            except OSError:
                self.trouble = DISK_FULL
                return False
            self._noted = record
        if ended:
            self._ended = frozenset(each.track_id for each in known.tracks if each.ended_at_ms)
            self._unknown = None
        return True

    def _still_open(self, known: recording_pb2.Manifest) -> recording_pb2.Manifest:
        made = recording_pb2.Manifest()
        made.CopyFrom(known)
        made.ended_at_ms = 0
        for track in made.tracks:
            if track.track_id not in self._ended:
                track.ended_at_ms = 0
        return made

    def _mark_overflow(self, track: Track, frames: list[Heard]) -> None:
        """A tap that is full has lost what came between the last batch and its first frame."""
        if len(frames) < MAX_FRAMES_WAITING:
            return
        arrived_ms = int(frames[0][4])
        if arrived_ms > track.heard_until_ms + call_log.ADJACENT_MS:
            self._miss(track, DISK_SLOW, from_ms=track.heard_until_ms, to_ms=arrived_ms)

    def _write_piece(self, track: Track, piece: Piece) -> None:
        from_ms = track.started_at_ms + piece.at_samples[0] // SAMPLES_PER_MS
        to_ms = track.started_at_ms - (-piece.end_samples // SAMPLES_PER_MS)
        track.heard_until_ms = max(track.heard_until_ms, to_ms)
        keys = self._call_keys()
        if keys is None:
            self._miss(track, NO_SEALING_KEY, from_ms=from_ms, to_ms=to_ms)
            return
        try:
            self._seal_and_add(track, piece, keys, from_ms, to_ms)
        except OSError:
            self._miss(track, DISK_FULL, from_ms=from_ms, to_ms=to_ms)
            return
        track.number += 1
        # The stretch that is missing ends here.
        if self._note_gap(track):
            track.missing = None

    def _miss(self, track: Track, reason: str, *, from_ms: int, to_ms: int) -> None:
        """A stretch that is missing, or more of the one before it."""
        self.trouble = reason
        missing = track.missing
        if missing is not None and (missing.reason == reason or not self._note_gap(track)):
            missing.to_ms = max(missing.to_ms, to_ms)
            return
        track.missing = recording_pb2.Gap(
            track_id=track.track_id, from_ms=from_ms, to_ms=to_ms, reason=reason
        )

    def _note_gap(self, track: Track) -> bool:
        """Logs the stretch that is missing as far as it goes; what is logged later prolongs it."""
        if track.missing is None or track.missing == track.noted:
            return True
        try:
            self._spool.begin(self._call)
            self._spool.check_room(0)
            self._spool.add_record(self._call, call_log.gap(track.missing))
        except OSError:
            self.trouble = DISK_FULL
            return False
        track.noted = recording_pb2.Gap()
        track.noted.CopyFrom(track.missing)
        return True

    def _finish(self) -> None:
        if self.finished:
            return
        try:
            self._spool.finish(self._call)
        except OSError:
            self.trouble = DISK_FULL
        else:
            self.finished = True

    def _seal_and_add(
        self,
        track: Track,
        piece: Piece,
        keys: tuple[bytes, SealedKey],
        from_ms: int,
        to_ms: int,
    ) -> None:
        key, wrapped = keys
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

    def _call_keys(self) -> tuple[bytes, SealedKey] | None:
        if self._keys is None:
            public_key = self._public_key()
            if public_key is None:
                return None
            key = generate_key()
            wrapped = seal_key(key, public_key=public_key, call_id=self._call.call_id)
            self._keys = key, wrapped
        return self._keys
