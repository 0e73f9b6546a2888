"""What time it is."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Time that never runs backwards."""

    def now_ms(self) -> int:
        """UTC milliseconds."""

    def monotonic_ms(self) -> float:
        """Milliseconds from an arbitrary beginning, for measuring."""


class SystemClock:
    """A wall anchor plus the monotonic clock, so that a stepped wall clock moves no deadline."""

    def __init__(self) -> None:
        self._anchor_ms = time.time_ns() // 1_000_000 - time.monotonic_ns() // 1_000_000

    def now_ms(self) -> int:
        """UTC milliseconds as anchored at start."""
        return self._anchor_ms + time.monotonic_ns() // 1_000_000

    def monotonic_ms(self) -> float:
        """Milliseconds of the monotonic clock."""
        return time.monotonic_ns() / 1_000_000
