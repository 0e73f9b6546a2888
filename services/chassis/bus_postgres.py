"""The bus in PostgreSQL: log tables, partitions leased to the members of a group.

Sequences do not follow the order of commits, so offsets come from a row per partition that stays
locked until the commit; rows are locked in sorted order, so publishers never wait in a circle.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import asyncpg

from services.chassis.bus import (
    MAX_BATCH,
    Batch,
    BusUnavailable,
    Consumer,
    PartitionLost,
    check,
)
from services.chassis.database import (
    Connection,
    Database,
    DatabaseUnavailable,
    NoDatabase,
)
from services.chassis.envelope import PARTITIONS, Envelope, partition_of
from services.chassis.ids import TenantId
from services.chassis.log import NOTHING, get_logger
from services.chassis.tasks import Tasks

log = get_logger("bus")

LEASE_S = 5.0
"""A member that was not heard of for so long reads no longer."""
SHARE_EVERY_S = 1.0
"""How often a member looks for partitions that nobody reads."""
LOOK_EVERY_S = 1.0
"""How often a member looks for events when no notification came."""
CHANNEL = "carillon_bus"
_COLUMNS = "event_id, tenant_id, at_ms, key, type, payload, seq, traceparent"

# Partitions stay with whoever has them, as long as they renew: nothing is rebalanced.
_CLAIM = """
WITH mine AS (
  SELECT topic, partition FROM bus_group
  WHERE "group" = $1 AND topic = ANY($2) AND (member = $3 OR leased_until < now())
  ORDER BY topic, partition FOR UPDATE SKIP LOCKED)
UPDATE bus_group g SET member = $3, leased_until = now() + $4 * interval '1 second'
FROM mine WHERE g."group" = $1 AND g.topic = mine.topic AND g.partition = mine.partition
RETURNING g.topic, g.partition, g.next_offset
"""
_RELEASE = """
UPDATE bus_group SET member = '', leased_until = '-infinity' WHERE "group" = $1 AND member = $2
"""
# The partition that is furthest behind.
_BEHIND = """
SELECT h.topic, h.partition, n.first
FROM unnest($1::text[], $2::int[], $3::bigint[]) AS n (topic, partition, first)
JOIN bus_head h ON h.topic = n.topic AND h.partition = n.partition AND h.next_offset > n.first
ORDER BY h.next_offset - n.first DESC, h.topic, h.partition LIMIT 1
"""


class PostgresBus:
    """A bus whose events are rows."""

    def __init__(self, open_database: Callable[[], Database | None], *, name: str) -> None:
        """`open_database` gives the database as `carillon_bus`; `name` is this process's."""
        self._open_database = open_database
        self._name = name
        self._listening: asyncio.Task[None] | None = None
        self._tasks = Tasks()
        self._news = asyncio.Event()
        self._members = 0

    @property
    def database(self) -> Database:
        """Opened when it is first needed; BusUnavailable while nobody knows where it is."""
        try:
            database = self._open_database()
        except NoDatabase as error:
            raise BusUnavailable(str(error)) from None
        assert database is not None
        return database

    async def publish(self, topic: str, events: Sequence[Envelope]) -> None:
        """Adds events; see `Bus.publish`."""
        check(events)
        if not events:
            return
        try:
            async with self.database.untenanted() as connection:
                await append(connection, topic, events)
        except DatabaseUnavailable as error:
            raise BusUnavailable(str(error)) from error

    @asynccontextmanager
    async def consumer(self, *, group: str, topics: Sequence[str]) -> AsyncIterator[Consumer]:
        """A member of a group; see `Bus.consumer`."""
        if self._listening is None:
            self._listening = self._tasks.start(self._listen(), "bus notifications", about=NOTHING)
        self._members += 1
        member = _PostgresConsumer(
            self, group=group, topics=tuple(topics), name=f"{self._name}-{self._members}"
        )
        try:
            yield member
        finally:
            await member.leave()

    async def close(self) -> None:
        """Stops listening."""
        await self._tasks.close()
        self._listening = None

    @property
    def news(self) -> asyncio.Event:
        """Set once something is published from now on."""
        return self._news

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_once()
            except (BusUnavailable, DatabaseUnavailable, asyncpg.PostgresError) as error:
                log.debug("no notifications", reason=str(error))
            await asyncio.sleep(LOOK_EVERY_S)

    async def _listen_once(self) -> None:
        gone = asyncio.Event()
        async with self.database.listening() as connection:
            connection.add_termination_listener(lambda _: gone.set())
            await connection.add_listener(CHANNEL, lambda *_: self._ring())
            await gone.wait()

    def _ring(self) -> None:
        rung, self._news = self._news, asyncio.Event()
        rung.set()


async def append(
    connection: Connection | asyncpg.Connection[asyncpg.Record],
    topic: str,
    events: Sequence[Envelope],
) -> None:
    """Adds events inside a transaction of the role `carillon_bus`."""
    by_partition: dict[int, list[Envelope]] = defaultdict(list)
    for event in events:
        by_partition[partition_of(event.key)].append(event)
    numbers = sorted(by_partition)
    await connection.execute(
        "INSERT INTO bus_head (topic, partition) SELECT $1, unnest($2::int[])"
        " ON CONFLICT DO NOTHING",
        topic,
        numbers,
    )
    heads = await connection.fetch(
        "SELECT partition, next_offset FROM bus_head WHERE topic = $1 AND partition = ANY($2)"
        " ORDER BY partition FOR UPDATE",
        topic,
        numbers,
    )
    next_of = {row["partition"]: row["next_offset"] for row in heads}
    rows = [
        (topic, number, next_of[number] + index, *_columns(event))
        for number in numbers
        for index, event in enumerate(by_partition[number])
    ]
    await connection.executemany(
        f'INSERT INTO bus_log (topic, partition, "offset", {_COLUMNS})'  # noqa: S608 (no input)
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        rows,
    )
    await connection.execute(
        "UPDATE bus_head h SET next_offset = h.next_offset + n.added"
        " FROM unnest($2::int[], $3::int[]) AS n (partition, added)"
        " WHERE h.topic = $1 AND h.partition = n.partition",
        topic,
        numbers,
        [len(by_partition[number]) for number in numbers],
    )
    await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, topic)


