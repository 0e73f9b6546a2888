"""The tenants' shards that this process decides for, and who reads what happens in them."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from services.acd.core.shard import ShardCore
from services.acd.following import Leaving, Reader, Superseded
from services.acd.model import (
    AgentView,
    Command,
    ContactCompleted,
    ContactEnqueued,
    ContactExited,
    ContactReserved,
    DetachEntry,
    EntryView,
    Event,
    PriorityChanged,
    Receipt,
    ReservationEnded,
    RoutingError,
)
from services.chassis.clock import Clock
from services.chassis.ids import AgentId, EntryId, QueueId, ReservationId, TenantId
from services.chassis.journal import Journal
from services.chassis.log import get_logger
from services.chassis.shell import RowCodec, ShardClosed, Shell
from services.chassis.tasks import Tasks

log = get_logger("acd")

T = TypeVar("T")

MAX_RECEIPTS = 10_000
REFRESH_S = 0.5
"""Positions are told at most so often: a burst of arrivals is one update for each caller."""

_MOVES_THE_QUEUE = (
    ContactEnqueued,
    ContactExited,
    ContactReserved,
    ReservationEnded,
    PriorityChanged,
)


@dataclass(frozen=True, slots=True)
class Moved:
    """The order of the contact's queue, or its expected wait, may have changed."""


EntryNews = Event | Moved


class Shard:
    """One tenant's routing: the core in its shell, and its readers."""

    def __init__(
        self, *, tenant_id: TenantId, journal: Journal, codec: RowCodec, clock: Clock
    ) -> None:
        self.core = ShardCore()
        self._shell: Shell[Command, Event] = Shell(
            shard=tenant_id,
            core=self.core,
            journal=journal,
            codec=codec,
            clock=clock,
            react=self._react,
        )
        self._followers: dict[EntryId, Reader[EntryNews]] = {}
        self._queue_of: dict[EntryId, QueueId] = {}
        self._watchers: dict[Reader[AgentView], frozenset[AgentId]] = {}
        self._reserved: dict[ReservationId, ContactReserved] = {}
        self._receipts: OrderedDict[EntryId, Receipt] = OrderedDict()
        self._moved: set[QueueId] = set()
        self._tasks = Tasks()
        self._closed = False

    async def start(self) -> None:
        """Rebuilds the state and begins to decide."""
        await self._shell.start()

    async def submit(self, command: Command) -> list[Event]:
        """Decides a command; see `Shell.submit`."""
        return await self._shell.submit(command)

    async def query(self, read: Callable[[int], T]) -> T:
        """Reads the state; see `Shell.query`."""
        return await self._shell.query(read)

    async def entry(self, entry_id: EntryId) -> EntryView:
        """A contact's stay as it stands; NoSuchEntryError."""
        return await self.query(lambda now_ms: self.core.entry(entry_id, now_ms))

    async def place(self, entry_id: EntryId) -> tuple[EntryView, int | None]:
        """A contact's stay, and the wait in seconds that its caller may be told now."""
        return await self.query(
            lambda now_ms: (
                self.core.entry(entry_id, now_ms),
                self.core.announceable_s(entry_id, now_ms),
            )
        )

    async def agent(self, agent_id: AgentId) -> AgentView:
        """An agent as they stand; NoSuchAgentError."""
        return await self.query(lambda now_ms: self.core.agent(agent_id, now_ms))

    async def explain(self, entry_id: EntryId) -> Receipt:
        """Why a contact waits, or the receipt of its last reservation when it does not."""
        view = await self.entry(entry_id)
        kept = self._receipts.get(entry_id)
        if view.exit is not None and kept is not None:
            return kept
        return await self.query(lambda now_ms: self.core.explain(entry_id, now_ms))

    def reserved(self, reservation_id: ReservationId) -> ContactReserved | None:
        """How a live reservation began; None when it is over."""
        return self._reserved.get(reservation_id)

    @contextmanager
    def follow(self, entry_id: EntryId, queue_id: QueueId) -> Iterator[Reader[EntryNews]]:
        """News of one contact, for the one flow that carries it; an earlier reader is ended."""
        reader: Reader[EntryNews] = Reader()
        earlier = self._followers.get(entry_id)
        if earlier is not None:
            earlier.end(Superseded(entry_id))
        self._followers[entry_id] = reader
        self._queue_of[entry_id] = queue_id
        try:
            yield reader
        finally:
            if self._followers.get(entry_id) is reader:
                del self._followers[entry_id]
                del self._queue_of[entry_id]

    def unfollowed(self, entry_id: EntryId) -> None:
        """A flow's stream ended: unless another follows, nobody carries the contact."""
        if entry_id not in self._followers and not self._closed:
            self._tasks.start(self._detach(entry_id), f"detach {entry_id}")

    @contextmanager
    def watch(self, agent_ids: frozenset[AgentId]) -> Iterator[Reader[AgentView]]:
        """News of agents: all of them when none is named."""
        reader: Reader[AgentView] = Reader()
        self._watchers[reader] = agent_ids
        try:
            yield reader
        finally:
            del self._watchers[reader]

    async def close(self) -> None:
        """Commits what was decided and ends every reader with Leaving."""
        self._closed = True
        for follower in self._followers.values():
            follower.end(Leaving("the shard moves"))
        for watcher in self._watchers:
            watcher.end(Leaving("the shard moves"))
        await self._tasks.close()
        await self._shell.close()

    async def _detach(self, entry_id: EntryId) -> None:
        try:
            await self.submit(DetachEntry(entry_id=entry_id))
        except (RoutingError, ShardClosed) as error:
            # It has left, or this process is going: there is no place to hold here.
            log.debug("not detached", entry=entry_id, reason=str(error))

    def _react(self, events: Sequence[Event], now_ms: int) -> None:
        agents: set[AgentId] = set()
        for event in events:
            self._remember(event)
            entry_id = _entry_of(event)
            if entry_id in self._followers:
                self._followers[entry_id].put(event)
            agent_id = getattr(event, "agent_id", None)
            if agent_id is not None:
                agents.add(agent_id)
            if isinstance(event, _MOVES_THE_QUEUE):
                self._moves(event)
        if self._watchers:
            self._tell_watchers(agents, now_ms)

    def _remember(self, event: Event) -> None:
        match event:
            case ContactReserved():
                self._reserved[event.reservation_id] = event
                self._receipts[event.entry_id] = event.receipt
                self._receipts.move_to_end(event.entry_id)
                if len(self._receipts) > MAX_RECEIPTS:
                    self._receipts.popitem(last=False)
            case ReservationEnded() | ContactCompleted():
                self._reserved.pop(event.reservation_id, None)
            case _:
                pass

    def _moves(self, event: Event) -> None:
        if isinstance(event, PriorityChanged):
            queue_id = self._queue_of.get(event.entry_id)
        elif isinstance(event, ContactEnqueued):
            queue_id = event.contact.queue_id
        else:
            queue_id = getattr(event, "queue_id", None)
        if queue_id is None:
            return
        if not self._moved:
            self._tasks.start(self._tell_positions(), "positions")
        self._moved.add(queue_id)

    async def _tell_positions(self) -> None:
        await asyncio.sleep(REFRESH_S)
        moved, self._moved = self._moved, set()
        by_queue: dict[QueueId, list[EntryId]] = defaultdict(list)
        for entry_id, queue_id in self._queue_of.items():
            by_queue[queue_id].append(entry_id)
        for queue_id in moved:
            for entry_id in by_queue[queue_id]:
                self._followers[entry_id].put(Moved())

    def _tell_watchers(self, agents: set[AgentId], now_ms: int) -> None:
        known = self.core.agent_ids()
        views = {
            agent_id: self.core.agent(agent_id, now_ms) for agent_id in agents if agent_id in known
        }
        for reader, wanted in self._watchers.items():
            for agent_id, view in views.items():
                if not wanted or agent_id in wanted:
                    reader.put(view)


