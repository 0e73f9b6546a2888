"""When time alone changes something: a heap with a note for every deadline that a row gets."""

from __future__ import annotations

from enum import IntEnum
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from services.acd.model import AgentId, AgentRow, EntryId, EntryRow, ReservationId, ReservationRow

_STALE = 1_024
"""Outdated notes tolerated beyond one for each row that has a deadline."""


class TimerKind(IntEnum):
    """Whose deadline it is; also the order of those that fall together."""

    RESERVATION = 0
    AGENT = 1
    ENTRY = 2


class Due(NamedTuple):
    """A row's deadline."""

    at_ms: int
    """UTC ms."""
    kind: TimerKind
    """Which table."""
    row_id: str
    """Which row."""


class Timers:
    """The next deadline of all rows."""

    def __init__(self) -> None:
        self._notes: list[Due] = []
        self._current: dict[tuple[TimerKind, str], int] = {}

    def agent_changed(self, agent_id: AgentId, row: AgentRow | None) -> None:
        """An agent's row is new or gone."""
        self._note(TimerKind.AGENT, agent_id, None if row is None else row.resting_until_ms)

    def entry_changed(self, entry_id: EntryId, row: EntryRow | None) -> None:
        """A contact's row is new or gone."""
        self._note(TimerKind.ENTRY, entry_id, None if row is None else entry_deadline_ms(row))

    def reservation_changed(self, row_id: ReservationId, row: ReservationRow | None) -> None:
        """A reservation's row is new or gone."""
        self._note(TimerKind.RESERVATION, row_id, None if row is None else row.deadline_ms)

    def first(self) -> Due | None:
        """The earliest deadline. It stays the earliest until the row has another."""
        notes = self._notes
        while notes and self._current.get((notes[0].kind, notes[0].row_id)) != notes[0].at_ms:
            heappop(notes)
        return notes[0] if notes else None

    def clear(self) -> None:
        """Forgets everything."""
        self._notes.clear()
        self._current.clear()

    def _note(self, kind: TimerKind, row_id: str, at_ms: int | None) -> None:
        if at_ms is None:
            self._current.pop((kind, row_id), None)
        elif self._current.get((kind, row_id)) != at_ms:
            self._current[kind, row_id] = at_ms
            heappush(self._notes, Due(at_ms, kind, row_id))
            if len(self._notes) > 2 * len(self._current) + _STALE:
                self._notes = [Due(at, *key) for key, at in self._current.items()]
                heapify(self._notes)


def entry_deadline_ms(row: EntryRow) -> int | None:
    """When time changes something for a contact; a live reservation's lease goes first."""
    if row.reservation_id is not None:
        return None
    ends = [pair.until_ms for pair in row.exclusions]
    ends += [
        at for at in (row.detached_until_ms, row.timeout_at_ms, row.step_until_ms) if at is not None
    ]
    return min(ends, default=None)
