"""Transports on loopback with a listener that keeps what it is told, and ports that are counted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from media_gateway.webrtc.connector import Connector
from media_gateway.webrtc.errors import NoBrowserPort
from media_gateway.webrtc.ice import IceSettings
from media_gateway.webrtc.model import BrowserAddress
from media_gateway.webrtc.sdp import parse_offer
from media_gateway.webrtc.transport import BrowserTransport
from tests.agent import Peer

LOOPBACK = BrowserAddress("127.0.0.1", "127.0.0.1")


def now_ms() -> float:
    return time.monotonic() * 1_000


@dataclass
class Ports:
    """Lends the given ports, each as often as it was given back."""

    free: list[int] = field(default_factory=lambda: [0] * 8)
    lent: int = 0

    def lend(self) -> int:
        if not self.free:
            raise NoBrowserPort("none is left")
        self.lent += 1
        return self.free.pop(0)

    def give_back(self, port: int) -> None:
        self.lent -= 1
        self.free.append(port)


@dataclass
class Listener:
    """Keeps what it is told."""

    rtp: list[bytes] = field(default_factory=list)
    rtcp: list[bytes] = field(default_factory=list)
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    losses: int = 0
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    def rtp_received(self, packet: bytes) -> None:
        self.rtp.append(packet)
        self.heard.set()

    def rtcp_received(self, packet: bytes) -> None:
        self.rtcp.append(packet)

    def connection_lost(self) -> None:
        self.losses += 1
        self.lost.set()


def settings(ports: Ports, *addresses: BrowserAddress, silence_ms: int = 600) -> IceSettings:
    return IceSettings(
        addresses=addresses or (LOOPBACK,), ports=ports, silence_ms=silence_ms, clock_ms=now_ms
    )


async def open_for(
    connector: Connector, sdp_offer: str, listener: Listener
) -> tuple[BrowserTransport, str]:
    """A transport for an offer, with its answer."""
    return await connector.open(
        parse_offer(sdp_offer),
        listener,
        codec="PCMU",
        session_id=1,
        ssrc=0x1234_5678,
        cname="who",
    )


@asynccontextmanager
async def connected(
    ports: Ports | None = None, *, silence_ms: int = 600
) -> AsyncIterator[tuple[BrowserTransport, Listener, Peer]]:
    """A transport and a stock peer who reached each other."""
    connector = Connector(settings(ports or Ports(), silence_ms=silence_ms))
    listener = Listener()
    try:
        async with Peer() as peer:
            transport, answer = await open_for(connector, await peer.offer(), listener)
            async with asyncio.TaskGroup() as both:
                both.create_task(transport.connect())
                both.create_task(peer.accept_answer(answer))
            await peer.connected()
            yield transport, listener, peer
    finally:
        await connector.close()
