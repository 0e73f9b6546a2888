from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from media_gateway.rtp import g711
from media_gateway.rtp.clip import AudioClip
from media_gateway.rtp.errors import (
    BadDigits,
    BadPeer,
    BadRemote,
    MediaError,
    NoTelephoneEvent,
    PortClosed,
)
from media_gateway.rtp.packet import signed_32
from tests.unit.rtp.rig import Clock, Floor, Heard, Leg, rtp, tone

VOICE = g711.encode(tone(1_000, 160), "PCMU")
QUIET = g711.SILENCE["PCMU"] * 160
PROMPT = AudioClip(tone(440, 480))


def assert_continuous(heard: list[Heard]) -> None:
    """One SSRC, every sequence number, time that never goes back nor overlaps."""
    assert len({packet.ssrc for packet in heard}) == 1
    for earlier, later in pairwise(heard):
        assert (later.sequence - earlier.sequence) & 0xFFFF == 1
        assert signed_32(later.timestamp - earlier.timestamp) >= len(earlier.payload)


def pair(*, second_codec: str = "PCMU") -> tuple[Leg, Leg, Floor]:
    clock = Clock()
    left = Leg(clock, "left", number=0)
    right = Leg(clock, "right", number=1, codec="PCMA" if second_codec == "PCMA" else "PCMU")
    left.negotiate()
    right.negotiate()
    return left, right, Floor(left, right)


def test_nothing_is_sent_or_heard_before_a_negotiation() -> None:
    leg = Leg(Clock())
    leg.port.play("op", [PROMPT], loop=False)
    assert not leg.port.paced
    leg.say(VOICE)
    stats = leg.port.report()
    assert (leg.events, stats.strangers, stats.packets_received) == ([], 1, 0)
    leg.negotiate()
    Floor(leg).pass_frame()
    assert leg.heard[0].payload == PROMPT.frames("PCMU")[0]


def test_an_idle_leg_hears_silence() -> None:
    leg = Leg(Clock())
    leg.negotiate()
    floor = Floor(leg)
    for _ in range(3):
        floor.pass_frame()
    assert [packet.payload for packet in leg.heard] == [QUIET] * 3
    assert_continuous(leg.heard)


def test_a_play_is_heard_whole_and_its_end_told_once() -> None:
    leg = Leg(Clock(), codec="PCMA")
    leg.negotiate()
    floor = Floor(leg)
    leg.port.play("op", [PROMPT, PROMPT], loop=False)
    for _ in range(8):
        floor.pass_frame()
    expected = [*PROMPT.frames("PCMA") * 2, *[g711.SILENCE["PCMA"] * 160] * 2]
    assert [packet.payload for packet in leg.heard] == expected
    assert [packet.marker for packet in leg.heard] == [True, *[False] * 5, True, False]
    assert {packet.payload_type for packet in leg.heard} == {8}
    assert leg.events == [("play_ended", "op", "complete")]


def test_the_next_play_follows_without_a_frame_between() -> None:
    leg = Leg(Clock())
    leg.negotiate()
    floor = Floor(leg)
    leg.port.play("first", [PROMPT], loop=False)
    for _ in range(3):
        floor.pass_frame()
    leg.port.play("second", [PROMPT], loop=False)
    floor.pass_frame()
    assert leg.heard[3].payload == PROMPT.frames("PCMU")[0]
    assert signed_32(leg.heard[3].timestamp - leg.heard[2].timestamp) == 160


def test_what_is_stopped_or_replaced_tells_no_end() -> None:
    leg = Leg(Clock())
    leg.negotiate()
    leg.port.play("first", [PROMPT], loop=False)
    leg.port.play("second", [PROMPT], loop=False)
    assert leg.port.stop_play() == "second"
    assert leg.port.stop_play() is None
    Floor(leg).pass_frame()
    assert leg.events == []
    assert leg.heard[0].payload == QUIET


def test_playing_nothing_ends_at_the_next_frame() -> None:
    leg = Leg(Clock())
    leg.negotiate()
    leg.port.play("op", [], loop=True)
    assert leg.events == []
    Floor(leg).pass_frame()
    assert leg.events == [("play_ended", "op", "complete")]


def test_music_goes_on_where_a_message_interrupted_it() -> None:
    music = AudioClip(np.repeat(np.arange(1_000, 11_000, 1_000, dtype=np.int16), 160))
    leg = Leg(Clock())
    leg.negotiate()
    floor = Floor(leg)
    leg.port.play("music", [music], loop=True, resume_key="hold")
    for _ in range(4):
        floor.pass_frame()
    leg.port.play("message", [PROMPT], loop=False)
    for _ in range(3):
        floor.pass_frame()
    leg.port.play("music again", [music], loop=True, resume_key="hold")
    for _ in range(8):
        floor.pass_frame()
    frames = music.frames("PCMU")
    assert [packet.payload for packet in leg.heard[7:]] == [*frames[4:], *frames[:2]]


