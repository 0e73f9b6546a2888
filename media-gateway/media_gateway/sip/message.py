"""Requests and responses as they stand on the wire (RFC 3261, sections 7 and 18.3).

Parsing is lazy: a message is cut into lines once, and a header is understood when somebody
asks for it. What every message must have is checked by `parse`, so that nothing behind it
meets a request without a From or a CSeq that is no number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from media_gateway.sip.address import URI, NameAddr
from media_gateway.sip.grammar import MalformedField, is_token, parse_number
from media_gateway.sip.headers import (
    MAX_HEADER_CHARS,
    MAX_HEADERS,
    HeaderFields,
    Headers,
    canonical,
    is_name,
)
from media_gateway.sip.via import Via

MAX_MESSAGE_BYTES = 65_535
"""The longest datagram, and the longest message on a stream."""
MAX_CSEQ = 2**31 - 1
"""RFC 3261, section 8.1.1.5."""
MAX_FORWARDS = 70
"""What a request starts with, and what one that names no limit is taken to have."""

_NEEDED_TO_ANSWER = tuple((name, name.lower()) for name in ("Via", "From", "To", "Call-ID", "CSeq"))
_ONCE = tuple(
    (name, name.lower())
    for name in (
        *("Call-ID", "Content-Length", "Content-Type", "CSeq"),
        *("From", "Max-Forwards", "To"),
    )
)


T = TypeVar("T")


class _understood(Generic[T]):  # noqa: N801 - it is read as a decorator
    """An attribute worked out when first asked for; `functools` would take a lock each time."""

    def __init__(self, work_out: Callable[[Any], T]) -> None:
        self._work_out = work_out
        self._name = work_out.__name__
        self.__doc__ = work_out.__doc__

    def __get__(self, message: object, _owner: type | None = None) -> T:
        value = self._work_out(message)
        message.__dict__[self._name] = value
        return value


class MalformedMessage(ValueError):
    """Bytes that are no SIP message; the text is the reason phrase of a refusal."""

    def __init__(self, reason: str, *, status: int = 400, refusable: Request | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.refusable = refusable
        """What was understood of a request that can be refused; None asks for silence."""


@dataclass(frozen=True, slots=True)
class CSeq:
    """A request's place in its dialog."""

    number: int
    """0 to 2^31 - 1."""

    method: str
    """The request's method, repeated."""

    @classmethod
    def parse(cls, text: str) -> CSeq:
        """Read `number method`."""
        words = text.split()
        if len(words) != 2 or not is_token(words[1]):
            raise MalformedField("Bad CSeq")
        return cls(parse_number(words[0], limit=MAX_CSEQ), words[1])

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


class _Parts:
    """The headers that requests and responses share, understood on demand."""

    headers: Headers
    body: bytes

    @_understood
    def from_(self) -> NameAddr:
        """Who asks."""
        return NameAddr.parse(self.headers.get("from"))

    @_understood
    def to(self) -> NameAddr:
        """Who was asked for."""
        return NameAddr.parse(self.headers.get("to"))

    @_understood
    def call_id(self) -> str:
        """Call-ID as written; it compares with case."""
        return self.headers.get("call-id")

    @_understood
    def cseq(self) -> CSeq:
        """Number and method."""
        return CSeq.parse(self.headers.get("cseq"))

    @_understood
    def vias(self) -> list[str]:
        """The hops of a request so far, or of a response still to come, as written."""
        return self.headers.values("via")

    @_understood
    def top_via(self) -> Via:
        """The hop that sent this request, or our own hop on a response."""
        if not self.vias:
            raise MalformedField("Missing Via")
        return Via.parse(self.vias[0])

    @_understood
    def contact(self) -> NameAddr | None:
        """The one Contact; None when there is none or only `*`."""
        values = self.headers.values("contact")
        return NameAddr.parse(values[0]) if values and values[0] != "*" else None

    @_understood
    def content_type(self) -> str:
        """Media type without parameters, lower case; empty without a body's type."""
        return self.headers.get("content-type").partition(";")[0].strip().lower()

    @property
    def sdp(self) -> bytes | None:
        """The body if it is a session description."""
        return self.body if self.body and self.content_type == "application/sdp" else None


@dataclass(frozen=True)
class Request(_Parts):
    """A SIP request."""

    method: str
    """A token; compares with case."""

    uri: str
    """Request-URI as written."""

    headers: Headers
    """Every header field, in order."""

    body: bytes = b""
    """Content, not decoded."""

    @_understood
    def address(self) -> URI:
        """The Request-URI; `MalformedField` if it is none."""
        return URI.parse(self.uri)

    @_understood
    def max_forwards(self) -> int:
        """Hops left."""
        value = self.headers.get("max-forwards")
        return parse_number(value, limit=255) if value else MAX_FORWARDS

    def by(self, transport: str) -> Request:
        """The same request of ours, its one Via naming another transport."""
        via = ("Via", str(replace(self.top_via, transport=transport)))
        rest = (item for item in self.headers if canonical(item[0]) != "via")
        return replace(self, headers=Headers([via, *rest]))

    def encode(self) -> bytes:
        """The datagram."""
        return _encode(f"{self.method} {self.uri} SIP/2.0", self.headers, self.body)


@dataclass(frozen=True)
class Response(_Parts):
    """A SIP response."""

    status: int
    """100 to 699."""

    reason: str
    """Reason phrase, possibly empty."""

    headers: Headers
    """Every header field, in order."""

    body: bytes = b""
    """Content, not decoded."""

    def encode(self) -> bytes:
        """The datagram."""
        return _encode(f"SIP/2.0 {self.status} {self.reason}", self.headers, self.body)


