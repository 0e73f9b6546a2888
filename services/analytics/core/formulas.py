"""Sums over records into figures: the same ones live and in batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.analytics.core.kpi import Kpi
from services.analytics.core.measures import Amount, Members, OfCalls, OfEntries, OfTime, Terms
from services.analytics.model.records import Call, Entry
from services.analytics.model.words import AgentState, Unit


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure."""

    kpi: str
    """Which KPI."""
    variant: str
    """By which formula."""
    unit: Unit
    """What it counts in."""
    value: float | None
    """None: no value, for want of anything below the line."""
    numerator: int
    """Above the line."""
    denominator: int
    """Below the line; 1 of a plain count."""


class Formulas:
    """KPIs under certain terms, as two sums each: above the line and below it.

    Sums stand in one row of integers, so that what a record adds can be taken away again exactly.
    """

    def __init__(self, kpis: Sequence[Kpi], terms: Terms) -> None:
        self.kpis = tuple(kpis)
        self.terms = terms
        # Formulas share what they are made of: each set is asked once, each amount taken once.
        self._of_entries: dict[Members, dict[Amount, list[int]]] = {}
        self._of_calls: list[tuple[int, OfCalls]] = []
        self._of_time: list[tuple[int, OfTime]] = []
        self._plain: list[int] = []
        for index, kpi in enumerate(self.kpis):
            for place, part in ((2 * index, kpi.numerator), (2 * index + 1, kpi.denominator)):
                if isinstance(part, OfEntries):
                    amounts = self._of_entries.setdefault(part.members, {})
                    amounts.setdefault(part.amount, []).append(place)
                elif isinstance(part, OfCalls):
                    self._of_calls.append((place, part))
                elif isinstance(part, OfTime):
                    self._of_time.append((place, part))
                else:
                    self._plain.append(place)

    @property
    def needs_calls(self) -> bool:
        """Whether any of them counts calls."""
        return bool(self._of_calls)

    @property
    def needs_time(self) -> bool:
        """Whether any of them adds up agents' time."""
        return bool(self._of_time)

    @property
    def needs_entries(self) -> bool:
        """Whether any of them is made of stays in queues."""
        return bool(self._of_entries)

    def nothing(self) -> list[int]:
        """Sums over no record."""
        return [0] * (2 * len(self.kpis))

    def add_entry(self, sums: list[int], entry: Entry, sign: int = 1) -> None:
        """Adds a stay to sums, or takes it away with a sign of -1."""
        terms = self.terms
        for members, amounts in self._of_entries.items():
            if members(entry, terms):
                for amount, places in amounts.items():
                    added = sign * amount(entry)
                    for place in places:
                        sums[place] += added

    def add_call(self, sums: list[int], call: Call) -> None:
        """Adds a call to sums."""
        for place, part in self._of_calls:
            sums[place] += part.members(call)

    def figures(
        self, sums: Sequence[int], state_ms: Mapping[AgentState, int]
    ) -> tuple[Figure, ...]:
        """The figures that sums and agents' time make."""
        full = list(sums)
        for place, part in self._of_time:
            full[place] = sum(state_ms.get(state, 0) for state in part.states)
        for place in self._plain:
            full[place] = 1
        return tuple(
            Figure(
                kpi=kpi.kpi,
                variant=kpi.variant,
                unit=kpi.unit,
                value=kpi.value(full[2 * index], full[2 * index + 1]),
                numerator=full[2 * index],
                denominator=full[2 * index + 1],
            )
            for index, kpi in enumerate(self.kpis)
        )
