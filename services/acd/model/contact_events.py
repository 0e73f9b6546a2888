"""What has happened to contacts and their reservations."""

from __future__ import annotations

from dataclasses import dataclass

from services.acd.model.configuration import SkillExpr
from services.acd.model.receipts import Receipt
from services.acd.model.rows import Contact, WrapUp
from services.acd.model.words import (
    AgentId,
    BridgeEnder,
    Channel,
    ContactId,
    EntryId,
    Exit,
    Outcome,
    QueueId,
    ReservationId,
    WaitBasis,
    WrapUpCause,
)


@dataclass(frozen=True, slots=True)
class ContactEnqueued:
    """A contact was offered to a queue. A refusal follows as its exit."""

    contact: Contact
    """What does not change about the stay."""
    priority: int
    """Urgency."""
    credits: int
    """Points added to its score."""
    step: int
    """Step of the plan that it begins with."""
    expr: SkillExpr
    """Whom it accepts."""
    step_until_ms: int | None
    """When the step ends."""
    timeout_at_ms: int | None
    """When it would leave as `timeout`."""
    at_ms: int
    """UTC ms."""


@dataclass(frozen=True, slots=True)
class StepEntered:
    """A contact accepts other agents than before."""

    entry_id: EntryId
    """The stay."""
    step: int
    """Step of the plan; the number of steps when the plan has ended."""
    expr: SkillExpr
    """Whom it accepts now."""
    step_until_ms: int | None
    """When the step ends."""
    at_ms: int
    """UTC ms."""


@dataclass(frozen=True, slots=True)
class EntryDetached:
    """The flow that carries a contact is lost."""

    entry_id: EntryId
    """The stay."""
    until_ms: int
    """When it fails."""
    at_ms: int
    """UTC ms."""


@dataclass(frozen=True, slots=True)
class EntryAttached:
    """The flow that carries a contact is back."""

    entry_id: EntryId
    """The stay."""
    at_ms: int
    """UTC ms."""


@dataclass(frozen=True, slots=True)
class PriorityChanged:
    """A contact's urgency is new."""

    entry_id: EntryId
    """The stay."""
    priority: int
    """Urgency."""
    credits: int
    """Points added to its score."""
    at_ms: int
    """UTC ms."""


@dataclass(frozen=True, slots=True)
class WaitAnnounced:
    """A caller hears an expected wait."""

    entry_id: EntryId
    """The stay."""
    wait_s: int
    """What is said, in seconds, a multiple of 30."""
    basis: WaitBasis
    """What it rests on."""
    sample: int
    """Handled contacts it rests on."""
    at_ms: int
    """UTC ms."""


@dataclass(frozen=True, slots=True)
class ExclusionEnded:
    """A contact may come back to an agent."""

    entry_id: EntryId
    """The stay."""
    agent_id: AgentId
    """The agent."""
    at_ms: int
    """UTC ms."""


@dataclass(frozen=True, slots=True)
class ContactExited:
    """A contact left its queue: exactly once for each stay."""

    entry_id: EntryId
    """The stay."""
    contact_id: ContactId
    """The contact."""
    queue_id: QueueId
    """The queue."""
    exit: Exit
    """How."""
    target: QueueId | None
    """Of `overflowed`: where to."""
    agent_id: AgentId | None
    """Of `answered`: by whom."""
    reservation_id: ReservationId | None
    """Of `answered`: by which reservation."""
    reason: str
    """For the record."""
    wait_ms: int
    """From enqueueing to the exit; of `answered`, to the acceptance."""
    at_ms: int
    """UTC ms; of `answered`, of the acceptance."""


@dataclass(frozen=True, slots=True)
class ContactReserved:
    """An agent is held for a contact."""

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
    endpoint: str
    """URI of what the agent answers on."""
    attempt: int
    """From 1."""
    turn: int
    """The queue's turn."""
    ring_timeout_ms: int
    """How long the endpoint will ring."""
    deadline_ms: int
    """UTC ms by which it must confirm that it rings."""
    receipt: Receipt
    """Why."""
    at_ms: int
    """UTC ms."""


@dataclass(frozen=True, slots=True)
class RingConfirmed:
    """The agent's endpoint rings."""

    reservation_id: ReservationId
    """The reservation."""
    agent_id: AgentId
    """The agent."""
    deadline_ms: int
    """UTC ms at which it becomes `no_answer`."""
    at_ms: int
    """UTC ms."""


