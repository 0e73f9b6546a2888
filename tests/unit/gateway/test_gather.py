"""The collecting of keys."""

from __future__ import annotations

from dataclasses import replace

import pytest

from media_gateway.core import gather
from media_gateway.model import Gather, GatherState, OperationEnd

PLAIN = Gather(
    state=GatherState.PROMPTING,
    max_digits=4,
    first_digit_timeout_ms=5_000,
    next_digit_timeout_ms=3_000,
    end_key="#",
    barge_in=True,
    loop=False,
)


def test_patience_begins_when_the_prompts_end() -> None:
    begun = gather.begin(PLAIN, prompts=True, now_ms=0)
    assert begun.deadline_ms is None
    after = gather.prompts_end(begun, 700)
    assert (after.gather.state, after.gather.deadline_ms) == (GatherState.FIRST, 5_700)


def test_patience_begins_at_once_without_prompts_and_when_they_loop() -> None:
    assert gather.begin(PLAIN, prompts=False, now_ms=10).deadline_ms == 5_010
    looped = gather.begin(replace(PLAIN, loop=True), prompts=True, now_ms=10)
    assert (looped.state, looped.deadline_ms) == (GatherState.PROMPTING, 5_010)


def test_no_first_limit_is_no_limit() -> None:
    begun = gather.begin(replace(PLAIN, first_digit_timeout_ms=0), prompts=False, now_ms=10)
    assert begun.deadline_ms is None


def test_the_first_key_silences_the_prompts_with_barge_in() -> None:
    keyed = gather.press(gather.begin(PLAIN, prompts=True, now_ms=0), "1", 100)
    assert (keyed.ended, keyed.gather.digits, keyed.gather.deadline_ms) == (None, "1", 3_100)
    assert not gather.plays(keyed.gather)


@pytest.mark.parametrize(("keys", "digits"), [("1234", "1234"), ("12#", "12"), ("#", "")])
def test_it_is_complete_when_full_or_by_the_end_key(keys: str, digits: str) -> None:
    now = gather.begin(PLAIN, prompts=False, now_ms=0)
    for key in keys[:-1]:
        now = gather.press(now, key, 0).gather
    last = gather.press(now, keys[-1], 0)
    assert last.ended is OperationEnd.COMPLETE
    assert (last.gather.digits, last.gather.state) == (digits, GatherState.DONE)


@pytest.mark.parametrize(("keys", "digits"), [("1234", "1234"), ("12#", "12"), ("#7", "")])
def test_without_barge_in_prompts_are_heard_out_and_keys_count(keys: str, digits: str) -> None:
    now = gather.begin(replace(PLAIN, barge_in=False), prompts=True, now_ms=0)
    for key in keys:
        progress = gather.press(now, key, 0)
        assert progress.ended is None
        assert gather.plays(progress.gather)
        now = progress.gather
    last = gather.prompts_end(now, 900)
    assert (last.ended, last.gather.digits) == (OperationEnd.COMPLETE, digits)


def test_keys_pressed_before_the_prompts_end_start_the_patience_between_keys() -> None:
    now = gather.begin(replace(PLAIN, barge_in=False), prompts=True, now_ms=0)
    after = gather.prompts_end(gather.press(now, "7", 10).gather, 900)
    assert (after.ended, after.gather.state) == (None, GatherState.NEXT)
    assert after.gather.deadline_ms == 3_900


def test_looped_prompts_without_barge_in_go_on_and_do_not_hold_the_end_up() -> None:
    now = gather.begin(replace(PLAIN, barge_in=False, loop=True), prompts=True, now_ms=0)
    first = gather.press(now, "1", 0)
    assert gather.plays(first.gather)
    assert gather.press(first.gather, "#", 0).ended is OperationEnd.COMPLETE


def test_a_time_out_keeps_what_was_keyed() -> None:
    keyed = gather.press(gather.begin(PLAIN, prompts=False, now_ms=0), "5", 0).gather
    ended = gather.patience_ends(keyed)
    assert (ended.ended, ended.gather.digits) == (OperationEnd.TIMEOUT, "5")


def test_prompts_that_end_after_barge_in_change_nothing() -> None:
    keyed = gather.press(gather.begin(PLAIN, prompts=True, now_ms=0), "5", 0).gather
    assert gather.prompts_end(keyed, 50).gather == keyed
