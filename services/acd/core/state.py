"""One shard's rows, and the indexes that follow them.

A row changes only through the `put_` methods: they keep the indexes true and remember the old row,
so that any number of changes can be taken back.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from services.acd.core.lanes import Lanes
from services.acd.core.limits import EXITS_REMEMBERED
from services.acd.core.staffing import Staffing
from services.acd.core.timers import Timers
from services.acd.model import (
    AgentId,
    AgentRow,
    EntryId,
    EntryRow,
    ExitRow,
    NoSuchAgentError,
    NoSuchEntryError,
    NoSuchQueueError,
    NoSuchReservationError,
    QueueId,
    QueueRow,
    QueueTally,
    ReservationId,
    ReservationRow,
    Snapshot,
    TenantDefaults,
)

Key = TypeVar("Key")
Row = TypeVar("Row")


Mark = tuple[int, int, int]
"""A point to come back to: changes made, events applied and exits by then."""


class State:
    """Rows by id, with their indexes."""

    def __init__(self) -> None:
        self.seq = 0
        self.exit_order = 0
        self.defaults = TenantDefaults()
        self.queues: dict[QueueId, QueueRow] = {}
        self.tallies: dict[QueueId, QueueTally] = {}
        self.agents: dict[AgentId, AgentRow] = {}
        self.entries: dict[EntryId, EntryRow] = {}
        self.reservations: dict[ReservationId, ReservationRow] = {}
        self.exits: dict[EntryId, ExitRow] = {}
        self.exit_ids: dict[int, EntryId] = {}
        self.in_queue: dict[QueueId, set[EntryId]] = {}
        self.touched: set[AgentId] = set()
        self.lanes = Lanes(queues=self.queues, agents=self.agents, entries=self.entries)
        self.staffing = Staffing()
        self.timers = Timers()
        self._undo: list[Callable[[], None]] = []

    def queue(self, queue_id: QueueId) -> QueueRow:
        """A queue's row; NoSuchQueueError."""
        row = self.queues.get(queue_id)
        if row is None:
            raise NoSuchQueueError(queue_id)
        return row

    def agent(self, agent_id: AgentId) -> AgentRow:
        """An agent's row; NoSuchAgentError."""
        row = self.agents.get(agent_id)
        if row is None:
            raise NoSuchAgentError(agent_id)
        return row

    def entry(self, entry_id: EntryId) -> EntryRow:
        """The row of a contact in a queue; NoSuchEntryError."""
        row = self.entries.get(entry_id)
        if row is None:
            raise NoSuchEntryError(entry_id)
        return row

    def reservation(self, reservation_id: ReservationId) -> ReservationRow:
        """A reservation's row; NoSuchReservationError."""
        row = self.reservations.get(reservation_id)
        if row is None:
            raise NoSuchReservationError(reservation_id)
        return row

    def put_defaults(self, defaults: TenantDefaults) -> None:
        """The tenant's defaults; every agent is judged again."""
        self._undo.append(partial(self.put_defaults, self.defaults))
        self.defaults = defaults
        for row in self.agents.values():
            self.lanes.agent_changed(row, row, defaults)

    def put_queue(self, queue_id: QueueId, row: QueueRow | None) -> None:
        """A queue's row; None removes it."""
        old = _exchange(self.queues, queue_id, row)
        self._undo.append(partial(self.put_queue, queue_id, old))
        if old is None or row is None or old.config is not row.config:
            self.lanes.queue_changed(queue_id)
            ruled = row is not None and row.config.leave_when_empty is not None
            self.staffing.watch(queue_id, ruled=ruled)

    def put_tally(self, queue_id: QueueId, row: QueueTally | None) -> None:
        """What a queue counts; None removes it."""
        old = _exchange(self.tallies, queue_id, row)
        self._undo.append(partial(self.put_tally, queue_id, old))

    def put_agent(self, agent_id: AgentId, row: AgentRow | None) -> None:
        """An agent's row; None removes it."""
        old = _exchange(self.agents, agent_id, row)
        self._undo.append(partial(self.put_agent, agent_id, old))
        self.touched.add(agent_id)
        self.lanes.agent_changed(old, row, self.defaults)
        self.staffing.agent_changed(old, row)
        self.timers.agent_changed(agent_id, row)

    def put_interval(self, row: AgentRow) -> None:
        """An agent's row of which only the open interval is new: no index depends on that."""
        agent_id = row.config.agent_id
        self._undo.append(partial(self.put_interval, self.agents[agent_id]))
        self.agents[agent_id] = row

    def put_entry(self, entry_id: EntryId, row: EntryRow | None) -> None:
        """The row of a contact in a queue; None removes it."""
        old = _exchange(self.entries, entry_id, row)
        self._undo.append(partial(self.put_entry, entry_id, old))
        if row is None and old is not None:
            self.in_queue[old.contact.queue_id].discard(entry_id)
        elif row is not None and old is None:
            self.in_queue.setdefault(row.contact.queue_id, set()).add(entry_id)
        if row is not None and row.reservation_id is None:
            self.staffing.somebody_waits(row.contact.queue_id)
        self.lanes.entry_changed(entry_id, row)
        self.timers.entry_changed(entry_id, row)

    def put_reservation(self, reservation_id: ReservationId, row: ReservationRow | None) -> None:
        """A reservation's row; None removes it."""
        old = _exchange(self.reservations, reservation_id, row)
        self._undo.append(partial(self.put_reservation, reservation_id, old))
        self.timers.reservation_changed(reservation_id, row)
        known = row if row is not None else old
        assert known is not None, "nobody removes what is not there"
        self.touched.add(known.agent_id)

    def put_exit(self, row: ExitRow) -> None:
        """Remembers a contact that left, and forgets the one that left longest ago."""
        self.exit_order = row.order
        self._remember(row)
        forgotten = self.exit_ids.get(row.order - EXITS_REMEMBERED)
        if forgotten is not None:
            self._forget(self.exits[forgotten])

    def mark(self) -> Mark:
        """This moment."""
        return len(self._undo), self.seq, self.exit_order

    def roll_back(self, mark: Mark) -> None:
        """Makes everything as it was at `mark`."""
        changes, seq, exit_order = mark
        while len(self._undo) > changes:
            take_back = self._undo.pop()
            take_back()
            self._undo.pop()  # what taking back itself would have undone
        self.seq, self.exit_order = seq, exit_order
        self.settle()

    def commit(self) -> None:
        """What has happened so far is not taken back any more."""
        self._undo.clear()

    def settle(self) -> None:
        """What changed has been looked at."""
        self.touched.clear()
        self.staffing.changed.clear()
        self.lanes.settle()

    def snapshot(self) -> Snapshot:
        """All rows, sorted by id."""
        return Snapshot(
            seq=self.seq,
            exit_order=self.exit_order,
            defaults=self.defaults,
            queues=_sorted(self.queues),
            tallies=_sorted(self.tallies),
            agents=_sorted(self.agents),
            entries=_sorted(self.entries),
            reservations=_sorted(self.reservations),
            exits=tuple(sorted(self.exits.values(), key=lambda row: row.order)),
        )

    def restore(self, snapshot: Snapshot) -> None:
        """Makes a snapshot's rows the state."""
        self._clear()
        self.defaults = snapshot.defaults
        for queue in snapshot.queues:
            self.put_queue(queue.config.queue_id, queue)
        for tally in snapshot.tallies:
            self.put_tally(tally.queue_id, tally)
        for agent in snapshot.agents:
            self.put_agent(agent.config.agent_id, agent)
        for entry in snapshot.entries:
            self.put_entry(entry.contact.entry_id, entry)
        for reservation in snapshot.reservations:
            self.put_reservation(reservation.reservation_id, reservation)
        for gone in snapshot.exits:
            self._remember(gone)
        self.seq, self.exit_order = snapshot.seq, snapshot.exit_order
        self.commit()
        self.settle()

    def _clear(self) -> None:
        self.lanes.clear()
        self.staffing.clear()
        self.timers.clear()
        for table in (self.queues, self.tallies, self.agents, self.entries, self.reservations):
            table.clear()
        for index in (self.exits, self.exit_ids, self.in_queue):
            index.clear()

    def _remember(self, row: ExitRow) -> None:
        self.exits[row.entry_id] = row
        self.exit_ids[row.order] = row.entry_id
        self._undo.append(partial(self._forget, row))

    def _forget(self, row: ExitRow) -> None:
        del self.exits[row.entry_id]
        del self.exit_ids[row.order]
        self._undo.append(partial(self._remember, row))


def _exchange(table: dict[Key, Row], key: Key, row: Row | None) -> Row | None:
    old = table.get(key)
    if row is None:
        table.pop(key, None)
    else:
        table[key] = row
    return old


def _sorted(table: dict[Key, Row]) -> tuple[Row, ...]:
    return tuple(row for _, row in sorted(table.items(), key=lambda item: str(item[0])))
