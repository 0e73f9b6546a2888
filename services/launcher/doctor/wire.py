"""As much of SIP, RTP and RTCP as one call of a doctor needs (RFC 3261, 3550)."""

from __future__ import annotations

import re
import secrets
import struct
from dataclasses import dataclass
from typing import Final

MAX_DATAGRAM: Final = 65_535
PCMU: Final = 0
FRAME_BYTES: Final = 160
SENDER_REPORT, RECEIVER_REPORT = 200, 201
_TONE: Final = bytes((0x80, 0x9A, 0xFF, 0x1A) * (FRAME_BYTES // 4))
"""20 ms of something that is not silence, in G.711 mu-law."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, as far as a doctor cares."""

    status: int
    """For example 200."""
    reason: str
    """In the other side's words."""
    headers: tuple[tuple[str, str], ...]
    """In order, names in lower case."""
    body: str
    """SDP, or nothing."""

    def every(self, name: str) -> list[str]:
        """All values of a header."""
        return [value for key, value in self.headers if key == name]

    def one(self, name: str) -> str:
        """The first value; empty when there is none."""
        return next(iter(self.every(name)), "")


def parse(data: bytes) -> Answer | None:
    """A response; None when it is none."""
    head, _, body = data.decode(errors="replace").partition("\r\n\r\n")
    lines = re.sub(r"\r\n[ \t]+", " ", head).split("\r\n")
    start = re.fullmatch(r"SIP/2\.0 ([1-6]\d\d) ?(.*)", lines[0])
    if start is None:
        return None
    pairs = (line.partition(":") for line in lines[1:])
    headers = tuple((name.strip().lower(), value.strip()) for name, _, value in pairs)
    short = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact"}
    named = tuple((short.get(name, name), value) for name, value in headers)
    return Answer(int(start[1]), start[2], named, body)


@dataclass(slots=True)
class Dialog:
    """What a doctor's requests are written from; it has one call at most."""

    host: str
    """Its own address."""
    port: int
    """For SIP."""
    target: str
    """The request's URI; after an answer the other side's contact."""
    to: str
    """Whom it wants; after an answer with the other side's tag."""
    caller: str
    """What the other side sees as the caller's number."""
    call_id: str
    """One for the call."""
    tag: str
    """Its own."""
    routes: tuple[str, ...] = ()
    """The way that in-dialog requests take (RFC 3261, 12.1.2)."""

    @classmethod
    def begin(cls, *, host: str, port: int, uri: str, caller: str) -> Dialog:
        """Nothing is sent yet."""
        token = secrets.token_hex(8)
        return cls(host, port, uri, f"<{uri}>", caller, f"{token}@{host}", secrets.token_hex(4))

    def request(self, method: str, cseq: int, branch: str, body: str = "") -> bytes:
        """A request; an ACK to a 200 has a branch of its own, one to a refusal the INVITE's."""
        contact = f"<sip:doctor@{self.host}:{self.port}>"
        lines = [
            f"{method} {self.target} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.host}:{self.port};branch=z9hG4bK{branch};rport",
            "Max-Forwards: 70",
            *(f"Route: {route}" for route in self.routes),
            f"From: <sip:{self.caller}@{self.host}>;tag={self.tag}",
            f"To: {self.to}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {cseq} {method}",
            f"Contact: {contact}",
            "User-Agent: Carillon doctor",
        ]
        if body:
            lines.append("Content-Type: application/sdp")
        lines.append(f"Content-Length: {len(body)}")
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()

    def answered(self, answer: Answer) -> None:
        """Takes from a 200 where requests go from now on."""
        self.to = answer.one("to")
        contact = re.search(r"<([^>]+)>", answer.one("contact"))
        if contact is not None:
            self.target = contact[1]
        listed = ", ".join(answer.every("record-route"))
        self.routes = tuple(reversed(re.findall(r"<[^>]+>[^,]*", listed)))


def offer(host: str, port: int) -> str:
    """SDP for one leg of G.711."""
    return (
        f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP {PCMU}\r\na=rtpmap:{PCMU} PCMU/8000\r\na=ptime:20\r\n"
    )


def media_of(sdp: str) -> tuple[str, int] | None:
    """Where an answer wants audio; None when it wants none."""
    host = re.search(r"^c=IN IP4 (\S+)", sdp, re.MULTILINE)
    port = re.search(r"^m=audio (\d+)", sdp, re.MULTILINE)
    if host is None or port is None or not int(port[1]):
        return None
    return host[1], int(port[1])


def frame(ssrc: int, number: int) -> bytes:
    """One packet of 20 ms of a tone."""
    head = struct.pack("!BBHII", 0x80, PCMU, number & 0xFFFF, number * FRAME_BYTES, ssrc)
    return head + _TONE


def is_rtp(data: bytes) -> bool:
    """Whether a datagram may be a packet of audio."""
    return len(data) > 12 and data[0] >> 6 == 2


def reports_on(data: bytes, ssrc: int) -> bool:
    """Whether a compound of reports has one on this source: that it was heard."""
    at = 0
    while at + 4 <= len(data):
        first, kind, words = struct.unpack_from("!BBH", data, at)
        end = at + 4 + 4 * words
        if kind in {SENDER_REPORT, RECEIVER_REPORT} and end <= len(data):
            begin = at + 8 + (20 if kind == SENDER_REPORT else 0)
            for block in range(first & 0x1F):
                place = begin + 24 * block
                if place + 4 <= end and struct.unpack_from("!I", data, place)[0] == ssrc:
                    return True
        at = end
    return False
