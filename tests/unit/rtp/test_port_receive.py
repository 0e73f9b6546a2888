"""What a leg makes of what arrives: whose packets, which keys, how long nothing."""

from __future__ import annotations

import struct
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media_gateway.rtp import g711, rtcp
from media_gateway.rtp.clip import AudioClip
from media_gateway.rtp.ingress import KEYS_MS, MAX_KEYS
from media_gateway.rtp.packet import signed_32
from media_gateway.rtp.port import MEDIA_TIMEOUT_MS
from tests.unit.rtp.rig import Clock, Floor, Leg, rtp, tone

VOICE = g711.encode(tone(1_000, 160), "PCMU")
PROMPT = AudioClip(tone(440, 480))
THIEF = ("198.51.100.66", 6_666)
NAT = ("203.0.113.9", 4_242)


def negotiated(**changes: object) -> Leg:
    leg = Leg(Clock())
    leg.negotiate(**changes)
    return leg


def connected() -> tuple[Leg, Leg, Floor]:
    clock = Clock()
    left, right = Leg(clock, "left"), Leg(clock, "right", number=1)
    left.negotiate(event_payload_type=101)
    right.event_type = 96
    right.negotiate()
    left.port.connect(right.port)
    return left, right, Floor(left, right)


def key_packets(code: int, timestamp: int, sequence: int) -> list[bytes]:
    durations = [160, 320, 480, 640, 640, 640]
    return [
        rtp(
            struct.pack("!BBH", code, 10 | (0x80 if n > 2 else 0), duration),
            sequence + n,
            timestamp,
            payload_type=101,
            marker=n == 0,
        )
        for n, duration in enumerate(durations)
    ]


def test_media_goes_to_the_latched_address_and_back_to_a_new_negotiated_one() -> None:
    leg = negotiated()
    floor = Floor(leg)
    floor.pass_frame()
    leg.say(VOICE, source=NAT)
    floor.pass_frame()
    leg.address = ("192.0.2.77", 40_000)
    leg.negotiate()
    floor.pass_frame()
    assert leg.targets == [("192.0.2.1", 30_000), NAT, ("192.0.2.77", 40_000)]
    assert leg.port.report().remote == ("192.0.2.77", 40_000)


def test_a_stranger_is_neither_relayed_nor_answered() -> None:
    left, right, floor = connected()
    floor.pass_frame(left=VOICE, right=VOICE)
    sent, answered = len(right.heard), len(left.reports)
    for n in range(10):
        left.receive(rtp(bytes(160), 500 + n, 160 * n, ssrc=left.ssrc), THIEF)
        left.port.control.datagram_received(report_of(1), THIEF)
    left.receive(b"\x00\x01\x00\x00" + bytes(16), THIEF)
    floor.pass_frame(left=VOICE)
    stats = left.port.report()
    assert [packet.payload for packet in right.heard[sent:]] == [VOICE]
    assert len(left.reports) == answered
    assert set(left.targets) == {left.address}
    assert stats.strangers == 10 + 10 + 1
    assert (stats.packets_received, stats.packets_lost) == (2, 0)


def test_noise_cannot_move_where_media_goes() -> None:
    leg = negotiated()
    for data in (b"", b"\x80", b"GET / HTTP/1.1", rtp(bytes(160), 1, 1, payload_type=3)):
        leg.receive(data, THIEF)
        leg.port.control.datagram_received(data, THIEF)
    Floor(leg).pass_frame()
    assert leg.targets == [leg.address]
    assert leg.port.report().strangers == 8
    assert leg.events == []


def test_strict_hears_only_the_negotiated_address() -> None:
    leg = Leg(Clock(), strict=True)
    leg.negotiate()
    leg.say(VOICE, source=NAT)
    leg.say(VOICE)
    assert leg.port.report().strangers == 1
    assert leg.port.report().remote == leg.address


def test_the_far_end_s_own_noise_is_counted_and_dropped() -> None:
    left, right, floor = connected()
    floor.pass_frame(left=VOICE)
    left.receive(b"\x80\x00")
    left.receive(b"\x40" + bytes(171))
    left.receive(rtp(VOICE, 1, 1) + bytes(2_000))
    left.receive(rtp(VOICE, left.sequence, 0, payload_type=97, ssrc=left.ssrc))
    left.receive(rtp(b"\x40", left.sequence + 1, 160, payload_type=13, ssrc=left.ssrc))
    left.port.control.datagram_received(b"\x80\xc8", (left.address[0], left.address[1] + 1))
    stats = left.port.report()
    assert (stats.malformed, stats.unknown_payload, stats.comfort_noise) == (4, 1, 1)
    assert (stats.packets_received, stats.packets_lost, stats.strangers) == (3, 0, 0)
    assert len(right.heard) == 1


def test_noise_from_the_negotiated_address_before_any_media_is_not_a_stranger() -> None:
    leg = negotiated()
    leg.receive(rtp(VOICE, 1, 1, payload_type=97))
    stats = leg.port.report()
    assert (stats.unknown_payload, stats.strangers, leg.events) == (1, 0, [])


