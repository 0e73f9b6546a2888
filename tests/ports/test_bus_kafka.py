"""What only Kafka does: its topics, its groups, its records, and what is refused at the start."""

from __future__ import annotations

import asyncio
import multiprocessing
from dataclasses import replace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from protos.common.v1 import dead_letter_pb2
from services.chassis import bus_kafka
from services.chassis.bus import BusUnavailable, PartitionLost
from services.chassis.bus_kafka import BusUnreachable, KafkaAddress, KafkaBus, TopicRefused
from services.chassis.dead_letters import topic_of
from services.chassis.envelope import PARTITIONS, partition_of
from services.chassis.envelope_wire import message_of
from services.chassis.envelope_wire import read as read_envelope
from services.chassis.metrics import Metrics
from services.launcher.ports import LOOPBACK, free_port
from tests.ports.test_bus import TOPIC, event, read
from tests.stage.kafka import RunningKafka, kafka_bus


async def made(address: KafkaAddress, topic: str, *, partitions: int) -> None:
    """A topic as somebody else makes it."""
    admin = AIOKafkaAdminClient(**address.client("test"))
    await admin.start()
    await admin.create_topics([NewTopic(address.prefix + topic, partitions, 1)])
    await admin.close()


async def records(address: KafkaAddress, topic: str, count: int) -> list[Any]:
    """A topic's records, as any other program sees them."""
    consumer = AIOKafkaConsumer(
        address.prefix + topic, **address.client("test"), auto_offset_reset="earliest"
    )
    await consumer.start()
    found: list[Any] = []
    async with asyncio.timeout(30):
        while len(found) < count:
            for some in (await consumer.getmany(timeout_ms=500)).values():
                found += some
    await consumer.stop()
    return found


async def test_topics_are_made_as_declared(kafka_server: RunningKafka) -> None:
    address = replace(kafka_server.address(), retention_hours=5)
    bus = KafkaBus(address, name="here")
    await bus.open((TOPIC, "crm.events.v1"))
    admin = AIOKafkaAdminClient(**address.client("test"))
    await admin.start()
    described = await admin.describe_topics([address.prefix + TOPIC])
    (answer,) = await admin.describe_configs(
        [ConfigResource(ConfigResourceType.TOPIC, address.prefix + TOPIC)]
    )
    await admin.close()
    await bus.close()
    assert len(described[0]["partitions"]) == PARTITIONS
    settings = {entry[0]: entry[1] for entry in answer.resources[0][4]}
    assert settings["retention.ms"] == "18000000"
    assert settings["min.insync.replicas"] == "1"
    assert settings["cleanup.policy"] == "delete"


async def test_a_topic_with_other_partitions_is_refused(kafka_server: RunningKafka) -> None:
    address = kafka_server.address()
    await made(address, TOPIC, partitions=3)
    bus = KafkaBus(address, name="here")
    with pytest.raises(TopicRefused, match=r"acd\.events\.v1 has 3 partitions and must have 8"):
        await bus.open((TOPIC,))
    with pytest.raises(TopicRefused):
        await bus.publish(TOPIC, [event(1)])
    await bus.close()


async def test_a_topic_with_fewer_copies_is_refused(kafka_server: RunningKafka) -> None:
    address = kafka_server.address()
    await made(address, TOPIC, partitions=PARTITIONS)
    bus = KafkaBus(replace(address, replication=3, min_in_sync=2), name="here")
    with pytest.raises(TopicRefused, match="has 1 copies of each event and 3 are asked for"):
        await bus.open((TOPIC,))
    await bus.close()


async def test_more_copies_than_brokers_are_refused(kafka_server: RunningKafka) -> None:
    bus = KafkaBus(replace(kafka_server.address(), replication=3), name="here")
    with pytest.raises(TopicRefused, match="3 copies of each event are asked for, and there are"):
        await bus.open((TOPIC,))
    await bus.close()


async def test_brokers_that_are_not_there_are_told_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bus_kafka, "TRY_LIMIT_S", 0.5)
    nobody, silent = (
        f"{LOOPBACK}:{free_port()}",
        await asyncio.start_server(lambda *_: None, LOOPBACK, 0),
    )
    port = silent.sockets[0].getsockname()[1]
    address = KafkaAddress(
        brokers=(nobody, f"{LOOPBACK}:{port}", "no.such.host.invalid:9092"),
        start_limit_s=0.5,
        publish_limit_s=0.5,
    )
    bus = KafkaBus(address, name="here")
    with pytest.raises(BusUnreachable) as refused:
        await bus.open((TOPIC,))
    said = str(refused.value)
    assert "no answer from Kafka within 0.5 s" in said
    assert f"{nobody}: " in said
    assert f"{port}: no answer within 0.5 s" in said
    assert "no.such.host.invalid:9092: " in said
    with pytest.raises(BusUnavailable, match=r"not acknowledged .* within 0\.5 s"):
        await bus.publish(TOPIC, [event(1)])
    await bus.close()
    silent.close()


async def test_records_are_readable_by_any_program(kafka_server: RunningKafka) -> None:
    address = kafka_server.address()
    bus = KafkaBus(address, name="here")
    await bus.publish(TOPIC, [event(n, f"k{n}") for n in range(20)])
    await bus.close()
    found = await records(address, TOPIC, 20)
    for record in found:
        told = read_envelope(record.value)
        assert told is not None
        assert record.key == told.key.encode()
        assert record.partition == partition_of(told.key)
        assert record.timestamp == told.at_ms
        assert record.headers == (("traceparent", b"00-11-22-01"),)