def test_only_a_few_places_are_remembered() -> None:
    leg = Leg(Clock())
    leg.negotiate()
    floor = Floor(leg)
    for number in range(9):
        leg.port.play("op", [PROMPT], loop=True, resume_key=f"piece {number}")
        floor.pass_frame()
    leg.port.play("op", [PROMPT], loop=True, resume_key="piece 0")
    floor.pass_frame()
    leg.port.play("op", [PROMPT], loop=True, resume_key="piece 8")
    floor.pass_frame()
    frames = PROMPT.frames("PCMU")
    assert [packet.payload for packet in leg.heard[-2:]] == [frames[0], frames[1]]


@pytest.mark.parametrize(("ptime_ms", "sizes"), [(40, [320, 160, 320]), (60, [480, 480])])
def test_a_far_end_gets_the_packet_size_it_asked_for(ptime_ms: int, sizes: list[int]) -> None:
    leg = Leg(Clock())
    leg.negotiate(ptime_ms=ptime_ms)
    floor = Floor(leg)
    leg.port.play("op", [PROMPT], loop=False)
    for _ in range(6):
        floor.pass_frame()
    assert [len(packet.payload) for packet in leg.heard][: len(sizes)] == sizes
    played = b"".join(packet.payload for packet in leg.heard)
    assert played[:480] == b"".join(PROMPT.frames("PCMU"))
    assert_continuous(leg.heard)


@pytest.mark.parametrize("second_codec", ["PCMU", "PCMA"])
def test_connected_legs_hear_each_other(second_codec: str) -> None:
    left, right, floor = pair(second_codec=second_codec)
    left.port.connect(right.port)
    back = g711.encode(tone(600, 160), right.codec)
    for _ in range(5):
        floor.pass_frame(left=VOICE, right=back)
    there = g711.translation("PCMU", right.codec)
    home = g711.translation(right.codec, "PCMU")
    assert [p.payload for p in right.heard] == [VOICE.translate(there) if there else VOICE] * 5
    assert [p.payload for p in left.heard] == [back.translate(home) if home else back] * 5
    assert {p.payload_type for p in right.heard} == {0 if right.codec == "PCMU" else 8}
    assert_continuous(left.heard)
    assert_continuous(right.heard)


def test_a_far_end_may_send_either_law() -> None:
    left, right, _ = pair()
    left.port.connect(right.port)
    left.receive(rtp(g711.encode(tone(1_000, 160), "PCMA"), 1, 0, payload_type=8))
    table = g711.translation("PCMA", "PCMU")
    assert table is not None
    assert right.heard[0].payload == g711.encode(tone(1_000, 160), "PCMA").translate(table)


def test_before_it_is_bridged_a_leg_is_counted_but_not_heard() -> None:
    left, right, floor = pair()
    floor.pass_frame(left=VOICE)
    assert right.heard[0].payload == QUIET
    assert left.port.report().packets_received == 1


def test_play_relay_play_is_one_stream() -> None:
    left, right, floor = pair()
    left.port.connect(right.port)
    right.port.play("greeting", [PROMPT], loop=False)
    for _ in range(3):
        floor.pass_frame(left=VOICE)
    floor.clock.now_ms += 7
    for _ in range(4):
        floor.pass_frame(left=VOICE)
    right.port.play("music", [PROMPT], loop=True)
    for _ in range(4):
        floor.pass_frame(left=VOICE)
    right.port.stop_play()
    floor.pass_frame(left=VOICE)
    kinds = ["voice" if packet.payload == VOICE else "play" for packet in right.heard]
    assert kinds == ["play"] * 3 + ["voice"] * 4 + ["play"] * 4 + ["voice"]
    assert_continuous(right.heard)
    # In step with the wall: what is heard last is no more than a frame away from its moment.
    first, last = right.heard[0], right.heard[-1]
    elapsed = (last.at_ms - first.at_ms) * 8
    assert abs(signed_32(last.timestamp - first.timestamp) - elapsed) <= 160


def test_hold_parts_the_voices_and_music_is_heard_instead() -> None:
    left, right, floor = pair()
    left.port.connect(right.port)
    floor.pass_frame(left=VOICE, right=VOICE)
    left.port.set_hold(held=True)
    right.port.play("music", [PROMPT], loop=True, resume_key="hold")
    floor.pass_frame(left=VOICE, right=VOICE)
    left.port.set_hold(held=False)
    right.port.stop_play()
    floor.pass_frame(left=VOICE, right=VOICE)
    assert [packet.payload for packet in left.heard] == [VOICE, QUIET, VOICE]
    assert [packet.payload for packet in right.heard] == [VOICE, PROMPT.frames("PCMU")[0], VOICE]
    assert_continuous(left.heard)
    assert_continuous(right.heard)


