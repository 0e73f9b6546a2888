"""Another replica goes on where one stopped."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.ivr.core.resuming import resume
from services.ivr.core.turn import Outcome
from services.ivr.model.actions import (
    AcceptReservation,
    BridgeLegs,
    CompleteContact,
    ConfirmBridged,
    ConfirmRing,
    EndReservation,
    HangUpCall,
    JoinQueue,
)
from services.ivr.model.call import (
    Event,
    LegAnswered,
    LegEnded,
    LegFailed,
    LegRole,
    LegView,
    OperationEnded,
    OperationResult,
    QueueLeft,
    ReservationAccepted,
    RingOutcome,
    TimePassed,
)
from services.ivr.model.checkpoint import Stage
from tests.unit.ivr.calls import HANGUP, Talk, flow_of
from tests.unit.ivr.test_ringing import answered, bridging, ringing, talking, waiting

CALLER = LegView("l1", LegRole.CALLER, "", "answered")


def agent(state: str) -> LegView:
    return LegView("l2", LegRole.AGENT, "r1", state)


def resumed(
    talk: Talk,
    *,
    legs: tuple[LegView, ...] = (CALLER,),
    events: tuple[Event, ...] = (),
    **more: Any,
) -> Outcome:
    operation = more.get("operation", talk.at.operation)
    return resume(
        talk.flow,
        talk.at,
        legs=legs,
        events=events,
        operation=operation,
        now_ms=talk.now_ms,
    )


def heard(outcome: Outcome) -> list[str]:
    return [
        prompt.text or prompt.system
        for command in outcome.commands
        for prompt in getattr(command, "prompts", ())
    ]


def menu() -> Talk:
    node = {
        "kind": "menu",
        "prompts": ["Press 1."],
        "choices": {"1": "say"},
        "retries": 3,
        "on_timeout": "end",
    }
    say = {"kind": "say", "text": "Goodbye.", "next": "end"}
    return Talk(flow_of({"begin": node, "say": say, "end": HANGUP}))


def test_a_caller_in_a_menu_stays_where_they_were() -> None:
    talk = menu()
    talk.time_out()
    outcome = resumed(talk)
    assert outcome == Outcome(talk.at)


def test_a_question_that_nobody_asks_any_more_is_asked_again_and_not_counted() -> None:
    talk = menu()
    talk.time_out()
    outcome = resumed(talk, operation="")
    assert heard(outcome) == ["Press 1."]
    assert outcome.checkpoint.attempt == 1


def test_a_prompt_that_nobody_plays_any_more_is_played_again() -> None:
    talk = menu()
    talk.key("1")
    assert heard(resumed(talk, operation="")) == ["Goodbye."]


def test_events_that_were_not_accounted_for_are() -> None:
    talk = menu()
    event = OperationEnded(talk.at.operation, OperationResult.COMPLETE, "1")
    outcome = resumed(talk, events=(event,), operation="")
    assert heard(outcome) == ["Goodbye."]
    assert talk.feed(event).commands == outcome.commands


def test_a_caller_in_a_queue_keeps_music_and_place() -> None:
    talk = waiting()
    outcome = resumed(talk)
    assert outcome.commands == ()
    assert outcome.effects == (talk.effects[0],)
    assert outcome.checkpoint == talk.at


def test_a_message_that_broke_off_is_followed_by_music() -> None:
    talk = waiting()
    talk.feed(TimePassed(), 1_000)
    assert heard(resumed(talk, operation="")) == ["music"]


def test_a_ring_is_confirmed_again() -> None:
    talk = ringing()
    outcome = resumed(talk, legs=(CALLER, agent("ringing")))
    assert outcome.effects == (talk.effects[0], ConfirmRing("r1", "anna"))
    assert outcome.commands == ()


def test_a_ring_that_was_not_heard_yet_is_not() -> None:
    talk = waiting()
    talk.reserve()
    assert resumed(talk, legs=(CALLER, agent("invited"))).effects == (talk.effects[0],)


def test_an_acceptance_is_told_again() -> None:
    talk = answered()
    outcome = resumed(talk, legs=(CALLER, agent("answered")))
    assert outcome.effects[1:] == (AcceptReservation("r1", "anna"),)


def test_an_answer_that_only_the_leg_tells_is_believed() -> None:
    outcome = resumed(ringing(), legs=(CALLER, agent("answered")))
    assert outcome.checkpoint.stage is Stage.ANSWERED
    assert outcome.effects[0] == AcceptReservation("r1", "anna")


def test_an_answer_to_an_acceptance_is_bridged() -> None:
    talk = ringing()
    talk.feed(ReservationAccepted("r1"))
    outcome = resumed(talk, events=(LegAnswered("r1", "l2"),), legs=(CALLER, agent("answered")))
    assert outcome.commands == (BridgeLegs("r1"),)


def test_a_bridge_that_only_the_leg_tells_is_believed() -> None:
    outcome = resumed(bridging(), legs=(CALLER, agent("bridged")), operation="")
    assert outcome.checkpoint.stage is Stage.TALKING
    assert outcome.effects == (ConfirmBridged("r1"),)


def test_while_bridging_nothing_new_is_played() -> None:
    outcome = resumed(bridging(), legs=(CALLER, agent("answered")), operation="")
    assert outcome.commands == ()
    assert outcome.checkpoint.operation == ""


def test_those_who_talk_are_not_touched() -> None:
    talk = talking()
    outcome = resumed(talk, legs=(CALLER, agent("bridged")), operation="")
    assert outcome == Outcome(talk.at, effects=(ConfirmBridged("r1"),))


@pytest.mark.parametrize("legs", [(CALLER,), (CALLER, agent("ended"))])
def test_a_far_end_that_is_gone_without_a_word_is_noticed(legs: tuple[LegView, ...]) -> None:
    outcome = resumed(talking(), legs=legs)
    assert outcome.effects[0] == CompleteContact("r1", "system", "agent-lost")
    outcome = resumed(ringing(), legs=legs)
    assert outcome.effects[0] == EndReservation("r1", "unreachable")
    assert outcome.checkpoint.stage is Stage.QUEUED


@pytest.mark.parametrize("legs", [(), (LegView("l1", LegRole.CALLER, "", "ended"),)])
def test_a_caller_who_is_gone_without_a_word_is_noticed(legs: tuple[LegView, ...]) -> None:
    outcome = resumed(waiting(), legs=legs)
    assert outcome.checkpoint.stage is Stage.ENDED
    assert isinstance(outcome.commands[-1], HangUpCall)


def test_a_call_that_is_over_stays_over() -> None:
    talk = waiting()
    talk.feed(LegEnded("l1", LegRole.CALLER))
    assert resumed(talk, legs=()) == Outcome(talk.at)


def test_a_conversation_that_ended_is_told_again_once_the_flow_went_on() -> None:
    nodes = {
        "begin": {"kind": "enqueue", "queue": "support", "after_agent": "survey"},
        "survey": {"kind": "say", "text": "How was it?", "next": "end"},
        "end": HANGUP,
    }
    talk = Talk(flow_of(nodes))
    talk.reserve()
    talk.feed(LegAnswered("r1", "l2"))
    talk.feed(ReservationAccepted("r1"))
    gone = LegEnded("l2", LegRole.AGENT, "r1")
    resumed_at_once = resumed(
        talk, legs=(CALLER, agent("bridged")), events=(), operation=""
    ).checkpoint
    outcome = resume(
        talk.flow, resumed_at_once, legs=(CALLER,), events=(gone,), operation="", now_ms=0
    )
    assert outcome.effects == (CompleteContact("r1", "agent", "agent-left"),)
    later = resume(
        talk.flow,
        outcome.checkpoint,
        legs=(CALLER,),
        events=(),
        operation=outcome.checkpoint.operation,
        now_ms=0,
    )
    assert later.effects == (CompleteContact("r1", "agent", "agent-left"),)
    unexplained = replace(outcome.checkpoint, completed_by="", completed_reason="")
    told = resume(
        talk.flow,
        unexplained,
        legs=(CALLER,),
        events=(),
        operation=unexplained.operation,
        now_ms=0,
    )
    assert told.effects == (CompleteContact("r1", "system", "resumed"),)


def test_a_rejoined_queue_is_joined_once() -> None:
    talk = talking()
    gone = LegEnded("l2", LegRole.AGENT, "r1", "media-timeout")
    effects = resumed(talk, events=(gone,), operation="").effects
    assert [type(effect) for effect in effects] == [CompleteContact, JoinQueue]


def dialling() -> Talk:
    return Talk(flow_of({"begin": {"kind": "transfer", "to": "+4930"}}))


def test_ringback_that_nobody_plays_is_played_again() -> None:
    legs = (CALLER, LegView("l2", LegRole.EXTERNAL, "d1", "ringing"))
    assert heard(resumed(dialling(), legs=legs, operation="")) == ["ringback"]


def test_a_dial_that_answered_meanwhile_is_bridged() -> None:
    legs = (CALLER, LegView("l2", LegRole.EXTERNAL, "d1", "answered"))
    assert resumed(dialling(), legs=legs).commands[-1] == BridgeLegs("d1")


def test_an_apology_and_a_farewell_are_said_again() -> None:
    talk = dialling()
    talk.feed(LegFailed("d1", RingOutcome.BUSY))
    talk.end()
    farewell = QueueLeft(talk.entry, "closed", message="Closed.")
    talk.feed(farewell)
    assert heard(resumed(talk, operation="")) == ["Closed."]
    talk.end()
    assert talk.at.stage is Stage.APOLOGISING
    assert heard(resumed(talk, operation="")) == ["apology"]


def test_a_prompt_that_says_nothing_any_more_is_passed_over() -> None:
    nodes = {
        "begin": {"kind": "say", "text": "{digits}{caller}", "next": "end"},
        "end": HANGUP,
    }
    talk = Talk(flow_of(nodes))
    quiet = flow_of({**nodes, "begin": {"kind": "say", "text": "{digits}", "next": "end"}})
    outcome = resume(quiet, talk.at, legs=(CALLER,), events=(), operation="", now_ms=0)
    assert isinstance(outcome.commands[-1], HangUpCall)
