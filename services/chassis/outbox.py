"""Events written with the state they tell of, and brought to the bus afterwards."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Sequence

from services.chassis import spans
from services.chassis.bus import Bus, BusUnavailable
from services.chassis.clock import Clock, SystemClock
from services.chassis.database import Connection, Database, DatabaseUnavailable
from services.chassis.envelope import Envelope
from services.chassis.ids import TenantId
from services.chassis.log import get_logger
from services.chassis.metrics import Reading

log = get_logger("outbox")

MAX_AT_ONCE = 500
LOOK_EVERY_S = 0.2
RETRY_LAST_S = 5.0
_COLUMNS = "event_id, tenant_id, at_ms, key, type, payload, seq, traceparent"


async def add(connection: Connection, topic: str, events: Sequence[Envelope]) -> None:
    """Writes events in the running transaction; they are published once it is committed."""
    await connection.executemany(
        f"INSERT INTO outbox (topic, {_COLUMNS})"  # noqa: S608 (no input)
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        [
            (
                topic,
                event.event_id,
                event.tenant_id,
                event.at_ms,
                event.key,
                event.type,
                event.payload,
                event.seq,
                event.traceparent,
            )
            for event in events
        ],
    )


class OutboxPublisher:
    """Brings one schema's events to the bus, in the order in which they were written.

    Any number of replicas may run one: they take turns by an advisory lock, so that order is
    kept. What was published and not yet removed when one died is published again.
    """

    def __init__(self, *, database: Database, bus: Bus, clock: Clock | None = None) -> None:
        """`database` is the service's own; by the clock it is told how long events wait."""
        self._database = database
        self._bus = bus
        self._clock = clock or SystemClock()
        self._oldest_ms = 0
        self._wake = asyncio.Event()
        self._published = 0
        self._waiting = False

    def readings(self, service: str) -> Iterator[Reading]:
        """How the outbox fares, as the service shows it."""
        yield Reading(
            f"carillon_{service}_outbox_published_total",
            "Events of this service that were brought to the bus.",
            self._published,
            kind="counter",
        )
        yield Reading(
            f"carillon_{service}_outbox_waiting",
            "Whether events of this service wait because the database or the bus is away.",
            float(self._waiting),
        )
        yield Reading(
            f"carillon_{service}_outbox_age_seconds",
            "How long the oldest event that this process knows of has waited for the bus.",
            max(0, self._clock.now_ms() - self._oldest_ms) / 1_000 if self._oldest_ms else 0.0,
        )

    def nudge(self) -> None:
        """Says that something was written: it is published at once instead of soon."""
        self._wake.set()

    async def run(self) -> None:
        """Publishes for ever; the database or the bus may be away."""
        pause_s = LOOK_EVERY_S
        while True:
            # Before looking: what is written meanwhile is looked for at once afterwards.
            self._wake.clear()
            try:
                published = await self.publish_some()
            except Exception as error:  # noqa: BLE001 (whatever it is, what waits must not stay)
                self._waiting = True
                self._tell(error)
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, RETRY_LAST_S)
                continue
            self._published += published
            self._waiting, pause_s = False, LOOK_EVERY_S
            if published < MAX_AT_ONCE:
                await self._nudged()

    async def _nudged(self) -> None:
        try:
            async with asyncio.timeout(LOOK_EVERY_S):
                await self._wake.wait()
        except TimeoutError:
            pass  # look again: another replica may have written

    def _tell(self, error: Exception) -> None:
        schema = self._database.schema
        if isinstance(error, DatabaseUnavailable | BusUnavailable):
            log.warning("outbox waits", schema=schema, reason=str(error))
        else:
            log.error("outbox is stuck", schema=schema, exc_info=error)

    async def publish_some(self) -> int:
        """Publishes the oldest events; how many. Nothing while another replica is at it."""
        async with self._database.untenanted() as connection:
            mine: bool = await connection.fetchval(
                "SELECT pg_try_advisory_xact_lock(hashtext('carillon.outbox.' || $1))",
                self._database.schema,
            )
            if not mine:
                self._oldest_ms = 0
                return 0
            rows = await connection.fetch(
                f"SELECT id, topic, {_COLUMNS} FROM outbox"  # noqa: S608 (no input)
                " ORDER BY id LIMIT $1",
                MAX_AT_ONCE,
            )
            self._oldest_ms = rows[0]["at_ms"] if rows else 0
            by_topic: dict[str, list[Envelope]] = defaultdict(list)
            for row in rows:
                by_topic[row["topic"]].append(
                    Envelope(
                        event_id=row["event_id"],
                        tenant_id=TenantId(row["tenant_id"]),
                        at_ms=row["at_ms"],
                        key=row["key"],
                        type=row["type"],
                        payload=row["payload"],
                        seq=row["seq"],
                        traceparent=row["traceparent"],
                    )
                )
            for topic, events in by_topic.items():
                with spans.publishing(self._database.schema, topic, events) as traced:
                    await self._bus.publish(topic, traced)
            await connection.execute(
                "DELETE FROM outbox WHERE id = ANY($1)", [row["id"] for row in rows]
            )
        self._oldest_ms = 0
        return len(rows)
