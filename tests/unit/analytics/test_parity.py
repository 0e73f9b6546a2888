"""Live figures are the batch's figures, to the unit, at every cut."""

from __future__ import annotations

import random
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.analytics.core.catalogue import choose
from services.analytics.core.floor import Floor
from services.analytics.core.formulas import Formulas
from services.analytics.core.windows import day_start_ms
from services.analytics.model import events as e
from services.analytics.model.events import Happened
from services.analytics.model.records import Records
from services.analytics.model.words import AgentState, Exit, Outcome
from tests.sim.acd.day import Day
from tests.unit.analytics.history import (
    TERMS,
    UTC,
    WITHOUT_CALLS,
    Keeper,
    assert_live_is_batch,
    happenings,
)

DAY_MS = 86_400_000
T0 = 1_700_000_000_000
SEEDS = (1, 2)
"""Days that begin in the evening and go on after midnight."""


@cache
def day_of(seed: int) -> tuple[Happened, ...]:
    day = Day(seed, agents=20, callers=150, mean_gap_ms=27_000)
    day.disturb()
    day.run()
    return tuple(happenings(day.desk.log))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_simulated_day_is_the_same_live_and_in_batch(seed: int) -> None:
    here = ZoneInfo("Europe/Berlin")
    story = day_of(seed)
    assert day_start_ms(story[-1].at_ms, here) > story[0].at_ms, "midnight falls into the day"
    formulas = Formulas(WITHOUT_CALLS, TERMS)
    floor = Floor(zone=here, now_ms=story[0].at_ms, terms=TERMS, formulas=formulas)
    keeper = Keeper()
    for number, happened in enumerate(story):
        floor.apply(happened)
        keeper.keep(floor.changes())
        if number % 149 == 0:
            now_ms = floor.position.as_of_ms
            assert_live_is_batch(floor, keeper, now_ms, formulas=formulas, zone=here)
    last_ms = floor.position.as_of_ms
    for later_ms in (1, 600_000, 1_800_000, 1_800_001, 20 * 3_600_000, 3 * DAY_MS):
        assert_live_is_batch(floor, keeper, last_ms + later_ms, formulas=formulas, zone=here)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_floor_built_from_records_goes_on_as_the_one_that_saw_every_event(seed: int) -> None:
    story = day_of(seed)
    dice = random.Random(seed)
    floor = Floor(zone=UTC, now_ms=story[0].at_ms, terms=TERMS)
    keeper = Keeper()
    restarts, now_ms = 0, 0
    for happened in story:
        floor.apply(happened)
        keeper.keep(floor.changes())
        if dice.random() < 0.01:
            # Whoever asks has a clock of their own, ahead of the events', that never runs back.
            now_ms = max(now_ms, floor.position.as_of_ms + dice.randrange(3_000))
            successor = Floor(zone=UTC, now_ms=now_ms, terms=TERMS)
            successor.remember(keeper.all(from_ms=successor.remembered_from_ms))
            successor.stand_at(floor.position)
            assert successor.rows(now_ms) == floor.rows(now_ms)
            floor = successor
            restarts += 1
    assert restarts > 5
    assert_live_is_batch(floor, keeper, max(now_ms, floor.position.as_of_ms))


@pytest.mark.parametrize("seed", SEEDS)
def test_events_that_come_again_change_nothing(seed: int) -> None:
    story = day_of(seed)
    dice = random.Random(seed)
    once = Floor(zone=UTC, now_ms=story[0].at_ms, terms=TERMS)
    often = Floor(zone=UTC, now_ms=story[0].at_ms, terms=TERMS)
    at = 0
    while at < len(story):
        batch = story[at : at + dice.randrange(1, 40)]
        at += len(batch)
        assert all(once.apply(happened) for happened in batch)
        for happened in batch:
            often.apply(happened)
        again = story[max(0, at - 60) : at]
        often.changes()
        assert not any(often.apply(happened) for happened in again)
        assert often.changes() == Records()
        once.changes()
    now_ms = once.position.as_of_ms
    assert often.rows(now_ms) == once.rows(now_ms)
    assert often.position == once.position


