"""A member of a group in Kafka: what it reads, how far it has come, when it has lost it.

Groups are rebalanced: when a member comes or goes, all partitions are let go and given out anew,
and whoever gets one begins at what is committed. A member that has handed out a batch lets go
only once that batch is committed or given up, within a limit, so that two seldom do the same work.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from services.chassis.bus import MAX_BATCH, Batch, BusUnavailable, PartitionLost
from services.chassis.bus_kafka_address import KafkaAddress
from services.chassis.bus_kafka_backoff import Backoff
from services.chassis.bus_kafka_closing import leave
from services.chassis.bus_kafka_topics import Topics
from services.chassis.envelope import PARTITIONS, Envelope
from services.chassis.envelope_wire import read
from services.chassis.errors import CarillonError
from services.chassis.log import get_logger

log = get_logger("bus")

JOIN_LIMIT_S = 20.0
"""For the group to give out its partitions when a member comes."""
ANSWER_LIMIT_S = 5.0
"""For the brokers to answer whether they are there, and to commit."""
ASK_EVERY_S = 5.0
"""How often a member that gets nothing asks whether the brokers are there."""
LET_GO_LIMIT_S = 5.0
"""For a batch to be finished before its partition goes to somebody else."""
FETCH_WAIT_MS = 50
"""How long a broker holds a request that it has nothing for: what comes meanwhile in another
partition waits for its end."""
REQUEST_LIMIT_MS = 15_000
HEARTBEATS = 8
"""In the time after which a silent member is taken for gone."""


class Unreadable(Protocol):
    """What is done with a record that is no event of ours."""

    async def __call__(self, *, group: str, topic: str, record: Any) -> None:
        """Keeps it somewhere else; BusUnavailable."""


@dataclass(slots=True)
class Place:
    """How far one partition was read since it was given to this member."""

    committed: int
    """Where the group goes on."""
    handed: int
    """Where this member goes on."""
    end: int
    """Where the partition ended when it was seen last."""


class KafkaConsumer:
    """One member; see `Consumer`. It joins when it is entered, or at its next use."""

    def __init__(
        self,
        address: KafkaAddress,
        topics: Topics,
        *,
        name: str,
        group: str,
        reads: Sequence[str],
        unreadable: Unreadable,
    ) -> None:
        self.group = group
        """As its service named it."""
        self.rebalances = 0
        """How often partitions were given out anew."""
        self.away = False
        """Whether the brokers did not answer when they were asked last."""
        self._address = address
        self._topics = topics
        self._name = name
        self._reads = tuple(reads)
        self._unreadable = unreadable
        self._client: AIOKafkaConsumer | None = None
        self._places: dict[tuple[str, int], Place] = {}
        self._fetched: deque[tuple[TopicPartition, list[Any]]] = deque()
        self._skipped: dict[tuple[str, int, int], int] = {}
        self._moving = False
        self._done = asyncio.Event()
        self._done.set()
        self._settled = asyncio.Event()
        self._backoff = Backoff()
        self._not_before_s = float("-inf")
        self._asked_s = float("-inf")
        self._given = 0
        self._surveyed = 0

    def lags(self) -> dict[str, int]:
        """Events by topic, as far as this member's partitions go, that are not committed."""
        found = dict.fromkeys(self._reads, 0)
        for (topic, _), place in self._places.items():
            found[topic] += max(0, place.end - place.committed)
        return found

    async def fetch(self, *, wait_s: float) -> Batch | None:
        """The next events; see `Consumer.fetch`."""
        self._done.set()
        loop = asyncio.get_running_loop()
        until_s = loop.time() + wait_s
        client = await self._joined()
        await self._ask_whether_away(client)
        while True:
            batch = await self._next()
            if batch is not None:
                self._done.clear()
                return batch
            left_s = max(0.0, until_s - loop.time())
            if self._moving:
                await self._wait(self._settled, left_s)
            elif self._given != self._surveyed:
                await self._survey(client)
            else:
                await self._fill(client, left_s)
            if not self._fetched and loop.time() >= until_s:
                await self._ask_whether_away(client)
                return None

    async def commit(self, batch: Batch) -> None:
        """Remembers a batch as done; see `Consumer.commit`."""
        key, place = (batch.topic, batch.partition), None
        client = self._client
        if client is not None:
            place = self._places.get(key)
        try:
            if place is None or client is None or batch.first_offset < place.committed:
                raise PartitionLost(f"{batch.topic}/{batch.partition}")
            after = self._skipped.pop((*key, batch.next_offset), batch.next_offset)
            where = TopicPartition(self._named(batch.topic), batch.partition)
            await self._answered(client.commit({where: after}), "commit")
            place.committed = after
        except (CommitFailedError, IllegalStateError) as error:
            self._places.pop(key, None)
            raise PartitionLost(f"{batch.topic}/{batch.partition}") from error
        finally:
            self._done.set()

    async def rewind(self) -> None:
        """Goes back to what is committed; see `Consumer.rewind`."""
        self._fetched.clear()
        self._skipped.clear()
        self._done.set()
        if self._client is None or self._moving:
            return
        for (topic, number), place in self._places.items():
            place.handed = place.committed
            try:
                self._client.seek(TopicPartition(self._named(topic), number), place.committed)
            except IllegalStateError:
                log.debug("partition is no longer here", topic=topic, partition=number)

    async def lag(self) -> int:
        """What the group has not committed; see `Consumer.lag`."""
        client = await self._joined()
        every = [
            TopicPartition(self._named(topic), number)
            for topic in self._reads
            for number in range(PARTITIONS)
        ]
        ends = await self._answered(client.end_offsets(every), "lag")
        firsts = await self._answered(client.beginning_offsets(every), "lag")
        done = await self._answered(
            asyncio.gather(*(client.committed(each) for each in every)), "lag"
        )
        return sum(
            ends[each] - (firsts[each] if committed is None else committed)
            for each, committed in zip(every, done, strict=True)
        )

    async def join(self) -> None:
        """Becomes a member now, if the brokers let it; otherwise at its next use."""
        try:
            await self._joined()
        except CarillonError as error:
            log.warning("bus is away", group=self.group, reason=str(error))

    async def leave(self) -> None:
        """Gives every partition back."""
        client, self._client = self._client, None
        self._reset()
        self._moving = False
        self._done.set()
        if client is not None:
            await leave(client)

    async def _joined(self) -> AIOKafkaConsumer:
        if self._client is not None:
            return self._client
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self._not_before_s - loop.time()))
        names = [self._named(topic) for topic in self._reads]
        client: AIOKafkaConsumer | None = None
        try:
            async with asyncio.timeout(JOIN_LIMIT_S):
                await self._topics.ready(names)
                client = self._made()
                client.subscribe(names, listener=_Listener(self))
                await client.start()
        except (KafkaError, OSError, TimeoutError) as error:
            self.away = True
            self._not_before_s = loop.time() + self._backoff.pause_s()
            if client is not None:
                await leave(client)
            raise BusUnavailable(f"{self.group}: {error!r}") from error
        except BaseException:
            if client is not None:
                await leave(client)
            raise
        self._client, self.away, self._backoff = client, False, Backoff()
        self._asked_s = loop.time()
        return client

    def _made(self) -> AIOKafkaConsumer:
        session_ms = round(self._address.session_s * 1_000)
        return AIOKafkaConsumer(
            **self._address.client(self._name),
            group_id=self._address.prefix + self.group,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            session_timeout_ms=session_ms,
            heartbeat_interval_ms=session_ms // HEARTBEATS,
            request_timeout_ms=max(REQUEST_LIMIT_MS, 2 * session_ms),
        )

    async def _fill(self, client: AIOKafkaConsumer, wait_s: float) -> None:
        try:
            got = await client.getmany(timeout_ms=round(wait_s * 1_000), max_records=MAX_BATCH)
        except (KafkaError, OSError) as error:
            raise await self._away(error) from error
        if self._moving:
            return
        for where, records in got.items():
            if records:
                self._fetched.append((where, records))

    async def _next(self) -> Batch | None:
        """Of what was fetched, the next events that follow each other."""
        while self._fetched:
            where, records = self._fetched[0]
            topic = self._unnamed(where.topic)
            place = self._place(where, topic, records[0].offset)
            events: list[Envelope] = []
            first, after, taken = place.handed, place.handed, 0
            for record in records:
                event = read(record.value or b"")
                if event is None:
                    await self._unreadable(group=self.group, topic=topic, record=record)
                elif not events:
                    first = record.offset
                elif record.offset != first + len(events):
                    break
                if event is not None:
                    events.append(event)
                after, taken = record.offset + 1, taken + 1
            # Partitions may have been let go while an unreadable record was kept elsewhere.
            if not self._fetched or self._fetched[0][1] is not records:
                continue
            del records[:taken]
            if not records:
                self._fetched.popleft()
            place.handed = after
            if events:
                batch = Batch(topic, where.partition, first, tuple(events))
                if after != batch.next_offset:
                    self._skipped[topic, where.partition, batch.next_offset] = after
                return batch
        return None

    def _place(self, where: TopicPartition, topic: str, first: int) -> Place:
        place = self._places.get((topic, where.partition))
        if place is None:
            place = self._places[topic, where.partition] = Place(first, first, first)
        assert self._client is not None
        try:
            place.end = max(place.end, self._client.highwater(where) or 0)
        except AssertionError:  # how the library says that it is no longer assigned
            log.debug("partition is no longer here", topic=topic, partition=where.partition)
        return place

    async def _ask_whether_away(self, client: AIOKafkaConsumer) -> None:
        """From time to time: is there nothing, or nobody to ask? BusUnavailable."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._asked_s < ASK_EVERY_S or self._moving:
            return
        mine = client.assignment() or {TopicPartition(self._named(self._reads[0]), 0)}
        ends = await self._answered(client.end_offsets(mine), "whether it is there")
        for where, end in ends.items():
            place = self._places.get((self._unnamed(where.topic), where.partition))
            if place is not None:
                place.end = end
        self._asked_s, self.away = asyncio.get_running_loop().time(), False

    async def _survey(self, client: AIOKafkaConsumer) -> None:
        """Where the group is in the partitions that were given to this member; BusUnavailable."""
        mine, given = sorted(client.assignment()), self._given
        ends = await self._answered(client.end_offsets(mine), "survey")
        firsts = await self._answered(client.beginning_offsets(mine), "survey")
        done = await self._answered(
            asyncio.gather(*(client.committed(each) for each in mine)), "survey"
        )
        if given != self._given or self._moving:
            return
        for each, committed in zip(mine, done, strict=True):
            first = firsts[each] if committed is None else max(committed, firsts[each])
            self._places.setdefault(
                (self._unnamed(each.topic), each.partition), Place(first, first, ends[each])
            )
        self._surveyed = given

    async def _answered(self, asking: Any, what: str) -> Any:
        """The brokers' answer within the limit; BusUnavailable, and what says that all is lost."""
        try:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                return await asking
        except TimeoutError:
            raise await self._away(f"{what}: no answer in {ANSWER_LIMIT_S:g} s") from None
        except (CommitFailedError, IllegalStateError):
            raise
        except (KafkaError, OSError) as error:
            raise await self._away(error) from error

    async def _away(self, why: object) -> BusUnavailable:
        """Notes that the brokers are away. The next use begins with connections of its own."""
        self.away = True
        self._not_before_s = asyncio.get_running_loop().time() + self._backoff.pause_s()
        await self.leave()
        return BusUnavailable(f"{self.group}: {why!r}")

    async def _wait(self, event: asyncio.Event, limit_s: float) -> None:
        try:
            async with asyncio.timeout(limit_s):
                await event.wait()
        except TimeoutError:
            pass  # looked at by whoever waits

    async def let_go(self) -> None:
        """The group is about to give its partitions out anew."""
        if self._places:
            self.rebalances += 1
        self._moving = True
        self._settled.clear()
        self._fetched.clear()
        await self._wait(self._done, min(LET_GO_LIMIT_S, self._address.session_s / 2))
        self._reset()

    def settle(self) -> None:
        """The group has given its partitions out."""
        self._reset()
        self._given += 1
        self._moving = False
        self._settled.set()

    def _reset(self) -> None:
        self._places.clear()
        self._fetched.clear()
        self._skipped.clear()

    def _named(self, topic: str) -> str:
        return self._address.prefix + topic

    def _unnamed(self, topic: str) -> str:
        return topic.removeprefix(self._address.prefix)


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # the library has no types
    """Tells a member what the library hears from the group."""

    def __init__(self, member: KafkaConsumer) -> None:
        self._member = member

    async def on_partitions_revoked(self, revoked: object) -> None:  # noqa: ARG002 (all of them)
        """Before partitions are given out anew."""
        await self._member.let_go()

    async def on_partitions_assigned(self, assigned: object) -> None:  # noqa: ARG002 (asked for)
        """After they were."""
        self._member.settle()
