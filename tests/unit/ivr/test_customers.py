"""Who calls: asked at once, waited for only where it matters, and never for long."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from services.ivr.core.codec import encode
from services.ivr.core.interpreter import deadline_ms
from services.ivr.core.limits import LOOK_UP_LIMIT_MS, MAX_CHECKPOINT_BYTES
from services.ivr.core.parsing import problems_of
from services.ivr.core.resuming import resume
from services.ivr.model.actions import JoinQueue, LookUpCustomer
from services.ivr.model.call import (
    CustomerFound,
    CustomerUnknown,
    LegEnded,
    LegRole,
    LegView,
    TimePassed,
)
from services.ivr.model.checkpoint import Stage
from tests.unit.ivr.calls import HANGUP, INVITED, Talk, definition, flow_of

ANNA = CustomerFound("c1", "Anna Müller", "vip", "de")
QUEUE = {"kind": "enqueue", "queue": "support"}
SAY = {"kind": "say", "text": "Hello {customer.name}.", "next": "end"}
BRANCH = {
    "kind": "branch",
    "cases": [{"when": "customer.known && customer.segment == 'vip'", "next": "vip"}],
    "else": "plain",
}
GREETING = {"kind": "say", "text": "Welcome.", "next": "queue"}


def talk_of(nodes: dict[str, Any], **more: Any) -> Talk:
    ends = {"end": HANGUP} if '"end"' in json.dumps(nodes) else {}
    return Talk(flow_of({**nodes, **ends}), customer=None, **more)


def branching() -> Talk:
    vip = {"kind": "say", "text": "Dear {customer.name}.", "next": "end"}
    plain = {"kind": "say", "text": "Hello.", "next": "end"}
    return talk_of({"begin": BRANCH, "vip": vip, "plain": plain})


def joined(talk: Talk) -> JoinQueue:
    (join,) = [effect for effect in talk.effects if isinstance(effect, JoinQueue)]
    return join


def test_the_look_up_begins_with_the_call_whatever_the_flow_does() -> None:
    talk = Talk(flow_of({"begin": HANGUP}), customer=None)
    assert talk.last.effects == (LookUpCustomer("+4930111", "+4930222"),)


def test_a_withheld_number_is_nobodys_and_waits_for_nothing() -> None:
    talk = Talk(flow_of({"begin": QUEUE}), invited=replace(INVITED, caller=""), customer=None)
    assert talk.at.stage is Stage.JOINING
    assert dict(joined(talk).attributes) == {"to": "+4930222"}


def test_a_node_that_does_not_need_the_customer_does_not_wait() -> None:
    talk = talk_of({"begin": {"kind": "say", "text": "Welcome.", "next": "end"}})
    assert talk.at.stage is Stage.IN_NODE
    assert talk.heard() == ["Welcome."]


def test_conditions_and_texts_wait_until_the_customer_is_known() -> None:
    talk = branching()
    assert talk.at.stage is Stage.LOOKING_UP
    assert deadline_ms(talk.at) == talk.now_ms + LOOK_UP_LIMIT_MS
    talk.feed(ANNA, 20)
    assert talk.heard() == ["Dear Anna Müller."]


@pytest.mark.parametrize("answer", [CustomerUnknown(), TimePassed()])
def test_who_is_not_found_in_time_is_unknown(answer: Any) -> None:
    talk = branching()
    assert talk.feed(TimePassed(), LOOK_UP_LIMIT_MS - 1).ignored == "not-due"
    talk.feed(answer, 1)
    assert talk.heard() == ["Hello."]
    assert talk.feed(ANNA).ignored == "not-asked"


def test_texts_have_an_empty_name_for_nobody() -> None:
    talk = talk_of({"begin": SAY})
    talk.feed(CustomerUnknown())
    assert talk.heard() == ["Hello ."]


def test_the_agent_is_told_who_it_is_by_attributes_of_the_queue() -> None:
    talk = talk_of({"begin": GREETING, "queue": QUEUE})
    assert talk.feed(ANNA).ignored == ""
    assert talk.new == []
    talk.end()
    assert dict(joined(talk).attributes) == {
        "from": "+4930111",
        "to": "+4930222",
        "customer_id": "c1",
        "customer_name": "Anna Müller",
        "customer_segment": "vip",
    }


def test_what_the_flow_says_of_the_customer_counts_for_more() -> None:
    own = {**QUEUE, "attributes": {"customer_id": "own-{customer.id}"}}
    talk = talk_of({"begin": own})
    talk.feed(ANNA)
    assert dict(joined(talk).attributes)["customer_id"] == "own-c1"


def test_a_caller_who_goes_meanwhile_is_gone() -> None:
    talk = branching()
    talk.feed(LegEnded("l1", LegRole.CALLER))
    assert talk.at.stage is Stage.ENDED
    assert talk.feed(ANNA).ignored == "call-is-over"


def test_another_replica_asks_again_and_waits_no_longer_than_the_first() -> None:
    talk = branching()
    again = resume(
        talk.flow,
        talk.at,
        legs=(LegView("l1", LegRole.CALLER, "", "invited"),),
        events=(),
        operation="",
        now_ms=talk.now_ms + 5,
    )
    assert again.effects == (LookUpCustomer("+4930111", "+4930222"),)
    assert deadline_ms(again.checkpoint) == talk.now_ms + LOOK_UP_LIMIT_MS


def test_a_customers_facts_are_bounded() -> None:
    talk = talk_of({"begin": QUEUE})
    worst = '"' * 9_999
    talk.feed(CustomerFound(worst, worst, worst, worst))
    attributes = joined(talk).attributes
    assert sum(len(name + text) for name, text in attributes) < 1_000 - len("caller") - 256
    assert len(encode(talk.at)) < MAX_CHECKPOINT_BYTES


@pytest.mark.parametrize(
    ("node", "code"),
    [
        ({"kind": "say", "text": "Hello {customer.nmae}.", "next": "end"}, "undeclared-name"),
        ({"kind": "say", "text": "Hello {customer}.", "next": "end"}, "undeclared-name"),
        (
            {
                "kind": "branch",
                "cases": [{"when": "customer . nmae == 'x'", "next": "end"}],
                "else": "end",
            },
            "bad-expression",
        ),
    ],
)
def test_what_is_not_known_of_customers_is_refused(node: dict[str, Any], code: str) -> None:
    text = json.dumps(definition({"begin": node, "end": HANGUP}))
    assert [problem.code for problem in problems_of(text)] == [code]


def test_a_variable_cannot_take_the_customers_name() -> None:
    text = json.dumps(definition({"begin": HANGUP}, variables={"customer": ""}))
    assert [problem.code for problem in problems_of(text)] == ["reserved-name"]


def test_a_customers_facts_are_one_line_each() -> None:
    talk = talk_of({"begin": QUEUE})
    talk.feed(CustomerFound("c\0001", "Anna\r\nMüller\x1b", "vip", "de"))
    told = dict(joined(talk).attributes)
    assert (told["customer_id"], told["customer_name"]) == ("c 1", "Anna  Müller ")
