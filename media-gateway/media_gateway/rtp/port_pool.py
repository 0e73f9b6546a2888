"""Which RTP port pairs are free.

A pair stays bound for a while after its call, so that the last packets of one call are never
heard in another; it then comes back last in line.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from media_gateway.rtp.errors import NoPortsLeft

DRAIN_MS: Final = 2_000
"""The shortest drain: a far end that missed the goodbye has retransmitted it by then."""


class PortPool:
    """Even RTP ports of a range, each with the odd RTCP port above it."""

    def __init__(
        self, *, first: int = 20_000, last: int = 29_999, drain_ms: int = DRAIN_MS
    ) -> None:
        first += first % 2
        if not 1_024 <= first < last <= 65_535:
            raise ValueError(f"no even/odd port pair between {first} and {last} above 1023")
        if drain_ms < DRAIN_MS:
            raise ValueError(f"ports must drain for at least {DRAIN_MS} ms")
        self._drain_ms = drain_ms
        self._free = deque(range(first, last, 2))
        self._draining: deque[tuple[float, int]] = deque()
        self._taken: set[int] = set()

    def __len__(self) -> int:
        """How many pairs are free now."""
        return len(self._free)

    @property
    def draining(self) -> int:
        """How many pairs are bound, carry no call, and wait for their drain to end."""
        return len(self._draining)

    def take(self) -> int:
        """The RTP port that was free the longest; raises NoPortsLeft."""
        if not self._free:
            raise NoPortsLeft(f"{len(self._taken)} port pairs in use, {self.draining} draining")
        port = self._free.popleft()
        self._taken.add(port)
        return port

    def put_back(self, port: int) -> None:
        """Return a port on which nothing was sent, at the end of the line."""
        self._taken.remove(port)
        self._free.append(port)

    def retire(self, port: int, now_ms: float) -> None:
        """Begin to drain the port of a call that ended; its sockets stay bound."""
        self._taken.remove(port)
        self._draining.append((now_ms + self._drain_ms, port))

    def drained(self, now_ms: float) -> list[int]:
        """The ports whose drain is over, free from now on; the owner closes their sockets."""
        ports: list[int] = []
        while self._draining and self._draining[0][0] <= now_ms:
            ports.append(self._draining.popleft()[1])
        self._free.extend(ports)
        return ports
