"""Calls under way at a bench: one that came in, one that goes out."""

from __future__ import annotations

import pytest

from media_gateway.sip.auth import Credentials
from media_gateway.sip.events import (
    CallAcked,
    InviteAccepted,
    InviteReceived,
    SessionEnded,
    SessionId,
)
from media_gateway.sip.limits import Limits
from media_gateway.sip.message import Request, Response
from media_gateway.sip.stack import NoSuchSession
from tests.unit.sip.network import FROM, TO
from tests.unit.sip.wire import SDP, THERE, Bench, request, response

ANSWER = b"v=0\r\nanswer"
ALICE = Credentials("alice", "secret")


class Incoming(Bench):
    """A bench at which a call has come in."""

    def __init__(self, invite: bytes | None = None, **options: object) -> None:
        super().__init__(**options)
        self.invite = invite or request(body=SDP)
        (trying,) = self.give(self.invite)
        assert isinstance(trying, Response)
        assert trying.status == 100
        (event,) = self.events()
        assert isinstance(event, InviteReceived)
        self.event = event
        self.sid: SessionId = event.session_id
        self.tag = ""

    def accepted(self) -> Response:
        self.stack.accept(self.sid, ANSWER, self.now_ms)
        (ok,) = self.sent()
        assert isinstance(ok, Response)
        self.tag = ok.to.tag
        return ok

    def acked(self) -> Incoming:
        self.accepted()
        assert self.give(request("ACK", branch="z9hG4bKack", to_tag=self.tag)) == []
        assert self.events() == [CallAcked(self.sid, None)]
        return self

    def within(self, method: str, number: int = 2, **more: object) -> bytes:
        """A request of the caller's within the call."""
        branch = f"z9hG4bK{method}{number}"
        return request(
            method,
            branch=branch,
            to_tag=self.tag,
            number=number,
            **more,  # type: ignore[arg-type]  # each test names `request`'s own options
        )

    def end(self) -> SessionEnded:
        (event,) = self.events()
        assert isinstance(event, SessionEnded)
        assert event.session_id == self.sid
        with pytest.raises(NoSuchSession):
            self.stack.hang_up(self.sid, self.now_ms)
        return event


class Outgoing(Bench):
    """A bench from which a call goes out."""

    def __init__(self, *, limits: Limits | None = None, **options: object) -> None:
        super().__init__(limits=limits)
        self.sid = self.stack.invite(
            "sip:bob@192.0.2.1:5070",
            from_=FROM,
            to=TO,
            sdp=SDP,
            destination=THERE,
            now_ms=0,
            **options,  # type: ignore[arg-type]  # each test names `invite`'s own options
        )
        (self.invite,) = self.requests()

    def hear(self, status: int, **more: object) -> list[Request | Response]:
        """The far end answers our last INVITE."""
        return self.give(response(self.invite, status, **more))  # type: ignore[arg-type]  # as above

    def answered(self, **more: object) -> Request:
        (ack,) = self.hear(200, body=ANSWER, **more)
        assert isinstance(ack, Request)
        return ack

    def confirmed(self) -> Outgoing:
        self.answered()
        (event,) = self.events()
        assert isinstance(event, InviteAccepted)
        return self

    def reinvited(self) -> Request:
        self.stack.reinvite(self.sid, SDP, self.now_ms)
        (self.invite,) = self.requests()
        return self.invite

    def end(self) -> SessionEnded:
        (event,) = self.events()
        assert isinstance(event, SessionEnded)
        assert event.session_id == self.sid
        return event
