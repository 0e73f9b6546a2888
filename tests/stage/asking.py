"""Asking an installation until it answers as wanted: for what it tells nobody by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tests.stage.watching import NotTold

PAUSE_S = 0.05

T = TypeVar("T")


async def eventually(
    ask: Callable[[], Awaitable[T]], wanted: Callable[[T], bool], within_s: float, what: str
) -> T:
    """The first answer that is wanted; NotTold with the last that was not."""
    last: T | None = None
    try:
        async with asyncio.timeout(within_s):
            while True:
                last = await ask()
                if wanted(last):
                    return last
                await asyncio.sleep(PAUSE_S)
    except TimeoutError:
        raise NotTold(
            f"{what} did not come in {within_s} s; at last it was: {last!s:.1000}"
        ) from None
