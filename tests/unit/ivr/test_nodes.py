"""Every node kind: what the caller hears, and where it goes on."""

from __future__ import annotations

from typing import Any

import pytest

from services.ivr.core.limits import MAX_NODES_PER_CALL
from services.ivr.model.actions import (
    AnswerCall,
    BridgeLegs,
    DialNumber,
    GatherDigits,
    HangUpCall,
    PlayPrompts,
    StopRinging,
    TerminationClass,
)
from services.ivr.model.call import (
    Bridged,
    BridgeFailed,
    CallInvited,
    LegAnswered,
    LegEnded,
    LegFailed,
    LegRinging,
    LegRole,
    OperationResult,
    ReservationReleased,
    RingOutcome,
    TimePassed,
)
from services.ivr.model.checkpoint import Stage
from tests.unit.ivr.calls import CALL_ID, HANGUP, Talk, flow_of

SUCCESS = TerminationClass.SUCCESS
SERVER_ERROR = TerminationClass.SERVER_ERROR


def call(nodes: dict[str, Any], **more: Any) -> Talk:
    return Talk(flow_of({**nodes, "end": HANGUP}, **more))


MENU = {
    "kind": "menu",
    "prompts": ["Press 1 or 2."],
    "choices": {"1": "end", "2": "end"},
    "invalid_prompts": ["Wrong key."],
    "retries": 1,
    "on_timeout": "silent",
    "on_invalid": "wrong",
}
SILENT = {"kind": "hangup", "reason": "silent"}
WRONG = {"kind": "hangup", "reason": "wrong"}


def menu(**changes: Any) -> Talk:
    return call({"begin": {**MENU, **changes}, "silent": SILENT, "wrong": WRONG})


def gather(**changes: Any) -> Talk:
    node = {
        "kind": "gather",
        "prompts": ["Your number?"],
        "into": "number",
        "min_digits": 3,
        "max_digits": 6,
        "next_digit_timeout_s": 2,
        "retries": 1,
        "invalid_prompts": ["Too short."],
        "next": "say",
        "on_timeout": "silent",
        "on_invalid": "wrong",
        **changes,
    }
    nodes = {
        "begin": node,
        "say": {"kind": "say", "text": "{number:digits} {digits}", "next": "end"},
        "silent": SILENT,
        "wrong": WRONG,
    }
    return call(nodes, variables={"number": ""})


def test_answer_and_say_and_hang_up() -> None:
    talk = call(
        {
            "begin": {"kind": "answer", "next": "say"},
            "say": {"kind": "say", "text": "Hello {caller:digits}.", "next": "end"},
        }
    )
    assert talk.new[0] == AnswerCall()
    assert talk.heard() == ["Hello + 4 9 3 0 1 1 1."]
    talk.end()
    assert talk.new == [HangUpCall(SUCCESS, "flow-ended")]
    assert talk.at.stage is Stage.ENDED
    assert [kind for kind, _ in talk.notes()] == ["node-entered"] * 3


def test_a_call_that_is_not_answered_ends_with_the_flows_status() -> None:
    talk = Talk(flow_of({"begin": {**HANGUP, "reason": "closed", "sip_status": 480}}))
    assert talk.new == [HangUpCall(SUCCESS, "closed", 480)]


def test_a_play_of_early_media_does_not_answer() -> None:
    talk = call(
        {
            "begin": {
                "kind": "play",
                "prompts": ["Hello.", {"system": "beep"}, {"sha256": "0" * 64}],
                "next": "end",
            }
        }
    )
    assert [type(command) for command in talk.new] == [PlayPrompts]
    assert talk.heard() == ["Hello.", "beep", "0" * 64]


def test_a_text_keeps_its_own_language() -> None:
    talk = call({"begin": {"kind": "say", "text": "Hallo.", "language": "de", "next": "end"}})
    assert talk.new[0].prompts[0].language == "de"


def test_what_says_nothing_is_passed_over() -> None:
    talk = call({"begin": {"kind": "say", "text": "{diversion}", "next": "end"}})
    assert talk.new == [HangUpCall(SUCCESS, "flow-ended", 0)]


