"""Records that the tests of analytics' stores write."""

from __future__ import annotations

from services.analytics.model.records import Entry, Interval, Position, Records
from services.analytics.model.words import AgentState
from services.analytics.store import AnalyticsStore
from services.chassis.ids import TenantId

T, OTHER = TenantId("one"), TenantId("two")
START = (-1, "")
FIRST = (-1, "", -1)


def an_entry(number: int, **more: object) -> Entry:
    kept: dict[str, object] = {
        "entry_id": f"e{number}",
        "contact_id": f"c{number}",
        "queue_id": "q",
        "queue_name": "The queue",
        "channel": "voice",
        "offered_at_ms": number,
    }
    return Entry(**(kept | more))  # type: ignore[arg-type]  # any field


def an_interval(version: int, from_ms: int, to_ms: int | None, **more: object) -> Interval:
    kept: dict[str, object] = {
        "agent_id": "a",
        "agent_name": "Ann",
        "queue_ids": ("p", "q"),
        "version": version,
        "state": AgentState.READY,
        "reason": "",
        "from_ms": from_ms,
        "to_ms": to_ms,
    }
    return Interval(**(kept | more))  # type: ignore[arg-type]  # any field


async def write(store: AnalyticsStore, records: Records, tenant_id: TenantId = T) -> Position:
    before = await store.position(tenant_id)
    after = before.after(f"event-{before.seq + 1}", before.seq + 1, 1_000)
    await store.write(tenant_id, before=before, after=after, records=records)
    return after.stored()
