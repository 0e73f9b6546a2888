"""How many events the bus on Kafka takes and gives, against plain aiokafka in the same run.

One broker on this machine. The plain client has the same settings: idempotent, acknowledged by all
copies, lz4, batches of the same size, offsets committed after each read; it neither makes nor opens
envelopes. Bus and plain client take turns, with a topic and group of their own in each round; told
are medians over the rounds.

    python -m tests.bench.bench_kafka [--json]
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median, quantiles
from time import perf_counter

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from services.chassis import log
from services.chassis.bus_kafka import KafkaBus
from services.chassis.bus_kafka_consumer import FETCH_WAIT_MS
from services.chassis.bus_kafka_producer import BATCH_BYTES
from services.chassis.envelope import Envelope, partition_of
from services.chassis.envelope_wire import message_of
from tests.bench.bench_bus import (
    BATCH,
    EVENTS,
    ONE_BY_ONE,
    PAUSE_S,
    TOPIC,
    Carried,
    carry,
    event,
)
from tests.stage.kafka import RunningKafka, kafka_bus, running_kafka

ROUNDS = 3
MAX_RECORDS = 500


@dataclass(frozen=True, slots=True)
class Result:
    """What one run showed; `plain` is the bare client."""

    published_per_s: float
    plain_published_per_s: float
    consumed_per_s: float
    plain_consumed_per_s: float
    publish_to_read_p50_ms: float
    publish_to_read_p95_ms: float
    plain_p50_ms: float
    plain_p95_ms: float


async def plain(broker: str, topic: str) -> Carried:
    """What the bus does with its events, by the client alone; the payloads are the same."""
    sender = AIOKafkaProducer(
        bootstrap_servers=broker,
        acks="all",
        enable_idempotence=True,
        compression_type="lz4",
        max_batch_size=BATCH_BYTES,
    )
    reader = AIOKafkaConsumer(
        topic,
        bootstrap_servers=broker,
        group_id=f"{topic}.plain",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        fetch_max_wait_ms=FETCH_WAIT_MS,
    )
    records = [_record(event(number)) for number in range(EVENTS)]
    async with sender:
        await _send(sender, topic, records[:1])  # the way is there
        began = perf_counter()
        for first in range(0, EVENTS, BATCH):
            await _send(sender, topic, records[first : first + BATCH])
        published_s = perf_counter() - began
        async with reader:
            began, seen = perf_counter(), 0
            while seen <= EVENTS:
                seen += await _read(reader)
                await reader.commit()
            consumed_s = perf_counter() - began
            delays = []
            for number in range(ONE_BY_ONE):
                reading = asyncio.ensure_future(_read(reader))
                await asyncio.sleep(PAUSE_S)
                began = perf_counter()
                await _send(sender, topic, [_record(event(EVENTS + number))])
                while not await reading:
                    reading = asyncio.ensure_future(_read(reader))
                delays.append((perf_counter() - began) * 1_000)
                await reader.commit()
    return Carried(published_s, consumed_s, delays)


def _record(one: Envelope) -> tuple[int, bytes]:
    return partition_of(one.key), message_of(one).SerializeToString()


async def _send(sender: AIOKafkaProducer, topic: str, records: Sequence[tuple[int, bytes]]) -> None:
    waiting = [await sender.send(topic, value, partition=partition) for partition, value in records]
    await asyncio.gather(*waiting)


async def _read(reader: AIOKafkaConsumer) -> int:
    got = await reader.getmany(timeout_ms=5_000, max_records=MAX_RECORDS)
    return sum(map(len, got.values()))


async def measure(server: RunningKafka) -> Result:
    """All rounds."""
    ours: list[Carried] = []
    bare: list[Carried] = []
    for _ in range(ROUNDS):
        async with kafka_bus(server) as bus:
            await bus.open([TOPIC])
            ours.append(await carry(bus))
        bare.append(await _bare(server))
    return Result(
        published_per_s=median(EVENTS / each.published_s for each in ours),
        plain_published_per_s=median(EVENTS / each.published_s for each in bare),
        consumed_per_s=median(EVENTS / each.consumed_s for each in ours),
        plain_consumed_per_s=median(EVENTS / each.consumed_s for each in bare),
        publish_to_read_p50_ms=_cut(ours, 9),
        publish_to_read_p95_ms=_cut(ours, 18),
        plain_p50_ms=_cut(bare, 9),
        plain_p95_ms=_cut(bare, 18),
    )


async def _bare(server: RunningKafka) -> Carried:
    """On a topic that the bus has made, so that both are alike."""
    address = server.address()
    bus = KafkaBus(address, name="maker")
    await bus.open([TOPIC])
    await bus.close()
    return await plain(server.broker, f"{address.prefix}{TOPIC}")


def _cut(rounds: Sequence[Carried], twentieth: int) -> float:
    return median(quantiles(each.delays_ms, n=20)[twentieth] for each in rounds)


def main() -> int:
    log.configure(level="error", as_json=False)
    with running_kafka() as server:
        result = uvloop.run(measure(server))
    if "--json" in sys.argv[1:]:
        sys.stdout.write(json.dumps(asdict(result), indent=2) + "\n")
        return 0
    published = result.published_per_s / result.plain_published_per_s
    consumed = result.consumed_per_s / result.plain_consumed_per_s
    delayed = result.publish_to_read_p50_ms / result.plain_p50_ms
    sys.stdout.write(
        f"publish  {result.published_per_s:8.0f} events/s in batches of {BATCH}"
        f"  ({published:.2f} of plain aiokafka: {result.plain_published_per_s:.0f}/s)\n"
        f"consume  {result.consumed_per_s:8.0f} events/s with commits"
        f"  ({consumed:.2f} of plain aiokafka: {result.plain_consumed_per_s:.0f}/s)\n"
        f"publish to read, one at a time: p50 {result.publish_to_read_p50_ms:.1f} ms,"
        f" p95 {result.publish_to_read_p95_ms:.1f} ms; plain {result.plain_p50_ms:.1f} and"
        f" {result.plain_p95_ms:.1f} ms ({delayed:.2f} times)\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
