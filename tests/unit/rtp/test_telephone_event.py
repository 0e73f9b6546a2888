from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media_gateway.rtp.telephone_event import KEYS, KeyReceiver, event_frames, is_key


def event(code: int, duration: int, *, end: bool = False) -> bytes:
    return struct.pack("!BBH", code, 10 | (0x80 if end else 0), duration)


Packet = tuple[int, bytes, bool]
"""Timestamp, payload, marker."""


def press(key: str, timestamp: int, *, updates: int = 4) -> list[Packet]:
    """One key as a phone sends it: updates, then three ends."""
    code = KEYS.index(key)
    packets = [
        (timestamp & 0xFFFFFFFF, event(code, 160 * n), n == 1) for n in range(1, updates + 1)
    ]
    end = (timestamp & 0xFFFFFFFF, event(code, 160 * (updates + 1), end=True), False)
    return [*packets, end, end, end]


def receive(packets: list[Packet]) -> str:
    receiver = KeyReceiver()
    keys = [
        receiver.receive(timestamp, payload, marker=marker)
        for timestamp, payload, marker in packets
    ]
    return "".join(key for key in keys if key is not None)


@pytest.mark.parametrize("key", KEYS)
def test_each_key_is_told_once_and_at_its_first_packet(key: str) -> None:
    receiver = KeyReceiver()
    told = [receiver.receive(at, payload, marker=m) for at, payload, m in press(key, 1_000)]
    assert told == [key] + [None] * 6


def test_the_same_key_pressed_again_is_another() -> None:
    assert receive(press("5", 1_000) + press("5", 3_000)) == "55"


@pytest.mark.parametrize("kept", range(7))
def test_any_one_packet_is_enough(kept: int) -> None:
    assert receive([press("7", 1_000)[kept]]) == "7"


def test_a_lost_end_does_not_swallow_the_next_key() -> None:
    assert receive(press("1", 1_000)[:4] + press("1", 3_000)[:4]) == "11"


def test_a_packet_of_an_earlier_key_comes_too_late() -> None:
    first, second = press("1", 1_000), press("2", 3_000)
    assert receive([*first[:5], second[0], *first[5:], *second[1:]]) == "12"


def test_keys_go_on_across_the_wrap_of_timestamps() -> None:
    assert receive(press("1", 0xFFFF_FF00) + press("2", 0x1_0000_0400)) == "12"


def long_press(key: str, segments: int) -> list[Packet]:
    code = KEYS.index(key)
    packets: list[Packet] = []
    for segment in range(segments):
        at = 1_000 + segment * 0xFFFF
        last = segment == segments - 1
        packets.append((at, event(code, 160), segment == 0))
        packets.append((at, event(code, 0xFFFF if not last else 800, end=last), False))
    return packets


def test_a_key_held_over_several_segments_is_one() -> None:
    assert receive(long_press("3", 4)) == "3"


def test_a_held_key_survives_the_loss_of_a_whole_segment() -> None:
    packets = long_press("3", 4)
    assert receive(packets[:2] + packets[4:]) == "3"


def test_another_key_a_segment_later_is_another() -> None:
    assert receive([(1_000, event(1, 160), True), (1_000 + 0xFFFF, event(2, 160), False)]) == "12"
    assert receive([(1_000, event(1, 160), True), (1_000 + 0xFFFF, event(1, 160), True)]) == "11"


def test_a_reset_receiver_takes_older_timestamps_again() -> None:
    receiver = KeyReceiver()
    receiver.receive(9_000, event(1, 160), marker=True)
    assert receiver.receive(1_000, event(2, 160), marker=True) is None
    receiver.reset()
    assert receiver.receive(1_000, event(2, 160), marker=True) == "2"


@pytest.mark.parametrize("payload", [b"", b"\x01\x0a\x00", event(16, 160), event(255, 160)])
def test_what_is_no_key_tells_nothing(payload: bytes) -> None:
    assert not is_key(payload)
    assert receive([(1_000, payload, True)]) == ""


@settings(deadline=None, max_examples=100)
@given(
    keys=st.text(alphabet=KEYS, min_size=1, max_size=8),
    start=st.integers(0, 2**32 - 1),
    dice=st.randoms(use_true_random=False),
)
def test_loss_repetition_and_swaps_within_a_key_change_nothing(
    keys: str, start: int, dice: object
) -> None:
    random = getattr(dice, "random")  # noqa: B009 - typed loosely by hypothesis
    received: list[Packet] = []
    for n, key in enumerate(keys):
        packets = press(key, start + 1_600 * n)
        survivor = int(random() * len(packets))
        kept = [p for i, p in enumerate(packets) if i == survivor or random() > 0.6]
        repeated = [p for p in kept for _ in range(1 + int(random() * 2))]
        received += sorted(repeated, key=lambda _: random())
        # Stragglers of the key before come after this one began.
        if n and random() > 0.5:
            received.append(press(keys[n - 1], start + 1_600 * (n - 1))[-1])
    assert receive(received) == keys


def test_a_key_to_send_is_100_ms_of_updates_and_three_ends() -> None:
    frames = list(event_frames("#"))
    sent = [frame for frame in frames if frame is not None]
    assert len(frames) == 10
    assert [marker for marker, _ in sent] == [0x80, 0, 0, 0, 0, 0, 0]
    codes, flags, durations = zip(*(struct.unpack("!BBH", p) for _, p in sent), strict=True)
    assert set(codes) == {11}
    assert [flag >> 7 for flag in flags] == [0, 0, 0, 0, 1, 1, 1]
    assert list(durations) == [160, 320, 480, 640, 800, 800, 800]
    assert all(frame is None for frame in frames[7:])


def test_what_is_sent_is_received() -> None:
    packets = [
        (2_000 * n, frame[1], bool(frame[0]))
        for n, key in enumerate(KEYS)
        for frame in event_frames(key)
        if frame is not None
    ]
    assert receive(packets) == KEYS
