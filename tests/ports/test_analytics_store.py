"""What every adapter of the store of records keeps to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from services.analytics.core.measures import Terms
from services.analytics.feed import Intake
from services.analytics.floors import Floors
from services.analytics.model.questions import CallQuery, EntryQuery, IntervalQuery
from services.analytics.model.records import (
    Agent,
    Call,
    Entry,
    Position,
    Queue,
    Records,
)
from services.analytics.model.words import AgentState, CallOutcome, Exit
from services.analytics.store import (
    PAGE,
    AnalyticsStore,
    MemoryStore,
    StalePosition,
    before_all,
    before_all_intervals,
    call_key,
    entry_key,
    interval_key,
)
from services.analytics.store_sql import SqlStore
from services.chassis.bus import Batch
from services.chassis.database import Database, DatabaseAddress
from services.chassis.ids import TenantId
from tests.ports.analytics_records import FIRST, OTHER, START, T, an_entry, an_interval, write
from tests.sim.acd.day import Day
from tests.unit.analytics.history import envelopes

EVER = EntryQuery(0, 10**15)
ALWAYS = IntervalQuery(0, 10**15)


@pytest.fixture(params=["memory", "postgres"])
async def store(
    request: pytest.FixtureRequest, database_address: DatabaseAddress
) -> AsyncIterator[AnalyticsStore]:
    if request.param == "memory":
        yield MemoryStore()
        return
    database = Database(database_address, schema="analytics")
    yield SqlStore(database)
    await database.close()


FULL = Entry(
    entry_id="é ' full",
    contact_id="c",
    queue_id="q",
    queue_name="Verkauf ✓",
    channel="chat",
    offered_at_ms=1_700_000_000_000,
    exit=Exit.ANSWERED,
    left_at_ms=1_700_000_009_000,
    wait_ms=9_000,
    agent_id="a",
    agent_name="Änn",
    ringing_since_ms=1_700_000_008_000,
    ring_ms=1_000,
    ring_failures=2,
    talk_ms=3,
    hold_ms=4,
    wrap_up_ms=5,
    talked=True,
    handled=False,
    disposition="sold",
    attributes=(("a", "1"), ("é", '"quoted"')),
    external_ref="ref",
)


async def loaded(
    store: AnalyticsStore, *, from_ms: int = 0, after_revision: int = 0, tenant_id: TenantId = T
) -> Records:
    pages: list[Records] = []
    await store.load(tenant_id, from_ms=from_ms, after_revision=after_revision, take=pages.append)
    return Records(
        queues=tuple(each for page in pages for each in page.queues),
        agents=tuple(each for page in pages for each in page.agents),
        entries=tuple(each for page in pages for each in page.entries),
        intervals=tuple(each for page in pages for each in page.intervals),
    )


async def test_a_tenant_begins_with_nothing(store: AnalyticsStore) -> None:
    assert await store.position(T) == Position()
    assert await loaded(store) == Records()
    assert await store.directory(T) == Records()
    assert await store.entries(T, EVER, after=START, limit=10) == []
    assert await store.zone(T) == ""


async def test_records_come_back_as_they_were(store: AnalyticsStore) -> None:
    records = Records(
        queues=(Queue("q", "Sales ✓"),),
        agents=(Agent("a", "Ann", ("p", "q"), 7, removed=True),),
        entries=(FULL,),
        intervals=(an_interval(7, 10, None, reason="coffee", state=AgentState.BREAK),),
    )
    after = await write(store, records)
    assert await loaded(store) == records
    assert await store.position(T) == after
    assert await store.directory(T) == Records(queues=records.queues, agents=records.agents)
    assert await store.entries(T, EVER, after=START, limit=10) == [FULL]
    assert await store.intervals(T, ALWAYS, after=FIRST, limit=10) == list(records.intervals)


async def test_the_position_is_stored_with_its_records(store: AnalyticsStore) -> None:
    position = Position().after("a:1:0", 5, 900).after("a:1:1", 5, 800)
    await store.write(T, before=Position(), after=position, records=Records())
    kept = await store.position(T)
    assert kept == Position(5, frozenset({"a:1:0", "a:1:1"}), 900, 1)
    assert kept.has("a:1:1", 5)
    assert kept.has("anything", 4)
    assert not kept.has("a:1:2", 5)


async def test_whoever_goes_on_from_an_old_position_stores_nothing(store: AnalyticsStore) -> None:
    old = await store.position(T)
    new = await write(store, Records(entries=(an_entry(1),)))
    changed = Records(entries=(an_entry(1, queue_name="another"), an_entry(2)))
    for before in (old, replace(new, revision=new.revision + 1)):
        with pytest.raises(StalePosition):
            await store.write(T, before=before, after=new, records=changed)
    assert await store.entries(T, EVER, after=START, limit=10) == [an_entry(1)]
    assert await store.position(T) == new


async def test_a_record_changes_in_its_place(store: AnalyticsStore) -> None:
    await write(
        store, Records(entries=(an_entry(1), an_entry(2)), intervals=(an_interval(1, 5, None),))
    )
    left = an_entry(1, exit=Exit.ABANDONED, left_at_ms=9, wait_ms=8)
    await write(store, Records(entries=(left,), intervals=(an_interval(1, 5, 9),)))
    assert await store.entries(T, EVER, after=START, limit=10) == [left, an_entry(2)]
    assert await store.intervals(T, ALWAYS, after=FIRST, limit=10) == [an_interval(1, 5, 9)]


async def test_what_is_over_and_old_is_not_remembered(store: AnalyticsStore) -> None:
    gone = an_entry(1, exit=Exit.ABANDONED)
    talking = an_entry(2, exit=Exit.ANSWERED)
    handled = an_entry(3, exit=Exit.ANSWERED, handled=True)
    waiting, new = an_entry(4), an_entry(50, exit=Exit.CLOSED)
    over, touching, open_ = (
        an_interval(1, 1, 49),
        an_interval(2, 49, 50),
        an_interval(3, 50, None),
    )
    await write(
        store,
        Records(entries=(new, waiting, handled, talking, gone), intervals=(open_, touching, over)),
    )
    kept = await loaded(store, from_ms=50)
    assert kept.entries == (talking, waiting, new)
    assert kept.intervals == (touching, open_)


async def test_a_follower_gets_what_was_stored_since(store: AnalyticsStore) -> None:
    first = await write(
        store,
        Records(queues=(Queue("q", "old"),), agents=(Agent("a", "x"),), entries=(an_entry(1),)),
    )
    changed = Records(
        queues=(Queue("q", "new"),),
        entries=(an_entry(1, exit=Exit.FAILED),),
        intervals=(an_interval(1, 1, 2),),
    )
    await write(store, changed)
    assert await loaded(store, from_ms=10**12, after_revision=first.revision) == changed
    assert await loaded(store, after_revision=first.revision + 1) == Records()


async def test_more_than_a_page_is_remembered_in_order(store: AnalyticsStore) -> None:
    many = tuple(an_entry(number) for number in range(PAGE + 5))
    intervals = tuple(an_interval(number, number, number + 1) for number in range(1, PAGE + 5))
    await write(store, Records(entries=many[::-1], intervals=intervals[::-1]))
    kept = await loaded(store)
    assert kept.entries == many
    assert kept.intervals == intervals


async def test_entries_are_found_by_time_queue_agent_and_exit(store: AnalyticsStore) -> None:
    entries = (
        an_entry(1, exit=Exit.ABANDONED),
        an_entry(2, exit=Exit.ANSWERED, agent_id="a"),
        an_entry(3, queue_id="p", exit=Exit.ANSWERED, agent_id="b"),
        an_entry(4),
    )
    await write(store, Records(entries=entries))

    async def found(**question: object) -> list[str]:
        query = EntryQuery(**({"from_ms": 0, "to_ms": 100} | question))  # type: ignore[arg-type]  # any field
        return [each.entry_id for each in await store.entries(T, query, after=START, limit=10)]

    assert await found() == ["e1", "e2", "e3", "e4"]
    assert await found(from_ms=2, to_ms=4) == ["e2", "e3"]
    assert await found(queue_ids=("p", "x")) == ["e3"]
    assert await found(agent_ids=("a",)) == ["e2"]
    assert await found(exits=(Exit.ABANDONED, Exit.WAITING)) == ["e1", "e4"]
    assert await found(queue_ids=("x",)) == []


async def test_entries_of_one_moment_are_paged_without_loss(store: AnalyticsStore) -> None:
    names = ["B", "a", "b", "e-1", "e.1", "e1", "é"]
    await write(
        store, Records(entries=tuple(an_entry(7, entry_id=name, offered_at_ms=7) for name in names))
    )
    seen: list[str] = []
    after = START
    while page := await store.entries(T, EVER, after=after, limit=2):
        seen += [each.entry_id for each in page]
        after = (page[-1].offered_at_ms, page[-1].entry_id)
    assert seen == sorted(names)
    backwards = replace(EVER, newest_first=True)
    seen, after = [], before_all(newest_first=True)
    while page := await store.entries(T, backwards, after=after, limit=2):
        seen += [each.entry_id for each in page]
        after = entry_key(page[-1])
    assert seen == sorted(names, reverse=True)


async def test_intervals_are_found_where_they_touch(store: AnalyticsStore) -> None:
    await write(
        store,
        Records(
            agents=(Agent("a", ""), Agent("b", "")),
            intervals=(
                an_interval(1, 0, 10),
                an_interval(2, 10, 10, state=AgentState.RESERVED),
                an_interval(3, 10, 20, queue_ids=("x",)),
                an_interval(4, 20, None),
                an_interval(1, 5, 30, agent_id="b", state=AgentState.BREAK),
            ),
        ),
    )

    async def found(**question: object) -> list[str]:
        query = IntervalQuery(**({"from_ms": 0, "to_ms": 100} | question))  # type: ignore[arg-type]  # any field
        rows = await store.intervals(T, query, after=FIRST, limit=10)
        return [f"{each.agent_id}{each.version}" for each in rows]

    assert await found() == ["a1", "b1", "a2", "a3", "a4"]
    assert await found(from_ms=10, to_ms=20) == ["b1", "a2", "a3"]
    assert await found(from_ms=10, to_ms=20, agent_ids=("b",)) == ["b1"]
    assert await found(from_ms=30, to_ms=31) == ["a4"]
    assert await found(from_ms=0, to_ms=5) == ["a1"]
    assert await found(queue_ids=("x", "y")) == ["a3"]
    assert await found(agent_ids=("b",)) == ["b1"]
    assert await found(states=(AgentState.BREAK, AgentState.RESERVED)) == ["b1", "a2"]
    rest = await store.intervals(T, ALWAYS, after=(10, "a", 2), limit=1)
    assert [each.version for each in rest] == [3]
    pages: list[str] = []
    after = FIRST
    while page := await store.intervals(T, IntervalQuery(9, 100), after=after, limit=2):
        pages += [f"{each.agent_id}{each.version}" for each in page]
        after = (page[-1].from_ms, page[-1].agent_id, page[-1].version)
    assert pages == ["a1", "b1", "a2", "a3", "a4"]
    pages, after = [], before_all_intervals(newest_first=True)
    backwards = IntervalQuery(9, 100, newest_first=True)
    while page := await store.intervals(T, backwards, after=after, limit=2):
        pages += [f"{each.agent_id}{each.version}" for each in page]
        after = interval_key(page[-1])
    assert pages == ["a4", "a3", "a2", "b1", "a1"]


async def test_calls_are_joined_with_what_became_of_them(store: AnalyticsStore) -> None:
    await store.put_calls(T, [Call("c1", 10, 1), Call("c2", 11, 1), Call("c3", 12, 1)])
    await write(
        store,
        Records(
            entries=(
                an_entry(1, exit=Exit.OVERFLOWED),
                an_entry(9, contact_id="c1", exit=Exit.ANSWERED),
                an_entry(2, exit=Exit.ABANDONED),
            )
        ),
    )
    found = await store.calls(T, CallQuery(10, 12), after=START, limit=10)
    assert found == [
        Call("c1", 10, 1, outcome=CallOutcome.ANSWERED),
        Call("c2", 11, 1, outcome=CallOutcome.ABANDONED),
    ]
    assert await store.calls(T, CallQuery(0, 99), after=(11, "c2"), limit=5) == [Call("c3", 12, 1)]
    backwards = CallQuery(0, 99, newest_first=True)
    newest = await store.calls(T, backwards, after=before_all(newest_first=True), limit=2)
    oldest = await store.calls(T, backwards, after=call_key(newest[-1]), limit=2)
    assert [each.call_id for each in (*newest, *oldest)] == ["c3", "c2", "c1"]


async def test_calls_keep_who_called_whom(store: AnalyticsStore) -> None:
    await store.put_calls(T, [Call("c", 10, 1, caller="+491", called="+4930")])
    await store.put_calls(T, [Call("c", 10, 9, 20, "success/over")])
    expected = Call("c", 10, 9, 20, "success/over", caller="+491", called="+4930")
    assert await store.calls(T, CallQuery(0, 99), after=START, limit=5) == [expected]
    assert (await store.story(T, "c")).call == expected


async def test_what_was_told_of_a_call_before_changes_nothing(store: AnalyticsStore) -> None:
    await store.put_calls(T, [Call("c", 10, 3)])
    ended = Call("c", 99, 9, 20, "success/caller-hung-up")
    for told in (ended, ended, Call("c", 50, 3), Call("c", 50, 8)):
        await store.put_calls(T, [told])
    expected = Call("c", 10, 9, 20, "success/caller-hung-up")
    assert await store.calls(T, CallQuery(0, 99), after=START, limit=5) == [expected]
    await store.put_calls(T, [Call("c", 10, 12)])
    assert await store.calls(T, CallQuery(0, 99), after=START, limit=5) == [
        replace(expected, seq=12)
    ]


async def test_a_zone_is_remembered(store: AnalyticsStore) -> None:
    await store.put_zone(T, "Europe/Berlin")
    await store.put_zone(T, "Asia/Tokyo")
    assert await store.zone(T) == "Asia/Tokyo"


async def test_tenants_with_the_same_names_never_see_each_other(store: AnalyticsStore) -> None:
    records = Records(
        queues=(Queue("q", "mine"),),
        agents=(Agent("a", "mine"),),
        entries=(an_entry(1),),
        intervals=(an_interval(1, 1, None),),
    )
    await write(store, records)
    await store.put_calls(T, [Call("c1", 10, 1)])
    await store.put_zone(T, "Asia/Tokyo")

    assert await loaded(store, tenant_id=OTHER) == Records()
    assert await store.position(OTHER) == Position()
    assert await store.entries(OTHER, EVER, after=START, limit=10) == []
    assert await store.intervals(OTHER, ALWAYS, after=FIRST, limit=10) == []
    assert await store.calls(OTHER, CallQuery(0, 99), after=START, limit=10) == []
    assert await store.directory(OTHER) == Records()
    assert await store.zone(OTHER) == ""

    theirs = replace(records, queues=(Queue("q", "theirs"),))
    await write(store, theirs, OTHER)
    await store.put_calls(OTHER, [Call("c1", 99, 1)])
    assert (await store.directory(T)).queues == (Queue("q", "mine"),)
    (mine,) = await store.calls(T, CallQuery(0, 999), after=START, limit=10)
    assert (mine.started_at_ms, mine.queued) == (10, True)


async def test_a_process_that_is_killed_at_any_moment_changes_no_figure(
    store: AnalyticsStore,
) -> None:
    """Events come again after each crash; a successor goes on from the records."""
    day = Day(4, agents=10, callers=40, mean_gap_ms=15_000)
    day.run()
    story = envelopes(day.desk.log, T)
    end_ms = story[-1].at_ms + 1_000
    clock = _StoppedClock()
    clock.ms = end_ms
    for at in range(0, len(story), 40):
        successor = Floors(store=store, clock=clock, terms=Terms())
        intake = Intake(floors=successor, store=store)
        again = tuple(story[max(0, at - 25) : at + 40])
        await intake.handle(Batch("acd.events.v1", 0, 0, again))
    whole = MemoryStore()
    once = Intake(floors=Floors(store=whole, clock=clock, terms=Terms()), store=whole)
    await once.handle(Batch("acd.events.v1", 0, 0, tuple(story)))
    entries, intervals = (
        [await each.entries(T, EVER, after=START, limit=9_999) for each in (store, whole)],
        [await each.intervals(T, ALWAYS, after=FIRST, limit=9_999) for each in (store, whole)],
    )
    assert entries[0] == entries[1]
    assert intervals[0] == intervals[1]
    views = [
        await Floors(store=each, clock=clock, terms=Terms()).view(T) for each in (store, whole)
    ]
    assert views[0] == views[1]
    assert len(views[0].rows) == 4


class _StoppedClock:
    ms = 0

    def now_ms(self) -> int:
        return self.ms

    def monotonic_ms(self) -> float:
        return float(self.ms)