def test_a_menu_answers_asks_and_follows_the_key() -> None:
    talk = menu()
    question = talk.new[1]
    assert talk.new[0] == AnswerCall()
    assert isinstance(question, GatherDigits)
    assert (question.max_digits, question.first_digit_timeout_ms) == (1, 5_000)
    talk.key("2")
    assert talk.new == [HangUpCall(SUCCESS, "flow-ended")]
    assert ("digits", {"node": "begin", "digits": "2"}) in talk.notes()
    assert talk.at.digits == "2"


def test_a_menu_asks_again_after_silence_and_then_gives_up() -> None:
    talk = menu()
    talk.time_out()
    assert talk.heard() == ["Press 1 or 2."]
    talk.time_out()
    assert talk.new == [HangUpCall(SUCCESS, "silent")]


def test_a_menu_corrects_a_wrong_key_and_then_gives_up() -> None:
    talk = menu()
    talk.key("7")
    assert talk.heard() == ["Wrong key.", "Press 1 or 2."]
    talk.key("7")
    assert talk.new == [HangUpCall(SUCCESS, "wrong")]
    assert ("digits", {"node": "begin", "digits": "*"}) in talk.notes()


def test_a_repeated_menu_begins_its_attempts_anew() -> None:
    talk = menu(choices={"9": "begin", "1": "end"})
    talk.time_out()
    talk.key("9")
    talk.time_out()
    assert talk.heard() == ["Press 1 or 2."]


def test_a_question_that_says_nothing_is_a_beep() -> None:
    talk = menu(prompts=["{diversion}"])
    assert talk.heard() == ["beep"]


def test_a_stopped_question_is_asked_again() -> None:
    talk = menu()
    talk.end(result=OperationResult.STOPPED)
    assert talk.heard() == ["Press 1 or 2."]


def test_gathered_digits_are_used_and_masked() -> None:
    talk = gather()
    question = talk.new[1]
    assert (question.max_digits, question.next_digit_timeout_ms, question.end_key) == (
        6,
        2_000,
        "#",
    )
    talk.key("0195")
    assert talk.heard() == ["0 1 9 5"]
    assert ("digits", {"node": "begin", "digits": "****"}) in talk.notes()
    assert "0195" not in str(talk.notes())


def test_safe_digits_stand_in_the_record() -> None:
    talk = gather(safe=True)
    talk.key("0195")
    assert talk.heard() == ["0 1 9 5 0195"]
    assert ("digits", {"node": "begin", "digits": "0195"}) in talk.notes()


def test_too_few_digits_are_corrected_and_then_given_up() -> None:
    talk = gather()
    talk.end("12", OperationResult.TIMEOUT)
    assert talk.heard() == ["Too short.", "Your number?"]
    talk.key("1")
    assert talk.new == [HangUpCall(SUCCESS, "wrong")]


def test_gathering_in_silence_gives_up() -> None:
    talk = gather(retries=0)
    talk.time_out()
    assert talk.new == [HangUpCall(SUCCESS, "silent")]


def test_a_gather_asked_for_a_key_that_ends_nothing_gets_none() -> None:
    assert gather(end_key="").new[1].end_key == ""


def test_variables_too_large_are_a_failure_with_a_treatment() -> None:
    nodes = {
        "begin": {"kind": "set", "values": {"a": "a + a"}, "next": "more"},
        "more": {"kind": "set", "values": {"a": "a + a + a"}, "next": "end"},
    }
    talk = call(nodes, variables={"a": "x" * 900})
    assert talk.heard() == ["We have a problem."]
    assert talk.at.treated == "expression-failed"


def test_digits_too_many_for_the_variables_are_a_failure() -> None:
    pad = {f"v{number}": "x" * 990 for number in range(4)}
    node = {
        "kind": "gather",
        "prompts": ["?"],
        "into": "number",
        "next": "end",
        "on_timeout": "end",
    }
    talk = call({"begin": node}, variables={"number": "", "w": "x" * 80, **pad})
    talk.key("1" * 32)
    assert talk.at.treated == "variables-too-large"


