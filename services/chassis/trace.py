"""One trace per call: its id follows from the call's id, so that nobody has to carry it."""

from __future__ import annotations

import hashlib


def trace_id(call_id: str) -> str:
    """The W3C trace id (32 lower-case hex digits, never all zero) of a call."""
    digits = call_id.replace("-", "").lower()
    if len(digits) == 32 and digits.strip("0123456789abcdef") == "" and digits.strip("0"):
        return digits
    return hashlib.sha256(call_id.encode()).hexdigest()[:32]
