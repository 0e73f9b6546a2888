"""A WAV file of 16-bit stereo at 8,000 Hz: its first bytes, and what any range of it means."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from services.recording.model.errors import BadRange

RATE_HZ = 8_000
FRAME_BYTES = 4
"""Two channels of 16 bits."""
HEADER_BYTES = 44
CHUNK_FRAMES = 15_360
"""What is rendered at once: 60 KiB, 1.92 s."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch to render, and which of its bytes are wanted."""

    first: int
    """The first frame."""
    count: int
    """How many frames."""
    skip: int
    """Bytes not wanted at its beginning."""
    take: int
    """Bytes wanted after those."""


def header(frames: int) -> bytes:
    """The RIFF header (Microsoft and IBM, 1991) of a file with so many stereo frames."""
    data = frames * FRAME_BYTES
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        HEADER_BYTES - 8 + data,
        b"WAVE",
        b"fmt ",
        16,
        1,
        2,
        RATE_HZ,
        RATE_HZ * FRAME_BYTES,
        FRAME_BYTES,
        16,
        b"data",
        data,
    )


def total_bytes(frames: int) -> int:
    """Of the whole file."""
    return HEADER_BYTES + frames * FRAME_BYTES


def range_of(offset: int, length: int, total: int) -> tuple[int, int]:
    """First byte and the one after the last, as asked for; BadRange beyond the end."""
    if offset > total:
        raise BadRange(f"byte {offset} of {total}")
    end = min(total, offset + length) if length else total
    return offset, end


def pieces(first: int, end: int) -> Iterator[Piece]:
    """What to render for the bytes from `first` up to `end` of the sound after the header."""
    while first < end:
        frame = first // FRAME_BYTES
        skip = first - frame * FRAME_BYTES
        take = min(end - first, CHUNK_FRAMES * FRAME_BYTES - skip)
        yield Piece(frame, -(-(skip + take) // FRAME_BYTES), skip, take)
        first += take
