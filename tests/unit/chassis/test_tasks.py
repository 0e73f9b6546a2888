from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from services.chassis.tasks import Tasks


async def forever() -> None:
    await asyncio.Event().wait()


async def test_a_failure_is_counted_and_logged_by_name() -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    tasks = Tasks()
    with capture_logs() as lines:
        task = tasks.start(fail(), "divide")
        await asyncio.wait((task,))
    assert tasks.failed == 1
    assert len(tasks) == 0
    assert [(line["event"], line["task"], line["log_level"]) for line in lines] == [
        ("background task failed", "divide", "error")
    ]
    assert isinstance(lines[0]["exc_info"], ZeroDivisionError)


async def test_an_end_is_no_failure_and_neither_is_a_cancellation() -> None:
    async def end() -> None:
        pass

    tasks = Tasks()
    with capture_logs() as lines:
        await tasks.start(end(), "end")
        cancelled = tasks.start(forever(), "forever")
        cancelled.cancel()
        await asyncio.wait((cancelled,))
    assert (tasks.failed, len(tasks), lines) == (0, 0, [])


async def test_the_limit_is_kept_and_frees_as_tasks_end() -> None:
    tasks = Tasks(limit=2)
    first = tasks.start(forever(), "first")
    tasks.start(forever(), "second")
    with pytest.raises(RuntimeError, match="more than 2 background tasks"):
        tasks.start(forever(), "third")
    first.cancel()
    await asyncio.wait((first,))
    tasks.start(forever(), "third")
    await tasks.close()


async def test_closing_waits_until_all_have_cleaned_up() -> None:
    tidied = []

    async def tidy(name: str, started: asyncio.Event) -> None:
        started.set()
        try:
            await forever()
        finally:
            tidied.append(name)

    tasks = Tasks()
    for name in ("a", "b"):
        started = asyncio.Event()
        tasks.start(tidy(name, started), name)
        await started.wait()
    await tasks.close()
    assert tidied == ["a", "b"]
    assert len(tasks) == 0
    await tasks.close()


async def test_a_task_may_close_its_own_owner() -> None:
    tasks = Tasks()
    other = tasks.start(forever(), "other")
    closing = tasks.start(tasks.close(), "closing")
    await closing
    assert other.cancelled()
