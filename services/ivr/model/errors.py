"""What can be wrong with a flow, and with the words in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from services.chassis.errors import CarillonError, Kind


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault in a flow."""

    node: str
    """The node it is in; empty when it concerns the whole flow."""
    code: str
    """A stable word, for example `missing-node`."""
    message: str
    """In words, with what to do."""

    def __str__(self) -> str:
        place = f"node {self.node}: " if self.node else ""
        return f"{place}{self.message} ({self.code})"


class BadFlow(CarillonError):
    """A flow that must not meet callers; `problems` says what to mend, most general first."""

    code: ClassVar[str] = "bad-flow"
    kind: ClassVar[Kind] = Kind.INVALID

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems[:5]))
        self.problems = problems


class BadExpression(CarillonError):
    """A CEL expression that is refused, or that failed on the values it met."""

    code: ClassVar[str] = "bad-expression"
    kind: ClassVar[Kind] = Kind.INVALID


class BadTemplate(CarillonError):
    """A text whose placeholders are not well formed."""

    code: ClassVar[str] = "bad-template"
    kind: ClassVar[Kind] = Kind.INVALID


class BadCheckpoint(CarillonError):
    """Bytes that are no checkpoint, or one of a format that this release cannot read."""

    code: ClassVar[str] = "bad-checkpoint"
    kind: ClassVar[Kind] = Kind.INVALID
