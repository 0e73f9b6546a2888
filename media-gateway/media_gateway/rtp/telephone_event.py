"""Keys as telephone events (RFC 4733): told once when they come, paced by frames when they go."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from media_gateway.rtp.model import FRAME_MS, FRAME_SAMPLES
from media_gateway.rtp.packet import MARKER, MASK_32, signed_32

KEYS: Final = "0123456789*#ABCD"
"""Events 0-15; others (flash, tones, modems) are not keys."""
SEGMENT_SAMPLES: Final = 0xFFFF
"""A longer event goes on in a new segment, this much later (2.5.1.3)."""
TONE_MS: Final = 100
PAUSE_MS: Final = 100
END_PACKETS: Final = 3
"""The end is told three times, against loss (2.5.1.4)."""

_EVENT: Final = struct.Struct("!BBH")
_END, _VOLUME = 0x80, 10
_PAYLOAD_BYTES: Final = _EVENT.size


class KeyReceiver:
    """Turns one source's event packets into keys: lost, repeated and late packets change nothing.

    Any packet with a newer timestamp begins a key, be it the first, a later one or the end.
    """

    __slots__ = ("_code", "_ended", "_timestamp")

    def __init__(self) -> None:
        self._timestamp: int | None = None
        self._code = 0
        self._ended = False

    def reset(self) -> None:
        """Forget the last key: the source, and with it the meaning of its timestamps, changed."""
        self._timestamp = None

    def receive(self, timestamp: int, payload: bytes, *, marker: bool) -> str | None:
        """The key that this packet begins, if it begins one."""
        if not is_key(payload):
            return None
        code, ended = payload[0], bool(payload[1] & _END)
        previous = self._timestamp
        if previous is not None:
            step = signed_32(timestamp - previous)
            if step < 0:
                return None
            if step == 0:
                self._ended = self._ended or ended
                return None
            same_press = code == self._code and not self._ended and not marker
            if same_press and step % SEGMENT_SAMPLES == 0:
                self._timestamp, self._ended = timestamp, ended
                return None
        self._timestamp, self._code, self._ended = timestamp & MASK_32, code, ended
        return KEYS[code]


def is_key(payload: bytes) -> bool:
    """Whether a telephone-event payload is whole and tells of a key."""
    return len(payload) >= _PAYLOAD_BYTES and payload[0] < len(KEYS)


def event_duration(payload: bytes) -> int:
    """How long the event lasted so far, in samples."""
    return int.from_bytes(payload[2:4], "big")


def event_frames(key: str) -> Iterator[tuple[int, bytes] | None]:
    """One key as what each 20 ms frame sends: marker and payload, or None in the pause after."""
    code, frames = KEYS.index(key), TONE_MS // FRAME_MS
    for frame in range(1, frames):
        payload = _EVENT.pack(code, _VOLUME, frame * FRAME_SAMPLES)
        yield (MARKER if frame == 1 else 0), payload
    end = _EVENT.pack(code, _END | _VOLUME, frames * FRAME_SAMPLES)
    for _ in range(END_PACKETS):
        yield 0, end
    for _ in range(PAUSE_MS // FRAME_MS - (END_PACKETS - 1)):
        yield None
