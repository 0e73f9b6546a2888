"""What others may ask of the state: pure reads."""

from __future__ import annotations

from dataclasses import dataclass

from services.acd.model.rows import Contact, QueueTally, ReservationRow
from services.acd.model.words import (
    AgentCondition,
    AgentId,
    AgentState,
    ContactStage,
    EntryId,
    Exclusion,
    Exit,
    LegId,
    Link,
    Presence,
    QueueId,
    ReservationId,
    WaitBasis,
)


@dataclass(frozen=True, slots=True)
class ExpectedWait:
    """How long a contact will probably still wait."""

    basis: WaitBasis
    """What it rests on; `none`: nothing honest can be said, and the figures are None."""
    sample: int
    """Handled contacts it rests on."""
    p50_s: int | None
    """Half of such contacts wait no longer; seconds, rounded up to 30."""
    p90_s: int | None
    """Nine in ten wait no longer; seconds, rounded up to 30."""
    forecasts: int
    """Answered contacts of the queue that had been told a wait."""
    covered: int
    """Those of them that waited no longer than told."""


@dataclass(frozen=True, slots=True)
class EntryView:
    """A stay in a queue, as its caller's flow sees it."""

    entry_id: EntryId
    """The stay."""
    queue_id: QueueId
    """The queue."""
    stage: ContactStage
    """Where it stands."""
    contact: Contact | None
    """What is known of it; None once it has left."""
    position: int | None
    """Place among those of the queue that are not reserved, from 1; None when reserved or gone."""
    wait_ms: int
    """Time in the queue so far; 0 once it has left: its exit said how long that took."""
    expected: ExpectedWait | None
    """Of one that waits."""
    announced_s: int | None
    """What the caller was told last, in seconds."""
    reservation: ReservationRow | None
    """The live reservation; of an answered contact, as long as the agent's work lasts."""
    reservation_id: ReservationId | None
    """Its id; of an answered contact, for good."""
    agent_id: AgentId | None
    """Its agent, or who answered."""
    exit: Exit | None
    """How it left."""
    target: QueueId | None
    """Of `overflowed`."""
    reason: str
    """Of the exit."""


@dataclass(frozen=True, slots=True)
class AgentView:
    """An agent, as supervisors and the agent see it."""

    agent_id: AgentId
    """The agent."""
    name: str
    """What people call the agent."""
    state: AgentState
    """One word."""
    reason: str
    """Of a break."""
    since_ms: int
    """UTC ms at which this state began."""
    version: int
    """Number of this interval."""
    presence: Presence
    """What the agent intends."""
    pending: Presence | None
    """What holds when present work ends."""
    link: Link
    """Whether the endpoint can be reached."""
    work: tuple[ReservationRow, ...]
    """Reservations, conversations, wrap-ups."""
    legs: tuple[LegId, ...]
    """Legs that did not come through the ACD."""
    routable: bool
    """True: could be reserved on some channel."""
    why_not: Exclusion | None
    """The first reason why not."""
    why: str
    """The same in plain words; empty when routable."""
    routable_at_ms: int | None
    """UTC ms at which a pause ends by itself; None: no pause, or the end is not known."""
    removed: bool
    """True: the agent was removed; the last that is said of them."""
    queue_ids: tuple[QueueId, ...]
    """The queues they serve."""


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """Somebody who waits, without what changes whenever anybody moves."""

    contact: Contact
    """What does not change about the stay."""
    stage: ContactStage
    """Where it stands."""
    priority: int
    """Urgency."""
    agent_id: AgentId | None
    """Who is held for it."""


@dataclass(frozen=True, slots=True)
class ConditionCount:
    """How many of a queue's agents are in a condition."""

    condition: AgentCondition
    """The condition."""
    agents: int
    """How many."""


@dataclass(frozen=True, slots=True)
class QueueView:
    """A queue, as supervisors see it."""

    queue_id: QueueId
    """The queue."""
    name: str
    """What people call it."""
    open: bool
    """Whether arrivals are let in."""
    emergency: bool
    """True: closed at once."""
    emergency_message: str
    """What callers are told meanwhile."""
    waiting: int
    """Contacts without a reservation."""
    reserved: int
    """Contacts with one."""
    longest_wait_ms: int
    """Of those without a reservation; 0 when nobody waits."""
    agents: tuple[ConditionCount, ...]
    """Its agents by condition, every condition once."""
    next_wait: ExpectedWait
    """What somebody who came now, with no priority, would wait."""
    tally: QueueTally
    """What it has counted."""
    service_level_percent: int
    """The service level that counts as good, the queue's own or the tenant's."""


@dataclass(frozen=True, slots=True)
class QueueDoor:
    """Whether a queue lets arrivals in."""

    queue_id: QueueId
    """The queue."""
    open: bool
    """Whether they are let in."""
    emergency: bool = False
    """True: closed at once."""
    removed: bool = False
    """True: there is no such queue any more."""
