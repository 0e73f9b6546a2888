"""What happens in a call: events that gateways, acd and the shell report."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

# ---- events from the gateway ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CallInvited:
    """A new call."""

    call_id: str
    """UUIDv7."""
    caller: str
    """E.164 where it is a number; empty when withheld."""
    called: str
    """The number called."""
    trunk: str = "local"
    """Asserted by the edge."""
    caller_name: str = ""
    """As it came; never to be trusted."""
    asserted_identity: str = ""
    """From a trusted trunk, or empty."""
    diversion: str = ""
    """The address that the call was diverted from, or empty."""
    gateway_address: str = ""
    """Where the gateway's own face is."""
    headers: tuple[tuple[str, str], ...] = ()
    """What policy let through."""


class OperationResult(StrEnum):
    """How a play or gather came to its end."""

    COMPLETE = "complete"
    TIMEOUT = "timeout"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class OperationEnded:
    """A play or gather is over."""

    operation: str
    """Its name."""
    result: OperationResult
    """How."""
    digits: str = ""
    """What was keyed. Secret unless the flow names it safe."""


@dataclass(frozen=True, slots=True)
class LegRinging:
    """A far end rings."""

    ring_id: str
    """A reservation's id or a dial's name."""
    leg_id: str
    """The leg."""


@dataclass(frozen=True, slots=True)
class LegAnswered:
    """A far end answered; nothing of it is heard yet."""

    ring_id: str
    """A reservation's id or a dial's name."""
    leg_id: str
    """The leg."""


class RingOutcome(StrEnum):
    """Why a far end did not answer."""

    NO_ANSWER = "no_answer"
    REJECT = "reject"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    CANCELLED = "cancelled"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class LegFailed:
    """A far end will not answer this time."""

    ring_id: str
    """A reservation's id or a dial's name."""
    outcome: RingOutcome
    """Why."""
    sip_status: int = 0
    """The final status; 0 when none came."""


@dataclass(frozen=True, slots=True)
class Bridged:
    """The caller and a leg hear each other."""

    ring_id: str
    """A reservation's id or a dial's name."""


@dataclass(frozen=True, slots=True)
class BridgeFailed:
    """A leg could not be bridged; the caller's is untouched."""

    ring_id: str
    """A reservation's id or a dial's name."""
    reason: str
    """For example `leg-gone`."""


class LegRole(StrEnum):
    """Whose leg it is."""

    CALLER = "caller"
    AGENT = "agent"
    EXTERNAL = "external"


@dataclass(frozen=True, slots=True)
class LegEnded:
    """A leg is gone."""

    leg_id: str
    """The leg."""
    role: LegRole
    """Whose."""
    ring_id: str = ""
    """What rang it; empty for the caller's."""
    reason: str = "hung-up"
    """hung-up, media-timeout, signalling-lost, connection-lost or ended-by-command."""


@dataclass(frozen=True, slots=True)
class HoldChanged:
    """A leg was put on hold or taken back."""

    ring_id: str
    """What rang it; empty for the caller's."""
    held: bool
    """Whether it is held now."""


@dataclass(frozen=True, slots=True)
class MuteChanged:
    """A leg was muted or unmuted."""

    ring_id: str
    """What rang it; empty for the caller's."""
    muted: bool
    """Whether it is muted now."""


class TransferKind(StrEnum):
    """To what sort of target a caller is handed on."""

    QUEUE = "queue"
    AGENT = "agent"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class TransferRequested:
    """The agent who talks with the caller wants them handed on."""

    ring_id: str
    """What rang the agent's leg."""
    kind: TransferKind
    """What the target is."""
    target: str
    """A queue's or an agent's id, or a number."""
    reason: str = ""
    """As the agent says."""
    by_name: str = ""
    """What people call the agent."""
    via_queue_id: str = ""
    """Of an agent: where the caller waits for them; empty: the queue that they came from."""


@dataclass(frozen=True, slots=True)
class LegView:
    """A leg as the gateway sees it when another replica takes over."""

    leg_id: str
    """The leg."""
    role: LegRole
    """Whose."""
    ring_id: str
    """What rang it; empty for the caller's."""
    state: str
    """invited, early, ringing, answered, bridged or ended."""


# ---- events from acd --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PositionChanged:
    """The contact waits."""

    entry_id: str
    """Its stay in the queue."""
    position: int
    """1 is next."""
    expected_wait_ms: int | None
    """What may be announced; None: too little is known."""
    enqueued_at_ms: int = 0
    """UTC milliseconds of its joining, by acd's clock."""


@dataclass(frozen=True, slots=True)
class AgentReserved:
    """An agent is held for the contact."""

    entry_id: str
    """Its stay in the queue."""
    reservation_id: str
    """Names the ring."""
    agent_id: str
    """Who."""
    endpoint: str
    """The SIP URI to ring; `webrtc:`: a browser that connects by itself."""
    ring_timeout_ms: int
    """How long."""
    waiting_since_ms: int = 0
    """From when the contact's waiting counts; 0: not told."""


@dataclass(frozen=True, slots=True)
class ReservationReleased:
    """The agent is held no longer."""

    reservation_id: str
    """Which."""
    outcome: str
    """Why."""


@dataclass(frozen=True, slots=True)
class ReservationAccepted:
    """The agent accepted: bridge now."""

    reservation_id: str
    """Which."""


@dataclass(frozen=True, slots=True)
class QueueLeft:
    """The contact is in the queue no more."""

    entry_id: str
    """Its stay."""
    exit: str
    """answered, abandoned, callback, overflowed, voicemail, timeout, closed, refused_full,
    refused_no_agents or failed."""
    overflow_queue_id: str = ""
    """Where it shall wait instead, when overflowed."""
    message: str = ""
    """What to tell the caller, when closed with a message."""


# ---- events from the shell --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class QueueUnavailable:
    """The contact could not be queued within the limit of tries."""

    entry_id: str
    """The stay that was asked for."""
    reason: str
    """acd's code, or `acd-away`."""


@dataclass(frozen=True, slots=True)
class AcceptRefused:
    """acd did not take the acceptance: the reservation is no longer the agent's."""

    reservation_id: str
    """Which."""
    reason: str
    """acd's code."""


@dataclass(frozen=True, slots=True)
class CustomerFound:
    """The caller's number is a customer's."""

    customer_id: str
    """Who."""
    name: str = ""
    """What people call them."""
    segment: str = ""
    """For example `vip`."""
    language: str = ""
    """A language tag."""


@dataclass(frozen=True, slots=True)
class CustomerUnknown:
    """The caller's number is nobody's, or it could not be learnt in time."""


@dataclass(frozen=True, slots=True)
class TimePassed:
    """The checkpoint's deadline may have come."""


Event = (
    CallInvited
    | OperationEnded
    | LegRinging
    | LegAnswered
    | LegFailed
    | Bridged
    | BridgeFailed
    | LegEnded
    | HoldChanged
    | MuteChanged
    | TransferRequested
    | PositionChanged
    | AgentReserved
    | ReservationReleased
    | ReservationAccepted
    | QueueLeft
    | QueueUnavailable
    | AcceptRefused
    | CustomerFound
    | CustomerUnknown
    | TimePassed
)