class Shards:
    """Every tenant's shard, opened when it is first asked for."""

    def __init__(self, *, journal: Journal, codec: RowCodec, clock: Clock) -> None:
        self._journal = journal
        self._codec = codec
        self._clock = clock
        self._open: dict[TenantId, asyncio.Task[Shard]] = {}
        self._leaving = False

    async def of(self, tenant_id: TenantId) -> Shard:
        """The tenant's shard; Leaving once this process drains."""
        if self._leaving:
            raise Leaving("this process drains")
        opening = self._open.get(tenant_id)
        if opening is None or (opening.done() and opening.exception() is not None):
            opening = asyncio.ensure_future(self._start(tenant_id))
            self._open[tenant_id] = opening
        # Whoever asked first may go away; the others still want the shard.
        return await asyncio.shield(opening)

    async def close(self) -> None:
        """Closes every shard."""
        self._leaving = True
        opened = await asyncio.gather(*self._open.values(), return_exceptions=True)
        for shard in opened:
            if isinstance(shard, Shard):
                await shard.close()
        self._open.clear()

    async def _start(self, tenant_id: TenantId) -> Shard:
        shard = Shard(
            tenant_id=tenant_id, journal=self._journal, codec=self._codec, clock=self._clock
        )
        await shard.start()
        return shard


def _entry_of(event: Event) -> EntryId | None:
    if isinstance(event, ContactEnqueued):
        return event.contact.entry_id
    entry_id: EntryId | None = getattr(event, "entry_id", None)
    return entry_id
