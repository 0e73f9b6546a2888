"""Two replicas of analytics over one real PostgreSQL: both show the same floor, counted once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from services.analytics.core.measures import Terms
from services.analytics.feed import ROUTING, Intake
from services.analytics.floors import CHECK_EVERY_MS, Floors, LiveView
from services.analytics.store import AnalyticsStore, MemoryStore
from services.analytics.store_sql import SqlStore
from services.chassis.bus import Batch
from services.chassis.database import Database, DatabaseAddress
from services.chassis.envelope import Envelope
from tests.ports.analytics_records import T
from tests.sim.acd.day import Day
from tests.unit.analytics.history import envelopes

STEP = 60
"""Events of one batch."""
AGAIN = 25
"""Of those, how many the group is given a second time, because nobody had committed them."""


@dataclass(slots=True)
class HandClock:
    """All replicas' time, which stands still until it is moved."""

    ms: int = 0

    def now_ms(self) -> int:
        return self.ms

    def monotonic_ms(self) -> float:
        return float(self.ms)


@dataclass(slots=True)
class Replica:
    """What one process has in memory, over a store that may be shared."""

    store: AnalyticsStore
    clock: HandClock
    floors: Floors = field(init=False)
    intake: Intake = field(init=False)

    def __post_init__(self) -> None:
        self.floors = Floors(store=self.store, clock=self.clock, terms=Terms())
        self.intake = Intake(floors=self.floors, store=self.store)

    async def take(self, events: list[Envelope]) -> None:
        await self.intake.handle(Batch(ROUTING, 0, 0, tuple(events)))


@dataclass(slots=True)
class Stage:
    """Two replicas, and one alone that is told everything once."""

    clock: HandClock
    one: Replica
    other: Replica
    alone: Replica

    async def shown(self) -> tuple[LiveView, LiveView, LiveView]:
        """Every replica's figures, once each has looked what the others have stored."""
        self.clock.ms += CHECK_EVERY_MS
        one, other, alone = [
            await each.floors.view(T) for each in (self.one, self.other, self.alone)
        ]
        return one, other, alone


@pytest.fixture
async def stage(database_address: DatabaseAddress) -> AsyncIterator[Stage]:
    databases = [Database(database_address, schema="analytics") for _ in range(2)]
    clock = HandClock()
    one, other = (Replica(SqlStore(database), clock) for database in databases)
    yield Stage(clock, one, other, Replica(MemoryStore(), clock))
    for database in databases:
        await database.close()


@pytest.fixture(scope="module")
def story() -> list[Envelope]:
    """A morning of routing."""
    day = Day(4, agents=10, callers=40, mean_gap_ms=15_000)
    day.run()
    return envelopes(day.desk.log, T)


async def test_both_show_what_either_was_fed(stage: Stage, story: list[Envelope]) -> None:
    """The group gives a tenant's events now to one and now to the other, some of them again."""
    for turn, at in enumerate(range(0, len(story), STEP)):
        batch = story[at : at + STEP]
        stage.clock.ms = max(stage.clock.ms, batch[-1].at_ms)
        fed = (stage.one, stage.other)[turn % 2]
        await fed.take(story[max(0, at - AGAIN) : at + STEP])
        await stage.alone.take(batch)
        one, other, alone = await stage.shown()
        assert one == other == alone
    assert len(one.rows) == 4


async def test_what_both_are_given_at_once_counts_once(stage: Stage, story: list[Envelope]) -> None:
    """One of them was thought dead, and goes on with what was given to the other."""
    for at in range(0, len(story), STEP):
        batch = story[at : at + STEP]
        stage.clock.ms = max(stage.clock.ms, batch[-1].at_ms)
        await asyncio.gather(*(each.take(batch) for each in (stage.one, stage.other, stage.alone)))
    one, other, alone = await stage.shown()
    assert one == other == alone


async def test_who_comes_later_shows_the_same(stage: Stage, story: list[Envelope]) -> None:
    """Also while it was never fed anything, and after the one that was is gone."""
    stage.clock.ms = story[-1].at_ms
    await stage.one.take(story)
    await stage.alone.take(story)
    one, other, alone = await stage.shown()
    assert one == other == alone
    assert [each.floors.unfinished for each in (stage.one, stage.other)] == [
        stage.alone.floors.unfinished
    ] * 2
