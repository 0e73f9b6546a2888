"""When frames are due: every 20 ms from the start, however late the single calls come."""

from __future__ import annotations

from typing import Final

from media_gateway.rtp.model import FRAME_MS

MAX_LATE_MS: Final = 100
"""What is less late is sent at once, back to back; what is later is left out."""


class Pacer:
    """Counts frames against absolute deadlines; times are the engine's milliseconds."""

    __slots__ = ("deadline_ms", "skipped")

    def __init__(self, now_ms: float) -> None:
        self.deadline_ms = now_ms + FRAME_MS
        self.skipped = 0

    def restart(self, now_ms: float) -> None:
        """Count from now, after a time in which nothing was to be sent."""
        self.deadline_ms = now_ms + FRAME_MS

    def due(self, now_ms: float) -> tuple[int, bool]:
        """How many frames to send now, and whether the time line has a gap before the first."""
        late_ms = now_ms - self.deadline_ms
        if late_ms < 0:
            return 0, False
        frames = int(late_ms // FRAME_MS) + 1
        self.deadline_ms += frames * FRAME_MS
        if late_ms <= MAX_LATE_MS:
            return frames, False
        self.skipped += frames - 1
        return 1, True
