"""Whether a call may be recorded: by policy, because the caller was told, or was asked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from services.ivr.core.parsing import problems_of
from services.ivr.core.resuming import resume
from services.ivr.model.actions import AnswerCall, GatherDigits, PlayPrompts, SetConsent
from services.ivr.model.call import LegRole, LegView, OperationResult
from tests.unit.ivr.calls import HANGUP, Talk, definition, flow_of

TOLD = {"kind": "consent", "prompts": ["This call is recorded."], "next": "end"}
ASKED = {
    "kind": "consent",
    "mode": "ask",
    "prompts": ["May we record? 1 is yes, 2 is no."],
    "invalid_prompts": ["Pardon?"],
    "retries": 1,
    "next": "thanks",
    "on_refused": "end",
}
THANKS = {"kind": "say", "text": "Thank you.", "next": "end"}


def consents(talk: Talk) -> list[SetConsent]:
    return [command for command in talk.commands if isinstance(command, SetConsent)]


def told() -> Talk:
    return Talk(flow_of({"begin": TOLD, "end": HANGUP}, recording="announced"))


def asked(**more: Any) -> Talk:
    nodes = {"begin": {**ASKED, **more}, "thanks": THANKS, "end": HANGUP}
    return Talk(flow_of(nodes, recording="announced"))


def test_a_flow_records_nothing_unless_it_says_so() -> None:
    assert consents(Talk(flow_of({"begin": HANGUP}))) == []


def test_by_policy_consent_is_given_before_anything_is_heard() -> None:
    talk = Talk(flow_of({"begin": HANGUP}, recording="policy"))
    assert talk.commands[0] == SetConsent(granted=True, basis="policy")


def test_who_was_told_and_stayed_has_consented() -> None:
    talk = told()
    assert [type(command) for command in talk.new] == [AnswerCall, PlayPrompts]
    assert consents(talk) == []
    talk.end()
    assert talk.new[0] == SetConsent(granted=True, basis="announced")
    assert ("consent", {"granted": "yes", "basis": "announced"}) in talk.notes()


@pytest.mark.parametrize("result", [OperationResult.STOPPED, OperationResult.FAILED])
def test_who_was_not_told_has_not_consented(result: OperationResult) -> None:
    talk = told()
    talk.end(result=result)
    assert consents(talk) == []


def test_nothing_said_is_nothing_consented_to() -> None:
    silent = {**TOLD, "prompts": ["{wish}"]}
    nodes = {"begin": silent, "end": HANGUP}
    talk = Talk(flow_of(nodes, recording="announced", variables={"wish": ""}))
    assert consents(talk) == []
    assert talk.at.ended_reason == "flow-ended"


def test_a_key_agrees() -> None:
    talk = asked()
    assert isinstance(talk.new[-1], GatherDigits)
    talk.key("1")
    assert talk.new[0] == SetConsent(granted=True, basis="agreed")
    assert talk.heard() == ["Thank you."]


def test_a_key_refuses() -> None:
    talk = asked(accept_key="*", refuse_key="#")
    talk.key("#")
    assert talk.new[0] == SetConsent(granted=False, basis="refused")
    assert talk.at.ended_reason == "flow-ended"


def test_silence_and_wrong_keys_are_asked_again_and_refuse_in_the_end() -> None:
    talk = asked()
    talk.key("7")
    assert talk.heard() == ["Pardon?", "May we record? 1 is yes, 2 is no."]
    assert consents(talk) == []
    talk.time_out()
    assert consents(talk) == [SetConsent(granted=False, basis="refused")]


def test_without_another_way_refusal_goes_on_the_same_way() -> None:
    talk = asked(on_refused="")
    talk.key("2")
    assert talk.heard() == ["Thank you."]


def test_a_question_that_cannot_be_heard_is_a_failure_of_the_flow() -> None:
    talk = asked()
    talk.end(result=OperationResult.FAILED)
    assert talk.at.treated == "prompt-failed"
    assert consents(talk) == []


@pytest.mark.parametrize("talk", [told(), asked()])
def test_another_replica_says_it_again(talk: Talk) -> None:
    again = resume(
        talk.flow,
        talk.at,
        legs=(LegView("l1", LegRole.CALLER, "", "answered"),),
        events=(),
        operation="",
        now_ms=talk.now_ms,
    )
    (command,) = again.commands
    assert isinstance(command, (PlayPrompts, GatherDigits))
    assert command.prompts == talk.new[-1].prompts


@pytest.mark.parametrize(
    ("node", "more", "code"),
    [
        (TOLD, {}, "nothing-recorded"),
        (TOLD, {"recording": "sometimes"}, "unknown-word"),
        ({"kind": "say", "text": "Hi.", "next": "end"}, {"recording": "announced"}, "no-consent"),
        ({**TOLD, "accept_key": "1"}, {"recording": "announced"}, "wrong-consent"),
        ({**TOLD, "mode": "ask", "refuse_key": "1"}, {"recording": "policy"}, "wrong-consent"),
        (
            {**TOLD, "mode": "ask", "next": "end", "on_refused": "begin"},
            {"recording": "announced"},
            "loop-without-exit",
        ),
    ],
)
def test_a_flow_that_says_one_thing_and_does_another_is_refused(
    node: dict[str, Any], more: dict[str, Any], code: str
) -> None:
    text = json.dumps(definition({"begin": node, "end": HANGUP}, **more))
    assert code in [problem.code for problem in problems_of(text)]
