"""Whole days: what must hold of the sum of everything."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import cache

import pytest

from services.acd import model
from services.acd.core.shard import ShardCore
from services.acd.model import AgentState, Exit, Outcome
from tests.sim.acd.day import Day

SEEDS = (1, 2, 3)


@cache
def a_day(seed: int) -> Day:
    return live_a_day(seed)


def live_a_day(seed: int) -> Day:
    print(f"seed {seed}")  # a failing day replays from its seed
    day = Day(seed, agents=30, callers=700, mean_gap_ms=7_000)
    day.disturb()
    day.run()
    return day


@pytest.mark.parametrize("seed", SEEDS)
def test_a_day_ends_with_everybody_accounted_for(seed: int) -> None:
    day = a_day(seed)
    snapshot = day.desk.core.snapshot()
    exits = [e for e in day.desk.log if isinstance(e, model.ContactExited)]

    assert snapshot.entries == ()
    assert snapshot.reservations == ()
    assert Counter(e.entry_id for e in exits).most_common(1)[0][1] == 1
    assert len(exits) == day.called >= day.callers
    assert sum(tally.offered for tally in snapshot.tallies) == day.called
    answered = sum(e.exit is Exit.ANSWERED for e in exits)
    assert answered > day.called // 2, "the day was no test of answering"


def test_a_day_with_few_agents_ends_too() -> None:
    day = Day(1, agents=4, callers=250, mean_gap_ms=30_000)
    day.disturb()
    day.run()
    exits = {e.exit for e in day.desk.log if isinstance(e, model.ContactExited)}

    assert day.desk.core.snapshot().entries == ()
    assert Exit.OVERFLOWED in exits
    assert day.called > day.callers, "nobody's second call came between the last two first ones"


def test_the_days_are_full_of_trouble() -> None:
    """A simulation that meets no fault proves nothing."""
    log = [event for seed in SEEDS for event in a_day(seed).desk.log]
    outcomes = {e.outcome for e in log if isinstance(e, model.ReservationEnded)}
    exits = {e.exit for e in log if isinstance(e, model.ContactExited)}
    breaks = {e.reason for e in log if isinstance(e, model.PresenceChanged)}

    assert outcomes == set(Outcome)
    assert exits >= {Exit.ANSWERED, Exit.ABANDONED, Exit.CALLBACK, Exit.CLOSED, Exit.FAILED}
    assert breaks >= {"rona", "coffee"}
    assert all(a_day(seed).refused > 0 for seed in SEEDS)


@pytest.mark.parametrize("seed", SEEDS)
def test_nobody_is_struck_or_lost_by_an_outage(seed: int) -> None:
    day = a_day(seed)
    assert len(day.outages) == 2
    for since_ms, until_ms in day.outages:
        moments = [e for e in day.desk.log if since_ms < e.at_ms <= until_ms]
        stopped = [e for e in moments if isinstance(e, model.ClockStopped)]
        assert len(stopped) == 1, "leases were running, or the outage was no test"
        ended = [e for e in moments if isinstance(e, model.ReservationEnded)]
        assert not {e.outcome for e in ended} & {Outcome.NO_ANSWER, Outcome.UNDELIVERED}
        exits = [e for e in moments if isinstance(e, model.ContactExited)]
        assert not {e.exit for e in exits} & {Exit.TIMEOUT, Exit.FAILED}


@pytest.mark.parametrize("seed", SEEDS)
def test_intervals_of_agents_leave_no_gap(seed: int) -> None:
    day = a_day(seed)
    last: dict[model.AgentId, model.AgentStateChanged] = {}
    spent_ms: dict[AgentState, int] = defaultdict(int)
    for event in day.desk.log:
        if isinstance(event, model.AgentStateChanged):
            known = last.get(event.agent_id)
            if known is not None:
                assert event.version == known.version + 1
                assert (event.previous, event.previous_since_ms) == (known.state, known.at_ms)
                spent_ms[known.state] += event.at_ms - known.at_ms
            last[event.agent_id] = event
    for event in last.values():
        spent_ms[event.state] += day.desk.now_ms - event.at_ms
    assert sum(spent_ms.values()) == 30 * day.span_ms
    assert spent_ms[AgentState.TALKING] > 0


def test_a_day_replays_to_the_byte() -> None:
    assert live_a_day(SEEDS[0]).digest() == a_day(SEEDS[0]).digest()


@pytest.mark.parametrize("seed", SEEDS)
def test_the_journal_of_a_day_rebuilds_its_end(seed: int) -> None:
    day = a_day(seed)
    successor = ShardCore()
    for event in day.desk.log:
        successor.apply(event)
    assert successor.snapshot() == day.desk.core.snapshot()
