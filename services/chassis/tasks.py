"""Background tasks with an owner: none is lost, none fails in silence."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextvars import Context, copy_context
from typing import Any

from services.chassis.log import Subject, concerns, get_logger

log = get_logger("tasks")


class Tasks:
    """The background tasks of one part; at most `limit` at once."""

    def __init__(self, *, limit: int = 100_000) -> None:
        self._limit = limit
        # In the order of their start, so that a simulation closes them the same way every time.
        self._running: dict[asyncio.Task[None], None] = {}
        self.failed = 0
        """How many tasks ended by an exception."""

    def __len__(self) -> int:
        return len(self._running)

    def start(
        self, work: Coroutine[Any, Any, None], name: str, *, about: Subject | None = None
    ) -> asyncio.Task[None]:
        """Runs work in the background; RuntimeError when the limit is reached.

        It goes on with the request of whoever starts it, unless `about` says what it concerns
        instead: so does what outlives that request, or is done for many.
        """
        if len(self._running) >= self._limit:
            work.close()
            raise RuntimeError(f"more than {self._limit} background tasks")
        context = copy_context() if about is None else Context()
        if about is not None:
            context.run(concerns, about)
        task = asyncio.get_running_loop().create_task(work, name=name, context=context)
        self._running[task] = None
        task.add_done_callback(self._ended, context=context)
        return task

    async def ended(self) -> None:
        """Waits until all of it has ended by itself."""
        await asyncio.gather(*self._running, return_exceptions=True)

    async def close(self) -> None:
        """Cancels what still runs and waits until all of it has ended."""
        tasks = [task for task in self._running if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            self.failed += 1
            log.error("background task failed", task=task.get_name(), exc_info=error)
