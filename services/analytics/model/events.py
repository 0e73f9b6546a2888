"""What analytics takes from routing and from gateways: the parts that figures are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from services.analytics.model.words import AgentState, Exit, Outcome


@dataclass(frozen=True, slots=True)
class QueuePut:
    """A queue was created or edited."""

    queue_id: str
    """The queue."""
    name: str
    """What people call it."""


@dataclass(frozen=True, slots=True)
class QueueRemoved:
    """A queue is gone."""

    queue_id: str
    """The queue."""


@dataclass(frozen=True, slots=True)
class AgentPut:
    """An agent was created or edited."""

    agent_id: str
    """The agent."""
    name: str
    """What people call the agent."""
    queue_ids: tuple[str, ...]
    """Queues served."""
    at_ms: int
    """UTC milliseconds."""


@dataclass(frozen=True, slots=True)
class AgentRemoved:
    """An agent is gone."""

    agent_id: str
    """The agent."""
    at_ms: int
    """UTC milliseconds."""


@dataclass(frozen=True, slots=True)
class AgentStateChanged:
    """One interval of an agent ends and the next begins."""

    agent_id: str
    """The agent."""
    state: AgentState
    """Of the interval that begins."""
    reason: str
    """Of a break."""
    at_ms: int
    """UTC milliseconds."""


@dataclass(frozen=True, slots=True)
class ContactEnqueued:
    """A contact was offered to a queue."""

    entry_id: str
    """The stay."""
    contact_id: str
    """The contact."""
    queue_id: str
    """The queue."""
    channel: str
    """voice, chat, email or task."""
    attributes: tuple[tuple[str, str], ...]
    """What the flow knows of it."""
    external_ref: str
    """The customer's system's reference."""
    at_ms: int
    """UTC milliseconds."""
    priority: int = 0
    """Urgency."""


@dataclass(frozen=True, slots=True)
class ContactExited:
    """A contact left its queue."""

    entry_id: str
    """The stay."""
    exit: Exit
    """How; never `waiting`."""
    agent_id: str
    """Who answered; empty: nobody."""
    wait_ms: int
    """From the offer to the exit."""
    at_ms: int
    """UTC milliseconds; of an answered one, of the acceptance."""
    target: str = ""
    """Of an overflow: where to."""
    reason: str = ""
    """For the record."""


@dataclass(frozen=True, slots=True)
class ContactReserved:
    """An agent is held for a contact."""

    entry_id: str
    """For this stay."""
    agent_id: str
    """The agent."""
    attempt: int
    """From 1."""


@dataclass(frozen=True, slots=True)
class WaitAnnounced:
    """A caller hears an expected wait."""

    entry_id: str
    """In this stay."""
    wait_s: int
    """What is said, in seconds."""
    basis: str
    """What it rests on: measured, assumed or none."""


@dataclass(frozen=True, slots=True)
class RingConfirmed:
    """An agent's endpoint rings."""

    entry_id: str
    """For this stay."""
    at_ms: int
    """UTC milliseconds."""
    agent_id: str = ""
    """Whose."""


@dataclass(frozen=True, slots=True)
class ReservationAccepted:
    """The agent answered."""

    entry_id: str
    """This stay."""
    at_ms: int
    """UTC milliseconds."""
    agent_id: str = ""
    """Who."""


@dataclass(frozen=True, slots=True)
class ReservationEnded:
    """A reservation ended without an answer."""

    entry_id: str
    """Of this stay."""
    outcome: Outcome
    """How."""
    at_ms: int
    """UTC milliseconds."""
    agent_id: str = ""
    """Whose."""


@dataclass(frozen=True, slots=True)
class ContactCompleted:
    """A conversation is over."""

    entry_id: str
    """The stay that led to it."""
    talk_ms: int
    """Conversation, without hold."""
    hold_ms: int
    """Time on hold."""
    agent_id: str = ""
    """Who talked."""
    ended_by: str = ""
    """caller, agent or system."""
    reason: str = ""
    """For the record."""


@dataclass(frozen=True, slots=True)
class WrapUpCodeSet:
    """What a contact was about is on record."""

    entry_id: str
    """The stay."""
    code: str
    """The disposition."""
    agent_id: str = ""
    """Who says so."""


@dataclass(frozen=True, slots=True)
class WrapUpEnded:
    """An agent is done with a contact."""

    entry_id: str
    """The stay."""
    code: str
    """The disposition, or empty."""
    wrap_up_ms: int
    """How long the work after the conversation took."""
    agent_id: str = ""
    """Whose work."""
    cause: str = ""
    """finished, code, timeout or skipped."""


Event: TypeAlias = (
    QueuePut
    | QueueRemoved
    | AgentPut
    | AgentRemoved
    | AgentStateChanged
    | ContactEnqueued
    | ContactExited
    | ContactReserved
    | WaitAnnounced
    | RingConfirmed
    | ReservationAccepted
    | ReservationEnded
    | ContactCompleted
    | WrapUpCodeSet
    | WrapUpEnded
)


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of routing in its place."""

    event_id: str
    """Unique."""
    seq: int
    """Of the decision that it belongs to; grows within a tenant."""
    at_ms: int
    """UTC milliseconds on the owner's clock."""
    event: Event | None
    """None: nothing that figures or stories are made of."""


@dataclass(frozen=True, slots=True)
class CallFact:
    """What a gateway tells about a call."""

    call_id: str
    """The call."""
    seq: int
    """From 1 within the call."""
    at_ms: int
    """UTC milliseconds on the gateway's clock."""
    duration_ms: int = 0
    """Of a call that is over: from the first INVITE."""
    termination: str = ""
    """Of a call that is over: class and reason with a slash between."""
    caller: str = ""
    """Of a call's beginning: who called."""
    called: str = ""
    """Of a call's beginning: which number."""
