import pytest

from tests.softphone.errors import NotRTP
from tests.softphone.rtp import (
    Report,
    ReportBlock,
    RTPPacket,
    SenderInfo,
    TelephoneEvent,
    encode_rtcp,
    event_packets,
    is_rtcp,
    parse_event,
    parse_rtcp,
    parse_rtp,
)

BLOCK = ReportBlock(
    ssrc=7, fraction_lost=128, lost=-2, highest=0x10005, jitter=9, last_sr=0xABCD1234, delay=65536
)


def test_a_packet_is_written_as_rfc_3550_draws_it() -> None:
    packet = RTPPacket(8, 0x1234, 0xDEADBEEF, 0xCAFEBABE, b"\xd5" * 2, marker=True)
    assert packet.encode().hex() == "80881234deadbeefcafebabed5d5"
    assert parse_rtp(packet.encode()) == packet


def test_counters_wrap_on_the_wire() -> None:
    packet = parse_rtp(RTPPacket(0, 0x10001, 0x100000002, 1, b"").encode())
    assert (packet.sequence, packet.timestamp) == (1, 2)


def test_sources_extension_and_padding_are_not_payload() -> None:
    head = bytes.fromhex("b200000100000002000000030000000a0000000b")
    extension = bytes.fromhex("bede000111223344")
    packet = parse_rtp(head + extension + b"sound" + b"\0\0\3")
    assert packet.payload == b"sound"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80" * 11,
        bytes.fromhex("400000010000000200000003"),
        bytes.fromhex("900000010000000200000003"),
        bytes.fromhex("90000001000000020000000300000009"),
        bytes.fromhex("a000000100000002000000030000"),
        bytes.fromhex("a0000001000000020000000300ff"),
        bytes.fromhex("8f0000010000000200000003"),
    ],
)
def test_what_is_not_rtp_is_refused(data: bytes) -> None:
    with pytest.raises(NotRTP):
        parse_rtp(data)


def test_an_event_is_written_as_rfc_4733_draws_it() -> None:
    event = TelephoneEvent(code=11, end=True, volume=10, duration=800)
    assert event.encode().hex() == "0b8a0320"
    assert parse_event(event.encode()) == event
    with pytest.raises(NotRTP):
        parse_event(b"\x01\x02\x03")


def test_a_key_grows_every_20_ms_and_ends_three_times() -> None:
    packets = list(event_packets("#", 100))
    assert {packet.code for packet in packets} == {11}
    assert [packet.duration for packet in packets] == [160, 320, 480, 640, 800, 800, 800]
    assert [packet.end for packet in packets] == [False] * 4 + [True] * 3


def test_the_shortest_key_is_only_its_end() -> None:
    assert [packet.end for packet in event_packets("1", 20)] == [True] * 3


def test_a_sender_report_comes_back_as_it_was_sent() -> None:
    report = Report(
        3, SenderInfo(ntp_s=3_900_000_000.5, timestamp=5, packets=6, octets=960), (BLOCK,)
    )
    data = encode_rtcp(report, cname="phone@test", goodbye=True)
    compound = parse_rtcp(data)
    assert is_rtcp(data)
    assert not is_rtcp(RTPPacket(0, 1, 1, 1, b"").encode())
    assert compound.reports == (report,)
    assert (compound.cname, compound.goodbye) == ("phone@test", True)


def test_a_receiver_report_has_no_sender() -> None:
    compound = parse_rtcp(encode_rtcp(Report(3, None, (BLOCK,)), cname="abcdef"))
    assert compound.reports == (Report(3, None, (BLOCK,)),)
    assert (compound.cname, compound.goodbye) == ("abcdef", False)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes.fromhex("81ca000100000001"),
        bytes.fromhex("80c9000500000001"),
        bytes.fromhex("81c9000100000001"),
        bytes.fromhex("80c900010000000141c90000"),
        bytes.fromhex("80c90001000000018000"),
    ],
)
def test_what_is_not_rtcp_is_refused(data: bytes) -> None:
    with pytest.raises(NotRTP):
        parse_rtcp(data)
