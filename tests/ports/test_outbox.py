from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import asyncpg
import pytest
from structlog.testing import capture_logs

from services.chassis import outbox
from services.chassis.bus import BusUnavailable, MemoryBus
from services.chassis.database import Database, DatabaseAddress
from services.chassis.envelope import Envelope
from services.chassis.ids import TenantId
from services.chassis.outbox import OutboxPublisher
from services.chassis.postgres.server import PostgresServer
from tests.ports.test_bus import TOPIC, event, read

T = TenantId("t1")


@pytest.fixture
async def database(
    postgres_server: PostgresServer, database_address: DatabaseAddress
) -> AsyncIterator[Database]:
    # A schema as any service's, but of nobody's: the bus's own role may log in to it.
    admin = await asyncpg.connect(postgres_server.admin_dsn(database_address.name))
    await admin.execute("CREATE SCHEMA bus")
    await admin.execute("GRANT USAGE ON SCHEMA bus TO carillon_bus")
    await admin.execute("SELECT chassis.make_outbox('bus', 'carillon_bus')")
    await admin.close()
    made = Database(database_address, schema="bus")
    yield made
    await made.close()


@asynccontextmanager
async def running(publisher: OutboxPublisher) -> AsyncIterator[None]:
    task = asyncio.ensure_future(publisher.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait((task,))


async def write(database: Database, *numbers: int) -> None:
    async with database.transaction(T) as connection:
        await outbox.add(connection, TOPIC, [event(n) for n in numbers])


async def test_what_is_committed_reaches_the_bus_in_order_and_once(database: Database) -> None:
    bus = MemoryBus()
    publisher = OutboxPublisher(database=database, bus=bus)
    await write(database, 1, 2)
    await write(database, 3)
    assert await publisher.publish_some() == 3
    assert await publisher.publish_some() == 0
    assert await read(bus, "g", 3) == [event(1), event(2), event(3)]


async def test_what_is_rolled_back_was_never_said(database: Database) -> None:
    class Changed(Exception):
        pass

    async def change() -> None:
        async with database.transaction(T) as connection:
            await outbox.add(connection, TOPIC, [event(1)])
            raise Changed

    with pytest.raises(Changed):
        await change()
    assert await OutboxPublisher(database=database, bus=MemoryBus()).publish_some() == 0


class AwayBus(MemoryBus):
    """A bus that cannot be reached at first."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self.failures = failures

    async def publish(self, topic: str, events: Sequence[Envelope]) -> None:
        if self.failures:
            self.failures -= 1
            raise BusUnavailable("away")
        await super().publish(topic, events)


async def test_a_bus_that_is_away_costs_nothing_but_time(database: Database) -> None:
    bus = AwayBus(failures=1)
    publisher = OutboxPublisher(database=database, bus=bus)
    await write(database, 1)
    assert age_s(publisher) == 0
    with pytest.raises(BusUnavailable):
        await publisher.publish_some()
    assert age_s(publisher) > 1_000_000, "the event's own instant is long ago"
    async with running(publisher), asyncio.timeout(10):
        assert await read(bus, "g", 1) == [event(1)]
    await publisher.publish_some()  # what was cut off between the bus and the commit
    assert age_s(publisher) == 0


def age_s(publisher: OutboxPublisher) -> float:
    """How long the oldest event has waited, as it is shown."""
    (age,) = [each for each in publisher.readings("x") if each.name.endswith("_age_seconds")]
    return age.value


class BrokenBus(MemoryBus):
    """A bus with a fault that nobody thought of, once."""

    def __init__(self) -> None:
        super().__init__()
        self.broken = True

    async def publish(self, topic: str, events: Sequence[Envelope]) -> None:
        if self.broken:
            self.broken = False
            raise ZeroDivisionError
        await super().publish(topic, events)


async def test_a_fault_that_nobody_thought_of_is_told_and_tried_again(database: Database) -> None:
    bus = BrokenBus()
    publisher = OutboxPublisher(database=database, bus=bus)
    await write(database, 1)
    with capture_logs() as lines:
        async with running(publisher), asyncio.timeout(10):
            assert await read(bus, "g", 1) == [event(1)]
    assert [(line["event"], line["log_level"]) for line in lines] == [("outbox is stuck", "error")]


class TalkingBus(MemoryBus):
    """A bus during whose first publication something else is written."""

    def __init__(self, meanwhile: Callable[[], Awaitable[None]]) -> None:
        super().__init__()
        self.meanwhile = [meanwhile]

    async def publish(self, topic: str, events: Sequence[Envelope]) -> None:
        while self.meanwhile:
            await self.meanwhile.pop()()
        await super().publish(topic, events)


async def test_what_is_written_during_a_publication_is_the_next(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "LOOK_EVERY_S", 60.0)

    async def meanwhile() -> None:
        await write(database, 2)
        publisher.nudge()

    bus = TalkingBus(meanwhile)
    publisher = OutboxPublisher(database=database, bus=bus)
    await write(database, 1)
    async with running(publisher), asyncio.timeout(10):
        assert await read(bus, "g", 2) == [event(1), event(2)]


async def test_replicas_take_turns_and_say_nothing_twice(database: Database) -> None:
    bus = MemoryBus()
    replicas = [OutboxPublisher(database=database, bus=bus) for _ in range(3)]
    for first in range(0, 60, 3):
        await write(database, first, first + 1, first + 2)
        await asyncio.gather(*(replica.publish_some() for replica in replicas))
    for replica in replicas:
        await replica.publish_some()
    assert [e.seq for e in await read(bus, "g", 60)] == list(range(60))
    async with bus.consumer(group="h", topics=(TOPIC,)) as consumer:
        assert await consumer.lag() == 60
