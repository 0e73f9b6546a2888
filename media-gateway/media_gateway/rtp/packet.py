"""RTP packets on the wire (RFC 3550, 5.1): the fixed header, and where the payload lies."""

from __future__ import annotations

import struct
from typing import Final

HEADER: Final = struct.Struct("!BBHII")
"""Version/padding/extension/CSRC count, marker/payload type, sequence, timestamp, SSRC."""
HEADER_BYTES: Final = 12
PLAIN: Final = 0x80
"""The first byte of a version 2 packet with no padding, extension or CSRC: nearly all audio."""
MARKER: Final = 0x80
MAX_DATAGRAM_BYTES: Final = 2_048
"""What a socket reads at once; a datagram that fills it may have been cut and is refused."""
MASK_16: Final = 0xFFFF
MASK_32: Final = 0xFFFF_FFFF

_PADDING, _EXTENSION, _CSRC_COUNT = 0x20, 0x10, 0x0F


def payload_of(data: bytes) -> bytes | None:
    """The payload without CSRCs, extension and padding; None if the datagram is not RTP."""
    size = len(data)
    if not HEADER_BYTES < size < MAX_DATAGRAM_BYTES or data[0] >> 6 != 2:
        return None
    start, end = HEADER_BYTES + 4 * (data[0] & _CSRC_COUNT), size
    if data[0] & _EXTENSION:
        if start + 4 > size:
            return None
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
    if data[0] & _PADDING:
        if data[-1] == 0:
            return None
        end -= data[-1]
    return data[start:end] if start < end else None


def signed_32(difference: int) -> int:
    """A difference of two wrapping 32-bit numbers as the nearest signed step."""
    return ((difference + 0x8000_0000) & MASK_32) - 0x8000_0000
