"""The tables say something about every pair, and the dispatchers about every type."""

from __future__ import annotations

from typing import get_args

import pytest

from services.acd import model
from services.acd.core.apply import APPLIES
from services.acd.core.availability import WHY
from services.acd.core.comparators import COMPARATORS
from services.acd.core.shard import HANDLERS
from services.acd.core.stages import LAPSE, STAGES, Trigger, already, next_stage
from services.acd.core.work import WORK, WorkStep, next_work
from services.acd.model import IllegalTransitionError, Outcome, Stage, Work


@pytest.mark.parametrize("trigger", Trigger)
@pytest.mark.parametrize("stage", Stage)
def test_every_pair_of_stage_and_trigger_leads_somewhere_or_is_refused(
    stage: Stage, trigger: Trigger
) -> None:
    reached = STAGES[stage, trigger]
    if reached is None:
        with pytest.raises(IllegalTransitionError):
            next_stage(stage, trigger)
    else:
        assert next_stage(stage, trigger) is reached


@pytest.mark.parametrize("step", WorkStep)
@pytest.mark.parametrize("work", Work)
def test_every_pair_of_work_and_step_leads_somewhere_or_is_refused(
    work: Work, step: WorkStep
) -> None:
    reached = WORK[work, step]
    if reached is None:
        with pytest.raises(IllegalTransitionError):
            next_work(work, step)
    else:
        assert next_work(work, step) is reached


def test_outcomes_are_triggers_that_end_a_reservation() -> None:
    ways = {stage: {o for o in Outcome if STAGES[stage, Trigger(o.value)]} for stage in Stage}

    assert ways[Stage.RESERVED] == set(Outcome) - {Outcome.CONNECT_FAILED}
    assert ways[Stage.RINGING] == ways[Stage.RESERVED] - {Outcome.UNDELIVERED}
    assert ways[Stage.CONNECTING] == {
        Outcome.UNREACHABLE,
        Outcome.CALLER_GONE,
        Outcome.CONNECT_FAILED,
    }
    assert ways[Stage.BRIDGED] == ways[Stage.ENDED] == set()
    assert all(STAGES[stage, Trigger(o.value)] is Stage.ENDED for stage, o in LAPSE.items())


def test_only_what_has_happened_is_a_repetition() -> None:
    assert already(Stage.CONNECTING, Trigger.RING_CONFIRMED)
    assert not already(Stage.RESERVED, Trigger.RING_CONFIRMED)
    assert not already(Stage.RINGING, Trigger.ACCEPTED)
    assert already(Stage.BRIDGED, Trigger.BRIDGED)


def test_every_way_out_of_work_leads_back_to_idle() -> None:
    def reaches_idle(work: Work, seen: frozenset[Work] = frozenset()) -> bool:
        nexts = {reached for (at, _), reached in WORK.items() if at is work and reached}
        return Work.IDLE in nexts or any(
            reaches_idle(reached, seen | {work}) for reached in nexts - seen - {work}
        )

    assert all(reaches_idle(work) for work in Work if work is not Work.IDLE)


def test_every_command_is_handled_and_every_event_applied() -> None:
    assert set(HANDLERS) == set(get_args(model.Command))
    assert set(APPLIES) == set(get_args(model.Event))


def test_every_strategy_compares_and_every_exclusion_has_words() -> None:
    assert {*COMPARATORS, model.Strategy.RANDOM} == set(model.Strategy)
    assert set(WHY) == set(model.Exclusion)


def test_every_exit_is_counted_under_its_name() -> None:
    assert {way.value for way in model.Exit} <= set(model.QueueTally.__dataclass_fields__)


def test_named_errors_have_codes_of_their_own() -> None:
    errors = [e for e in vars(model).values() if isinstance(e, type) and issubclass(e, Exception)]
    codes = [error.code for error in errors if issubclass(error, model.RoutingError)]
    assert len(errors) == len(codes) == len(set(codes))
