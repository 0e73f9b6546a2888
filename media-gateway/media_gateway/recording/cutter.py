"""From packets as they came to pieces of a track.

Frames lie on the far end's own time line: RTP timestamps, so that a packet that was late on the
way is not late in the recording. That line is tied to the wall clock when a source is first heard
and again whenever the two have drifted apart by more than is plausible for the network: a source
that began its numbering anew, or a clock that runs wrong.
"""

from __future__ import annotations

from collections.abc import Iterable

from media_gateway.recording.model import SAMPLES_PER_MS, Piece
from media_gateway.rtp.model import Heard

MAX_PIECE_SAMPLES = 2_000 * SAMPLES_PER_MS
MAX_PIECE_FRAMES = 1_000
MAX_DRIFT_SAMPLES = 500 * SAMPLES_PER_MS
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
        for ssrc, timestamp, its_codec, payload, now_ms in frames:
            at = self._place(ssrc, timestamp, now_ms)
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

    def _place(self, ssrc: int, timestamp: int, now_ms: float) -> int:
        wall = int((now_ms - self._started_at_ms) * SAMPLES_PER_MS)
        step = (timestamp - self._timestamp) % _WHOLE
        at = self._at + (step if step < _HALF else step - _WHOLE)
        if ssrc != self._source or abs(at - wall) > MAX_DRIFT_SAMPLES:
            self._source, at = ssrc, wall
        self._timestamp, self._at = timestamp, at
        return max(0, at)


def _piece(codec: str, held: list[tuple[int, bytes]]) -> Piece:
    # A packet that was overtaken on the way lies before those that came first.
    held.sort(key=lambda frame: frame[0])
    return Piece(codec, tuple(at for at, _ in held), tuple(frame for _, frame in held))
