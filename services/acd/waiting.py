"""Readers of who waits: told together, and no more often than anybody can look."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from services.acd.core.shard import ShardCore
from services.acd.following import Reader
from services.acd.model import (
    Contact,
    ContactEnqueued,
    ContactExited,
    ContactReserved,
    EmergencySet,
    EntryAttached,
    EntryDetached,
    Event,
    PriorityChanged,
    QueueDoor,
    QueuePut,
    QueueRemoved,
    ReservationAccepted,
    ReservationEnded,
    RingConfirmed,
    WaitingRow,
)
from services.chassis.clock import Clock
from services.chassis.errors import CarillonError
from services.chassis.ids import EntryId, QueueId
from services.chassis.shell import Overloaded, ShardClosed
from services.chassis.tasks import Tasks

MAX_ROWS = 2_000
"""Those who wait that one reader is told of; of more, the ones who wait longest."""
MAX_BEHIND = 256
"""Changes that a reader may be behind."""
EVERY_MS = 100
"""A reader is told at most so often."""

_SHOWS = (
    ContactEnqueued,
    ContactExited,
    ContactReserved,
    EntryAttached,
    EntryDetached,
    PriorityChanged,
    ReservationAccepted,
    ReservationEnded,
)


@dataclass(frozen=True, slots=True)
class WaitingChange:
    """What changed about who waits."""

    all: bool
    """True: `rows` is everybody that the reader is told of."""
    rows: tuple[WaitingRow, ...]
    """Came, or changed."""
    gone: tuple[EntryId, ...]
    """Stays that wait no longer."""
    waiting: int
    """Everybody who waits, told of or not."""
    doors: tuple[QueueDoor, ...]
    """Of `all` every queue's; else of those that were put, opened, closed or removed."""


class Query(Protocol):
    """Reads the state; answered once all that it saw is written."""

    def __call__(
        self, read: Callable[[int], list[_News]], *, patient: bool
    ) -> Awaitable[list[_News]]:
        """What `read` found."""


class WaitingReader:
    """What one stream was told of who waits, and its mailbox."""

    def __init__(self, queue_ids: frozenset[QueueId]) -> None:
        self.mailbox: Reader[WaitingChange] = Reader(limit=MAX_BEHIND)
        self.told: dict[EntryId, WaitingRow] | None = None
        self._queue_ids = queue_ids
        self._waiting = 0

    def everybody(self, core: ShardCore) -> WaitingChange:
        """Who waits now; from here on changes are told. NoSuchQueueError."""
        for queue_id in self._queue_ids:
            core.queue_config(queue_id)
        ids = _ids(core.waiting(self._queue_ids))
        self.told, self._waiting = {}, len(ids)
        rows = self._take_in(core, ids[:MAX_ROWS])
        doors = self._doors(core, core.queue_ids())
        return WaitingChange(all=True, rows=rows, gone=(), waiting=len(ids), doors=doors)

    def changes(
        self, core: ShardCore, changed: Collection[EntryId], queue_ids: Collection[QueueId]
    ) -> WaitingChange | None:
        """What is new about these stays and queues; None: nothing that concerns the reader."""
        if self.told is None:
            return None  # the beginning will say it
        gone = tuple(i for i in changed if i in self.told and core.waiting_row(i) is None)
        for entry_id in gone:
            del self.told[entry_id]
        rows = self._take_in(core, changed)
        waiting = core.count_waiting(self._queue_ids)
        if len(self.told) < min(waiting, MAX_ROWS):
            rows += self._take_in(core, _ids(core.waiting(self._queue_ids)))
        doors = self._doors(core, queue_ids)
        if not rows and not gone and not doors and waiting == self._waiting:
            return None
        self._waiting = waiting
        return WaitingChange(all=False, rows=rows, gone=gone, waiting=waiting, doors=doors)

    def _doors(self, core: ShardCore, queue_ids: Iterable[QueueId]) -> tuple[QueueDoor, ...]:
        return tuple(
            core.queue_door(queue_id)
            for queue_id in tuple(queue_ids)
            if not self._queue_ids or queue_id in self._queue_ids
        )

    def _take_in(self, core: ShardCore, ids: Collection[EntryId]) -> tuple[WaitingRow, ...]:
        """Rows that are news to the reader, as long as there is room for them."""
        assert self.told is not None, "after the beginning"
        found = []
        for entry_id in ids:
            row = core.waiting_row(entry_id)
            if row is None or (self._queue_ids and row.contact.queue_id not in self._queue_ids):
                continue
            known = self.told.get(entry_id)
            if row != known and (known is not None or len(self.told) < MAX_ROWS):
                self.told[entry_id] = row
                found.append(row)
        return tuple(found)