async def test_a_record_that_is_no_event_is_put_aside(kafka_server: RunningKafka) -> None:
    address = kafka_server.address()
    async with kafka_bus(kafka_server) as _:
        bus = KafkaBus(address, name="here")
        await bus.publish(TOPIC, [event(1)])
        producer = AIOKafkaProducer(**address.client("test"))
        await producer.start()
        where = address.prefix + TOPIC, partition_of("k")
        for value in (b"hello", message_of(event(2)).SerializeToString(), b"bye", None):
            await producer.send_and_wait(where[0], value, partition=where[1], key=b"k")
        await producer.stop()
        assert [e.seq for e in await read(bus, "g", 2)] == [1, 2]
        letters = await read(bus, "people", 1, topic_of("g"))
        async with bus.consumer(group="g", topics=(TOPIC,)) as again:
            while await again.fetch(wait_s=0.2) is not None:
                pass
        await bus.publish(TOPIC, [event(3)])
        assert [e.seq for e in await read(bus, "g", 1)] == [3]
        async with bus.consumer(group="g", topics=(TOPIC,)) as last:
            assert await last.lag() == 0
        await bus.close()
    letter = dead_letter_pb2.DeadLetter.FromString(letters[0].payload)
    assert (letter.record, letter.offset, letter.reason) == (b"hello", 1, "not-an-event")


async def test_metrics_tell_lag_and_what_was_published(kafka_server: RunningKafka) -> None:
    metrics = Metrics()
    address = kafka_server.address()
    bus = KafkaBus(address, name="here", metrics=metrics)

    def value(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(name, labels)

    await bus.publish(TOPIC, [event(n, f"k{n}") for n in range(30)])
    assert value("carillon_bus_published_total", topic=TOPIC) == 30
    async with bus.consumer(group="g", topics=(TOPIC,)) as consumer:
        batch = await consumer.fetch(wait_s=5)
        assert batch is not None
        assert value("carillon_bus_lag_events", group="g", topic=TOPIC) == 30
        await consumer.commit(batch)
        left = 30 - len(batch.events)
        assert value("carillon_bus_lag_events", group="g", topic=TOPIC) == left
        assert value("carillon_bus_away", group="g") == 0
    await bus.close()


def read_and_hold(address: KafkaAddress, told: Any) -> None:
    """A member that fetches a batch, says so, and does not come to its end."""

    async def run() -> None:
        bus = KafkaBus(address, name="doomed")
        async with bus.consumer(group="g", topics=(TOPIC,)) as consumer:
            batch = await consumer.fetch(wait_s=30)
            told.put([e.event_id for e in batch.events] if batch else [])
            await asyncio.sleep(600)

    asyncio.run(run())


async def test_a_batch_of_a_member_that_was_killed_comes_again(
    kafka_server: RunningKafka,
) -> None:
    address = replace(kafka_server.address(), session_s=4.0)
    bus = KafkaBus(address, name="here")
    await bus.publish(TOPIC, [event(n) for n in range(10)])
    spawn = multiprocessing.get_context("spawn")
    told = spawn.Queue()
    process = spawn.Process(target=read_and_hold, args=(address, told))
    process.start()
    held = await asyncio.to_thread(told.get, timeout=60)
    process.kill()
    await asyncio.to_thread(process.join)
    assert held == [f"k:{n}" for n in range(10)]
    seen: list[str] = []
    async with asyncio.timeout(60), bus.consumer(group="g", topics=(TOPIC,)) as consumer:
        while len(seen) < 10:
            batch = await consumer.fetch(wait_s=1)
            if batch is not None:
                seen += [e.event_id for e in batch.events]
                await consumer.commit(batch)
    await bus.close()
    assert seen == held


async def test_while_members_come_and_go_nothing_is_lost_and_keys_keep_their_order(
    kafka_server: RunningKafka,
) -> None:
    keys, each = [f"k{n}" for n in range(16)], 40
    seen: dict[str, list[int]] = {key: [] for key in keys}
    address = kafka_server.address()
    bus = KafkaBus(address, name="here")

    def wanted() -> int:
        return sum(len(set(numbers)) for numbers in seen.values())

    async def member(limit: int) -> None:
        async with bus.consumer(group="g", topics=(TOPIC,)) as consumer:
            while wanted() < limit:
                try:
                    batch = await consumer.fetch(wait_s=0.2)
                    if batch is None:
                        continue
                    for e in batch.events:
                        seen[e.key].append(e.seq)
                    await consumer.commit(batch)
                except PartitionLost:
                    continue  # another has it now: it comes again there

    async def publish() -> None:
        for number in range(each):
            await bus.publish(TOPIC, [event(number, key) for key in keys])
            await asyncio.sleep(0.05)

    total = len(keys) * each
    async with asyncio.timeout(100), asyncio.TaskGroup() as group:
        group.create_task(member(total))
        group.create_task(publish())
        group.create_task(member(total // 4))
        group.create_task(member(total // 2))
    async with bus.consumer(group="g", topics=(TOPIC,)) as consumer:
        while (batch := await consumer.fetch(wait_s=0.5)) is not None:
            await consumer.commit(batch)
        assert await consumer.lag() == 0
    await bus.close()
    for numbers in seen.values():
        # What came twice aside, the order in which each came first is that of publishing.
        assert list(dict.fromkeys(numbers)) == list(range(each))
