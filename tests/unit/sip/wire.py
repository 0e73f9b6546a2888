"""A far end written by hand: requests and responses as text, for one stack under test."""

from __future__ import annotations

from collections.abc import Iterable

from media_gateway.sip.address import HostPort
from media_gateway.sip.message import Request, Response, parse
from media_gateway.sip.stack import SipStack
from tests.unit.sip.network import stack_at

HERE = HostPort("192.0.2.2", 5060)
THERE = HostPort("192.0.2.1", 5060)
SDP = b"v=0\r\nsomething"


def request(
    method: str = "INVITE",
    *,
    uri: str = "sip:bob@192.0.2.2",
    branch: str = "z9hG4bK1",
    from_tag: str = "theirs",
    to_tag: str = "",
    number: int = 1,
    cseq_method: str = "",
    call_id: str = "call-1",
    body: bytes = b"",
    content_type: str = "application/sdp",
    extra: Iterable[str] = (),
    leave_out: Iterable[str] = (),
    version: str = "SIP/2.0",
) -> bytes:
    """A request from THERE; `extra` are whole header lines, `leave_out` names headers."""
    tag = f";tag={to_tag}" if to_tag else ""
    lines = [
        f"Via: SIP/2.0/UDP 192.0.2.1;branch={branch}",
        "Max-Forwards: 70",
        f"From: <sip:alice@example.org>;tag={from_tag}",
        f"To: <sip:bob@example.com>{tag}",
        f"Call-ID: {call_id}",
        f"CSeq: {number} {cseq_method or method}",
        "Contact: <sip:alice@192.0.2.1>",
    ]
    if body:
        lines.append(f"Content-Type: {content_type}")
    dropped = tuple(f"{name}:" for name in leave_out)
    lines = [line for line in lines if not line.startswith(dropped)] if dropped else lines
    lines += [*extra, f"Content-Length: {len(body)}"]
    head = "\r\n".join([f"{method} {uri} {version}", *lines])
    return f"{head}\r\n\r\n".encode("utf-8", "surrogateescape") + body


def response(
    to: Request,
    status: int,
    *,
    tag: str = "theirs",
    reason: str = "Whatever",
    extra: Iterable[str] = (),
    body: bytes = b"",
) -> bytes:
    """The far end's response to a request of ours."""
    to_value = to.headers.get("to")
    if tag and "tag=" not in to_value:
        to_value = f"{to_value};tag={tag}"
    lines = [
        f"SIP/2.0 {status} {reason}",
        *(f"Via: {value}" for value in to.headers.all("via")),
        f"From: {to.headers.get('from')}",
        f"To: {to_value}",
        f"Call-ID: {to.call_id}",
        f"CSeq: {to.headers.get('cseq')}",
        *extra,
    ]
    if body:
        lines.append("Content-Type: application/sdp")
    if 200 <= status < 300 and to.method == "INVITE":
        lines.append("Contact: <sip:bob@192.0.2.1:5070>")
    lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape") + body


class Bench:
    """One stack at HERE, its datagrams read back as messages."""

    def __init__(self, **options: object) -> None:
        self.stack: SipStack = stack_at(HERE, **options)
        self.now_ms = 0

    def give(self, data: bytes, source: HostPort = THERE) -> list[Request | Response]:
        """Hand over a datagram; what the stack sends in return."""
        self.stack.receive(data, source, self.now_ms)
        return self.sent()

    def sent(self) -> list[Request | Response]:
        return [parse(datagram.data) for datagram in self.stack.take_output()]

    def requests(self) -> list[Request]:
        return [message for message in self.sent() if isinstance(message, Request)]

    def statuses(self, data: bytes, source: HostPort = THERE) -> list[int]:
        return [m.status for m in self.give(data, source) if isinstance(m, Response)]

    def answer(self, data: bytes) -> Response:
        """The one response to a request."""
        (message,) = self.give(data)
        assert isinstance(message, Response)
        return message

    def events(self) -> list[object]:
        return list(self.stack.take_events())

    def wait(self, ms: int) -> list[Request | Response]:
        """Let time pass, tick by tick; what the stack sends meanwhile."""
        until_ms = self.now_ms + ms
        sent: list[Request | Response] = []
        while (at_ms := self.stack.deadline_ms()) is not None and at_ms <= until_ms:
            self.now_ms = max(at_ms, self.now_ms)
            self.stack.tick(self.now_ms)
            sent += self.sent()
        self.now_ms = until_ms
        return sent

    def assert_idle(self) -> None:
        """Once every timer has run, nothing may be left."""
        self.wait(20 * 60_000)
        assert self.stack.active_sessions == 0
        assert self.stack.active_transactions == 0
        assert self.stack.is_idle
