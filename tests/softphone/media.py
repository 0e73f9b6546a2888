"""A call's media: two UDP ports, a sender paced at 20 ms, and what is received.

A loop that was held up by more than STALL_S skips the frames it
missed instead of sending them in a burst, and counts that, so that a test can tell its own
machine's stalls from the far end's.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.softphone import audio
from tests.softphone.audio import RATE_HZ
from tests.softphone.errors import CallOver, NotRTP, PhoneError
from tests.softphone.reception import Reception
from tests.softphone.rtp import (
    NTP_EPOCH_S,
    Report,
    ReportBlock,
    SenderInfo,
    encode_rtcp,
    is_rtcp,
    parse_event,
    parse_rtcp,
    parse_rtp,
)
from tests.softphone.sdp import EVENT, Address, Flow
from tests.softphone.sender import FRAME_S, Sender

STALL_S: Final = 0.2
RTCP_INTERVAL_S: Final = 2.5
MAX_EARLY_PACKETS: Final = 100
"""Packets kept until the description that explains them comes."""
UNDER_WAY_S: Final = 0.1
"""A packet may arrive so long after an agreement under which it would not have been sent."""
MAX_DATAGRAM: Final = 2048
PORT_ATTEMPTS: Final = 50
FIRST_PORT: Final = 20_000
PORT_PAIRS: Final = 6_000
"""Below 32,000, so that no port of the system's own choice (Linux: from 32,768) is in the way."""


@dataclass(frozen=True, slots=True)
class MediaStats:
    """One call's media so far, as this phone saw it."""

    packets_in: int
    packets_out: int
    lost: int
    duplicates: int
    out_of_order: int
    jitter_ms: float
    longest_gap_ms: float
    ssrc_changes: int
    sequence_jumps: int
    timestamp_jumps: int
    payload_types: tuple[int, ...]
    strangers: int
    """Packets from elsewhere than the agreed address; they are not heard."""
    unwanted: int
    """Packets received while the agreed direction forbids them, those under way left out."""
    malformed: int
    """Datagrams that are not RTP, or of a payload type that was not agreed."""
    first_rtp_at_s: float | None
    """Since the INVITE was sent or received."""
    sender_reports_in: int
    receiver_reports_in: int
    reports_out: int
    goodbye: bool
    """Whether RTCP BYE was received."""
    reported_lost: int | None
    """Of what we sent, as the far end last reported."""
    reported_jitter_ms: float | None
    round_trip_ms: float | None
    stalls: int
    """How often this machine held our own sender up by more than STALL_S."""


@dataclass(slots=True)
class _Far:
    """What the far end's RTCP said."""

    sender_reports: int = 0
    receiver_reports: int = 0
    goodbye: bool = False
    last_sr: int = 0
    last_sr_at_s: float = 0.0
    block: ReportBlock | None = None
    round_trip_ms: float | None = None


