"""What recording does by itself: listens to events, closes what is lost, compares, alarms."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, MutableMapping, Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs

from protos.acd.v1 import events_pb2 as acd_events
from protos.gateway.v1 import events_pb2 as gateway_events
from services.chassis.bus import Batch
from services.chassis.envelope import Envelope, enveloped
from services.chassis.errors import CarillonError
from services.chassis.ids import CallId, TenantId
from services.recording.feed import CallFeed
from services.recording.listening import Trail
from services.recording.model.calls import (
    Call,
    CallOver,
    Leg,
    LegsHeard,
    Note,
    Pair,
    RecordingAllowed,
)
from services.recording.model.errors import MissingListener, SegmentsUnavailable, TooManyCalls
from services.recording.model.evidence import Place, State
from services.recording.reconciling import PAGE, SETTLED_MS, Reconciler
from services.recording.segments import MemorySegments, SegmentPlace
from services.recording.store import MemoryRecordingStore
from services.recording.sweeping import Sweeper
from tests.unit.recording.conftest import ACME, Desk
from tests.unit.recording.patience import until
from tests.unit.recording.tape import Tape

CALL = CallId("call-1")
SILENCE_S = 60.0


def sweeper_of(desk: Desk, store: MemoryRecordingStore | None = None) -> Sweeper:
    return Sweeper(
        store=store or desk.store, ingest=desk.ingest, clock=desk.clock, silence_s=SILENCE_S
    )


async def until_logged(
    work: Coroutine[Any, Any, None], lines: list[MutableMapping[str, Any]], count: int
) -> None:
    """Runs endless work until it has logged so many lines."""

    async def enough() -> bool:
        return len(lines) >= count

    running = asyncio.ensure_future(work)
    await until(enough)
    running.cancel()


async def begin(desk: Desk, call_id: str = CALL, gateway: str = "gw-1") -> None:
    tape = Tape(call_id, desk.keys.present, gateway=gateway)
    await desk.put(tape.segment("leg-a", 1, b"\x55" * 16_000))


async def state(desk: Desk, call_id: str = CALL) -> State:
    return (await desk.recording(call_id)).state


async def test_a_gateway_that_is_silent_for_a_minute_is_lost(desk: Desk) -> None:
    await begin(desk, "call-1", "gw-1")
    await begin(desk, "call-2", "gw-2")
    sweeper = sweeper_of(desk)
    for _ in range(7):
        assert await state(desk, "call-1") is State.RECORDING
        assert await sweeper.sweep() == 0
        desk.clock.ms += 10_000
        await desk.store.hear_gateway("gw-2", desk.clock.ms)
    assert await sweeper.sweep() == 1
    assert await state(desk, "call-1") is State.INCOMPLETE
    assert await state(desk, "call-2") is State.RECORDING


async def test_after_a_start_gateways_have_a_minute_to_report(desk: Desk) -> None:
    await begin(desk)
    desk.clock.ms += 3_600_000
    sweeper = sweeper_of(desk)
    assert await sweeper.sweep() == 0
    desk.clock.ms += 59_999
    assert await sweeper.sweep() == 0
    desk.clock.ms += 1
    assert await sweeper.sweep() == 1


class BadDisk(MemorySegments):
    """One call's segments cannot be read now."""

    async def get(self, place: SegmentPlace) -> bytes:
        if place.call_id == "call-1":
            raise SegmentsUnavailable("input/output error")
        return await super().get(place)


async def test_a_recording_that_cannot_be_closed_does_not_keep_others_open(desk: Desk) -> None:
    desk.over(BadDisk())
    await begin(desk, "call-1")
    await begin(desk, "call-2")
    sweeper = sweeper_of(desk)
    await sweeper.sweep()
    desk.clock.ms += 61_000
    with capture_logs() as lines:
        assert await sweeper.sweep() == 1
    assert [(line["event"], line["call"]) for line in lines if line["log_level"] == "error"] == [
        ("lost recording not closed", "call-1")
    ]
    assert await state(desk, "call-1") is State.RECORDING
    assert await state(desk, "call-2") is State.INCOMPLETE


class Flickering(MemoryRecordingStore):
    """Away when told."""

    trouble: Exception | None = None

    async def lost(self, before_ms: int, size: int) -> list[Place]:
        if self.trouble:
            raise self.trouble
        return await super().lost(before_ms, size)


