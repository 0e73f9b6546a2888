"""Which SIP messages belong to which call: each is shown here as it is sent or comes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from media_gateway.sip.address import HostPort
from media_gateway.sip.compose import reason_of
from media_gateway.sip.message import Request, Response

MAX_EARLY: Final = 16
"""Messages remembered of nobody's call: an INVITE and its 100 come before there is one."""
MAX_METHOD_CHARS: Final = 32
_STATUS_LINE: Final = b"SIP/2.0 "
_LINE_END: Final = b"\r\n"
_CALL_ID: Final = b"\r\nCall-ID: "
_CSEQ: Final = b"\r\nCSeq: "


@dataclass(frozen=True, slots=True)
class Seen:
    """One SIP message."""

    at_ms: int
    """UTC milliseconds."""
    sent: bool
    """True: it went out."""
    peer: HostPort
    """The other side."""
    line: str
    """Its method, or its status with the usual phrase."""
    cseq: str
    """Number and method of the request that it is, or answers."""


Note = Callable[[Seen], None]


class SipLadders:
    """Hands each message to the call that follows its Call-ID."""

    def __init__(self) -> None:
        self._followers: dict[str, Note] = {}
        self._early: deque[tuple[str, Seen]] = deque(maxlen=MAX_EARLY)

    def follow(self, sip_call_id: str, note: Note) -> None:
        """Tells of every message with this Call-ID, also of those that came just before."""
        self._followers[sip_call_id] = note
        for call_id, seen in self._early:
            if call_id == sip_call_id:
                note(seen)

    def forget(self, sip_call_id: str) -> None:
        """Tells of it no more."""
        self._followers.pop(sip_call_id, None)

    def received(self, message: Request | Response, source: HostPort, at_ms: int) -> None:
        """A message came."""
        if isinstance(message, Request):
            line = message.method[:MAX_METHOD_CHARS]
        else:
            line = f"{message.status} {reason_of(message.status)}"
        cseq = message.cseq
        shown = f"{cseq.number} {cseq.method[:MAX_METHOD_CHARS]}"
        self._tell(message.call_id, Seen(at_ms, False, source, line, shown))  # noqa: FBT003 - a field

    def sent(self, data: bytes, destination: HostPort, at_ms: int) -> None:
        """A message of ours goes out: its headers are written as only we write them."""
        first = data[: data.find(_LINE_END)]
        if first.startswith(_STATUS_LINE):
            status = int(first[8:11])
            line = f"{status} {reason_of(status)}"
        else:
            line = first[: first.find(b" ")].decode("ascii", "replace")
        seen = Seen(at_ms, True, destination, line, _field(data, _CSEQ))  # noqa: FBT003 - a field
        self._tell(_field(data, _CALL_ID), seen)

    def _tell(self, sip_call_id: str, seen: Seen) -> None:
        note = self._followers.get(sip_call_id)
        if note is None:
            self._early.append((sip_call_id, seen))
        else:
            note(seen)


def _field(data: bytes, name: bytes) -> str:
    begin = data.find(name) + len(name)
    return data[begin : data.find(_LINE_END, begin)].decode("utf-8", "surrogateescape")
