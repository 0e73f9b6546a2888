"""Names of things that cross walls: text, never compared with another kind of name."""

from __future__ import annotations

from typing import NewType

TenantId = NewType("TenantId", str)
CallId = NewType("CallId", str)
LegId = NewType("LegId", str)
EntryId = NewType("EntryId", str)
ReservationId = NewType("ReservationId", str)
AgentId = NewType("AgentId", str)
QueueId = NewType("QueueId", str)

RANDOM_BITS = 74
_RAND_B_BITS = 62
_UNIX_MS_BITS = 48


def uuid7(now_ms: int, random_bits: int) -> str:
    """A UUIDv7 (RFC 9562, 5.7) of UTC milliseconds and 74 random bits, as text.

    Sorts by time. Raises ValueError when either part does not fit.
    """
    if not 0 <= now_ms < 1 << _UNIX_MS_BITS:
        raise ValueError(f"milliseconds outside 48 bits: {now_ms}")
    if not 0 <= random_bits < 1 << RANDOM_BITS:
        raise ValueError("random part outside 74 bits")
    rand_a, rand_b = divmod(random_bits, 1 << _RAND_B_BITS)
    value = now_ms << 80 | 0x7 << 76 | rand_a << 64 | 0b10 << 62 | rand_b
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
