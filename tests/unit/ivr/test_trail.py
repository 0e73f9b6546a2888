"""Why a caller is here: which questions they went through, and what they keyed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from services.ivr.core.limits import (
    MAX_CONTACT_ATTRIBUTES,
    MAX_CONTACT_BYTES,
    MAX_KEYED_BYTES,
    MAX_PATH_BYTES,
)
from services.ivr.model.actions import JoinQueue
from services.ivr.model.call import CustomerFound
from tests.unit.ivr.calls import INVITED, Talk, flow_of

QUEUE: dict[str, Any] = {"kind": "enqueue", "queue": "support"}


def gather(into: str, then: str, **more: Any) -> dict[str, Any]:
    return {
        "kind": "gather",
        "prompts": ["?"],
        "into": into,
        "next": then,
        "on_timeout": then,
        "retries": 0,
        **more,
    }


def menu(then: str, **more: Any) -> dict[str, Any]:
    return {
        "kind": "menu",
        "prompts": ["?"],
        "choices": {"1": then},
        "retries": 0,
        "on_timeout": then,
        **more,
    }


def told(talk: Talk) -> dict[str, str]:
    (request,) = [effect for effect in talk.effects if isinstance(effect, JoinQueue)]
    return dict(request.attributes)


def test_the_agent_sees_the_way_and_only_what_may_be_seen() -> None:
    flow = flow_of(
        {
            "begin": menu("order"),
            "order": gather("number", "pin", safe=True),
            "pin": gather("pin", "may"),
            "may": {"kind": "consent", "mode": "ask", "prompts": ["May we?"], "next": "queue"},
            "queue": QUEUE,
        },
        variables={"number": "", "pin": ""},
        recording="announced",
    )
    talk = Talk(flow)
    talk.key("1")
    talk.key("4711")
    talk.key("9876")
    talk.key("1")
    attributes = told(talk)
    assert attributes["menu_path"] == "begin: 1 > order: gather > pin: gather > may: agreed"
    assert attributes["keyed"] == "order: 4711, pin: •••"
    assert "9876" not in str(attributes)


def test_a_question_without_an_answer_is_one_that_was_asked() -> None:
    flow = flow_of(
        {
            "begin": menu("second"),
            "second": menu("may"),
            "may": {"kind": "consent", "mode": "ask", "prompts": ["May we?"], "next": "queue"},
            "queue": QUEUE,
        },
        recording="announced",
    )
    talk = Talk(flow)
    talk.time_out()
    talk.key("9")
    talk.key("2")
    assert told(talk)["menu_path"] == "begin: silence > second: wrong > may: refused"
    assert "keyed" not in told(talk)


def test_of_a_long_way_the_end_is_kept() -> None:
    names = [f"a-question-with-a-rather-long-name-{number}" for number in range(20)]
    nodes: dict[str, Any] = {
        name: gather(f"v{number % 2}", then, safe=True)
        for number, (name, then) in enumerate(zip(names, [*names[1:], "queue"], strict=True))
    }
    talk = Talk(flow_of({**nodes, "queue": QUEUE}, start=names[0], variables={"v0": "", "v1": ""}))
    for _ in names:
        talk.key("12345")
    attributes = told(talk)
    assert attributes["menu_path"].startswith("… > a-question")
    assert attributes["menu_path"].endswith(f"{names[-1]}: gather")
    assert attributes["keyed"].endswith(f"{names[-1]}: 12345")
    assert len(attributes["menu_path"].encode()) <= MAX_PATH_BYTES
    assert len(attributes["keyed"].encode()) <= MAX_KEYED_BYTES


def test_what_the_flow_says_has_precedence_over_the_way() -> None:
    own = {**QUEUE, "attributes": {"menu_path": "mine"}}
    talk = Talk(flow_of({"begin": menu("queue"), "queue": own}))
    talk.key("1")
    assert told(talk)["menu_path"] == "mine"


def test_without_room_the_way_is_left_out() -> None:
    many = {f"a{number}": "x" for number in range(26)}
    # The customer is unknown: of who calls whom there are two facts, and the caller a third.
    talk = Talk(flow_of({"begin": menu("queue"), "queue": {**QUEUE, "attributes": many}}))
    talk.key("1")
    assert len(told(talk)) + 1 <= MAX_CONTACT_ATTRIBUTES
    assert told(talk)["menu_path"] == "begin: 1"


def test_where_little_room_is_the_way_is_cut_and_the_keys_are_left_out() -> None:
    node = {**QUEUE, "attributes": dict.fromkeys("abcd", "{big}")}
    first, second = "p" * 64, "q" * 64
    nodes = {first: gather("keys", second, safe=True), second: gather("keys", "queue")}
    flow = flow_of(
        {**nodes, "queue": node}, start=first, variables={"big": "x" * 1_000, "keys": ""}
    )
    invited = replace(INVITED, caller="+" + "1" * 500, called="+" + "2" * 500)
    customer = CustomerFound("c" * 200, "n" * 200, "s" * 200, "en")
    talk = Talk(flow, invited=invited, customer=customer)
    talk.key("12345")
    talk.key("1")
    attributes = told(talk)
    size = sum(len(f"{name}{text}".encode()) for name, text in attributes.items())
    assert size + len("caller") + 256 == MAX_CONTACT_BYTES
    assert attributes["menu_path"].startswith(f"{first}: gather > q")
    assert "keyed" not in attributes
