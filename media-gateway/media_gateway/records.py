"""Records in a file that is only appended to: each says how long it is and proves that it is whole.

A process may be killed in the middle of a write. What it left behind is read up to the last whole
record; the torn rest is nobody's.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

MAX_RECORD_BYTES = 16 * 1024 * 1024
_HEAD = struct.Struct(">II")
HEAD_BYTES = _HEAD.size
"""Length and CRC-32 of what follows."""


def framed(data: bytes) -> bytes:
    """A record as it stands in a file."""
    assert 0 < len(data) <= MAX_RECORD_BYTES, "whoever writes keeps to the limit"
    return _HEAD.pack(len(data), zlib.crc32(data)) + data


def whole_records(buffer: bytes) -> Iterator[tuple[bytes, int]]:
    """The records of a buffer that begins with one, each with where the next begins.

    Ends before the first that is cut short or damaged.
    """
    at = 0
    while at + HEAD_BYTES <= len(buffer):
        length, checksum = _HEAD.unpack_from(buffer, at)
        begin, end = at + HEAD_BYTES, at + HEAD_BYTES + length
        if not 0 < length <= MAX_RECORD_BYTES or end > len(buffer):
            return
        data = buffer[begin:end]
        if zlib.crc32(data) != checksum:
            return
        yield data, end
        at = end
