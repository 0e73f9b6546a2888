"""The SIP stack as its owner sees it: bytes and verbs in, datagrams and events out.

No socket, no clock, no thread. The owner feeds `receive`, calls `tick` when `deadline_ms` has
come, sends what `take_output` gives and reacts to what `take_events` tells. A verb that cannot
be done raises `NoSuchSession` or `WrongState` and changes nothing.

A verb of the owner's that ends a session (`refuse`, `cancel`, `bye`, `hang_up`) ends it at once
for the owner: `SessionEnded` is among the next events, and whatever the wire still needs
(an ACK and BYE for an answer that crossed a CANCEL, credentials for a BYE) happens without it.
"""

from __future__ import annotations

from collections.abc import Callable

from media_gateway.sip.address import URI, HostPort, NameAddr
from media_gateway.sip.auth import Credentials, DigestSession
from media_gateway.sip.client_core import ClientCore
from media_gateway.sip.compose import Identity, made_here, reason_of
from media_gateway.sip.dialog import Dialog
from media_gateway.sip.events import EndCause, SessionId, SipEvent
from media_gateway.sip.grammar import MalformedField
from media_gateway.sip.headers import HeaderFields, UnsafeHeader, checked, checked_line
from media_gateway.sip.limits import Limits
from media_gateway.sip.message import (
    MAX_FORWARDS,
    MalformedMessage,
    Request,
    Response,
    parse,
)
from media_gateway.sip.server_core import Health, ServerCore
from media_gateway.sip.session import (
    Attempt,
    ClientTimer,
    Errand,
    NoSuchSession,
    ServerTimer,
    Session,
    SessionState,
    WrongState,
    WrongStatus,
)
from media_gateway.sip.transactions.layer import Datagram, Transaction
from media_gateway.sip.transactions.machine import Action, Input, Timer
from media_gateway.sip.user_agent import UserAgent

__all__ = [
    "Credentials",
    "Datagram",
    "Health",
    "Limits",
    "NoSuchSession",
    "SipStack",
    "StackFull",
    "TooManyHops",
    "UnsafeHeader",
    "WrongState",
    "WrongStatus",
]

_S = SessionState
_STANDS_FOR = {Action.TELL_TIMEOUT: 408, Action.TELL_UNREACHABLE: 503}
_INPUT_OF = {1: Input.RECEIVE_1XX, 2: Input.RECEIVE_2XX}


class StackFull(RuntimeError):
    """No further session: the stack's limit is reached."""


class TooManyHops(ValueError):
    """The call would go round in circles: Max-Forwards is used up."""


