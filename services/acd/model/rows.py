"""The state of one shard as frozen rows: what a snapshot is made of."""

from __future__ import annotations

from dataclasses import dataclass

from services.acd.model.configuration import (
    AgentConfig,
    Attribute,
    Plan,
    QueueConfig,
    SkillExpr,
    TenantDefaults,
    WrapUpPolicy,
)
from services.acd.model.words import (
    AgentId,
    AgentState,
    BridgeEnder,
    Channel,
    ContactId,
    EntryId,
    Exit,
    LegId,
    Link,
    Presence,
    QueueId,
    ReservationId,
    Stage,
    Work,
)


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A queue's rules and switches."""

    config: QueueConfig
    """Its configuration."""
    emergency: bool = False
    """True: closed at once."""
    emergency_message: str = ""
    """What callers are told meanwhile."""
    turn: int = 0
    """Reservations made for it so far: the clock of `round_robin`."""

    @property
    def is_open(self) -> bool:
        """Whether arrivals are let in."""
        return self.config.open and not self.emergency


@dataclass(frozen=True, slots=True)
class HandleSample:
    """What is known of a queue's handle times (talk, hold and wrap-up)."""

    count: int = 0
    """Contacts handled."""
    ewma_ms: int = 0
    """Moving average, each contact weighing one eighth."""
    recent_ms: tuple[int, ...] = ()
    """The last 64, oldest first."""


@dataclass(frozen=True, slots=True)
class QueueTally:
    """What a queue has counted since it exists. Offered = all exits + those still in it."""

    queue_id: QueueId
    """The queue."""
    offered: int = 0
    """Contacts that came."""
    answered: int = 0
    """Bridged with an agent."""
    abandoned: int = 0
    """Hung up."""
    callback: int = 0
    """Took a promise to be called."""
    overflowed: int = 0
    """Moved by rule."""
    voicemail: int = 0
    """Left a message."""
    timeout: int = 0
    """Waited too long."""
    closed: int = 0
    """Came to a closed queue, or were released by an emergency."""
    refused_full: int = 0
    """Came to a full queue."""
    refused_no_agents: int = 0
    """Came to, or waited in, a queue without agents."""
    failed: int = 0
    """Lost by the system."""
    handle: HandleSample = HandleSample()
    """Handle times."""
    announced: int = 0
    """Answered contacts that had been told an expected wait."""
    covered: int = 0
    """Those of them that waited no longer than told."""


@dataclass(frozen=True, slots=True)
class ActiveWork:
    """A piece of work that takes up an agent's capacity."""

    reservation_id: ReservationId
    """Which."""
    channel: Channel
    """Where."""


@dataclass(frozen=True, slots=True)
class QueueTurn:
    """When an agent last had a turn in a queue."""

    queue_id: QueueId
    """The queue."""
    turn: int
    """The queue's turn then."""


@dataclass(frozen=True, slots=True)
class AgentRow:
    """An agent's axes and counters."""

    config: AgentConfig
    """The configuration."""
    presence: Presence = Presence.SIGNED_OUT
    """What the agent intends."""
    presence_reason: str = ""
    """Of a break; `rona` when the ACD took the agent out of service."""
    pending: Presence | None = None
    """What holds when present work ends."""
    pending_reason: str = ""
    """Its reason."""
    pending_by: str = ""
    """Who asked for it."""
    link: Link = Link.UNREACHABLE
    """Whether the endpoint can be reached."""
    work: tuple[ActiveWork, ...] = ()
    """Reservations, conversations and wrap-ups, oldest first."""
    legs: tuple[LegId, ...] = ()
    """Legs that did not come through the ACD."""
    resting_until_ms: int | None = None
    """Not reserved before this."""
    strikes_at_ms: tuple[int, ...] = ()
    """Calls not answered, since the last answered one."""
    idle_since_ms: int = 0
    """End of the last contact, or the sign-in."""
    talk_ms: int = 0
    """Conversation since the sign-in."""
    contacts: int = 0
    """Contacts answered since the sign-in."""
    turns: tuple[QueueTurn, ...] = ()
    """Last turns in queues with `round_robin`."""
    state: AgentState = AgentState.SIGNED_OUT
    """The word of the open interval."""
    state_reason: str = ""
    """Its reason."""
    since_ms: int = 0
    """When the open interval began."""
    version: int = 0
    """Intervals begun so far."""
    link_valid_ms: int = 0
    """Its link holds for so many ms unless it is measured again; 0: until it changes."""


