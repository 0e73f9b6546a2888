"""What others say of contacts becomes their history."""

from __future__ import annotations

from collections import defaultdict

from google.protobuf.message import DecodeError

from services.chassis.bus import Batch
from services.chassis.clock import Clock
from services.chassis.envelope import Envelope
from services.chassis.ids import TenantId
from services.chassis.log import get_logger
from services.crm.model import CallBegan, Happening
from services.crm.store import CrmStore
from services.crm.wire import happening

log = get_logger("crm.feed")

GROUP = "crm"
TOPICS = ("acd.events.v1", "gateway.events.v1", "recording.events.v1")
UNCLAIMED_LIMIT_MS = 24 * 3_600_000
"""A call whose tenant was never told is forgotten after a day."""


class HistoryFeed:
    """Folds batches of events into the histories; harmless when one comes again."""

    def __init__(self, *, store: CrmStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def handle(self, batch: Batch) -> None:
        """One batch: one transaction for each tenant in it."""
        by_tenant: dict[TenantId, list[Happening]] = defaultdict(list)
        nobodys: list[CallBegan] = []
        for event in batch.events:
            found = _read(event)
            if found is None:
                continue
            if event.tenant_id:
                by_tenant[event.tenant_id].append(found)
            elif isinstance(found, CallBegan):
                # A call begins before its number says whose it is; a later fact of it does.
                nobodys.append(found)
        if nobodys:
            await self._store.keep_unclaimed(nobodys)
        claimed = await self._claim(batch, by_tenant)
        for tenant_id, happenings in by_tenant.items():
            await self._store.record(tenant_id, happenings)
        if claimed:
            before_ms = self._clock.now_ms() - UNCLAIMED_LIMIT_MS
            await self._store.forget_unclaimed(claimed, before_ms)

    async def _claim(self, batch: Batch, by_tenant: dict[TenantId, list[Happening]]) -> list[str]:
        """Puts what was kept of calls before the rest, now that their tenant is known."""
        if batch.topic != "gateway.events.v1":
            return []
        owners = {event.key: event.tenant_id for event in batch.events if event.tenant_id}
        calls = await self._store.unclaimed(sorted(owners)) if owners else []
        for call in calls:
            by_tenant[owners[call.contact_id]].insert(0, call)
        return [call.contact_id for call in calls]


def _read(event: Envelope) -> Happening | None:
    try:
        return happening(event)
    except DecodeError:
        # One event that nobody can read must not keep all others from being read.
        log.error("event not readable", event_id=event.event_id, event_type=event.type)
        return None
