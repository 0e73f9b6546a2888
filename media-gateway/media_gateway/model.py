"""What a call is made of: frozen data that every part of the gateway shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from services.chassis.errors import CarillonError, Kind
from services.chassis.ids import LegId

CALLER_LEG = LegId("1")
"""Every call begins with this leg; later ones count on."""
MAX_LEGS = 8
"""Legs of one call at once; a flow that rings more is refused."""
BROWSER = "webrtc:"
"""The endpoint of an agent whose browser connects by itself."""


class CallState(StrEnum):
    """Where a call is; see `core/call.py` for what leads where."""

    INVITED = "invited"
    ACTIVE = "active"
    ENDING = "ending"
    ENDED = "ended"


class LegState(StrEnum):
    """Where a leg is; see `core/leg.py` for what leads where."""

    INVITED = "invited"
    EARLY = "early"
    RINGING = "ringing"
    ANSWERED = "answered"
    BRIDGED = "bridged"
    ENDING = "ending"
    ENDED = "ended"


class BridgeState(StrEnum):
    """Where a bridge is; see `core/bridge.py` for what leads where."""

    CONNECTING = "connecting"
    JOINED = "joined"
    OVER = "over"


class GatherState(StrEnum):
    """Where the collecting of keys is; see `core/gather.py` for what leads where."""

    PROMPTING = "prompting"
    FIRST = "first"
    NEXT = "next"
    DONE = "done"


class LegRole(StrEnum):
    """Whose endpoint a leg leads to."""

    CALLER = "caller"
    AGENT = "agent"
    EXTERNAL = "external"


class LegEnd(StrEnum):
    """Why a leg ended."""

    HUNG_UP = "hung-up"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    MEDIA_TIMEOUT = "media-timeout"
    SIGNALLING_LOST = "signalling-lost"
    CONNECTION_LOST = "connection-lost"
    BY_COMMAND = "ended-by-command"


class RingOutcome(StrEnum):
    """Why a leg that was rung did not answer."""

    NO_ANSWER = "no-answer"
    REJECT = "reject"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    CANCELLED = "cancelled"
    REFUSED = "refused"


class OperationEnd(StrEnum):
    """How a play or gather came to its end."""

    COMPLETE = "complete"
    TIMEOUT = "timeout"
    STOPPED = "stopped"
    FAILED = "failed"


class RecordingState(StrEnum):
    """Whether a call is being recorded; see `core/recording.py`."""

    OFF = "off"
    ON = "on"
    PAUSED = "paused"
    FAILED = "failed"


class TerminationClass(StrEnum):
    """Who or what the end of a call is laid to."""

    SUCCESS = "success"
    CALLER_ERROR = "caller_error"
    SERVER_ERROR = "server_error"
    CARRIER_ERROR = "carrier_error"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Termination:
    """How a call ended; exactly one per call."""

    termination_class: TerminationClass
    """Who or what it is laid to."""
    reason: str
    """A stable word in lower-case kebab form."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """What the first INVITE of a call says."""

    caller: str
    """User part of the caller's address, E.164 where it is a number; empty when withheld."""
    called: str
    """The number called, visual separators taken out (RFC 3966)."""
    display_name: str = ""
    """The name that the caller's side gives; shown, never trusted."""
    asserted_identity: str = ""
    """P-Asserted-Identity (RFC 3325) from a trusted edge; else empty."""
    diversion: str = ""
    """The address that the call was diverted from (RFC 5806); else empty."""
    trunk: str = "local"
    """The trunk that a trusted edge asserts."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """`X-` headers, at most 16."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """Something to hear: exactly one of the two is set."""

    sha256: str = ""
    """Key of a WAV blob."""
    system: str = ""
    """Name of a sound that every gateway has."""

    @property
    def name(self) -> str:
        """The one of the two that is set."""
        return self.sha256 or self.system


@dataclass(frozen=True, slots=True)
class Gather:
    """Keys being collected; see `core/gather.py`."""

    state: GatherState
    """Where the collecting is."""
    max_digits: int
    """This many keys complete it, 1 to 32."""
    first_digit_timeout_ms: int
    """Patience for the first key; 0: without limit."""
    next_digit_timeout_ms: int
    """Patience between keys."""
    end_key: str
    """The key that completes it; empty: none."""
    barge_in: bool
    """Whether a key silences the prompts."""
    loop: bool
    """Whether the prompts begin again after the last."""
    digits: str = ""
    """What was keyed so far, without the end key."""
    deadline_ms: int | None = None
    """When patience ends, UTC milliseconds; None: it does not."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What a flow lets the caller hear, and perhaps key."""

    name: str
    """The flow's own name for it."""
    prompts: tuple[Prompt, ...]
    """Played one after another."""
    loop: bool
    """Begin again after the last."""
    gather: Gather | None = None
    """None: only played."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One endpoint's signalling and media within a call."""

    leg_id: LegId
    """Unique within its call."""
    role: LegRole
    """Whose endpoint it leads to."""
    state: LegState = LegState.INVITED
    """Where it is."""
    ring_id: str = ""
    """What rang it: a reservation's or a dial command's id; empty for the caller."""
    agent_id: str = ""
    """Set for agents' legs."""
    target: str = ""
    """SIP URI that is rung, or `BROWSER`; empty for the caller."""
    shown: str = ""
    """The number shown to who is rung; empty for the caller."""
    display: str = ""
    """The name shown to who is rung; empty: none."""
    codec: str = ""
    """PCMU or PCMA; empty until negotiated."""
    signalled: bool = False
    """Whether an INVITE of ours left; True for the caller."""
    rang: bool = False
    """Whether the far end reported that it rings."""
    heard: bool = False
    """Whether a packet came since the media was negotiated."""
    held_here: bool = False
    """On hold by the gateway's face."""
    held_there: bool = False
    """On hold by its own endpoint."""
    muted: bool = False
    """What it says is discarded."""
    tapped: bool = False
    """What it says is recorded."""
    sound: str = ""
    """Key of what plays to it; empty: nothing."""
    answered: bool = False
    """Whether it ever was: then the flow hears of its end."""
    connected: bool = False
    """Of a browser's leg: audio can flow."""
    join_deadline_ms: int | None = None
    """By when a browser that the flow bridges must be connected."""
    rejoin_deadline_ms: int | None = None
    """By when a browser whose connection was lost in the conversation must be back."""
    response_deadline_ms: int | None = None
    """By when its endpoint must show a sign of life."""
    ring_deadline_ms: int | None = None
    """By when it must be answered."""
    release_deadline_ms: int | None = None
    """By when its signalling must be over once it is ending."""
    end: LegEnd | None = None
    """Why it ends; None while it lives."""
    sip_status: int = 0
    """The final status that ended it; 0: none did."""

    @property
    def held(self) -> bool:
        """On hold, by whichever side."""
        return self.held_here or self.held_there

    @property
    def webrtc(self) -> bool:
        """Whether a browser is at its other end, which no SIP reaches."""
        return self.target == BROWSER

    @property
    def away(self) -> bool:
        """Whether a peer would speak to nobody: it is on hold, or its browser is not connected."""
        return self.held or (self.webrtc and not self.connected)