@dataclass(frozen=True, slots=True)
class Contact:
    """What does not change about a contact's stay in a queue."""

    entry_id: EntryId
    """The stay."""
    contact_id: ContactId
    """The contact."""
    queue_id: QueueId
    """The queue."""
    channel: Channel
    """The channel."""
    enqueued_at_ms: int
    """When it came."""
    waiting_since_ms: int
    """From when its waiting counts for its score."""
    plan: Plan
    """Whom it accepts, step by step."""
    attributes: tuple[Attribute, ...]
    """What the flow knows of it."""
    external_ref: str
    """The customer's system's reference."""
    seed: int
    """Randomness for the `random` strategy."""
    gateway: str = ""
    """Where the gateway that carries it listens; empty: none does."""


@dataclass(frozen=True, slots=True)
class PairExclusion:
    """A contact that does not come back to an agent for a while."""

    agent_id: AgentId
    """The agent."""
    until_ms: int
    """Until then."""


@dataclass(frozen=True, slots=True)
class EntryRow:
    """A contact in a queue, waiting or reserved."""

    contact: Contact
    """What does not change."""
    priority: int
    """Urgency."""
    credits: int
    """Points added to its score."""
    step: int
    """Step of the plan; the number of steps when the plan has ended."""
    expr: SkillExpr
    """Whom it accepts now."""
    step_until_ms: int | None
    """When the step ends."""
    timeout_at_ms: int | None
    """When it leaves as `timeout`."""
    reservation_id: ReservationId | None = None
    """The live reservation."""
    attempts: int = 0
    """Reservations made so far."""
    last_agent: AgentId | None = None
    """Who was rung last."""
    exclusions: tuple[PairExclusion, ...] = ()
    """Agents it does not come back to yet."""
    detached_until_ms: int | None = None
    """Its flow is lost; it fails at this instant."""
    announced_s: int | None = None
    """The expected wait that the caller was told last."""
    announced_at_ms: int | None = None
    """When that was."""


@dataclass(frozen=True, slots=True)
class ExitRow:
    """A contact that left, remembered so that repeated requests get the same reply."""

    order: int
    """Grows from exit to exit."""
    entry_id: EntryId
    """The stay."""
    contact_id: ContactId
    """The contact."""
    queue_id: QueueId
    """The queue."""
    exit: Exit
    """How."""
    target: QueueId | None
    """Of `overflowed`."""
    agent_id: AgentId | None
    """Of `answered`."""
    reservation_id: ReservationId | None
    """Of `answered`."""
    reason: str
    """For the record."""
    at_ms: int
    """When."""


@dataclass(frozen=True, slots=True)
class WrapUp:
    """A running wrap-up."""

    policy: WrapUpPolicy
    """The rules when it began."""
    since_ms: int
    """When it began."""
    extensions_used: int = 0
    """How often it was made longer."""
    stopped_ms: int = 0
    """Time of it in which nothing could be decided."""


@dataclass(frozen=True, slots=True)
class ReservationRow:
    """One agent held for one contact, from the reservation to the end of wrap-up."""

    reservation_id: ReservationId
    """`entry_id.attempt`."""
    entry_id: EntryId
    """The stay."""
    contact_id: ContactId
    """The contact."""
    queue_id: QueueId
    """The queue."""
    agent_id: AgentId
    """The agent."""
    channel: Channel
    """The channel."""
    stage: Stage
    """Of the reservation."""
    work: Work
    """Of the agent."""
    since_ms: int
    """When `work` began."""
    reserved_at_ms: int
    """When it was made."""
    deadline_ms: int | None
    """When the stage's lease, or the wrap-up, ends by itself; None while talking."""
    contact: Contact
    """What is known of the contact, also once it has left its queue."""
    accepted_at_ms: int | None = None
    """When the agent answered."""
    talk_ms: int = 0
    """Conversation so far, before `since_ms`."""
    hold_ms: int = 0
    """Time on hold so far, before `since_ms`."""
    code: str = ""
    """What the contact was about."""
    ended_by: BridgeEnder | None = None
    """Who ended the conversation."""
    wrap_up: WrapUp | None = None
    """While the agent finishes the contact's work."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole state of a shard; every tuple is sorted by id."""

    seq: int
    """Events applied so far."""
    exit_order: int
    """Exits so far."""
    defaults: TenantDefaults
    """The tenant's defaults."""
    queues: tuple[QueueRow, ...]
    """Queues."""
    tallies: tuple[QueueTally, ...]
    """What they counted."""
    agents: tuple[AgentRow, ...]
    """Agents."""
    entries: tuple[EntryRow, ...]
    """Contacts in queues."""
    reservations: tuple[ReservationRow, ...]
    """Work of agents."""
    exits: tuple[ExitRow, ...]
    """The last contacts that left, oldest first."""
