from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from media_gateway.rtp.inbound import Arrival
from media_gateway.rtp.outbound import OutboundStream
from media_gateway.rtp.packet import signed_32
from tests.unit.rtp.rig import Heard, read_rtp

FRAME = bytes(160)


def new_stream() -> OutboundStream:
    return OutboundStream(ssrc=9, sequence=65_534, timestamp=0xFFFF_FF00, now_ms=1_000.0)


def test_frames_of_one_source_are_contiguous_across_the_wrap() -> None:
    stream = new_stream()
    stream.begin("prompt", 1_000.0)
    heard = [read_rtp(stream.frame(0, FRAME, 1_000.0 + 20 * n)) for n in range(4)]
    assert [packet.sequence for packet in heard] == [65_535, 0, 1, 2]
    assert [signed_32(packet.timestamp - 0xFFFF_FF00) for packet in heard] == [0, 160, 320, 480]
    assert [packet.marker for packet in heard] == [True, False, False, False]
    assert {packet.ssrc for packet in heard} == {9}
    assert (stream.packets, stream.octets) == (4, 640)


def test_a_source_that_follows_at_once_is_joined_without_a_gap() -> None:
    stream = new_stream()
    stream.begin("prompt", 1_000.0)
    first = read_rtp(stream.frame(0, FRAME, 1_000.0))
    stream.begin("music", 1_027.0)
    second = read_rtp(stream.frame(0, FRAME, 1_027.0))
    assert second.timestamp == (first.timestamp + 160) & 0xFFFFFFFF
    assert second.marker


def test_a_source_after_a_pause_starts_on_the_wall_clock() -> None:
    stream = new_stream()
    stream.begin("prompt", 1_000.0)
    first = read_rtp(stream.frame(0, FRAME, 1_000.0))
    stream.begin("music", 4_000.0)
    second = read_rtp(stream.frame(0, FRAME, 4_000.0))
    assert signed_32(second.timestamp - first.timestamp) == 24_000


def test_a_relayed_source_is_mapped_once_and_then_followed() -> None:
    stream, source = new_stream(), object()
    relayed = [
        stream.relay(source, Arrival.CONTINUES, 8, at, FRAME, 160, 1_000.0 + 20 * n)
        for n, at in enumerate((5_000, 5_160, 5_480))
    ]
    heard = [read_rtp(packet) for packet in relayed if packet is not None]
    steps = [signed_32(packet.timestamp - heard[0].timestamp) for packet in heard]
    assert steps == [0, 160, 480]
    assert [packet.sequence for packet in heard] == [65_535, 0, 1]
    assert [packet.marker for packet in heard] == [True, False, False]


def test_a_break_in_the_relayed_source_goes_on_at_the_wall() -> None:
    stream, source = new_stream(), object()
    before = stream.relay(source, Arrival.CONTINUES, 0, 5_000, FRAME, 160, 1_000.0)
    after = stream.relay(source, Arrival.BREAKS, 0, 77, FRAME, 160, 3_000.0)
    assert before is not None
    assert after is not None
    assert read_rtp(after).marker
    assert signed_32(read_rtp(after).timestamp - read_rtp(before).timestamp) == 16_000


def test_a_late_packet_keeps_its_time_and_the_line_goes_on_after() -> None:
    stream, source = new_stream(), object()
    arrivals = [
        (Arrival.CONTINUES, 0),
        (Arrival.CONTINUES, 320),
        (Arrival.LATE, 160),
        (Arrival.CONTINUES, 480),
    ]
    relayed = [stream.relay(source, how, 0, at, FRAME, 160, 1_000.0) for how, at in arrivals]
    heard = [read_rtp(packet) for packet in relayed if packet is not None]
    steps = [signed_32(packet.timestamp - heard[0].timestamp) for packet in heard]
    assert steps == [0, 320, 160, 480]
    stream.begin("prompt", 1_000.0)
    prompt = read_rtp(stream.frame(0, FRAME, 1_000.0))
    assert signed_32(prompt.timestamp - heard[0].timestamp) == 640


def test_a_late_packet_of_an_earlier_source_is_not_sent() -> None:
    stream, source = new_stream(), object()
    stream.begin("prompt", 1_000.0)
    stream.frame(0, FRAME, 1_000.0)
    assert stream.relay(source, Arrival.LATE, 0, 160, FRAME, 160, 1_020.0) is None
    stream.relay(source, Arrival.CONTINUES, 0, 480, FRAME, 160, 1_040.0)
    assert stream.relay(source, Arrival.LATE, 0, 320, FRAME, 160, 1_041.0) is None


def test_sender_reports_pair_the_moment_with_the_stream() -> None:
    stream = new_stream()
    assert stream.timestamp_at(1_500.0) == 0xFFFF_FF00
    stream.begin("prompt", 1_000.0)
    stream.frame(0, FRAME, 1_000.0)
    assert signed_32(stream.timestamp_at(1_010.0) - 0xFFFF_FF00) == 160 + 80


STEP = st.tuples(
    st.sampled_from(["prompt", "music", "relay"]),
    st.integers(0, 2_000),
    st.integers(0, 2**32 - 1),
)


@settings(deadline=None, max_examples=100)
@given(st.lists(STEP, max_size=40))
def test_whatever_feeds_it_the_stream_only_moves_forward(steps: list[tuple[str, int, int]]) -> None:
    stream, now_ms, heard = new_stream(), 1_000.0, list[Heard]()
    for source, pause_ms, timestamp in steps:
        now_ms += pause_ms
        if source == "relay":
            packet = stream.relay("relay", Arrival.BREAKS, 0, timestamp, FRAME, 160, now_ms)
            assert packet is not None
        else:
            stream.begin(source, now_ms)
            packet = stream.frame(0, FRAME, now_ms)
        heard.append(read_rtp(packet))
    for earlier, later in pairwise(heard):
        assert (later.sequence - earlier.sequence) & 0xFFFF == 1
        assert signed_32(later.timestamp - earlier.timestamp) >= 160
