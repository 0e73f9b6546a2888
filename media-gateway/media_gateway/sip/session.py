"""An INVITE session: where it stands, and what it still waits for.

incoming:  INVITED --accept--> ACCEPTED --ACK--> CONFIRMED
outgoing:  CALLING --1xx--> PROCEEDING --2xx--> CONFIRMED
over for the owner, but not yet on the wire (`SessionEnded` has been told):
    CANCEL_HELD  cancelled before any 1xx: CANCEL must wait for one (RFC 3261, 9.1)
    CANCELLING   CANCEL sent; the INVITE's final answer decides what is left to do
    BYE_HELD     hung up before the ACK came: BYE must wait for it (RFC 3261, 15)
    LEAVING      BYE sent, not yet answered
CLOSED: nothing is left but transactions that absorb stragglers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from media_gateway.sip.address import HostPort
from media_gateway.sip.auth import DigestSession
from media_gateway.sip.dialog import Dialog
from media_gateway.sip.events import SessionId
from media_gateway.sip.message import MAX_FORWARDS, Response
from media_gateway.sip.transactions.layer import Datagram, Transaction

MAX_BRANCHES = 16
"""Branches of one forked call that are followed, and answered when they accept."""


class SessionState(Enum):
    """See the module's text."""

    INVITED = auto()
    ACCEPTED = auto()
    CALLING = auto()
    PROCEEDING = auto()
    CONFIRMED = auto()
    CANCEL_HELD = auto()
    CANCELLING = auto()
    BYE_HELD = auto()
    LEAVING = auto()
    CLOSED = auto()


_S = SessionState

MOVES: Mapping[SessionState, frozenset[SessionState]] = {
    _S.INVITED: frozenset({_S.ACCEPTED, _S.CLOSED}),
    _S.ACCEPTED: frozenset({_S.CONFIRMED, _S.BYE_HELD, _S.LEAVING, _S.CLOSED}),
    _S.CALLING: frozenset({_S.PROCEEDING, _S.CONFIRMED, _S.CANCEL_HELD, _S.CLOSED}),
    # Back to CALLING when the INVITE is sent again with credentials.
    _S.PROCEEDING: frozenset({_S.CALLING, _S.CONFIRMED, _S.CANCELLING, _S.CLOSED}),
    _S.CONFIRMED: frozenset({_S.LEAVING, _S.CLOSED}),
    _S.CANCEL_HELD: frozenset({_S.CANCELLING, _S.LEAVING, _S.CLOSED}),
    _S.CANCELLING: frozenset({_S.LEAVING, _S.CLOSED}),
    _S.BYE_HELD: frozenset({_S.LEAVING, _S.CLOSED}),
    _S.LEAVING: frozenset({_S.CLOSED}),
    _S.CLOSED: frozenset(),
}
"""Every move a session can make."""

LIVING = frozenset({_S.INVITED, _S.ACCEPTED, _S.CALLING, _S.PROCEEDING, _S.CONFIRMED})
"""States in which `SessionEnded` has not been told."""


class ServerTimer(Enum):
    """What a session waits for on behalf of the other side's requests; see `limits.py`."""

    UNANSWERED = auto()
    REFRESH = auto()
    REPEAT_ACCEPT = auto()
    ACK = auto()
    THEIR_REINVITE = auto()


class ClientTimer(Enum):
    """What a session waits for on behalf of our own requests; see `limits.py`."""

    RINGING = auto()
    CANCELLED = auto()
    GLARE = auto()
    OUR_REINVITE = auto()
    LONGEST = auto()


class NoSuchSession(KeyError):
    """The session has ended, or never was."""


class WrongStatus(ValueError):
    """A status that this response cannot have; nothing was changed."""


class WrongState(ValueError):
    """The session stands where this cannot be done; nothing was changed."""


@dataclass(slots=True, eq=False)
class Attempt:
    """An INVITE of ours, first or re-INVITE, over as many transactions as it takes."""

    session: Session
    """Whose it is."""

    sdp: bytes
    """Our sdp_offer."""

    first: bool
    """Whether it opens the session."""

    fields: tuple[tuple[str, str], ...] = ()
    """The owner's own header fields."""

    destination: HostPort | None = None
    """Where the first INVITE goes; None follows the dialog."""

    max_forwards: int = MAX_FORWARDS
    """Hops that it may take."""

    transaction: Transaction | None = None
    """The transaction now running."""

    proofs: tuple[tuple[str, str], ...] = ()
    """Its authorization headers, which its ACK repeats (RFC 3261, section 22.1)."""

    authorised: int = 0
    """Times it was sent again with credentials."""

    crossed: int = 0
    """Times it was refused with 491."""

    acks: dict[str, Datagram] = field(default_factory=dict)
    """What answers a 2xx that comes again, by the branch's tag."""


@dataclass(slots=True, eq=False)
class Errand:
    """A request of ours within a dialog that is neither INVITE nor ACK."""

    session: Session | None
    """Whose it is; None for the farewell to a branch that is no session."""

    method: str
    """BYE, INFO or CANCEL."""

    fields: tuple[tuple[str, str], ...] = ()
    """Header fields of its own."""

    body: bytes = b""
    """Its content."""

    authorised: int = 0
    """Times it was sent again with credentials."""


@dataclass(slots=True, eq=False)
class Unacked:
    """A 2xx of ours that is repeated until its ACK comes (RFC 3261, section 13.3.1.4)."""

    transaction: Transaction
    """The INVITE's transaction."""

    response: Response
    """What is repeated."""

    interval_ms: int
    """Present interval between repeats."""


@dataclass(slots=True, eq=False)
class Session:
    """Everything the stack knows of one session."""

    session_id: SessionId
    """The owner's handle."""

    state: SessionState
    """See the module's text."""

    dialog: Dialog
    """Ours with the other side; unfinished until the other side's tag is known."""

    local_tag: str
    """Our tag: with the Call-ID it finds the session."""

    contact: str
    """Our Contact header in this session."""

    digest: DigestSession
    """How we prove ourselves in this session."""

    started_here: bool = False
    """Whether we sent the first INVITE (and so made the Call-ID)."""

    invited: Transaction | None = None
    """The other side's INVITE that has no final answer yet, first or re-INVITE."""

    progress: Response | None = None
    """Our last provisional response, repeated each minute."""

    unacked: Unacked | None = None
    """Our last 2xx, until it is acknowledged."""

    attempt: Attempt | None = None
    """Our INVITE that has no final answer yet, or waits to be sent again after a 491."""

    early: dict[str, Dialog] = field(default_factory=dict)
    """Branches of our call that have rung, by tag."""

    bye_fields: tuple[tuple[str, str], ...] = ()
    """Header fields of a BYE or CANCEL that must wait."""

    @property
    def is_living(self) -> bool:
        """Whether the owner still counts on it."""
        return self.state in LIVING

    def move(self, state: SessionState) -> None:
        """Go to another state; the stack itself is at fault if that is no legal move."""
        assert state in MOVES[self.state], f"{self.state} to {state}"
        self.state = state