@dataclass(frozen=True, slots=True)
class ReservationAccepted:
    """The agent answered; media is being connected."""

    reservation_id: ReservationId
    """The reservation."""
    agent_id: AgentId
    """The agent."""
    entry_id: EntryId
    """The stay."""
    deadline_ms: int
    """UTC ms at which it becomes `connect_failed`."""
    at_ms: int
    """UTC ms."""


@dataclass(frozen=True, slots=True)
class ContactAnswered:
    """Caller and agent hear each other; the stay's exit follows."""

    reservation_id: ReservationId
    """The reservation."""
    entry_id: EntryId
    """The stay."""
    contact_id: ContactId
    """The contact."""
    queue_id: QueueId
    """The queue."""
    agent_id: AgentId
    """The agent."""
    accepted_at_ms: int
    """UTC ms of the acceptance: the moment that counts as the answer."""
    at_ms: int
    """UTC ms of the bridge."""


@dataclass(frozen=True, slots=True)
class ReservationEnded:
    """A reservation ended without an answer; the contact is back in its place."""

    reservation_id: ReservationId
    """The reservation."""
    entry_id: EntryId
    """The stay."""
    contact_id: ContactId
    """The contact."""
    queue_id: QueueId
    """The queue."""
    agent_id: AgentId
    """The agent."""
    outcome: Outcome
    """How."""
    credits: int
    """The contact's credits from now on."""
    exclude_until_ms: int | None
    """The contact does not come back to this agent before."""
    resting_until_ms: int | None
    """The agent is not reserved before."""
    strikes_at_ms: tuple[int, ...]
    """The agent's strikes from now on."""
    at_ms: int
    """UTC ms."""


@dataclass(frozen=True, slots=True)
class HoldChanged:
    """The caller was put on hold, or taken back."""

    reservation_id: ReservationId
    """The conversation."""
    agent_id: AgentId
    """The agent."""
    holding: bool
    """True: on hold."""
    at_ms: int
    """UTC ms."""


@dataclass(frozen=True, slots=True)
class ContactCompleted:
    """A conversation is over."""

    reservation_id: ReservationId
    """The conversation."""
    entry_id: EntryId
    """The stay."""
    contact_id: ContactId
    """The contact."""
    queue_id: QueueId
    """The queue."""
    agent_id: AgentId
    """The agent."""
    ended_by: BridgeEnder
    """Who ended it."""
    reason: str
    """For the record."""
    talk_ms: int
    """Conversation, without hold."""
    hold_ms: int
    """Time on hold."""
    wrap_up: WrapUp
    """The wrap-up that begins; its end follows at once when there is none."""
    deadline_ms: int
    """UTC ms at which wrap-up ends by itself."""
    at_ms: int
    """UTC ms."""


@dataclass(frozen=True, slots=True)
class WrapUpCodeSet:
    """What a contact was about is on record."""

    reservation_id: ReservationId
    """The conversation."""
    agent_id: AgentId
    """The agent."""
    code: str
    """The disposition."""
    deadline_ms: int | None
    """UTC ms at which wrap-up now ends; None while talking."""
    at_ms: int
    """UTC ms."""


@dataclass(frozen=True, slots=True)
class WrapUpExtended:
    """An agent has more time for a contact's work."""

    reservation_id: ReservationId
    """The conversation."""
    agent_id: AgentId
    """The agent."""
    extensions_used: int
    """So far."""
    deadline_ms: int
    """UTC ms at which wrap-up now ends."""
    at_ms: int
    """UTC ms."""


@dataclass(frozen=True, slots=True)
class WrapUpEnded:
    """An agent is done with a contact."""

    reservation_id: ReservationId
    """The conversation."""
    entry_id: EntryId
    """The stay."""
    contact_id: ContactId
    """The contact."""
    queue_id: QueueId
    """The queue."""
    agent_id: AgentId
    """The agent."""
    cause: WrapUpCause
    """What ended it."""
    code: str
    """The disposition, or empty."""
    wrap_up_ms: int
    """How long it took."""
    handle_ms: int
    """Talk, hold and wrap-up together."""
    at_ms: int
    """UTC ms."""
