"""Tenants' terms: by the bus, remembered, and what they let in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest

from protos.portal.v1 import events_pb2, portal_pb2
from protos.recording.v1 import recording_pb2, recording_pb2_grpc
from services.chassis.bus import Batch
from services.chassis.database import DatabaseUnavailable
from services.chassis.envelope import Envelope, enveloped
from services.chassis.errors import CarillonError, Kind
from services.chassis.ids import TenantId
from services.chassis.rpc import Face, tenant_id
from services.chassis.simulated import MemoryExchange
from services.ivr import tenants as limits
from services.ivr.feed import TENANT_PUT, Intake
from services.ivr.policies import BELIEVED_FAILED_MS, BELIEVED_MS, Policies
from services.ivr.store_tenants import MemoryTenantStore, Terms
from services.ivr.tenants import BUSY, SUSPENDED, Tenants
from tests.unit.ivr.test_destinations import Clock

ACME, OTHER = TenantId("acme"), TenantId("other")


class Wavering(MemoryTenantStore):
    """A store that answers, refuses, or says nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.mood = "well"
        self.asked = 0

    async def terms(self, tenant_id: TenantId) -> Terms:
        self.asked += 1
        if self.mood == "away":
            raise DatabaseUnavailable("stopped")
        if self.mood == "broken":
            raise Broken("bent")
        if self.mood == "stalled":
            await asyncio.Event().wait()
        return await super().terms(tenant_id)


class Broken(CarillonError):
    code = "broken"
    kind = Kind.INTERNAL


def event(tenant: str = "acme", at_ms: int = 7, **caps: Any) -> Envelope:
    put = portal_pb2.Tenant(
        tenant_id=tenant, time_zone="Asia/Shanghai", caps=portal_pb2.Caps(**caps)
    )
    return enveloped(
        events_pb2.TenantPut(tenant=put),
        event_id=f"{tenant}-{at_ms}",
        tenant_id=TenantId(tenant),
        at_ms=at_ms,
        key=tenant,
    )


def batch(*events: Envelope) -> Batch:
    return Batch("portal.events.v1", 0, 0, events)


async def test_a_tenant_is_what_portal_said_last() -> None:
    clock, store = Clock(), MemoryTenantStore()
    tenants = Tenants(store=store, clock=clock)
    intake = Intake(tenants=tenants)
    assert await tenants.terms(ACME) == Terms("UTC", 0, suspended=False)
    await intake.handle(batch(event(max_calls=3), event(suspended=True, at_ms=9)))
    assert await tenants.terms(ACME) == Terms("Asia/Shanghai", 0, suspended=True, told_at_ms=9)
    # What comes again, and what was overtaken, changes nothing.
    await intake.handle(batch(event(max_calls=3)))
    assert (await tenants.terms(ACME)).suspended


async def test_what_can_not_be_read_is_passed_over() -> None:
    tenants = Tenants(store=MemoryTenantStore(), clock=Clock())
    broken = Envelope("e1", ACME, 7, "acme", TENANT_PUT, b"\xff\xff")
    other = Envelope("e2", ACME, 7, "acme", "carillon.portal.v1.UserPut", b"")
    await Intake(tenants=tenants).handle(batch(broken, other, event(max_calls=2)))
    assert (await tenants.terms(ACME)).max_calls == 2


async def test_a_suspended_tenant_takes_no_call_and_a_full_one_no_more() -> None:
    store = MemoryTenantStore()
    tenants = Tenants(store=store, clock=Clock())
    await tenants.put(ACME, Terms(max_calls=2))
    assert await tenants.refusal(ACME) is None
    with tenants.counted(ACME), tenants.counted(OTHER):
        assert await tenants.refusal(ACME) is None
        with tenants.counted(ACME):
            assert await tenants.refusal(ACME) is BUSY
            assert await tenants.refusal(OTHER) is None
        assert await tenants.refusal(ACME) is None
    await tenants.put(ACME, Terms(suspended=True))
    assert await tenants.refusal(ACME) is SUSPENDED
    assert (SUSPENDED.sip_status, BUSY.sip_status) == (480, 486)


