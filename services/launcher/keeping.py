"""Starts again what ends by itself, sooner at first and later each time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from services.chassis.errors import CarillonError
from services.chassis.tasks import Tasks

Ended: TypeAlias = Callable[[], Awaitable[object]]
Start: TypeAlias = Callable[[], Awaitable[None]]
RESTART_FIRST_S = 1.0
RESTART_LAST_S = 30.0


class Keeper:
    """Keeps processes running until it is closed."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        """`tell` takes one line at a time."""
        self._tell = tell
        self._tasks = Tasks()

    def keep(
        self,
        name: str,
        *,
        ended: Callable[[], Awaitable[object]],
        start: Callable[[], Awaitable[None]],
    ) -> None:
        """Waits for the end of something that runs, and starts it again.

        `ended` answers with what is told of the end, None for nothing; `start` raises a named error
        or an OSError when it did not come up.
        """
        self._tasks.start(self._keep(name, ended, start), f"keep {name}")

    async def close(self) -> None:
        """Whatever ends from now on is meant to."""
        await self._tasks.close()

    async def _keep(
        self,
        name: str,
        ended: Callable[[], Awaitable[object]],
        start: Callable[[], Awaitable[None]],
    ) -> None:
        loop = asyncio.get_running_loop()
        pause_s = RESTART_FIRST_S
        while True:
            since_s = loop.time()
            status = await ended()
            if loop.time() - since_s > RESTART_LAST_S:
                pause_s = RESTART_FIRST_S  # it was well for a while: this is another illness
            how = "" if status is None else f" with status {status}"
            self._tell(f"{name} ended{how}; starting it again in {pause_s:.0f} s.")
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, RESTART_LAST_S)
            try:
                await start()
            except (CarillonError, OSError) as error:
                self._tell(str(error))
            else:
                self._tell(f"{name} is back.")
