"""What the ACD is asked to do. Imperative; each may raise a `RoutingError`."""

from __future__ import annotations

from dataclasses import dataclass

from services.acd.model.configuration import (
    AgentConfig,
    Attribute,
    Memberships,
    Plan,
    QueueConfig,
    QueueMembership,
    Skills,
    TenantDefaults,
)
from services.acd.model.words import (
    AgentId,
    BridgeEnder,
    Channel,
    ContactId,
    EntryId,
    Exit,
    LegId,
    Link,
    Outcome,
    Presence,
    QueueId,
    ReservationId,
)


@dataclass(frozen=True, slots=True)
class SetTenantDefaults:
    """Replace the tenant's defaults."""

    defaults: TenantDefaults
    """The new defaults."""


@dataclass(frozen=True, slots=True)
class PutQueue:
    """Create or edit a queue."""

    queue: QueueConfig
    """The whole new configuration."""


@dataclass(frozen=True, slots=True)
class RemoveQueue:
    """Remove a queue in which nobody waits."""

    queue_id: QueueId
    """The queue."""


@dataclass(frozen=True, slots=True)
class SetEmergency:
    """Close a queue at once, or end that."""

    queue_id: QueueId
    """The queue."""
    active: bool
    """True: closed, whatever its hours say."""
    message: str = ""
    """What callers are told: the name of a prompt or a text, at most 1,000 characters."""
    release_waiting: bool = False
    """True: those waiting and not reserved leave as `closed`."""


@dataclass(frozen=True, slots=True)
class PutAgent:
    """Create or edit an agent."""

    agent: AgentConfig
    """The whole new configuration."""


@dataclass(frozen=True, slots=True)
class RemoveAgent:
    """Remove an agent without work."""

    agent_id: AgentId
    """The agent."""


@dataclass(frozen=True, slots=True)
class MoveAgents:
    """Take agents out of queues and into others: all of them, or nobody."""

    agent_ids: tuple[AgentId, ...]
    """Who, each once."""
    from_queue_ids: tuple[QueueId, ...] = ()
    """Queues that they leave; one whom an agent does not serve is passed over."""
    to: tuple[QueueMembership, ...] = ()
    """Queues that they join; one whom an agent serves already gets this weight and position."""


@dataclass(frozen=True, slots=True)
class SetMemberships:
    """Give agents exactly these queues: all of them, or nobody."""

    agents: tuple[Memberships, ...]
    """Each agent once."""


@dataclass(frozen=True, slots=True)
class SetSkills:
    """Give agents exactly these skills: all of them, or nobody."""

    agents: tuple[Skills, ...]
    """Each agent once."""


@dataclass(frozen=True, slots=True)
class SetPresence:
    """An agent's intent; waits for the end of present work."""

    agent_id: AgentId
    """The agent."""
    presence: Presence
    """What is intended."""
    reason: str = ""
    """Of a break: lunch, training ..., at most 100 characters."""
    by: str = ""
    """Who asked: empty for the agent, else a supervisor or a rule, for the audit trail."""


@dataclass(frozen=True, slots=True)
class ReportLink:
    """Whether an agent's endpoint can be reached."""

    agent_id: AgentId
    """The agent."""
    link: Link
    """As measured."""
    valid_ms: int = 0
    """Unless it is said again within so many ms, the agent becomes unreachable; 0: it holds."""


@dataclass(frozen=True, slots=True)
class StartAgentLeg:
    """An agent is on a leg that did not come through the ACD."""

    agent_id: AgentId
    """The agent."""
    leg_id: LegId
    """The leg."""


@dataclass(frozen=True, slots=True)
class EndAgentLeg:
    """Such a leg is gone."""

    agent_id: AgentId
    """The agent."""
    leg_id: LegId
    """The leg."""


@dataclass(frozen=True, slots=True)
class EnqueueContact:
    """Put a contact into a queue. Asking again with the same entry id changes nothing."""

    entry_id: EntryId
    """This stay in this queue."""
    contact_id: ContactId
    """The contact; for voice the call's id."""
    queue_id: QueueId
    """Where it waits."""
    channel: Channel = Channel.VOICE
    """Its channel."""
    priority: int = 0
    """Urgency, -100 to 100; larger is sooner."""
    credits: int = 0
    """Points added to its score: a class of customer, a kept place, a promise."""
    waiting_since_ms: int | None = None
    """UTC ms from which waiting counts, when that began before this stay; never in the future."""
    plan: Plan | None = None
    """Whom it accepts; None: the queue's plan."""
    attributes: tuple[Attribute, ...] = ()
    """At most 32, together at most 4 KiB."""
    external_ref: str = ""
    """The customer's system's own reference, at most 256 characters."""
    seed: int = 0
    """Randomness for the `random` strategy."""
    gateway: str = ""
    """Where the gateway that carries it listens, at most 256 characters; empty: none does."""


