"""The bytes on the media ports: RTP and RTCP (RFC 3550), telephone events (RFC 4733)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tests.softphone.errors import NotRTP

EVENT_KEYS: Final = "0123456789*#ABCD"
"""A key's event code is its place here (RFC 4733 section 3.2)."""
EVENT_STEP: Final = 160
"""An event is updated every 20 ms."""
END_PACKETS: Final = 3
NTP_EPOCH_S: Final = 2_208_988_800
"""Seconds from 1900, NTP's epoch, to 1970."""

_RTP = struct.Struct("!BBHII")
_EVENT = struct.Struct("!BBH")
_SENDER_INFO = struct.Struct("!IIIII")
_BLOCK = struct.Struct("!IIIIII")
_SR, _RR, _SDES, _BYE, _APP = 200, 201, 202, 203, 204


@dataclass(frozen=True, slots=True)
class RTPPacket:
    """One RTP packet, without its contributing sources and extension."""

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False

    def encode(self) -> bytes:
        second = self.payload_type | (0x80 if self.marker else 0)
        head = _RTP.pack(
            0x80, second, self.sequence & 0xFFFF, self.timestamp & 0xFFFFFFFF, self.ssrc
        )
        return head + self.payload


def is_rtcp(data: bytes) -> bool:
    """Whether a datagram is RTCP by its second octet (RFC 5761 section 4)."""
    return len(data) >= 2 and _SR <= data[1] <= _APP + 3


def parse_rtp(data: bytes) -> RTPPacket:
    if len(data) < _RTP.size or data[0] >> 6 != 2:
        raise NotRTP(f"{len(data)} octets, not RTP version 2")
    first, second, sequence, timestamp, ssrc = _RTP.unpack_from(data)
    start, end = _RTP.size + 4 * (first & 0x0F), len(data)
    if first & 0x10:
        if end < start + 4:
            raise NotRTP("an extension without its length")
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
    if first & 0x20:
        if not 1 <= data[-1] <= end - start:
            raise NotRTP(f"{data[-1]} octets of padding")
        end -= data[-1]
    if start > end:
        raise NotRTP("a header longer than the packet")
    marker = bool(second & 0x80)
    return RTPPacket(second & 0x7F, sequence, timestamp, ssrc, data[start:end], marker)


@dataclass(frozen=True, slots=True)
class TelephoneEvent:
    """What one telephone-event packet says (RFC 4733 section 2.3)."""

    code: int
    end: bool
    volume: int
    """Level as -dBm0, 0 to 63."""
    duration: int
    """Samples since the event's timestamp."""

    def encode(self) -> bytes:
        return _EVENT.pack(self.code, (0x80 if self.end else 0) | self.volume, self.duration)


def parse_event(payload: bytes) -> TelephoneEvent:
    if len(payload) < _EVENT.size:
        raise NotRTP(f"{len(payload)} octets, not a telephone-event")
    code, second, duration = _EVENT.unpack_from(payload)
    return TelephoneEvent(code, bool(second & 0x80), second & 0x3F, duration)


def event_packets(key: str, duration_ms: int, *, volume: int = 10) -> Iterator[TelephoneEvent]:
    """A pressed key's packets, one every 20 ms, all under the first one's timestamp.

    The duration grows; the last packet, with the end bit, is sent three times
    (RFC 4733 sections 2.5.1.2 to 2.5.1.4).
    """
    code, total = EVENT_KEYS.index(key), duration_ms * 8
    for duration in range(EVENT_STEP, total, EVENT_STEP):
        yield TelephoneEvent(code, end=False, volume=volume, duration=duration)
    for _ in range(END_PACKETS):
        yield TelephoneEvent(code, end=True, volume=volume, duration=total)


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """What the reporter received from one source (RFC 3550 section 6.4.1)."""

    ssrc: int
    fraction_lost: int
    """In 256ths, since the last report."""
    lost: int
    """Since the beginning; may be negative, for duplicates."""
    highest: int
    """The extended highest sequence number received."""
    jitter: int
    """In samples."""
    last_sr: int
    """The middle 32 bits of the last sender report's NTP time; 0 for none yet."""
    delay: int
    """Since that report, in 65,536ths of a second."""


