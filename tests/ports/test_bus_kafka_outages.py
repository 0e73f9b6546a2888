"""Brokers that go: one that is stopped and comes back, and one of three that is killed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from services.chassis import outbox
from services.chassis.bus import Batch, BusUnavailable
from services.chassis.bus_kafka import KafkaBus
from services.chassis.database import Database, DatabaseAddress
from services.chassis.feed import Feed
from services.chassis.ids import TenantId
from services.chassis.outbox import OutboxPublisher
from services.chassis.postgres.server import PostgresServer
from services.launcher.parts.kafka import KafkaServer, nodes
from tests.ports.test_bus import TOPIC, event
from tests.stage.kafka import FAST, alone

T = TenantId("t1")


async def until(true: Callable[[], bool]) -> None:
    while not true():  # noqa: ASYNC110 (feeds and publishers tell nobody of each step)
        await asyncio.sleep(0.02)


async def database_with_outbox(server: PostgresServer, address: DatabaseAddress) -> Database:
    admin = await asyncpg.connect(server.admin_dsn(address.name))
    await admin.execute("CREATE SCHEMA bus")
    await admin.execute("GRANT USAGE ON SCHEMA bus TO carillon_bus")
    await admin.execute("SELECT chassis.make_outbox('bus', 'carillon_bus')")
    await admin.close()
    return Database(address, schema="bus")


class Reader:
    """Remembers events by key, in the order in which each came first."""

    def __init__(self, bus: KafkaBus) -> None:
        self.seen: dict[str, list[int]] = {}
        self.feed = Feed(bus=bus, group="g", topics=(TOPIC,), handle=self._handle)

    @property
    def count(self) -> int:
        """Different events so far."""
        return sum(map(len, self.seen.values()))

    async def _handle(self, batch: Batch) -> None:
        for each in batch.events:
            numbers = self.seen.setdefault(each.key, [])
            if each.seq not in numbers:
                numbers.append(each.seq)


@pytest.mark.timeout(300)
async def test_what_is_written_while_the_broker_is_away_comes_in_order_when_it_is_back(
    tmp_path: Path, postgres_server: PostgresServer, database_address: DatabaseAddress
) -> None:
    database = await database_with_outbox(postgres_server, database_address)
    keys, each = [f"k{n}" for n in range(6)], 30
    server = KafkaServer(tmp_path / "kafka", settings=FAST)
    await server.start()
    bus = KafkaBus(replace(alone((server.address,)), publish_limit_s=4.0), name="here")
    publisher = OutboxPublisher(database=database, bus=bus)
    reader = Reader(bus)
    running = [asyncio.ensure_future(one) for one in (publisher.run(), reader.feed.run())]
    away_seen = False
    try:
        for number in range(each):
            async with database.transaction(T) as connection:
                await outbox.add(connection, TOPIC, [event(number, key) for key in keys])
            publisher.nudge()
            if number == each // 3:
                await until(lambda: reader.count > 0)
                await server.kill()
            if number == each // 2:
                await until(lambda: _waits(publisher))
                # Who reads has noticed, too, and let go of its connections.
                await until(lambda: _away(bus))
                away_seen = True
        await server.start()
        await until(lambda: reader.count == len(keys) * each)
        await until(lambda: not _waits(publisher))
    finally:
        for task in running:
            task.cancel()
        await asyncio.wait(running)
        await bus.close()
        await server.stop()
        await database.close()
    assert away_seen
    assert reader.seen == {key: list(range(each)) for key in keys}


def _away(bus: KafkaBus) -> bool:
    return any(each.value for each in bus.readings() if each.name == "carillon_bus_away")


def _waits(publisher: OutboxPublisher) -> bool:
    readings = {each.name: each.value for each in publisher.readings("x")}
    return readings["carillon_x_outbox_waiting"] == 1


@pytest.mark.timeout(300)
async def test_one_broker_of_three_may_be_killed_where_two_copies_are_enough(
    tmp_path: Path,
) -> None:
    quorum = nodes(3)
    servers = [
        KafkaServer(tmp_path / str(node.number), quorum=quorum, number=node.number, settings=FAST)
        for node in quorum
    ]
    await asyncio.gather(*(server.start() for server in servers))
    brokers = tuple(server.address for server in servers)
    of_two = replace(alone(brokers), replication=3, min_in_sync=2, publish_limit_s=30.0)
    of_three = replace(alone(brokers), replication=3, min_in_sync=3, publish_limit_s=30.0)
    bus, strict = KafkaBus(of_two, name="here"), KafkaBus(of_three, name="there")
    hurried = KafkaBus(replace(of_three, publish_limit_s=3.0), name="hurried")
    keys = [f"k{n}" for n in range(12)]
    reader = Reader(bus)
    reading = asyncio.ensure_future(reader.feed.run())
    try:
        await strict.publish(TOPIC, [event(0)])
        for number in range(30):
            await bus.publish(TOPIC, [event(number, key) for key in keys])
            if number == 9:
                await until(lambda: reader.count == len(keys) * 10)
                await servers[2].kill()
        await until(lambda: reader.count == len(keys) * 30)
        with pytest.raises(BusUnavailable):
            await hurried.publish(TOPIC, [event(1)])
    finally:
        reading.cancel()
        await asyncio.wait((reading,))
        await asyncio.gather(bus.close(), strict.close(), hurried.close())
        await asyncio.gather(*(server.kill() for server in servers))
    assert reader.seen == {key: list(range(30)) for key in keys}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.chassis.feed.RETRY_LAST_S", 0.5)
    monkeypatch.setattr("services.chassis.outbox.RETRY_LAST_S", 0.5)
