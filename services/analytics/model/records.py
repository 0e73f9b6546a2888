"""The records that every figure is made of, with names and memberships as they were then."""

from __future__ import annotations

from dataclasses import dataclass, replace

from services.analytics.model.words import AgentState, CallOutcome, Exit


@dataclass(frozen=True, slots=True)
class Entry:
    """One stay of a contact in one queue."""

    entry_id: str
    """The stay."""
    contact_id: str
    """The contact; of a voice contact, the call."""
    queue_id: str
    """The queue."""
    queue_name: str
    """What people called it then."""
    channel: str
    """voice, chat, email or task."""
    offered_at_ms: int
    """UTC milliseconds; the moment by which it is counted."""
    exit: Exit = Exit.WAITING
    """How it left."""
    left_at_ms: int | None = None
    """UTC milliseconds of the exit; of an answered one, of the acceptance."""
    wait_ms: int = 0
    """From the offer to the exit; 0 while it waits."""
    agent_id: str = ""
    """Who answered."""
    agent_name: str = ""
    """What people called the agent then."""
    ringing_since_ms: int | None = None
    """An agent's endpoint rings for it since then."""
    ring_ms: int = 0
    """How long agents' endpoints have rung for it, all attempts together."""
    ring_failures: int = 0
    """Agents who were rung and did not answer."""
    talk_ms: int = 0
    """Conversation, without hold."""
    hold_ms: int = 0
    """Time on hold."""
    wrap_up_ms: int = 0
    """Work after the conversation."""
    talked: bool = False
    """True: the conversation is over."""
    handled: bool = False
    """True: the work after it is over, too."""
    disposition: str = ""
    """What it was about."""
    attributes: tuple[tuple[str, str], ...] = ()
    """What the flow knew of it, sorted by name."""
    external_ref: str = ""
    """The customer's system's reference."""

    @property
    def is_finished(self) -> bool:
        """Whether nothing will change about it."""
        return self.handled or self.exit not in {Exit.WAITING, Exit.ANSWERED}


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch of an agent's time, without a gap to its neighbours."""

    agent_id: str
    """The agent."""
    agent_name: str
    """What people called the agent then."""
    queue_ids: tuple[str, ...]
    """Queues that the agent served then, sorted."""
    version: int
    """Grows by 1 for each agent."""
    state: AgentState
    """What the agent did."""
    reason: str
    """Of a break."""
    from_ms: int
    """UTC milliseconds."""
    to_ms: int | None = None
    """UTC milliseconds; None: it is going on."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call that a gateway carried for a tenant."""

    call_id: str
    """Also its contact's id."""
    started_at_ms: int
    """UTC milliseconds on the gateway's clock; the moment by which it is counted."""
    seq: int = 0
    """Of the newest fact that is in it."""
    ended_at_ms: int | None = None
    """UTC milliseconds; None: it is going on."""
    termination: str = ""
    """How it ended: class and reason with a slash between; empty while it goes on."""
    caller: str = ""
    """Who called, as the signalling said it; empty: not told."""
    called: str = ""
    """Which number."""
    outcome: CallOutcome = CallOutcome.NEVER_QUEUED
    """What became of it in queues."""

    @property
    def queued(self) -> bool:
        """Whether it was offered to a queue."""
        return self.outcome is not CallOutcome.NEVER_QUEUED

    @property
    def answered(self) -> bool:
        """Whether an agent answered it."""
        return self.outcome is CallOutcome.ANSWERED


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue as it is now."""

    queue_id: str
    """The queue."""
    name: str
    """What people call it."""
    removed: bool = False
    """True: it is gone; its records stay."""


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent as they are now."""

    agent_id: str
    """The agent."""
    name: str
    """What people call the agent."""
    queue_ids: tuple[str, ...] = ()
    """Queues served, sorted."""
    version: int = 0
    """Of the newest interval."""
    removed: bool = False
    """True: gone; their records stay."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far a tenant's routing events have been taken in."""

    seq: int = 0
    """Of the newest event; events of one decision share one."""
    event_ids: frozenset[str] = frozenset()
    """The events with that number that are in."""
    as_of_ms: int = 0
    """UTC milliseconds of the newest event, on its owner's clock."""
    revision: int = 0
    """Grows with each time that records were stored; who stores names the one they go on from."""

    def has(self, event_id: str, seq: int) -> bool:
        """Whether an event was taken in before."""
        return seq < self.seq or (seq == self.seq and event_id in self.event_ids)

    def after(self, event_id: str, seq: int, at_ms: int) -> Position:
        """The position once an event that follows is taken in."""
        known = self.event_ids if seq == self.seq else frozenset()
        return Position(seq, known | {event_id}, max(self.as_of_ms, at_ms), self.revision)

    def stored(self) -> Position:
        """The position once the records that belong to it are stored."""
        return replace(self, revision=self.revision + 1)


@dataclass(frozen=True, slots=True)
class Records:
    """Records that belong together: what changed, or what is to be remembered."""

    queues: tuple[Queue, ...] = ()
    """Queues."""
    agents: tuple[Agent, ...] = ()
    """Agents."""
    entries: tuple[Entry, ...] = ()
    """Stays in queues."""
    intervals: tuple[Interval, ...] = ()
    """Agents' time."""
