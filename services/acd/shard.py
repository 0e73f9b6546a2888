"""One tenant's routing in this process: the core in its shell, its readers, and what serves it."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, TypeVar

from services.acd.caretaker import Caretaker
from services.acd.core.shard import Ring, ShardCore
from services.acd.core.viewing import removed_agent
from services.acd.core.watching import QueueLine
from services.acd.following import Leaving, Reader, Superseded
from services.acd.model import (
    AgentPut,
    AgentState,
    AgentView,
    ClockStopped,
    Command,
    ContactEnqueued,
    ContactExited,
    ContactReserved,
    DetachEntry,
    EntryView,
    Event,
    PriorityChanged,
    Receipt,
    ReservationEnded,
    ResumeClock,
    RoutingError,
)
from services.acd.publishing import Publisher
from services.acd.story import Story
from services.acd.waiting import Waiting
from services.chassis.bus import Bus
from services.chassis.clock import Clock
from services.chassis.ids import AgentId, EntryId, QueueId, TenantId
from services.chassis.journal import Journal
from services.chassis.log import get_logger
from services.chassis.shell import Hooks, Overloaded, RowCodec, ShardClosed, Shell
from services.chassis.tasks import Tasks

log = get_logger("acd")

T = TypeVar("T")

RULES = 1
"""Version of the deciding rules; grows when the same input would be decided otherwise."""
MAX_RECEIPTS = 10_000
DETACH_AGAIN_S = 0.5
"""After a detachment for which there was no room among the commands."""
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


class Place(NamedTuple):
    """Where a contact stands, and what its flow may be told of it now."""

    view: EntryView
    """Its stay."""
    announce_s: int | None
    """The wait in seconds that its caller may be told; None: tell none."""
    ring: Ring | None
    """Whom its live reservation rings."""
    detached: bool
    """Whether its flow is lost; an agent who is held for it is still rung."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a shard counts of itself."""

    tenant_id: TenantId
    """Whose."""
    queues: list[QueueLine]
    """Its queues, in numbers."""
    contacts: int
    """In queues now, reserved or not."""
    reserved: int
    """Of those, the ones that an agent is held for."""
    agents: Counter[AgentState]
    """By state."""
    commands: int
    """That wait to be decided."""
    rows: int
    """Written to the journal, ever."""
    commits: int
    """Group commits of this owner."""
    published: int
    """Events brought to the bus by this owner."""
    behind: int
    """Rows whose events are not on the bus yet."""
    behind_s: float
    """For how long there have been such rows."""
    stopped_ms: int
    """Time that did not count, under this owner."""
    away: bool
    """Whether the journal cannot be reached now."""
    oldest_matchable_ms: int
    """How long the oldest pair has waited that could be matched; not 0: routing stands still."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What every shard of this process is made with."""

    journal: Journal
    """Where decisions are kept."""
    codec: RowCodec
    """How."""
    clock: Clock
    """What time it is."""
    bus: Bus
    """Where events go."""
    address: str
    """Where other replicas reach this one."""