@pytest.mark.parametrize("seed", SEEDS)
def test_offered_is_answered_abandoned_flown_out_turned_away_and_waiting(seed: int) -> None:
    story = day_of(seed)
    exits = choose(("offered", "answered", "abandoned", "flow_outs", "turned_away", "waiting"))
    formulas = Formulas(exits, TERMS)
    floor = Floor(zone=UTC, now_ms=story[0].at_ms, terms=TERMS, formulas=formulas)
    for number, happened in enumerate(story):
        floor.apply(happened)
        rows = floor.rows(floor.position.as_of_ms) if number % 5 == 0 else ()
        for row in rows:
            for figures in (row.today, row.now):
                offered, *parts = (figure.value for figure in figures)
                assert offered == sum(part or 0 for part in parts)
    keeper = Keeper()
    keeper.keep(floor.changes())
    seen = {entry.exit for entry in keeper.entries.values()}
    assert len(seen) >= 3, "the day was no test of exits"


@pytest.mark.parametrize("seed", SEEDS)
def test_agents_intervals_leave_no_gap(seed: int) -> None:
    story = day_of(seed)
    keeper = Keeper()
    floor = Floor(zone=UTC, now_ms=story[0].at_ms, terms=TERMS)
    for happened in story:
        floor.apply(happened)
    keeper.keep(floor.changes())
    last: dict[str, int | None] = {}
    for (agent_id, version), interval in sorted(keeper.intervals.items()):
        if version == 1:
            assert agent_id not in last
        else:
            assert (agent_id, version - 1) in keeper.intervals
            assert last[agent_id] == interval.from_ms
        last[agent_id] = interval.to_ms
    assert set(last.values()) == {None}


QUEUES = ("q1", "q2", "q3")
AGENTS = ("a1", "a2")


class Chance:
    """Events in an order that the rules of routing allow, drawn step by step."""

    def __init__(self, draw: st.DrawFn, began_ms: int) -> None:
        self._draw = draw
        self._waiting: list[str] = []
        self._answered: list[str] = []
        self._talked: list[str] = []
        self._count = 0
        self.now_ms = began_ms
        self.story: list[Happened] = []
        for queue_id in QUEUES[:2]:
            self._happen(e.QueuePut(queue_id, f"the {queue_id}"))
        for agent_id in AGENTS:
            self._put_agent(agent_id)
            self._change_state(agent_id)

    def step(self) -> None:
        self.now_ms += self._draw(st.sampled_from((0, 1, 999, 60_000, 1_799_999, 1, 20_000_000)))
        acts = [self._arrive, self._agent, self._agent, self._arrive, self._edit]
        if self._waiting:
            acts += [self._leave, self._answer, self._ring]
        if self._answered:
            acts += [self._complete]
        if self._talked:
            acts += [self._finish]
        self._draw(st.sampled_from(acts))()

    def _happen(self, event: e.Event) -> None:
        number = len(self.story)
        seq = number // 3 + 1
        self.story.append(Happened(f"e{number}", seq, self.now_ms, event))

    def _arrive(self) -> None:
        self._count += 1
        entry_id = f"c{self._count}"
        queue_id = self._draw(st.sampled_from(QUEUES))
        self._waiting.append(entry_id)
        self._happen(e.ContactEnqueued(entry_id, entry_id, queue_id, "voice", (), "", self.now_ms))

    def _leave(self) -> None:
        exits = [each for each in Exit if each not in {Exit.WAITING, Exit.ANSWERED}]
        self._exit(self._taken(self._waiting), self._draw(st.sampled_from(exits)), "")

    def _answer(self) -> None:
        entry_id = self._taken(self._waiting)
        self._happen(e.ReservationAccepted(entry_id, self.now_ms))
        self._exit(entry_id, Exit.ANSWERED, self._draw(st.sampled_from(AGENTS)))
        self._answered.append(entry_id)

    def _ring(self) -> None:
        entry_id = self._draw(st.sampled_from(self._waiting))
        self._happen(e.RingConfirmed(entry_id, self.now_ms))
        outcome = self._draw(st.sampled_from(Outcome))
        self._happen(e.ReservationEnded(entry_id, outcome, self.now_ms))

    def _complete(self) -> None:
        entry_id = self._taken(self._answered)
        talk_ms, hold_ms = self._draw(st.tuples(st.integers(0, 10**6), st.integers(0, 10**5)))
        self._happen(e.ContactCompleted(entry_id, talk_ms, hold_ms))
        self._talked.append(entry_id)

    def _finish(self) -> None:
        self._happen(e.WrapUpEnded(self._taken(self._talked), "done", 7_000))

    def _agent(self) -> None:
        self._change_state(self._draw(st.sampled_from(AGENTS)))

    def _edit(self) -> None:
        self._draw(st.sampled_from((self._edit_agent, self._edit_queue)))()

    def _edit_agent(self) -> None:
        agent_id = self._draw(st.sampled_from(AGENTS))
        if self._draw(st.booleans()):
            self._put_agent(agent_id)
        else:
            self._happen(e.AgentRemoved(agent_id, self.now_ms))

    def _edit_queue(self) -> None:
        queue_id = self._draw(st.sampled_from(QUEUES))
        if self._draw(st.booleans()):
            self._happen(e.QueuePut(queue_id, f"new {queue_id}"))
        else:
            self._happen(e.QueueRemoved(queue_id))

    def _put_agent(self, agent_id: str) -> None:
        queues = self._draw(st.lists(st.sampled_from(QUEUES), unique=True))
        self._happen(e.AgentPut(agent_id, agent_id.upper(), tuple(queues), self.now_ms))

    def _change_state(self, agent_id: str) -> None:
        state = self._draw(st.sampled_from(AgentState))
        self._happen(e.AgentStateChanged(agent_id, state, "", self.now_ms))

    def _exit(self, entry_id: str, way: Exit, agent_id: str) -> None:
        wait_ms = self._draw(st.sampled_from((0, 5_000, 5_001, 19_999, 20_000, 20_001, 10**6)))
        self._happen(e.ContactExited(entry_id, way, agent_id, wait_ms, self.now_ms))

    def _taken(self, entry_ids: list[str]) -> str:
        return entry_ids.pop(self._draw(st.integers(0, len(entry_ids) - 1)))


