"""One leg's conversation of reports: what to say, when, and what the far end's reports tell."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Final

from media_gateway.rtp import rtcp
from media_gateway.rtp.inbound import InboundStream
from media_gateway.rtp.model import SAMPLES_PER_MS
from media_gateway.rtp.outbound import OutboundStream
from media_gateway.rtp.packet import MASK_32, signed_32

INTERVAL_MS: Final = 5_000
"""The RFC's smallest interval, varied by half to either side so that legs do not report at once."""
MAX_RTT_MS: Final = 60_000
"""A longer round trip is a far end that counts its delays wrongly."""


class RtcpSession:
    """Builds and reads one leg's compound packets; times are the engine's milliseconds.

    The engine's clock is given as NTP time: should it not be UTC, round trips are right still.
    """

    def __init__(
        self,
        *,
        inbound: InboundStream,
        outbound: OutboundStream,
        random_bits: Callable[[int], int],
        now_ms: float,
    ) -> None:
        self._inbound, self._outbound = inbound, outbound
        self._random_bits = random_bits
        # A name of 96 random bits, as RFC 7022 wants it: it tells nothing of host or user.
        self.cname = base64.b64encode(random_bits(96).to_bytes(12, "big")).decode()
        self._reported_packets = 0
        self._sender_report: tuple[int, int, float] | None = None
        self.due_ms = now_ms + self._interval_ms() / 2
        self.far_lost: int | None = None
        self.far_loss: float | None = None
        self.far_jitter_ms: float | None = None
        self.rtt_ms: float | None = None

    def build(self, now_ms: float, *, goodbye: bool = False) -> bytes:
        """The next compound packet; the one after is due within 2.5-7.5 s."""
        self.due_ms = now_ms + self._interval_ms()
        out = self._outbound
        sender = None
        if out.packets != self._reported_packets:
            sender = rtcp.SenderInfo(
                ntp=rtcp.ntp_at(now_ms),
                timestamp=out.timestamp_at(now_ms),
                packets=out.packets,
                octets=out.octets,
            )
        self._reported_packets = out.packets
        report = rtcp.Report(ssrc=out.ssrc, sender=sender, blocks=self._blocks(now_ms))
        compound = rtcp.build_report(report) + rtcp.build_name(out.ssrc, self.cname)
        return compound + rtcp.build_goodbye(out.ssrc) if goodbye else compound

    def receive(self, reports: Sequence[rtcp.Report], now_ms: float) -> None:
        """Learn from the reports of one compound packet."""
        for report in reports:
            if report.sender is not None:
                self._sender_report = (report.ssrc, rtcp.middle(report.sender.ntp), now_ms)
            for block in report.blocks:
                if block.ssrc == self._outbound.ssrc:
                    self._learn(block, now_ms)

    def _learn(self, block: rtcp.ReportBlock, now_ms: float) -> None:
        self.far_lost = block.cumulative_lost
        self.far_loss = block.fraction_lost / 256
        self.far_jitter_ms = block.jitter / SAMPLES_PER_MS
        if not block.last_sender_report:
            return
        now = rtcp.middle(rtcp.ntp_at(now_ms))
        away = signed_32(now - block.last_sender_report - block.delay_since)
        rtt_ms = away * 1_000 / 65_536
        # A little below zero is the rounding of two clocks, not time travel.
        if -1.0 < rtt_ms <= MAX_RTT_MS:
            self.rtt_ms = max(rtt_ms, 0.0)

    def _blocks(self, now_ms: float) -> tuple[rtcp.ReportBlock, ...]:
        reception = self._inbound.reception()
        if reception is None:
            return ()
        last, delay = 0, 0
        if self._sender_report is not None and self._sender_report[0] == reception.ssrc:
            last = self._sender_report[1]
            delay = int((now_ms - self._sender_report[2]) * 65_536 / 1_000) & MASK_32
        return (
            rtcp.ReportBlock(
                ssrc=reception.ssrc,
                fraction_lost=reception.fraction_lost,
                cumulative_lost=reception.cumulative_lost,
                highest_sequence=reception.highest_sequence,
                jitter=reception.jitter & MASK_32,
                last_sender_report=last,
                delay_since=delay,
            ),
        )

    def _interval_ms(self) -> float:
        return INTERVAL_MS * (0.5 + self._random_bits(16) / 65_536)
