"""Ids that a repeated decision makes again, so that acd sees one request and not two."""

from __future__ import annotations

import hashlib
from uuid import UUID

from services.chassis.ids import RANDOM_BITS, uuid7


def entry_id(call_id: str, stay: int) -> str:
    """The UUIDv7 of a call's stay in a queue, from 1; it bears the time of the call's own id."""
    digest = hashlib.sha256(f"{call_id}/{stay}".encode()).digest()
    return uuid7(_time_ms(call_id), int.from_bytes(digest, "big") >> (256 - RANDOM_BITS))


def _time_ms(call_id: str) -> int:
    try:
        call = UUID(call_id)
    except ValueError:
        return 0
    return call.int >> 80 if call.version == 7 else 0
