"""The bus on Kafka: the same topics, groups and semantics, on brokers that an SRE runs.

Publishing is at least once: an event that was not acknowledged in time may be there all the same,
and whoever publishes it again adds it again. Consumers are idempotent by event id, in this world as
in the others. Broker transactions are not relied on (docs/decisions/0009-cluster.md).
"""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, ClassVar

from aiokafka.conn import create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)

from services.chassis.bus import BusUnavailable, Consumer, check
from services.chassis.bus_kafka_address import BadKafkaAddress, KafkaAddress, split
from services.chassis.bus_kafka_backoff import Backoff
from services.chassis.bus_kafka_consumer import KafkaConsumer
from services.chassis.bus_kafka_producer import Producer
from services.chassis.bus_kafka_topics import TopicRefused, Topics
from services.chassis.dead_letters import letter_of_record, topic_of
from services.chassis.envelope import Envelope
from services.chassis.errors import CarillonError, Kind
from services.chassis.log import get_logger
from services.chassis.metrics import Metrics, Reading

__all__ = [
    "BadKafkaAddress",
    "BusRefused",
    "BusUnreachable",
    "KafkaAddress",
    "KafkaBus",
    "TopicRefused",
]

log = get_logger("bus")

TRY_LIMIT_S = 3.0
"""For one broker to answer, when it is asked why nothing goes on."""


class BusUnreachable(CarillonError):
    """No broker answered when the process started; the text says what was tried."""

    code: ClassVar[str] = "bus-unreachable"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


class BusRefused(CarillonError):
    """A broker is there, and this process and it do not trust each other; the text says why."""

    code: ClassVar[str] = "bus-refused"
    kind: ClassVar[Kind] = Kind.PRECONDITION


