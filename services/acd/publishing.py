"""Brings what a shard's journal holds to the bus, in its order, beside the work."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing

from services.acd.wire import published
from services.chassis import spans
from services.chassis.bus import MAX_PUBLISHED, Bus, BusUnavailable
from services.chassis.envelope import Envelope, enveloped
from services.chassis.ids import TenantId
from services.chassis.journal import Journal, JournalRow, JournalUnavailable
from services.chassis.log import get_logger

log = get_logger("acd.publishing")

TOPIC = "acd.events.v1"
ROWS = 200
"""Rows published at once."""
RETRY_FIRST_S = 0.1
RETRY_LAST_S = 5.0


class Publisher:
    """One shard's events on their way to the bus.

    The journal is the outbox: a position says how far its rows are published. What was published
    and not yet remembered when an owner died is published again under the same ids.
    """

    def __init__(self, *, tenant_id: TenantId, journal: Journal, bus: Bus) -> None:
        self._tenant_id = tenant_id
        self._journal = journal
        self._bus = bus
        self._written = asyncio.Event()
        self._position: int | None = None
        self._since_s: float | None = None
        self.published = 0
        """Events brought to the bus by this owner."""

    @property
    def position(self) -> int:
        """The last row that is on the bus, as far as this owner knows."""
        return self._position or 0

    @property
    def age_s(self) -> float:
        """How long this owner has had rows that are not on the bus; 0: it has none."""
        return 0.0 if self._since_s is None else asyncio.get_running_loop().time() - self._since_s

    def nudge(self) -> None:
        """Rows were written."""
        self._written.set()
        if self._since_s is None:
            self._since_s = asyncio.get_running_loop().time()

    async def run(self) -> None:
        """Publishes until it is cancelled; the journal or the bus may be away."""
        pause_s = RETRY_FIRST_S
        while True:
            self._written.clear()
            try:
                more = await self._publish_some()
            except Exception as error:  # noqa: BLE001 (no failure may end the publishing for good)
                self._tell(error)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, RETRY_LAST_S)
                continue
            pause_s = RETRY_FIRST_S
            if not more:
                if not self._written.is_set():
                    self._since_s = None
                await self._written.wait()

    def _tell(self, error: Exception) -> None:
        if isinstance(error, JournalUnavailable | BusUnavailable):
            log.warning("events wait", shard=self._tenant_id, reason=str(error))
        else:
            log.error("events are stuck", shard=self._tenant_id, exc_info=error)

    async def _publish_some(self) -> bool:
        """Publishes the next rows; whether there may be more."""
        if self._position is None:
            self._position = await self._journal.published(self._tenant_id)
        rows = await self._next_rows(self._position)
        events = [event for row in rows for event in envelopes(row)]
        for first in range(0, len(events), MAX_PUBLISHED):
            some = events[first : first + MAX_PUBLISHED]
            with spans.publishing("acd", TOPIC, some) as traced:
                await self._bus.publish(TOPIC, traced)
        if rows:
            await self._journal.set_published(self._tenant_id, rows[-1].seq)
            self._position = rows[-1].seq
            self.published += len(events)
        return len(rows) == ROWS

    async def _next_rows(self, after_seq: int) -> list[JournalRow]:
        async with aclosing(self._journal.read(self._tenant_id, after_seq, limit=ROWS)) as rows:
            return [row async for row in rows]


def envelopes(row: JournalRow) -> Iterator[Envelope]:
    """A row's events as the bus carries them."""
    for index, encoded in enumerate(row.events):
        message, call_id = published(encoded)
        yield enveloped(
            message,
            event_id=f"{row.shard}:{row.seq}:{index}",
            tenant_id=TenantId(row.shard),
            at_ms=row.at_ms,
            key=row.shard,
            seq=row.seq,
            call_id=call_id,
        )
