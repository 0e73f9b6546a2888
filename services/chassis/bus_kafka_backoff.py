"""Pauses between attempts: twice as long each time, and never the same for two processes."""

from __future__ import annotations

import asyncio
import secrets

FIRST_S = 0.1
LAST_S = 5.0
_DICE = secrets.SystemRandom()


class Backoff:
    """The pauses of one thing that is tried again."""

    def __init__(self, *, first_s: float = FIRST_S, last_s: float = LAST_S) -> None:
        self._next_s = first_s
        self._last_s = last_s

    def pause_s(self) -> float:
        """The next pause, in seconds: from half of what is due to all of it."""
        due_s, self._next_s = self._next_s, min(self._next_s * 2, self._last_s)
        return _DICE.uniform(due_s / 2, due_s)

    async def wait(self) -> None:
        """Sleeps for the next pause."""
        await asyncio.sleep(self.pause_s())
