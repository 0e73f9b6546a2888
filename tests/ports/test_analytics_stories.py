"""What every adapter of the store keeps of contacts' stories."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from services.analytics.core.story import MAX_STEPS
from services.analytics.model.records import Call, Entry, Records
from services.analytics.model.story import Ladder, Story
from services.analytics.model.words import CallOutcome, Exit, Source
from services.analytics.store import AnalyticsStore, MemoryStore
from services.analytics.store_sql import SqlStore
from services.chassis.database import Database, DatabaseAddress
from services.chassis.ids import TenantId
from tests.ports.analytics_story import SIP, a_step

T, OTHER = TenantId("one"), TenantId("two")


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


async def test_a_story_is_all_that_is_known_of_a_contact(store: AnalyticsStore) -> None:
    assert (await store.story(T, "c1")).is_empty
    entries = (
        Entry("e1", "c1", "q", "The queue", "voice", 1),
        Entry("e3", "c1", "q", "The queue", "voice", 3, Exit.ANSWERED),
        Entry("e2", "c2", "q", "The queue", "voice", 2),
    )
    before = await store.position(T)
    routed = a_step(2, event_id="a:5:0", source=Source.ACD)
    await store.write(
        T,
        before=before,
        after=before.after("a:5:0", 5, 9),
        records=Records(entries=entries),
        steps=[routed, a_step(1, "c2")],
    )
    await store.put_calls(
        T,
        [Call("c1", 10, 4)],
        steps=[a_step(1), a_step(3)],
        ladders=[Ladder("c1", (SIP,)), Ladder("c1", ())],
    )
    assert await store.story(T, "c1") == Story(
        contact_id="c1",
        call=Call("c1", 10, 4, outcome=CallOutcome.ANSWERED),
        entries=(entries[0], entries[1]),
        steps=(a_step(1), routed, a_step(3)),
        ladder=(SIP,),
    )
    assert (await store.story(T, "c2")).steps == (a_step(1, "c2"),)
    assert (await store.story(OTHER, "c1")).is_empty


async def test_steps_that_are_told_again_count_once(store: AnalyticsStore) -> None:
    """A batch that comes again begins where it began, and may be longer or shorter."""
    for last in (2, 4, 3):
        steps = [a_step(number) for number in range(1, last + 1)]
        await store.put_calls(T, [Call("c1", 10, last)], steps=steps)
    await store.put_calls(T, [Call("c1", 10, 5)], steps=[a_step(4), a_step(5)])
    assert (await store.story(T, "c1")).steps == tuple(map(a_step, range(1, 6)))


async def test_a_story_has_room_for_so_many_steps(store: AnalyticsStore) -> None:
    for first in range(0, MAX_STEPS + 1_500, 500):
        steps = [a_step(number) for number in range(first, first + 500)]
        await store.put_calls(T, [Call("c1", 10, first)], steps=steps)
    kept = await store.story(T, "c1")
    assert [step.seq for step in kept.steps] == list(range(MAX_STEPS))


async def test_what_no_column_takes_is_kept_all_the_same(store: AnalyticsStore) -> None:
    odd = a_step(1, values={"text": "a\0b é\n"})
    await store.put_calls(T, [Call("c1", 10, 1)], steps=[odd])
    assert (await store.story(T, "c1")).steps == (odd,)
