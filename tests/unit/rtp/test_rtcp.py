from __future__ import annotations

import random
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media_gateway.rtp import rtcp
from media_gateway.rtp.errors import MalformedRtcp
from media_gateway.rtp.inbound import InboundStream
from media_gateway.rtp.outbound import OutboundStream
from media_gateway.rtp.rtcp import Report, ReportBlock, SenderInfo
from media_gateway.rtp.rtcp_session import RtcpSession

WORD = st.integers(0, 2**32 - 1)
BLOCK = st.builds(
    ReportBlock,
    ssrc=WORD,
    fraction_lost=st.integers(0, 255),
    cumulative_lost=st.integers(-(2**23), 2**23 - 1),
    highest_sequence=WORD,
    jitter=WORD,
    last_sender_report=WORD,
    delay_since=WORD,
)
SENDER = st.builds(
    SenderInfo, ntp=st.integers(0, 2**64 - 1), timestamp=WORD, packets=WORD, octets=WORD
)
REPORT = st.builds(
    Report,
    ssrc=WORD,
    sender=st.none() | SENDER,
    blocks=st.lists(BLOCK, max_size=31).map(tuple),
)


@settings(deadline=None, max_examples=60)
@given(REPORT, st.text(max_size=80))
def test_reports_come_back_from_the_wire(report: Report, name: str) -> None:
    compound = (
        rtcp.build_report(report)
        + rtcp.build_name(report.ssrc, name)
        + rtcp.build_goodbye(report.ssrc)
    )
    assert len(compound) % 4 == 0
    assert rtcp.parse_reports(compound) == (report,)


def test_a_sender_report_stands_on_the_wire_as_the_rfc_draws_it() -> None:
    block = ReportBlock(2, 64, -1, 70_000, 5, 6, 7)
    data = rtcp.build_report(Report(1, SenderInfo(3 << 32 | 4, 5, 6, 7), (block,)))
    words = struct.unpack("!13I", data)
    assert words == (
        0x81C8_000C, 1, 3, 4, 5, 6, 7, 2, 0x40FF_FFFF, 70_000, 5, 6, 7,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["", "a", "ab", "abc", "abcd", "x" * 300])
def test_a_name_ends_with_zeros_on_a_word(name: str) -> None:
    data = rtcp.build_name(1, name)
    length = min(len(name), 255)
    assert data[:2] == b"\x81\xca"
    assert len(data) == 4 + 4 * struct.unpack("!H", data[2:4])[0]
    assert data[8:10] == bytes([1, length])
    assert data[10 + length :].strip(b"\0") == b""
    assert 1 <= len(data[10 + length :]) <= 4


RECEIVER = rtcp.build_report(Report(1, None, ()))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        RECEIVER[:7],
        RECEIVER + b"\0",
        b"\x40" + RECEIVER[1:],
        RECEIVER[:2] + b"\0\x09" + RECEIVER[4:],
        b"\x81" + RECEIVER[1:],
        b"\x80\xc8\0\x01" + bytes(4),
        b"\x80\xc9\0\0",
        rtcp.build_name(1, "a"),
        rtcp.build_goodbye(1),
        RECEIVER + b"\x40\xca\0\0",
        RECEIVER * 256,
    ],
)
def test_malformed_compounds_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedRtcp):
        rtcp.parse_reports(data)


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=120))
def test_random_bytes_are_parsed_or_refused(data: bytes) -> None:
    try:
        reports = rtcp.parse_reports(data)
    except MalformedRtcp:
        return
    assert reports


def test_ntp_counts_from_1900_and_its_middle_in_65536ths() -> None:
    ntp = rtcp.ntp_at(1_500.0)
    assert ntp == (2_208_988_801 << 32) + (1 << 31)
    assert rtcp.middle(ntp) == ((2_208_988_801 & 0xFFFF) << 16) + 0x8000


class Side:
    """One end of a conversation of reports."""

    def __init__(self, seed: int, now_ms: float) -> None:
        dice = random.Random(seed)
        self.inbound = InboundStream()
        self.outbound = OutboundStream(ssrc=seed, sequence=0, timestamp=0, now_ms=now_ms)
        self.outbound.begin(self, now_ms)
        self.session = RtcpSession(
            inbound=self.inbound,
            outbound=self.outbound,
            random_bits=dice.getrandbits,
            now_ms=now_ms,
        )

    def send(self, other: Side, now_ms: float, *, lost: bool = False) -> None:
        _, _, sequence, timestamp, ssrc = struct.unpack(
            "!BBHII", self.outbound.frame(0, bytes(160), now_ms)[:12]
        )
        if not lost:
            other.inbound.receive(ssrc, sequence, timestamp, 160, now_ms)


def test_two_sides_learn_loss_and_round_trip_from_each_other() -> None:
    now_ms = 1_700_000_000_000.0
    ours, theirs = Side(1, now_ms), Side(2, now_ms)
    for n in range(20):
        ours.send(theirs, now_ms + 20 * n, lost=n in (3, 4, 5))
        theirs.send(ours, now_ms + 20 * n)
    sent_ms = now_ms + 400
    first = rtcp.parse_reports(ours.session.build(sent_ms))
    theirs.session.receive(first, sent_ms + 30)
    reply = rtcp.parse_reports(theirs.session.build(sent_ms + 1_030))
    ours.session.receive(reply, sent_ms + 1_080)
    assert ours.session.far_lost == 3
    assert ours.session.far_loss == pytest.approx(3 / 20, abs=1 / 256)
    assert ours.session.far_jitter_ms is not None
    assert ours.session.rtt_ms == pytest.approx(80, abs=0.1)
    assert theirs.session.rtt_ms is None


def test_a_side_that_sent_nothing_since_reports_as_a_receiver() -> None:
    ours, theirs = Side(1, 0.0), Side(2, 0.0)
    ours.send(theirs, 0.0)
    (first,) = rtcp.parse_reports(ours.session.build(10.0))
    (second,) = rtcp.parse_reports(ours.session.build(20.0))
    assert first.sender is not None
    assert (first.sender.packets, first.sender.octets) == (1, 160)
    assert second.sender is None
    assert first.blocks == ()


def test_reports_are_due_within_the_varied_interval() -> None:
    side = Side(3, 0.0)
    assert 1_250 <= side.session.due_ms <= 3_750
    gaps = []
    for n in range(200):
        side.session.build(10_000.0 * n)
        gaps.append(side.session.due_ms - 10_000.0 * n)
    assert 2_500 <= min(gaps) < 2_700
    assert 7_300 < max(gaps) <= 7_500


@pytest.mark.parametrize("last_sender_report", [0, 1])
def test_reports_on_others_or_without_an_echo_teach_no_round_trip(last_sender_report: int) -> None:
    side = Side(1, 1_700_000_000_000.0)
    block = ReportBlock(1, 128, 9, 0, 80, last_sender_report, 0)
    stranger = ReportBlock(77, 255, 99, 0, 0, 0, 0)
    side.session.receive([Report(5, None, (stranger, block))], 1_700_000_000_000.0)
    assert (side.session.far_lost, side.session.far_loss) == (9, 0.5)
    assert side.session.far_jitter_ms == 10
    assert side.session.rtt_ms is None


def test_a_goodbye_ends_the_compound() -> None:
    side = Side(1, 0.0)
    assert side.session.build(1.0, goodbye=True)[-8:] == rtcp.build_goodbye(1)
