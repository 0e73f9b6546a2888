"""The audio of one agent's browser: one port for the life of the leg, and the path it has now.

The port is there from the ring to the end, so that bridge, hold, mute and music are what they are
for a phone. Paths come and go: the first connects while it rings; another takes over when the
browser was reloaded, changed its network, or a newer window of it came. The newest offer wins, and
the old path is left only once the new one is there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from media_gateway.adapters.prompts import PromptShelf
from media_gateway.adapters.sound_player import MediaEvents, SoundPlayer
from media_gateway.core.events import StartSound
from media_gateway.model import NoSuchReservation
from media_gateway.rtp.engine import MediaEngine
from media_gateway.rtp.errors import MediaError
from media_gateway.rtp.model import Address, MediaStats, RemoteMedia
from media_gateway.rtp.port import MediaPort
from media_gateway.webrtc.connector import Connector
from media_gateway.webrtc.errors import ConnectionFailed, NoBrowserPort
from media_gateway.webrtc.sdp import BrowserOffer, Codec
from media_gateway.webrtc.transport import BrowserTransport
from services.chassis.ids import LegId
from services.chassis.log import get_logger
from services.chassis.tasks import Tasks

log = get_logger("browser")

SDP_ID_BITS = 62


class BrowserEvents(MediaEvents, Protocol):
    """Who is told what happens to a browser's audio and to the path it takes."""

    def browser_connected(self, leg_id: LegId, codec: str, took_ms: float) -> None:
        """Audio can flow; so long after the offer."""

    def browser_lost(self, leg_id: LegId) -> None:
        """The path is gone, and no other is there."""


class BrowserMedia:
    """Made when an agent's browser is to be rung; closed with the leg."""

    def __init__(
        self,
        leg_id: LegId,
        port: MediaPort,
        *,
        connector: Connector,
        clock_ms: Callable[[], float],
        random_bits: Callable[[int], int],
        shelf: PromptShelf,
        events: BrowserEvents,
        tasks: Tasks,
    ) -> None:
        self.leg_id = leg_id
        self.port = port
        self._connector = connector
        self._clock_ms, self._random_bits = clock_ms, random_bits
        self._events, self._tasks = events, tasks
        self._player = SoundPlayer(leg_id, port, shelf=shelf, events=events, tasks=tasks)
        self._offers = self._newest = 0
        self._coming: _Path | None = None
        self._present: _Path | None = None
        self._closed = False

    async def connect(self, offer: BrowserOffer, codec: Codec) -> str:
        """Takes an offer, in place of one that is not connected yet; the sdp_answer to it."""
        self._offers += 1
        number = self._offers
        path = _Path(self, offer, codec, self._clock_ms())
        path.transport, sdp_answer = await self._connector.open(
            offer,
            path,
            codec=codec,
            session_id=self._random_bits(SDP_ID_BITS),
            ssrc=self.port.ssrc,
            cname=self.port.cname,
        )
        if self._closed:
            await path.transport.close()
            raise NoSuchReservation("the ring ended meanwhile")
        if number < self._newest:
            await path.transport.close()
            raise NoSuchReservation("a newer window of this agent was faster")
        self._newest = number
        self._abandon(self._coming)
        self._coming = path
        self._tasks.start(self._bring_up(path), "browser-connect")
        return sdp_answer

    def start(self, sound: StartSound) -> None:
        """Plays something to the browser."""
        self._player.start(sound)

    def stop(self) -> None:
        """Plays nothing."""
        self._player.stop()

    def close(self) -> MediaStats:
        """Ends the audio and the path; the last numbers."""
        self._closed = True
        self._player.close()
        numbers = self.port.close()
        self._abandon(self._coming)
        self._abandon(self._present)
        self._coming = self._present = None
        return numbers

    def lose(self, path: _Path) -> None:
        """A path is gone; if it is the present one, another is awaited."""
        if path is not self._present:
            return
        self._present = None
        self.port.detach()
        self._abandon(path)
        self._events.browser_lost(self.leg_id)

    async def _bring_up(self, path: _Path) -> None:
        assert path.transport is not None, "it is bound before it is brought up"
        try:
            await path.transport.connect()
        except ConnectionFailed as error:
            log.info("browser not connected", leg=self.port.leg_id, reason=str(error))
            if path is self._coming:
                self._coming = None
                self._abandon(path)
            return
        if path is self._coming:
            self._take(path, path.transport)

    def _take(self, path: _Path, transport: BrowserTransport) -> None:
        """The path is there: from now on the port speaks and hears by it."""
        before, self._present, self._coming = self._present, path, None
        host, port = path.address = transport.remote
        self.port.attach(transport.send_rtp, transport.send_rtcp)
        offer, codec = path.offer, path.codec
        try:
            self.port.negotiate(
                RemoteMedia(
                    host=host,
                    port=port,
                    rtcp_port=port,
                    payload_type=offer.payload_types[codec],
                    codec=codec,
                    event_payload_type=offer.event_type,
                    sends=offer.sends,
                    receives=offer.receives,
                )
            )
        except MediaError as error:
            log.warning("media cannot reach", leg=self.port.leg_id, code=error.code)
        self._player.ready(codec)
        self._abandon(before)
        took_ms = self._clock_ms() - path.offered_ms
        log.info("browser connected", leg=self.port.leg_id, took_ms=round(took_ms, 1), codec=codec)
        self._events.browser_connected(self.leg_id, codec, took_ms)

    def _abandon(self, path: _Path | None) -> None:
        if path is not None and path.transport is not None:
            self._tasks.start(path.transport.close(), "browser-close")


class _Path:
    """One offer and the transport made for it; what comes by it is heard once it is present."""

    def __init__(
        self, media: BrowserMedia, offer: BrowserOffer, codec: Codec, offered_ms: float
    ) -> None:
        self.offer, self.codec, self.offered_ms = offer, codec, offered_ms
        self.transport: BrowserTransport | None = None
        self.address: Address | None = None
        self._media = media
        self._rtp = media.port.ingress.datagram_received
        self._rtcp = media.port.control.datagram_received

    def rtp_received(self, packet: bytes) -> None:
        """An RTP packet of the browser."""
        if self.address is not None:
            self._rtp(packet, self.address)

    def rtcp_received(self, packet: bytes) -> None:
        """A report of the browser."""
        if self.address is not None:
            self._rtcp(packet, self.address)

    def connection_lost(self) -> None:
        """The browser is silent, or said goodbye."""
        self._media.lose(self)


class LentPorts:
    """The media engine's ports, lent to browsers."""

    def __init__(self, engine: MediaEngine) -> None:
        self._engine = engine

    def lend(self) -> int:
        """A port that carries no media now; raises NoBrowserPort."""
        try:
            return self._engine.lend()
        except MediaError as error:
            raise NoBrowserPort(str(error)) from error

    def give_back(self, port: int) -> None:
        """It drains before it is used again."""
        self._engine.give_back(port)
