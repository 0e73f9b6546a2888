"""One heap for every timer of the stack: start, stop, and ask what is due."""

from __future__ import annotations

from collections.abc import Hashable
from enum import Enum
from heapq import heapify, heappop, heappush
from typing import Generic, TypeVar

Owner = TypeVar("Owner", bound=Hashable)

_SLACK = 64
"""Stale heap entries tolerated, beyond as many as there are running timers."""


class Timers(Generic[Owner]):
    """Named timers of many owners. Starting one again moves it; instants are milliseconds."""

    def __init__(self) -> None:
        self._running: dict[Owner, dict[Enum, tuple[int, int]]] = {}
        self._heap: list[tuple[int, int, Owner, Enum]] = []
        self._order = 0
        self._count = 0

    def start(self, owner: Owner, name: Enum, at_ms: int) -> None:
        """Let the timer fire at this instant, whether or not it was running."""
        names = self._running.setdefault(owner, {})
        if name not in names:
            self._count += 1
        self._order += 1
        names[name] = (at_ms, self._order)
        heappush(self._heap, (at_ms, self._order, owner, name))
        if len(self._heap) > 2 * self._count + _SLACK:
            self._heap = [entry for entry in self._heap if self._is_live(entry)]
            heapify(self._heap)

    def stop(self, owner: Owner, *names: Enum) -> None:
        """Stop these timers of the owner, or all of them when none is named."""
        running = self._running.get(owner)
        if running is None:
            return
        for name in names or tuple(running):
            if running.pop(name, None) is not None:
                self._count -= 1
        if not running:
            del self._running[owner]

    def pop_due(self, now_ms: int) -> tuple[Owner, Enum] | None:
        """The next timer whose instant has come, no longer running; None if there is none."""
        at_ms = self.deadline_ms()
        if at_ms is None or at_ms > now_ms:
            return None
        _, _, owner, name = heappop(self._heap)
        self.stop(owner, name)
        return owner, name

    def deadline_ms(self) -> int | None:
        """The instant of the next timer, None when nothing runs."""
        while self._heap:
            if self._is_live(self._heap[0]):
                return self._heap[0][0]
            heappop(self._heap)
        return None

    def __len__(self) -> int:
        return self._count

    def _is_live(self, entry: tuple[int, int, Owner, Enum]) -> bool:
        at_ms, order, owner, name = entry
        return self._running.get(owner, {}).get(name) == (at_ms, order)
