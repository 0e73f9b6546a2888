"""Imagined calls: what a flow would do, step by step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.ivr.core.joining import joined
from services.ivr.core.simulating import MAX_STEPS, simulate
from services.ivr.model.calendars import Calendar, Opening
from services.ivr.model.flow import Flow
from services.ivr.model.library import Shelf, Sound, Source
from services.ivr.model.simulation import (
    AgentAnswers,
    DialEnds,
    FarEndHangsUp,
    HangUp,
    PressKeys,
    SimulatedInput,
    StaySilent,
    TakeExit,
    Wait,
    Walk,
)
from tests.unit.ivr.calls import HANGUP, INVITED, NOW_MS, flow_of
from tests.unit.ivr.test_parsing import enqueue, gather, menu, say

QUEUE = enqueue(messages=["You are {position}."], leave_key="*", on_leave="bye", after_agent="bye")
BYE = {"bye": say("Goodbye."), "end": HANGUP}


def walk(flow: Flow, *inputs: SimulatedInput, **durations: int) -> Walk:
    return simulate(flow, invited=INVITED, inputs=inputs, now_ms=NOW_MS, durations=durations)


def told(walked: Walk, *kinds: str) -> list[tuple[str, dict[str, str]]]:
    return [
        (step.kind, dict(step.values)) for step in walked.steps if not kinds or step.kind in kinds
    ]


def test_what_is_said_takes_its_time_and_a_question_waits_for_keys() -> None:
    flow = flow_of({"begin": say("123456789 123456", "ask"), "ask": menu(), "end": HANGUP})
    stopped = walk(flow)
    assert stopped.waits_for is Wait.DIGITS
    assert [(step.node, step.kind, step.at_ms) for step in stopped.steps] == [
        ("begin", "enter", 0),
        ("begin", "say", 0),
        ("ask", "enter", 16 * 67),
        ("ask", "say", 16 * 67),
        ("ask", "ask", 16 * 67),
    ]
    over = walk(flow, PressKeys("1"))
    assert over.waits_for is Wait.NOTHING
    assert told(over)[5:] == [
        ("keyed", {"digits": "1"}),
        ("enter", {}),
        ("hang-up", {"by": "flow", "reason": "flow-ended"}),
        ("end", {"reason": "flow-ended", "termination": "success"}),
    ]


def test_silence_repeats_the_question_and_leads_on_in_the_end() -> None:
    flow = flow_of({"begin": menu(retries=1, timeout_s=4, on_timeout="bye"), **BYE})
    assert walk(flow, StaySilent()).waits_for is Wait.DIGITS
    over = walk(flow, StaySilent(), StaySilent())
    assert [step.node for step in over.steps if step.kind == "enter"] == ["begin", "bye", "end"]
    assert over.steps[-1].at_ms == 2 * (8 * 67 + 4_000) + 8 * 67


def test_keys_that_one_question_leaves_answer_the_next() -> None:
    nodes = {
        "begin": menu(choices={"1": "number"}),
        "number": gather(max_digits=4, safe=True, next="pin"),
        "pin": gather(into="pin", end_key="#", next="end"),
        "end": HANGUP,
    }
    flow = flow_of(nodes, variables={"number": "", "pin": ""})
    over = walk(flow, PressKeys("1778"), PressKeys("99#1"))
    assert told(over, "keyed") == [
        ("keyed", {"digits": "1"}),
        ("keyed", {"digits": "778"}),
        ("keyed", {"digits": "**"}),
    ]
    assert over.variables == {"number": "778", "pin": "**"}
    more = walk(flow, PressKeys("177889"))
    assert (more.waits_for, more.variables["number"]) == (Wait.NOTHING, "7788")


def test_digits_that_are_not_safe_are_masked_wherever_they_went() -> None:
    values = {"copy": "number + '!'", "plain": "'yes'"}
    nodes = {
        "begin": gather(next="copy"),
        "copy": {"kind": "set", "values": values, "next": "end"},
        "end": HANGUP,
    }
    flow = flow_of(nodes, variables={"number": "", "copy": "", "plain": ""})
    over = walk(flow, PressKeys("4711#"))
    assert over.variables == {"number": "****", "copy": "*****", "plain": "yes"}
    assert told(over, "keyed", "set") == [
        ("keyed", {"digits": "****"}),
        ("set", {"copy": "*****", "plain": "yes"}),
    ]


def test_a_queue_is_heard_waited_in_left_and_answered() -> None:
    flow = flow_of({"begin": QUEUE, **BYE})
    stopped = walk(flow)
    assert stopped.waits_for is Wait.QUEUE
    assert told(stopped) == [
        ("enter", {}),
        ("queue", {"queue": "support", "state": "joined"}),
        ("play", {"sound": "music"}),
        ("say", {"text": "You are 1.", "language": "en-us"}),
        ("play", {"sound": "music"}),
    ]
    later = walk(flow, StaySilent())
    assert told(later, "say")[1:] == [("say", {"text": "You are 1.", "language": "en-us"})]
    assert later.steps[-1].at_ms >= 20_000
    left = walk(flow, PressKeys("*"))
    assert told(left, "keyed", "queue")[1:] == [
        ("keyed", {"digits": "*"}),
        ("queue", {"queue": "support", "exit": "abandoned"}),
    ]
    talking = walk(flow, AgentAnswers())
    assert talking.waits_for is Wait.AGENT
    assert told(talking, "agent") == [("agent", {"state": "rings"}), ("agent", {"state": "talks"})]
    after = walk(flow, AgentAnswers(), FarEndHangsUp())
    assert told(after, "hang-up", "say")[1:] == [
        ("hang-up", {"by": "agent"}),
        ("say", {"text": "Goodbye.", "language": "en-us"}),
    ]
    assert after.waits_for is Wait.NOTHING


def test_a_queue_without_messages_or_a_leave_key_waits_all_the_same() -> None:
    flow = flow_of({"begin": enqueue(messages=[], on_exit={"timeout": "end"}), "end": HANGUP})
    stopped = walk(flow, StaySilent(), PressKeys("1"))
    assert stopped.waits_for is Wait.QUEUE
    assert stopped.steps[-1].at_ms == 10_000
    over = walk(flow, TakeExit("timeout"))
    assert told(over, "queue", "fault")[1:] == [("queue", {"queue": "support", "exit": "timeout"})]
    fault = walk(flow, TakeExit("closed"))
    assert told(fault, "fault") == [("fault", {"reason": "queue-closed"})]


@pytest.mark.parametrize(
    ("outcome", "last"),
    [("busy", "bye"), ("no_answer", "bye"), ("unreachable", "bye"), ("answer", "begin")],
)
def test_a_number_outside_answers_or_does_not(outcome: str, last: str) -> None:
    transfer = {"kind": "transfer", "to": "+49301", "on_failed": "bye"}
    flow = flow_of({"begin": transfer, "bye": HANGUP})
    assert walk(flow).waits_for is Wait.DIAL
    walked = walk(flow, DialEnds(outcome), FarEndHangsUp())
    assert ("dial", {"outcome": outcome}) in told(walked, "dial")
    assert walked.steps[-1].node == last
    assert walked.steps[-1].kind == "end"


@pytest.mark.parametrize(
    ("nodes", "given"),
    [
        ({"begin": menu(), "end": HANGUP}, AgentAnswers()),
        ({"begin": QUEUE, **BYE}, DialEnds("busy")),
        ({"begin": {"kind": "transfer", "to": "+49301"}}, StaySilent()),
    ],
)
def test_an_input_that_does_not_fit_is_told_and_stops_the_walk(
    nodes: dict[str, Any], given: SimulatedInput
) -> None:
    walked = walk(flow_of(nodes), given, HangUp())
    assert walked.steps[-1].kind == "fault"
    assert dict(walked.steps[-1].values) == {
        "reason": "input-does-not-fit",
        "input": type(given).__name__,
    }
    assert walked.waits_for is not Wait.NOTHING
    talking = walk(flow_of({"begin": QUEUE, **BYE}), AgentAnswers(), StaySilent())
    assert told(talking, "fault")[0][1]["input"] == "StaySilent"


def test_the_caller_may_hang_up_wherever_the_call_waits() -> None:
    flow = flow_of({"begin": QUEUE, **BYE})
    over = walk(flow, AgentAnswers(), HangUp())
    assert told(over)[-2:] == [
        ("hang-up", {"by": "caller"}),
        ("end", {"reason": "caller-hung-up", "termination": "success"}),
    ]


def test_prompts_and_calendars_are_those_of_the_library() -> None:
    sounds = [{"sha256": "cd" * 32}, {"system": "beep"}]
    nodes = {
        "begin": {"kind": "hours", "calendar": "office", "open": "hello", "closed": "bye"},
        "hello": {"kind": "say", "prompt": "hello", "next": "end"},
        "bye": {"kind": "play", "prompts": sounds, "next": "end"},
        "end": HANGUP,
    }
    always = tuple(Opening(day, 0, 1_440) for day in range(7))
    sound = Sound(Source.SPOKEN, "ab" * 32, 1_234)
    for week, branch in ((always, "open"), ((), "closed")):
        calendar = Calendar("office", "Office", "", week, ())
        shelf = Shelf({"hello": sound}, {"office": calendar}, "Europe/Berlin")
        walked = walk(joined(flow_of(nodes), shelf), hello=1_234)
        ways = {"open": "hello", "closed": "bye"}
        assert told(walked, "hours") == [
            ("hours", {"branch": branch, "next": ways[branch], "calendar": "office"})
        ]
        played = [values for _, values in told(walked, "play")]
        if branch == "open":
            assert played == [{"prompt": "hello"}]
            assert walked.steps[-1].at_ms == 1_234
        else:
            assert played == [{"sha256": "cd" * 32}, {"sound": "beep"}]
            assert walked.steps[-1].at_ms == 2_500


def test_a_fault_of_the_flow_is_told_with_its_reason() -> None:
    cases = [{"when": "int(caller_name) > 1", "next": "end"}]
    nodes = {"begin": {"kind": "branch", "cases": cases, "else": "end"}, "end": HANGUP}
    flow = flow_of(nodes, default_treatment={"say": "Sorry.", "hangup": True})
    walked = walk(flow)
    assert told(walked, "fault", "say") == [
        ("fault", {"reason": "expression-failed"}),
        ("say", {"text": "Sorry.", "language": "en-us"}),
    ]
    assert dict(walked.steps[-1].values) == {
        "reason": "expression-failed",
        "termination": "server_error",
        "sip_status": "500",
    }


def test_consent_is_told_and_so_is_that_nothing_may_be_recorded() -> None:
    nodes = {"begin": {"kind": "consent", "prompts": ["Recorded."], "next": "end"}, "end": HANGUP}
    flow = flow_of(nodes, recording="announced")
    assert told(walk(flow), "set") == [("set", {"recording": "yes", "basis": "announced"})]
    never = joined(flow, Shelf(may_record=False))
    assert told(walk(never), "set") == [("set", {"recording": "no", "basis": "policy"})]


def test_who_keys_on_for_ever_is_stopped() -> None:
    flow = flow_of({"begin": menu(choices={"1": "begin", "2": "end"}), "end": HANGUP})
    inputs = tuple(PressKeys("1" * 32) for _ in range(64))
    walked = walk(flow, *inputs)
    assert len(walked.steps) == MAX_STEPS
    assert walked.steps[-1].values["reason"] == "too-many-steps"


def test_who_withholds_the_number_may_be_imagined_too() -> None:
    flow = flow_of({"begin": QUEUE, **BYE})
    invited = replace(INVITED, caller="")
    walked = simulate(flow, invited=invited, inputs=(), now_ms=NOW_MS, durations={})
    assert walked.waits_for is Wait.QUEUE


def test_characters_that_are_syllables_take_longer_than_letters() -> None:
    nodes = {"begin": say("你好"), "end": HANGUP}
    assert walk(flow_of(nodes, language="cmn")).steps[-1].at_ms == 500
