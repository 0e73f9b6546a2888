"""What waits to be decided in one call: from the gateway, from acd, from the clock."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from services.ivr.model.call import Event

MAX_WAITING = 256


@dataclass(frozen=True, slots=True)
class Item:
    """One event, or news that this release does not know."""

    event: Event | None
    """None: only its number counts."""
    seq: int = 0
    """The gateway's number; 0 when it is not from there."""


class Mailbox:
    """A bounded queue of items; who puts waits while it is full.

    What the call decided itself comes first, and the end comes after all.
    """

    def __init__(self) -> None:
        self._items: deque[Item] = deque()
        self._changed = asyncio.Condition()
        self._closed = False

    async def put(self, item: Item) -> None:
        """Adds an item at the end, once there is room."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self._items) < MAX_WAITING)
            self._items.append(item)
            self._changed.notify_all()

    def put_first(self, item: Item) -> None:
        """Adds, before all others, what the one who takes items has just decided."""
        self._items.appendleft(item)

    async def close(self) -> None:
        """Ends the call's stream once what is there has been taken."""
        async with self._changed:
            self._closed = True
            self._changed.notify_all()

    async def get(self, timeout_s: float | None) -> Item | None:
        """The next item, or None at the end; TimeoutError when none comes in time."""
        async with asyncio.timeout(timeout_s), self._changed:
            await self._changed.wait_for(lambda: bool(self._items) or self._closed)
            item = self._items.popleft() if self._items else None
            self._changed.notify_all()
            return item