class _Port(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.received: Callable[[bytes, Address], None] = _drop

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self.received(data, addr)


class MediaSession:
    """Open it, `connect` it to what was agreed, speak by its `sender`, listen; then `close`."""

    def __init__(
        self,
        *,
        rtp: asyncio.DatagramTransport,
        rtcp: asyncio.DatagramTransport,
        report_every_s: float,
    ) -> None:
        self.reception = Reception()
        self.sender = Sender(
            ssrc=secrets.randbits(32),
            sequence=secrets.randbits(16),
            timestamp=secrets.randbits(32),
        )
        self.flow: Flow | None = None
        self.stalls = 0
        self._loop = asyncio.get_running_loop()
        self._opened_at_s = self._loop.time()
        self._rtp, self._rtcp = rtp, rtcp
        self._report_every_s = report_every_s
        self._reports_out = self._reported_out = 0
        self._strangers = self._unwanted = self._malformed = 0
        self._unwanted_from_s = 0.0
        self._early: deque[tuple[bytes, Address, float]] = deque(maxlen=MAX_EARLY_PACKETS)
        self._far = _Far()
        self._expected_before = self._lost_before = 0
        self._closed_at_s: float | None = None
        self._presses: set[asyncio.Future[None]] = set()
        self._tasks = [asyncio.create_task(self._pace()), asyncio.create_task(self._report())]

    @classmethod
    async def open(cls, host: str, *, report_every_s: float = RTCP_INTERVAL_S) -> MediaSession:
        """Take an even port for RTP and the next for RTCP (RFC 3550 section 11)."""
        for _ in range(PORT_ATTEMPTS):
            port = FIRST_PORT + 2 * secrets.randbelow(PORT_PAIRS)
            try:
                rtp, rtp_port = await _bind(host, port)
            except OSError:
                continue
            try:
                rtcp, rtcp_port = await _bind(host, port + 1)
            except OSError:
                rtp.close()
                continue
            session = cls(rtp=rtp, rtcp=rtcp, report_every_s=report_every_s)
            rtp_port.received, rtcp_port.received = session.receive_rtp, session.receive_rtcp
            return session
        raise PhoneError(f"no free pair of ports on {host}")

    @property
    def local(self) -> Address:
        host, port = self._rtp.get_extra_info("sockname")[:2]
        return host, port

    @property
    def now_s(self) -> float:
        """The loop's time, which stands still once the media is closed."""
        return self._loop.time() if self._closed_at_s is None else self._closed_at_s

    def connect(self, flow: Flow) -> None:
        """Send and receive by this agreement from now on."""
        first, self.flow = self.flow is None, flow
        # What was sent before the far end agreed may be read after it.
        self._unwanted_from_s = self._loop.time() + UNDER_WAY_S
        if first:
            while self._early:
                self._hear(*self._early.popleft())

    def close(self) -> None:
        if self._closed_at_s is not None:
            return
        self._send_report(goodbye=True)
        self._closed_at_s = self._loop.time()
        for task in self._tasks:
            task.cancel()
        for press in self._presses:
            if not press.done():
                press.set_exception(CallOver("the call ended while a key was being sent"))
        self._rtp.close()
        self._rtcp.close()

    async def press(self, key: str, duration_ms: int) -> None:
        """Send a key as a telephone event; returns once its last packet is sent.

        Raises PhoneError when keys cannot be sent, CallOver when the call ends meanwhile.
        """
        if self.flow is None or self.flow.event_payload_type is None:
            raise PhoneError("telephone-event was not agreed")
        if not self.flow.may_send:
            raise PhoneError("nothing may be sent while the peer holds the call")
        done = self._loop.create_future()
        self._presses.add(done)
        try:
            self.sender.press(key, duration_ms, lambda: _resolve(done))
            await done
        finally:
            self._presses.discard(done)

    def receive_rtp(self, data: bytes, source: Address) -> None:
        if self.flow is None:
            self._early.append((data, source, self._loop.time()))
        else:
            self._hear(data, source, self._loop.time())

    def receive_rtcp(self, data: bytes, source: Address) -> None:
        if self.flow is not None and source != self.flow.rtcp_to:
            self._strangers += 1
            return
        try:
            compound = parse_rtcp(data)
        except NotRTP:
            self._malformed += 1
            return
        far, now_s = self._far, self._loop.time()
        far.goodbye = far.goodbye or compound.goodbye
        for report in compound.reports:
            if report.sender is None:
                far.receiver_reports += 1
            else:
                far.sender_reports += 1
                far.last_sr = round(report.sender.ntp_s * 65536) & 0xFFFFFFFF
                far.last_sr_at_s = now_s
            for block in report.blocks:
                if block.ssrc == self.sender.ssrc:
                    self._take_block(block)

    def stats(self) -> MediaStats:
        heard, far, counts = self.reception, self._far, self.reception.counts
        first_at_s = heard.first_at_s
        return MediaStats(
            packets_in=counts.packets,
            packets_out=self.sender.packets,
            lost=heard.lost,
            duplicates=counts.duplicates,
            out_of_order=counts.out_of_order,
            jitter_ms=round(heard.jitter_samples * 1000 / RATE_HZ, 2),
            longest_gap_ms=round(heard.longest_gap_s * 1000, 1),
            ssrc_changes=counts.ssrc_changes,
            sequence_jumps=counts.sequence_jumps,
            timestamp_jumps=counts.timestamp_jumps,
            payload_types=tuple(heard.payload_types),
            strangers=self._strangers,
            unwanted=self._unwanted,
            malformed=self._malformed,
            first_rtp_at_s=None if first_at_s is None else round(first_at_s - self._opened_at_s, 4),
            sender_reports_in=far.sender_reports,
            receiver_reports_in=far.receiver_reports,
            reports_out=self._reports_out,
            goodbye=far.goodbye,
            reported_lost=None if far.block is None else far.block.lost,
            reported_jitter_ms=None if far.block is None else far.block.jitter * 1000 / RATE_HZ,
            round_trip_ms=far.round_trip_ms,
            stalls=self.stalls,
        )

    def _hear(self, data: bytes, source: Address, at_s: float) -> None:
        assert self.flow is not None
        if source != self.flow.to:
            self._strangers += 1
            return
        try:
            packet = parse_rtp(data)
            name = self.flow.decodes.get(packet.payload_type)
            if is_rtcp(data) or name is None:
                self._malformed += 1
            elif name == EVENT:
                self.reception.event(packet, parse_event(packet.payload), at_s)
            else:
                self.reception.audio(packet, audio.decode(name, packet.payload), at_s)
            self._unwanted += not self.flow.may_receive and at_s >= self._unwanted_from_s
        except NotRTP:
            self._malformed += 1

    def _take_block(self, block: ReportBlock) -> None:
        self._far.block = block
        if block.last_sr:
            now = round((time.time() + NTP_EPOCH_S) * 65536) & 0xFFFFFFFF
            trip = (now - block.last_sr - block.delay) & 0xFFFFFFFF
            # A far end that rounds its delay up may make a fast trip look negative.
            self._far.round_trip_ms = 0.0 if trip > 1 << 31 else round(trip / 65.536, 2)

    async def _pace(self) -> None:
        next_at_s = self._loop.time()
        while self._closed_at_s is None:
            packet = self.sender.tick(self.flow)
            if packet is not None and self.flow is not None:
                self._rtp.sendto(packet.encode(), self.flow.to)
            next_at_s += FRAME_S
            late_s = self._loop.time() - next_at_s
            if late_s > STALL_S:
                missed = int(late_s / FRAME_S)
                self.stalls += 1
                self.sender.skip(missed)
                next_at_s += missed * FRAME_S
            await asyncio.sleep(max(0.0, -late_s))

    async def _report(self) -> None:
        while self._closed_at_s is None:
            await asyncio.sleep(self._report_every_s)
            self._send_report(goodbye=False)

    def _send_report(self, *, goodbye: bool) -> None:
        if self.flow is None or self.flow.to[0] == "0.0.0.0":
            return
        sender = None
        if self.sender.packets > self._reported_out:
            sent, ntp_s = self.sender, time.time() + NTP_EPOCH_S
            sender = SenderInfo(ntp_s, sent.timestamp, sent.packets, sent.octets)
        self._reported_out = self.sender.packets
        report = Report(self.sender.ssrc, sender, self._blocks())
        data = encode_rtcp(report, cname=f"{self.sender.ssrc:08x}@softphone", goodbye=goodbye)
        self._rtcp.sendto(data, self.flow.rtcp_to)
        self._reports_out += 1

    def _blocks(self) -> tuple[ReportBlock, ...]:
        source = self.reception.source
        if source is None:
            return ()
        ssrc, highest, expected = source
        lost = self.reception.lost
        since = expected - self._expected_before
        missing = max(0, lost - self._lost_before)
        fraction = min(255, missing * 256 // since) if since > 0 else 0
        self._expected_before, self._lost_before = expected, lost
        far = self._far
        delay = round((self._loop.time() - far.last_sr_at_s) * 65536) if far.last_sr else 0
        jitter = round(self.reception.jitter_samples)
        return (ReportBlock(ssrc, fraction, lost, highest, jitter, far.last_sr, delay),)


async def _bind(host: str, port: int) -> tuple[asyncio.DatagramTransport, _Port]:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(_Port, local_addr=(host, port))
    if hasattr(transport, "max_size"):
        # asyncio allots this much for each datagram: its own 256 KiB cost 20 us a packet.
        transport.max_size = MAX_DATAGRAM
    return transport, protocol


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _drop(_data: bytes, _source: Address) -> None:
    """What comes before the session exists is not for it."""