def parse(data: bytes) -> Request | Response:
    """Read one datagram; `MalformedMessage` if it is no message that RFC 3261 allows."""
    if len(data) > MAX_MESSAGE_BYTES:
        raise MalformedMessage("Message Too Large")
    head, blank, rest = data.partition(b"\r\n\r\n")
    if not blank:
        raise MalformedMessage("No End Of Headers")
    # Bytes that are no UTF-8 survive a round trip as surrogates.
    start, *lines = head.decode("utf-8", "surrogateescape").split("\r\n")
    if head.count(b"\r") != len(lines) or head.count(b"\n") != len(lines):
        raise MalformedMessage("Bare Line Break")
    fault = ""
    try:
        headers = Headers(_fields(lines))
    except MalformedField as error:
        raise MalformedMessage(str(error)) from error
    try:
        body = _body(headers, rest)
    except MalformedField as error:
        fault, body = str(error), b""
    if start[:4].upper() == "SIP/":
        if fault:
            raise MalformedMessage(fault)
        return _response(start, headers, body)
    return _request(start, headers, body, fault)


def _request(start: str, headers: Headers, body: bytes, fault: str) -> Request:
    method, _, rest = start.partition(" ")
    uri, _, version = rest.partition(" ")
    request = Request(method, uri, headers, body)
    # A request line that cannot be read says nothing of its version.
    if not is_token(method) or not uri or "\t" in uri or " " in version or not version:
        raise _refusal(request, "Malformed Request Line")
    if version.upper() != "SIP/2.0":
        if version[:4].upper() == "SIP/":
            raise _refusal(request, "Version Not Supported", status=505)
        raise _refusal(request, "Malformed Request Line")
    fault = fault or _fault(request, method)
    if fault:
        raise _refusal(request, fault)
    return request


def _response(start: str, headers: Headers, body: bytes) -> Response:
    version, _, rest = start.partition(" ")
    code, _, reason = rest.partition(" ")
    if version.upper() != "SIP/2.0" or len(code) != 3 or not code.isascii() or not code.isdigit():
        raise MalformedMessage("Malformed Status Line")
    response = Response(int(code), reason, headers, body)
    if not 100 <= response.status <= 699:
        raise MalformedMessage("Status Out Of Range")
    fault = _fault(response, None)
    if fault:
        raise MalformedMessage(fault)
    return response


def _fields(lines: list[str]) -> HeaderFields:
    """Cut header lines into names and values, folded lines joined by one space."""
    fields: list[tuple[str, str]] = []
    for line in lines:
        if line[:1] in {" ", "\t"}:
            if not fields:
                raise MalformedField("Folded First Line")
            name, value = fields.pop()
            more = line.strip(" \t")
            value = f"{value} {more}".strip(" ")
        else:
            name, colon, value = line.partition(":")
            name, value = name.rstrip(" \t"), value.strip(" \t")
            if not colon or not is_name(name):
                raise MalformedField("Malformed Header")
        if len(value) > MAX_HEADER_CHARS:
            raise MalformedField("Header Too Long")
        if len(fields) >= MAX_HEADERS:
            raise MalformedField("Too Many Headers")
        fields.append((name, value))
    return fields


def _body(headers: Headers, rest: bytes) -> bytes:
    """The content: what follows a datagram's declared length is ignored (section 18.3)."""
    lengths = headers.all("content-length")
    if not lengths:
        return rest
    length = parse_number(lengths[0], limit=MAX_MESSAGE_BYTES)
    if length > len(rest):
        raise MalformedField("Content-Length Exceeds Body")
    return rest[:length]


def _fault(message: Request | Response, method: str | None) -> str:
    """What is wrong with the headers that everything else relies on; empty if nothing."""
    for name, key in _NEEDED_TO_ANSWER:
        if not message.headers.get(key):
            return f"Missing {name}"
    for name, key in _ONCE:
        if len(message.headers.all(key)) > 1:
            return f"Repeated {name}"
    for name, understand in _CHECKS:
        try:
            understand(message)
        except MalformedField as error:
            return f"Bad {name} ({error})"
    if method is not None and message.cseq.method != method:
        return "CSeq Method Does Not Match"
    return ""


_CHECKS: tuple[tuple[str, Callable[[Request | Response], object]], ...] = (
    ("Via", lambda message: message.top_via),
    ("From", lambda message: message.from_),
    ("To", lambda message: message.to),
    ("CSeq", lambda message: message.cseq),
    # A response is better understood without its Contact than not at all.
    ("Contact", lambda message: isinstance(message, Response) or message.contact),
    ("Max-Forwards", lambda message: isinstance(message, Response) or message.max_forwards),
)


def _refusal(request: Request, reason: str, *, status: int = 400) -> MalformedMessage:
    """The error for a request: refusable if there is enough to answer, and ACK never is."""
    headers = request.headers
    refusable = request.method != "ACK" and all(headers.get(key) for _, key in _NEEDED_TO_ANSWER)
    try:
        request.top_via  # noqa: B018 - asked only whether it can be read
    except MalformedField:
        refusable = False
    return MalformedMessage(reason, status=status, refusable=request if refusable else None)


def _encode(start: str, headers: Headers, body: bytes) -> bytes:
    lines = [start]
    lines += [f"{name}: {value}" for name, value in headers if canonical(name) != "content-length"]
    lines.append(f"Content-Length: {len(body)}\r\n\r\n")
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + body
