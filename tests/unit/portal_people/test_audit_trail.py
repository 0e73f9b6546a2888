"""The trail is written behind the request: late, but never in its way."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from services.chassis.bus import MemoryBus
from services.chassis.database import DatabaseUnavailable
from services.chassis.envelope import Envelope
from services.chassis.ids import TenantId
from services.portal import audit_trail
from services.portal.audit_trail import AuditTrail
from services.portal.model.people import PLATFORM_TENANT
from services.portal.model.trail import AuditEntry, AuditQuery
from services.portal.store_memory import MemoryPortalStore
from services.portal.wire_people import Envelopes
from tests.unit.portal_people.stage import HOME, Stage

ACME, OTHER = TenantId("t-acme"), TenantId("t-other")


class PickyStore(MemoryPortalStore):
    """Away at times, and unable to take some entries."""

    def __init__(self) -> None:
        super().__init__(bus=MemoryBus())
        self.failures = 0
        self.batches: list[int] = []
        self.stuck = False
        self.news = asyncio.Event()

    async def add_audit(
        self, tenant_id: TenantId, entries: Sequence[AuditEntry], events: Sequence[Envelope]
    ) -> None:
        if self.stuck:
            await asyncio.Event().wait()
        if self.failures:
            self.failures -= 1
            raise DatabaseUnavailable("away")
        if any(entry.subject == "poison" for entry in entries):
            raise ValueError("cannot be written")
        self.batches.append(len(entries))
        await super().add_audit(tenant_id, entries, events)
        self.news.set()


def entry(number: int, subject: str = "") -> AuditEntry:
    return AuditEntry(f"a-{number:04}", number, "", "", "anonymous", "x", subject, "ok", "", "")


def made() -> tuple[PickyStore, AuditTrail]:
    store = PickyStore()
    return store, AuditTrail(store=store, envelopes=Envelopes(new_id=lambda: "e"))


async def written(store: PickyStore, tenant_id: TenantId = ACME) -> list[str]:
    entries = await store.list_audit(tenant_id, AuditQuery(size=10_000))
    return [each.audit_id for each in reversed(entries)]


async def until(store: PickyStore, count: int) -> None:
    async with asyncio.timeout(5):
        while len(await written(store)) < count:
            await store.news.wait()
            store.news.clear()


async def test_entries_are_written_in_batches_of_one_tenant() -> None:
    store, trail = made()
    for number in range(250):
        trail.add(ACME, entry(number))
    trail.add(OTHER, entry(1))
    trail.add(ACME, entry(999))
    await trail.flush()
    assert store.batches == [200, 50, 1, 1]
    assert len(await written(store)) == 251
    assert await written(store, OTHER) == ["a-0001"]


async def test_a_store_that_is_away_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_trail, "RETRY_MS", (1, 2))
    store, trail = made()
    store.failures = 3
    running = asyncio.ensure_future(trail.run())
    trail.add(ACME, entry(1))
    await until(store, 1)
    trail.add(ACME, entry(2))
    await until(store, 2)
    running.cancel()
    await asyncio.wait((running,))
    assert trail.lost == 0


async def test_what_the_store_refuses_holds_nobody_up() -> None:
    store, trail = made()
    trail.add(OTHER, entry(1, "poison"))
    for number in (2, 3, 4):
        trail.add(ACME, entry(number, "poison" if number == 3 else ""))
    await trail.flush()
    assert await written(store) == ["a-0002", "a-0004"]
    assert trail.lost == 2


async def test_only_so_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    assert audit_trail.MAX_WAITING >= 1_000
    monkeypatch.setattr(audit_trail, "MAX_WAITING", 2)
    store, trail = made()
    for number in range(5):
        trail.add(ACME, replace(entry(number), actor_id="u-1"))
    assert trail.lost == 3
    await trail.flush()
    assert await written(store) == ["a-0000", "a-0001"]


async def test_a_flood_of_nobodys_refusals_leaves_room_for_what_people_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert audit_trail.MAX_WAITING_OF_NOBODY <= audit_trail.MAX_WAITING - 1_000
    monkeypatch.setattr(audit_trail, "MAX_WAITING_OF_NOBODY", 2)
    store, trail = made()
    for number in range(5):
        trail.add(ACME, entry(number))
    trail.add(ACME, replace(entry(9), actor_id="u-1"))
    assert trail.lost == 3
    await trail.flush()
    assert await written(store) == ["a-0000", "a-0001", "a-0009"]


async def test_a_stop_writes_what_waits() -> None:
    store, trail = made()
    trail.add(ACME, entry(1))
    await trail.close()
    assert await written(store) == ["a-0001"]


async def test_a_stop_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_trail, "FLUSH_S", 0.01)
    store, trail = made()
    trail.add(ACME, entry(1))
    store.failures = 1
    await trail.close()
    store.stuck = True
    async with asyncio.timeout(5):
        await trail.close()
    assert await written(store) == []


async def test_what_nobody_did_is_on_the_trail_of_the_tenant_or_the_platform(
    stage: Stage,
) -> None:
    for tenant in (stage.tenants["acme"], None):
        await stage.identity.audit(
            principal=None,
            tenant_id=tenant,
            action="carillon.acd.v1.Acd/PutQueue",
            outcome="not-authenticated",
            address=HOME,
        )
    for name in ("acme", "platform"):
        found = await stage.audit(name, refused=True)
        assert [(each.actor_kind, each.actor_id) for each in found] == [("anonymous", "")]
    assert stage.tenants["platform"] == PLATFORM_TENANT


async def test_what_cannot_be_written_down_fails_no_request(stage: Stage) -> None:
    await stage.identity.audit(
        principal=None,
        action="x",
        outcome=None,  # type: ignore[arg-type]  # a mistake of the caller's
        address=HOME,
    )
    assert await stage.audit("platform") == []