@dataclass(frozen=True, slots=True)
class Bridge:
    """The caller and another leg hearing each other."""

    leg_id: LegId
    """The other leg."""
    began_at_ms: int
    """When the flow asked for it."""
    state: BridgeState = BridgeState.CONNECTING
    """Where it is."""
    transfer_asked_at_ms: int | None = None
    """When its agent asked the flow to hand the caller on; None: not yet."""


class TransferKind(StrEnum):
    """To what sort of target a caller is handed on."""

    QUEUE = "queue"
    AGENT = "agent"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Transfer:
    """What an agent asks for who hands the caller on."""

    kind: TransferKind
    """What the target is."""
    target: str
    """A queue's or an agent's id, or a number."""
    reason: str
    """As the agent says; at most 100 characters."""
    by: str
    """The user who asks."""
    by_name: str = ""
    """What people call them."""
    via_queue_id: str = ""
    """Of an agent: where the caller waits for them; empty: the queue that they came from."""


@dataclass(frozen=True, slots=True)
class Recording:
    """What decides whether a call is being recorded."""

    basis: str = ""
    """Why it was first allowed: announced, agreed or policy; empty: it never was."""
    granted: bool = False
    """Whether it is allowed now."""
    paused: bool = False
    """Whether somebody asked for a pause."""
    paused_for: str = ""
    """The agent's leg with whose end the pause ends; empty: it waits for somebody to end it."""
    failure: str = ""
    """Why nothing can be kept at present; empty: it can."""

    @property
    def state(self) -> RecordingState:
        """What follows from them."""
        if not self.basis:
            return RecordingState.OFF
        if self.paused or not self.granted:
            return RecordingState.PAUSED
        return RecordingState.FAILED if self.failure else RecordingState.ON


