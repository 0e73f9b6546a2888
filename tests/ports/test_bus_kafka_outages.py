"""One of three brokers is killed: publishing and reading go on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from services.chassis.bus import Batch, BusUnavailable
from services.chassis.bus_kafka import KafkaBus
from services.chassis.feed import Feed
from services.launcher.parts.kafka import KafkaServer, nodes
from tests.ports.test_bus import TOPIC, event
from tests.stage.kafka import FAST, alone


async def until(true: Callable[[], bool]) -> None:
    while not true():  # noqa: ASYNC110 (a feed tells nobody of each step)
        await asyncio.sleep(0.02)


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
