"""How many events the PostgreSQL bus takes and gives, and how soon one that is published is read.

The reference of the same run: the same rows written by bare INSERTs into an unindexed table of the
same server, in transactions of the same size, and read back by one SELECT. The bus on Kafka is
measured in the same way by bench_kafka.

    python -m tests.bench.bench_bus [--json]
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict, dataclass
from statistics import quantiles
from time import perf_counter

import asyncpg
import uvloop

from services.chassis.bus import Batch, Bus, Consumer
from services.chassis.bus_postgres import PostgresBus
from services.chassis.database import Database, DatabaseAddress
from services.chassis.envelope import Envelope
from services.chassis.ids import TenantId
from services.chassis.postgres.server import PostgresServer
from tests.stage.postgres import fresh_database, running_postgres

TOPIC = "acd.events.v1"
EVENTS = 20_000
BATCH = 50
ONE_BY_ONE = 200
TRIES = 12
PAUSE_S = 0.005
"""That a reader has been waiting when the event comes."""
PAYLOAD = b"x" * 200


@dataclass(frozen=True, slots=True)
class Result:
    """What one run showed."""

    published_per_s: float
    consumed_per_s: float
    inserted_per_s: float
    selected_per_s: float
    publish_to_read_p50_ms: float
    publish_to_read_p95_ms: float

    @property
    def publish_ratio(self) -> float:
        """Of the bare INSERTs' speed."""
        return self.published_per_s / self.inserted_per_s


def event(number: int) -> Envelope:
    return Envelope(
        event_id=f"shard-{number % 16}:{number}:0",
        tenant_id=TenantId(f"shard-{number % 16}"),
        at_ms=1_700_000_000_000 + number,
        key=f"shard-{number % 16}",
        type="carillon.acd.v1.ContactEnqueued",
        payload=PAYLOAD,
        seq=number,
    )


@dataclass(frozen=True, slots=True)
class Carried:
    """How a bus carried the events."""

    published_s: float
    consumed_s: float
    delays_ms: list[float]
    """From the call of `publish` until a waiting reader has the event."""


async def patient(consumer: Consumer) -> Batch:
    """The next batch: a group that is still being gathered has none at first."""
    for _ in range(TRIES):
        batch = await consumer.fetch(wait_s=5)
        if batch is not None:
            return batch
    raise TimeoutError("nothing came from the bus")


async def carry(bus: Bus) -> Carried:
    """All events in batches, then read and committed; then some one by one."""
    events = [event(number) for number in range(EVENTS)]
    began = perf_counter()
    for first in range(0, EVENTS, BATCH):
        await bus.publish(TOPIC, events[first : first + BATCH])
    published_s = perf_counter() - began
    async with bus.consumer(group="bench", topics=(TOPIC,)) as consumer:
        began, seen = perf_counter(), 0
        while seen < EVENTS:
            batch = await patient(consumer)
            seen += len(batch.events)
            await consumer.commit(batch)
        consumed_s = perf_counter() - began
        delays = []
        for number in range(ONE_BY_ONE):
            fetching = asyncio.ensure_future(patient(consumer))
            await asyncio.sleep(PAUSE_S)
            began = perf_counter()
            await bus.publish(TOPIC, [event(EVENTS + number)])
            batch = await fetching
            delays.append((perf_counter() - began) * 1_000)
            await consumer.commit(batch)
    return Carried(published_s, consumed_s, delays)


async def measure(server: PostgresServer, address: DatabaseAddress) -> Result:
    database = Database(address, schema="bus")
    bus = PostgresBus(lambda: database, name="bench")
    carried = await carry(bus)
    await bus.close()
    await database.close()
    events = [event(number) for number in range(EVENTS)]
    inserted_s, selected_s = await reference(server, address, events)
    cuts = quantiles(carried.delays_ms, n=20)
    return Result(
        published_per_s=EVENTS / carried.published_s,
        consumed_per_s=EVENTS / carried.consumed_s,
        inserted_per_s=EVENTS / inserted_s,
        selected_per_s=EVENTS / selected_s,
        publish_to_read_p50_ms=cuts[9],
        publish_to_read_p95_ms=cuts[18],
    )


async def reference(
    server: PostgresServer, address: DatabaseAddress, events: list[Envelope]
) -> tuple[float, float]:
    connection = await asyncpg.connect(server.admin_dsn(address.name))
    await connection.execute(
        "CREATE TABLE bare (event_id text, tenant_id text, at_ms bigint, key text, type text,"
        " payload bytea, seq bigint)"
    )
    rows = [
        (e.event_id, str(e.tenant_id), e.at_ms, e.key, e.type, e.payload, e.seq) for e in events
    ]
    began = perf_counter()
    for first in range(0, EVENTS, BATCH):
        async with connection.transaction():
            await connection.executemany(
                "INSERT INTO bare VALUES ($1, $2, $3, $4, $5, $6, $7)", rows[first : first + BATCH]
            )
    inserted_s = perf_counter() - began
    began = perf_counter()
    await connection.fetch("SELECT * FROM bare")
    selected_s = perf_counter() - began
    await connection.close()
    return inserted_s, selected_s


async def run() -> Result:
    # With fsync, as an installation has it.
    with running_postgres(fast=False) as server:
        async with fresh_database(server) as address:
            return await measure(server, address)


def main() -> int:
    result = uvloop.run(run())
    if "--json" in sys.argv[1:]:
        sys.stdout.write(json.dumps(asdict(result), indent=2) + "\n")
        return 0
    sys.stdout.write(
        f"publish  {result.published_per_s:8.0f} events/s in batches of {BATCH}"
        f"  ({result.publish_ratio:.2f} of bare INSERTs: {result.inserted_per_s:.0f}/s)\n"
        f"consume  {result.consumed_per_s:8.0f} events/s with commits"
        f"  (one SELECT of all: {result.selected_per_s:.0f}/s)\n"
        f"publish to read, one at a time: p50 {result.publish_to_read_p50_ms:.1f} ms,"
        f" p95 {result.publish_to_read_p95_ms:.1f} ms\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
