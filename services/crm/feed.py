"""What others say of contacts becomes their history."""

from __future__ import annotations

from collections import defaultdict

from google.protobuf.message import DecodeError

from services.chassis.bus import Batch
from services.chassis.envelope import Envelope
from services.chassis.ids import TenantId
from services.chassis.log import about, get_logger
from services.crm.model import Happening
from services.crm.store import CrmStore
from services.crm.wire import happening

log = get_logger("crm.feed")

GROUP = "crm"
TOPICS = ("acd.events.v1", "gateway.events.v1", "recording.events.v1")


class HistoryFeed:
    """Folds batches of events into the histories; harmless when one comes again."""

    def __init__(self, store: CrmStore) -> None:
        self._store = store

    async def handle(self, batch: Batch) -> None:
        """One batch: one transaction for each tenant in it."""
        by_tenant: dict[TenantId, list[Happening]] = defaultdict(list)
        for event in batch.events:
            found = _read(event)
            # Facts of a call whose number is nobody's have no tenant, and are no history.
            if found is not None and event.tenant_id:
                by_tenant[event.tenant_id].append(found)
        for tenant_id, happenings in by_tenant.items():
            await self._store.record(tenant_id, happenings)


def _read(event: Envelope) -> Happening | None:
    try:
        return happening(event)
    except DecodeError:
        # One event that nobody can read must not keep all others from being read.
        with about((event.tenant_id, event.call_id)):
            log.error("event not readable", event_id=event.event_id, event_type=event.type)
        return None
