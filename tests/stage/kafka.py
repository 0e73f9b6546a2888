"""A Kafka for tests: one broker for each test process, topics of their own for each test."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from services.chassis.bus_kafka import KafkaAddress, KafkaBus
from services.launcher.parts.kafka import KafkaServer

FAST = {
    "group.min.session.timeout.ms": "1000",
    # Nothing of a test outlives its machine.
    "log.flush.interval.messages": "9223372036854775807",
}
START_LIMIT_S = 120.0
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class RunningKafka:
    """A broker that runs beside the tests' own loops."""

    broker: str
    """Its `host:port`."""

    def address(self) -> KafkaAddress:
        """With names of topics and groups that no other test has."""
        return alone((self.broker,))


def alone(brokers: tuple[str, ...]) -> KafkaAddress:
    """For brokers of which one suffices, with a prefix that no other test has."""
    return KafkaAddress(
        brokers=brokers,
        prefix=f"t{next(_numbers)}.",
        replication=1,
        min_in_sync=1,
    )


@contextmanager
def running_kafka() -> Iterator[RunningKafka]:
    """A broker in a folder of its own, which goes with it."""
    folder = Path(tempfile.mkdtemp(prefix="carillon-kafka-"))
    server = KafkaServer(folder, settings=FAST)
    loop = asyncio.new_event_loop()
    # Each test has a loop of its own: the broker's outlives them all.
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result(START_LIMIT_S)
        yield RunningKafka(server.address)
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(START_LIMIT_S)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        shutil.rmtree(folder)


@asynccontextmanager
async def kafka_bus(server: RunningKafka, **changes: object) -> AsyncIterator[KafkaBus]:
    """A bus with topics of its own; `changes` are of its address."""
    bus = KafkaBus(replace(server.address(), **changes), name="here")  # type: ignore[arg-type]  # checked by the address itself
    try:
        yield bus
    finally:
        await bus.close()