class Shard:
    """One tenant's routing: the core in its shell, and its readers."""

    def __init__(self, *, tenant_id: TenantId, parts: Parts) -> None:
        self._tenant_id = tenant_id
        self.core = ShardCore()
        self._shell: Shell[Command, Event] = Shell(
            shard=tenant_id,
            owner=parts.address,
            core=self.core,
            journal=parts.journal,
            codec=parts.codec,
            clock=parts.clock,
            hooks=Hooks(
                react=self._react,
                after_gap=self._after_gap,
                replay=self._remember,
                ended=self._end_readers,
            ),
            config_version=RULES,
        )
        self._clock = self._shell.clock
        self.care = Caretaker(core=self.core, decider=self._shell, clock=self._clock)
        self._story = Story()
        self._publisher = Publisher(tenant_id=tenant_id, journal=parts.journal, bus=parts.bus)
        self._followers: dict[EntryId, Reader[EntryNews]] = {}
        self._queue_of: dict[EntryId, QueueId] = {}
        # By agent, those of every agent under None; ordered, so that a simulation replays.
        self._watchers: dict[AgentId | None, dict[Reader[AgentView], None]] = {}
        self._receipts: OrderedDict[EntryId, Receipt] = OrderedDict()
        self._moved: set[QueueId] = set()
        self._tasks = Tasks()
        self.waiting = Waiting(
            core=self.core, query=self._shell.query, clock=self._clock, tasks=self._tasks
        )
        self.closed = False
        """True: this process no longer decides for the tenant."""

    async def start(self) -> None:
        """Takes the shard over, rebuilds the state and begins to decide.

        Contacts keep their places and wait for their flows: until one asks again for its contact,
        nobody is reserved for it. Raises OwnedElsewhere or JournalUnavailable.
        """
        await self._shell.start()
        self.care.fresh()
        self._tasks.start(self._publisher.run(), "publish", about=(self._tenant_id, ""))
        self._tasks.start(self.care.run(), "care", about=(self._tenant_id, ""))
        for entry_id in self.core.without_flow():
            self._tasks.start(self._detach(entry_id), f"detach {entry_id}")

    async def submit(self, command: Command, *, patient: bool = False) -> list[Event]:
        """Decides a command; see `Shell.submit`."""
        return await self._shell.submit(command, patient=patient)

    async def submit_seen(self, command: Command, see: Callable[[], T]) -> tuple[T, list[Event]]:
        """Decides a command; also what `see` made of the state that it was decided on."""
        seen: list[T] = []

        def make(_now_ms: int) -> Command:
            seen.append(see())
            return command

        events = await self._shell.propose(make, patient=False)
        return seen[0], events

    async def query(self, read: Callable[[int], T], *, patient: bool = False) -> T:
        """Reads the state; see `Shell.query`."""
        return await self._shell.query(read, patient=patient)

    async def entry(self, entry_id: EntryId) -> EntryView:
        """A contact's stay as it stands; NoSuchEntryError."""
        return await self.query(lambda now_ms: self.core.entry(entry_id, now_ms))

    async def place(self, entry_id: EntryId, *, patient: bool = False) -> Place:
        """Where a contact stands; NoSuchEntryError."""
        return await self.query(partial(self._place, entry_id), patient=patient)

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

    def figures(self) -> Figures:
        """What the shard counts of itself, now."""
        return Figures(
            tenant_id=self._tenant_id,
            queues=self.core.queue_lines(self._clock.now_ms()),
            contacts=self.core.in_queues(),
            reserved=self.core.reserved(),
            agents=self.core.agents_by_state(),
            commands=self._shell.waiting,
            rows=self._shell.seq,
            commits=self._shell.commits,
            published=self._publisher.published,
            behind=max(0, self._shell.seq - self._publisher.position),
            behind_s=self._publisher.age_s,
            stopped_ms=self._shell.stopped_ms,
            away=self._shell.away,
            oldest_matchable_ms=self.core.oldest_matchable_ms(self._clock.now_ms()) or 0,
        )

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
        if entry_id not in self._followers and not self.closed:
            self._tasks.start(self._detach(entry_id), f"detach {entry_id}")

    @contextmanager
    def watch(self, agent_ids: frozenset[AgentId]) -> Iterator[Reader[AgentView]]:
        """News of agents: all of them when none is named."""
        reader: Reader[AgentView] = Reader()
        watched: tuple[AgentId | None, ...] = tuple(agent_ids) or (None,)
        for agent_id in watched:
            self._watchers.setdefault(agent_id, {})[reader] = None
        try:
            yield reader
        finally:
            for agent_id in watched:
                del self._watchers[agent_id][reader]
                if not self._watchers[agent_id]:
                    del self._watchers[agent_id]

    async def close(self) -> None:
        """Commits what was decided, ends every reader with Leaving, and lets the shard go."""
        self._end_readers()
        await self._tasks.close()
        await self._shell.close()

    def _end_readers(self) -> None:
        self.closed = True
        self.waiting.end(Leaving("the shard moves"))
        for follower in self._followers.values():
            follower.end(Leaving("the shard moves"))
        for watchers in self._watchers.values():
            for watcher in watchers:
                watcher.end(Leaving("the shard moves"))

    def _place(self, entry_id: EntryId, now_ms: int) -> Place:
        view = self.core.entry(entry_id, now_ms)
        row = view.reservation
        ring = None if row is None else self.core.ring(row.reservation_id)
        detached = self.core.is_detached(entry_id)
        return Place(view, self.core.announceable_s(entry_id, now_ms), ring, detached)

    async def _detach(self, entry_id: EntryId) -> None:
        def unless_followed(_now_ms: int) -> Command | None:
            return None if entry_id in self._followers else DetachEntry(entry_id=entry_id)

        while True:
            try:
                await self._shell.propose(unless_followed)
            except Overloaded:
                await asyncio.sleep(DETACH_AGAIN_S)
            except (RoutingError, ShardClosed) as error:
                # It has left, or this process is going: there is no place to hold here.
                log.debug("not detached", entry=entry_id, reason=str(error))
                return
            else:
                return

    def _after_gap(self, gap_ms: int) -> Command:
        self.care.fresh()
        return ResumeClock(gap_ms=gap_ms)

    def _react(self, events: Sequence[Event], now_ms: int) -> None:
        self._publisher.nudge()
        self._story.see(events)
        self.care.react(events)
        self.waiting.see(events)
        agents: set[AgentId] = set()
        for event in events:
            self._remember(event)
            entry_id = _entry_of(event)
            if entry_id in self._followers:
                self._followers[entry_id].put(event)
            agent_id = _agent_of(event)
            if agent_id is not None:
                agents.add(agent_id)
            if isinstance(event, ClockStopped):
                # Whoever watches one agent sees when a ring or a wrap-up ends, which is later now.
                agents.update(watched for watched in self._watchers if watched is not None)
            if isinstance(event, _MOVES_THE_QUEUE):
                self._moves(event)
        if self._watchers:
            self._tell_watchers(agents, now_ms)

    def _remember(self, event: Event) -> None:
        if isinstance(event, ContactReserved):
            self._receipts[event.entry_id] = event.receipt
            self._receipts.move_to_end(event.entry_id)
            if len(self._receipts) > MAX_RECEIPTS:
                self._receipts.popitem(last=False)

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
            self._tasks.start(self._tell_positions(), "positions", about=(self._tenant_id, ""))
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
        for agent_id in sorted(agents):
            watchers = (*self._watchers.get(agent_id, ()), *self._watchers.get(None, ()))
            if watchers:
                here = agent_id in known
                view = (
                    self.core.agent(agent_id, now_ms) if here else removed_agent(agent_id, now_ms)
                )
                for watcher in watchers:
                    watcher.put(view)


def _agent_of(event: Event) -> AgentId | None:
    if isinstance(event, AgentPut):
        return event.agent.agent_id
    agent_id: AgentId | None = getattr(event, "agent_id", None)
    return agent_id


def _entry_of(event: Event) -> EntryId | None:
    if isinstance(event, ContactEnqueued):
        return event.contact.entry_id
    entry_id: EntryId | None = getattr(event, "entry_id", None)
    return entry_id
