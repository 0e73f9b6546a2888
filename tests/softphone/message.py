"""SIP messages as RFC 3261 writes them: parsed strictly, built plainly."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from tests.softphone.errors import NotSip

MAX_DATAGRAM: Final = 65_535
MAX_HEADERS: Final = 200
COMPACT: Final = {
    "i": "call-id",
    "m": "contact",
    "e": "content-encoding",
    "l": "content-length",
    "c": "content-type",
    "f": "from",
    "s": "subject",
    "k": "supported",
    "t": "to",
    "v": "via",
}
Headers = tuple[tuple[str, str], ...]

_TOKEN = r"[A-Za-z0-9\-.!%*_+`'~]+"
_REQUEST_LINE = re.compile(rf"({_TOKEN}) (\S+) SIP/2\.0")
_STATUS_LINE = re.compile(r"SIP/2\.0 ([1-6]\d\d) ([^\r\n]*)")
_HEADER = re.compile(rf"({_TOKEN})[ \t]*:[ \t]*(.*?)[ \t]*", re.DOTALL)
_CSEQ = re.compile(rf"(\d{{1,10}})[ \t]+({_TOKEN})")
_PARAMETER = re.compile(rf';[ \t]*({_TOKEN})(?:[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|[^;,"\s]+))?[ \t]*')
_NAME_ADDR = re.compile(r'((?:"(?:[^"\\]|\\.)*"|[^"<]*?))[ \t]*<([^<>]+)>[ \t]*(;.*)?', re.DOTALL)
_URI = re.compile(r"sips?:(?:([^@]+)@)?(\[[0-9A-Fa-f:.]+\]|[^:;?@]+)(?::(\d{1,5}))?([;?].*)?")
_VIA = re.compile(
    r"SIP[ \t]*/[ \t]*2\.0[ \t]*/[ \t]*(\w+)[ \t]+([^\s;:]+)[ \t]*(?::[ \t]*(\d+))?(.*)"
)


@dataclass(frozen=True, slots=True)
class URI:
    """The parts of a sip: URI that a phone acts on."""

    user: str
    host: str
    port: int
    parameters: dict[str, str]


@dataclass(frozen=True, slots=True)
class NameAddr:
    """A From, To, Contact or Route value."""

    display: str
    uri: str
    parameters: dict[str, str]


@dataclass(frozen=True, slots=True)
class Via:
    """One hop's sent-by and parameters (RFC 3261 section 20.42)."""

    transport: str
    host: str
    port: int
    parameters: dict[str, str]

    @property
    def branch(self) -> str:
        return self.parameters.get("branch", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What requests and responses share."""

    headers: Headers
    body: bytes = b""

    def all(self, name: str) -> list[str]:
        """Every value of a header, as written, in order."""
        wanted = name.lower()
        return [
            value for key, value in self.headers if COMPACT.get(key.lower(), key.lower()) == wanted
        ]

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        values = self.all(name)
        return values[0] if values else None

    def listed(self, name: str) -> list[str]:
        """Every element of a header that may hold several, split at its commas."""
        return [part for value in self.all(name) for part in split_list(value)]

    @property
    def call_id(self) -> str:
        return self.header("Call-ID") or ""

    @property
    def cseq(self) -> tuple[int, str]:
        match = _CSEQ.fullmatch(self.header("CSeq") or "")
        if match is None or int(match[1]) >= 2**31:
            raise NotSip(f"CSeq: {self.header('CSeq')}")
        return int(match[1]), match[2]

    @property
    def via(self) -> Via:
        values = self.listed("Via")
        if not values:
            raise NotSip("no Via")
        return parse_via(values[0])

    @property
    def from_tag(self) -> str:
        return parse_name_addr(self.header("From") or "").parameters.get("tag", "")

    @property
    def to_tag(self) -> str:
        return parse_name_addr(self.header("To") or "").parameters.get("tag", "")

    @property
    def first_line(self) -> str:
        raise NotImplementedError

    def encode(self) -> bytes:
        """On the wire, with Content-Length."""
        rows = [self.first_line, *(f"{name}: {value}" for name, value in self.headers)]
        head = "\r\n".join([*rows, f"Content-Length: {len(self.body)}"])
        return head.encode() + b"\r\n\r\n" + self.body


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Message):
    """A SIP request."""

    method: str
    uri: str

    @property
    def first_line(self) -> str:
        return f"{self.method} {self.uri} SIP/2.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Response(Message):
    """A SIP response."""

    status: int
    reason: str

    @property
    def first_line(self) -> str:
        return f"SIP/2.0 {self.status} {self.reason}"


def parse_message(data: bytes) -> Request | Response:
    """One datagram as one message; raises NotSip at anything RFC 3261's grammar forbids."""
    head, blank, body = data.partition(b"\r\n\r\n")
    if not blank or len(data) > MAX_DATAGRAM:
        raise NotSip("no blank line after the headers")
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        raise NotSip("headers that are not UTF-8") from error
    first, *rows = re.sub(r"\r\n[ \t]+", " ", text).split("\r\n")
    headers = tuple(_header(row) for row in rows)
    if len(headers) > MAX_HEADERS:
        raise NotSip(f"{len(headers)} headers")
    body = _sized(headers, body)
    if request := _REQUEST_LINE.fullmatch(first):
        return Request(method=request[1], uri=request[2], headers=headers, body=body)
    if status := _STATUS_LINE.fullmatch(first):
        return Response(status=int(status[1]), reason=status[2], headers=headers, body=body)
    raise NotSip(f"first line {first[:80]!r}")


def split_list(value: str) -> Iterator[str]:
    """The elements between commas that stand outside quotes and angle brackets."""
    start, quoted, angled, escaped = 0, False, False, False
    for at, char in enumerate(value):
        if escaped:
            escaped = False
        elif quoted:
            quoted, escaped = char != '"', char == "\\"
        elif char == '"':
            quoted = True
        elif char in "<>":
            angled = char == "<"
        elif char == "," and not angled:
            yield value[start:at].strip()
            start = at + 1
    yield value[start:].strip()


@lru_cache(maxsize=1024)
def parse_uri(text: str) -> URI:
    match = _URI.fullmatch(text)
    if match is None:
        raise NotSip(f"URI {text[:80]!r}")
    user, host, port, rest = match.groups()
    parameters = (rest or "").partition("?")[0]
    return URI(user or "", host, int(port or 5060), _parameters(parameters))


@lru_cache(maxsize=1024)
def parse_name_addr(text: str) -> NameAddr:
    match = _NAME_ADDR.fullmatch(text)
    if match is not None:
        return NameAddr(match[1].strip().strip('"'), match[2], _parameters(match[3] or ""))
    # Without angle brackets, parameters belong to the header (RFC 3261 section 20.10).
    uri, semicolon, rest = text.partition(";")
    if not uri or any(char in uri for char in '<>" \t,?'):
        raise NotSip(f"address {text[:80]!r}")
    return NameAddr("", uri, _parameters(semicolon + rest))


@lru_cache(maxsize=1024)
def parse_via(text: str) -> Via:
    match = _VIA.fullmatch(text)
    if match is None:
        raise NotSip(f"Via {text[:80]!r}")
    transport, host, port, rest = match.groups()
    return Via(transport, host, int(port or 5060), _parameters(rest.strip()))


def replaced(headers: Iterable[tuple[str, str]], extra: dict[str, str]) -> Headers:
    """The headers with `extra` instead of those of the same name, and what is new at the end."""
    names = {name.lower() for name in extra}
    kept = [(name, value) for name, value in headers if name.lower() not in names]
    return (*kept, *extra.items())


def _parameters(text: str) -> dict[str, str]:
    found, at = {}, 0
    while at < len(text):
        match = _PARAMETER.match(text, at)
        if match is None:
            raise NotSip(f"parameters {text[:80]!r}")
        found[match[1].lower()] = (match[2] or "").strip('"')
        at = match.end()
    return found


def _header(row: str) -> tuple[str, str]:
    match = _HEADER.fullmatch(row)
    if match is None:
        raise NotSip(f"header {row[:80]!r}")
    return match[1], match[2]


def _sized(headers: Headers, body: bytes) -> bytes:
    """The body, which must be exactly as long as Content-Length says when it is there."""
    lengths = [v for k, v in headers if COMPACT.get(k.lower(), k.lower()) == "content-length"]
    if not lengths:
        return body
    if len(lengths) > 1 or not lengths[0].isdigit() or int(lengths[0]) != len(body):
        raise NotSip(f"Content-Length {lengths} with {len(body)} octets")
    return body