async def test_the_calls_of_all_replicas_are_counted_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "TELL_EVERY_S", 0.01)
    clock, store = Clock(), MemoryTenantStore()
    one, other = (Tenants(store=store, clock=clock, replica=name) for name in ("a", "b"))
    await one.put(ACME, Terms(max_calls=2))
    telling = [asyncio.create_task(each.run()) for each in (one, other)]
    with one.counted(ACME):
        # This one was handed over by a replica that drains: nobody asked for its admission here.
        await until_told(store, ACME, "a", 1)
        assert await other.refusal(ACME) is None
        with other.counted(ACME):
            assert await one.refusal(ACME) is BUSY
            assert await other.refusal(ACME) is BUSY
        # It is known within a moment that it has ended.
        await until_told(store, ACME, "b", 0)
        assert await one.refusal(ACME) is None
        await one.leave()
    assert await other.refusal(ACME) is None
    with other.counted(ACME):
        assert await other.refusal(ACME) is None
    for task in telling:
        task.cancel()


async def until_told(store: MemoryTenantStore, tenant_id: TenantId, replica: str, n: int) -> None:
    async with asyncio.timeout(5):
        while store.calls_told(tenant_id).get(replica) != n:  # noqa: ASYNC110 (nobody tells)
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("mood", ["away", "stalled"])
async def test_what_was_last_known_counts_while_the_store_is_away(
    mood: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ASK_LIMIT_S", 0.01)
    clock, store = Clock(), Wavering()
    tenants = Tenants(store=store, clock=clock)
    await tenants.put(ACME, Terms(max_calls=1))
    await tenants.terms(ACME)
    store.mood = mood
    clock.at_ms += limits.BELIEVED_MS
    asked = store.asked
    for _ in range(3):  # asked for once a second, not by every call
        assert (await tenants.terms(ACME)).max_calls == 1
    assert store.asked == asked + 1
    assert await tenants.refusal(OTHER) is None
    store.mood = "broken"
    clock.at_ms += limits.BELIEVED_MS
    with pytest.raises(Broken):
        await tenants.terms(ACME)


async def test_tenants_are_remembered_within_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_KNOWN", 2)
    store = Wavering()
    tenants = Tenants(store=store, clock=Clock())
    for name in ("a", "b", "c", "c", "b", "a"):
        await tenants.terms(TenantId(name))
    assert store.asked == 4


# ---- recording's policies ----------------------------------------------------------------------


if TYPE_CHECKING:  # most of its methods are nothing to these tests
    _Servicer = object
else:
    _Servicer = recording_pb2_grpc.RecordingServicer


class Recording(_Servicer):
    """A recording service that has one policy per tenant."""

    def __init__(self) -> None:
        self.policies: dict[str, str] = {}
        self.asked = 0

    def face(self) -> Face:
        servicer: Any = self
        return Face(
            lambda server: recording_pb2_grpc.add_RecordingServicer_to_server(servicer, server),
            "carillon.recording.v1.Recording",
        )

    async def GetPolicy(self, _request: object, _context: object) -> recording_pb2.Policy:
        self.asked += 1
        return recording_pb2.Policy(record=self.policies.get(tenant_id(), "flow"))


class Archive:
    def __init__(self) -> None:
        self.clock, self.recording = Clock(), Recording()
        self.exchange = MemoryExchange(coin=lambda: True)
        self.policies = Policies(dial=self.exchange.channel, clock=self.clock)

    def open(self) -> None:
        self.exchange.serve("recording", [self.recording.face()])


@pytest.fixture
async def archive() -> AsyncIterator[Archive]:
    made = Archive()
    yield made
    await made.policies.close()


async def test_a_policy_is_asked_for_once_in_thirty_seconds(archive: Archive) -> None:
    archive.open()
    archive.recording.policies["acme"] = "never"
    asked = await asyncio.gather(*(archive.policies.may_record(ACME) for _ in range(5)))
    assert asked == [False] * 5
    assert archive.recording.asked == 1
    assert await archive.policies.may_record(OTHER) is True
    archive.recording.policies["acme"] = "flow"
    archive.clock.at_ms += BELIEVED_MS - 1
    assert await archive.policies.may_record(ACME) is False
    archive.clock.at_ms += 1
    assert await archive.policies.may_record(ACME) is True
    assert archive.recording.asked == 3


async def test_the_last_known_policy_counts_while_recording_is_away(archive: Archive) -> None:
    assert await archive.policies.may_record(ACME) is True  # nothing is known
    archive.open()
    archive.recording.policies["acme"] = "never"
    assert await archive.policies.may_record(ACME) is True  # not asked again at once
    archive.clock.at_ms += BELIEVED_FAILED_MS
    assert await archive.policies.may_record(ACME) is False
    archive.exchange.kill("recording")
    archive.clock.at_ms += BELIEVED_MS
    assert await archive.policies.may_record(ACME) is False
