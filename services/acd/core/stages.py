"""A reservation's life, as a table.

reserved ─ring confirmed─▶ ringing ─accepted─▶ connecting ─bridged─▶ bridged

The acceptance may overtake the confirmation, and each of the first three may end by an outcome.
What a pair of stage and trigger leads to stands here and nowhere else; None: not allowed, and
nothing changes.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import Final

from services.acd.model import IllegalTransitionError, Outcome, Stage


class Trigger(StrEnum):
    """What moves a reservation; outcomes keep their own names."""

    RING_CONFIRMED = "ring_confirmed"
    ACCEPTED = "accepted"
    BRIDGED = "bridged"
    UNDELIVERED = "undelivered"
    NO_ANSWER = "no_answer"
    REJECT = "reject"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    CALLER_GONE = "caller_gone"
    CONNECT_FAILED = "connect_failed"


_T = Trigger
_LEGAL: Final[dict[Stage, dict[Trigger, Stage]]] = {
    Stage.RESERVED: {
        _T.RING_CONFIRMED: Stage.RINGING,
        _T.ACCEPTED: Stage.CONNECTING,
        _T.UNDELIVERED: Stage.ENDED,
        _T.NO_ANSWER: Stage.ENDED,
        _T.REJECT: Stage.ENDED,
        _T.BUSY: Stage.ENDED,
        _T.UNREACHABLE: Stage.ENDED,
        _T.CALLER_GONE: Stage.ENDED,
    },
    Stage.RINGING: {
        _T.ACCEPTED: Stage.CONNECTING,
        _T.NO_ANSWER: Stage.ENDED,
        _T.REJECT: Stage.ENDED,
        _T.BUSY: Stage.ENDED,
        _T.UNREACHABLE: Stage.ENDED,
        _T.CALLER_GONE: Stage.ENDED,
    },
    Stage.CONNECTING: {
        _T.BRIDGED: Stage.BRIDGED,
        _T.UNREACHABLE: Stage.ENDED,
        _T.CALLER_GONE: Stage.ENDED,
        _T.CONNECT_FAILED: Stage.ENDED,
    },
    Stage.BRIDGED: {},
    Stage.ENDED: {},
}

STAGES: Final = MappingProxyType(
    {(stage, trigger): _LEGAL[stage].get(trigger) for stage in Stage for trigger in Trigger}
)

REPEATED: Final = MappingProxyType(
    {
        Trigger.RING_CONFIRMED: frozenset({Stage.RINGING, Stage.CONNECTING, Stage.BRIDGED}),
        Trigger.ACCEPTED: frozenset({Stage.CONNECTING, Stage.BRIDGED}),
        Trigger.BRIDGED: frozenset({Stage.BRIDGED}),
    }
)
"""Stages in which a trigger has already had its effect: asking again changes nothing."""

LAPSE: Final = MappingProxyType(
    {
        Stage.RESERVED: Outcome.UNDELIVERED,
        Stage.RINGING: Outcome.NO_ANSWER,
        Stage.CONNECTING: Outcome.CONNECT_FAILED,
    }
)
"""What the end of a stage's lease means."""


def next_stage(stage: Stage, trigger: Trigger) -> Stage:
    """Where `trigger` leads; IllegalTransitionError when the table has no such step."""
    reached = STAGES[stage, trigger]
    if reached is None:
        raise IllegalTransitionError(f"a reservation that is {stage} cannot take {trigger}")
    return reached


def already(stage: Stage, trigger: Trigger) -> bool:
    """Whether `trigger` has had its effect before."""
    return stage in REPEATED[trigger]
