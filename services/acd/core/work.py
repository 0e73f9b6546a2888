"""A piece of an agent's work, as a table.

idle ─▶ reserved ─▶ ringing ─▶ talking ⇄ holding ─▶ wrap_up ─▶ idle

What a pair of state and step leads to stands here and nowhere else; None: not allowed, and
nothing changes.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import Final

from services.acd.model import IllegalTransitionError, Work


class WorkStep(StrEnum):
    """What moves a piece of work."""

    RESERVE = "reserve"
    RING = "ring"
    BRIDGE = "bridge"
    HOLD = "hold"
    RESUME = "resume"
    COMPLETE = "complete"
    FINISH = "finish"
    RELEASE = "release"


_S = WorkStep
_LEGAL: Final[dict[Work, dict[WorkStep, Work]]] = {
    Work.IDLE: {_S.RESERVE: Work.RESERVED},
    Work.RESERVED: {_S.RING: Work.RINGING, _S.RELEASE: Work.IDLE},
    Work.RINGING: {_S.RING: Work.RINGING, _S.BRIDGE: Work.TALKING, _S.RELEASE: Work.IDLE},
    Work.TALKING: {_S.HOLD: Work.HOLDING, _S.COMPLETE: Work.WRAP_UP},
    Work.HOLDING: {_S.RESUME: Work.TALKING, _S.COMPLETE: Work.WRAP_UP},
    Work.WRAP_UP: {_S.FINISH: Work.IDLE},
}

WORK: Final = MappingProxyType(
    {(work, step): _LEGAL[work].get(step) for work in Work for step in WorkStep}
)


def next_work(work: Work, step: WorkStep) -> Work:
    """Where `step` leads; IllegalTransitionError when the table has no such step."""
    reached = WORK[work, step]
    if reached is None:
        raise IllegalTransitionError(f"work that is {work} cannot {step}")
    return reached
