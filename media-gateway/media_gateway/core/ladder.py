"""Who said what in SIP during a call: what an engineer draws as a ladder.

Kept for every call while it lasts, and told once as it ends. A message that is sent or comes again
is counted where it stands first, so that what was lost on the way can be seen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from services.chassis.ids import LegId

MAX_STEPS: Final = 200
"""Of one call; what comes beyond them is only counted."""


@dataclass(frozen=True, slots=True)
class LadderStep:
    """One SIP message, without what could identify more than the call's numbers."""

    at_ms: int
    """UTC milliseconds of its first time."""
    leg_id: LegId
    """Which leg."""
    sent: bool
    """True: the gateway sent it; else it came."""
    peer: str
    """The other side's address, `host:port`."""
    line: str
    """For example `INVITE` or `200 OK`."""
    cseq: str
    """For example `1 INVITE`."""
    times: int = 1
    """How often in all."""


class Ladder:
    """The messages of one call, in the order of their first time."""

    __slots__ = ("_places", "_steps", "dropped")

    def __init__(self) -> None:
        self._steps: list[LadderStep] = []
        self._places: dict[tuple[str, bool, str, str], int] = {}
        self.dropped = 0
        """Messages beyond the limit."""

    @property
    def steps(self) -> tuple[LadderStep, ...]:
        """What was kept."""
        return tuple(self._steps)

    def note(self, step: LadderStep) -> None:
        """Takes a message; one that was there before is counted there."""
        key = (step.leg_id, step.sent, step.line, step.cseq)
        place = self._places.get(key)
        if place is not None:
            known = self._steps[place]
            self._steps[place] = replace(known, times=known.times + 1)
        elif len(self._steps) >= MAX_STEPS:
            self.dropped += 1
        else:
            self._places[key] = len(self._steps)
            self._steps.append(step)
