"""Keys of a peer as telephone events (RFC 4733), which the stock sender does not know.

They take the place of audio packets, so that sequence, source and pace stay the sender's.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

EVENT_TYPE: Final = 101
KEYS: Final = "0123456789*#ABCD"
_END: Final = 0x80
_VOLUME: Final = 10
_FRAMES: Final = 5
_END_PACKETS: Final = 3
_PAUSE_FRAMES: Final = 4
_FRAME_SAMPLES: Final = 160

Send = Callable[[bytes], Awaitable[None]]


class Keypad:
    """Stands between a sender and its transport."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._waiting: deque[tuple[int, int] | None] = deque()
        self._start: int | None = None

    def press(self, keys: str) -> None:
        """Sends keys, each for 100 ms, with a pause after it."""
        for key in keys:
            code = KEYS.index(key)
            self._waiting.extend((code, frame) for frame in range(1, _FRAMES))
            self._waiting.extend([(code, _FRAMES)] * _END_PACKETS)
            self._waiting.extend([None] * _PAUSE_FRAMES)

    async def send(self, packet: bytes) -> None:
        """Sends a packet of the stock sender, or a key's in its place."""
        if not self._waiting or 192 <= packet[1] < 224:
            await self._send(packet)
            return
        step = self._waiting.popleft()
        if step is None:
            self._start = None
            return
        code, frame = step
        (timestamp,) = struct.unpack_from("!I", packet, 4)
        first = self._start is None
        self._start = timestamp if self._start is None else self._start
        ended = _END if frame == _FRAMES else 0
        kind = EVENT_TYPE | (0x80 if first else 0)
        header = bytes([0x80, kind]) + packet[2:4] + struct.pack("!I", self._start) + packet[8:12]
        event = struct.pack("!BBH", code, ended | _VOLUME, frame * _FRAME_SAMPLES)
        await self._send(header + event)


def with_events(sdp: str) -> str:
    """An offer of the stock peer connection with telephone-event in its audio."""
    lines = [
        f"{line} {EVENT_TYPE}" if line.startswith("m=audio ") else line for line in sdp.splitlines()
    ]
    at = max(n for n, line in enumerate(lines) if line.startswith("a=rtpmap:")) + 1
    events = [f"a=rtpmap:{EVENT_TYPE} telephone-event/8000", f"a=fmtp:{EVENT_TYPE} 0-15"]
    return "\r\n".join([*lines[:at], *events, *lines[at:]]) + "\r\n"
