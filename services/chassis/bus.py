"""The bus: topics of events, read by groups at their own pace, at least once.

The same semantics in every world: a topic has `PARTITIONS` partitions, a key's events stay in
order within one, each group remembers how far it has read each partition, and every partition is
read by one member of a group at a time. What a member has fetched and not committed is fetched
again by whoever reads the partition next, so consumers are idempotent by `event_id`.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import ClassVar, Protocol

from services.chassis.envelope import PARTITIONS, Envelope, partition_of
from services.chassis.errors import CarillonError, Kind

MAX_BATCH = 500
MAX_PUBLISHED = 1_000
"""Events that one `publish` takes."""
MAX_EVENT_BYTES = 900_000
"""Of one event's payload: what a broker of Kafka takes unless it is told otherwise, with room."""


class BusUnavailable(CarillonError):
    """The bus cannot be reached now. What was asked may have been done; it can be repeated."""

    code: ClassVar[str] = "bus-unavailable"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


class EventTooLarge(CarillonError):
    """An event has more bytes than the bus carries: say less in it, or where the rest is."""

    code: ClassVar[str] = "event-too-large"
    kind: ClassVar[Kind] = Kind.INVALID


class PartitionLost(CarillonError):
    """Another member reads the partition now; what was fetched from it will be fetched again."""

    code: ClassVar[str] = "partition-lost"
    kind: ClassVar[Kind] = Kind.ABORTED


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive events of one partition."""

    topic: str
    """Where they are from."""
    partition: int
    """0 to `PARTITIONS` - 1."""
    first_offset: int
    """Of the first event."""
    events: tuple[Envelope, ...]
    """At least one, in order."""

    @property
    def next_offset(self) -> int:
        """What is committed when all of them are done."""
        return self.first_offset + len(self.events)


class Consumer(Protocol):
    """One member of a group. Use by one task at a time."""

    async def fetch(self, *, wait_s: float) -> Batch | None:
        """The next events of some partition, or None after `wait_s` seconds without any.

        A second fetch goes on after the first one's events, committed or not. BusUnavailable.
        """

    async def commit(self, batch: Batch) -> None:
        """Remembers for the group that the batch is done; PartitionLost, BusUnavailable."""

    async def rewind(self) -> None:
        """Goes back to what is committed, after a batch could not be done."""

    async def lag(self) -> int:
        """Events that the group has not committed yet, over all partitions."""


class Bus(Protocol):
    """Where facts go."""

    async def publish(self, topic: str, events: Sequence[Envelope]) -> None:
        """Adds events, durable when it returns.

        All or none of them, unless BusUnavailable is raised: then some may be there, and asking
        again adds them again. EventTooLarge refuses all; so does ValueError, for too many.
        """

    def consumer(
        self, *, group: str, topics: Sequence[str]
    ) -> AbstractAsyncContextManager[Consumer]:
        """A member of a group, from the first event that the topics ever had."""

    async def close(self) -> None:
        """Releases what the bus holds."""


def check(events: Sequence[Envelope]) -> None:
    """Refuses what no bus takes, before any of it is published: ValueError, EventTooLarge."""
    if len(events) > MAX_PUBLISHED:
        raise ValueError(f"{len(events)} events, at most {MAX_PUBLISHED}")
    for event in events:
        if len(event.payload) > MAX_EVENT_BYTES:
            raise EventTooLarge(
                f"{event.type} {event.event_id}: {len(event.payload)} bytes,"
                f" at most {MAX_EVENT_BYTES}"
            )


class MemoryBus:
    """A bus in this process: for tests and simulation."""

    def __init__(self) -> None:
        self._logs: dict[tuple[str, int], list[Envelope]] = defaultdict(list)
        self._committed: dict[tuple[str, str, int], int] = defaultdict(int)
        self._members: dict[str, list[_MemoryConsumer]] = defaultdict(list)
        self._news = asyncio.Condition()

    async def publish(self, topic: str, events: Sequence[Envelope]) -> None:
        """Adds events; see `Bus.publish`."""
        check(events)
        for event in events:
            self._logs[topic, partition_of(event.key)].append(event)
        async with self._news:
            self._news.notify_all()

    @asynccontextmanager
    async def consumer(self, *, group: str, topics: Sequence[str]) -> AsyncIterator[Consumer]:
        """A member of a group; see `Bus.consumer`."""
        member = _MemoryConsumer(self, group, tuple(topics))
        self._members[group].append(member)
        try:
            yield member
        finally:
            self._members[group].remove(member)
            async with self._news:
                self._news.notify_all()

    async def close(self) -> None:
        """Nothing is held."""

    def owner_of(self, group: str, topic: str, partition: int) -> _MemoryConsumer | None:
        """The member that reads a partition: they take turns by its number."""
        members = [member for member in self._members[group] if topic in member.topics]
        return members[partition % len(members)] if members else None

    def log(self, topic: str, partition: int) -> list[Envelope]:
        """All events of a partition."""
        return self._logs[topic, partition]

    def committed(self, group: str, topic: str, partition: int) -> int:
        """The offset that a group reads next."""
        return self._committed[group, topic, partition]

    def commit(self, group: str, batch: Batch) -> None:
        """Remembers how far a group has come."""
        self._committed[group, batch.topic, batch.partition] = batch.next_offset

    async def news(self) -> None:
        """Until something was published or a member left."""
        async with self._news:
            await self._news.wait()


class _MemoryConsumer:
    def __init__(self, bus: MemoryBus, group: str, topics: tuple[str, ...]) -> None:
        self._bus = bus
        self._group = group
        self.topics = topics
        self._next: dict[tuple[str, int], int] = {}

    async def fetch(self, *, wait_s: float) -> Batch | None:
        try:
            async with asyncio.timeout(wait_s):
                while True:
                    batch = self._ready()
                    if batch is not None:
                        return batch
                    await self._bus.news()
        except TimeoutError:
            return self._ready()

    async def commit(self, batch: Batch) -> None:
        if self._bus.owner_of(self._group, batch.topic, batch.partition) is not self:
            raise PartitionLost(f"{batch.topic}/{batch.partition}")
        self._bus.commit(self._group, batch)

    async def rewind(self) -> None:
        self._next.clear()

    async def lag(self) -> int:
        return sum(
            len(self._bus.log(topic, number)) - self._bus.committed(self._group, topic, number)
            for topic in self.topics
            for number in range(PARTITIONS)
        )

    def _ready(self) -> Batch | None:
        for topic in self.topics:
            for number in range(PARTITIONS):
                if self._bus.owner_of(self._group, topic, number) is not self:
                    self._next.pop((topic, number), None)
                    continue
                committed = self._bus.committed(self._group, topic, number)
                first = self._next.get((topic, number), committed)
                events = tuple(self._bus.log(topic, number)[first : first + MAX_BATCH])
                if events:
                    self._next[topic, number] = first + len(events)
                    return Batch(topic, number, first, events)
        return None
