"""The half that answers: every request that is not a repeat comes here (RFC 3261, section 8.2).

The order of the checks is the RFC's: method, address, repetition by another way, extensions,
content. What changes nothing (OPTIONS, refusals outside dialogs of all but INVITE) is answered
without keeping a transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from media_gateway.sip.address import HostPort
from media_gateway.sip.auth import DigestSession
from media_gateway.sip.compose import ACCEPT, ALLOW, ALLOWED, KNOWN
from media_gateway.sip.dialog import Dialog
from media_gateway.sip.events import (
    CallAcked,
    EndCause,
    InfoReceived,
    InviteReceived,
    ReinviteCancelled,
    ReinviteReceived,
)
from media_gateway.sip.grammar import MalformedField, presentable
from media_gateway.sip.message import Request
from media_gateway.sip.session import (
    ClientTimer,
    ServerTimer,
    Session,
    SessionState,
    Unacked,
)
from media_gateway.sip.transactions.layer import Transaction, server_key
from media_gateway.sip.transactions.machine import (
    PATIENCE_MS,
    T1_MS,
    T2_MS,
    Action,
    Input,
    State,
)
from media_gateway.sip.user_agent import UserAgent

INFO_TYPES = ("application/dtmf-relay", "application/dtmf")
"""What INFO may carry to us: keys pressed."""

_GLARE_RETRY_AFTER_S = 10
_S = SessionState


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not served."""

    status: int
    """Response status."""

    reason: str = ""
    """Reason phrase; empty for the usual one."""

    fields: tuple[tuple[str, str], ...] = ()
    """Header fields that tell the other side what would be served."""


@dataclass(frozen=True, slots=True)
class Health:
    """What OPTIONS is told: set by the owner, asked by the edge."""

    accepting: bool = True
    """False while the process drains or is overloaded: 503."""

    retry_after_s: int = 0
    """With 503: when to ask again; 0 says nothing."""


