from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import asyncpg
import pytest

from services.chassis import bus_postgres
from services.chassis.bus import (
    MAX_BATCH,
    MAX_EVENT_BYTES,
    Batch,
    Bus,
    BusUnavailable,
    Consumer,
    EventTooLarge,
    PartitionLost,
)
from services.chassis.bus_postgres import PostgresBus
from services.chassis.database import Connection, Database, DatabaseAddress
from services.chassis.envelope import Envelope, partition_of
from services.chassis.errors import CarillonError, Kind
from services.chassis.feed import Feed
from services.chassis.ids import TenantId
from services.chassis.postgres.server import PostgresServer

TOPIC = "acd.events.v1"
T = TenantId("t1")


def event(number: int, key: str = "k") -> Envelope:
    return Envelope(
        event_id=f"{key}:{number}",
        tenant_id=T,
        at_ms=1_000 + number,
        key=key,
        type="carillon.acd.v1.QueuePut",
        payload=str(number).encode(),
        seq=number,
        traceparent="00-11-22-01",
    )


async def read(bus: Bus, group: str, count: int, topic: str = TOPIC) -> list[Envelope]:
    seen: list[Envelope] = []
    async with bus.consumer(group=group, topics=(topic,)) as consumer:
        while len(seen) < count:
            batch = await consumer.fetch(wait_s=5)
            assert batch is not None, seen
            seen.extend(batch.events)
            await consumer.commit(batch)
    return seen


async def test_events_come_back_as_they_were(bus: Bus) -> None:
    await bus.publish(TOPIC, [event(1)])
    assert await read(bus, "g", 1) == [event(1)]


async def test_a_key_keeps_its_order(bus: Bus) -> None:
    for first in range(0, 60, 6):
        await bus.publish(TOPIC, [event(n, f"k{n % 3}") for n in range(first, first + 6)])
    seen = await read(bus, "g", 60)
    for key in ("k0", "k1", "k2"):
        mine = [e.seq for e in seen if e.key == key]
        assert mine == sorted(mine)
        assert len(mine) == 20


async def test_publishers_at_once_lose_and_repeat_nothing(bus: Bus) -> None:
    await asyncio.gather(
        *(bus.publish(TOPIC, [event(n, f"p{p}") for n in range(20)]) for p in range(10))
    )
    seen = await read(bus, "g", 200)
    assert len({e.event_id for e in seen}) == 200


async def test_every_group_reads_everything(bus: Bus) -> None:
    await bus.publish(TOPIC, [event(n) for n in range(5)])
    assert len(await read(bus, "one", 5)) == len(await read(bus, "two", 5)) == 5


async def test_topics_do_not_mix(bus: Bus) -> None:
    await bus.publish("crm.events.v1", [event(1)])
    await bus.publish(TOPIC, [event(2)])
    assert [e.seq for e in await read(bus, "g", 1)] == [2]


async def test_what_is_not_committed_comes_again(bus: Bus) -> None:
    await bus.publish(TOPIC, [event(n) for n in range(3)])
    async with bus.consumer(group="g", topics=(TOPIC,)) as consumer:
        first = await consumer.fetch(wait_s=5)
        assert first is not None
        assert await consumer.fetch(wait_s=0.01) is None
        await consumer.rewind()
        again = await consumer.fetch(wait_s=5)
        assert again == first
    assert len(await read(bus, "g", 3)) == 3


async def test_a_member_goes_on_where_the_group_was(bus: Bus) -> None:
    await bus.publish(TOPIC, [event(n) for n in range(3)])
    await read(bus, "g", 3)
    await bus.publish(TOPIC, [event(n) for n in range(3, 5)])
    assert [e.seq for e in await read(bus, "g", 2)] == [3, 4]


async def test_a_fetch_wakes_as_soon_as_something_comes(bus: Bus) -> None:
    async with bus.consumer(group="g", topics=(TOPIC,)) as consumer:
        fetching = asyncio.ensure_future(consumer.fetch(wait_s=10))
        await asyncio.sleep(0)
        await bus.publish(TOPIC, [event(1)])
        batch = await fetching
        assert batch is not None
        assert batch.events == (event(1),)


async def test_a_batch_is_bounded_and_lag_counts_what_is_left(bus: Bus) -> None:
    for first in range(0, 2 * MAX_BATCH, MAX_BATCH):
        await bus.publish(TOPIC, [event(n) for n in range(first, first + MAX_BATCH)])
    async with bus.consumer(group="g", topics=(TOPIC,)) as consumer:
        assert await consumer.lag() == 2 * MAX_BATCH
        batch = await consumer.fetch(wait_s=5)
        assert batch is not None
        assert len(batch.events) == MAX_BATCH
        await consumer.commit(batch)
        assert await consumer.lag() == MAX_BATCH


async def test_too_many_at_once_are_refused_whole(bus: Bus) -> None:
    with pytest.raises(ValueError, match="at most"):
        await bus.publish(TOPIC, [event(n) for n in range(1_001)])
    async with bus.consumer(group="g", topics=(TOPIC,)) as consumer:
        assert await consumer.lag() == 0


async def test_an_event_that_is_too_large_is_refused_with_all_others(bus: Bus) -> None:
    large = replace(event(2), payload=bytes(MAX_EVENT_BYTES + 1))
    with pytest.raises(EventTooLarge, match="k:2: 900001 bytes, at most 900000"):
        await bus.publish(TOPIC, [event(1), large])
    await bus.publish(TOPIC, [replace(large, payload=bytes(range(250)) * 3_600)])
    (seen,) = await read(bus, "g", 1)
    assert len(seen.payload) == MAX_EVENT_BYTES


