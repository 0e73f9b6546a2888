import numpy as np
import pytest

from tests.softphone import audio
from tests.softphone.reception import Reception
from tests.softphone.rtp import RTPPacket, TelephoneEvent, event_packets

FRAME = 160


def frame(value: int) -> audio.PCM:
    return np.full(FRAME, value, np.int16)


class Far:
    """A far end on a perfect clock, whose packets a test delays, drops and repeats."""

    def __init__(self, reception: Reception, *, ssrc: int = 1, sequence: int = 0) -> None:
        self.reception = reception
        self.ssrc, self.sequence, self.timestamp = ssrc, sequence, 0xFFFFFF00

    def packet(self, number: int, *, marker: bool = False) -> RTPPacket:
        sequence = (self.sequence + number) & 0xFFFF
        timestamp = (self.timestamp + number * FRAME) & 0xFFFFFFFF
        return RTPPacket(0, sequence, timestamp, self.ssrc, b"", marker)

    def send(self, number: int, *, at_s: float | None = None, marker: bool = False) -> None:
        at = number * 0.02 if at_s is None else at_s
        self.reception.audio(self.packet(number, marker=marker), frame(number + 1), at)


def frames_of(reception: Reception, count: int) -> list[int]:
    pcm = reception.received(0.0, 0.0)
    assert len(pcm) == count * FRAME
    return [int(pcm[at * FRAME]) for at in range(count)]


def test_packets_in_order_make_one_timeline() -> None:
    reception = Reception()
    far = Far(reception, sequence=0xFFFE)
    for number in range(5):
        far.send(number)
    assert frames_of(reception, 5) == [1, 2, 3, 4, 5]
    assert (reception.lost, reception.counts.packets) == (0, 5)
    assert reception.counts.timestamp_jumps == reception.counts.sequence_jumps == 0
    assert reception.jitter_samples == pytest.approx(0.0, abs=1e-6)
    assert reception.first_at_s == 0.0


def test_a_lost_packet_is_silence_and_is_counted() -> None:
    reception = Reception()
    far = Far(reception)
    for number in (0, 1, 3):
        far.send(number)
    assert frames_of(reception, 4) == [1, 2, 0, 4]
    assert reception.lost == 1
    assert reception.counts.timestamp_jumps == 0


def test_a_late_packet_takes_its_place() -> None:
    reception = Reception()
    far = Far(reception)
    for number, at_s in ((0, 0.0), (2, 0.04), (1, 0.045), (3, 0.06)):
        far.send(number, at_s=at_s)
    assert frames_of(reception, 4) == [1, 2, 3, 4]
    assert (reception.lost, reception.counts.out_of_order) == (0, 1)


def test_a_packet_sent_twice_counts_once() -> None:
    reception = Reception()
    far = Far(reception)
    for number in (0, 1, 1, 2):
        far.send(number)
    assert frames_of(reception, 3) == [1, 2, 3]
    assert (reception.lost, reception.counts.duplicates) == (0, 1)


def test_a_new_source_goes_on_where_the_clock_is() -> None:
    reception = Reception()
    Far(reception).send(0)
    other = Far(reception, ssrc=2, sequence=500)
    other.timestamp = 77
    other.reception.audio(other.packet(0), frame(9), 0.04)
    assert frames_of(reception, 3) == [1, 0, 9]
    assert reception.counts.ssrc_changes == 1
    assert reception.lost == 0


def test_a_sequence_that_begins_again_is_a_jump_and_no_loss() -> None:
    reception = Reception()
    far = Far(reception)
    far.send(0)
    far.sequence += 5000
    far.send(1)
    assert (reception.counts.sequence_jumps, reception.lost) == (1, 0)


def test_a_timestamp_that_does_not_follow_is_a_jump() -> None:
    reception = Reception()
    far = Far(reception)
    far.send(0)
    far.timestamp += 80
    far.send(1)
    assert reception.counts.timestamp_jumps == 1


def test_a_marker_may_skip_silence_but_not_turn_back() -> None:
    reception = Reception()
    far = Far(reception)
    far.send(0)
    far.timestamp += 800
    far.send(1, at_s=0.12, marker=True)
    assert reception.counts.timestamp_jumps == 0
    far.timestamp -= 400
    far.send(2, at_s=0.14, marker=True)
    assert reception.counts.timestamp_jumps == 1


def test_a_timestamp_far_from_the_clock_is_placed_by_its_arrival() -> None:
    reception = Reception()
    far = Far(reception)
    far.send(0)
    far.timestamp += 1_000_000
    far.send(1)
    assert frames_of(reception, 2) == [1, 2]
    assert reception.counts.timestamp_jumps == 1


def test_jitter_is_the_smoothed_change_of_transit() -> None:
    reception = Reception()
    far = Far(reception)
    far.send(0, at_s=0.0)
    far.send(1, at_s=0.03)
    assert reception.jitter_samples == pytest.approx(80 / 16)
    assert reception.longest_gap_s == pytest.approx(0.03)


def test_what_stops_arriving_is_heard_as_silence() -> None:
    reception = Reception()
    far = Far(reception)
    for number in range(10):
        far.send(number)
    assert reception.latest(0.1, 0.2).min() > 0
    assert not reception.latest(0.1, 0.6).any()
    assert reception.live_end(0.6) == 4000


def test_before_anything_arrives_there_is_silence() -> None:
    reception = Reception()
    assert len(reception.received(0.0, 5.0)) == 0
    assert reception.latest(0.1, 5.0).tolist() == [0] * 800
    assert reception.source is None


def test_a_long_call_outgrows_the_first_buffer() -> None:
    reception = Reception()
    far = Far(reception)
    for number in range(0, 2000, 50):
        far.send(number)
    pcm = reception.received(0.0, 0.0)
    assert [int(pcm[at * FRAME]) for at in (0, 1950)] == [1, 1951]


def test_one_timestamp_is_one_key_however_often_it_is_sent() -> None:
    reception = Reception()
    sequence = 0
    for timestamp, key in ((1000, "7"), (3000, "7"), (5000, "#")):
        for number, event in enumerate(event_packets(key, 100)):
            packet = RTPPacket(101, sequence, timestamp, 1, b"", marker=number == 0)
            reception.event(packet, event, sequence * 0.02)
            sequence += 1
    assert [press.key for press in reception.keys] == ["7", "7", "#"]
    press = reception.keys[0]
    assert (press.marked, press.packets, press.end_packets) == (True, 7, 3)
    assert press.duration_ms == 100.0


def test_a_key_whose_first_packets_are_lost_is_still_a_key() -> None:
    reception = Reception()
    end = TelephoneEvent(code=3, end=True, volume=10, duration=800)
    reception.event(RTPPacket(101, 9, 1000, 1, b""), end, 0.0)
    assert [(press.key, press.marked) for press in reception.keys] == [("3", False)]


def test_a_late_packet_of_an_old_key_is_no_new_key() -> None:
    reception = Reception()
    update = TelephoneEvent(code=3, end=False, volume=10, duration=160)
    reception.event(RTPPacket(101, 1, 1000, 1, b""), update, 0.0)
    reception.event(RTPPacket(101, 3, 3000, 1, b""), update, 0.1)
    reception.event(RTPPacket(101, 2, 1000, 1, b""), update, 0.11)
    assert len(reception.keys) == 2


def test_events_that_are_no_keys_are_passed_over() -> None:
    reception = Reception()
    hook_flash = TelephoneEvent(code=16, end=True, volume=0, duration=800)
    reception.event(RTPPacket(101, 1, 1000, 1, b""), hook_flash, 0.0)
    assert not reception.keys