class ServerCore:
    """Decides on the other side's requests."""

    def __init__(self, agent: UserAgent) -> None:
        self._agent = agent
        self.health = Health()

    def receive(self, request: Request, source: HostPort, now_ms: int) -> None:
        """Take a well-formed request."""
        agent = self._agent
        if request.method == "ACK":
            self._acknowledge(request, now_ms)
            return
        repeated = agent.layer.find_server(request)
        if repeated is not None:
            agent.layer.feed(repeated, Input.RECEIVE_REQUEST, now_ms)
        elif request.method == "CANCEL":
            self._cancel(request, source, now_ms)
        elif refusal := self._refusal(request):
            self._refuse(request, source, refusal, now_ms)
        elif agent.layer.is_full:
            self._agent.respond_stateless(request, source, 503, fields=self._overload())
        elif request.to.tag:
            self._within_dialog(request, source, now_ms)
        elif request.method == "OPTIONS":
            self._tell_health(request, source)
        elif request.method == "INVITE":
            self._invite(request, source, now_ms)
        else:
            self._refuse(request, source, Refusal(481), now_ms)

    # What is refused whatever the state

    def _refusal(self, request: Request) -> Refusal | None:
        if request.method not in ALLOWED:
            return Refusal(405 if request.method in KNOWN else 501, fields=(ALLOW,))
        try:
            uri = request.address
            required = [
                tag for name in ("require", "proxy-require") for tag in request.headers.tokens(name)
            ]
        except MalformedField as error:
            return Refusal(400, str(error))
        if uri.scheme not in {"sip", "tel"}:
            return Refusal(416)
        if uri.headers:
            return Refusal(400, "Headers In Request-URI")
        if required:
            return Refusal(420, fields=(("Unsupported", ", ".join(dict.fromkeys(required))),))
        return _content_refusal(request)

    def _refuse(self, request: Request, source: HostPort, refusal: Refusal, now_ms: int) -> None:
        agent = self._agent
        if request.method != "INVITE" or agent.layer.is_full:
            agent.respond_stateless(
                request, source, refusal.status, reason=refusal.reason, fields=refusal.fields
            )
            return
        # A refused INVITE keeps its transaction: its repeats must not meet another answer.
        transaction = self._open(request, source, now_ms)
        self._answer(transaction, refusal, now_ms)

    def _answer(self, transaction: Transaction, refusal: Refusal, now_ms: int) -> None:
        self._agent.respond(
            None,
            transaction,
            refusal.status,
            now_ms,
            reason=refusal.reason,
            fields=refusal.fields,
        )

    def _open(self, request: Request, source: HostPort, now_ms: int) -> Transaction:
        tag = request.to.tag or self._agent.entropy()
        return self._agent.layer.open_server(request, source, to_tag=tag, now_ms=now_ms)

    def _overload(self) -> tuple[tuple[str, str], ...]:
        return (("Retry-After", str(self._agent.limits.overload_retry_after_s)),)

    # Outside dialogs

    def _tell_health(self, request: Request, source: HostPort) -> None:
        fields: tuple[tuple[str, str], ...] = (ALLOW, ACCEPT, ("Supported", ""))
        if self.health.accepting:
            self._agent.respond_stateless(request, source, 200, fields=fields)
            return
        if self.health.retry_after_s:
            fields = (*fields, ("Retry-After", str(self.health.retry_after_s)))
        self._agent.respond_stateless(request, source, 503, fields=fields)

    def _invite(self, request: Request, source: HostPort, now_ms: int) -> None:
        agent = self._agent
        seen = agent.layer.seen_before(request, now_ms)
        if seen is not None:
            if seen != server_key(request):
                agent.respond_stateless(request, source, 482, reason="Merged Request")
            return
        if len(agent.sessions) >= agent.limits.sessions:
            self._refuse(request, source, Refusal(503, fields=self._overload()), now_ms)
            return
        transaction = self._open(request, source, now_ms)
        try:
            dialog = Dialog.of_server(request, transaction.to_tag)
        except MalformedField as error:
            self._answer(transaction, Refusal(400, str(error)), now_ms)
            return
        session = agent.open_session(
            _S.INVITED,
            dialog,
            digest=DigestSession(None, agent.entropy),
            contact=agent.identity.contact(agent.contact_user, source.transport),
        )
        session.invited = transaction
        transaction.owner = session
        agent.timers.start(session, ServerTimer.UNANSWERED, now_ms + agent.limits.ringing_ms)
        agent.respond(session, transaction, 100, now_ms)
        agent.events.append(
            InviteReceived(
                session_id=session.session_id,
                call_id=presentable(request.call_id),
                request_uri=request.address,
                from_=request.from_,
                to=request.to,
                headers=request.headers.presentable(),
                sdp=request.sdp,
                source=source,
                max_forwards=request.max_forwards,
            )
        )

    def _cancel(self, request: Request, source: HostPort, now_ms: int) -> None:
        agent = self._agent
        invite = agent.layer.find_server(request, "INVITE")
        if invite is None:
            agent.respond_stateless(request, source, 481)
            return
        agent.respond_stateless(request, source, 200, to_tag=invite.to_tag)
        session = invite.owner
        if invite.state is not State.PROCEEDING or not isinstance(session, Session):
            return
        if session.state is _S.INVITED:
            reason = presentable(request.headers.get("reason"))
            agent.end(session, _S.CLOSED, EndCause.CALLER_CANCELLED, now_ms, reason=reason)
        elif session.invited is invite:
            self._withdraw_reinvite(session, 487, now_ms)

    # Within dialogs

    def _within_dialog(self, request: Request, source: HostPort, now_ms: int) -> None:
        agent = self._agent
        session = agent.find_session(request)
        if session is None:
            self._refuse(request, source, Refusal(481), now_ms)
            return
        transaction = self._open(request, source, now_ms)
        # A number that is not higher is a straggler: its effect, if any, was had already.
        if request.cseq.number <= session.dialog.remote_cseq:
            self._answer(transaction, Refusal(500, "CSeq Out Of Order"), now_ms)
            return
        session.dialog = session.dialog.heard(request)
        match request.method:
            case "BYE":
                self._bye(session, transaction, now_ms)
            case "OPTIONS":
                agent.respond(None, transaction, 200, now_ms, fields=(ALLOW, ACCEPT))
            case _ if not session.is_living:
                self._answer(transaction, Refusal(481), now_ms)
            case "INFO":
                self._info(session, transaction, now_ms)
            case _:
                self._reinvite(session, transaction, now_ms)

    def _bye(self, session: Session, transaction: Transaction, now_ms: int) -> None:
        agent = self._agent
        agent.respond(None, transaction, 200, now_ms)
        if session.is_living:
            reason = presentable(transaction.request.headers.get("reason"))
            agent.end(session, _S.CLOSED, EndCause.THEY_LEFT, now_ms, reason=reason)
        else:
            agent.close(session, now_ms)

    def _info(self, session: Session, transaction: Transaction, now_ms: int) -> None:
        agent = self._agent
        request = transaction.request
        if "info-package" in request.headers:
            self._answer(transaction, Refusal(469, fields=(("Recv-Info", ""),)), now_ms)
            return
        agent.respond(None, transaction, 200, now_ms)
        if request.body:
            agent.events.append(
                InfoReceived(session.session_id, request.content_type, request.body)
            )

    def _reinvite(self, session: Session, transaction: Transaction, now_ms: int) -> None:
        agent = self._agent
        attempt = session.attempt
        if session.invited is not None:
            wait_s = agent.random_ms(_GLARE_RETRY_AFTER_S * 1_000) // 1_000
            fields = (("Retry-After", str(wait_s)),)
            self._answer(transaction, Refusal(500, "INVITE Pending", fields), now_ms)
            return
        # 491 also while our 200 waits for its ACK: the last change is not settled yet.
        if session.unacked or (attempt is not None and attempt.transaction is not None):
            self._answer(transaction, Refusal(491), now_ms)
            return
        session.invited = transaction
        transaction.owner = session
        agent.respond(session, transaction, 100, now_ms)
        at_ms = now_ms + agent.limits.reinvite_ms
        agent.timers.start(session, ServerTimer.THEIR_REINVITE, at_ms)
        agent.events.append(ReinviteReceived(session.session_id, transaction.request.sdp))

    def _withdraw_reinvite(self, session: Session, status: int, now_ms: int) -> None:
        agent = self._agent
        assert session.invited is not None, "asked only while one is pending"
        agent.respond(session, session.invited, status, now_ms)
        session.invited = None
        agent.timers.stop(session, ServerTimer.THEIR_REINVITE)
        agent.events.append(ReinviteCancelled(session.session_id))

    def _acknowledge(self, request: Request, now_ms: int) -> None:
        agent = self._agent
        transaction = agent.layer.find_server(request)
        if transaction is not None:
            told = agent.layer.feed(transaction, Input.RECEIVE_ACK, now_ms)
            if told is not Action.TELL:
                return
        session = agent.find_session(request)
        if session is None or session.unacked is None:
            return
        if session.unacked.transaction.request.cseq.number != request.cseq.number:
            return
        session.unacked = None
        agent.timers.stop(session, ServerTimer.REPEAT_ACCEPT, ServerTimer.ACK)
        if session.state is _S.BYE_HELD:
            session.move(_S.LEAVING)
            agent.leave(session, now_ms)
            return
        if session.state is _S.ACCEPTED:
            session.move(_S.CONFIRMED)
            at_ms = now_ms + agent.limits.session_ms
            agent.timers.start(session, ClientTimer.LONGEST, at_ms)
        agent.events.append(CallAcked(session.session_id, request.sdp))

    # What the owner answers

    def accept(
        self,
        session: Session,
        sdp: bytes,
        now_ms: int,
        fields: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """Send 200 to the pending INVITE, first or re-INVITE, and repeat it until its ACK."""
        agent = self._agent
        transaction = session.invited
        assert transaction is not None, "the stack checks that one is pending"
        lines = (ALLOW, ("Content-Type", "application/sdp"), *fields)
        response = agent.respond(session, transaction, 200, now_ms, fields=lines, body=sdp)
        session.invited = None
        session.unacked = Unacked(transaction, response, T1_MS)
        agent.timers.stop(
            session, ServerTimer.UNANSWERED, ServerTimer.REFRESH, ServerTimer.THEIR_REINVITE
        )
        agent.timers.start(session, ServerTimer.REPEAT_ACCEPT, now_ms + T1_MS)
        agent.timers.start(session, ServerTimer.ACK, now_ms + PATIENCE_MS)
        if session.state is _S.INVITED:
            session.move(_S.ACCEPTED)
        else:
            session.dialog = session.dialog.refreshed(transaction.request)

    def refuse_reinvite(self, session: Session, status: int, reason: str, now_ms: int) -> None:
        """Send a final refusal to the pending re-INVITE; the call goes on as it was."""
        transaction = session.invited
        assert transaction is not None, "the stack checks that one is pending"
        self._agent.respond(session, transaction, status, now_ms, reason=reason)
        session.invited = None
        self._agent.timers.stop(session, ServerTimer.THEIR_REINVITE)

    # Timers

    def fire(self, session: Session, timer: ServerTimer, now_ms: int) -> None:
        """One of the timers that answer for the owner or repeat what it said."""
        agent = self._agent
        match timer:
            case ServerTimer.UNANSWERED:
                transaction = session.invited
                assert transaction is not None, "UNANSWERED stops with the final answer"
                agent.respond(session, transaction, 480, now_ms)
                session.invited = None
                agent.end(session, _S.CLOSED, EndCause.NOBODY_ANSWERED, now_ms, status=480)
            case ServerTimer.REFRESH:
                assert session.invited is not None, "REFRESH stops with the final answer"
                assert session.progress is not None, "REFRESH starts with a provisional one"
                agent.layer.respond(session.invited, session.progress, now_ms)
                at_ms = now_ms + agent.limits.refresh_progress_ms
                agent.timers.start(session, ServerTimer.REFRESH, at_ms)
            case ServerTimer.REPEAT_ACCEPT:
                self._repeat_accept(session, now_ms)
            case ServerTimer.THEIR_REINVITE:
                self._withdraw_reinvite(session, 500, now_ms)
            case ServerTimer.ACK:
                self._give_up_ack(session, now_ms)
            case _:
                assert_never(timer)

    def _repeat_accept(self, session: Session, now_ms: int) -> None:
        unacked = session.unacked
        assert unacked is not None, "REPEAT_ACCEPT stops with the ACK"
        agent = self._agent
        agent.layer.respond(unacked.transaction, unacked.response, now_ms)
        unacked.interval_ms = min(2 * unacked.interval_ms, T2_MS)
        at_ms = now_ms + unacked.interval_ms
        agent.timers.start(session, ServerTimer.REPEAT_ACCEPT, at_ms)

    def _give_up_ack(self, session: Session, now_ms: int) -> None:
        session.unacked = None
        self._agent.timers.stop(session, ServerTimer.REPEAT_ACCEPT)
        if session.is_living:
            self._agent.end(session, _S.LEAVING, EndCause.ACK_MISSING, now_ms)
        else:
            session.move(_S.LEAVING)
        self._agent.leave(session, now_ms)


def _content_refusal(request: Request) -> Refusal | None:
    """What is wrong with a body of an INVITE or INFO."""
    if request.method not in {"INVITE", "INFO"} or not request.body:
        return None
    encoding = request.headers.get("content-encoding").strip().lower()
    if encoding not in {"", "identity"}:
        return Refusal(415, fields=(("Accept-Encoding", "identity"),))
    if not request.content_type:
        return Refusal(400, "Missing Content-Type")
    accepted = INFO_TYPES if request.method == "INFO" else ("application/sdp",)
    if request.content_type not in accepted:
        return Refusal(415, fields=(("Accept", ", ".join(accepted)),))
    return None
