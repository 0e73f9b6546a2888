"""Waiting in a queue: music, messages, the key that leaves, and what its end leads to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.ivr.core.interpreter import deadline_ms
from services.ivr.core.limits import DELAY_AFTER_MS, MAX_STAYS_PER_CALL
from services.ivr.model.actions import (
    AnnounceWait,
    AnswerCall,
    GatherDigits,
    HangUpCall,
    JoinQueue,
    LeaveQueue,
    PlayPrompts,
    StopRinging,
    TerminationClass,
)
from services.ivr.model.call import (
    CustomerFound,
    LegEnded,
    LegRole,
    OperationEnded,
    OperationResult,
    PositionChanged,
    QueueLeft,
    QueueUnavailable,
    TimePassed,
)
from services.ivr.model.checkpoint import Purpose, Stage
from tests.unit.ivr.calls import HANGUP, INVITED, Talk, flow_of

FAILED = OperationResult.FAILED
STOPPED = OperationResult.STOPPED


def queue(**changes: Any) -> Talk:
    node = {"kind": "enqueue", "queue": "support", **changes}
    nodes = {"begin": node}
    if "end" in str(changes):
        nodes["end"] = HANGUP
    return Talk(flow_of(nodes, variables={"wish": "help"}))


def waiting(**changes: Any) -> Talk:
    talk = queue(**changes)
    talk.place(2, 60_000)
    return talk


def test_joining_answers_plays_music_and_asks_acd() -> None:
    talk = queue(
        priority=5, skills={"german": 3}, attributes={"wish": "{wish}", "number": "{caller}"}
    )
    assert talk.new == [
        AnswerCall(),
        PlayPrompts("o1", talk.new[1].prompts, loop=True),
    ]
    assert talk.heard() == ["music"]
    assert talk.effects == [
        JoinQueue(
            entry_id=talk.entry,
            queue_id="support",
            call_id=talk.at.call.call_id,
            caller="+4930111",
            priority=5,
            waiting_since_ms=0,
            skills=(("german", 3),),
            attributes=(
                ("from", "+4930111"),
                ("to", "+4930222"),
                ("wish", "help"),
                ("number", "+4930111"),
            ),
            gateway="gw:1",
        )
    ]
    assert talk.at.stage is Stage.JOINING
    assert deadline_ms(talk.at) == talk.now_ms + DELAY_AFTER_MS


def test_the_first_message_comes_a_second_after_the_place_and_then_every_n() -> None:
    talk = waiting(message_every_s=30)
    assert deadline_ms(talk.at) == talk.now_ms + 1_000
    assert talk.feed(TimePassed(), 999).ignored == "not-due"
    talk.feed(TimePassed(), 1)
    assert talk.heard() == ["You are number 2 in the queue. The expected wait is about 1 minute."]
    assert talk.new[0].loop is False
    assert talk.effects[-1] == AnnounceWait(talk.entry)
    assert deadline_ms(talk.at) is None
    talk.end()
    assert talk.heard() == ["music"]
    due = deadline_ms(talk.at)
    assert due == talk.now_ms + 30_000
    talk.place(1, None)
    talk.feed(TimePassed(), 30_000)
    assert talk.heard() == ["You are number 1 in the queue."]
    assert talk.effects.count(AnnounceWait(talk.entry)) == 1


def test_what_was_said_stands_in_the_record_and_what_a_caller_keyed_does_not() -> None:
    talk = waiting(messages=["You are number {position}.", "We call {wish} {position}."])
    talk.feed(TimePassed(), 1_000)
    talk.end()
    talk.feed(TimePassed(), 20_000)
    assert talk.heard() == ["We call help 2."]
    said = [values["text"] for kind, values in talk.notes() if kind == "queue-message"]
    assert said == ["You are number 2.", "We call {wish} {position}."]


def test_a_message_that_comes_late_is_not_said_twice() -> None:
    talk = waiting(message_every_s=8)
    talk.feed(TimePassed(), 60_000)
    talk.end()
    assert deadline_ms(talk.at) == talk.now_ms + 8_000


def test_messages_take_turns_and_those_that_know_nothing_are_left_out() -> None:
    talk = queue(messages=["About {expected_wait_minutes} minutes.", ["Soon.", {"system": "beep"}]])
    talk.place(3, None)
    talk.feed(TimePassed(), 1_000)
    assert talk.heard() == []
    assert talk.at.purpose is Purpose.MUSIC
    talk.feed(TimePassed(), 20_000)
    assert talk.heard() == ["Soon.", "beep"]
    talk.end()
    talk.place(3, 61_000)
    talk.feed(TimePassed(), 20_000)
    assert talk.heard() == ["About 2 minutes."]


def test_a_language_without_phrases_says_only_what_the_flow_wrote() -> None:
    node = {"kind": "enqueue", "queue": "support", "messages": ["Platz {position}."]}
    talk = Talk(flow_of({"begin": node}, language="de"))
    talk.place(4)
    talk.feed(TimePassed(), 1_000)
    assert talk.heard() == ["Platz 4."]


def test_a_queue_without_messages_has_no_deadline() -> None:
    talk = waiting(messages=[])
    assert deadline_ms(talk.at) is None


def test_music_of_the_flow_is_played() -> None:
    talk = queue(music={"sha256": "a" * 64})
    assert talk.heard() == ["a" * 64]


def test_music_that_fails_is_replaced_by_the_gateways_and_then_treated() -> None:
    talk = queue(music={"sha256": "a" * 64})
    for _ in range(5):
        talk.end(result=FAILED)
        assert talk.heard() == ["music"]
    talk.end(result=FAILED)
    assert talk.at.treated == "music-failed"
    assert talk.effects[-1] == LeaveQueue(talk.effects[0].entry_id, "failed", "music-failed")
    assert talk.heard() == ["We have a problem."]


def test_a_message_that_fails_costs_no_more_than_the_message() -> None:
    talk = waiting(music={"sha256": "a" * 64})
    talk.feed(TimePassed(), 1_000)
    talk.end(result=FAILED)
    assert talk.heard() == ["music"]
    talk.feed(TimePassed(), 20_000)
    talk.end()
    assert talk.heard() == ["a" * 64]


def test_music_that_was_stopped_is_begun_again() -> None:
    talk = waiting()
    talk.end(result=STOPPED)
    assert talk.heard() == ["music"]


def test_the_end_of_music_that_was_replaced_is_ignored() -> None:
    talk = waiting()
    talk.feed(TimePassed(), 1_000)
    assert talk.feed(OperationEnded("o1", STOPPED)).ignored == "stale-operation"


def leavable() -> Talk:
    return waiting(leave_key="*", leave_exit="callback", on_leave="end")


def test_the_leave_key_leads_out_of_the_queue() -> None:
    talk = leavable()
    music = talk.commands[-1]
    assert isinstance(music, GatherDigits)
    assert (music.loop, music.max_digits, music.first_digit_timeout_ms) == (True, 1, 0)
    entry = talk.entry
    talk.key("*")
    assert talk.effects[-1] == LeaveQueue(entry, "callback", "leave-key")
    assert talk.new == [HangUpCall(TerminationClass.SUCCESS, "flow-ended")]


def test_the_leave_key_works_during_a_message_and_while_an_agent_rings() -> None:
    talk = leavable()
    talk.feed(TimePassed(), 1_000)
    message = talk.new[0]
    assert isinstance(message, GatherDigits)
    assert (message.loop, message.first_digit_timeout_ms) == (False, 100)
    talk.reserve("r1")
    talk.key("*")
    assert talk.new[0] == StopRinging("r1", "caller-left-queue")
    assert talk.at.stage is Stage.ENDED


def test_another_key_changes_nothing_but_the_music() -> None:
    talk = leavable()
    talk.key("5")
    assert talk.heard() == ["music"]
    assert talk.at.stage is Stage.QUEUED


def test_silence_after_a_message_brings_the_music_back() -> None:
    talk = leavable()
    talk.feed(TimePassed(), 1_000)
    talk.time_out()
    assert talk.heard() == ["music"]
    assert talk.new[0].loop is True


@pytest.mark.parametrize("exit_name", ["timeout", "closed", "refused_full", "refused_no_agents"])
def test_an_exit_leads_where_the_flow_says(exit_name: str) -> None:
    talk = waiting(on_exit={exit_name: "end"})
    talk.feed(QueueLeft(talk.entry, exit_name))
    assert talk.new == [HangUpCall(TerminationClass.SUCCESS, "flow-ended")]
    assert ("queue-left", {"queue": "support", "exit": exit_name}) in talk.notes()


def test_an_exit_without_a_way_is_treated() -> None:
    talk = waiting()
    before = list(talk.effects)
    talk.feed(QueueLeft(talk.entry, "refused_full"))
    assert talk.at.treated == "queue-refused-full"
    assert talk.effects == before


def test_a_closed_queue_says_its_message_first() -> None:
    talk = waiting(on_exit={"closed": "end"})
    talk.feed(QueueLeft(talk.entry, "closed", message=" We are on fire. "))
    assert talk.heard() == ["We are on fire."]
    talk.end(result=FAILED)
    assert talk.at.stage is Stage.ENDED


def test_an_overflow_is_followed_with_a_new_entry() -> None:
    talk = queue()
    first = talk.entry
    talk.feed(PositionChanged(first, 1, None, enqueued_at_ms=1_000))
    talk.feed(QueueLeft(first, "overflowed", overflow_queue_id="backup"))
    assert (talk.effects[-1].queue_id, talk.effects[-1].waiting_since_ms) == ("backup", 1_000)
    assert talk.entry != first
    assert talk.heard() == ["music"]


def test_an_overflow_that_the_flow_handles_is_not_followed() -> None:
    talk = waiting(on_exit={"overflowed": "end"})
    talk.feed(QueueLeft(talk.entry, "overflowed", overflow_queue_id="backup"))
    assert talk.at.stage is Stage.ENDED


def test_overflows_in_a_circle_are_cut() -> None:
    talk = waiting()
    for _ in range(MAX_STAYS_PER_CALL - 1):
        talk.feed(QueueLeft(talk.entry, "overflowed", overflow_queue_id="backup"))
    assert talk.at.treated == ""
    talk.feed(QueueLeft(talk.entry, "overflowed", overflow_queue_id="backup"))
    assert talk.at.treated == "too-many-queues"


def test_acd_away_leads_to_the_treatment_and_then_to_an_apology() -> None:
    talk = queue()
    talk.feed(QueueUnavailable(talk.entry, "acd-away"))
    assert talk.heard() == ["We have a problem."]
    # It may have taken the contact before it went away.
    assert talk.effects[1:] == [LeaveQueue(talk.effects[0].entry_id, "failed", "acd-away")]
    talk.end()
    assert talk.effects[-1].queue_id == "rescue"
    talk.feed(QueueUnavailable(talk.entry, "acd-away"))
    assert talk.heard() == ["apology"]
    assert talk.at.stage is Stage.APOLOGISING
    talk.end()
    assert talk.new == [HangUpCall(TerminationClass.SERVER_ERROR, "acd-away")]


def test_an_apology_that_nobody_ends_is_cut() -> None:
    talk = queue()
    talk.feed(QueueUnavailable(talk.entry, "acd-away"))
    talk.end(result=FAILED)
    talk.feed(QueueUnavailable(talk.entry, "acd-away"))
    assert deadline_ms(talk.at) == talk.now_ms + 10_000
    assert talk.feed(TimePassed(), 9_999).ignored == "not-due"
    talk.feed(TimePassed(), 1)
    assert talk.new == [HangUpCall(TerminationClass.SERVER_ERROR, "acd-away")]


def test_a_caller_who_goes_during_the_apology_was_failed_all_the_same() -> None:
    talk = queue()
    talk.feed(QueueUnavailable(talk.entry, "acd-away"))
    talk.end()
    told = len(talk.effects)
    talk.feed(QueueUnavailable(talk.entry, "no-such-queue"))
    assert len(talk.effects) == told  # what acd refused it knows nothing of
    talk.feed(LegEnded("l1", LegRole.CALLER))
    assert talk.new == [HangUpCall(TerminationClass.SERVER_ERROR, "no-such-queue")]


def test_a_treatment_that_fails_before_the_answer_ends_with_a_status() -> None:
    nodes = {"begin": {"kind": "transfer", "to": "+4930"}}
    flow = flow_of(nodes, default_treatment={"transfer": "+4931"})
    talk = Talk(flow)
    talk.feed(LegEnded("l2", LegRole.EXTERNAL, "d1"))
    talk.feed(LegEnded("l3", LegRole.EXTERNAL, "d2"))
    assert talk.new == [HangUpCall(TerminationClass.SERVER_ERROR, "transfer-failed", 500)]


@pytest.mark.parametrize(
    ("reason", "laid_to", "told"),
    [
        ("hung-up", TerminationClass.SUCCESS, "caller-hung-up"),
        ("media-timeout", TerminationClass.CARRIER_ERROR, "caller-media-timeout"),
        ("signalling-lost", TerminationClass.CARRIER_ERROR, "caller-signalling-lost"),
    ],
)
def test_a_caller_who_goes_has_abandoned(reason: str, laid_to: TerminationClass, told: str) -> None:
    talk = waiting()
    entry = talk.entry
    talk.feed(LegEnded("l1", LegRole.CALLER, reason=reason))
    assert talk.effects[-1] == LeaveQueue(entry, "abandoned", told)
    assert talk.new == [HangUpCall(laid_to, told)]
    assert ("queue-left", {"queue": "support", "exit": "abandoned"}) in talk.notes()


@pytest.mark.parametrize(
    "event",
    [
        PositionChanged("other", 1, None),
        QueueLeft("other", "timeout"),
        QueueUnavailable("other", "acd-away"),
    ],
)
def test_news_of_another_entry_is_ignored(event: Any) -> None:
    talk = queue()
    assert talk.feed(event).ignored == "stale-entry"
    talk.place()
    assert talk.feed(event).ignored == "stale-entry"


def test_attributes_are_cut_to_what_acd_takes() -> None:
    texts = {f"a{number}": "{wish}" * 30 for number in range(26)}
    nodes = {"begin": {"kind": "enqueue", "queue": "support", "attributes": texts}}
    long = "9" * 999
    talk = Talk(
        flow_of(nodes, variables={"wish": "位" * 300}),
        invited=replace(INVITED, caller=long, called=long),
        customer=CustomerFound(long, long, long),
    )
    join = talk.effects[0]
    attributes = (*join.attributes, ("caller", join.caller))
    size = sum(len(name.encode()) + len(text.encode()) for name, text in attributes)
    assert 3_900 < size <= 4_096
    assert len(attributes) == 32
