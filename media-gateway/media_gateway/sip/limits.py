"""Every limit that a deployment may want to set otherwise."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """How much and how long. Beyond a number of things the stack answers 503."""

    sessions: int = 5_000
    """Sessions, those still ending included."""

    transactions: int = 50_000
    """Transactions; each lingers for up to 32 s to absorb stragglers."""

    ringing_ms: int = 300_000
    """From INVITE to final answer, either way."""

    refresh_progress_ms: int = 60_000
    """How often our provisional answer is repeated, so that no proxy gives up on it."""

    reinvite_ms: int = 30_000
    """From re-INVITE to final answer, either way."""

    session_ms: int = 24 * 3_600_000
    """The longest call."""

    overload_retry_after_s: int = 5
    """What a 503 of the stack's own asks the other side to wait."""