def test_the_first_packet_is_told_after_each_negotiation() -> None:
    leg = negotiated()
    leg.clock.now_ms += 35
    leg.say(VOICE)
    leg.say(VOICE)
    leg.negotiate()
    leg.clock.now_ms += 500
    leg.say(VOICE)
    assert leg.events == [("media_started",)] * 2
    assert leg.port.report().first_packet_ms == 35


def test_a_key_is_told_at_its_first_packet_while_a_prompt_plays() -> None:
    leg = negotiated()
    leg.port.play("op", [PROMPT], loop=False)
    for data in key_packets(5, 7_000, 10):
        leg.receive(data)
    assert leg.events == [("media_started",), ("digit", "5", "rfc4733")]


def test_keys_pass_to_the_peer_by_its_own_number_and_clock() -> None:
    left, right, floor = connected()
    floor.pass_frame(left=VOICE)
    left.ssrc = 0xCAFE
    start = left.timestamp & 0xFFFFFFFF
    for data in key_packets(11, start, left.sequence):
        floor.clock.now_ms += 20
        left.receive(data)
    left.sequence, left.timestamp = left.sequence + 6, left.timestamp + 960
    floor.pass_frame(left=VOICE)
    kinds = [packet.payload_type for packet in right.heard]
    assert kinds == [0, *[96] * 6, 0]
    steps = [signed_32(p.timestamp - right.heard[0].timestamp) for p in right.heard]
    assert steps == [0, *[160] * 6, 160 + 960]
    assert [(p.sequence - right.heard[0].sequence) & 0xFFFF for p in right.heard] == [*range(8)]
    assert right.heard[1].marker
    assert right.heard[1].payload == struct.pack("!BBH", 11, 10, 160)
    assert left.events[-1] == ("digit", "#", "rfc4733")


def test_a_muted_leg_s_keys_still_pass() -> None:
    left, right, _ = connected()
    left.port.set_mute(muted=True)
    for data in key_packets(1, 7_000, 10):
        left.receive(data)
    assert [packet.payload_type for packet in right.heard] == [96] * 6


def test_a_key_whose_beginning_went_elsewhere_is_not_begun_midway() -> None:
    left, right, floor = connected()
    right.port.play("op", [PROMPT], loop=True)
    packets = key_packets(1, 7_000, 10)
    for data in packets[:3]:
        left.receive(data)
    floor.pass_frame()
    right.port.stop_play()
    for data in packets[3:]:
        left.receive(data)
    assert [packet.payload_type for packet in right.heard] == [0]
    for data in key_packets(2, 9_000, 16):
        left.receive(data)
    assert [packet.payload_type for packet in right.heard] == [0, *[96] * 6]


def test_keys_are_not_sent_to_a_peer_without_telephone_event() -> None:
    left, right, _ = connected()
    right.negotiate(event_payload_type=None)
    for data in key_packets(1, 7_000, 10):
        left.receive(data)
    assert right.heard == []
    assert left.events[-1] == ("digit", "1", "rfc4733")


def test_other_events_and_repeated_packets_are_not_relayed() -> None:
    left, right, _ = connected()
    packets = key_packets(1, 7_000, 10)
    for data in (packets[0], packets[0], rtp(b"\x10\x0a\x00\xa0", 11, 7_160, payload_type=101)):
        left.receive(data)
    assert len(right.heard) == 1
    assert left.events[1:] == [("digit", "1", "rfc4733")]


@pytest.mark.parametrize("by_voice", [True, False])
def test_keys_of_a_new_source_are_heard_whatever_its_clock(by_voice: bool) -> None:
    leg = negotiated()
    for data in key_packets(1, 0x7000_0000, 10):
        leg.receive(data)
    leg.ssrc, leg.sequence = 0xBEEF, 100
    if by_voice:
        leg.say(VOICE)
    leg.press(struct.pack("!BBH", 2, 10, 160), 5_000)
    assert leg.events[1:] == [("digit", "1", "rfc4733"), ("digit", "2", "rfc4733")]


def watch_for(leg: Leg, duration_ms: int) -> None:
    for _ in range(0, duration_ms, 1_000):
        leg.clock.now_ms += 1_000
        leg.port.watch(leg.clock.now_ms)


def report_of(ssrc: int) -> bytes:
    return rtcp.build_report(rtcp.Report(ssrc, None, ()))


def test_a_silent_far_end_times_out_once() -> None:
    leg = negotiated()
    leg.say(VOICE)
    watch_for(leg, MEDIA_TIMEOUT_MS - 1_000)
    assert leg.events == [("media_started",)]
    watch_for(leg, 60_000)
    assert leg.events == [("media_started",), ("media_timed_out",)]
    leg.say(VOICE)
    watch_for(leg, MEDIA_TIMEOUT_MS)
    assert leg.events[2:] == [("media_timed_out",)]


