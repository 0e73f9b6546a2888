"""Channels that are kept open by who they lead to: the least used is let go when there are many."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import ClassVar

from grpc import aio

from services.chassis.errors import CarillonError, Kind

MAX_CHANNELS = 500
DRAIN_S = 86_400.0
"""What runs on a channel that is let go may last so long."""


class BadAddress(CarillonError):
    """What a process was said to be at is no address in this world."""

    code: ClassVar[str] = "bad-address"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


class Channels:
    """Channels by their targets. Those of replicas that are long gone make room for new ones."""

    def __init__(self, *, limit: int = MAX_CHANNELS) -> None:
        self._limit = limit
        self._open: OrderedDict[str, aio.Channel] = OrderedDict()
        self._ending: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._open)

    def to(self, target: str, make: Callable[[], aio.Channel]) -> aio.Channel:
        """The channel to a target, made when there is none. Ask again for each call."""
        channel = self._open.get(target)
        if channel is None:
            if len(self._open) >= self._limit:
                self._let_go()
            channel = self._open[target] = make()
        self._open.move_to_end(target)
        return channel

    async def close(self) -> None:
        """Closes all; what runs is cut off."""
        ending = tuple(self._ending)
        for each in ending:
            each.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        for channel in self._open.values():
            await channel.close()
        self._open.clear()

    def _let_go(self) -> None:
        _, oldest = self._open.popitem(last=False)
        ending = asyncio.get_running_loop().create_task(oldest.close(DRAIN_S))
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)
