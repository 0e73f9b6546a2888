"""The machines' tables: every pair of state and happening has one known outcome."""

from __future__ import annotations

from enum import StrEnum

import pytest

from media_gateway.core.bridge import BRIDGE, BridgeHappening
from media_gateway.core.gather import GATHER, GatherHappening
from media_gateway.core.leg import LEG, LegHappening
from media_gateway.core.state import CALL, CallHappening
from media_gateway.core.termination import EndCause, refusal_status, terminated
from media_gateway.core.transitions import Transitions
from media_gateway.model import (
    BridgeState,
    CallState,
    GatherState,
    IllegalTransition,
    LegState,
    TerminationClass,
)

Machine = tuple[Transitions[StrEnum, StrEnum], type[StrEnum], type[StrEnum], StrEnum]
MACHINES: list[Machine] = [
    (CALL, CallState, CallHappening, CallState.ENDED),  # type: ignore[list-item] # invariant
    (LEG, LegState, LegHappening, LegState.ENDED),  # type: ignore[list-item] # invariant
    (BRIDGE, BridgeState, BridgeHappening, BridgeState.OVER),  # type: ignore[list-item] # invariant
    (GATHER, GatherState, GatherHappening, GatherState.DONE),  # type: ignore[list-item] # invariant
]
BY_NAME = [machine[0].name for machine in MACHINES]


@pytest.mark.parametrize("machine", MACHINES, ids=BY_NAME)
def test_every_pair_leads_to_a_state_or_is_refused_by_name(machine: Machine) -> None:
    transitions, states, happenings, _ = machine
    assert set(transitions.table) == set(states)
    for state in states:
        for happening in happenings:
            if transitions.allows(state, happening):
                assert transitions.next(state, happening) in states
            else:
                with pytest.raises(IllegalTransition, match=f"{happening} while {state}"):
                    transitions.next(state, happening)


@pytest.mark.parametrize("machine", MACHINES, ids=BY_NAME)
def test_the_last_state_is_final_and_reached_from_everywhere(machine: Machine) -> None:
    transitions, states, _, last = machine
    assert not transitions.table[last]
    for state in states:
        reached = {state}
        for _ in states:
            reached |= {n for s in reached for n in transitions.table[s].values()}
        assert last in reached


def test_a_leg_never_comes_back_from_its_end() -> None:
    assert set(LEG.table[LegState.ENDING].values()) == {LegState.ENDED}


def test_every_cause_is_classified_and_has_a_final_status() -> None:
    for cause in EndCause:
        assert terminated(cause).reason == cause.value
        assert terminated(cause).termination_class is not TerminationClass.UNKNOWN
        assert 400 <= refusal_status(cause) <= 699