def test_a_far_end_never_heard_times_out_too() -> None:
    leg = Leg(Clock())
    watch_for(leg, MEDIA_TIMEOUT_MS)
    leg.negotiate()
    watch_for(leg, MEDIA_TIMEOUT_MS - 1_000)
    assert leg.events == []
    watch_for(leg, 1_000)
    assert leg.events == [("media_timed_out",)]


@pytest.mark.parametrize("sign", ["voice", "comfort noise", "rtcp"])
def test_any_sign_of_life_puts_the_time_out_off(sign: str) -> None:
    leg = negotiated()
    for n in range(6):
        watch_for(leg, MEDIA_TIMEOUT_MS - 1_000)
        if sign == "rtcp":
            source = (leg.address[0], leg.address[1] + 1)
            leg.port.control.datagram_received(report_of(0xCAFE), source)
        elif sign == "voice":
            leg.say(VOICE)
        else:
            leg.receive(rtp(b"\x40", n, 0, payload_type=13))
    assert ("media_timed_out",) not in leg.events


def test_a_far_end_that_holds_is_not_missed() -> None:
    leg = negotiated(sends=False)
    watch_for(leg, 10 * MEDIA_TIMEOUT_MS)
    assert leg.events == []


def test_reports_go_out_by_themselves_and_to_where_the_far_end_s_come_from() -> None:
    leg = negotiated()
    Floor(leg).pass_frame()
    leg.port.control.datagram_received(report_of(0xCAFE), NAT)
    leg.say(VOICE, source=NAT)
    leg.port.control.datagram_received(report_of(0xCAFE), (NAT[0], 5_555))
    watch_for(leg, 30_000)
    assert 4 <= len(leg.reports) <= 12
    assert {target for _, target in leg.reports} == {(NAT[0], 5_555)}
    assert leg.port.report().strangers == 1
    (first,) = rtcp.parse_reports(leg.reports[0][0])
    assert first.ssrc == leg.heard[0].ssrc
    assert first.sender is not None


def test_reports_of_the_far_end_reach_the_call_record() -> None:
    leg = negotiated()
    Floor(leg).pass_frame()
    block = rtcp.ReportBlock(leg.heard[0].ssrc, 26, 3, 0, 80, 0, 0)
    data = rtcp.build_report(rtcp.Report(0xCAFE, None, (block,)))
    leg.port.control.datagram_received(data, (leg.address[0], leg.address[1] + 1))
    stats = leg.port.report()
    assert (stats.far_lost, stats.far_jitter_ms) == (3, 10)
    assert stats.far_loss == pytest.approx(0.1, abs=0.01)
    assert (stats.packets_sent, stats.octets_sent) == (1, 160)


def test_rtcp_before_a_negotiation_and_after_the_end_is_nobody_s() -> None:
    leg = Leg(Clock())
    leg.port.control.datagram_received(report_of(1), NAT)
    leg.negotiate()
    leg.port.close()
    leg.port.control.datagram_received(report_of(1), NAT)
    leg.port.control.datagram_received(b"x", NAT)
    assert leg.port.report().strangers == 3


def test_what_the_kernel_cannot_send_is_counted() -> None:
    leg = negotiated()
    leg.port.ingress.error_received(ConnectionRefusedError())
    assert leg.port.report().send_errors == 1


NOISE = st.one_of(
    st.binary(max_size=300),
    st.builds(
        lambda first, second, rest: bytes([first, second]) + rest,
        st.sampled_from([0x80, 0x90, 0xA0, 0x81, 0xBF]),
        st.sampled_from([0, 8, 13, 101, 128, 229, 200, 201, 203]),
        st.binary(max_size=60),
    ),
)


@settings(deadline=None, max_examples=80)
@given(st.lists(st.tuples(NOISE, st.booleans(), st.booleans()), max_size=8))
def test_nothing_that_arrives_ever_raises(packets: list[tuple[bytes, bool, bool]]) -> None:
    left, right, floor = connected()
    for data, own, control in packets:
        host, port = left.address if own else THIEF
        if control:
            left.port.control.datagram_received(data, (host, port + 1))
        else:
            left.receive(data, (host, port))
        floor.pass_frame()
    for earlier, later in pairwise(right.heard):
        assert (later.sequence - earlier.sequence) & 0xFFFF == 1
    stats = left.port.report()
    # Each is at most one thing: media, noise of the far end's, or a stranger's.
    assert stats.packets_received + stats.malformed + stats.strangers <= len(packets)


def test_keys_beyond_what_a_telephone_can_press_are_not_told() -> None:
    leg = negotiated()
    for number in range(4 * MAX_KEYS):
        leg.press(struct.pack("!BBH", number % 10, 0x8A, 160), 1_000 + 160 * number, marker=True)
    assert len([event for event in leg.events if event[0] == "digit"]) == MAX_KEYS
    leg.clock.now_ms += KEYS_MS
    leg.press(struct.pack("!BBH", 11, 0x8A, 160), 900_000, marker=True)
    assert leg.events[-1] == ("digit", "#", "rfc4733")
