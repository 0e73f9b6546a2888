"""What the stack tells its owner. Every session ends in exactly one `SessionEnded`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NewType

from media_gateway.sip.address import URI, HostPort, NameAddr
from media_gateway.sip.headers import Headers

SessionId = NewType("SessionId", int)
"""One INVITE session of one stack, from its first INVITE to its end; never used twice."""


class EndCause(Enum):
    """Why a session ended."""

    REFUSED = "refused"
    """We refused the caller's INVITE."""
    CALLER_CANCELLED = "caller-cancelled"
    """The other side gave up before we answered."""
    NOBODY_ANSWERED = "nobody-answered"
    """The owner answered neither yes nor no within the ringing limit."""
    ACK_MISSING = "ack-missing"
    """Our 200 was never acknowledged; the other side is told BYE."""
    CANCELLED = "cancelled"
    """We gave up before the other side answered."""
    FAILED = "failed"
    """The other side refused our INVITE, or could not be reached."""
    THEY_LEFT = "they-left"
    """The other side sent BYE."""
    WE_LEFT = "we-left"
    """We sent BYE."""
    DIALOG_LOST = "dialog-lost"
    """The other side no longer knows the dialog, or no longer answers in it."""
    TOO_LONG = "too-long"
    """The session reached the stack's limit for any call."""


@dataclass(frozen=True, slots=True)
class InviteReceived:
    """Somebody calls. The owner answers with `progress`, `accept` or `refuse`."""

    session_id: SessionId
    """The new session."""

    call_id: str
    """SIP's Call-ID, for logs."""

    request_uri: URI
    """The address asked for."""

    from_: NameAddr
    """Who calls, as claimed."""

    to: NameAddr
    """Who was dialled first."""

    headers: Headers
    """All header fields, fit to be shown and stored."""

    sdp: bytes | None
    """The caller's sdp_offer; None asks us to make the sdp_offer in our 200."""

    source: HostPort
    """Where the request came from: the only address that can be trusted."""

    max_forwards: int
    """Hops left; a call made in consequence carries one less, and none is made at 0."""


@dataclass(frozen=True, slots=True)
class CallAcked:
    """Our 200 has arrived: the call, or the re-INVITE, is settled on both sides."""

    session_id: SessionId
    """The session."""

    sdp: bytes | None
    """The sdp_answer, when our 200 carried the sdp_offer."""


@dataclass(frozen=True, slots=True)
class ProvisionalReceived:
    """The far end works on our call: 180 rings, 183 may carry early media."""

    session_id: SessionId
    """The session."""

    status: int
    """101 to 199."""

    reason: str
    """Reason phrase."""

    sdp: bytes | None
    """A preview of the sdp_answer, for early media."""

    to_tag: str
    """Which branch of a forked call says so; empty if it does not tell."""


@dataclass(frozen=True, slots=True)
class InviteAccepted:
    """The far end answered our call; it is acknowledged already."""

    session_id: SessionId
    """The session."""

    sdp: bytes | None
    """The sdp_answer; None if it came only in a provisional response."""

    to_tag: str
    """The branch that answered, among those that rang."""

    headers: Headers
    """The response's header fields, fit to be shown and stored."""


@dataclass(frozen=True, slots=True)
class ReinviteReceived:
    """The other side wants to change the media. Owner: `answer_reinvite` or `refuse_reinvite`."""

    session_id: SessionId
    """The session."""

    sdp: bytes | None
    """The new sdp_offer; None asks us to make one."""


@dataclass(frozen=True, slots=True)
class ReinviteCancelled:
    """The other side withdrew its re-INVITE, or the owner took too long; media stay as they are."""

    session_id: SessionId
    """The session."""


@dataclass(frozen=True, slots=True)
class ReinviteDone:
    """Our re-INVITE has its final answer."""

    session_id: SessionId
    """The session."""

    status: int
    """200 when accepted; otherwise media stay as they are. 491: the sides crossed, ask anew."""

    reason: str
    """Reason phrase."""

    sdp: bytes | None
    """The sdp_answer of a 200."""


@dataclass(frozen=True, slots=True)
class InfoReceived:
    """INFO within the call; it has been answered 200."""

    session_id: SessionId
    """The session."""

    content_type: str
    """Media type, lower case, without parameters."""

    body: bytes
    """Content, such as `Signal=5`."""


@dataclass(frozen=True, slots=True)
class InfoDone:
    """Our INFO has its final answer."""

    session_id: SessionId
    """The session."""

    status: int
    """Final status; 408 when none came."""


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """The last word on a session: its id is unknown to the stack from now on."""

    session_id: SessionId
    """The session."""

    cause: EndCause
    """Why."""

    status: int = 0
    """The final status of a refused or failed INVITE (408 and 503 may be our own), else 0."""

    phrase: str = ""
    """Reason phrase with that status."""

    reason: str = ""
    """The other side's Reason header (RFC 3326), as written."""

    contacts: tuple[str, ...] = ()
    """Where a 3xx sends us, preferred first; the owner decides whether to follow."""

    retry_after_s: int | None = None
    """How long a 503 or its like asks us to wait."""


SipEvent = (
    InviteReceived
    | CallAcked
    | ProvisionalReceived
    | InviteAccepted
    | ReinviteReceived
    | ReinviteCancelled
    | ReinviteDone
    | InfoReceived
    | InfoDone
    | SessionEnded
)
