"""One trace per call: its id follows from the call's id, so that nobody has to carry it."""

from __future__ import annotations

import hashlib
import re

_UUID7 = re.compile(r"([0-9a-f]{8})([0-9a-f]{4})(7[0-9a-f]{3})([89ab][0-9a-f]{3})([0-9a-f]{12})")


def trace_id(call_id: str) -> str:
    """The W3C trace id (32 lower-case hex digits, never all zero) of a call."""
    digits = call_id.replace("-", "").lower()
    if len(digits) == 32 and digits.strip("0123456789abcdef") == "" and digits.strip("0"):
        return digits
    return hashlib.sha256(call_id.encode()).hexdigest()[:32]


def call_of_trace(trace: str) -> str:
    """The call whose trace it is; empty when it is that of none of Carillon's own ids (UUIDv7)."""
    found = _UUID7.fullmatch(trace)
    return "-".join(found.groups()) if found else ""
