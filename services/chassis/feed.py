"""A consumer's loop, written once: fetch, handle, commit; on a failure, go back and try again.

When what is needed is away, everything waits. When a batch is refused for another reason again and
again, its events are handed over one at a time, and those that are still refused go to the group's
dead letters, so that one event does not keep all behind it from being read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from services.chassis import spans
from services.chassis.bus import Batch, Bus, BusUnavailable, Consumer, PartitionLost
from services.chassis.clock import Clock
from services.chassis.dead_letters import Refusals, letter, topic_of, waits
from services.chassis.envelope import Envelope
from services.chassis.errors import CarillonError
from services.chassis.log import NOTHING, concerns, get_logger
from services.chassis.metrics import Reading

log = get_logger("feed")

WAIT_S = 5.0
RETRY_FIRST_S = 0.1
RETRY_LAST_S = 5.0
COUNT_EVERY_S = 5.0
"""How often it is asked what has not been done yet."""


class Feed:
    """Reads topics for a group and hands over each batch, at least once and in order."""

    def __init__(
        self,
        *,
        bus: Bus,
        group: str,
        topics: Sequence[str],
        handle: Callable[[Batch], Awaitable[None]],
        clock: Clock | None = None,
    ) -> None:
        """`handle` is idempotent by the events' ids; what it raises makes the batch come again.

        `clock` is needed to know how old events are when they are done.
        """
        self._bus = bus
        self._group = group
        self._topics = tuple(topics)
        self._handle = handle
        self._clock = clock
        self.handled = 0
        """Events done so far."""
        self.lag_ms = 0
        """How old the newest event was when it was done."""
        self.waiting = False
        """Whether the bus, or what `handle` needs, is away."""
        self.behind = 0
        """Events of its topics that the group had not done when that was asked last."""
        self._counted_s = float("-inf")
        self.buried = 0
        """Events that went to the dead letters so far."""
        self._refusals = Refusals()

    def readings(self, service: str) -> Iterator[Reading]:
        """How the feed fares, as the service shows it."""
        yield Reading(
            f"carillon_{service}_feed_events_total",
            "Events from the bus that were done.",
            self.handled,
            kind="counter",
        )
        yield Reading(
            f"carillon_{service}_feed_age_seconds",
            "How old the newest event was when it was done last.",
            self.lag_ms / 1_000,
        )
        yield Reading(
            f"carillon_{service}_feed_waiting",
            "Whether events wait because the bus, or what they need, is away.",
            float(self.waiting),
        )
        yield Reading(
            f"carillon_{service}_feed_behind_events",
            "Events on the bus that the group of this service has not done yet.",
            self.behind,
        )
        yield Reading(
            f"carillon_{service}_feed_dead_letters_total",
            "Events that were refused again and again, and put aside.",
            self.buried,
            kind="counter",
        )

    async def run(self) -> None:
        """Reads for ever; the bus, or what `handle` needs, may be away for a while."""
        pause_s = RETRY_FIRST_S
        async with self._bus.consumer(group=self._group, topics=self._topics) as consumer:
            while True:
                try:
                    await self._once(consumer)
                    pause_s, self.waiting = RETRY_FIRST_S, False
                except PartitionLost as error:
                    log.info("partition moved", group=self._group, partition=str(error))
                except Exception as error:  # noqa: BLE001 (a batch must not end the reading)
                    self.waiting = True
                    self._tell(error)
                    await self._count(consumer)
                    await asyncio.sleep(pause_s)
                    pause_s = min(pause_s * 2, RETRY_LAST_S)
                    await self._rewind(consumer)

    def _tell(self, error: Exception) -> None:
        if isinstance(error, CarillonError) and waits(error):
            log.warning("feed waits", group=self._group, code=error.code, reason=str(error))
        else:
            log.error("feed is stuck", group=self._group, exc_info=error)

    async def _once(self, consumer: Consumer) -> None:
        concerns(NOTHING)
        batch = await consumer.fetch(wait_s=WAIT_S)
        await self._count(consumer)
        if batch is None:
            return
        if self._refusals.alone(batch):
            await self._one_by_one(consumer, batch)
        else:
            await self._hand_over(batch)
            await consumer.commit(batch)
            self.handled += len(batch.events)
        self._refusals.over(batch)
        if self._clock is not None and batch.events:
            self.lag_ms = max(0, self._clock.now_ms() - batch.events[-1].at_ms)

    async def _count(self, consumer: Consumer) -> None:
        """Asks how far behind the group is, now and then; not to know is no reason to stop."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._counted_s < COUNT_EVERY_S:
            return
        self._counted_s = now_s
        try:
            self.behind = await consumer.lag()
        except BusUnavailable:
            log.debug("not known how far behind", group=self._group)

    async def _hand_over(self, batch: Batch) -> None:
        concerns(partial(shared, batch.events))
        try:
            # A group is named as the service that it belongs to.
            with spans.reading(self._group, batch.topic, batch.events):
                await self._handle(batch)
        except Exception as error:
            if not waits(error):
                self._refusals.refused(batch)
            raise
        self._refusals.taken()

    async def _one_by_one(self, consumer: Consumer, batch: Batch) -> None:
        for index, event in enumerate(batch.events):
            one = replace(batch, first_offset=batch.first_offset + index, events=(event,))
            try:
                await self._hand_over(one)
                self.handled += 1
            except Exception as error:
                if waits(error) or not self._refusals.hopeless(one):
                    raise
                await self._bury(one, error)
            await consumer.commit(one)

    async def _bury(self, one: Batch, error: Exception) -> None:
        tries = self._refusals.tries(one)
        dead = letter(self._group, one, error, tries=tries)
        await self._bus.publish(topic_of(self._group), [dead])
        self._refusals.buried()
        self.buried += 1
        log.error(
            "event buried",
            group=self._group,
            event_id=one.events[0].event_id,
            event_type=one.events[0].type,
            topic=one.topic,
            partition=one.partition,
            offset=one.first_offset,
            tries=tries,
            exc_info=error,
        )

    async def _rewind(self, consumer: Consumer) -> None:
        try:
            await consumer.rewind()
        except BusUnavailable:
            log.debug("still away", group=self._group)


def shared(events: Sequence[Envelope]) -> tuple[str, str]:
    """The tenant and the call that all of these events are about; each empty when they differ."""
    tenants = {event.tenant_id for event in events}
    calls = {event.call_id for event in events}
    return (
        next(iter(tenants)) if len(tenants) == 1 else "",
        next(iter(calls)) if len(calls) == 1 else "",
    )
