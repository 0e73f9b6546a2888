"""A KPI: one sum divided by another.

Both say which records they are made of, so that every figure can list what is behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from services.analytics.core.measures import OfCalls, Part
from services.analytics.model.words import Unit

HOUR_MS: Final = 3_600_000
_FACTOR: Final = {Unit.PERCENT: 100.0, Unit.MS: 1.0, Unit.COUNT: 1.0, Unit.PER_HOUR: HOUR_MS}


@dataclass(frozen=True, slots=True)
class Kpi:
    """One KPI by one of its formulas."""

    kpi: str
    """What it is asked for by."""
    variant: str
    """Which formula; empty: there is only one."""
    name: str
    """What people call it."""
    formula: str
    """In words."""
    unit: Unit
    """What it counts in."""
    numerator: Part
    """Above the line."""
    denominator: Part | None = None
    """Below the line; None: nothing, it is a plain count."""
    is_default: bool = True
    """Whether it is meant when no variant is named."""
    for_agents: bool = False
    """Whether it says something about one agent."""
    factor: float = 1.0
    """Multiplies the quotient, beside what the unit does."""
    version: int = 1
    """Of the formula."""

    @property
    def label(self) -> str:
        """`kpi`, or `kpi:variant`."""
        return f"{self.kpi}:{self.variant}" if self.variant else self.kpi

    @property
    def parts(self) -> tuple[Part, ...]:
        """What it is made of."""
        return (self.numerator,) if self.denominator is None else (self.numerator, self.denominator)

    @property
    def needs_calls(self) -> bool:
        """Whether it counts calls, which belong to no queue and no agent."""
        return any(isinstance(part, OfCalls) for part in self.parts)

    def value(self, numerator: int, denominator: int) -> float | None:
        """The figure; None when there is nothing below the line."""
        if not denominator:
            return None
        return numerator / denominator * (_FACTOR[self.unit] * self.factor)