async def test_one_member_reads_a_partition_at_a_time(bus: Bus) -> None:
    keys = [f"k{n}" for n in range(40)]
    await bus.publish(TOPIC, [event(1, key) for key in keys])
    async with AsyncExitStack() as members:
        one = await members.enter_async_context(bus.consumer(group="g", topics=(TOPIC,)))
        two = await members.enter_async_context(bus.consumer(group="g", topics=(TOPIC,)))
        got: list[str] = []
        async with asyncio.timeout(30):
            while len(got) < len(keys):
                got += [e.key for consumer in (one, two) for e in await _next(consumer)]
        assert await _next(one) == await _next(two) == ()
    assert sorted(got) == sorted(keys)


async def _next(consumer: Consumer) -> tuple[Envelope, ...]:
    batch = await consumer.fetch(wait_s=0.05)
    return batch.events if batch is not None else ()


async def test_a_member_that_lost_its_partition_cannot_commit(bus: Bus) -> None:
    await bus.publish(TOPIC, [event(1)])
    async with bus.consumer(group="g", topics=(TOPIC,)) as first:
        batch = await first.fetch(wait_s=5)
    assert batch is not None
    async with bus.consumer(group="g", topics=(TOPIC,)) as second:
        await second.fetch(wait_s=5)
        with pytest.raises(PartitionLost):
            await first.commit(batch)


async def test_a_feed_tries_a_failed_batch_again(bus: Bus) -> None:
    class Busy(CarillonError):
        code = "busy"
        kind = Kind.UNAVAILABLE

    await bus.publish(TOPIC, [event(n) for n in range(3)])
    tries: list[int] = []
    done = asyncio.Event()

    async def handle(batch: Batch) -> None:
        tries.append(len(batch.events))
        if len(tries) < 3:
            raise Busy("not now")
        done.set()

    feed = Feed(bus=bus, group="g", topics=(TOPIC,), handle=handle)
    running = asyncio.ensure_future(feed.run())
    async with asyncio.timeout(10):
        await done.wait()
    running.cancel()
    await asyncio.wait((running,))
    assert tries == [3, 3, 3]
    # Counted after the first fetch, when none of them was done.
    assert feed.behind == 3
    (behind,) = [each for each in feed.readings("g") if each.name.endswith("_behind_events")]
    assert (behind.name, behind.value) == ("carillon_g_feed_behind_events", 3)


def test_partitions_never_move() -> None:
    # Fixed for good: events of a key that moved would lose their order.
    keys = ("shard-1", "tenant", "0198c0de-0000-7000-8000-000000000001", "")
    assert [partition_of(k) for k in keys] == [4, 2, 1, 0]


async def test_a_feed_goes_on_after_every_session_was_cut_off(
    postgres_server: PostgresServer, database_address: DatabaseAddress
) -> None:
    database = Database(database_address, schema="bus")
    bus = PostgresBus(lambda: database, name="here")
    seen: list[str] = []
    more = asyncio.Event()

    async def handle(batch: Batch) -> None:
        seen.extend(e.event_id for e in batch.events)
        more.set()

    await bus.publish(TOPIC, [event(1)])
    running = asyncio.ensure_future(Feed(bus=bus, group="g", topics=(TOPIC,), handle=handle).run())
    async with asyncio.timeout(20):
        for number in (2, 3, 4):
            await more.wait()
            more.clear()
            await _cut_off(postgres_server, database_address)
            await _published(bus, event(number))
        while "k:4" not in seen:
            await more.wait()
            more.clear()
    running.cancel()
    await asyncio.wait((running,))
    await bus.close()
    await database.close()
    assert set(seen) == {"k:1", "k:2", "k:3", "k:4"}


class Watched(Database):
    """A way into the database that says when somebody has looked."""

    meanwhile: Callable[[], Awaitable[None]] | None = None

    @asynccontextmanager
    async def untenanted(self) -> AsyncIterator[Connection]:
        async with super().untenanted() as connection:
            yield connection
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            await meanwhile()


async def test_what_is_published_while_a_member_looks_does_not_wait_for_its_next_look(
    database_address: DatabaseAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = (Watched(database_address, schema="bus") for _ in range(2))
    reader, writer = (
        PostgresBus(lambda: here, name="here"),
        PostgresBus(lambda: there, name="there"),
    )

    async def publish() -> None:
        news = reader.news
        await writer.publish(TOPIC, [event(1)])
        await news.wait()

    async with asyncio.timeout(20), reader.consumer(group="g", topics=(TOPIC,)) as consumer:
        await _listened_to(reader, writer)
        monkeypatch.setattr(bus_postgres, "LOOK_EVERY_S", 60.0)
        here.meanwhile = publish
        batch = await consumer.fetch(wait_s=30)
    assert batch is not None
    assert batch.events == (event(1),)
    for bus, database in ((reader, here), (writer, there)):
        await bus.close()
        await database.close()


async def _listened_to(reader: PostgresBus, writer: PostgresBus) -> None:
    """Until the reader hears of what the writer publishes."""
    news = reader.news
    while not news.is_set():
        await writer.publish("crm.events.v1", [event(0)])
        await asyncio.sleep(0.01)


async def _published(bus: Bus, what: Envelope) -> None:
    while True:
        try:
            return await bus.publish(TOPIC, [what])
        except BusUnavailable:
            continue  # whether it was written is not known: say it again


async def _cut_off(server: PostgresServer, address: DatabaseAddress) -> None:
    connection = await asyncpg.connect(server.admin_dsn())
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", address.name
    )
    await connection.close()