@pytest.mark.parametrize(
    ("trouble", "told"),
    [(SegmentsUnavailable("away"), "sweep waits"), (OSError("nobody knows"), "sweep failed")],
)
async def test_after_an_absence_of_the_database_the_minute_begins_anew(
    desk: Desk, trouble: Exception, told: str
) -> None:
    store = Flickering(desk.bus)
    sweeper = sweeper_of(desk, store)
    store.trouble = trouble
    with capture_logs() as lines:
        await until_logged(sweeper.run(0.001), lines, 2)
    assert {line["event"] for line in lines} == {told}
    store.trouble = None
    assert await sweeper.sweep() == 0


async def tell(feed: CallFeed, *events: Envelope) -> None:
    await feed.handle(Batch("acd.events.v1", 0, 0, tuple(events)))


def fact(tenant_id: str = "acme", call_id: str = CALL, **body: Any) -> Envelope:
    message = gateway_events.CallFact(call_id=call_id, at_ms=9_000, **body)
    return enveloped(message, event_id="e", tenant_id=TenantId(tenant_id), at_ms=9_000, key=call_id)


async def test_facts_of_a_call_are_remembered_for_its_tenant(desk: Desk) -> None:
    feed = CallFeed(desk.store)
    leg = gateway_events.LegStarted(leg_id="leg-b", role="agent", agent_id="anna\0")
    events = [
        fact(leg_started=leg),
        fact(recording_changed=gateway_events.RecordingChanged(state="on", reason="agreed")),
        fact(recording_changed=gateway_events.RecordingChanged(state="paused", reason="card")),
        fact(recording_changed=gateway_events.RecordingChanged(state="failed", reason="disk-full")),
        fact(legs_bridged=gateway_events.LegsBridged(leg_id="leg-a", peer_leg_id="leg-b")),
        fact(call_ended=gateway_events.CallEnded()),
        fact(call_started=gateway_events.CallStarted()),
        fact(tenant_id="", call_ended=gateway_events.CallEnded()),
        fact(call_id="", call_ended=gateway_events.CallEnded()),
    ]
    wanted = Call(
        CALL,
        ended_at_ms=9_000,
        bridged=True,
        consent="agreed",
        trouble="disk-full",
        agent_ids=("anna",),
        legs={"leg-b": Leg("agent", "anna")},
    )
    for _ in range(2):
        await tell(feed, *events)
        assert await desk.store.call(ACME, CALL) == wanted
    assert await desk.store.call(TenantId(""), CALL) == Call(CALL)


async def test_an_event_that_cannot_be_read_does_not_stop_the_others(desk: Desk) -> None:
    feed = CallFeed(desk.store)
    good = fact(call_ended=gateway_events.CallEnded())
    bad = Envelope("bad", ACME, 1, "k", good.type, b"\xff\xff")
    unknown = Envelope("new", ACME, 1, "k", "carillon.acd.v1.NotYetKnown", b"")
    silent = enveloped(
        acd_events.WrapUpEnded(contact_id=CALL), event_id="w", tenant_id=ACME, at_ms=1, key="k"
    )
    with capture_logs() as lines:
        await tell(feed, bad, unknown, silent, good)
    assert [line["event"] for line in lines] == ["event cannot be read"]
    assert (await desk.store.call(ACME, CALL)).ended_at_ms == 9_000


def answered(call_id: str, at_ms: int) -> list[Note]:
    call = CallId(call_id)
    return [RecordingAllowed(call, "policy"), LegsHeard(call, ("a", "b")), CallOver(call, at_ms)]


async def test_a_difference_is_alarmed_once_when_the_call_has_settled(desk: Desk) -> None:
    reconciler = Reconciler(store=desk.store, clock=desk.clock)
    await desk.store.note(ACME, answered("call-1", desk.clock.ms - 1_000))
    assert await reconciler.check() == 0
    desk.clock.ms += SETTLED_MS
    with capture_logs() as lines:
        assert await reconciler.check() == 1
    assert lines[0]["log_level"] == "error"
    assert lines[0]["calls"] == ["call-1 missing: no segment ever came"]
    desk.clock.ms += SETTLED_MS
    assert await reconciler.check() == 0


