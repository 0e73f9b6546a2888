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


class CorrectedClock:
    """Another clock, put right by whoever knows better."""

    def __init__(self, clock: Clock) -> None:
        """As the other one until it is corrected."""
        self._clock = clock
        self._ahead_ms = 0

    def now_ms(self) -> int:
        """UTC milliseconds."""
        return self._clock.now_ms() + self._ahead_ms

    def monotonic_ms(self) -> float:
        """Milliseconds of the other clock's monotonic one."""
        return self._clock.monotonic_ms()

    def correct(self, by_ms: int) -> None:
        """Goes by so much more from now on; less when it is negative."""
        self._ahead_ms += by_ms
