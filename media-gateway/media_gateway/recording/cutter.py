"""From packets as they came to pieces of a track.

Frames lie on the far end's own time line: RTP timestamps, so that a packet that was late on the
way is not late in the recording. That line is tied to the wall clock when a source is first heard
and again whenever the two have drifted apart by more than is plausible for the network: a source
that began its numbering anew, or a clock that runs wrong. Packets that all come at once, since
they waited for this process, are late only for it: they stay where the far end put them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from media_gateway.recording.model import SAMPLES_PER_MS, Piece
from media_gateway.rtp.model import Heard

MAX_PIECE_SAMPLES = 2_000 * SAMPLES_PER_MS
MAX_PIECE_FRAMES = 1_000
MAX_DRIFT_SAMPLES = 500 * SAMPLES_PER_MS
QUEUE_MS = 200
"""Within which packets have to come that waited in one queue."""
MAX_QUEUE = 250
"""Packets of it that are looked at: 5 s."""
_HALF, _WHOLE = 1 << 31, 1 << 32


class TrackCutter:
    """Cuts one track; `started_at_ms` is its time 0."""

    def __init__(self, *, started_at_ms: float) -> None:
        self._started_at_ms = started_at_ms
        self._source: int | None = None
        self._timestamp = 0
        self._at = 0

    def cut(self, frames: Iterable[Heard]) -> list[Piece]:
        """The pieces that these frames make, after those that were cut before."""
        pieces: list[Piece] = []
        codec = ""
        held: list[tuple[int, bytes]] = []
        first = 0
        heard = list(frames)
        for index, (_, _, its_codec, payload, _) in enumerate(heard):
            at = self._place(heard, index)
            too_long = at + len(payload) - first > MAX_PIECE_SAMPLES
            if held and (its_codec != codec or too_long or len(held) == MAX_PIECE_FRAMES):
                pieces.append(_piece(codec, held))
                held = []
            first = min(first, at) if held else at
            codec = its_codec
            held.append((at, payload))
        if held:
            pieces.append(_piece(codec, held))
        return pieces

    def _place(self, heard: Sequence[Heard], index: int) -> int:
        ssrc, timestamp, _, _, now_ms = heard[index]
        wall = self._wall(now_ms)
        at = self._at + _step(self._timestamp, timestamp)
        early, late = at - wall > MAX_DRIFT_SAMPLES, wall - at > MAX_DRIFT_SAMPLES
        if ssrc != self._source or early or (late and not self._queued(heard, index, at)):
            self._source, at = ssrc, wall
        self._timestamp, self._at = timestamp, at
        return max(0, at)

    def _queued(self, heard: Sequence[Heard], index: int, at: int) -> bool:
        """Whether those that come right after a late packet are in time again."""
        ssrc, timestamp, _, _, now_ms = heard[index]
        for its_ssrc, its_timestamp, _, _, its_ms in islice(heard, index + 1, index + MAX_QUEUE):
            if its_ssrc != ssrc or its_ms - now_ms > QUEUE_MS:
                return False
            if self._wall(its_ms) - at - _step(timestamp, its_timestamp) <= MAX_DRIFT_SAMPLES:
                return True
        return False

    def _wall(self, now_ms: float) -> int:
        return int((now_ms - self._started_at_ms) * SAMPLES_PER_MS)


def _step(earlier: int, later: int) -> int:
    """From one RTP timestamp to another, which may have wrapped, or lie before it."""
    step = (later - earlier) % _WHOLE
    return step if step < _HALF else step - _WHOLE


def _piece(codec: str, held: list[tuple[int, bytes]]) -> Piece:
    # A packet that was overtaken on the way lies before those that came first.
    held.sort(key=lambda frame: frame[0])
    return Piece(codec, tuple(at for at, _ in held), tuple(frame for _, frame in held))
