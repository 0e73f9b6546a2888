"""Brings the journal's facts to the bus, in their order, each at least once."""

from __future__ import annotations

import asyncio
import contextlib

from media_gateway.facts.files import Position
from media_gateway.facts.journal import FactJournal
from media_gateway.facts.naming import Naming
from protos.gateway.v1.events_pb2 import CallFact
from services.chassis import spans
from services.chassis.bus import MAX_PUBLISHED, Bus
from services.chassis.envelope import Envelope, enveloped
from services.chassis.errors import CarillonError
from services.chassis.ids import TenantId
from services.chassis.log import get_logger

log = get_logger("facts")

TOPIC = "gateway.events.v1"
MAX_READ = 500
"""Facts read at once; with those that waited for their tenant's name they fit one `publish`."""
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 5.0


class FactPublisher:
    """Runs beside the journal; the bus may be away for as long as it likes."""

    def __init__(self, journal: FactJournal, bus: Bus) -> None:
        self._journal = journal
        self._bus = bus
        self._naming = Naming()
        self._read_to = Position()
        self._idle = asyncio.Event()
        self._taken = 0
        self._oldest_ms = 0
        self.published = 0
        """Facts brought to the bus by this process."""
        self.waiting = False
        """Whether the bus took the last facts not yet."""

    @property
    def unpublished(self) -> int:
        """Facts of this process that are written down and not on the bus yet."""
        return max(0, self._journal.written - self._taken)

    def age_s(self, now_ms: int) -> float:
        """How long the oldest fact has waited that is being brought to the bus; 0: none is."""
        return max(0, now_ms - self._oldest_ms) / 1_000 if self._oldest_ms else 0.0

    async def run(self) -> None:
        """Publishes for ever."""
        self._read_to = await asyncio.to_thread(self._journal.reader.done)
        while True:
            self._journal.grown.clear()
            try:
                while await self._publish_some():
                    pass
            except OSError as error:
                # A full disk, most likely: what was published is at worst published again.
                log.error("facts wait: the disk is in the way", reason=str(error))
                await asyncio.sleep(FIRST_PAUSE_S)
                continue
            if not self._journal.grown.is_set():
                self._idle.set()
            await self._journal.grown.wait()

    async def catch_up(self, limit_s: float) -> None:
        """Waits, not for long, until everything that is written down is published."""
        self._idle.clear()
        self._journal.grown.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await self._idle.wait()

    async def _publish_some(self) -> bool:
        reader, until = self._journal.reader, self._journal.end
        kept = await asyncio.to_thread(reader.read, self._read_to, until, limit=MAX_READ)
        if not kept:
            return False
        facts = self._naming.let_through(kept)
        self._oldest_ms = min((fact.at_ms for fact in facts), default=0)
        for begin in range(0, len(facts), MAX_PUBLISHED):
            await self._deliver([_envelope(fact) for fact in facts[begin : begin + MAX_PUBLISHED]])
        self._oldest_ms = 0
        self._read_to = kept[-1].end
        self._taken += sum(map(self._journal.is_own, kept))
        await asyncio.to_thread(reader.commit, self._naming.held_from or self._read_to)
        return True

    async def _deliver(self, events: list[Envelope]) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                with spans.publishing("gateway", TOPIC, events) as traced:
                    await self._bus.publish(TOPIC, traced)
            except Exception as error:  # noqa: BLE001 - whatever it is, the facts wait, none is lost
                if not self.waiting:
                    code = error.code if isinstance(error, CarillonError) else type(error).__name__
                    log.warning("facts wait for the bus", code=code, reason=str(error))
                self.waiting = True
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                continue
            if self.waiting:
                log.info("facts go on")
            self.waiting = False
            self.published += len(events)
            return


def _envelope(fact: CallFact) -> Envelope:
    return enveloped(
        fact,
        event_id=fact.event_id,
        tenant_id=TenantId(fact.tenant_id),
        at_ms=fact.at_ms,
        key=fact.call_id,
        seq=fact.seq,
        call_id=fact.call_id,
    )
