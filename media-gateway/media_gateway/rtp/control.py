"""One leg's RTCP socket: reports out, reports in, from the same far end by the same rules."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from media_gateway.rtp.egress import Send
from media_gateway.rtp.errors import MalformedRtcp
from media_gateway.rtp.latch import Latch
from media_gateway.rtp.model import Address
from media_gateway.rtp.rtcp import parse_reports
from media_gateway.rtp.rtcp_session import RtcpSession


class Control(asyncio.DatagramProtocol):
    """Receives and sends one leg's compound packets.

    `media` is the latch of the leg's RTP: reports come from the host that its media goes to.
    """

    def __init__(
        self,
        *,
        session: RtcpSession,
        latch: Latch,
        media: Latch,
        clock_ms: Callable[[], float],
    ) -> None:
        self.session, self.latch = session, latch
        self._media = media
        self.send: Send | None = None
        self.heard_ms = clock_ms()
        self.malformed = 0
        self._clock_ms = clock_ms
        self._armed = False

    def arm(self, address: Address | None, now_ms: float) -> None:
        """Expect the far end that a negotiation named."""
        self.latch.arm(address, now_ms)
        self._armed = True

    def shut(self) -> None:
        """Hear and say nothing any more."""
        self._armed = False
        self.send = None

    def report(self, now_ms: float, *, goodbye: bool) -> None:
        """Send a compound packet to wherever the far end's RTCP is."""
        packet = self.session.build(now_ms, goodbye=goodbye)
        if self.send is not None and self.latch.target is not None:
            self.send(packet, self.latch.target)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Take one datagram, of anybody's making; only RTCP can move where reports go."""
        now_ms, source = self._clock_ms(), addr[:2]
        try:
            reports = parse_reports(data)
        except MalformedRtcp:
            if self._armed and source == self.latch.target:
                self.malformed += 1
            else:
                self.latch.refuse()
            return
        if not self._armed or not self._near_media(source):
            self.latch.refuse()
        elif self.latch.admit(source, now_ms):
            self.heard_ms = now_ms
            self.session.receive(reports, now_ms)

    def _near_media(self, source: Address) -> bool:
        """A NAT may change the port of reports, but not to another host than that of media."""
        media = self._media.target
        return media is not None and source[0] == media[0]
