"""Whether an agent's softphone can be reached, and what routing is to be told of it.

Reachable: a device check passed on this page, and its heartbeat came within 5 s, with 10 s of
grace. What was told holds for 15 s only, so that a portal that dies leaves nobody rung in vain.
"""

from __future__ import annotations

from typing import Final

HEARTBEAT_MS: Final = 2_000
"""How often a page is to send its heartbeat, at least."""
FRESH_MS: Final = 5_000
"""A heartbeat not older than this renews what routing believes."""
GRACE_MS: Final = 10_000
"""After so long without one, the softphone is gone."""
RENEW_MS: Final = 5_000
VALID_MS: Final = 15_000
"""How long routing believes what it was told."""
REPEAT_MS: Final = 1_000
"""How long until something that routing did not take is told again."""

REACHABLE: Final = "reachable"
UNREACHABLE: Final = "unreachable"


class Reachability:
    """One agent's way to their softphone."""

    def __init__(self) -> None:
        self._passed = False
        self._heard_at_ms: int | None = None
        self._told = ""
        self._told_at_ms = 0
        self._failed_at_ms: int | None = None
        self._left = False

    def heard(self, now_ms: int) -> None:
        """A heartbeat came."""
        self._heard_at_ms = now_ms
        self._left = False

    def leave(self) -> None:
        """Another tells routing from now on, until a heartbeat comes here again."""
        self._left = True

    def checked(self, *, passed: bool) -> None:
        """Microphone, speaker and the path to the server were tried."""
        self._passed = passed

    def link(self, now_ms: int) -> str:
        """What holds now."""
        heard = self._heard_at_ms
        alive = heard is not None and now_ms - heard < GRACE_MS
        return REACHABLE if alive and self._passed else UNREACHABLE

    def due(self, now_ms: int) -> str | None:
        """What routing is to be told now; None: it knows."""
        if self._left:
            return None
        if self._failed_at_ms is not None and now_ms - self._failed_at_ms < REPEAT_MS:
            return None
        link = self.link(now_ms)
        if link != self._told:
            return link
        if link == UNREACHABLE or self._heard_at_ms is None:
            return None
        is_fresh = now_ms - self._heard_at_ms <= FRESH_MS
        return link if is_fresh and now_ms - self._told_at_ms >= RENEW_MS else None

    def told(self, link: str, now_ms: int) -> None:
        """Routing took it."""
        self._told, self._told_at_ms, self._failed_at_ms = link, now_ms, None

    def failed(self, now_ms: int) -> None:
        """Routing did not take it; it is told again a little later."""
        self._failed_at_ms = now_ms

    def is_over(self, now_ms: int) -> bool:
        """True: the softphone is gone and routing knows it, or has ceased by itself to believe."""
        if self._left:
            return True
        if self._heard_at_ms is None:
            return self._told == UNREACHABLE
        silent_ms = now_ms - self._heard_at_ms
        if silent_ms < GRACE_MS:
            return False
        return self._told == UNREACHABLE or silent_ms >= GRACE_MS + VALID_MS
