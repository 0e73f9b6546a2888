"""The encrypted path to one browser: ICE, DTLS and SRTP behind a class that shows RTP in the clear.

aiortc's receivers, senders and tracks are left out: they cost ten times what a call needs and add
80 ms. What is used of it is its DTLS, which makes the SRTP sessions; from then on each packet is
unprotected as it comes off the socket, and protected as it goes onto it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, Final, cast

from aioice import Candidate
from aiortc.rtcdtlstransport import (
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
)
from aiortc.rtcicetransport import RTCIceTransport
from pylibsrtp import Error as SrtpError

from media_gateway.webrtc.errors import ConnectionFailed
from media_gateway.webrtc.ice import IceConnection, IceSettings
from media_gateway.webrtc.model import Address, BrowserListener
from media_gateway.webrtc.sdp import BrowserOffer, RemoteCandidate

CONNECT_S: Final = 10.0
"""For checks and handshake; a browser without candidates must show itself within it."""
MAX_PACKET_BYTES: Final = 1_356
"""What fits into a datagram with SRTP's trailer."""
MAX_SOURCES: Final = 64
"""Of one browser, by their SSRC; libsrtp keeps something for each, and looks through all of it."""
_FIRST_RTCP, _AFTER_RTCP = 192, 224
"""The second byte of RTCP where it shares a port with RTP (RFC 5761, section 4)."""
_ROLES: Final = {"active": "client", "passive": "server"}
_OVER: Final = frozenset({"closed", "failed"})

Transform = Callable[[bytes], bytes]


