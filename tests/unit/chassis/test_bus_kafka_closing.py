"""A client of the brokers that fails by itself: who waits hears of it, and nobody else."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from services.chassis.bus_kafka_closing import abandon, heed_failure


async def fails() -> None:
    raise KafkaError("the sender broke")


async def test_a_sender_that_fails_tells_who_waits_and_raises_nowhere() -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: complaints.append(told))
    producer = AIOKafkaProducer(bootstrap_servers="127.0.0.1:1", enable_idempotence=True)
    # As the library starts it, without a broker: what it keeps to itself is what is tried here.
    sender, accumulator = producer._sender, producer._message_accumulator
    waits = await accumulator.add_message(TopicPartition("t", 0), b"k", b"v", timeout=1)
    sender._sender_task = asyncio.ensure_future(fails())
    sender.sender_task.add_done_callback(sender._fail_all)
    heed_failure(producer)
    async with asyncio.timeout(10):
        with pytest.raises(KafkaError, match="the sender broke"):
            await waits
    await abandon(producer)
    assert complaints == []