def test_mute_is_silence_to_the_peer_and_the_other_way_goes_on() -> None:
    left, right, floor = pair()
    left.port.connect(right.port)
    left.port.set_mute(muted=True)
    floor.pass_frame(left=VOICE, right=VOICE)
    left.port.set_mute(muted=False)
    floor.pass_frame(left=VOICE, right=VOICE)
    assert [packet.payload for packet in right.heard] == [QUIET, VOICE]
    assert [packet.payload for packet in left.heard] == [VOICE, VOICE]


def test_a_far_end_on_hold_is_sent_nothing_and_resumes_on_the_wall_clock() -> None:
    left, right, floor = pair()
    left.port.connect(right.port)
    floor.pass_frame(left=VOICE, right=VOICE)
    right.negotiate(sends=False, receives=False)
    for _ in range(50):
        floor.pass_frame(left=VOICE)
    assert len(right.heard) == 1
    assert left.heard[-1].payload == QUIET
    right.negotiate()
    floor.pass_frame(left=VOICE, right=VOICE)
    assert len(right.heard) == 2
    assert signed_32(right.heard[1].timestamp - right.heard[0].timestamp) == 51 * 160
    assert left.heard[-1].payload == VOICE


def test_a_prompt_runs_on_while_its_listener_is_on_hold() -> None:
    leg = Leg(Clock())
    leg.negotiate()
    floor = Floor(leg)
    leg.port.play("op", [PROMPT], loop=False)
    floor.pass_frame()
    leg.negotiate(receives=False)
    floor.pass_frame()
    floor.pass_frame()
    leg.negotiate()
    floor.pass_frame()
    assert leg.events == [("play_ended", "op", "complete")]
    assert [packet.payload for packet in leg.heard] == [PROMPT.frames("PCMU")[0], QUIET]
    assert signed_32(leg.heard[1].timestamp - leg.heard[0].timestamp) == 480


def test_a_codec_changed_in_mid_call_is_translated_at_once() -> None:
    left, right, floor = pair()
    left.port.connect(right.port)
    floor.pass_frame(left=VOICE)
    right.codec = "PCMA"
    right.negotiate()
    floor.pass_frame(left=VOICE)
    table = g711.translation("PCMU", "PCMA")
    assert table is not None
    assert right.heard[-1].payload == VOICE.translate(table)
    assert right.heard[-1].payload_type == 8
    assert_continuous(right.heard)


def test_connecting_elsewhere_leaves_the_earlier_peer() -> None:
    left, right, _ = pair()
    third = Leg(left.clock, "third", number=2)
    third.negotiate()
    left.port.connect(right.port)
    left.port.connect(right.port)
    third.port.connect(left.port)
    Floor(left, right, third).pass_frame(left=VOICE)
    assert third.heard[0].payload == VOICE
    assert right.heard[0].payload == QUIET
    third.port.disconnect()
    third.port.disconnect()
    Floor(left, right, third).pass_frame(left=VOICE)
    assert third.heard[1].payload == QUIET


def test_a_gap_in_the_pace_moves_time_and_marks_the_packet() -> None:
    leg = Leg(Clock())
    leg.negotiate()
    Floor(leg).pass_frame()
    leg.clock.now_ms += 500
    leg.port.tick(leg.clock.now_ms, after_gap=True)
    assert signed_32(leg.heard[1].timestamp - leg.heard[0].timestamp) == 4_000
    assert leg.heard[1].marker


def test_a_new_source_behind_the_same_leg_is_mapped_anew() -> None:
    left, right, floor = pair()
    left.port.connect(right.port)
    floor.pass_frame(left=VOICE)
    left.ssrc, left.sequence, left.timestamp = 1, 9, 0x8000_0000
    floor.pass_frame(left=VOICE)
    left.timestamp += 5_000_000
    floor.pass_frame(left=VOICE)
    assert [packet.marker for packet in right.heard] == [True, True, True]
    assert_continuous(right.heard)
    assert signed_32(right.heard[2].timestamp - right.heard[0].timestamp) == 320
    assert left.port.report().source_changes == 1