_News = tuple[WaitingReader, WaitingChange]


class Waiting:
    """One shard's readers of who waits."""

    def __init__(self, *, core: ShardCore, query: Query, clock: Clock, tasks: Tasks) -> None:
        self._core = core
        self._query = query
        self._clock = clock
        self._tasks = tasks
        # Ordered, so that a simulation replays.
        self._readers: dict[WaitingReader, None] = {}
        self._changed: dict[EntryId, None] = {}
        self._queues: dict[QueueId, None] = {}
        self._telling = False
        self._told_ms = 0.0

    @contextmanager
    def watch(self, queue_ids: frozenset[QueueId]) -> Iterator[WaitingReader]:
        """A reader of these queues; none named: of all."""
        reader = WaitingReader(queue_ids)
        self._readers[reader] = None
        try:
            yield reader
        finally:
            del self._readers[reader]

    def see(self, events: Sequence[Event]) -> None:
        """Something happened that readers may have to be told."""
        if not self._readers:
            return
        for event in events:
            entry_id = _entry_of(event)
            if entry_id is not None:
                self._changed[entry_id] = None
            queue_id = _queue_of(event)
            if queue_id is not None:
                self._queues[queue_id] = None
        if (self._changed or self._queues) and not self._telling:
            self._telling = True
            self._tasks.start(self._tell(), "who waits")

    def end(self, error: CarillonError) -> None:
        """Ends every reader."""
        for reader in self._readers:
            reader.mailbox.end(error)

    async def _tell(self) -> None:
        try:
            while self._changed or self._queues:
                early_ms = self._told_ms + EVERY_MS - self._clock.monotonic_ms()
                await asyncio.sleep(max(0.0, early_ms) / 1_000)
                changed, self._changed = self._changed, {}
                queues, self._queues = self._queues, {}
                self._told_ms = self._clock.monotonic_ms()
                try:
                    news = await self._query(partial(self._look, changed, queues), patient=True)
                except Overloaded:
                    self._changed = changed | self._changed
                    self._queues = queues | self._queues
                    continue
                for reader, change in news:
                    reader.mailbox.put(change)
        except ShardClosed:
            return  # whoever reads is ended, too
        finally:
            self._telling = False

    def _look(
        self, changed: Collection[EntryId], queues: Collection[QueueId], _now_ms: int
    ) -> list[_News]:
        core = self._core
        found = ((reader, reader.changes(core, changed, queues)) for reader in self._readers)
        return [(reader, change) for reader, change in found if change is not None]


def _ids(contacts: Iterable[Contact]) -> list[EntryId]:
    return [contact.entry_id for contact in contacts]


def _entry_of(event: Event) -> EntryId | None:
    """Whose row in a list of those who wait is another by an event."""
    if isinstance(event, RingConfirmed):
        return EntryId(event.reservation_id.rpartition(".")[0])
    if not isinstance(event, _SHOWS):
        return None
    return event.contact.entry_id if isinstance(event, ContactEnqueued) else event.entry_id


def _queue_of(event: Event) -> QueueId | None:
    """Whose door may be another by an event."""
    match event:
        case QueuePut():
            return event.queue.queue_id
        case EmergencySet() | QueueRemoved():
            return event.queue_id
        case _:
            return None