class SipStack:
    """A SIP user agent over UDP and TCP.

    `local` is the address that others reach us at; `entropy` gives a new unguessable token at
    each call (for branches, tags and Call-IDs; a prefix of the owner's choice may name the
    process); `contact_user` is the user part of our Contact unless a call has its own.
    """

    def __init__(
        self,
        *,
        local: HostPort,
        user_agent: str,
        entropy: Callable[[], str],
        contact_user: str = "",
        limits: Limits | None = None,
        on_received: Callable[[Request | Response, HostPort, int], None] | None = None,
    ) -> None:
        """`on_received` is shown every message that comes, before anything is done about it."""
        checked_line(user_agent)
        self._on_received = on_received
        self._agent = UserAgent(
            identity=Identity(local, user_agent),
            entropy=entropy,
            limits=limits or Limits(),
            contact_user=contact_user,
        )
        self._server = ServerCore(self._agent)
        self._client = ClientCore(self._agent)
        self.malformed = 0
        """Datagrams that were no SIP message, refused or not."""

    # The shell's side

    def receive(self, data: bytes, source: HostPort, now_ms: int) -> None:
        """Take a datagram, or a whole message of a stream; whatever it holds, nothing is raised."""
        if not data.strip(b"\r\n\0"):
            return  # A keep-alive (RFC 5626, section 3.5.1).
        try:
            message = parse(data)
        except MalformedMessage as error:
            self.malformed += 1
            if error.refusable is not None:
                self._agent.respond_stateless(
                    error.refusable, source, error.status, reason=error.reason
                )
            return
        if self._on_received is not None:
            self._on_received(message, source, now_ms)
        if isinstance(message, Request):
            self._server.receive(message, source, now_ms)
        else:
            self._receive_response(message, now_ms)

    def undeliverable(self, datagram: Datagram, now_ms: int) -> None:
        """A datagram of ours could not be sent: no such host, no route."""
        message = parse(datagram.data)
        if isinstance(message, Response):
            return  # The other side repeats its request, or gives up.
        transaction = self._agent.layer.find_client(message)
        if transaction is not None:
            told = self._agent.layer.cannot_send(transaction, now_ms)
            self._tell(transaction, told, now_ms)

    def tick(self, now_ms: int) -> None:
        """Run every timer that is due."""
        while (due := self._agent.timers.pop_due(now_ms)) is not None:
            owner, timer = due
            if isinstance(owner, Transaction):
                assert isinstance(timer, Timer), "a transaction has no other timers"
                told = self._agent.layer.fire(owner, timer, now_ms)
                self._tell(owner, told, now_ms)
                continue
            assert isinstance(owner, Session), "only transactions and sessions have timers"
            if isinstance(timer, ServerTimer):
                self._server.fire(owner, timer, now_ms)
            else:
                assert isinstance(timer, ClientTimer), "a session has no other timers"
                self._client.fire(owner, timer, now_ms)

    def deadline_ms(self) -> int | None:
        """When `tick` is next needed; None when nothing is under way."""
        return self._agent.timers.deadline_ms()

    def take_output(self) -> list[Datagram]:
        """Datagrams to send, oldest first; each is handed over once."""
        taken = self._agent.output[:]
        self._agent.output.clear()
        return taken

    def take_events(self) -> list[SipEvent]:
        """What happened, oldest first; each is told once."""
        taken = self._agent.events[:]
        self._agent.events.clear()
        return taken

    def call_id_of(self, session_id: SessionId) -> str:
        """SIP's Call-ID of a living session; NoSuchSession."""
        return self._agent.session(session_id, *SessionState).dialog.call_id

    # What OPTIONS is told, and what metrics are

    @property
    def health(self) -> Health:
        """What OPTIONS is told."""
        return self._server.health

    @health.setter
    def health(self, health: Health) -> None:
        self._server.health = health

    @property
    def active_sessions(self) -> int:
        """Sessions whose `SessionEnded` has not been told."""
        return self._agent.living

    @property
    def active_transactions(self) -> int:
        """Transactions, those included that only absorb stragglers."""
        return len(self._agent.layer)

    @property
    def is_idle(self) -> bool:
        """Whether nothing at all is under way, on the wire or off it."""
        return not self._agent.sessions and not self._agent.layer and not self._agent.timers

    # Incoming calls

    def progress(
        self,
        session_id: SessionId,
        status: int,
        sdp: bytes | None,
        now_ms: int,
        *,
        headers: HeaderFields = (),
    ) -> None:
        """Tell the caller 180, 183 (with sdp, early media) or another 101 to 199."""
        session = self._agent.session(session_id, _S.INVITED)
        _require_status(status, 101, 199)
        assert session.invited is not None, "INVITED has its INVITE"
        fields = list(checked(headers))
        if sdp is not None:
            fields.append(("Content-Type", "application/sdp"))
        session.progress = self._agent.respond(
            session, session.invited, status, now_ms, fields=fields, body=sdp or b""
        )
        at_ms = now_ms + self._agent.limits.refresh_progress_ms
        self._agent.timers.start(session, ServerTimer.REFRESH, at_ms)

    def accept(
        self, session_id: SessionId, sdp: bytes, now_ms: int, *, headers: HeaderFields = ()
    ) -> None:
        """Answer: 200 with our sdp_answer, or with our sdp_offer if the INVITE had none."""
        session = self._agent.session(session_id, _S.INVITED)
        self._server.accept(session, sdp, now_ms, checked(headers))

    def refuse(
        self,
        session_id: SessionId,
        status: int,
        reason: str,
        now_ms: int,
        *,
        headers: HeaderFields = (),
    ) -> None:
        """Refuse the call with 300 to 699; an empty reason stands for the usual phrase."""
        session = self._agent.session(session_id, _S.INVITED)
        _require_status(status, 300, 699)
        assert session.invited is not None, "INVITED has its INVITE"
        fields = checked(headers)
        checked_line(reason)
        self._agent.respond(session, session.invited, status, now_ms, reason=reason, fields=fields)
        session.invited = None
        phrase = reason or reason_of(status)
        self._agent.end(session, _S.CLOSED, EndCause.REFUSED, now_ms, status=status, phrase=phrase)

    # Outgoing calls

    def invite(
        self,
        target_uri: str,
        *,
        from_: NameAddr,
        to: NameAddr,
        sdp: bytes,
        destination: HostPort,
        now_ms: int,
        headers: HeaderFields = (),
        credentials: Credentials | None = None,
        contact_user: str | None = None,
        max_forwards: int = MAX_FORWARDS,
        routes: tuple[str, ...] = (),
    ) -> SessionId:
        """Call: INVITE with our sdp_offer, sent to `destination` whatever the URI names.

        `routes` are proxies to pass, nearest first (RFC 3261, section 8.1.2: a pre-existing route
        set); once somebody answers, the Record-Route of the answer takes their place.
        `MalformedField`, `UnsafeHeader`, `TooManyHops` and `StackFull` send nothing.
        """
        agent = self._agent
        if len(agent.sessions) >= agent.limits.sessions:
            raise StackFull(f"{agent.limits.sessions} sessions")
        _require_target(target_uri)
        if max_forwards < 1:
            raise TooManyHops("the call that this one follows from has no hop left")
        user = agent.contact_user if contact_user is None else contact_user
        contact = agent.identity.contact(user, destination.transport)
        checked_line(f"{from_}{to}")
        fields = checked(headers)
        dialog = Dialog(
            call_id=f"{agent.entropy()}@{agent.identity.local.host}",
            local=from_.tagged(agent.entropy()),
            remote=to.untagged(),
            remote_target=target_uri,
            routes=routes,
        )
        session = agent.open_session(
            _S.CALLING,
            dialog,
            digest=DigestSession(credentials, agent.entropy),
            contact=contact,
            started_here=True,
        )
        agent.timers.start(session, ClientTimer.RINGING, now_ms + agent.limits.ringing_ms)
        attempt = Attempt(
            session,
            sdp,
            first=True,
            fields=fields,
            destination=destination,
            max_forwards=max_forwards,
        )
        self._client.send(attempt, now_ms)
        return session.session_id

    def cancel(self, session_id: SessionId, now_ms: int, *, reason: str = "") -> None:
        """Give up a call that is not yet answered; `reason` is a Reason header's value."""
        session = self._agent.session(session_id, _S.CALLING, _S.PROCEEDING)
        session.bye_fields = _reason_field(reason)
        self._client.cancel(session, EndCause.CANCELLED, now_ms)

    # Within a call

    def reinvite(self, session_id: SessionId, sdp: bytes, now_ms: int) -> None:
        """Offer other media (hold, resume); ends in `ReinviteDone` or `SessionEnded`.

        `WrongState` until the call is acknowledged, and while another re-INVITE is pending.
        """
        session = self._agent.session(session_id, _S.CONFIRMED)
        if session.attempt is not None or session.invited is not None:
            raise WrongState(f"session {session_id} has a re-INVITE pending")
        self._client.send_or_wait(Attempt(session, sdp, first=False), now_ms)

    def answer_reinvite(self, session_id: SessionId, sdp: bytes, now_ms: int) -> None:
        """Accept the other side's re-INVITE with our sdp_answer (or sdp_offer, if it had none)."""
        session = self._reinvited(session_id)
        self._server.accept(session, sdp, now_ms)
        self._client.give_way(session)

    def refuse_reinvite(self, session_id: SessionId, status: int, reason: str, now_ms: int) -> None:
        """Refuse the other side's re-INVITE; the call goes on as it was."""
        session = self._reinvited(session_id)
        _require_status(status, 300, 699)
        checked_line(reason)
        self._server.refuse_reinvite(session, status, reason, now_ms)

    def info(self, session_id: SessionId, content_type: str, body: bytes, now_ms: int) -> None:
        """Send INFO, such as a key pressed; ends in `InfoDone`."""
        session = self._agent.session(session_id, _S.CONFIRMED)
        fields = checked([("Content-Type", content_type)])
        self._agent.run(Errand(session, "INFO", fields, body), now_ms)

    def bye(self, session_id: SessionId, now_ms: int, *, reason: str = "") -> None:
        """Hang up an answered call; `reason` is a Reason header's value (RFC 3326)."""
        session = self._agent.session(session_id, _S.ACCEPTED, _S.CONFIRMED)
        session.bye_fields = _reason_field(reason)
        if session.state is _S.ACCEPTED:
            self._agent.end(session, _S.BYE_HELD, EndCause.WE_LEFT, now_ms)
            return
        self._agent.end(session, _S.LEAVING, EndCause.WE_LEFT, now_ms)
        self._agent.leave(session, now_ms)

    def hang_up(
        self, session_id: SessionId, now_ms: int, *, status: int = 480, reason: str = ""
    ) -> None:
        """End a session wherever it stands; `status` refuses a call not yet answered."""
        session = self._agent.session(session_id, *SessionState)
        if session.state is _S.INVITED:
            headers = _reason_field(reason)
            self.refuse(session_id, status, "", now_ms, headers=headers)
        elif session.state in {_S.CALLING, _S.PROCEEDING}:
            self.cancel(session_id, now_ms, reason=reason)
        else:
            self.bye(session_id, now_ms, reason=reason)

    def _reinvited(self, session_id: SessionId) -> Session:
        session = self._agent.session(session_id, _S.ACCEPTED, _S.CONFIRMED)
        if session.invited is None:
            raise WrongState(f"session {session_id} has no re-INVITE pending")
        return session

    def _receive_response(self, response: Response, now_ms: int) -> None:
        via, local = response.top_via, self._agent.identity.local
        # Answers that are not ours, or still have somewhere to go, are dropped (18.1.2, 8.1.3.3).
        if (via.host, via.port) != (local.host, local.port):
            return
        if len(response.vias) > 1:
            return
        transaction = self._agent.layer.find_client(response)
        if transaction is None:
            return
        given = _INPUT_OF.get(response.status // 100, Input.RECEIVE_FAILURE)
        told = self._agent.layer.feed(transaction, given, now_ms, response)
        if told is Action.TELL:
            self._client.receive(transaction.owner, response, now_ms)

    def _tell(self, transaction: Transaction, told: Action | None, now_ms: int) -> None:
        """Pass on that one of our requests got no answer; of responses nobody need know."""
        status = _STANDS_FOR.get(told) if told is not None else None
        if status is None or not isinstance(transaction.owner, Attempt | Errand):
            return
        response = made_here(transaction.request, status)
        self._client.receive(transaction.owner, response, now_ms)


def _reason_field(reason: str) -> tuple[tuple[str, str], ...]:
    return checked([("Reason", reason)]) if reason else ()


def _require_status(status: int, lowest: int, highest: int) -> None:
    if not lowest <= status <= highest:
        raise WrongStatus(f"{status} is not {lowest} to {highest}")


def _require_target(target_uri: str) -> None:
    uri = URI.parse(target_uri)
    if uri.scheme != "sip" or uri.headers:
        raise MalformedField(f"cannot call {target_uri!r}")
