"""Figures as they stand, kept up to date record by record.

Every row has two windows: the day so far, in the tenant's time zone, and the last half hour. What
a contact adds to a window's sums is taken away again, exactly, when the contact changes or the
window moves on. Agents' time needs no sums: n agents in a state, who entered it at moments that
add up to k, have spent n·t - k milliseconds in it by the moment t, so time within a window is the
difference between two such lines: one that knows every change, and one that knows those up to the
window's beginning.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Final
from zoneinfo import ZoneInfo

from services.analytics.core import catalogue
from services.analytics.core.formulas import Figure, Formulas
from services.analytics.core.measures import Terms
from services.analytics.core.windows import INTERVAL_MS, day_start_ms, next_day_ms
from services.analytics.model.records import Entry, Interval, Queue, Records
from services.analytics.model.words import AgentState, Exit

LIVE_KPIS: Final = catalogue.choose(
    (
        "service_level",
        "asa",
        "abandon_rate",
        "average_handle_time",
        "occupancy",
        "offered",
        "answered",
        "abandoned",
    )
)
TENANT: Final = ""
"""The key of the row that is about the whole tenant."""


@dataclass(frozen=True, slots=True)
class LiveRow:
    """The figures of one queue, or of the whole tenant, at one moment."""

    queue_id: str
    """Empty: the tenant."""
    name: str
    """What people call the queue."""
    waiting: int
    """Contacts that were offered and have not left."""
    oldest_waiting_since_ms: int | None
    """Since when the one that waits longest waits; None: nobody waits."""
    today: tuple[Figure, ...]
    """Since the day began."""
    now: tuple[Figure, ...]
    """Over the last half hour."""
    agents: tuple[tuple[AgentState, int], ...]
    """How many agents are in each state, every state once."""


class _Line:
    """Time that agents have spent in each state, as a straight line until the next change."""

    def __init__(self) -> None:
        self._n = dict.fromkeys(AgentState, 0)
        self._k = dict.fromkeys(AgentState, 0)

    def change(self, state: AgentState, delta: int, at_ms: int) -> None:
        """Somebody enters a state, or leaves it with a delta of -1."""
        self._n[state] += delta
        self._k[state] += delta * at_ms

    def agents(self, state: AgentState) -> int:
        """How many are in a state."""
        return self._n[state]

    def spent_ms(self, state: AgentState, at_ms: int) -> int:
        """By a moment, up to a constant that the difference of two lines does not have."""
        return self._n[state] * at_ms - self._k[state]

    def copy(self) -> _Line:
        """One that goes on separately."""
        line = _Line()
        line._n, line._k = dict(self._n), dict(self._k)
        return line


@dataclass(slots=True)
class _Row:
    """What is kept for a row."""

    today: list[int]
    recent: list[int]
    waiting: OrderedDict[str, int] = field(default_factory=OrderedDict)
    time: _Line = field(default_factory=_Line)
    time_before_today: _Line = field(default_factory=_Line)
    time_before_recent: _Line = field(default_factory=_Line)


class LiveFigures:
    """One tenant's rows."""

    def __init__(
        self, *, zone: ZoneInfo, now_ms: int, terms: Terms, formulas: Formulas | None = None
    ) -> None:
        """`formulas`: the KPIs shown; None: those of a live row."""
        self._zone = zone
        self._formulas = formulas or Formulas(LIVE_KPIS, terms)
        self._rows: dict[str, _Row] = {}
        self._queues: dict[str, Queue] = {}
        self._counted: dict[str, Entry] = {}
        self._recent: list[tuple[int, str]] = []
        self._pending: list[tuple[int, int, AgentState, int, tuple[str, ...]]] = []
        self._order = 0
        self._open: set[tuple[str, int]] = set()
        self._now_ms = now_ms
        self._day_ms = day_start_ms(now_ms, zone)
        self._next_day_ms = next_day_ms(now_ms, zone)
        self._recent_ms = now_ms - INTERVAL_MS
        self._row(TENANT)

    @property
    def remembered_from_ms(self) -> int:
        """Finished records from before this change no figure."""
        return min(self._day_ms, self._recent_ms)

    def take(self, records: Records) -> None:
        """Takes in records that are new or have changed."""
        for queue in records.queues:
            self._queues[queue.queue_id] = queue
            self._row(queue.queue_id)
        for entry in records.entries:
            self._take_entry(entry)
        for interval in records.intervals:
            self._take_interval(interval)

    def rows(self, now_ms: int, *, only: Collection[str] | None = None) -> tuple[LiveRow, ...]:
        """The figures at a moment: the tenant's, then those of its queues by id.

        `only`: of these queues, empty for the tenant itself; None: all.
        """
        self._advance(now_ms)
        known = sorted(queue.queue_id for queue in self._queues.values() if not queue.removed)
        return tuple(self._live_row(key) for key in (TENANT, *known) if only is None or key in only)

    def _take_entry(self, entry: Entry) -> None:
        self._advance(entry.offered_at_ms)
        before = self._counted.get(entry.entry_id)
        if before is not None:
            self._count(before, -1)
        elif entry.offered_at_ms >= self._recent_ms:
            heappush(self._recent, (entry.offered_at_ms, entry.entry_id))
        self._count(entry, 1)
        if entry.is_finished and entry.offered_at_ms < self._recent_ms:
            self._counted.pop(entry.entry_id, None)
        else:
            self._counted[entry.entry_id] = entry
        for row in self._rows_of((entry.queue_id,)):
            if entry.exit is Exit.WAITING:
                row.waiting[entry.entry_id] = entry.offered_at_ms
            else:
                row.waiting.pop(entry.entry_id, None)

    def _count(self, entry: Entry, sign: int) -> None:
        for row in self._rows_of((entry.queue_id,)):
            if entry.offered_at_ms >= self._day_ms:
                self._formulas.add_entry(row.today, entry, sign)
            if entry.offered_at_ms >= self._recent_ms:
                self._formulas.add_entry(row.recent, entry, sign)

    def _take_interval(self, interval: Interval) -> None:
        key = (interval.agent_id, interval.version)
        if key not in self._open:
            self._move(interval, 1, interval.from_ms)
        if interval.to_ms is None:
            self._open.add(key)
        else:
            self._open.discard(key)
            self._move(interval, -1, interval.to_ms)

    def _move(self, interval: Interval, delta: int, at_ms: int) -> None:
        self._advance(at_ms)
        state, keys = interval.state, interval.queue_ids
        for row in self._rows_of(keys):
            row.time.change(state, delta, at_ms)
            if at_ms <= self._day_ms:
                row.time_before_today.change(state, delta, at_ms)
            if at_ms <= self._recent_ms:
                row.time_before_recent.change(state, delta, at_ms)
        if at_ms > self._recent_ms:
            self._order += 1
            heappush(self._pending, (at_ms, self._order, state, delta, keys))

    def _advance(self, now_ms: int) -> None:
        """Time goes on, never back: windows move, and what they leave behind is taken away."""
        if now_ms <= self._now_ms:
            return
        self._now_ms = now_ms
        if now_ms >= self._next_day_ms:
            self._begin_day()
        begin_ms = now_ms - INTERVAL_MS
        while self._recent and self._recent[0][0] < begin_ms:
            self._leave_recent(self._counted[heappop(self._recent)[1]])
        while self._pending and self._pending[0][0] <= begin_ms:
            at_ms, _, state, delta, keys = heappop(self._pending)
            for row in self._rows_of(keys):
                row.time_before_recent.change(state, delta, at_ms)
        self._recent_ms = begin_ms

    def _begin_day(self) -> None:
        # All that is known happened before midnight: what is later would have led here first.
        self._day_ms = day_start_ms(self._now_ms, self._zone)
        self._next_day_ms = next_day_ms(self._now_ms, self._zone)
        for row in self._rows.values():
            row.today = self._formulas.nothing()
            row.time_before_today = row.time.copy()

    def _leave_recent(self, entry: Entry) -> None:
        for row in self._rows_of((entry.queue_id,)):
            self._formulas.add_entry(row.recent, entry, -1)
        if entry.is_finished:
            del self._counted[entry.entry_id]

    def _live_row(self, key: str) -> LiveRow:
        row = self._row(key)
        queue = self._queues.get(key)
        return LiveRow(
            queue_id=key,
            name="" if queue is None else queue.name,
            waiting=len(row.waiting),
            oldest_waiting_since_ms=next(iter(row.waiting.values()), None),
            today=self._figures(row, row.today, row.time_before_today, self._day_ms),
            now=self._figures(row, row.recent, row.time_before_recent, self._recent_ms),
            agents=tuple((state, row.time.agents(state)) for state in AgentState),
        )

    def _figures(
        self, row: _Row, sums: list[int], before: _Line, from_ms: int
    ) -> tuple[Figure, ...]:
        spent_ms = {
            state: row.time.spent_ms(state, self._now_ms) - before.spent_ms(state, from_ms)
            for state in AgentState
        }
        return self._formulas.figures(sums, spent_ms)

    def _rows_of(self, queue_ids: Iterable[str]) -> list[_Row]:
        return [self._row(TENANT), *(self._row(queue_id) for queue_id in queue_ids)]

    def _row(self, key: str) -> _Row:
        row = self._rows.get(key)
        if row is None:
            row = _Row(today=self._formulas.nothing(), recent=self._formulas.nothing())
            self._rows[key] = row
        return row