class BrowserTransport:
    """Made by `Connector.open`, which binds its ports; all methods belong to the event loop."""

    def __init__(
        self,
        offer: BrowserOffer,
        listener: BrowserListener,
        *,
        settings: IceSettings,
        certificate: RTCCertificate,
        on_closed: Callable[[BrowserTransport], None],
    ) -> None:
        self._offer, self._listener = offer, listener
        self._on_closed = on_closed
        self._ice = IceConnection(settings, controlling=offer.ice_lite, on_silence=self._tell_lost)
        self._ice.remote_is_lite = offer.ice_lite
        self._ice.remote_username = offer.username
        self._ice.remote_password = offer.password
        carrier = cast("RTCIceTransport", _Carrier(self._ice))
        self._dtls = RTCDtlsTransport(carrier, [certificate])
        self._dtls._set_role(_ROLES[offer.setup])  # noqa: SLF001 - a seam, see the contract tests
        self._dtls.on("statechange", self._follow_dtls)
        self._protect: Transform = _refuse
        self._protect_rtcp: Transform = _refuse
        self._unprotect: Transform = _refuse
        self._unprotect_rtcp: Transform = _refuse
        self._sources: set[bytes] = set()
        self._binding: asyncio.Future[None] | None = None
        self._closed = self._told = False
        self._closing: asyncio.Future[None] | None = None
        self.malformed = 0
        """Datagrams that were not protected by this browser's keys, or of too many sources."""

    @property
    def username(self) -> str:
        """Our ICE user fragment."""
        return self._ice.local_username

    @property
    def password(self) -> str:
        """Our ICE password."""
        return self._ice.local_password

    @property
    def candidates(self) -> list[str]:
        """Our candidates as SDP lists them, the best first."""
        return self._ice.lines

    @property
    def remote(self) -> Address:
        """Where the browser is, once connected."""
        return self._ice.target

    async def bind(self) -> None:
        """Binds the ports; raises NoBrowserPort.

        Who waits for it may be cancelled: uvloop leaks a socket whose set-up is, so it is done all
        the same, and closing waits for it.
        """
        self._binding = asyncio.ensure_future(self._ice.gather_candidates())
        await asyncio.shield(self._binding)

    async def connect(self) -> None:
        """Finds the path and agrees on keys; raises ConnectionFailed.

        The end of the browser's candidates is never told to ICE: one behind a NAT, or one that
        hides its addresses, is found by its own checks.
        """
        try:
            async with asyncio.timeout(CONNECT_S):
                for candidate in self._offer.candidates:
                    await self._ice.add_remote_candidate(_candidate(candidate))
                await self._ice.connect()
                await self._dtls.start(self._parameters())
        except (TimeoutError, ConnectionError) as error:
            raise ConnectionFailed(f"no path to the browser: {error or 'time-out'}") from error
        if self._dtls.state != "connected":
            raise ConnectionFailed("the browser's handshake or its certificate is not as offered")
        self._take_keys()

    def send_rtp(self, packet: bytes, target: Address) -> None:  # noqa: ARG002 - there is one path
        """Sends an RTP packet to the browser, wherever it is now."""
        self._send(self._protect, packet)

    def send_rtcp(self, packet: bytes, target: Address) -> None:  # noqa: ARG002 - there is one path
        """Sends a compound RTCP packet to the browser."""
        self._send(self._protect_rtcp, packet)

    async def close(self) -> None:
        """Says goodbye and releases the ports. Closing twice is closing.

        Who waits for it may be cancelled: it is done all the same.
        """
        if self._closing is None:
            self._closed = True
            self._protect = self._protect_rtcp = _refuse
            self._unprotect = self._unprotect_rtcp = _refuse
            self._closing = asyncio.ensure_future(self._shut())
        await asyncio.shield(self._closing)

    async def _shut(self) -> None:
        async with contextlib.AsyncExitStack() as last:
            last.callback(self._on_closed, self)
            last.push_async_callback(self._ice.close)
            if self._binding is not None:
                await asyncio.gather(self._binding, return_exceptions=True)
            await self._dtls.stop()

    def _parameters(self) -> RTCDtlsParameters:
        return RTCDtlsParameters(
            fingerprints=[
                RTCDtlsFingerprint(algorithm=known.algorithm, value=known.value)
                for known in self._offer.fingerprints
            ]
        )

    def _take_keys(self) -> None:
        if self._closed:
            return
        received, sent = self._dtls._rx_srtp, self._dtls._tx_srtp  # noqa: SLF001 - seams
        self._unprotect, self._unprotect_rtcp = received.unprotect, received.unprotect_rtcp
        self._protect, self._protect_rtcp = sent.protect, sent.protect_rtcp
        self._ice.on_media = self._receive

    def _receive(self, datagram: bytes) -> None:
        """The hot path: whatever the keys do not fit is of no account."""
        if _FIRST_RTCP <= datagram[1] < _AFTER_RTCP:
            source, unprotect = datagram[4:8], self._unprotect_rtcp
            take = self._listener.rtcp_received
        else:
            source, unprotect = datagram[8:12], self._unprotect
            take = self._listener.rtp_received
        known = source in self._sources
        if not known and len(self._sources) >= MAX_SOURCES:
            self.malformed += 1
            return
        try:
            packet = unprotect(datagram)
        except SrtpError:
            self.malformed += 1
            return
        if not known:
            self._sources.add(source)
        self._ice.heard += 1
        take(packet)

    def _send(self, protect: Transform, packet: bytes) -> None:
        if len(packet) > MAX_PACKET_BYTES:
            return
        try:
            self._ice.send_media(protect(packet), self._ice.target)
        except SrtpError:
            return

    def _follow_dtls(self) -> None:
        if self._dtls.state in _OVER:
            self._tell_lost()

    def _tell_lost(self) -> None:
        if not (self._closed or self._told):
            self._told = True
            self._listener.connection_lost()


class _Carrier:
    """What DTLS asks of the path beneath it."""

    role = "controlled"

    def __init__(self, ice: IceConnection) -> None:
        self._recv: Callable[[], Awaitable[bytes]] = ice.recv
        self._send: Callable[[bytes], Awaitable[Any]] = ice.send


def _candidate(candidate: RemoteCandidate) -> Candidate:
    kind = "srflx" if candidate.kind == "prflx" else candidate.kind
    return Candidate(
        foundation=candidate.foundation,
        component=1,
        transport="udp",
        priority=candidate.priority,
        host=candidate.host,
        port=candidate.port,
        type=kind,
    )


def _refuse(packet: bytes) -> bytes:  # noqa: ARG001 - stands where a session's verb will be
    """Stand in for keys that are not there, or not any more."""
    raise SrtpError("no keys")