class NoSuchCall(CarillonError):
    """No call in progress has this id."""

    code: ClassVar[str] = "no-such-call"
    kind: ClassVar[Kind] = Kind.NOT_FOUND


class NoSuchLeg(CarillonError):
    """The call has no such leg, or has it no more."""

    code: ClassVar[str] = "no-such-leg"
    kind: ClassVar[Kind] = Kind.NOT_FOUND


class LegNotAnswered(CarillonError):
    """What was asked needs a leg that is answered."""

    code: ClassVar[str] = "leg-not-answered"
    kind: ClassVar[Kind] = Kind.PRECONDITION


class LegNotBridged(CarillonError):
    """What was asked needs an agent's leg that hears the caller."""

    code: ClassVar[str] = "leg-not-bridged"
    kind: ClassVar[Kind] = Kind.PRECONDITION


class FlowAway(CarillonError):
    """What was asked needs the call's flow, and no interpreter is attached; ask again soon."""

    code: ClassVar[str] = "flow-away"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


class TransferUnderWay(CarillonError):
    """The flow was asked already, and is handing the caller on."""

    code: ClassVar[str] = "transfer-under-way"
    kind: ClassVar[Kind] = Kind.PRECONDITION


class BadTransfer(CarillonError):
    """A transfer to nowhere, or with a text beyond its limit."""

    code: ClassVar[str] = "bad-transfer"
    kind: ClassVar[Kind] = Kind.INVALID


class BadKeys(CarillonError):
    """Keys that no telephone has, or too many of them at once."""

    code: ClassVar[str] = "bad-digits"
    kind: ClassVar[Kind] = Kind.INVALID


class KeysNotHeard(CarillonError):
    """The other side negotiated no telephone-event: it would hear no keys."""

    code: ClassVar[str] = "no-telephone-event"
    kind: ClassVar[Kind] = Kind.PRECONDITION


class NoSuchReservation(CarillonError):
    """No call here rings an agent's browser for this reservation, or none does any more."""

    code: ClassVar[str] = "no-such-reservation"
    kind: ClassVar[Kind] = Kind.NOT_FOUND


class NotYourReservation(CarillonError):
    """The reservation is another agent's."""

    code: ClassVar[str] = "not-your-reservation"
    kind: ClassVar[Kind] = Kind.DENIED


class BadSdpOffer(CarillonError):
    """A browser's sdp_offer that no audio can come of; the message says what is missing."""

    code: ClassVar[str] = "bad-sdp-offer"
    kind: ClassVar[Kind] = Kind.INVALID


class NoConsent(CarillonError):
    """The call may not be recorded: the caller has not agreed, or no more."""

    code: ClassVar[str] = "no-consent"
    kind: ClassVar[Kind] = Kind.PRECONDITION


class IllegalTransition(CarillonError):
    """A machine has no way from its state by what happened."""

    code: ClassVar[str] = "illegal-transition"
    kind: ClassVar[Kind] = Kind.PRECONDITION


class CallIsOver(CarillonError):
    """The call has ended; nothing can be asked of it any more."""

    code: ClassVar[str] = "call-is-over"
    kind: ClassVar[Kind] = Kind.PRECONDITION


class StaleStep(CarillonError):
    """A step of an older epoch, or not the one that follows the last."""

    code: ClassVar[str] = "stale-step"
    kind: ClassVar[Kind] = Kind.PRECONDITION


class StepTooLarge(CarillonError):
    """A step beyond its limits: checkpoint, commands, prompts or texts."""

    code: ClassVar[str] = "step-too-large"
    kind: ClassVar[Kind] = Kind.INVALID


class BadCommand(CarillonError):
    """A flow's command that means nothing: a missing name, a number out of range."""

    code: ClassVar[str] = "bad-command"
    kind: ClassVar[Kind] = Kind.INVALID


class TargetRefused(CarillonError):
    """Policy or syntax refuses an address before anything is sent."""

    code: ClassVar[str] = "target-refused"
    kind: ClassVar[Kind] = Kind.DENIED
