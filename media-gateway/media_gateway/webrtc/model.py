"""What crosses the wall of the browsers' media: addresses, ports, and who is told what."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Protocol

Address = tuple[str, int]

MAX_ADDRESSES = 8
"""Each is a socket for each browser."""


@dataclass(frozen=True, slots=True)
class BrowserAddress:
    """One address that browsers reach this gateway at."""

    bound: str
    """An address of this machine."""
    told: str
    """What browsers are told: the same, or the outer side of a one-to-one NAT."""

    @classmethod
    def parse(cls, text: str) -> BrowserAddress:
        """`address`, or `address=outer address`; ValueError when either is not numeric."""
        bound, _, told = text.partition("=")
        return cls(str(ip_address(bound)), str(ip_address(told or bound)))


class PortLender(Protocol):
    """Whence the ports for browsers come."""

    def lend(self) -> int:
        """A port that carries no media now; raises NoBrowserPort."""

    def give_back(self, port: int) -> None:
        """Nothing is sent on it any more."""


class BrowserListener(Protocol):
    """Who is told what comes from a browser; called from the event loop."""

    def rtp_received(self, packet: bytes) -> None:
        """An RTP packet, in the clear."""

    def rtcp_received(self, packet: bytes) -> None:
        """A compound RTCP packet, in the clear."""

    def connection_lost(self) -> None:
        """Nothing comes any more, or the browser said goodbye; told once."""
