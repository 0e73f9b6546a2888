from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media_gateway.rtp.inbound import CUMULATIVE_MAX, Arrival, InboundStream

SSRC = 7


def stream_of(*packets: tuple[int, int, float]) -> tuple[InboundStream, list[Arrival]]:
    """Packets as (sequence, timestamp, arrival in ms), 160 samples each."""
    stream = InboundStream()
    verdicts = [
        stream.receive(SSRC, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, 160, at_ms)
        for sequence, timestamp, at_ms in packets
    ]
    return stream, verdicts


def steady(count: int, *, first: int = 0) -> list[tuple[int, int, float]]:
    return [(first + n, 160 * n, 20.0 * n) for n in range(count)]


def test_a_steady_stream_continues_without_loss_or_jitter() -> None:
    stream, verdicts = stream_of(*steady(50))
    assert verdicts == [Arrival.BREAKS] + [Arrival.CONTINUES] * 49
    assert (stream.received, stream.expected, stream.jitter) == (50, 50, 0)


def test_jitter_is_the_rfc_estimate() -> None:
    # Transit in samples: 0, 40, -24, 0. |D| = 40, 64, 24; J += (|D| - J) / 16 each time.
    stream, _ = stream_of((0, 0, 0.0), (1, 160, 25.0), (2, 320, 37.0), (3, 480, 60.0))
    first = 40 / 16
    second = first + (64 - first) / 16
    third = second + (24 - second) / 16
    assert stream.jitter == pytest.approx(third)
    assert stream.jitter_ms == pytest.approx(third / 8)


def test_jitter_compares_neighbours_in_order_of_arrival() -> None:
    # 1 and 2 swap places: D(2,0) = (22-0)*8-320 = -144, D(1,2) = 8+160, D(3,1) = (60-23)*8-320.
    stream, verdicts = stream_of((0, 0, 0.0), (2, 320, 22.0), (1, 160, 23.0), (3, 480, 60.0))
    expected = 0.0
    for difference in (144.0, 168.0, 24.0):
        expected += (difference - expected) / 16
    assert stream.jitter == pytest.approx(expected)
    assert verdicts[1:] == [Arrival.CONTINUES, Arrival.LATE, Arrival.CONTINUES]


def test_report_block_counts_loss_across_the_wrap() -> None:
    kept = [packet for packet in steady(20, first=65_530) if packet[0] not in (65_535, 65_536)]
    stream, _ = stream_of(*kept)
    block = stream.reception()
    assert block is not None
    assert block.cumulative_lost == 2
    assert block.fraction_lost == 2 * 256 // 20
    assert block.highest_sequence == 65_549
    assert (block.ssrc, block.jitter) == (SSRC, 0)


