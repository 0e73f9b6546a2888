"""What both halves of the user agent share: identity, sessions, the way in and out.

`ServerCore` decides on requests, `ClientCore` on responses; both do it with these verbs, so
that the rules "exactly one `SessionEnded`" and "nothing is left behind" stand in one place.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from hashlib import blake2s

from media_gateway.sip.address import HostPort
from media_gateway.sip.auth import DigestSession
from media_gateway.sip.compose import (
    Identity,
    build_cancel,
    build_request,
    build_response,
    build_stateless,
)
from media_gateway.sip.dialog import Dialog
from media_gateway.sip.events import EndCause, SessionEnded, SessionId, SipEvent
from media_gateway.sip.headers import HeaderFields
from media_gateway.sip.limits import Limits
from media_gateway.sip.message import Request, Response
from media_gateway.sip.session import (
    ClientTimer,
    Errand,
    NoSuchSession,
    Session,
    SessionState,
    WrongState,
)
from media_gateway.sip.timers import Timers
from media_gateway.sip.transactions.layer import Datagram, Transaction, TransactionLayer
from media_gateway.sip.transactions.machine import PATIENCE_MS, Input


class UserAgent:
    """The sessions of one stack and the means to speak for them."""

    def __init__(
        self, *, identity: Identity, entropy: Callable[[], str], limits: Limits, contact_user: str
    ) -> None:
        self.identity = identity
        self.entropy = entropy
        self.limits = limits
        self.contact_user = contact_user
        self.contact = identity.contact(contact_user)
        self.timers: Timers[Hashable] = Timers()
        self.output: list[Datagram] = []
        self.events: list[SipEvent] = []
        self.layer = TransactionLayer(
            timers=self.timers, send=self.output.append, limit=limits.transactions
        )
        self.sessions: dict[SessionId, Session] = {}
        self.living = 0
        self._by_tag: dict[tuple[str, str], Session] = {}
        self._last_id = 0

    # Sessions

    def open_session(
        self,
        state: SessionState,
        dialog: Dialog,
        *,
        digest: DigestSession,
        contact: str | None = None,
        started_here: bool = False,
    ) -> Session:
        """Begin a session in INVITED or CALLING."""
        self._last_id += 1
        session = Session(
            session_id=SessionId(self._last_id),
            state=state,
            dialog=dialog,
            local_tag=dialog.local.tag,
            contact=self.contact if contact is None else contact,
            digest=digest,
            started_here=started_here,
        )
        self.sessions[session.session_id] = session
        self._by_tag[dialog.call_id, session.local_tag] = session
        self.living += 1
        return session

    def session(self, session_id: SessionId, *states: SessionState) -> Session:
        """The living session, if it is in one of the states."""
        session = self.sessions.get(session_id)
        if session is None or not session.is_living:
            raise NoSuchSession(session_id)
        if session.state not in states:
            raise WrongState(f"session {session_id} is {session.state.name}")
        return session

    def find_session(self, request: Request) -> Session | None:
        """The session that an in-dialog request belongs to, by Call-ID and both tags."""
        session = self._by_tag.get((request.call_id, request.to.tag))
        if session is None:
            return None
        tag = request.from_.tag
        known = session.dialog.remote.tag == tag or tag in session.early
        return session if known else None

    def end(
        self,
        session: Session,
        state: SessionState,
        cause: EndCause,
        now_ms: int,
        *,
        status: int = 0,
        phrase: str = "",
        reason: str = "",
        contacts: tuple[str, ...] = (),
        retry_after_s: int | None = None,
    ) -> None:
        """Tell the owner that the session is over; `state` says what the wire still needs."""
        assert session.is_living, "a session ends once"
        self.events.append(
            SessionEnded(session.session_id, cause, status, phrase, reason, contacts, retry_after_s)
        )
        self.living -= 1
        self._settle(session, state, now_ms)

    def close(self, session: Session, now_ms: int) -> None:
        """Forget a session whose end the owner knows."""
        assert not session.is_living, "the owner must be told first"
        if session.state is not SessionState.CLOSED:
            self._settle(session, SessionState.CLOSED, now_ms)

    def _settle(self, session: Session, state: SessionState, now_ms: int) -> None:
        session.move(state)
        if state is not SessionState.BYE_HELD:
            self.timers.stop(session)
            session.unacked = None
        if session.invited is not None:
            self.respond(session, session.invited, 487, now_ms)
            session.invited = None
        if state is not SessionState.CLOSED:
            return
        attempt = session.attempt
        if attempt is not None and attempt.transaction is not None:
            self.layer.feed(attempt.transaction, Input.ABANDON, now_ms)
        self.sessions.pop(session.session_id, None)
        self._by_tag.pop((session.dialog.call_id, session.local_tag), None)

    # Responses

    def respond(
        self,
        session: Session | None,
        transaction: Transaction,
        status: int,
        now_ms: int,
        *,
        reason: str = "",
        fields: HeaderFields = (),
        body: bytes = b"",
    ) -> Response:
        """Answer a request within its transaction; in a session with its Contact."""
        lines = list(fields)
        if session is not None and 100 < status < 300 and transaction.request.method == "INVITE":
            lines.insert(0, ("Contact", session.contact))
        response = build_response(
            self.identity,
            transaction.request,
            status,
            vias=transaction.vias,
            to_tag=transaction.to_tag,
            reason=reason,
            fields=lines,
            body=body,
        )
        self.layer.respond(transaction, response, now_ms)
        return response

    def respond_stateless(
        self,
        request: Request,
        source: HostPort,
        status: int,
        *,
        reason: str = "",
        fields: HeaderFields = (),
        to_tag: str = "",
    ) -> None:
        """Answer a request that changes nothing and is not worth a transaction."""
        response = build_stateless(
            self.identity,
            request,
            status,
            source=source,
            reason=reason,
            fields=fields,
            to_tag=to_tag,
        )
        destination = request.top_via.reply_address(source)
        self.output.append(Datagram(response.encode(), destination))

    # Requests

    def request(
        self,
        dialog: Dialog,
        method: str,
        number: int,
        *,
        contact: str = "",
        fields: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> tuple[Request, HostPort]:
        """A request within a dialog and its next hop."""
        uri, routes, next_hop = dialog.addressing()
        request = build_request(
            self.identity,
            dialog,
            method,
            via=self.identity.via(self.entropy(), next_hop.transport),
            number=number,
            uri=uri,
            routes=routes,
            contact=contact,
            fields=fields,
            body=body,
        )
        return request, next_hop

    def run(self, errand: Errand, now_ms: int) -> None:
        """Send (or, with credentials, send again) a BYE or INFO of a session."""
        session = errand.session
        assert session is not None, "an errand without session is sent once, by `dismiss`"
        session.dialog = session.dialog.advanced()
        uri = session.dialog.addressing()[0]
        proofs = session.digest.fields(errand.method, uri, errand.body)
        request, next_hop = self.request(
            session.dialog,
            errand.method,
            session.dialog.local_cseq,
            fields=(*proofs, *errand.fields),
            body=errand.body,
        )
        self.layer.open_client(request, next_hop, owner=errand, now_ms=now_ms)

    def leave(self, session: Session, now_ms: int) -> None:
        """Send the BYE of a session in LEAVING."""
        self.run(Errand(session, "BYE", session.bye_fields), now_ms)

    def dismiss(self, dialog: Dialog, now_ms: int) -> None:
        """Send BYE to a branch that accepted too late; its answer matters to nobody."""
        dialog = dialog.advanced()
        request, next_hop = self.request(dialog, "BYE", dialog.local_cseq)
        self.layer.open_client(request, next_hop, owner=Errand(None, "BYE"), now_ms=now_ms)

    def send_cancel(self, session: Session, invite: Transaction, now_ms: int) -> None:
        """Send CANCEL for our INVITE and wait, not for ever, for its final answer."""
        cancel = build_cancel(self.identity, invite.request, session.bye_fields)
        self.layer.open_client(
            cancel, invite.destination, owner=Errand(session, "CANCEL"), now_ms=now_ms
        )
        self.timers.start(session, ClientTimer.CANCELLED, now_ms + PATIENCE_MS)

    def random_ms(self, below_ms: int) -> int:
        """A number of milliseconds, in steps of 10, drawn from the owner's entropy."""
        drawn = blake2s(self.entropy().encode(), digest_size=4).digest()
        return int.from_bytes(drawn, "big") % (below_ms // 10) * 10