class KafkaBus:
    """A bus whose events are records in Kafka; see `Bus`."""

    def __init__(self, address: KafkaAddress, *, name: str, metrics: Metrics | None = None) -> None:
        """`name` is this process's; `metrics` show how the bus fares from now on."""
        self._address = address
        self._name = name
        self._topics = Topics(address, name=name)
        self._producer = Producer(address, self._topics, name=name)
        self._members: list[KafkaConsumer] = []
        self._published: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        if metrics is not None:
            metrics.add(self.readings)

    async def open(self, topics: Sequence[str] = ()) -> None:
        """At the start of a process: whether the brokers are there, and these topics right.

        BusUnreachable, after the address's `start_limit_s`; BusRefused, TopicRefused.
        """
        backoff, last = Backoff(), ""
        try:
            async with asyncio.timeout(self._address.start_limit_s):
                while True:
                    try:
                        return await self._topics.ready(self._named(each) for each in topics)
                    except (KafkaError, OSError) as error:
                        last = f"{type(error).__name__}: {error}"
                    await self._tried()
                    await backoff.wait()
        except TimeoutError:
            tried = await self._tried()
            raise BusUnreachable(
                f"no answer from Kafka within {self._address.start_limit_s:g} s; tried"
                f" {'; '.join(tried)}{f' ({last})' if last else ''}"
            ) from None

    async def publish(self, topic: str, events: Sequence[Envelope]) -> None:
        """Adds events; see `Bus.publish`."""
        check(events)
        if not events:
            return
        try:
            await self._producer.send(self._named(topic), events)
        except BusUnavailable:
            self._refused[topic] += 1
            raise
        self._published[topic] += len(events)

    @asynccontextmanager
    async def consumer(self, *, group: str, topics: Sequence[str]) -> AsyncIterator[Consumer]:
        """A member of a group; see `Bus.consumer`."""
        member = KafkaConsumer(
            self._address,
            self._topics,
            name=self._name,
            group=group,
            reads=topics,
            unreadable=self._keep_unreadable,
        )
        self._members.append(member)
        try:
            await member.join()
            yield member
        finally:
            self._members.remove(member)
            await member.leave()

    async def close(self) -> None:
        """Ends what sends; members end with their own `async with`."""
        await self._producer.close()

    def readings(self) -> Iterator[Reading]:
        """How the bus fares, as the process shows it."""
        for topic, count in sorted(self._published.items()):
            yield Reading(
                "carillon_bus_published_total",
                "Events that the brokers acknowledged to this process.",
                count,
                (("topic", topic),),
                "counter",
            )
        for topic, count in sorted(self._refused.items()):
            yield Reading(
                "carillon_bus_publish_failures_total",
                "Times that events were not acknowledged in time; they are published again.",
                count,
                (("topic", topic),),
                "counter",
            )
        yield from self._of_groups()

    def _of_groups(self) -> Iterator[Reading]:
        lags: Counter[tuple[str, str]] = Counter()
        moved: Counter[str] = Counter()
        away: dict[str, bool] = {}
        for member in self._members:
            for topic, lag in member.lags().items():
                lags[member.group, topic] += lag
            moved[member.group] += member.rebalances
            away[member.group] = away.get(member.group, False) or member.away
        for (group, topic), lag in sorted(lags.items()):
            yield Reading(
                "carillon_bus_lag_events",
                "Events not committed yet, of the partitions that this process reads.",
                lag,
                (("group", group), ("topic", topic)),
            )
        for group in sorted(moved):
            label = (("group", group),)
            yield Reading(
                "carillon_bus_rebalances_total",
                "Times that partitions were taken from this process to be given out anew.",
                moved[group],
                label,
                "counter",
            )
            yield Reading(
                "carillon_bus_away",
                "Whether the brokers did not answer when this process asked last.",
                float(away[group]),
                label,
            )

    def _named(self, topic: str) -> str:
        return self._address.prefix + topic

    async def _tried(self) -> list[str]:
        """How each of the brokers takes it to be spoken to; BusRefused, which no waiting mends."""
        every = map(self._why, self._address.brokers)
        told = await asyncio.gather(*every, return_exceptions=True)
        for each in told:
            if isinstance(each, BaseException):
                raise each
        return [str(each) for each in told]

    async def _why(self, broker: str) -> str:
        """What happens when one broker is spoken to, login included; BusRefused."""
        host, port = split(broker)
        options = self._address.client(self._name)
        del options["bootstrap_servers"]
        try:
            async with asyncio.timeout(TRY_LIMIT_S):
                (await create_conn(host, port, **options)).close()
        except TimeoutError:
            return f"{broker}: no answer within {TRY_LIMIT_S:g} s"
        except (KafkaError, OSError) as error:
            advice = _advice(error)
            if advice:
                raise BusRefused(f"{broker}: {error!r}; {advice}") from None
            return f"{broker}: {error!r}{self._guess(error)}"
        return f"{broker}: answers"

    def _guess(self, error: Exception) -> str:
        """What a broker may want that closes connections without a word."""
        if not isinstance(error, KafkaConnectionError):
            return ""
        if self._address.security == "plaintext":
            return "; does it want TLS (CARILLON_KAFKA_SECURITY)?"
        return "" if self._address.cert_file else "; does it want CARILLON_KAFKA_CERT?"

    async def _keep_unreadable(self, *, group: str, topic: str, record: Any) -> None:
        value = bytes(record.value or b"")
        dead = letter_of_record(
            group, topic, record.partition, record.offset, value, at_ms=record.timestamp
        )
        await self.publish(topic_of(group), [dead])
        log.error(
            "record is no event",
            group=group,
            topic=topic,
            partition=record.partition,
            offset=record.offset,
            bytes=len(value),
        )


def _advice(error: Exception) -> str:
    """What to set right, where another attempt would end the same; empty: it may not."""
    match error:
        case AuthenticationFailedError() | SaslAuthenticationFailed() | IllegalSaslStateError():
            return "look at CARILLON_KAFKA_USER and CARILLON_KAFKA_PASSWORD"
        case UnsupportedSaslMechanismError():
            return "look at CARILLON_KAFKA_SECURITY"
        case ssl.SSLCertVerificationError():
            return "look at CARILLON_KAFKA_CA, and at the names in CARILLON_KAFKA_BROKERS"
        case ssl.SSLError(reason="WRONG_VERSION_NUMBER"):
            return "there is no TLS: look at CARILLON_KAFKA_SECURITY and at the port"
        case ssl.SSLError(reason=str(reason)) if "ALERT" in reason:
            return "look at CARILLON_KAFKA_CERT and CARILLON_KAFKA_KEY"
        case _:
            return ""