def test_set_and_branch_see_the_call_and_its_headers() -> None:
    nodes = {
        "begin": {"kind": "set", "values": {"vip": "headers['x-customer'] == 'gold'"}, "next": "b"},
        "b": {
            "kind": "branch",
            "cases": [
                {"when": "called != '+4930222'", "next": "other"},
                {"when": "vip && caller.startsWith('+49')", "next": "end"},
            ],
            "else": "other",
        },
        "other": {"kind": "hangup", "reason": "other"},
    }
    assert call(nodes, variables={"vip": False}).new[-1].reason == "flow-ended"
    plain = Talk(
        flow_of({**nodes, "end": HANGUP}, variables={"vip": False}),
        invited=CallInvited(CALL_ID, "+41", "+4930222", headers=(("x-customer", "blue"),)),
    )
    assert plain.new[-1].reason == "other"


@pytest.mark.parametrize("when", ["1 + 1", "headers['missing'] == 'x'", "1 / 0 == 1"])
def test_a_condition_that_fails_is_a_failure_of_the_flow(when: str) -> None:
    talk = call(
        {"begin": {"kind": "branch", "cases": [{"when": when, "next": "end"}], "else": "end"}}
    )
    assert talk.at.treated == "expression-failed"
    assert talk.heard() == ["We have a problem."]


@pytest.mark.parametrize(
    ("now_ms", "reason"),
    [
        (1_748_854_800_000, "open"),  # Monday 2 June 2025, 11:00 in Berlin
        (1_748_800_000_000, "closed"),
        (1_749_459_600_000, "holiday"),  # Whit Monday
    ],
)
def test_hours_lead_three_ways(now_ms: int, reason: str) -> None:
    nodes = {
        "begin": {
            "kind": "hours",
            "time_zone": "Europe/Berlin",
            "weekly": {"mon": ["09:00-17:00"]},
            "holidays": {"country": "DE"},
            "open": "open",
            "closed": "closed",
            "holiday": "holiday",
        },
        **{name: {"kind": "hangup", "reason": name} for name in ("open", "closed", "holiday")},
    }
    assert Talk(flow_of(nodes), now_ms=now_ms).new[-1].reason == reason


def dialled(on_failed: str = "nobody") -> Talk:
    nodes = {
        "begin": {
            "kind": "transfer",
            "to": "+4930{called:digits}",
            "caller_id": "+49309",
            "timeout_s": 20,
            **({"on_failed": on_failed} if on_failed else {}),
        },
        **({"nobody": {"kind": "hangup", "reason": "nobody"}} if on_failed else {}),
    }
    return Talk(flow_of(nodes))


def test_a_transfer_dials_over_ringback_and_bridges() -> None:
    talk = dialled()
    assert talk.heard() == ["ringback"]
    dial = talk.new[1]
    assert isinstance(dial, DialNumber)
    assert (dial.ring_id, dial.timeout_ms, dial.caller_id) == ("d1", 20_000, "+49309")
    talk.feed(LegRinging("d1", "l2"))
    assert talk.new == []
    talk.feed(LegAnswered("d1", "l2"))
    assert talk.new == [AnswerCall(), BridgeLegs("d1")]
    talk.feed(Bridged("d1"))
    assert talk.at.stage is Stage.TALKING
    assert talk.effects == []
    talk.feed(LegEnded("l2", LegRole.EXTERNAL, "d1"))
    assert talk.new == [HangUpCall(SUCCESS, "far-end-left")]


@pytest.mark.parametrize(
    "event",
    [
        LegFailed("d1", RingOutcome.BUSY, 486),
        LegEnded("l2", LegRole.EXTERNAL, "d1"),
    ],
)
def test_a_transfer_that_fails_leads_on(event: Any) -> None:
    talk = dialled()
    talk.feed(event)
    assert talk.new == [HangUpCall(SUCCESS, "nobody")]


def test_a_transfer_that_fails_without_a_way_on_is_treated() -> None:
    talk = dialled(on_failed="")
    talk.feed(LegFailed("d1", RingOutcome.NO_ANSWER))
    assert talk.at.treated == "transfer-failed"
    assert talk.heard() == ["We have a problem."]


