"""Waiting for what happens in the background."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

TURNS = 1_000


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Until the condition holds, at most some 10 seconds."""
    for _ in range(TURNS):
        if await condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never happened")
