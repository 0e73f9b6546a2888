"""What is to be done about a call.

Commands go to the gateway in a step. Effects are for ivr's own shell: each may be repeated without
harm.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from services.ivr.model.flow import Prompt

# ---- commands to the gateway ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AnswerCall:
    """Answers the caller."""


@dataclass(frozen=True, slots=True)
class PlayPrompts:
    """Plays prompts whose texts are filled in."""

    operation: str
    """Unique in the call."""
    prompts: tuple[Prompt, ...]
    """At most 16."""
    loop: bool = False
    """Begin again after the last."""


@dataclass(frozen=True, slots=True)
class GatherDigits:
    """Plays prompts and collects keys."""

    operation: str
    """Unique in the call."""
    prompts: tuple[Prompt, ...]
    """At most 16."""
    max_digits: int
    """1 to 32."""
    first_digit_timeout_ms: int
    """From the end of the prompts; 0: no limit."""
    next_digit_timeout_ms: int = 3_000
    """Between keys."""
    end_key: str = ""
    """Ends the input."""
    barge_in: bool = True
    """Whether a key silences the prompts."""
    loop: bool = False
    """Begin the prompts again after the last."""


@dataclass(frozen=True, slots=True)
class RingAgent:
    """Rings an agent's endpoint."""

    reservation_id: str
    """Names the ring."""
    agent_id: str
    """Who."""
    endpoint: str
    """A SIP URI, or `webrtc:`."""
    timeout_ms: int
    """Until it is cancelled as no_answer."""
    caller_display: str
    """What the agent's phone shows."""


@dataclass(frozen=True, slots=True)
class DialNumber:
    """Dials a number outside."""

    ring_id: str
    """Unique in the call."""
    target: str
    """A SIP URI or E.164."""
    timeout_ms: int
    """Until it is cancelled as no_answer."""
    caller_id: str
    """E.164; empty: the number that was called."""


@dataclass(frozen=True, slots=True)
class StopRinging:
    """Cancels a ring, or ends a leg that is answered and not bridged."""

    ring_id: str
    """Which."""
    reason: str
    """For example `answered-elsewhere`."""


@dataclass(frozen=True, slots=True)
class BridgeLegs:
    """Joins the caller and an answered leg."""

    ring_id: str
    """Which."""


@dataclass(frozen=True, slots=True)
class SetConsent:
    """Says whether the call may be recorded."""

    granted: bool
    """Whether it may."""
    basis: str
    """announced, agreed, refused or policy."""


class TerminationClass(StrEnum):
    """Whom a call's end is laid to."""

    SUCCESS = "success"
    CALLER_ERROR = "caller_error"
    SERVER_ERROR = "server_error"
    CARRIER_ERROR = "carrier_error"


@dataclass(frozen=True, slots=True)
class HangUpCall:
    """Ends the whole call."""

    termination_class: TerminationClass
    """Whom it is laid to."""
    reason: str
    """In lower-case kebab form."""
    sip_status: int = 0
    """When the caller was not answered; 0: 480."""


@dataclass(frozen=True, slots=True)
class Note:
    """What the flow did, for the call's record."""

    kind: str
    """node-entered, digits, consent, queue-joined, queue-message, queue-left, transfer-begun,
    transfer-failed or flow-failed."""
    values: tuple[tuple[str, str], ...]
    """At most 16 of at most 256 characters."""


Command = (
    AnswerCall
    | PlayPrompts
    | GatherDigits
    | RingAgent
    | DialNumber
    | StopRinging
    | BridgeLegs
    | SetConsent
    | HangUpCall
    | Note
)

# ---- effects for the shell --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class JoinQueue:
    """Ask acd to queue the contact and follow what becomes of it."""

    entry_id: str
    """UUIDv7; asking again with it continues."""
    queue_id: str
    """Where."""
    call_id: str
    """The call that the contact is."""
    caller: str
    """Who calls."""
    priority: int
    """-100 to 100."""
    waiting_since_ms: int
    """UTC milliseconds from which waiting counts, when it began before this stay; 0: now."""
    skills: tuple[tuple[str, int], ...]
    """Skill and least level; empty: the queue's own plan."""
    attributes: tuple[tuple[str, str], ...]
    """For routing and the agent's screen."""
    gateway: str = ""
    """Where the gateway that carries the call listens."""
    agent_id: str = ""
    """Whom it is for at first, whatever the skills; empty: nobody in particular."""
    else_queue_id: str = ""
    """Where it goes when that agent does not take it; empty: to any agent of the queue."""


@dataclass(frozen=True, slots=True)
class LeaveQueue:
    """Take the contact out."""

    entry_id: str
    """Its stay."""
    exit: str
    """abandoned, callback, voicemail or failed."""
    reason: str = ""
    """For the record, in lower-case kebab form."""


@dataclass(frozen=True, slots=True)
class AnnounceWait:
    """The caller is about to hear the expected wait."""

    entry_id: str
    """Its stay."""


@dataclass(frozen=True, slots=True)
class ConfirmRing:
    """The agent's endpoint rings."""

    reservation_id: str
    """Which."""
    agent_id: str
    """Whose."""


@dataclass(frozen=True, slots=True)
class AcceptReservation:
    """The agent's phone answered."""

    reservation_id: str
    """Which."""
    agent_id: str
    """Whose."""


@dataclass(frozen=True, slots=True)
class ConfirmBridged:
    """Caller and agent hear each other."""

    reservation_id: str
    """Which."""


@dataclass(frozen=True, slots=True)
class EndReservation:
    """The ring came to nothing."""

    reservation_id: str
    """Which."""
    outcome: str
    """no_answer, reject, busy, unreachable, undelivered, connect_failed or caller_gone."""


@dataclass(frozen=True, slots=True)
class CompleteContact:
    """The conversation is over."""

    reservation_id: str
    """Which."""
    ended_by: str
    """caller, agent or system."""
    reason: str
    """In lower-case kebab form."""


@dataclass(frozen=True, slots=True)
class TellHold:
    """The agent put the contact on hold, or took it back."""

    reservation_id: str
    """Which."""
    held: bool
    """Whether it is held now."""


@dataclass(frozen=True, slots=True)
class LookUpCustomer:
    """Ask crm who calls."""

    number: str
    """As it came."""
    called: str
    """Whose country tells how to read it."""


Effect = (
    LookUpCustomer
    | JoinQueue
    | LeaveQueue
    | AnnounceWait
    | ConfirmRing
    | AcceptReservation
    | ConfirmBridged
    | EndReservation
    | CompleteContact
    | TellHold
)