def test_a_transfer_that_cannot_be_bridged_leads_on() -> None:
    talk = dialled()
    talk.feed(LegAnswered("d1", "l2"))
    talk.feed(BridgeFailed("d1", "no-common-codec"))
    assert talk.new == [StopRinging("d1", "bridge-failed"), HangUpCall(SUCCESS, "nobody")]


def test_a_number_outside_is_no_reservation_whatever_it_is_called() -> None:
    talk = dialled()
    talk.feed(LegAnswered("d1", "l2"))
    assert talk.feed(ReservationReleased("d1", "busy")).ignored == "stale-ring"


def test_a_dial_of_which_nothing_is_heard_is_given_up() -> None:
    talk = dialled()
    assert talk.feed(TimePassed(), 29_999).ignored == "not-due"
    talk.feed(TimePassed(), 1)
    assert talk.new == [StopRinging("d1", "no-answer"), HangUpCall(SUCCESS, "nobody")]


def test_ringback_that_ends_is_begun_again_and_not_for_ever() -> None:
    talk = dialled(on_failed="")
    talk.end()
    assert talk.heard() == ["ringback"]
    for _ in range(5):
        talk.end(result=OperationResult.FAILED)
        assert talk.heard() == ["ringback"]
    talk.end(result=OperationResult.FAILED)
    assert talk.at.treated == "ringback-failed"
    assert talk.new[0] == StopRinging("d1", "ringback-failed")


@pytest.mark.parametrize("node", [{"kind": "say", "text": "Hello.", "next": "end"}, MENU])
def test_a_prompt_that_fails_leads_to_the_treatment(node: dict[str, Any]) -> None:
    nodes = {"begin": node}
    if node is MENU:
        nodes |= {"silent": SILENT, "wrong": WRONG}
    talk = call(nodes)
    talk.end(result=OperationResult.FAILED)
    assert talk.heard() == ["We have a problem."]
    assert ("flow-failed", {"node": "begin", "reason": "prompt-failed"}) in talk.notes()


def chain(length: int) -> dict[str, Any]:
    nodes: dict[str, Any] = {
        f"n{number}": {"kind": "set", "values": {"a": "1"}, "next": f"n{number + 1}"}
        for number in range(length - 1)
    }
    return {**nodes, f"n{length - 1}": HANGUP}


def test_a_hundred_nodes_without_waiting_are_allowed() -> None:
    talk = Talk(flow_of(chain(100), start="n0", variables={"a": 0}))
    assert talk.new == [HangUpCall(SUCCESS, "flow-ended")]


def test_a_longer_way_without_waiting_is_cut_and_treated() -> None:
    talk = Talk(flow_of(chain(101), start="n0", variables={"a": 0}))
    assert talk.at.treated == "too-many-steps"
    assert talk.heard() == ["We have a problem."]


def test_a_long_way_into_a_treatment_without_words_still_ends() -> None:
    flow = flow_of(chain(101), start="n0", variables={"a": 0}, default_treatment={"hangup": True})
    assert Talk(flow).new == [HangUpCall(SERVER_ERROR, "too-many-steps", 500)]


def test_a_caller_who_keys_on_for_ever_is_treated_in_the_end() -> None:
    talk = menu(choices={"9": "begin", "1": "end"})
    for _ in range(MAX_NODES_PER_CALL - 1):
        talk.key("9")
    assert talk.at.treated == ""
    talk.key("9")
    assert talk.at.treated == "too-many-nodes"


def test_what_strangers_send_is_cut_and_cleaned() -> None:
    invited = CallInvited(
        "c" * 999,
        "+49\x00\n1",
        "+492",
        caller_name="位" * 300,
        headers=tuple((f"X-{number}", "v" * 100) for number in range(40)),
    )
    talk = Talk(
        flow_of({"begin": {"kind": "say", "text": "Hi.", "next": "e"}, "e": HANGUP}),
        invited=invited,
    )
    facts = talk.at.call
    assert facts.caller == "+491"
    assert len(facts.caller_name.encode()) <= 256
    assert len(facts.headers) == 9
    assert facts.headers[0][0] == "x-0"
