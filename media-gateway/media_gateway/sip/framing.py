"""Messages out of a stream of bytes (RFC 3261, section 18.3; RFC 5626, section 4.4.1).

A stream has no datagrams: a message ends where its Content-Length says, and a stream whose next
message cannot be found has no further one. Two empty lines between messages are a question whether
the other side is alive.
"""

from __future__ import annotations

import re

from media_gateway.sip.message import MAX_MESSAGE_BYTES

MAX_HEAD_BYTES = 32_768
"""Of one message's start line and headers."""
PING = b"\r\n\r\n"
PONG = b"\r\n"
_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = re.compile(
    rb"\r\n(?:content-length|l)[ \t]*:[ \t]*(\d{1,9})[ \t]*(?=\r\n)", re.IGNORECASE
)


class BrokenStream(ValueError):
    """Where the next message begins cannot be known any more; the connection is of no use."""


class Framer:
    """Cuts one connection's bytes into messages."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        # What was found out is kept, so that bytes that drip in are each looked at once.
        self._searched = self._whole = 0
        self.pings = 0
        """Questions that wait for a PONG; whoever answers takes them off."""

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that are whole now; BrokenStream when there is no way to go on."""
        self._bytes += data
        messages = []
        while (message := self._next()) is not None:
            messages.append(message)
        return messages

    @property
    def is_inside(self) -> bool:
        """Whether a message has begun and not ended."""
        # More bytes than a question has are no empty lines: those were taken off.
        return len(self._bytes) > len(PING) or bool(self._bytes.strip(PONG))

    def _next(self) -> bytes | None:
        if not self._whole:
            self._skip_keep_alives()
            self._whole = self._measure()
        if not self._whole or len(self._bytes) < self._whole:
            return None
        message = bytes(self._bytes[: self._whole])
        del self._bytes[: self._whole]
        self._searched = self._whole = 0
        return message

    def _measure(self) -> int:
        """How long the message is that begins here; 0 while its headers are not whole."""
        end = self._bytes.find(_END_OF_HEAD, self._searched)
        if end < 0:
            if len(self._bytes) > MAX_HEAD_BYTES:
                raise BrokenStream(f"no end of the headers in {MAX_HEAD_BYTES} bytes")
            # What stands last may be the beginning of the end.
            self._searched = max(0, len(self._bytes) - len(_END_OF_HEAD) + 1)
            return 0
        if end > MAX_HEAD_BYTES:
            raise BrokenStream(f"headers of {end} bytes")
        lengths = {int(found) for found in _LENGTH.findall(bytes(self._bytes[: end + 2]))}
        if len(lengths) != 1:
            raise BrokenStream("a message on a stream needs one Content-Length")
        length = lengths.pop()
        whole = end + len(_END_OF_HEAD) + length
        if whole > MAX_MESSAGE_BYTES:
            raise BrokenStream(f"a message of {whole} bytes")
        return whole

    def _skip_keep_alives(self) -> None:
        while True:
            if self._bytes.startswith(PING):
                del self._bytes[: len(PING)]
                self.pings += 1
            elif self._bytes.startswith(PONG) and bytes(self._bytes[2:3]) not in {b"", b"\r"}:
                del self._bytes[: len(PONG)]
            else:
                return
