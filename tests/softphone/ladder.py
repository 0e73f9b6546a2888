"""What crossed the wire and when, for narration and for the text of a failed test."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final, Literal

MAX_STEPS: Final = 10_000

Way = Literal["->", "<-", "-x", "x-"]


@dataclass(frozen=True, slots=True)
class Step:
    """One message sent or received."""

    t_ms: int
    """Since the phone was opened."""
    way: Way
    """-> sent, <- received; with an x, lost by the test's wish."""
    first_line: str
    call_id: str


class Ladder:
    """The last MAX_STEPS messages of one phone."""

    def __init__(self) -> None:
        self._steps: deque[Step] = deque(maxlen=MAX_STEPS)

    def add(self, step: Step) -> None:
        self._steps.append(step)

    def steps(self, call_id: str | None = None) -> list[Step]:
        return [step for step in self._steps if call_id in (None, step.call_id)]

    def text(self, call_id: str | None = None) -> str:
        rows = (f"{s.t_ms / 1000:9.3f} {s.way} {s.first_line}" for s in self.steps(call_id))
        return "\n".join(rows) or "        (nothing was sent or received)"
