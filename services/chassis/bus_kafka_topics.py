"""Topics: made as they must be when they are first needed, and refused when they are not so."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, ClassVar

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    InvalidReplicationFactorError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
    for_code,
)

from services.chassis.bus_kafka_address import KafkaAddress
from services.chassis.envelope import PARTITIONS
from services.chassis.errors import CarillonError, Kind
from services.chassis.log import get_logger

log = get_logger("bus")

REQUEST_LIMIT_MS = 10_000
SEEN_EACH_S = 0.1
HOUR_MS = 3_600_000


class TopicRefused(CarillonError):
    """A topic is not as it must be, or cannot be made so; the text says what to do."""

    code: ClassVar[str] = "topic-refused"
    kind: ClassVar[Kind] = Kind.PRECONDITION


class Topics:
    """The topics that this process knows to be right."""

    def __init__(self, address: KafkaAddress, *, name: str) -> None:
        self._address = address
        self._name = name
        self._ready: set[str] = set()
        self._turn = asyncio.Lock()

    async def ready(self, topics: Iterable[str]) -> None:
        """Makes those that are missing, checks the others; TopicRefused, KafkaError, OSError.

        Topics are named as Kafka knows them, prefix included. None are wanted: whether a broker
        answers.
        """
        wanted = set(topics)
        if wanted and wanted <= self._ready:
            return
        async with self._turn:
            missing = sorted(wanted - self._ready)
            if wanted and not missing:
                return
            client = AIOKafkaAdminClient(
                **self._address.client(self._name), request_timeout_ms=REQUEST_LIMIT_MS
            )
            try:
                await client.start()
                if missing:
                    await self._make(client, missing)
            finally:
                await client.close()
            self._ready.update(missing)

    def forget(self) -> None:
        """Checks all of them again when they are next needed."""
        self._ready.clear()

    async def _make(self, client: Any, topics: list[str]) -> None:
        found = await _described(client, topics)
        missing = [topic for topic in topics if topic not in found]
        if missing:
            await self._create(client, missing)
        # A broker that is asked may hear of a new topic a little later than the controller.
        while missing := [topic for topic in topics if topic not in found]:
            await asyncio.sleep(SEEN_EACH_S)
            found |= await _described(client, missing)
        for topic in topics:
            self._check(topic, found[topic])

    async def _create(self, client: Any, topics: list[str]) -> None:
        address = self._address
        settings = {
            "cleanup.policy": "delete",
            "min.insync.replicas": str(address.min_in_sync),
            "retention.ms": str(address.retention_hours * HOUR_MS),
            "retention.bytes": "-1",
        }
        answer = await client.create_topics(
            [
                NewTopic(
                    name=topic,
                    num_partitions=PARTITIONS,
                    replication_factor=address.replication,
                    topic_configs=settings,
                )
                for topic in topics
            ]
        )
        for topic, code, *words in answer.topic_errors:
            error = for_code(code)
            # Another process may have made it in this moment.
            if code == 0 or error is TopicAlreadyExistsError:
                log.info("topic made", topic=topic, partitions=PARTITIONS)
            elif error is InvalidReplicationFactorError:
                raise TopicRefused(
                    f"{topic}: {address.replication} copies of each event are asked for, and there"
                    f" are fewer brokers; start them, or ask for fewer copies ({_said(words)})"
                )
            elif error.retriable:
                raise error(topic)
            else:
                raise TopicRefused(
                    f"{topic} cannot be made: {error.__name__} ({_said(words)}). Make it with"
                    f" {PARTITIONS} partitions, or let this user make topics"
                )

    def _check(self, topic: str, found: dict[str, Any]) -> None:
        count = len(found["partitions"])
        if count != PARTITIONS:
            raise TopicRefused(
                f"{topic} has {count} partitions and must have {PARTITIONS}: what is ordered by a"
                " key would lose its order. Remove the topic, or choose another prefix"
            )
        copies = min(len(each["replicas"]) for each in found["partitions"])
        if copies < self._address.replication:
            raise TopicRefused(
                f"{topic} has {copies} copies of each event and {self._address.replication} are"
                " asked for: reassign its partitions to more brokers, or ask for fewer copies"
            )


async def _described(client: Any, topics: list[str]) -> dict[str, dict[str, Any]]:
    """Those of the topics that are there, with their partitions; KafkaError."""
    described = {}
    for found in await client.describe_topics(topics):
        error = for_code(found["error_code"])
        if found["error_code"] == 0:
            described[found["topic"]] = found
        elif error is not UnknownTopicOrPartitionError and not error.retriable:
            raise error(found["topic"])
    return described


def _said(words: list[Any]) -> str:
    return next((str(word) for word in words if word), "no further words")