async def test_a_call_that_goes_on_is_no_difference_and_one_that_nobody_ended_is(
    desk: Desk,
) -> None:
    reconciler = Reconciler(store=desk.store, clock=desk.clock)
    await begin(desk)
    desk.clock.ms += 3_600_000
    assert await reconciler.check() == 0
    await desk.store.hear_gateway("gw-1", desk.clock.ms)
    await desk.ingest.close_lost(ACME, CALL)
    desk.clock.ms += SETTLED_MS + 1
    with capture_logs() as lines:
        assert await reconciler.check() == 1
    assert lines[0]["calls"] == ["call-1 orphan: segments of a call whose end nobody told"]


async def test_the_first_check_looks_back_a_day(desk: Desk) -> None:
    await desk.store.note(ACME, answered("call-1", desk.clock.ms - 80_000_000))
    await desk.store.note(ACME, answered("call-2", desk.clock.ms - 90_000_000))
    await desk.store.note(TenantId("other"), answered("call-3", desk.clock.ms - 80_000_000))
    assert await Reconciler(store=desk.store, clock=desk.clock).check() == 2


async def test_many_calls_are_compared_page_by_page(desk: Desk) -> None:
    for number in range(PAGE + 3):
        await desk.store.note(ACME, answered(f"call-{number:05d}", 5_000))
    reconciler = Reconciler(store=desk.store, clock=desk.clock)
    found = await reconciler.reconcile(ACME, 0, 6_000)
    assert (found.answered_calls, found.stored, len(found.differences)) == (PAGE + 3, 0, 1_000)


class Endless(MemoryRecordingStore):
    """A store in which one tenant has more calls than anybody compares."""

    async def pairs(
        self, tenant_id: TenantId, from_ms: int, to_ms: int, after: str, size: int
    ) -> list[Pair]:
        if tenant_id != ACME:
            return await super().pairs(tenant_id, from_ms, to_ms, after, size)
        return [Pair(Call(CALL), None)] * size


async def test_a_tenant_with_too_many_calls_does_not_hide_the_others(desk: Desk) -> None:
    store = Endless(desk.bus)
    for tenant_id in (ACME, TenantId("other")):
        await store.note(tenant_id, answered("call-1", desk.clock.ms - SETTLED_MS - 1))
    with capture_logs() as lines:
        assert await Reconciler(store=store, clock=desk.clock).check() == 1
    assert [(line["event"], line["tenant"]) for line in lines] == [
        ("calls cannot be compared", "acme"),
        ("recordings are not as they should be", "other"),
    ]


async def test_too_many_calls_are_refused(desk: Desk) -> None:
    with pytest.raises(TooManyCalls):
        await Reconciler(store=Endless(desk.bus), clock=desk.clock).reconcile(ACME, 0, 1)


async def heard(desk: Desk, trail: Trail, listener_id: str, *, from_start: bool) -> Sequence[int]:
    await trail.heard(ACME, CALL, listener_id=listener_id, listener_name="", from_start=from_start)
    return [each.at_ms for each in await desk.store.listenings(ACME, CALL, "", 100)]


async def test_parts_fetched_within_ten_minutes_are_one_listening(desk: Desk) -> None:
    ids = iter(range(100))
    trail = Trail(store=desk.store, clock=desk.clock, new_id=lambda: f"{next(ids):03d}")
    assert len(await heard(desk, trail, "sven", from_start=True)) == 1
    desk.clock.ms += 599_999
    assert len(await heard(desk, trail, "sven", from_start=False)) == 1
    assert len(await heard(desk, trail, "anna", from_start=False)) == 2
    desk.clock.ms += 1
    assert len(await heard(desk, trail, "sven", from_start=False)) == 3
    assert len(await heard(desk, trail, "sven", from_start=True)) == 4
    assert await desk.events() == ["RecordingHeard"] * 4
    with pytest.raises(MissingListener):
        await heard(desk, trail, "", from_start=True)


class Refusing(MemoryRecordingStore):
    """Its database is away."""

    trouble: Exception

    async def tenants(self, since_ms: int) -> list[TenantId]:
        raise self.trouble


class NotThere(CarillonError):
    code = "not-there"


@pytest.mark.parametrize(
    ("trouble", "told"),
    [(NotThere("away"), "reconciliation waits"), (OSError("full"), "reconciliation failed")],
)
async def test_the_comparison_goes_on_when_the_database_is_back(
    desk: Desk, trouble: Exception, told: str
) -> None:
    store = Refusing(desk.bus)
    store.trouble = trouble
    with capture_logs() as lines:
        await until_logged(Reconciler(store=store, clock=desk.clock).run(0.001), lines, 2)
    assert {line["event"] for line in lines} == {told}