class _PostgresConsumer:
    def __init__(self, bus: PostgresBus, *, group: str, topics: tuple[str, ...], name: str) -> None:
        self._bus = bus
        self._group = group
        self._topics = topics
        self._name = name
        self._next: dict[tuple[str, int], int] = {}
        self._shared_at = float("-inf")
        self._known = False

    async def fetch(self, *, wait_s: float) -> Batch | None:
        loop = asyncio.get_running_loop()
        until = loop.time() + wait_s
        while True:
            # Taken before looking: what is published while we look is news.
            news = self._bus.news
            batch = await self._guarded_look()
            if batch is not None:
                return batch
            left_s = until - loop.time()
            if left_s <= 0:
                return None
            try:
                async with asyncio.timeout(min(left_s, LOOK_EVERY_S)):
                    await news.wait()
            except TimeoutError:
                pass  # looked for all the same: a notification may be lost with its connection

    async def commit(self, batch: Batch) -> None:
        try:
            async with self._bus.database.untenanted() as connection:
                done = await connection.execute(
                    'UPDATE bus_group SET next_offset = $5 WHERE "group" = $1 AND topic = $2'
                    " AND partition = $3 AND member = $4",
                    self._group,
                    batch.topic,
                    batch.partition,
                    self._name,
                    batch.next_offset,
                )
        except DatabaseUnavailable as error:
            raise BusUnavailable(str(error)) from error
        if done != "UPDATE 1":
            self._next.pop((batch.topic, batch.partition), None)
            raise PartitionLost(f"{batch.topic}/{batch.partition}")

    async def rewind(self) -> None:
        self._next.clear()
        self._shared_at = float("-inf")

    async def lag(self) -> int:
        try:
            async with self._bus.database.untenanted() as connection:
                behind: int = await connection.fetchval(
                    "SELECT coalesce(sum(h.next_offset - coalesce(g.next_offset, 0)), 0)::bigint"
                    ' FROM bus_head h LEFT JOIN bus_group g ON g."group" = $1'
                    " AND g.topic = h.topic AND g.partition = h.partition"
                    " WHERE h.topic = ANY($2)",
                    self._group,
                    list(self._topics),
                )
        except DatabaseUnavailable as error:
            raise BusUnavailable(str(error)) from error
        return behind

    async def leave(self) -> None:
        """Gives every partition back, so that others need not wait for the lease's end."""
        try:
            async with self._bus.database.untenanted() as connection:
                await connection.execute(_RELEASE, self._group, self._name)
        except (BusUnavailable, DatabaseUnavailable) as error:
            log.debug("partitions are not given back", group=self._group, reason=str(error))

    async def _guarded_look(self) -> Batch | None:
        try:
            async with self._bus.database.untenanted() as connection:
                await self._share(connection)
                return await self._look(connection)
        except DatabaseUnavailable as error:
            await self.rewind()
            raise BusUnavailable(str(error)) from error

    async def _share(self, connection: Connection) -> None:
        """Renews the leases, and takes the partitions that nobody reads."""
        now = asyncio.get_running_loop().time()
        if now - self._shared_at < SHARE_EVERY_S:
            return
        if not self._known:
            await connection.execute(
                'INSERT INTO bus_group ("group", topic, partition)'
                " SELECT $1, t, p FROM unnest($2::text[]) t, generate_series(0, $3) p"
                " ON CONFLICT DO NOTHING",
                self._group,
                list(self._topics),
                PARTITIONS - 1,
            )
            self._known = True
        rows = await connection.fetch(_CLAIM, self._group, list(self._topics), self._name, LEASE_S)
        held = {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
        self._next = {place: self._next.get(place, offset) for place, offset in held.items()}
        self._shared_at = now

    async def _look(self, connection: Connection) -> Batch | None:
        places = list(self._next)
        behind = await connection.fetchrow(
            _BEHIND,
            [topic for topic, _ in places],
            [number for _, number in places],
            [self._next[place] for place in places],
        )
        if behind is None:
            return None
        topic, number, first = behind["topic"], behind["partition"], behind["first"]
        rows = await connection.fetch(
            f'SELECT "offset", {_COLUMNS} FROM bus_log'  # noqa: S608 (no input)
            ' WHERE topic = $1 AND partition = $2 AND "offset" >= $3'
            ' ORDER BY "offset" LIMIT $4',
            topic,
            number,
            first,
            MAX_BATCH,
        )
        assert rows[0]["offset"] == first, "offsets have no holes"
        self._next[topic, number] = first + len(rows)
        return Batch(topic, number, first, tuple(_envelope(row) for row in rows))


def _columns(event: Envelope) -> tuple[str, str, int, str, str, bytes, int, str]:
    return (
        event.event_id,
        event.tenant_id,
        event.at_ms,
        event.key,
        event.type,
        event.payload,
        event.seq,
        event.traceparent,
    )


def _envelope(row: asyncpg.Record) -> Envelope:
    return Envelope(
        event_id=row["event_id"],
        tenant_id=TenantId(row["tenant_id"]),
        at_ms=row["at_ms"],
        key=row["key"],
        type=row["type"],
        payload=row["payload"],
        seq=row["seq"],
        traceparent=row["traceparent"],
    )
