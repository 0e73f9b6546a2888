"""Ends the library's clients within a limit, whatever the brokers do.

Its own `stop` waits for what is on its way, and with brokers that are away that may be for ever.
Tasks that it keeps to itself are therefore named here, for the one minor release that is pinned.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError

from services.chassis.log import get_logger

log = get_logger("bus")

STOP_LIMIT_S = 3.0


def heed_failure(producer: AIOKafkaProducer) -> None:
    """Lets everybody who waits hear of it when a producer that has just started fails by itself.

    The library's own way of telling assumes a transaction: without one it raises in the event loop.
    """
    sender = producer._sender  # noqa: SLF001 (see above)
    accumulator = producer._message_accumulator  # noqa: SLF001 (see above)

    def tell(task: asyncio.Task[Any]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            accumulator.fail_all(error)

    sender.sender_task.remove_done_callback(sender._fail_all)  # noqa: SLF001 (see above)
    sender.sender_task.add_done_callback(tell)


async def abandon(producer: AIOKafkaProducer) -> None:
    """Ends a producer at once: what was not acknowledged is not sent again by it."""
    error = KafkaError("given up")
    # Its futures end, so that everybody who still waits hears of it now.
    producer._message_accumulator.fail_all(error)  # noqa: SLF001 (see above)
    await _ended(producer._sender.sender_task)  # noqa: SLF001 (see above)
    await _within(producer.stop(), "producer")
    await _within(producer.client.close(), "producer's connections")


async def leave(consumer: AIOKafkaConsumer) -> None:
    """Ends a consumer: it leaves its group when the brokers can still be told."""
    if await _within(consumer.stop(), "consumer"):
        return
    coordinator, fetcher = consumer._coordinator, consumer._fetcher  # noqa: SLF001 (see above)
    if coordinator is not None:
        for name in ("_coordination_task", "_heartbeat_task", "_commit_refresh_task"):
            await _ended(getattr(coordinator, name))
    if fetcher is not None:
        await _within(fetcher.close(), "consumer's fetching")
    await _within(consumer._client.close(), "consumer's connections")  # noqa: SLF001 (see above)


async def _ended(task: asyncio.Task[Any] | None) -> None:
    """Cancels a task; one that waits for its own children is cancelled through them."""
    tries = 5
    while task is not None and not task.done() and tries:
        tries -= 1
        task.cancel()
        await asyncio.wait((task,), timeout=STOP_LIMIT_S / 10)
    if task is not None and task.done() and not task.cancelled():
        task.exception()


async def _within(ending: Coroutine[Any, Any, object], what: str) -> bool:
    """Whether it ended within the limit.

    It has a task of its own: what the library cancels inside of it must not end who asked.
    """
    task = asyncio.ensure_future(ending)
    try:
        await asyncio.wait((task,), timeout=STOP_LIMIT_S)
    finally:
        task.cancel()
    if not task.done() or task.cancelled():
        log.debug("does not end by itself", what=what)
        return False
    error = task.exception()
    if error is not None:
        log.debug("ended by an error", what=what, reason=repr(error))
        if not isinstance(error, KafkaError | OSError | asyncio.InvalidStateError | KeyError):
            raise error
    return True
