"""How much of what nobody known was refused is written down."""

from __future__ import annotations

from services.chassis.clock import Clock

MAX_ENTRIES_PER_S = 20
"""A flood of refusals to nobody known must not push out what people did."""


class Strangers:
    """Counts the entries on the audit trail that are about nobody known."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._second = 0
        self._entries = 0

    def may_be_written(self) -> bool:
        """Whether there is room for one more within this second; it is counted."""
        second = self._clock.now_ms() // 1_000
        self._entries = self._entries + 1 if second == self._second else 1
        self._second = second
        return self._entries <= MAX_ENTRIES_PER_S
