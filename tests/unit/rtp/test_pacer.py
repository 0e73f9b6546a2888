from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from media_gateway.rtp.pacer import MAX_LATE_MS, Pacer


def test_a_frame_is_due_each_20_ms() -> None:
    pacer = Pacer(0.0)
    assert pacer.due(19.9) == (0, False)
    assert pacer.due(20.0) == (1, False)
    assert pacer.due(39.0) == (0, False)
    assert pacer.due(41.0) == (1, False)
    assert pacer.deadline_ms == 60.0


def test_a_little_lateness_is_made_up_at_once() -> None:
    pacer = Pacer(0.0)
    assert pacer.due(20.0 + MAX_LATE_MS) == (6, False)
    assert pacer.deadline_ms == 140.0


def test_too_late_frames_are_left_out_and_counted() -> None:
    pacer = Pacer(0.0)
    assert pacer.due(20.0 + MAX_LATE_MS + 1) == (1, True)
    assert (pacer.skipped, pacer.deadline_ms) == (5, 140.0)


def test_a_restart_forgets_the_time_between() -> None:
    pacer = Pacer(0.0)
    pacer.restart(60_000.0)
    assert pacer.due(60_020.0) == (1, False)
    assert pacer.skipped == 0


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(0, MAX_LATE_MS - 20), max_size=60))
def test_small_delays_never_add_up(delays: list[float]) -> None:
    pacer, now_ms, sent = Pacer(0.0), 0.0, 0
    for delay_ms in delays:
        now_ms = max(now_ms, pacer.deadline_ms + delay_ms)
        sent += pacer.due(now_ms)[0]
    assert sent == int(now_ms // 20)
    assert pacer.skipped == 0
