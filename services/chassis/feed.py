"""A consumer's loop, written once: fetch, handle, commit; on a failure, go back and try again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from services.chassis.bus import Batch, Bus, BusUnavailable, Consumer, PartitionLost
from services.chassis.errors import CarillonError, Kind
from services.chassis.log import get_logger

log = get_logger("feed")

WAIT_S = 5.0
RETRY_FIRST_S = 0.1
RETRY_LAST_S = 5.0


class Feed:
    """Reads topics for a group and hands over each batch, at least once and in order."""

    def __init__(
        self,
        *,
        bus: Bus,
        group: str,
        topics: Sequence[str],
        handle: Callable[[Batch], Awaitable[None]],
    ) -> None:
        """`handle` is idempotent by the events' ids; what it raises makes the batch come again."""
        self._bus = bus
        self._group = group
        self._topics = tuple(topics)
        self._handle = handle
        self.handled = 0
        """Events done so far."""

    async def run(self) -> None:
        """Reads for ever; the bus, or what `handle` needs, may be away for a while."""
        pause_s = RETRY_FIRST_S
        async with self._bus.consumer(group=self._group, topics=self._topics) as consumer:
            while True:
                try:
                    await self._once(consumer)
                    pause_s = RETRY_FIRST_S
                except PartitionLost as error:
                    log.info("partition moved", group=self._group, partition=str(error))
                except CarillonError as error:
                    level = log.warning if error.kind is Kind.UNAVAILABLE else log.error
                    level("feed waits", group=self._group, code=error.code, reason=str(error))
                    await asyncio.sleep(pause_s)
                    pause_s = min(pause_s * 2, RETRY_LAST_S)
                    await self._rewind(consumer)

    async def _once(self, consumer: Consumer) -> None:
        batch = await consumer.fetch(wait_s=WAIT_S)
        if batch is None:
            return
        await self._handle(batch)
        await consumer.commit(batch)
        self.handled += len(batch.events)

    async def _rewind(self, consumer: Consumer) -> None:
        try:
            await consumer.rewind()
        except BusUnavailable:
            log.debug("still away", group=self._group)
