"""When routing is told that an agent can be reached, and when not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.portal.core.reachability import (
    GRACE_MS,
    REACHABLE,
    RENEW_MS,
    REPEAT_MS,
    UNREACHABLE,
    VALID_MS,
    Reachability,
)


def tell(reach: Reachability, now_ms: int) -> str | None:
    link = reach.due(now_ms)
    if link is not None:
        reach.told(link, now_ms)
    return link


def alive(now_ms: int = 0) -> Reachability:
    reach = Reachability()
    reach.heard(now_ms)
    reach.checked(passed=True)
    return reach


def test_a_page_whose_check_passed_is_reachable_at_once() -> None:
    assert tell(alive(), 0) == REACHABLE


def test_a_page_whose_check_failed_is_not() -> None:
    reach = alive()
    reach.checked(passed=False)
    assert tell(reach, 0) == UNREACHABLE
    assert tell(reach, 1) is None


def test_a_later_check_counts_at_once() -> None:
    reach = alive()
    tell(reach, 0)
    reach.checked(passed=False)
    assert tell(reach, 1) == UNREACHABLE
    reach.checked(passed=True)
    assert tell(reach, 2) == REACHABLE


def test_it_is_renewed_while_heartbeats_come() -> None:
    reach = alive()
    tell(reach, 0)
    reach.heard(4_000)
    assert tell(reach, RENEW_MS - 1) is None
    assert tell(reach, RENEW_MS) == REACHABLE


def test_silence_ends_it_after_the_grace_and_only_once() -> None:
    reach = alive()
    tell(reach, 0)
    # After 5 s of silence nothing is renewed, and nothing is taken back yet.
    assert tell(reach, 5_001) is None
    assert tell(reach, GRACE_MS - 1) is None
    assert not reach.is_over(GRACE_MS - 1)
    assert tell(reach, GRACE_MS) == UNREACHABLE
    assert tell(reach, GRACE_MS + 1) is None
    assert reach.is_over(GRACE_MS + 1)


def test_a_page_that_comes_back_within_the_grace_is_reachable_all_along() -> None:
    reach = alive()
    tell(reach, 0)
    reach.heard(8_000)
    assert tell(reach, 8_000) == REACHABLE  # renewed
    assert reach.link(8_000) == REACHABLE


def test_what_routing_did_not_take_is_told_again_a_little_later() -> None:
    reach = alive()
    assert reach.due(0) == REACHABLE
    reach.failed(0)
    assert reach.due(REPEAT_MS - 1) is None
    assert tell(reach, REPEAT_MS) == REACHABLE


def test_one_who_is_unreachable_by_their_check_is_kept_while_heard() -> None:
    reach = alive()
    reach.checked(passed=False)
    tell(reach, 0)
    reach.heard(9_000)
    assert not reach.is_over(12_000)


def test_what_routing_never_takes_is_not_told_for_ever() -> None:
    reach = alive()
    tell(reach, 0)
    assert reach.due(GRACE_MS) == UNREACHABLE
    # By then routing has ceased by itself to believe what it was told last.
    assert not reach.is_over(GRACE_MS + VALID_MS - 1)
    assert reach.is_over(GRACE_MS + VALID_MS)


def test_nobody_was_heard_of() -> None:
    reach = Reachability()
    assert reach.link(0) == UNREACHABLE
    assert tell(reach, 0) == UNREACHABLE
    assert reach.is_over(0)


@given(st.lists(st.tuples(st.integers(100, 4_000), st.sampled_from("hpft ")), max_size=60))
def test_what_routing_believes_is_never_older_than_it_holds(
    steps: list[tuple[int, str]],
) -> None:
    """As long as heartbeats come and the check holds, nothing lapses on the way."""
    reach, now_ms = alive(), 0
    believed_until_ms, heard_ms, passed = 0, 0, True
    for pause_ms, step in steps:
        for _ in range(pause_ms // 500 + 1):
            now_ms += 500
            if tell(reach, now_ms) == REACHABLE:
                believed_until_ms = now_ms + VALID_MS
        if step in "hpf":
            reach.heard(now_ms)
            heard_ms = now_ms
        if step in "pf":
            passed = step == "p"
            reach.checked(passed=passed)
        link = tell(reach, now_ms)
        if link == REACHABLE:
            believed_until_ms = now_ms + VALID_MS
        expected = passed and now_ms - heard_ms < GRACE_MS
        assert (reach.link(now_ms) == REACHABLE) == expected
        if expected:
            assert believed_until_ms > now_ms