@dataclass(frozen=True, slots=True)
class SenderInfo:
    """The sender's own account of what it sent (RFC 3550 section 6.4.1)."""

    ntp_s: float
    """Seconds since 1900."""
    timestamp: int
    packets: int
    octets: int


@dataclass(frozen=True, slots=True)
class Report:
    """A sender report (with `sender`) or a receiver report (without)."""

    ssrc: int
    sender: SenderInfo | None
    blocks: tuple[ReportBlock, ...]


@dataclass(frozen=True, slots=True)
class Compound:
    """One RTCP datagram: its reports, its canonical name, whether it says goodbye."""

    reports: tuple[Report, ...]
    cname: str | None
    goodbye: bool


def encode_rtcp(report: Report, *, cname: str, goodbye: bool = False) -> bytes:
    """A compound of one report, the canonical name and, at the end, BYE (RFC 3550 6.1)."""
    blocks = b"".join(_encode_block(block) for block in report.blocks)
    if report.sender is None:
        body, kind = blocks, _RR
    else:
        info = report.sender
        ntp = round(info.ntp_s * 65536) << 16
        counts = (info.timestamp & 0xFFFFFFFF, info.packets & 0xFFFFFFFF, info.octets & 0xFFFFFFFF)
        body = _SENDER_INFO.pack(ntp >> 32 & 0xFFFFFFFF, ntp & 0xFFFFFFFF, *counts) + blocks
        kind = _SR
    name = cname.encode()
    item = bytes((1, len(name))) + name
    item += bytes(4 - len(item) % 4)
    source = report.ssrc.to_bytes(4, "big")
    packets = _rtcp(kind, len(report.blocks), source + body) + _rtcp(_SDES, 1, source + item)
    return packets + _rtcp(_BYE, 1, source) if goodbye else packets


def parse_rtcp(data: bytes) -> Compound:
    """A compound as RFC 3550 A.2 checks one: version 2, a report first, lengths that add up."""
    reports: list[Report] = []
    cname, goodbye, at = None, False, 0
    if len(data) < 8 or data[1] not in (_SR, _RR):
        raise NotRTP("RTCP that does not begin with a report")
    while at < len(data):
        if len(data) - at < 4 or data[at] >> 6 != 2:
            raise NotRTP("RTCP that breaks off, or is not version 2")
        end = at + 4 + 4 * int.from_bytes(data[at + 2 : at + 4], "big")
        if end > len(data):
            raise NotRTP("RTCP longer than its datagram")
        count, kind, body = data[at] & 0x1F, data[at + 1], data[at + 4 : end]
        if kind in (_SR, _RR):
            reports.append(_parse_report(kind, count, body))
        elif kind == _SDES and len(body) >= 6 and body[4] == 1:
            cname = body[6 : 6 + body[5]].decode(errors="replace")
        goodbye = goodbye or kind == _BYE
        at = end
    return Compound(tuple(reports), cname, goodbye)


def _parse_report(kind: int, count: int, body: bytes) -> Report:
    head = 4 + (_SENDER_INFO.size if kind == _SR else 0)
    if len(body) < head + count * _BLOCK.size:
        raise NotRTP(f"a report shorter than its {count} blocks")
    sender = None
    if kind == _SR:
        high, low, timestamp, packets, octets = _SENDER_INFO.unpack_from(body, 4)
        sender = SenderInfo(high + low / 2**32, timestamp, packets, octets)
    offsets = range(head, head + count * _BLOCK.size, _BLOCK.size)
    blocks = tuple(_parse_block(body, offset) for offset in offsets)
    return Report(int.from_bytes(body[:4], "big"), sender, blocks)


def _parse_block(body: bytes, offset: int) -> ReportBlock:
    ssrc, loss, highest, jitter, last_sr, delay = _BLOCK.unpack_from(body, offset)
    lost = loss & 0xFFFFFF
    signed = lost - 0x1000000 if lost & 0x800000 else lost
    return ReportBlock(ssrc, loss >> 24, signed, highest, jitter, last_sr, delay)


def _encode_block(block: ReportBlock) -> bytes:
    loss = block.fraction_lost << 24 | block.lost & 0xFFFFFF
    return _BLOCK.pack(
        block.ssrc, loss, block.highest & 0xFFFFFFFF, block.jitter, block.last_sr, block.delay
    )


def _rtcp(kind: int, count: int, body: bytes) -> bytes:
    return struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body
