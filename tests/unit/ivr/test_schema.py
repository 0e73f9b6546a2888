"""The published schema says what the checker says, as far as a schema can."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from services.ivr.core.expressions import FUNCTIONS
from services.ivr.core.names import EXPRESSION_NAMES, QUEUE_NAMES
from services.ivr.core.node_fields import KINDS, NEEDED
from services.ivr.core.parsing import FLOW_KEYS, problems_of
from tests.unit.ivr.calls import HANGUP, definition
from tests.unit.ivr.test_parsing import enqueue, gather, hours, menu, say

SCHEMA = json.loads(Path("services/ivr/flow.schema.json").read_text())
VALIDATOR = Draft202012Validator(SCHEMA)
NODES = [
    say(),
    say(language="de"),
    {"kind": "say", "prompt": "welcome", "next": "end"},
    {"kind": "play", "prompts": [{"prompt": "welcome"}, "Hello."], "next": "end"},
    menu(prompts=[{"prompt": "door"}], invalid_prompts=[{"prompt": "sorry"}]),
    menu(),
    menu(timeout_s=2.5, retries=0, invalid_prompts=["No."], barge_in=False, on_invalid="end"),
    gather(),
    gather(min_digits=4, max_digits=4, end_key="", next_digit_timeout_s=2, safe=True),
    {"kind": "answer", "next": "end"},
    {"kind": "play", "prompts": [{"system": "beep"}, {"sha256": "0" * 64}], "next": "end"},
    {"kind": "consent", "prompts": ["Recorded."], "next": "end"},
    {
        "kind": "consent",
        "mode": "ask",
        "prompts": ["May we?"],
        "accept_key": "3",
        "refuse_key": "4",
        "timeout_s": 3,
        "retries": 0,
        "invalid_prompts": ["No."],
        "barge_in": False,
        "next": "end",
        "on_refused": "end",
    },
    {"kind": "set", "values": {"number": "'1'"}, "next": "end"},
    {"kind": "branch", "cases": [{"when": "true", "next": "end"}], "else": "end"},
    hours(holidays={"dates": ["2025-12-24"], "country": "DE", "subdivision": "BY"}, holiday="end"),
    {"kind": "hours", "calendar": "office", "open": "end", "closed": "end"},
    enqueue(),
    enqueue(music={"prompt": "waltz"}, messages=[{"prompt": "wait"}]),
    enqueue(
        priority=-5,
        skills={"german": 3},
        attributes={"a": "{caller}"},
        music={"system": "music"},
        messages=["{queue_message}", ["One.", "Two."]],
        message_every_s=10,
        leave_key="*",
        leave_exit="callback",
        on_leave="end",
        on_exit={"timeout": "end"},
        after_agent="end",
    ),
    {
        "kind": "transfer",
        "to": "+49301",
        "timeout_s": 20,
        "caller_id": "+49302",
        "on_failed": "end",
    },
    {"kind": "transfer", "queue": "sales"},
    {"kind": "hangup", "reason": "closed", "sip_status": 486},
]
WRONG = [
    {"kind": "saay"},
    {"next": "end"},
    say(nexxt="end"),
    say(""),
    say(prompt="welcome"),
    {"kind": "say", "next": "end"},
    {"kind": "say", "prompt": "Welcome!", "next": "end"},
    {"kind": "say", "prompt": "welcome", "language": "de", "next": "end"},
    {"kind": "play", "prompts": [{"prompt": "a", "text": "b"}], "next": "end"},
    hours(calendar="office"),
    {"kind": "hours", "calendar": "office", "holidays": {}, "open": "end", "closed": "end"},
    {"kind": "hours", "time_zone": "UTC", "open": "end", "closed": "end"},
    {"kind": "hours", "weekly": {}, "open": "end", "closed": "end"},
    say(then="End!"),
    menu(choices={"12": "end"}),
    menu(retries=11),
    menu(barge_in="yes"),
    gather(into="Number"),
    gather(max_digits=33),
    hours(weekly={"mon": ["9-17"]}),
    hours(weekly={"monday": []}),
    enqueue(leave_key="*"),
    enqueue(on_exit={"timout": "end"}),
    enqueue(priority=101),
    {"kind": "consent", "prompts": ["Recorded."], "accept_key": "1", "next": "end"},
    {"kind": "consent", "mode": "demand", "prompts": ["Recorded."], "next": "end"},
    {"kind": "transfer"},
    {"kind": "transfer", "to": "+49301", "queue": "sales"},
    {"kind": "hangup", "sip_status": 200},
    {"kind": "play", "prompts": [{"system": "mucis"}], "next": "end"},
    {"kind": "branch", "cases": [{"when": "true"}], "else": "end"},
]


def whole(node: dict[str, Any]) -> dict[str, Any]:
    ends = "end" in json.dumps(node)
    nodes = {"begin": node, **({"end": HANGUP} if ends else {})}
    recording = "announced" if node.get("kind") == "consent" else "off"
    return definition(nodes, variables={"number": ""}, recording=recording)


def test_the_schema_is_one_itself() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("node", NODES, ids=lambda node: str(node["kind"]))
def test_what_the_checker_takes_the_schema_takes(node: dict[str, Any]) -> None:
    assert problems_of(json.dumps(whole(node))) == ()
    assert list(VALIDATOR.iter_errors(whole(node))) == []


@pytest.mark.parametrize("node", WRONG, ids=lambda node: str(node.get("kind")))
def test_what_the_schema_refuses_the_checker_refuses(node: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid(whole(node))
    assert problems_of(json.dumps(whole(node))) != ()


def test_both_know_the_same_keys_and_need_the_same_ones() -> None:
    assert set(SCHEMA["properties"]) == set(FLOW_KEYS)
    assert set(SCHEMA["$defs"]["node"]["properties"]["kind"]["enum"]) == set(KINDS)
    for name, kind in KINDS.items():
        described = SCHEMA["$defs"][name]
        assert set(described["properties"]) == {"kind", *(field.key for field in kind.fields)}
        needed = {field.key for field in kind.fields if field.default is NEEDED}
        assert set(described["required"]) == {"kind", *needed}


def test_the_demonstration_and_the_documentation_keep_the_schema() -> None:
    page = Path("docs/flows.md").read_text()
    examples = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    examples.append(Path("services/launcher/main-menu.json").read_text())
    assert len(examples) == 2
    for example in examples:
        assert list(VALIDATOR.iter_errors(json.loads(example))) == []
        assert problems_of(example) == ()


def test_the_documentation_names_every_kind_and_every_name() -> None:
    page = Path("docs/flows.md").read_text()
    for word in (*KINDS, *EXPRESSION_NAMES, *QUEUE_NAMES, *FUNCTIONS):
        assert f"`{word}`" in page
