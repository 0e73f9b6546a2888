"""Readers of what happens: one for each caller's flow, any number for agents."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import ClassVar, Generic, TypeVar

from services.chassis.errors import CarillonError, Kind

T = TypeVar("T")

MAX_BEHIND = 1_024


class Superseded(CarillonError):
    """The same was asked for again on another stream, which goes on instead."""

    code: ClassVar[str] = "superseded"
    kind: ClassVar[Kind] = Kind.ABORTED


class TooSlow(CarillonError):
    """The reader fell too far behind."""

    code: ClassVar[str] = "reader-too-slow"
    kind: ClassVar[Kind] = Kind.EXHAUSTED


class Leaving(CarillonError):
    """This process is going away; ask another replica."""

    code: ClassVar[str] = "leaving"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


class Reader(Generic[T]):
    """A bounded mailbox that one stream reads from."""

    def __init__(self, *, limit: int = MAX_BEHIND) -> None:
        """`limit`: items that the stream may be behind."""
        self._limit = limit
        self._items: deque[T] = deque()
        self._wake = asyncio.Event()
        self._ended: CarillonError | None = None

    def put(self, item: T) -> None:
        """Adds an item; a reader that is too far behind is ended with TooSlow."""
        if self._ended is not None:
            return
        if len(self._items) >= self._limit:
            self._items.clear()
            self.end(TooSlow(f"more than {self._limit} items behind"))
            return
        self._items.append(item)
        self._wake.set()

    def end(self, error: CarillonError) -> None:
        """Ends the reading with an error, after what is already there."""
        self._ended = self._ended or error
        self._wake.set()

    async def items(self) -> AsyncIterator[T]:
        """What is put, in order, until `end`."""
        while True:
            while self._items:
                yield self._items.popleft()
            if self._ended is not None:
                raise self._ended
            self._wake.clear()
            await self._wake.wait()