def test_each_report_has_its_own_fraction() -> None:
    stream, _ = stream_of(*steady(10), (12, 12 * 160, 240.0))
    first, second = stream.reception(), stream.reception()
    assert first is not None
    assert second is not None
    assert (first.fraction_lost, second.fraction_lost) == (2 * 256 // 13, 0)
    assert second.cumulative_lost == 2


def test_duplicates_make_loss_negative_and_fraction_zero() -> None:
    stream, verdicts = stream_of(*steady(3), (2, 320, 41.0), (1, 160, 42.0))
    block = stream.reception()
    assert verdicts[-2:] == [Arrival.REFUSED] * 2
    assert block is not None
    assert (block.cumulative_lost, block.fraction_lost, stream.duplicates) == (-2, 0, 2)


def test_cumulative_loss_stays_within_24_bits() -> None:
    stream = InboundStream()
    timestamp = 0
    for n in range(3_000):
        stream.receive(SSRC, (n * 2_990) & 0xFFFF, timestamp, 160, 20.0 * n)
        timestamp += 160
    block = stream.reception()
    assert block is not None
    assert block.cumulative_lost == CUMULATIVE_MAX
    assert block.fraction_lost == 255


def test_a_late_packet_fills_its_gap_once() -> None:
    stream, verdicts = stream_of(*steady(3), (4, 640, 80.0), (3, 480, 81.0), (3, 480, 82.0))
    assert verdicts[-3:] == [Arrival.CONTINUES, Arrival.LATE, Arrival.REFUSED]
    assert (stream.late, stream.duplicates) == (1, 1)


def test_only_the_latest_gaps_are_remembered() -> None:
    jump = [(100, 160 * 100, 2_000.0)]
    _, verdicts = stream_of((0, 0, 0.0), *jump, (35, 160 * 35, 2_001.0), (36, 160 * 36, 2_002.0))
    assert verdicts[-2:] == [Arrival.REFUSED, Arrival.LATE]


def test_gaps_of_an_earlier_round_of_numbers_are_forgotten() -> None:
    stream, _ = stream_of((0, 0, 0.0), (2, 320, 40.0))
    for n in range(3, 65_536 + 3):
        stream.receive(SSRC, n & 0xFFFF, 160 * n, 160, 20.0 * n)
    assert stream.receive(SSRC, 1, 160 * 65_537, 160, 20.0 * 65_539) is Arrival.REFUSED


def test_a_renumbered_source_counts_after_two_in_a_row() -> None:
    stream, verdicts = stream_of(
        *steady(5), (20_000, 0, 100.0), (20_001, 160, 120.0), (20_002, 320, 140.0)
    )
    assert verdicts[-3:] == [Arrival.REFUSED, Arrival.BREAKS, Arrival.CONTINUES]
    assert (stream.expected, stream.received, stream.source_changes) == (7, 7, 1)


def test_one_stray_number_changes_nothing() -> None:
    stream, verdicts = stream_of(*steady(5), (20_000, 0, 90.0), (5, 800, 100.0))
    assert verdicts[-2:] == [Arrival.REFUSED, Arrival.CONTINUES]
    assert (stream.expected, stream.received) == (6, 6)


def test_a_new_ssrc_breaks_and_the_leg_keeps_its_totals() -> None:
    stream, _ = stream_of(*steady(4), (5, 800, 100.0))
    assert stream.receive(8, 500, 99, 160, 120.0) is Arrival.BREAKS
    assert (stream.ssrc, stream.source_changes) == (8, 1)
    assert (stream.expected, stream.received) == (7, 6)
    block = stream.reception()
    assert block is not None
    assert block.cumulative_lost == 0


@pytest.mark.parametrize(
    ("timestamp", "at_ms", "verdict"),
    [
        (480 + 160_000, 60.0, Arrival.BREAKS),
        (480 - 160_000, 60.0, Arrival.BREAKS),
        (480 + 160_000, 20_060.0, Arrival.CONTINUES),
        (480, 5_060.0, Arrival.BREAKS),
        (480, 900.0, Arrival.CONTINUES),
    ],
    ids=["ahead", "back", "silence suppressed", "clock stood still", "network froze"],
)
def test_a_clock_that_leaves_the_wall_breaks(
    timestamp: int, at_ms: float, verdict: Arrival
) -> None:
    _, verdicts = stream_of(*steady(3), (3, timestamp, at_ms))
    assert verdicts[-1] is verdict


def test_a_break_and_a_late_key_leave_jitter_alone() -> None:
    stream, _ = stream_of(*steady(3), (3, 480 + 160_000, 60.0))
    assert stream.jitter == 0
    stream.receive_untimed(SSRC, 5, 480 + 160_320, 100.0)
    assert stream.receive_untimed(SSRC, 4, 480 + 160_320, 101.0) is Arrival.LATE
    assert stream.jitter == 0


def test_a_long_key_neither_breaks_nor_jitters() -> None:
    stream, _ = stream_of(*steady(3))
    verdicts = {stream.receive_untimed(SSRC, 3 + n, 480, 60.0 + 20 * n) for n in range(150)}
    voice = stream.receive(SSRC, 153, 480 + 160 * 150, 160, 60.0 + 20 * 150)
    assert verdicts == {Arrival.CONTINUES}
    assert voice is Arrival.CONTINUES
    assert stream.jitter == 0


def test_nothing_heard_is_nothing_to_report() -> None:
    stream = InboundStream()
    assert stream.reception() is None
    assert (stream.expected, stream.received) == (0, 0)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 65_535), st.sets(st.integers(1, 58)), st.randoms(use_true_random=False))
def test_loss_is_what_was_lost_however_packets_swap(
    first: int, lost: set[int], dice: object
) -> None:
    shuffle = getattr(dice, "random")  # noqa: B009 - typed loosely by hypothesis
    sent = [packet for n, packet in enumerate(steady(60, first=first)) if n not in lost]
    # Neighbours may overtake each other by up to three places; the first and last stay.
    middle = sorted(range(1, len(sent) - 1), key=lambda n: n + 3 * shuffle())
    order = [sent[0], *(sent[n] for n in middle), sent[-1]]
    stream, verdicts = stream_of(*((s, t, 20.0 * n) for n, (s, t, _) in enumerate(order)))
    assert stream.expected - stream.received == len(lost)
    assert Arrival.REFUSED not in verdicts