@dataclass(frozen=True, slots=True)
class AttachEntry:
    """The flow that carries the contact is back."""

    entry_id: EntryId
    """The stay."""


@dataclass(frozen=True, slots=True)
class DetachEntry:
    """The flow that carries the contact is lost; nobody hung up."""

    entry_id: EntryId
    """The stay."""


@dataclass(frozen=True, slots=True)
class LeaveQueue:
    """The contact leaves: abandoned, callback, overflowed, voicemail or failed."""

    entry_id: EntryId
    """The stay."""
    exit: Exit
    """How."""
    target: QueueId | None = None
    """Of `overflowed`: where to."""
    reason: str = ""
    """For the record, at most 100 characters."""


@dataclass(frozen=True, slots=True)
class ChangePriority:
    """A waiting contact's urgency changes at once."""

    entry_id: EntryId
    """The stay."""
    priority: int
    """The new urgency, -100 to 100."""
    credits: int | None = None
    """The new credits; None: as before."""


@dataclass(frozen=True, slots=True)
class AnnounceWait:
    """Fix the expected wait that the caller is about to hear."""

    entry_id: EntryId
    """The stay."""


@dataclass(frozen=True, slots=True)
class ConfirmRing:
    """The agent's endpoint rings."""

    reservation_id: ReservationId
    """The reservation."""
    agent_id: AgentId
    """Whose endpoint says so."""


@dataclass(frozen=True, slots=True)
class AcceptReservation:
    """The agent answers."""

    reservation_id: ReservationId
    """The reservation."""
    agent_id: AgentId
    """Who answers."""


@dataclass(frozen=True, slots=True)
class ConfirmBridged:
    """Caller and agent hear each other."""

    reservation_id: ReservationId
    """The reservation."""


@dataclass(frozen=True, slots=True)
class EndReservation:
    """A reservation ends without an answer."""

    reservation_id: ReservationId
    """The reservation."""
    outcome: Outcome
    """How."""
    agent_id: AgentId | None = None
    """Whose endpoint says so; None: the flow."""


@dataclass(frozen=True, slots=True)
class CompleteContact:
    """An answered contact's conversation is over."""

    reservation_id: ReservationId
    """The reservation that led to it."""
    ended_by: BridgeEnder
    """Who ended it."""
    reason: str = ""
    """For the record, at most 100 characters."""


@dataclass(frozen=True, slots=True)
class SetHold:
    """The agent puts the caller on hold, or takes the caller back."""

    reservation_id: ReservationId
    """The conversation."""
    holding: bool
    """True: on hold."""


@dataclass(frozen=True, slots=True)
class SetWrapUpCode:
    """Record what the contact was about, during the conversation or in wrap-up."""

    reservation_id: ReservationId
    """The conversation."""
    code: str
    """A disposition, 1-100 characters."""


@dataclass(frozen=True, slots=True)
class FinishWrapUp:
    """The agent is done with the contact."""

    reservation_id: ReservationId
    """The conversation."""
    code: str = ""
    """A disposition; empty: the one given before, if any."""


@dataclass(frozen=True, slots=True)
class ExtendWrapUp:
    """The agent needs more time for the contact's work."""

    reservation_id: ReservationId
    """The conversation."""


@dataclass(frozen=True, slots=True)
class ResumeClock:
    """Nothing could be decided for a while: that time counts for no deadline."""

    gap_ms: int
    """How long."""


Command = (
    SetTenantDefaults
    | PutQueue
    | RemoveQueue
    | SetEmergency
    | PutAgent
    | RemoveAgent
    | MoveAgents
    | SetMemberships
    | SetSkills
    | SetPresence
    | ReportLink
    | StartAgentLeg
    | EndAgentLeg
    | EnqueueContact
    | AttachEntry
    | DetachEntry
    | LeaveQueue
    | ChangePriority
    | AnnounceWait
    | ConfirmRing
    | AcceptReservation
    | ConfirmBridged
    | EndReservation
    | CompleteContact
    | SetHold
    | SetWrapUpCode
    | FinishWrapUp
    | ExtendWrapUp
    | ResumeClock
)
