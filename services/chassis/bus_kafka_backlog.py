"""What waits on the bus in Kafka, as somebody sees it who is no member of any group."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from services.chassis.bus import BusUnavailable
from services.chassis.bus_kafka_address import KafkaAddress
from services.chassis.envelope import PARTITIONS

LIMIT_S = 15.0
REQUEST_LIMIT_MS = 5_000
AGAIN_S = 0.2


class KafkaBacklog:
    """Asks the brokers; it reads no event, and joins no group."""

    def __init__(self, address: KafkaAddress, *, name: str, groups: Collection[str]) -> None:
        """`name` is shown in the brokers' logs; groups of others in the same Kafka are left out."""
        self._address = address
        self._options = {**address.client(name), "request_timeout_ms": REQUEST_LIMIT_MS}
        self._groups = tuple(sorted(groups))

    async def behind(self) -> Mapping[tuple[str, str], int]:
        """Events that are not done, by group and topic; BusUnavailable.

        Topics of which a group has done nothing yet are not known to be its own, and left out.
        """
        admin = AIOKafkaAdminClient(**self._options)
        client = AIOKafkaConsumer(**self._options, enable_auto_commit=False)
        try:
            async with asyncio.timeout(LIMIT_S):
                await admin.start()
                await client.start()
                return await self._asked(admin, client)
        except (KafkaError, OSError, TimeoutError) as error:
            raise BusUnavailable(
                f"{', '.join(self._address.brokers)}: {str(error) or type(error).__name__}"
            ) from error
        finally:
            await asyncio.gather(admin.close(), client.stop(), return_exceptions=True)

    async def _asked(self, admin: Any, client: Any) -> Mapping[tuple[str, str], int]:
        prefix = self._address.prefix
        done: dict[str, dict[TopicPartition, int]] = {}
        for group in self._groups:
            done[group] = await _done(admin, prefix + group)
        # A partition of which nothing was done is as much behind as it is long.
        every = sorted(
            {
                TopicPartition(where.topic, number)
                for offsets in done.values()
                for where in offsets
                for number in range(PARTITIONS)
            }
        )
        if not every:
            return {}
        ends = await client.end_offsets(every)
        firsts = await client.beginning_offsets(every)
        behind: Counter[tuple[str, str]] = Counter()
        for group, offsets in done.items():
            topics = {where.topic for where in offsets}
            for where in every:
                if where.topic in topics:
                    place = max(offsets.get(where, 0), firsts[where])
                    name = where.topic.removeprefix(prefix)
                    behind[group, name] += max(0, ends[where] - place)
        return dict(behind)


async def _done(admin: Any, group: str) -> dict[TopicPartition, int]:
    """What a group has committed; asked again while its coordinator moves or only begins."""
    while True:
        try:
            told = await admin.list_consumer_group_offsets(group)
        except KafkaError as error:
            if not error.retriable:
                raise
            await asyncio.sleep(AGAIN_S)
        else:
            return {where: offset.offset for where, offset in told.items()}
