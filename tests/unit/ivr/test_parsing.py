"""Bad flows are refused with the node and the reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from services.ivr.core.limits import MAX_FLOW_BYTES, MAX_NODES
from services.ivr.core.parsing import parse_flow, problems_of, read_flow
from services.ivr.model.errors import BadFlow
from services.ivr.model.flow import Enqueue, Hours, Menu, Speak
from tests.unit.ivr.calls import HANGUP, definition, flow_of

DEMO = Path("services/launcher/main-menu.json")


def say(text: str = "Hello.", then: str = "end", **more: Any) -> dict[str, Any]:
    return {"kind": "say", "text": text, "next": then, **more}


def menu(**changes: Any) -> dict[str, Any]:
    return {
        "kind": "menu",
        "prompts": ["Press 1."],
        "choices": {"1": "end"},
        "on_timeout": "end",
        **changes,
    }


def gather(**changes: Any) -> dict[str, Any]:
    return {
        "kind": "gather",
        "prompts": ["Number?"],
        "into": "number",
        "next": "end",
        "on_timeout": "end",
        **changes,
    }


def enqueue(**changes: Any) -> dict[str, Any]:
    return {"kind": "enqueue", "queue": "support", **changes}


def hours(**changes: Any) -> dict[str, Any]:
    return {
        "kind": "hours",
        "time_zone": "Europe/Berlin",
        "weekly": {"mon": ["09:00-17:00"]},
        "open": "end",
        "closed": "end",
        **changes,
    }


def found(value: dict[str, Any]) -> list[tuple[str, str]]:
    return [(problem.node, problem.code) for problem in problems_of(json.dumps(value))]


def test_the_demonstration_flow_is_a_good_one() -> None:
    flow = parse_flow(DEMO.read_text())
    assert problems_of(DEMO.read_text()) == ()
    assert any(isinstance(node, Enqueue) and node.leave_key == "*" for node in flow.nodes)


@pytest.mark.parametrize(
    ("node", "code", "words"),
    [
        ({"kind": "saay"}, "unknown-kind", "did you mean `say`"),
        ({"kind": 7}, "unknown-kind", "`7`"),
        ("text", "wrong-type", "must be an object"),
        (say(nexxt="end"), "unknown-key", "did you mean `next`"),
        ({"kind": "say", "next": "end"}, "missing-key", "`text` is missing"),
        (say(""), "wrong-length", "1 to 1000"),
        (say("x" * 1_001), "wrong-length", "1 to 1000"),
        (say(7), "wrong-type", "must be a text, not a number"),  # type: ignore[arg-type] # on purpose
        (say("Hi {"), "bad-template", "character 4"),
        (say("Hi {name:upper}"), "bad-template", "`digits`"),
        (say("Hi {nobody}"), "undeclared-name", "`nobody` is not declared"),
        (say("Hi {callr}"), "undeclared-name", "did you mean `caller`"),
        (say("{queue_message}"), "undeclared-name", "only in the messages of a queue"),
        (say(then="ende"), "missing-node", "did you mean `end`"),
        (say(then="End!"), "wrong-form", "main-menu"),
        (say(language="English"), "wrong-form", "en-us"),
        (say("Hi", "begin"), "loop-without-exit", "silent caller"),
        ({"kind": "play", "prompts": [], "next": "end"}, "wrong-length", "1 to 16"),
        ({"kind": "play", "prompts": "beep", "next": "end"}, "wrong-type", "a list"),
        (
            {"kind": "play", "prompts": [{"system": "mucis"}], "next": "end"},
            "unknown-word",
            "music",
        ),
        ({"kind": "play", "prompts": [{"sha256": "00"}], "next": "end"}, "wrong-form", "64"),
        ({"kind": "play", "prompts": [{}], "next": "end"}, "wrong-prompt", "exactly one"),
        (
            {"kind": "play", "prompts": [{"system": "beep", "language": "en"}], "next": "end"},
            "wrong-prompt",
            "only a text has a language",
        ),
        ({"kind": "play", "prompts": [{"txt": "a"}], "next": "end"}, "unknown-key", "`text`"),
        (menu(choices={}), "wrong-length", "1 to 16"),
        (menu(choices={"12": "end"}), "no-such-key", "entry 12"),
        (menu(choices={"1": 2}), "wrong-type", "entry 1"),
        (menu(choices=["1"]), "wrong-type", "an object"),
        (menu(retries=11), "out-of-range", "between 0 and 10"),
        (menu(retries=True), "wrong-type", "whole number"),
        (menu(timeout_s=0.5), "out-of-range", "between 1 and 60"),
        (menu(timeout_s="5"), "wrong-type", "number of seconds"),
        (menu(barge_in="yes"), "wrong-type", "true or false"),
        (menu(on_timeout="begin"), "loop-without-exit", "`on_timeout` leads round"),
        (menu(on_invalid="begin"), "loop-without-exit", "`on_invalid` leads round"),
        (gather(into="nowhere"), "undeclared-name", "`nowhere`"),
        (gather(into="Number"), "wrong-form", "order_number"),
        (gather(min_digits=5, max_digits=4), "out-of-range", "more than"),
        (gather(max_digits=33), "out-of-range", "between 1 and 32"),
        (gather(end_key="##"), "no-such-key", "one key"),
        ({"kind": "set", "values": {"number": "1 +"}, "next": "end"}, "bad-expression", "parse"),
        (
            {"kind": "set", "values": {"number": "[1].map(x, x)"}, "next": "end"},
            "bad-expression",
            "macro `map`",
        ),
        (
            {"kind": "set", "values": {"number": "nobody + 1"}, "next": "end"},
            "bad-expression",
            "`nobody` is not declared",
        ),
        ({"kind": "set", "values": {"number": "now()"}, "next": "end"}, "bad-expression", "`now`"),
        (
            {"kind": "set", "values": {"nobody": "1"}, "next": "end"},
            "undeclared-name",
            "`nobody`",
        ),
        (
            {"kind": "branch", "cases": [{"when": "true", "next": "begin"}], "else": "end"},
            "loop-without-exit",
            "`cases.0` leads round",
        ),
        (
            {"kind": "branch", "cases": [{"when": "true"}], "else": "end"},
            "missing-key",
            "needs `when` and `next`",
        ),
        (hours(time_zone="Europe/Berlino"), "unknown-time-zone", "Berlino"),
        (hours(time_zone="../etc/passwd"), "unknown-time-zone", "no IANA"),
        (hours(weekly={"mon": ["9-17"]}), "wrong-form", "09:00-17:30"),
        (hours(weekly={"mon": ["17:00-09:00"]}), "wrong-form", "ends before it begins"),
        (hours(weekly={"monday": []}), "unknown-key", "did you mean `mon`"),
        (hours(holidays={"dates": ["2025-02-30"]}), "wrong-form", "2025-12-24"),
        (hours(holidays={"country": "XX"}), "unknown-country", "XX"),
        (hours(holidays={"subdivision": "BY"}), "unknown-country", "needs its country"),
        (hours(holidays={"country": "DE", "subdivision": "QQ"}), "unknown-country", "DE QQ"),
        (enqueue(queue="two words"), "wrong-form", "support"),
        (enqueue(priority=101), "out-of-range", "100"),
        (enqueue(leave_key="*"), "missing-key", "belong together"),
        (enqueue(message_every_s=1), "out-of-range", "between 5 and 600"),
        (enqueue(on_exit={"timout": "end"}), "unknown-word", "did you mean `timeout`"),
        (enqueue(on_exit={"timeout": "begin"}), "loop-without-exit", "`on_exit.timeout`"),
        (enqueue(messages=["{waiting}"]), "undeclared-name", "`waiting`"),
        (enqueue(attributes={"pin": "{pin}"}), "undeclared-name", "`pin`"),
        ({"kind": "transfer"}, "wrong-target", "exactly one of `to` and `queue`"),
        ({"kind": "transfer", "to": "not a number"}, "wrong-form", "sip:desk@example.com"),
        ({"kind": "transfer", "to": "{target}"}, "undeclared-name", "`target`"),
        ({"kind": "transfer", "to": "+4930", "caller_id": "12"}, "wrong-form", "+49"),
        ({"kind": "hangup", "reason": "Not Kebab"}, "wrong-form", "closed-today"),
        ({"kind": "hangup", "sip_status": 200}, "out-of-range", "between 400 and 699"),
    ],
)
def test_a_bad_node_is_refused_with_its_name_and_the_reason(
    node: Any, code: str, words: str
) -> None:
    nodes = {"begin": node, "end": HANGUP}
    problems = problems_of(json.dumps(definition(nodes, variables={"number": ""})))
    told = [
        problem.message for problem in problems if (problem.node, problem.code) == ("begin", code)
    ]
    assert any(words in message for message in told), problems


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"schema": 2}, "out-of-range", "`schema`"),
        ({"name": ""}, "wrong-length", "`name`"),
        ({"start": "bgin"}, "missing-node", "did you mean `begin`"),
        ({"nodez": {}}, "unknown-key", "did you mean `nodes`"),
        ({"nodes": []}, "wrong-type", "`nodes`"),
        ({"variables": {"caller": ""}}, "reserved-name", "`caller`"),
        ({"variables": {"a": None}}, "wrong-type", "nothing"),
        ({"variables": {"a": [1]}}, "wrong-type", "a list"),
        ({"variables": {"a": 1 << 63}}, "out-of-range", "64 bits"),
        ({"variables": {f"v{n}": "" for n in range(33)}}, "wrong-length", "0 to 32"),
        ({"variables": {f"v{n}": "x" * 999 for n in range(5)}}, "too-large", "4 KiB"),
        ({"default_treatment": {"say": "Sorry."}}, "wrong-treatment", "exactly one"),
        ({"default_treatment": {"hangup": False}}, "wrong-treatment", "must be true"),
        ({"default_treatment": {"transfer": "{x}"}}, "wrong-form", "variables"),
        ({"default_treatment": {"enqueue": ""}}, "wrong-length", "`enqueue`"),
        ({"default_treatment": {"enqueue": "a", "hangup": True}}, "wrong-treatment", "exactly"),
        ({"default_treatment": {"sya": "Sorry.", "hangup": True}}, "unknown-key", "`say`"),
        ({"default_treatment": None}, "wrong-type", "nothing"),
    ],
)
def test_a_bad_flow_is_refused_with_the_reason(
    change: dict[str, Any], code: str, words: str
) -> None:
    value = definition({"begin": HANGUP}) | change
    problems = problems_of(json.dumps(value))
    assert any(problem.code == code and words in problem.message for problem in problems), problems


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "not-json"),
        ("[]", "wrong-type"),
        ('{"a": 1, "a": 2}', "duplicate-key"),
        ('{"a": NaN}', "not-json"),
        ("[" * 5_000 + "]" * 5_000, "not-json"),
        ('{"\\ud800": 1}', "not-json"),
        ("1" * 5_000, "not-json"),
        (" " * (MAX_FLOW_BYTES + 1), "too-large"),
    ],
)
def test_what_is_no_flow_at_all_is_refused(text: str, code: str) -> None:
    assert code in {problem.code for problem in problems_of(text)}


def test_a_flow_of_too_many_nodes_is_refused() -> None:
    nodes = {f"n{number}": HANGUP for number in range(MAX_NODES + 1)}
    assert ("", "too-many-nodes") in found(definition(nodes, start="n0"))


def test_at_most_a_hundred_problems_are_told() -> None:
    nodes = {f"n{number}": {"kind": "say"} for number in range(MAX_NODES)}
    assert len(problems_of(json.dumps(definition(nodes)))) == 100


def test_a_node_cannot_take_the_default_treatments_name() -> None:
    nodes = {"begin": say(then="default_treatment"), "default_treatment": HANGUP}
    assert ("default_treatment", "reserved-name") in found(definition(nodes))


def test_a_stored_flow_is_read_whatever_later_rules_say_of_it() -> None:
    value = definition({"begin": HANGUP, "island": HANGUP})
    assert read_flow(json.dumps(value)).node("island") is not None
    with pytest.raises(BadFlow):
        read_flow("{}")


def test_an_unreachable_node_is_refused() -> None:
    value = definition({"begin": HANGUP, "island": say(then="begin")})
    assert found(value) == [("island", "unreachable-node")]


def test_a_loop_in_which_only_the_caller_goes_round_is_allowed_with_an_exit() -> None:
    flow = flow_of({"begin": menu(choices={"9": "begin", "1": "end"}), "end": HANGUP})
    assert isinstance(flow.node("begin"), Menu)


def test_a_loop_that_the_caller_cannot_leave_is_refused() -> None:
    value = definition(
        {
            "begin": menu(choices={"9": "begin"}, on_timeout="other"),
            "other": menu(choices={"9": "begin"}, on_timeout="begin"),
        }
    )
    codes = found(value)
    assert ("begin", "loop-without-exit") in codes
    assert ("other", "loop-without-exit") in codes


def test_a_node_before_a_loop_is_not_blamed_for_it() -> None:
    value = definition(
        {
            "begin": say(then="one"),
            "one": say(then="two"),
            "two": say(then="one"),
        }
    )
    problems = [p for p in problems_of(json.dumps(value)) if "silent" in p.message]
    assert [problem.node for problem in problems] == ["one", "two"]


def test_digits_that_are_not_safe_do_not_reach_records_even_by_detours() -> None:
    nodes = {
        "begin": gather(next="copy"),
        "copy": {"kind": "set", "values": {"other": "number + '!'"}, "next": "queue"},
        "queue": enqueue(attributes={"card": "{other}"}),
        "end": HANGUP,
    }
    value = definition(nodes, variables={"number": "", "other": ""})
    assert found(value) == [("queue", "secret-in-record")]
    nodes["begin"] = gather(next="copy", safe=True)
    assert found(value) == []


def test_a_language_without_phrases_needs_messages_of_its_own() -> None:
    nodes = {"begin": enqueue(messages=["{queue_message}"])}
    assert found(definition(nodes, language="de")) == [("begin", "no-phrases")]
    # The messages that nobody wrote are only not said.
    assert found(definition({"begin": enqueue()}, language="de")) == []


def test_bad_texts_are_told_once_and_not_again_as_secrets() -> None:
    nodes = {"begin": enqueue(attributes={"a": "{"})}
    assert found(definition(nodes)) == [("begin", "bad-template")]


def test_bad_flow_names_what_is_wrong() -> None:
    with pytest.raises(BadFlow, match=r"node begin: .*did you mean `say`.*\(unknown-kind\)"):
        flow_of({"begin": {"kind": "sy"}})


def test_defaults_are_those_of_the_documentation() -> None:
    flow = flow_of({"begin": menu(), "end": HANGUP})
    node = flow.node("begin")
    assert isinstance(node, Menu)
    assert (node.timeout_ms, node.retries, node.barge_in, node.on_invalid) == (
        5_000,
        2,
        True,
        "end",
    )


def test_a_transfer_to_a_queue_is_a_queue() -> None:
    flow = flow_of(
        {"begin": {"kind": "transfer", "queue": "sales", "on_failed": "end"}, "end": HANGUP}
    )
    node = flow.node("begin")
    assert isinstance(node, Enqueue)
    assert node.queue_id == "sales"
    assert dict(node.on_exit)["timeout"] == "end"


def test_a_message_may_have_several_prompts() -> None:
    flow = flow_of({"begin": enqueue(messages=[["Hello.", {"system": "beep"}]])})
    node = flow.node("begin")
    assert isinstance(node, Enqueue)
    assert [len(message) for message in node.messages] == [2]


def test_a_day_off_is_closed_unless_it_leads_elsewhere() -> None:
    node = flow_of({"begin": hours(), "end": HANGUP}).node("begin")
    assert isinstance(node, Hours)
    assert node.holiday == "end"


@pytest.mark.parametrize(
    ("treatment", "kind"),
    [
        ({"enqueue": "a"}, "Enqueue"),
        ({"transfer": "+4930"}, "Transfer"),
        ({"hangup": True}, "Hangup"),
    ],
)
def test_every_default_treatment_becomes_nodes(treatment: dict[str, Any], kind: str) -> None:
    flow = flow_of({"begin": HANGUP}, default_treatment=treatment)
    assert isinstance(flow.node("default_treatment"), Speak)
    assert type(flow.node("default_treatment_then")).__name__ == kind
