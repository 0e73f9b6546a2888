from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media_gateway.rtp.latch import WINDOW_MS, Latch

FAR = ("192.0.2.1", 30_000)
NAT = ("203.0.113.9", 4_242)
THIEF = ("198.51.100.66", 6_666)


def armed(*, strict: bool = False) -> Latch:
    latch = Latch(strict=strict)
    latch.arm(FAR, 0.0)
    return latch


def test_before_any_packet_media_goes_to_the_negotiated_address() -> None:
    assert armed().target == FAR


def test_the_negotiated_source_locks_everyone_else_out() -> None:
    latch = armed()
    assert latch.admit(FAR, 10.0)
    assert not latch.admit(THIEF, 11.0)
    assert not latch.admit(NAT, 12.0)
    assert (latch.target, latch.strangers) == (FAR, 2)


def test_behind_nat_the_first_source_is_latched_once() -> None:
    latch = armed()
    assert latch.admit(NAT, 10.0)
    assert not latch.admit(THIEF, 11.0)
    assert latch.admit(NAT, 12.0)
    assert (latch.target, latch.strangers) == (NAT, 1)


def test_another_port_of_the_negotiated_host_is_another_source() -> None:
    latch = armed()
    latch.admit(FAR, 10.0)
    assert not latch.admit((FAR[0], FAR[1] + 2), 11.0)


@pytest.mark.parametrize(("at_ms", "admitted"), [(WINDOW_MS, True), (WINDOW_MS + 1, False)])
def test_nobody_is_latched_after_the_window(at_ms: float, admitted: bool) -> None:
    assert armed().admit(NAT, at_ms) is admitted


def test_the_negotiated_source_may_come_late() -> None:
    latch = armed()
    assert not latch.admit(THIEF, WINDOW_MS + 1.0)
    assert latch.admit(FAR, WINDOW_MS + 60_000.0)
    assert latch.target == FAR


def test_strict_never_latches() -> None:
    latch = armed(strict=True)
    assert not latch.admit(NAT, 1.0)
    assert latch.admit(FAR, 2.0)
    assert (latch.target, latch.strangers) == (FAR, 1)


def test_negotiation_arms_again() -> None:
    latch = armed()
    latch.admit(FAR, 10.0)
    latch.arm(NAT, 1_000.0)
    assert latch.target == NAT
    assert latch.admit(THIEF, 1_001.0)
    assert not latch.admit(NAT, 1_002.0)


def test_a_learned_target_outlives_a_negotiation_of_the_same_far_end() -> None:
    latch = armed()
    latch.admit(NAT, 10.0)
    latch.arm(FAR, 1_000.0)
    assert latch.target == NAT
    assert latch.admit(NAT, 1_000.0 + WINDOW_MS + 1)
    assert not latch.admit(FAR, 1_000.0 + WINDOW_MS + 2)


def test_without_an_address_there_is_no_target_until_a_packet_comes() -> None:
    latch = Latch(strict=False)
    latch.arm(None, 0.0)
    assert latch.target is None
    assert latch.admit(NAT, 1.0)
    assert latch.target == NAT


def test_holding_by_the_old_null_address_forgets_the_learned_target() -> None:
    latch = armed()
    latch.admit(NAT, 10.0)
    latch.arm(None, 20.0)
    assert latch.target is None


def test_a_datagram_refused_unseen_is_a_stranger() -> None:
    latch = armed()
    latch.refuse()
    assert (latch.strangers, latch.target) == (1, FAR)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.sampled_from([FAR, NAT, THIEF]), st.floats(0, 10_000)), max_size=30))
def test_one_negotiation_never_hears_two_sources(
    packets: list[tuple[tuple[str, int], float]],
) -> None:
    latch = armed()
    in_time = sorted(packets, key=lambda packet: packet[1])
    admitted = [source for source, at_ms in in_time if latch.admit(source, at_ms)]
    assert len(set(admitted)) <= 1
    assert latch.target == (admitted[0] if admitted else FAR)
    assert latch.strangers == len(packets) - len(admitted)
