"""The way of events to the brokers: idempotent, acknowledged by all copies that must be in sync."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from services.chassis.bus import BusUnavailable
from services.chassis.bus_kafka_address import KafkaAddress
from services.chassis.bus_kafka_backoff import Backoff
from services.chassis.bus_kafka_closing import abandon, heed_failure
from services.chassis.bus_kafka_topics import Topics
from services.chassis.envelope import Envelope, partition_of
from services.chassis.envelope_wire import message_of
from services.chassis.log import get_logger
from services.chassis.tasks import Tasks

log = get_logger("bus")

BATCH_BYTES = 256 * 1024
"""Of one partition's events that are sent together."""
MAX_REQUEST_BYTES = 1024 * 1024
TRACEPARENT = "traceparent"
"""The header that other programs look for a W3C trace context in."""


class Producer:
    """Sends events; any number of tasks may ask at once.

    The library sends what was not acknowledged again and again for ever. Whoever publishes asks
    again, too, so after the limit the client is given up with all that it still holds, and the
    next event goes by a new one.
    """

    def __init__(self, address: KafkaAddress, topics: Topics, *, name: str) -> None:
        self._address = address
        self._topics = topics
        self._name = name
        self._client: AIOKafkaProducer | None = None
        self._turn = asyncio.Lock()
        self._tasks = Tasks()

    async def send(self, topic: str, events: Sequence[Envelope]) -> None:
        """Durable on return; BusUnavailable, TopicRefused. `topic` is as Kafka knows it."""
        client: AIOKafkaProducer | None = None
        backoff = Backoff()
        try:
            async with asyncio.timeout(self._address.publish_limit_s):
                while client is None:
                    try:
                        client = await self._started(topic)
                    except (KafkaError, OSError) as error:
                        log.debug("brokers are away", reason=str(error))
                        await backoff.wait()
                await _sent(client, topic, events)
        except TimeoutError:
            self._give_up(client)
            raise BusUnavailable(
                f"{topic}: not acknowledged by {', '.join(self._address.brokers)}"
                f" within {self._address.publish_limit_s:g} s"
            ) from None
        except KafkaError as error:
            self._give_up(client)
            raise BusUnavailable(f"{topic}: {error!r}") from error

    async def close(self) -> None:
        """Ends the client and those that were given up."""
        client, self._client = self._client, None
        if client is not None:
            await abandon(client)
        await self._tasks.ended()

    async def _started(self, topic: str) -> AIOKafkaProducer:
        async with self._turn:
            await self._topics.ready((topic,))
            if self._client is None:
                client = AIOKafkaProducer(
                    **self._address.client(self._name),
                    acks="all",
                    enable_idempotence=True,
                    compression_type="lz4",
                    max_batch_size=BATCH_BYTES,
                    max_request_size=MAX_REQUEST_BYTES,
                    request_timeout_ms=round(self._address.publish_limit_s * 1_000),
                )
                try:
                    await client.start()
                except BaseException:
                    self._end(client)
                    raise
                heed_failure(client)
                self._client = client
            return self._client

    def _give_up(self, client: AIOKafkaProducer | None) -> None:
        if client is None or client is not self._client:
            return
        self._client = None
        self._topics.forget()
        self._end(client)

    def _end(self, client: AIOKafkaProducer) -> None:
        self._tasks.start(abandon(client), "producer's end")


async def _sent(client: AIOKafkaProducer, topic: str, events: Sequence[Envelope]) -> None:
    """Until all are acknowledged; the key's partition is the house's own, in every world."""
    acknowledged = [
        await client.send(
            topic,
            message_of(event).SerializeToString(),
            key=event.key.encode(),
            partition=partition_of(event.key),
            timestamp_ms=event.at_ms,
            headers=_headers(event),
        )
        for event in events
    ]
    await asyncio.gather(*acknowledged)


def _headers(event: Envelope) -> list[tuple[str, bytes]]:
    return [(TRACEPARENT, event.traceparent.encode())] if event.traceparent else []
