"""What a browser says comes back to it: the same payload, as a stream of the gateway's own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from media_gateway.rtp.errors import MalformedRtcp
from media_gateway.rtp.inbound import Arrival, InboundStream
from media_gateway.rtp.outbound import OutboundStream
from media_gateway.rtp.packet import HEADER, HEADER_BYTES, payload_of
from media_gateway.rtp.rtcp import parse_reports
from media_gateway.rtp.rtcp_session import RtcpSession
from media_gateway.webrtc.model import Address

Send = Callable[[bytes, Address], None]

_THE_ONE_PATH: Address = ("", 0)
"""A browser is wherever its path leads; nobody else can be sent to."""


class Echo:
    """Listens to one browser. `payload_type` is what the answer named; anything else is ignored."""

    def __init__(
        self,
        *,
        payload_type: int,
        clock_ms: Callable[[], float],
        random_bits: Callable[[int], int],
    ) -> None:
        now_ms = clock_ms()
        self.over = asyncio.Event()
        """The browser is silent, or said goodbye."""
        self.heard = InboundStream()
        """What came from it."""
        self.stream = OutboundStream(
            ssrc=random_bits(32),
            sequence=random_bits(16),
            timestamp=random_bits(32),
            now_ms=now_ms,
        )
        """What it hears: one source of the gateway's own."""
        self.reports = RtcpSession(
            inbound=self.heard, outbound=self.stream, random_bits=random_bits, now_ms=now_ms
        )
        """What it is told of its own audio."""
        self._payload_type = payload_type
        self._clock_ms = clock_ms
        self._send: Send | None = None

    def send_by(self, send: Send) -> None:
        """From now on what comes is sent back."""
        self._send = send

    def rtp_received(self, packet: bytes) -> None:
        """Sends an audio packet back, with the next number and at its own time."""
        payload = payload_of(packet) if len(packet) > HEADER_BYTES else None
        if payload is None or self._send is None:
            return
        _, kind, sequence, timestamp, ssrc = HEADER.unpack_from(packet)
        if kind & 0x7F != self._payload_type:
            return
        now_ms = self._clock_ms()
        arrival = self.heard.receive(ssrc, sequence, timestamp, len(payload), now_ms)
        if arrival is Arrival.REFUSED:
            return
        back = self.stream.relay(
            self.heard, arrival, kind, timestamp, payload, len(payload), now_ms
        )
        if back is not None:
            self._send(back, _THE_ONE_PATH)

    def rtcp_received(self, packet: bytes) -> None:
        """Learns the round trip from the browser's reports; what is no report is of no account."""
        try:
            reports = parse_reports(packet)
        except MalformedRtcp:
            return
        self.reports.receive(reports, self._clock_ms())

    def connection_lost(self) -> None:
        """Nothing more comes."""
        self.over.set()