PLACES = (
    ("UTC", T0),
    ("Europe/Berlin", 1_698_520_000_000),  # the clock goes back in the night
    ("Europe/Berlin", 1_711_820_000_000),  # forth
    ("Asia/Beirut", 1_711_820_000_000),  # forth, at midnight
    ("America/Havana", 1_699_140_000_000),  # back, to midnight
    ("Australia/Lord_Howe", 1_712_400_000_000),  # back, by half an hour
)


@st.composite
def stories(draw: st.DrawFn) -> tuple[ZoneInfo, list[Happened]]:
    place, began_ms = draw(st.sampled_from(PLACES))
    chance = Chance(draw, began_ms)
    for _ in range(draw(st.integers(1, 30))):
        chance.step()
    return ZoneInfo(place), chance.story


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(
    told=stories(),
    late_ms=st.sampled_from((0, 0, 1, 1_800_000, 90_000_000)),
    dice=st.randoms(use_true_random=False),
)
def test_any_story_is_the_same_live_and_in_batch(
    told: tuple[ZoneInfo, list[Happened]], late_ms: int, dice: random.Random
) -> None:
    """Also when events come late, or again, and processes end: whoever asks is ahead of them."""
    zone, story = told
    formulas = Formulas(WITHOUT_CALLS, TERMS)
    floor = Floor(zone=zone, now_ms=story[0].at_ms, terms=TERMS, formulas=formulas)
    keeper = Keeper()
    for number, happened in enumerate(story):
        assert floor.apply(happened)
        keeper.keep(floor.changes())
        now_ms = floor.position.as_of_ms + late_ms
        assert_live_is_batch(floor, keeper, now_ms, formulas=formulas, zone=zone)
        successor = Floor(zone=zone, now_ms=now_ms, terms=TERMS, formulas=formulas)
        successor.remember(keeper.all(from_ms=successor.remembered_from_ms))
        successor.stand_at(floor.position)
        assert successor.rows(now_ms) == floor.rows(now_ms)
        if dice.random() < 0.3:
            floor = successor
        assert not any(floor.apply(again) for again in story[max(0, number - 5) : number + 1])
        assert floor.changes() == Records()
