"""What has happened. Each event holds all that is needed to take it into the state."""

from __future__ import annotations

from dataclasses import dataclass

from services.acd.model.configuration import AgentConfig, QueueConfig, TenantDefaults
from services.acd.model.contact_events import (
    ContactAnswered,
    ContactCompleted,
    ContactEnqueued,
    ContactExited,
    ContactReserved,
    EntryAttached,
    EntryDetached,
    ExclusionEnded,
    HoldChanged,
    PriorityChanged,
    ReservationAccepted,
    ReservationEnded,
    RingConfirmed,
    StepEntered,
    WaitAnnounced,
    WrapUpCodeSet,
    WrapUpEnded,
    WrapUpExtended,
)
from services.acd.model.words import AgentId, AgentState, LegId, Link, Presence, QueueId


@dataclass(frozen=True, slots=True)
class TenantDefaultsSet:
    """The tenant's defaults are new."""

    defaults: TenantDefaults
    """The new defaults."""
    at_ms: int
    """UTC ms."""


@dataclass(frozen=True, slots=True)
class QueuePut:
    """A queue was created or edited."""

    queue: QueueConfig
    """Its configuration."""
    at_ms: int
    """UTC ms."""


@dataclass(frozen=True, slots=True)
class QueueRemoved:
    """A queue is gone."""

    queue_id: QueueId
    """The queue."""
    at_ms: int
    """UTC ms."""


@dataclass(frozen=True, slots=True)
class EmergencySet:
    """A queue was closed at once, or that ended."""

    queue_id: QueueId
    """The queue."""
    active: bool
    """True: closed."""
    message: str
    """What callers are told."""
    at_ms: int
    """UTC ms."""


@dataclass(frozen=True, slots=True)
class AgentPut:
    """An agent was created or edited."""

    agent: AgentConfig
    """The configuration."""
    at_ms: int
    """UTC ms."""


@dataclass(frozen=True, slots=True)
class AgentRemoved:
    """An agent is gone."""

    agent_id: AgentId
    """The agent."""
    at_ms: int
    """UTC ms."""


@dataclass(frozen=True, slots=True)
class PresenceChanged:
    """An agent's intent holds from now on."""

    agent_id: AgentId
    """The agent."""
    presence: Presence
    """The intent."""
    reason: str
    """Of a break; `rona` when the ACD took the agent out of service."""
    by: str
    """Who asked: empty for the agent, `acd` for its own rules."""
    signed_in: bool
    """True: the agent was signed out before; counters start anew."""
    idle_since_ms: int
    """From when the agent counts as idle."""
    at_ms: int
    """UTC ms."""


@dataclass(frozen=True, slots=True)
class PresencePended:
    """An agent's intent waits for the end of present work."""

    agent_id: AgentId
    """The agent."""
    presence: Presence | None
    """The intent; None: the earlier one was taken back."""
    reason: str
    """Its reason."""
    by: str
    """Who asked."""
    at_ms: int
    """UTC ms."""


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """An agent's endpoint became reachable, doubtful or unreachable."""

    agent_id: AgentId
    """The agent."""
    link: Link
    """As measured."""
    at_ms: int
    """UTC ms."""
    valid_ms: int = 0
    """It holds for so many ms unless it is measured again; 0: until it changes."""


@dataclass(frozen=True, slots=True)
class AgentLegStarted:
    """An agent is on a leg that did not come through the ACD."""

    agent_id: AgentId
    """The agent."""
    leg_id: LegId
    """The leg."""
    at_ms: int
    """UTC ms."""


@dataclass(frozen=True, slots=True)
class AgentLegEnded:
    """Such a leg is gone."""

    agent_id: AgentId
    """The agent."""
    leg_id: LegId
    """The leg."""
    at_ms: int
    """UTC ms."""


@dataclass(frozen=True, slots=True)
class AgentRested:
    """The pause after an unanswered reservation is over."""

    agent_id: AgentId
    """The agent."""
    at_ms: int
    """UTC ms."""


@dataclass(frozen=True, slots=True)
class AgentStateChanged:
    """One interval of an agent ends and the next begins, without a gap."""

    agent_id: AgentId
    """The agent."""
    version: int
    """Number of the interval that begins, from 1, without holes."""
    state: AgentState
    """Its word."""
    reason: str
    """Of a break."""
    previous: AgentState
    """The word of the interval that ends."""
    previous_since_ms: int
    """When that one had begun."""
    at_ms: int
    """UTC ms."""


@dataclass(frozen=True, slots=True)
class ClockStopped:
    """Nothing could be decided for a while: every running deadline is later by that time."""

    gap_ms: int
    """How long."""
    at_ms: int
    """UTC ms of the end."""


Event = (
    TenantDefaultsSet
    | QueuePut
    | QueueRemoved
    | EmergencySet
    | AgentPut
    | AgentRemoved
    | PresenceChanged
    | PresencePended
    | LinkChanged
    | AgentLegStarted
    | AgentLegEnded
    | AgentRested
    | AgentStateChanged
    | ContactEnqueued
    | StepEntered
    | EntryDetached
    | EntryAttached
    | PriorityChanged
    | WaitAnnounced
    | ExclusionEnded
    | ContactExited
    | ContactReserved
    | RingConfirmed
    | ReservationAccepted
    | ContactAnswered
    | ReservationEnded
    | HoldChanged
    | ContactCompleted
    | WrapUpCodeSet
    | WrapUpExtended
    | WrapUpEnded
    | ClockStopped
)
