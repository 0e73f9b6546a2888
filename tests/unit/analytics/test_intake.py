"""From the bus to records: what comes twice, too late, torn, or from another tenant."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cache

import pytest

from protos.acd.v1 import events_pb2, state_pb2
from protos.common.v1 import common_pb2
from protos.gateway.v1 import events_pb2 as gateway_pb2
from protos.portal.v1 import events_pb2 as portal_pb2
from protos.portal.v1 import portal_pb2 as people_pb2
from services.acd.model import Event as AcdEvent
from services.analytics.core.live import LiveRow
from services.analytics.feed import GATEWAYS, PEOPLE, ROUTING, Intake
from services.analytics.floors import MAX_TENANTS, Floors
from services.analytics.model.questions import CallQuery, EntryQuery
from services.analytics.model.records import Call, Position, Records
from services.analytics.model.story import Step
from services.analytics.store import MemoryStore
from services.chassis.bus import Batch
from services.chassis.database import DatabaseUnavailable
from services.chassis.envelope import Envelope, enveloped
from services.chassis.ids import TenantId
from tests.sim.acd.day import Day
from tests.unit.analytics.history import TENANT_ID, TERMS, envelopes

OTHER = TenantId("other")
T0 = 1_700_000_000_000


class HandClock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.ms = T0

    def now_ms(self) -> int:
        return self.ms

    def monotonic_ms(self) -> float:
        return float(self.ms)


class FaultyStore(MemoryStore):
    """A store that sometimes fails, before or after what it was asked to do."""

    def __init__(self) -> None:
        super().__init__()
        self.fail_before = False
        self.fail_after = False
        self.away = False
        self.loads = 0

    async def write(
        self,
        tenant_id: TenantId,
        *,
        before: Position,
        after: Position,
        records: Records,
        steps: Sequence[Step] = (),
    ) -> None:
        if self.fail_before:
            raise DatabaseUnavailable("before")
        await super().write(tenant_id, before=before, after=after, records=records, steps=steps)
        if self.fail_after:
            raise DatabaseUnavailable("after")

    async def position(self, tenant_id: TenantId) -> Position:
        if self.away:
            raise DatabaseUnavailable("away")
        return await super().position(tenant_id)

    async def load(self, *args: object, **more: object) -> Position:
        self.loads += 1
        return await super().load(*args, **more)  # type: ignore[arg-type]  # handed on as they are


class Stage:
    """An intake with its store and its clock."""

    def __init__(self, store: FaultyStore | None = None) -> None:
        self.clock = HandClock()
        self.store = store or FaultyStore()
        self.floors = Floors(store=self.store, clock=self.clock, terms=TERMS)
        self.intake = Intake(floors=self.floors, store=self.store)

    async def take(self, events: list[Envelope], topic: str = ROUTING) -> None:
        await self.intake.handle(Batch(topic, 0, 0, tuple(events)))

    async def rows(self, tenant_id: TenantId = TENANT_ID) -> tuple[LiveRow, ...]:
        return (await self.floors.view(tenant_id)).rows

    async def entries(self, tenant_id: TenantId = TENANT_ID) -> int:
        query = EntryQuery(0, 10**15)
        return len(await self.store.entries(tenant_id, query, after=(-1, ""), limit=10_000))


@cache
def log_of_a_day() -> tuple[AcdEvent, ...]:
    day = Day(3, agents=12, callers=120, mean_gap_ms=15_000)
    day.run()
    return tuple(day.desk.log)


def day(tenant_id: TenantId = TENANT_ID) -> list[Envelope]:
    return envelopes(log_of_a_day(), tenant_id)


async def undisturbed() -> tuple[LiveRow, ...]:
    stage = Stage()
    await stage.take(day())
    stage.clock.ms = day()[-1].at_ms + 1_000
    return await stage.rows()


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_crashes_and_repetitions_change_no_figure(seed: int) -> None:
    """Batches come again, stores fail before and after the fact, processes are killed."""
    dice = random.Random(seed)
    stage, story, at = Stage(), day(), 0
    while at < len(story):
        batch = story[max(0, at - dice.randrange(60)) : at + dice.randrange(1, 50)]
        stage.store.fail_before = dice.random() < 0.1
        stage.store.fail_after = dice.random() < 0.1
        stage.clock.ms = batch[-1].at_ms + dice.randrange(100)
        try:
            await stage.take(batch)
        except DatabaseUnavailable:
            continue
        at = max(at, story.index(batch[-1]) + 1)
        if dice.random() < 0.1:
            now_ms = stage.clock.ms
            stage = Stage(stage.store)
            stage.clock.ms = now_ms
        if dice.random() < 0.2:
            await stage.rows()
    stage.store.fail_before = stage.store.fail_after = False
    stage.clock.ms = story[-1].at_ms + 1_000
    assert await stage.rows() == await undisturbed()
    successor = Stage(stage.store)
    successor.clock.ms = stage.clock.ms
    assert await successor.rows() == await undisturbed()


async def test_two_replicas_take_turns_and_neither_counts_twice() -> None:
    """As when a partition moves: each finds that the other has stored, and goes on from there."""
    one = Stage()
    two = Stage(one.store)
    story = day()
    for number, at in enumerate(range(0, len(story), 30)):
        taking, looking = (one, two) if number % 2 else (two, one)
        for stage in (one, two):
            stage.clock.ms = story[min(at + 29, len(story) - 1)].at_ms + 2_000 * number
        await taking.take(story[max(0, at - 10) : at + 30])
        assert await looking.rows() == await taking.rows()
    for stage in (one, two):
        stage.clock.ms = max(one.clock.ms, story[-1].at_ms + 1_000)
    assert await one.rows() == await two.rows()
    assert await one.entries() == sum(each.type.endswith("ContactEnqueued") for each in story)


async def test_who_goes_on_from_what_is_no_longer_true_begins_anew_from_the_records() -> None:
    """Both replicas hold the partition for a moment, as after a pause that outlived a lease."""
    one = Stage()
    two = Stage(one.store)
    story = day()
    await one.take(story[:100])
    await two.take(story[:200])
    await one.take(story[50:150])
    await one.take(story[100:])
    one.clock.ms = story[-1].at_ms + 1_000
    assert await one.rows() == await undisturbed()


async def test_tenants_in_one_batch_are_kept_apart() -> None:
    mine, theirs = day(), day(OTHER)[:200]
    stage = Stage()
    mixed = [each for pair in zip(mine[:200], theirs, strict=True) for each in pair]
    await stage.take(mixed)
    alone = Stage()
    await alone.take(theirs)
    stage.clock.ms = alone.clock.ms = theirs[-1].at_ms
    assert await stage.rows(OTHER) == await alone.rows(OTHER)
    assert await stage.entries(OTHER) == await alone.entries(OTHER)


async def test_figures_stay_while_the_store_is_away() -> None:
    stage = Stage()
    await stage.take(day())
    before = await stage.rows()
    stage.store.away = True
    stage.clock.ms += 5_000
    assert await stage.rows() == before


async def test_how_old_the_newest_event_was_is_known() -> None:
    stage = Stage()
    (event,) = day()[:1]
    stage.clock.ms = event.at_ms + 70
    await stage.take([event])
    assert stage.floors.lag_ms == 70


def enqueued(entry_id: str, external_ref: str = "") -> Envelope:
    contact = state_pb2.Contact(
        entry_id=entry_id,
        contact_id="c",
        queue_id="q",
        enqueued_at_ms=T0,
        external_ref=external_ref,
    )
    return routed(events_pb2.ContactEnqueued(contact=contact, at_ms=T0), entry_id)


def routed(message: object, name: str, seq: int = 1) -> Envelope:
    return enveloped(
        message,  # type: ignore[arg-type]  # any event
        event_id=name,
        tenant_id=TENANT_ID,
        at_ms=T0,
        key=TENANT_ID,
        seq=seq,
    )


async def test_what_cannot_be_read_is_passed_over_and_counted() -> None:
    stage = Stage()
    torn = Envelope("t", TENANT_ID, T0, "k", "carillon.acd.v1.ContactExited", b"\xff\xff", 1)
    strange = routed(events_pb2.ContactExited(entry_id="e", exit="vanished"), "s")
    unknown = Envelope("u", TENANT_ID, T0, "k", "carillon.acd.v1.NotYetInvented", b"", 1)
    await stage.take([torn, strange, unknown, enqueued("e")])
    assert stage.intake.not_understood == 2
    assert await stage.entries() == 1


async def test_a_text_that_no_database_takes_is_made_one_that_it_does() -> None:
    stage = Stage()
    await stage.take([enqueued("e\0", external_ref="a\0b")])
    (entry,) = await stage.store.entries(TENANT_ID, EntryQuery(0, 10**15), after=(-1, ""), limit=2)
    assert (entry.entry_id, entry.external_ref) == ("e\ufffd", "a\ufffdb")


def fact(
    call_id: str, seq: int, at_ms: int, tenant_id: str = TENANT_ID, **body: object
) -> Envelope:
    message = gateway_pb2.CallFact(
        event_id=f"{call_id}.{seq}",
        call_id=call_id,
        tenant_id=tenant_id,
        seq=seq,
        at_ms=at_ms,
        **body,  # type: ignore[arg-type]  # any body
    )
    return enveloped(
        message,
        event_id=message.event_id,
        tenant_id=TenantId(tenant_id),
        at_ms=at_ms,
        key=call_id,
        seq=seq,
    )


async def calls(stage: Stage) -> list[Call]:
    return await stage.store.calls(TENANT_ID, CallQuery(0, 10**15), after=(-1, ""), limit=100)


async def test_a_call_is_on_record_from_its_first_fact_with_a_tenant_to_its_end() -> None:
    stage = Stage()
    unresolved = fact("c", 1, T0, "", call_started=gateway_pb2.CallStarted(to="+4930"))
    first = fact("c", 2, T0 + 40, flow_noted=gateway_pb2.FlowNoted(kind="flow"))
    ended = fact(
        "c",
        9,
        T0 + 60_000,
        call_ended=gateway_pb2.CallEnded(
            termination=common_pb2.Termination(
                termination_class=common_pb2.TERMINATION_CLASS_SUCCESS, reason="caller-hung-up"
            ),
            duration_ms=60_000,
        ),
    )
    await stage.take([unresolved, first], GATEWAYS)
    assert await calls(stage) == [Call("c", T0 + 40, 2)]
    for _ in range(2):
        await stage.take([first, ended, first], GATEWAYS)
    over = Call("c", T0 + 40, 9, T0 + 60_000, "success/caller-hung-up")
    assert await calls(stage) == [over]


async def test_a_call_tells_who_called_whom_whatever_comes_after() -> None:
    stage = Stage()
    begun = gateway_pb2.CallStarted(**{"from": "+491"}, to="+4930")
    first = fact("c", 1, T0, call_started=begun)
    noted = fact("c", 2, T0, flow_noted=gateway_pb2.FlowNoted(kind="flow"))
    await stage.take([first, noted], GATEWAYS)
    await stage.take([fact("c", 3, T0, flow_noted=gateway_pb2.FlowNoted(kind="flow"))], GATEWAYS)
    assert await calls(stage) == [Call("c", T0, 3, caller="+491", called="+4930")]


async def test_a_call_whose_end_is_all_that_is_known_began_its_duration_before() -> None:
    stage = Stage()
    body = gateway_pb2.CallEnded(duration_ms=5_000)
    await stage.take([fact("c", 9, T0 + 5_000, call_ended=body)], GATEWAYS)
    assert await calls(stage) == [Call("c", T0, 9, T0 + 5_000, "unspecified/")]


async def test_what_is_no_fact_or_torn_is_passed_over() -> None:
    stage = Stage()
    torn = Envelope("t", TENANT_ID, T0, "c", "carillon.gateway.v1.CallFact", b"\xff", 1)
    later = Envelope("u", TENANT_ID, T0, "c", "carillon.gateway.v1.Later", b"", 1)
    await stage.take([torn, later], GATEWAYS)
    assert stage.intake.not_understood == 1
    assert await calls(stage) == []


def tenant_put(time_zone: str) -> Envelope:
    tenant = people_pb2.Tenant(tenant_id=TENANT_ID, time_zone=time_zone)
    message = portal_pb2.TenantPut(tenant=tenant)
    return enveloped(message, event_id="t", tenant_id=TENANT_ID, at_ms=T0, key=TENANT_ID)


async def test_the_day_begins_where_the_tenant_is() -> None:
    """T0 is 22:13 UTC: an hour later it is tomorrow in Berlin, and still today in UTC."""
    stage = Stage()
    await stage.take([enqueued("e")])
    stage.clock.ms = T0 + 3_600_000

    async def offered_today() -> int:
        tenant = (await stage.rows())[0]
        return next(each.numerator for each in tenant.today if each.kpi == "offered")

    assert await offered_today() == 1
    await stage.take([tenant_put("Europe/Berlin")], PEOPLE)
    assert await offered_today() == 0
    loads = stage.store.loads
    await stage.take([tenant_put("Europe/Berlin"), tenant_put("Middle/Earth")], PEOPLE)
    torn = Envelope("t", TENANT_ID, T0, "k", "carillon.portal.v1.TenantPut", b"\xff", 1)
    audited = Envelope("a", TENANT_ID, T0, "k", "carillon.portal.v1.Audited", b"", 1)
    await stage.take([torn, audited], PEOPLE)
    assert await offered_today() == 0
    assert stage.store.loads == loads
    assert (await stage.floors.zone(TENANT_ID)).key == "Europe/Berlin"


async def test_whoever_did_not_hear_of_it_moves_with_the_tenant_all_the_same() -> None:
    """Replicas share topics out among them: one feeds the tenant, another hears of its zone."""
    feeding = Stage()
    hearing = Stage(feeding.store)
    await feeding.take([enqueued("e")])
    feeding.clock.ms = hearing.clock.ms = T0 + 3_600_000
    await feeding.rows()
    await hearing.take([tenant_put("Europe/Berlin")], PEOPLE)
    feeding.clock.ms += 1_000
    hearing.clock.ms += 1_000
    assert await feeding.rows() == await hearing.rows()


class TornStore(FaultyStore):
    """A store whose first load saw records, but not yet how far they had come."""

    async def load(self, *args: object, **more: object) -> Position:
        position = await super().load(*args, **more)
        return position if self.loads > 1 else Position()


async def test_a_tenants_first_records_are_not_taken_in_twice() -> None:
    """They were stored while somebody looked for the first time, and found no row to wait for."""
    stage = Stage(TornStore())
    stage.store.loads = 1
    await stage.take(day())
    stage.clock.ms = day()[-1].at_ms + 1_000
    looking = Stage(stage.store)
    looking.clock.ms = stage.clock.ms
    stage.store.loads = 0
    await looking.rows()
    stage.clock.ms += 1_000
    looking.clock.ms += 1_000
    assert await looking.rows() == await stage.rows()


async def test_a_floor_that_was_let_go_comes_back_from_its_records() -> None:
    stage = Stage()
    await stage.take([enqueued("e")])
    for number in range(MAX_TENANTS):
        await stage.rows(TenantId(f"t{number}"))
    loads = stage.store.loads
    (tenant, *_) = await stage.rows()
    assert tenant.waiting == 1
    assert stage.store.loads == loads + 1
