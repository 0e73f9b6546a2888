"""Figures from stored records, in rows by whatever is asked for."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from services.analytics.core.formulas import Figure, Formulas
from services.analytics.core.windows import Window, next_row_ms, row_start_ms
from services.analytics.model.errors import BadRange
from services.analytics.model.records import Call, Entry, Interval
from services.analytics.model.words import AgentState, Grouping

MAX_ROWS: Final = 1_500
"""Of a report by time: a month of half hours."""
MAX_FIGURES: Final = 30_000
"""Of a report in all its rows: what one message carries."""
ALL: Final = ""
"""The key of the only row of a report in total."""


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One row."""

    key: str
    """A queue's or an agent's id, UTC milliseconds at which the row begins, or empty."""
    figures: tuple[Figure, ...]
    """In the order asked for."""


@dataclass(slots=True)
class _Row:
    sums: list[int]
    state_ms: dict[AgentState, int] = field(default_factory=lambda: defaultdict(int))


class Report:
    """Rows under way: add records, then read the rows."""

    def __init__(
        self,
        *,
        grouping: Grouping,
        window: Window,
        zone: ZoneInfo,
        formulas: Formulas,
        queue_ids: Iterable[str] = (),
        keys: Iterable[str] = (),
    ) -> None:
        """`queue_ids`: only these queues have rows; `keys`: rows shown even without a record.

        BadRange, here or while records are added, when rows would be too many.
        """
        self._grouping = grouping
        self._window = window
        self._formulas = formulas
        self._only = frozenset(queue_ids)
        self._rows: dict[str, _Row] = {}
        self._starts: list[int] = []
        if grouping is Grouping.TOTAL:
            self._row(ALL)
        elif grouping in {Grouping.QUEUE, Grouping.AGENT}:
            for key in keys:
                self._row(key)
        else:
            self._starts = _row_starts(window, grouping, zone, len(formulas.kpis))
            for start_ms in self._starts:
                self._row(str(start_ms))

    def add_entry(self, entry: Entry) -> None:
        """Counts a stay in the row that it was offered in."""
        match self._grouping:
            case Grouping.TOTAL:
                key = ALL
            case Grouping.QUEUE:
                key = entry.queue_id
            case Grouping.AGENT:
                if not entry.agent_id:
                    return
                key = entry.agent_id
            case _:
                key = self._row_by_time(entry.offered_at_ms)
        self._formulas.add_entry(self._row(key).sums, entry)

    def add_interval(self, interval: Interval) -> None:
        """Adds an agent's time to the rows that it touches."""
        match self._grouping:
            case Grouping.TOTAL:
                self._add_time(ALL, interval, self._window)
            case Grouping.QUEUE:
                for queue_id in interval.queue_ids:
                    if not self._only or queue_id in self._only:
                        self._add_time(queue_id, interval, self._window)
            case Grouping.AGENT:
                self._add_time(interval.agent_id, interval, self._window)
            case _:
                self._add_by_time(interval)

    def add_call(self, call: Call) -> None:
        """Counts a call in the row that it began in; queues and agents have no calls."""
        if self._grouping in {Grouping.QUEUE, Grouping.AGENT}:
            return
        key = ALL
        if self._grouping is not Grouping.TOTAL:
            key = self._row_by_time(call.started_at_ms)
        self._formulas.add_call(self._row(key).sums, call)

    def rows(self) -> tuple[ReportRow, ...]:
        """All rows: by time in order, others by key."""
        keys = [str(start_ms) for start_ms in self._starts] or sorted(self._rows)
        return tuple(self._figures(key, self._rows[key].state_ms) for key in keys)

    def _figures(self, key: str, state_ms: Mapping[AgentState, int]) -> ReportRow:
        return ReportRow(key, self._formulas.figures(self._rows[key].sums, state_ms))

    def _add_time(self, key: str, interval: Interval, window: Window) -> None:
        self._row(key).state_ms[interval.state] += window.spent_ms(interval)

    def _add_by_time(self, interval: Interval) -> None:
        window = self._window
        end_ms = window.now_ms if interval.to_ms is None else interval.to_ms
        first = max(bisect_right(self._starts, interval.from_ms) - 1, 0)
        for start_ms, next_ms in pairwise([*self._starts[first:], window.to_ms]):
            if start_ms >= end_ms:
                break
            row_window = Window(max(start_ms, window.from_ms), next_ms, window.now_ms)
            self._add_time(str(start_ms), interval, row_window)

    def _row_by_time(self, at_ms: int) -> str:
        """The row that a moment of the window is in: rows follow one another without a gap."""
        return str(self._starts[bisect_right(self._starts, at_ms) - 1])

    def _row(self, key: str) -> _Row:
        row = self._rows.get(key)
        if row is None:
            figures = len(self._formulas.kpis)
            if len(self._rows) == _most_rows(figures):
                raise BadRange(
                    f"more than {len(self._rows)} rows of {figures} figures; ask for fewer KPIs, or"
                    " for some of the queues or agents"
                )
            row = self._rows[key] = _Row(self._formulas.nothing())
        return row


def _row_starts(window: Window, grouping: Grouping, zone: ZoneInfo, figures: int) -> list[int]:
    most = min(MAX_ROWS, _most_rows(figures))
    starts: list[int] = []
    start_ms = row_start_ms(window.from_ms, grouping, zone)
    while start_ms < window.to_ms:
        if len(starts) == most:
            raise BadRange(
                f"more than {most} rows of {figures} figures; ask for a shorter time, for longer"
                " rows or for fewer KPIs"
            )
        starts.append(start_ms)
        start_ms = next_row_ms(start_ms, grouping, zone)
    return starts


def _most_rows(figures: int) -> int:
    return MAX_FIGURES // max(figures, 1)
