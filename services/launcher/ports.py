"""Ports of this machine: the usual ones, or others where somebody has those."""

from __future__ import annotations

import secrets

from services.chassis.ports import LOOPBACK, free_port, is_free

__all__ = ["LOOPBACK", "free_port", "free_rtp_range", "is_free"]

RTP_PORTS = 1_000


def free_rtp_range() -> tuple[int, int]:
    """A range for audio that nobody is likely to hold: below the ephemeral ports."""
    # Installations that run at once are spread over 20,000-31,999, 1,000 ports apart.
    first = 20_000 + secrets.randbelow(12) * RTP_PORTS
    return first, first + RTP_PORTS - 1
