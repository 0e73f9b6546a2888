"""RTCP packets on the wire (RFC 3550, 6): reports, a name and a goodbye; pure."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from media_gateway.rtp.errors import MalformedRtcp
from media_gateway.rtp.packet import MASK_32, MAX_DATAGRAM_BYTES

SENDER_REPORT: Final = 200
RECEIVER_REPORT: Final = 201
SOURCE_DESCRIPTION: Final = 202
GOODBYE: Final = 203

MAX_CNAME_BYTES: Final = 255
_UNIX_TO_NTP_S: Final = 2_208_988_800
_HEADER: Final = struct.Struct("!BBH")
_SENDER: Final = struct.Struct("!QIII")
_BLOCK: Final = struct.Struct("!IIIIII")
_CNAME_ITEM: Final = 1


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """What one receiver says of one source (6.4.1)."""

    ssrc: int
    """The source it reports on."""
    fraction_lost: int
    """Since its last report, in 1/256."""
    cumulative_lost: int
    """Since the source began; signed."""
    highest_sequence: int
    """Extended highest sequence number."""
    jitter: int
    """In timestamp units."""
    last_sender_report: int
    """The middle 32 bits of the last sender report's NTP time; 0 if none came."""
    delay_since: int
    """From that report's arrival to this one, in 1/65536 s."""


@dataclass(frozen=True, slots=True)
class SenderInfo:
    """What a source says of itself."""

    ntp: int
    """The moment, in 1/2^32 s since 1900."""
    timestamp: int
    """The same moment on its RTP clock."""
    packets: int
    """RTP packets sent so far."""
    octets: int
    """Payload bytes sent so far."""


@dataclass(frozen=True, slots=True)
class Report:
    """One sender or receiver report."""

    ssrc: int
    """Who reports."""
    sender: SenderInfo | None
    """None in a receiver report."""
    blocks: tuple[ReportBlock, ...]
    """At most 31."""


def ntp_at(unix_ms: float) -> int:
    """A Unix time in milliseconds as a 64-bit NTP timestamp."""
    return (int(unix_ms * 1_000) << 32) // 1_000_000 + (_UNIX_TO_NTP_S << 32)


def middle(ntp: int) -> int:
    """The middle 32 bits of an NTP timestamp: 1/65536 s, wrapping every 18 hours."""
    return (ntp >> 16) & MASK_32


def build_report(report: Report) -> bytes:
    """A sender or receiver report packet."""
    body = report.ssrc.to_bytes(4, "big")
    if report.sender is not None:
        sender = report.sender
        body += _SENDER.pack(
            sender.ntp, sender.timestamp, sender.packets & MASK_32, sender.octets & MASK_32
        )
    for block in report.blocks:
        loss = block.fraction_lost << 24 | (block.cumulative_lost & 0xFF_FFFF)
        body += _BLOCK.pack(
            block.ssrc,
            loss,
            block.highest_sequence,
            block.jitter,
            block.last_sender_report,
            block.delay_since,
        )
    kind = RECEIVER_REPORT if report.sender is None else SENDER_REPORT
    return _packet(kind, len(report.blocks), body)


def build_name(ssrc: int, cname: str) -> bytes:
    """A source description with the canonical name alone (6.5.1)."""
    name = cname.encode()[:MAX_CNAME_BYTES]
    body = struct.pack("!IBB", ssrc, _CNAME_ITEM, len(name)) + name
    # The list of items ends with at least one zero byte, up to the word's end.
    return _packet(SOURCE_DESCRIPTION, 1, body + bytes(4 - len(body) % 4))


def build_goodbye(ssrc: int) -> bytes:
    """The source leaves (6.6)."""
    return _packet(GOODBYE, 1, ssrc.to_bytes(4, "big"))


def parse_reports(data: bytes) -> tuple[Report, ...]:
    """The reports of a compound packet, other kinds passed over; raises MalformedRtcp (A.2)."""
    if len(data) >= MAX_DATAGRAM_BYTES or len(data) % 4:
        raise MalformedRtcp(f"{len(data)} bytes are no RTCP datagram")
    reports: list[Report] = []
    offset = 0
    while offset < len(data):
        first, kind, words = _HEADER.unpack_from(data, offset)
        end = offset + 4 + 4 * words
        if first >> 6 != 2 or end > len(data):
            raise MalformedRtcp("a packet of another version or longer than its datagram")
        if offset == 0 and kind not in (SENDER_REPORT, RECEIVER_REPORT):
            raise MalformedRtcp("a compound packet begins with a report")
        if kind in (SENDER_REPORT, RECEIVER_REPORT):
            reports.append(_parse_report(kind, first & 0x1F, data[offset + 4 : end]))
        offset = end
    if not reports:
        raise MalformedRtcp("an empty datagram")
    return tuple(reports)


def _parse_report(kind: int, count: int, body: bytes) -> Report:
    start = 4 + (_SENDER.size if kind == SENDER_REPORT else 0)
    if len(body) < start + count * _BLOCK.size:
        raise MalformedRtcp(f"{count} report blocks do not fit in {len(body)} bytes")
    sender = SenderInfo(*_SENDER.unpack_from(body, 4)) if kind == SENDER_REPORT else None
    blocks = tuple(_parse_block(body, start + index * _BLOCK.size) for index in range(count))
    return Report(ssrc=int.from_bytes(body[:4], "big"), sender=sender, blocks=blocks)


def _parse_block(body: bytes, offset: int) -> ReportBlock:
    ssrc, loss, highest, jitter, last_sender_report, delay = _BLOCK.unpack_from(body, offset)
    lost = loss & 0xFF_FFFF
    return ReportBlock(
        ssrc=ssrc,
        fraction_lost=loss >> 24,
        cumulative_lost=lost - 0x100_0000 if lost & 0x80_0000 else lost,
        highest_sequence=highest,
        jitter=jitter,
        last_sender_report=last_sender_report,
        delay_since=delay,
    )


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return _HEADER.pack(0x80 | count, kind, len(body) // 4) + body