def test_duplicates_and_late_packets_on_the_way_through() -> None:
    left, right, _ = pair()
    left.port.connect(right.port)
    for n in (0, 1, 1, 3, 2, 3):
        left.receive(rtp(VOICE, n, 160 * n))
    steps = [signed_32(p.timestamp - right.heard[0].timestamp) // 160 for p in right.heard]
    assert steps == [0, 1, 3, 2]
    assert [(p.sequence - right.heard[0].sequence) & 0xFFFF for p in right.heard] == [0, 1, 2, 3]
    stats = left.port.report()
    assert (stats.duplicates, stats.late, stats.packets_lost) == (2, 1, -2)


def test_closing_says_goodbye_once_and_frees_the_peer() -> None:
    left, right, floor = pair()
    left.port.connect(right.port)
    floor.pass_frame(left=VOICE)
    stats = left.port.close()
    assert stats.packets_received == 1
    assert left.port.close() == stats
    assert left.closed
    assert [target for _, target in left.reports] == [(left.address[0], left.address[1] + 1)]
    assert left.reports[0][0][-8:-4] == b"\x81\xcb\x00\x01"
    floor.pass_frame(left=VOICE)
    assert right.heard[-1].payload == QUIET
    assert not left.port.paced
    assert left.port.report().packets_received == 1


def test_a_closed_port_takes_no_commands() -> None:
    left, right, _ = pair()
    left.port.close()
    commands: tuple[Callable[[], None], ...] = (
        left.negotiate,
        lambda: left.port.play("op", [PROMPT], loop=False),
        lambda: left.port.connect(right.port),
        lambda: right.port.connect(left.port),
        lambda: left.port.send_digits("1"),
    )
    for command in commands:
        with pytest.raises(PortClosed):
            command()
    assert left.port.stop_play() is None


def test_a_leg_cannot_be_its_own_peer() -> None:
    left, _, _ = pair()
    with pytest.raises(BadPeer):
        left.port.connect(left.port)


@pytest.mark.parametrize(
    "changes",
    [
        {"host": "phone.example.net"},
        {"host": "239.1.2.3"},
        {"host": "255.255.255.255"},
        {"host": "2001:db8::1"},
        {"host": "fe80::1%lo"},
        {"port": 0},
        {"port": 65_536},
        {"rtcp_port": 0},
        {"payload_type": 128},
        {"event_payload_type": -1},
    ],
)
def test_far_ends_that_cannot_be_sent_to_are_refused(changes: dict[str, object]) -> None:
    leg = Leg(Clock())
    with pytest.raises(BadRemote):
        leg.negotiate(**changes)
    assert not leg.port.paced


def test_the_zone_of_an_address_is_nowhere_to_send_to() -> None:
    leg = Leg(Clock(), host="2001:db8::100")
    with pytest.raises(BadRemote):
        leg.negotiate(host="::1%\u00e9")


def test_the_null_address_is_hold_until_a_packet_comes() -> None:
    leg = Leg(Clock())
    leg.negotiate(host="0.0.0.0")
    floor = Floor(leg)
    floor.pass_frame()
    assert leg.heard == []
    leg.say(VOICE)
    floor.pass_frame()
    assert leg.targets == [leg.address]


def test_digits_are_sent_in_place_of_everything_else() -> None:
    left, right, floor = pair()
    left.port.connect(right.port)
    floor.pass_frame(left=VOICE)
    right.port.send_digits("1#")
    for _ in range(22):
        floor.pass_frame(left=VOICE)
    keys = [packet for packet in right.heard if packet.payload_type == 101]
    assert len(keys) == 14
    assert [packet.marker for packet in keys] == [n % 7 == 0 for n in range(14)]
    assert {packet.timestamp for packet in keys[:7]} == {keys[0].timestamp}
    assert signed_32(keys[7].timestamp - keys[0].timestamp) == 1_600
    assert [packet.payload[0] for packet in keys] == [1] * 7 + [11] * 7
    assert right.heard[0].payload == right.heard[-1].payload == VOICE
    voice = [packet for packet in right.heard if packet.payload_type == 0]
    assert_timeline(right.heard)
    assert len(voice) == 1 + 2


def assert_timeline(heard: list[Heard]) -> None:
    """Like `assert_continuous`, where packets of one key share their timestamp."""
    for earlier, later in pairwise(heard):
        assert (later.sequence - earlier.sequence) & 0xFFFF == 1
        assert signed_32(later.timestamp - earlier.timestamp) >= 0


def test_digits_wait_for_nobody_on_hold() -> None:
    leg = Leg(Clock())
    leg.negotiate()
    leg.port.send_digits("1")
    leg.negotiate(receives=False)
    floor = Floor(leg)
    for _ in range(12):
        floor.pass_frame()
    leg.negotiate(event_payload_type=None)
    floor.pass_frame()
    assert [packet.payload for packet in leg.heard] == [QUIET]


@pytest.mark.parametrize("digits", ["", "x", "12 3", "a", "1" * 65])
def test_what_is_no_digit_is_refused(digits: str) -> None:
    leg = Leg(Clock())
    leg.negotiate()
    with pytest.raises(BadDigits):
        leg.port.send_digits(digits)


def test_digits_need_telephone_event() -> None:
    leg = Leg(Clock(), event_type=None)
    leg.negotiate()
    with pytest.raises(NoTelephoneEvent) as refusal:
        leg.port.send_digits("1")
    assert isinstance(refusal.value, MediaError)
    assert refusal.value.code == "no-telephone-event"
