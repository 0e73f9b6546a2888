"""Whose packets are heard, and where ours go: the negotiated address, or one latched behind NAT.

    armed ──packet from the negotiated address──────────────► locked on it
    armed ──first packet from elsewhere, within the window──► locked on that
    armed ──packet from elsewhere, after the window─────────► stranger
    locked ──packet from any other address──────────────────► stranger
    any ──negotiation completed─────────────────────────────► armed

A stranger is counted and nothing else, so nobody can listen in by sending first once media flows,
nor be relayed. An address that was learned stays the target over a re-negotiation that names the
same far end (a phone on hold behind NAT sends nothing, yet wants its music).
"""

from __future__ import annotations

from typing import Final

from media_gateway.rtp.model import Address

WINDOW_MS: Final = 5_000


class Latch:
    """Admits the packets of one far end on one socket."""

    __slots__ = ("_armed_ms", "_locked", "_negotiated", "_strict", "strangers", "target")

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self._negotiated: Address | None = None
        self._locked: Address | None = None
        self._armed_ms = 0.0
        self.target: Address | None = None
        self.strangers = 0

    def arm(self, negotiated: Address | None, now_ms: float) -> None:
        """Begin again after a negotiation; None where it named no address to send to."""
        if negotiated != self._negotiated or self.target is None:
            self.target = negotiated
        self._negotiated = negotiated
        self._locked = None
        self._armed_ms = now_ms

    def admit(self, source: Address, now_ms: float) -> bool:
        """Whether a well-formed packet from `source` is the far end's."""
        if self._locked is not None:
            admitted = source == self._locked
        else:
            known = source in (self._negotiated, self.target)
            window_open = now_ms - self._armed_ms <= WINDOW_MS
            admitted = known or (window_open and not self._strict)
        if not admitted:
            self.strangers += 1
            return False
        self._locked = self.target = source
        return True

    def refuse(self) -> None:
        """Count a datagram that could not have been the far end's, whatever its address."""
        self.strangers += 1
