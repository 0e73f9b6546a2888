"""The half that asks: our INVITEs, re-INVITEs and INFOs, and what becomes of them."""

from __future__ import annotations

from typing import assert_never

from media_gateway.sip.address import NameAddr
from media_gateway.sip.compose import build_request
from media_gateway.sip.dialog import Dialog
from media_gateway.sip.events import (
    EndCause,
    InfoDone,
    InviteAccepted,
    ProvisionalReceived,
    ReinviteDone,
)
from media_gateway.sip.grammar import MalformedField, parse_number, presentable
from media_gateway.sip.message import Response
from media_gateway.sip.session import (
    MAX_BRANCHES,
    Attempt,
    ClientTimer,
    Errand,
    Session,
    SessionState,
)
from media_gateway.sip.transactions.layer import Datagram
from media_gateway.sip.transactions.machine import T1_MS, Input, State
from media_gateway.sip.user_agent import UserAgent

MAX_CROSSED = 3
"""Times that a re-INVITE refused with 491 is sent again."""
MAX_CONTACTS = 16
"""Contacts read from one redirection."""
MAX_RETRY_AFTER_S = 24 * 3_600
"""A longer Retry-After is taken for this."""

_S = SessionState
_SDP = ("Content-Type", "application/sdp")


class ClientCore:
    """Decides on the answers to our requests."""

    def __init__(self, agent: UserAgent) -> None:
        self._agent = agent

    # What the owner asks for

    def send(self, attempt: Attempt, now_ms: int) -> None:
        """Send an INVITE, for the first time or again with what was learned."""
        agent = self._agent
        session = attempt.session
        session.dialog = session.dialog.advanced()
        uri, routes, next_hop = session.dialog.addressing()
        destination = attempt.destination or next_hop
        attempt.proofs = tuple(session.digest.fields("INVITE", uri, attempt.sdp))
        request = build_request(
            agent.identity,
            session.dialog,
            "INVITE",
            via=agent.identity.via(agent.entropy(), destination.transport),
            number=session.dialog.local_cseq,
            uri=uri,
            routes=routes,
            contact=session.contact,
            fields=(*attempt.proofs, *attempt.fields, _SDP),
            body=attempt.sdp,
            max_forwards=attempt.max_forwards,
        )
        session.attempt = attempt
        attempt.transaction = agent.layer.open_client(
            request, destination, owner=attempt, now_ms=now_ms
        )
        if not attempt.first:
            at_ms = now_ms + agent.limits.reinvite_ms
            agent.timers.start(session, ClientTimer.OUR_REINVITE, at_ms)

    def send_or_wait(self, attempt: Attempt, now_ms: int) -> None:
        """Send a re-INVITE once no other is under way either way (RFC 3261, section 14.1)."""
        session = attempt.session
        session.attempt = attempt
        if session.invited is None and session.unacked is None:
            self.send(attempt, now_ms)
            return
        attempt.transaction = None
        self._agent.timers.start(session, ClientTimer.GLARE, now_ms + T1_MS)

    def cancel(self, session: Session, cause: EndCause, now_ms: int, *, status: int = 0) -> None:
        """Give up an INVITE without final answer; CANCEL waits for the first 1xx."""
        agent = self._agent
        if session.state is _S.CALLING:
            agent.end(session, _S.CANCEL_HELD, cause, now_ms, status=status)
            return
        agent.end(session, _S.CANCELLING, cause, now_ms, status=status)
        self._send_cancel(session, now_ms)

    # What comes back

    def receive(self, owner: object, response: Response, now_ms: int) -> None:
        """Take an answer, or the 408 or 503 that stands for none, to one of our requests."""
        if isinstance(owner, Errand):
            if response.status >= 200:
                self._errand_done(owner, response, now_ms)
            return
        assert isinstance(owner, Attempt), "our requests are attempts and errands"
        if response.status < 200:
            self._provisional(owner, response, now_ms)
        elif response.status < 300:
            self._accepted(owner, response, now_ms)
        elif owner.first:
            self._failed(owner, response, now_ms)
        else:
            self._reinvite_failed(owner, response, now_ms)

    def _provisional(self, attempt: Attempt, response: Response, now_ms: int) -> None:
        session = attempt.session
        if not attempt.first:
            return
        if session.state is _S.CANCEL_HELD:
            session.move(_S.CANCELLING)
            self._send_cancel(session, now_ms)
            return
        if session.state is _S.CALLING:
            session.move(_S.PROCEEDING)
        if session.state is not _S.PROCEEDING or response.status == 100:
            return
        tag = response.to.tag
        if tag and (tag in session.early or len(session.early) < MAX_BRANCHES):
            dialog = _answered(session.dialog, response)
            if dialog is None:
                return
            session.early[tag] = dialog
        self._agent.events.append(
            ProvisionalReceived(
                session.session_id,
                response.status,
                presentable(response.reason),
                response.sdp,
                tag,
            )
        )

    def _accepted(self, attempt: Attempt, response: Response, now_ms: int) -> None:
        agent, session = self._agent, attempt.session
        tag = response.to.tag
        if tag in attempt.acks:
            agent.output.append(attempt.acks[tag])
            return
        if len(attempt.acks) >= MAX_BRANCHES:
            return
        if not attempt.first:
            self._reinvite_accepted(attempt, response)
            return
        dialog = _answered(session.dialog, response)
        if dialog is None:
            self._broken_answer(session, now_ms)
            return
        if session.state in {_S.CALLING, _S.PROCEEDING}:
            self._confirm(attempt, dialog, response, now_ms)
            return
        self._acknowledge(attempt, dialog, tag)
        if session.state in {_S.CANCEL_HELD, _S.CANCELLING}:
            # The answer crossed our CANCEL: the far end believes in a call, so end it.
            session.dialog = dialog
            session.attempt = None
            session.move(_S.LEAVING)
            agent.timers.stop(session)
            agent.leave(session, now_ms)
        else:
            # Another branch answered as well: one call is enough (RFC 3261, 13.2.2.4).
            agent.dismiss(dialog, now_ms)

    def _confirm(self, attempt: Attempt, dialog: Dialog, response: Response, now_ms: int) -> None:
        agent, session = self._agent, attempt.session
        session.dialog = dialog
        session.attempt = None
        session.early.clear()
        session.move(_S.CONFIRMED)
        agent.timers.stop(session)
        agent.timers.start(session, ClientTimer.LONGEST, now_ms + agent.limits.session_ms)
        self._acknowledge(attempt, dialog, response.to.tag)
        agent.events.append(
            InviteAccepted(
                session.session_id, response.sdp, response.to.tag, response.headers.presentable()
            )
        )

    def _reinvite_accepted(self, attempt: Attempt, response: Response) -> None:
        session = attempt.session
        if response.to.tag != session.dialog.remote.tag:
            return
        session.dialog = session.dialog.refreshed(response)
        self._acknowledge(attempt, session.dialog, response.to.tag)
        if session.attempt is attempt and session.is_living:
            self._reinvite_over(session, response)

    def _broken_answer(self, session: Session, now_ms: int) -> None:
        """A 2xx whose route back cannot be read can be neither acknowledged nor ended."""
        if session.is_living and session.state is not _S.CONFIRMED:
            phrase = "Malformed Answer"
            self._agent.end(session, _S.CLOSED, EndCause.FAILED, now_ms, status=502, phrase=phrase)
        elif session.state in {_S.CANCEL_HELD, _S.CANCELLING}:
            self._agent.close(session, now_ms)

    def _acknowledge(self, attempt: Attempt, dialog: Dialog, tag: str) -> None:
        """Send the ACK of a 2xx, and keep it for when the 2xx comes again."""
        transaction = attempt.transaction
        assert transaction is not None, "a 2xx comes by a transaction"
        number = transaction.request.cseq.number
        request, next_hop = self._agent.request(dialog, "ACK", number, fields=attempt.proofs)
        attempt.acks[tag] = Datagram(request.encode(), next_hop)
        self._agent.output.append(attempt.acks[tag])

    def _failed(self, attempt: Attempt, response: Response, now_ms: int) -> None:
        agent, session = self._agent, attempt.session
        if not session.is_living:
            agent.close(session, now_ms)
            return
        if self._may_retry(session, response, attempt.authorised):
            attempt.authorised += 1
            if session.state is _S.PROCEEDING:
                session.move(_S.CALLING)
            session.early.clear()
            self.send(attempt, now_ms)
            return
        agent.end(
            session,
            _S.CLOSED,
            EndCause.FAILED,
            now_ms,
            status=response.status,
            phrase=presentable(response.reason),
            reason=presentable(response.headers.get("reason")),
            contacts=_contacts(response) if response.status < 400 else (),
            retry_after_s=_retry_after(response),
        )

    def _reinvite_failed(self, attempt: Attempt, response: Response, now_ms: int) -> None:
        agent, session = self._agent, attempt.session
        if session.attempt is not attempt or not session.is_living:
            return
        if self._may_retry(session, response, attempt.authorised):
            attempt.authorised += 1
            self.send(attempt, now_ms)
        elif response.status == 491 and attempt.crossed < MAX_CROSSED:
            attempt.crossed += 1
            attempt.transaction = None
            agent.timers.stop(session, ClientTimer.OUR_REINVITE, ClientTimer.CANCELLED)
            agent.timers.start(session, ClientTimer.GLARE, now_ms + self._glare_ms(session))
        elif response.status in {408, 481}:
            session.attempt = None
            agent.end(session, _S.LEAVING, EndCause.DIALOG_LOST, now_ms, status=response.status)
            agent.leave(session, now_ms)
        else:
            self._reinvite_over(session, response)

    def _reinvite_over(self, session: Session, response: Response) -> None:
        session.attempt = None
        self._agent.timers.stop(
            session, ClientTimer.OUR_REINVITE, ClientTimer.CANCELLED, ClientTimer.GLARE
        )
        self._agent.events.append(
            ReinviteDone(
                session.session_id, response.status, presentable(response.reason), response.sdp
            )
        )

    def give_way(self, session: Session) -> None:
        """Drop a re-INVITE that waits after a 491: the other side's change came first."""
        attempt = session.attempt
        if attempt is None or attempt.transaction is not None:
            return
        session.attempt = None
        self._agent.timers.stop(session, ClientTimer.GLARE)
        self._agent.events.append(ReinviteDone(session.session_id, 491, "Request Pending", None))

    def _errand_done(self, errand: Errand, response: Response, now_ms: int) -> None:
        agent, session = self._agent, errand.session
        if session is None or errand.method == "CANCEL" or session.state is _S.CLOSED:
            return
        if self._may_retry(session, response, errand.authorised):
            errand.authorised += 1
            agent.run(errand, now_ms)
        elif errand.method == "BYE":
            agent.close(session, now_ms)
        elif session.is_living:
            agent.events.append(InfoDone(session.session_id, response.status))
            # Silence is no proof: phones that know no INFO ignore it and talk on.
            if response.status == 481:
                agent.end(session, _S.LEAVING, EndCause.DIALOG_LOST, now_ms, status=481)
                agent.leave(session, now_ms)

    # Timers

    def fire(self, session: Session, timer: ClientTimer, now_ms: int) -> None:
        """One of the timers that watch over what we asked."""
        agent = self._agent
        match timer:
            case ClientTimer.RINGING:
                self.cancel(session, EndCause.NOBODY_ANSWERED, now_ms, status=408)
            case ClientTimer.CANCELLED if not session.is_living:
                agent.close(session, now_ms)
            case ClientTimer.CANCELLED:
                self._abandon_reinvite(session, now_ms)
            case ClientTimer.OUR_REINVITE:
                self._send_cancel(session, now_ms)
            case ClientTimer.GLARE:
                assert session.attempt is not None, "GLARE stops with its re-INVITE"
                self.send_or_wait(session.attempt, now_ms)
            case ClientTimer.LONGEST:
                agent.end(session, _S.LEAVING, EndCause.TOO_LONG, now_ms)
                agent.leave(session, now_ms)
            case _:
                assert_never(timer)

    def _send_cancel(self, session: Session, now_ms: int) -> None:
        attempt = session.attempt
        assert attempt is not None, "asked only while our INVITE is pending"
        transaction = attempt.transaction
        # Without a 1xx there is nothing to cancel yet; the transaction's own patience ends it.
        if transaction is not None and transaction.state is State.PROCEEDING:
            self._agent.send_cancel(session, transaction, now_ms)

    def _abandon_reinvite(self, session: Session, now_ms: int) -> None:
        attempt = session.attempt
        assert attempt is not None, "CANCELLED stops with its re-INVITE"
        if attempt.transaction is not None:
            self._agent.layer.feed(attempt.transaction, Input.ABANDON, now_ms)
        self._agent.end(session, _S.LEAVING, EndCause.DIALOG_LOST, now_ms, status=408)
        self._agent.leave(session, now_ms)

    def _may_retry(self, session: Session, response: Response, authorised: int) -> bool:
        return response.status in {401, 407} and session.digest.learn(response, authorised)

    def _glare_ms(self, session: Session) -> int:
        """RFC 3261, section 14.1: whoever made the Call-ID waits longer."""
        if session.started_here:
            return 2_100 + self._agent.random_ms(1_900)
        return self._agent.random_ms(2_000)


def _answered(dialog: Dialog, response: Response) -> Dialog | None:
    try:
        return dialog.answered(response)
    except MalformedField:
        return None


def _contacts(response: Response) -> tuple[str, ...]:
    """The addresses of a redirection, the highest q first."""
    ranked: list[tuple[float, str]] = []
    try:
        values = response.headers.values("contact")
    except MalformedField:
        return ()
    for value in values[:MAX_CONTACTS]:
        try:
            contact = NameAddr.parse(value)
            q = float(contact.params.get("q") or 1)
        except ValueError:
            continue
        ranked.append((q, str(contact.uri)))
    return tuple(uri for _, uri in sorted(ranked, key=lambda item: -item[0]))


def _retry_after(response: Response) -> int | None:
    """Seconds of a Retry-After, whatever comment or parameters follow."""
    value = response.headers.get("retry-after").partition(";")[0].partition("(")[0].strip()
    try:
        return min(parse_number(value, limit=2**31), MAX_RETRY_AFTER_S)
    except MalformedField:
        return None
