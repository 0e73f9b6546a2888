"""Flows and what they name of their tenant's library."""

from __future__ import annotations

from typing import Any

import pytest

from services.ivr.core.joining import find_missing, joined, uses_of
from services.ivr.model.actions import SetConsent
from services.ivr.model.calendars import Calendar, Opening
from services.ivr.model.library import Shelf, Sound, Source, Uses
from tests.unit.ivr.calls import HANGUP, Talk, flow_of
from tests.unit.ivr.test_parsing import enqueue, found, menu, say

SOUND = Sound(Source.RECORDED, "ab" * 32, 900)
SHELF = Shelf({"hello": SOUND})
HOURS = {"kind": "hours", "calendar": "office", "open": "end", "closed": "end"}


def hello(**more: Any) -> dict[str, Any]:
    return {"kind": "say", "prompt": "hello", "next": "end", **more}


def test_a_flow_says_what_it_names() -> None:
    nodes = {
        "begin": menu(prompts=["One.", {"prompt": "hello"}], choices={"1": "door", "2": "queue"}),
        "door": {**HOURS, "open": "queue"},
        "queue": enqueue(music={"prompt": "waltz"}, messages=[[{"prompt": "wait"}, "Soon."]]),
        "end": HANGUP,
    }
    treatment = {"say": [{"prompt": "sorry"}], "hangup": True}
    flow = flow_of(nodes, default_treatment=treatment)
    prompts = frozenset({"hello", "waltz", "wait", "sorry"})
    assert uses_of(flow) == Uses(prompts, frozenset({"office"}))
    assert not uses_of(flow_of({"begin": say(), "end": HANGUP}))


def test_what_the_library_lacks_is_told_by_node() -> None:
    nodes = {
        "begin": {**HOURS, "open": "said"},
        "said": hello(next="more"),
        "more": hello(prompt="other"),
        "end": HANGUP,
    }
    flow = flow_of(nodes)
    shelf = Shelf({"hello": Sound(Source.NONE, "", 0)})
    problems = [(problem.node, problem.code) for problem in find_missing(flow, shelf)]
    assert problems == [
        ("begin", "no-such-calendar"),
        ("said", "prompt-without-sound"),
        ("more", "no-such-prompt"),
    ]
    calendar = Calendar("office", "", "UTC", (), ())
    full = Shelf({"hello": SOUND, "other": SOUND}, {"office": calendar})
    assert list(find_missing(flow, full)) == []


def test_prompts_sound_wherever_they_stand() -> None:
    nodes = {
        "begin": menu(
            prompts=["One.", {"prompt": "hello"}],
            invalid_prompts=[{"prompt": "hello"}],
            choices={"1": "queue"},
        ),
        "queue": enqueue(music={"prompt": "hello"}, messages=["{queue_message}"]),
        "end": HANGUP,
    }
    talk = Talk(joined(flow_of(nodes), SHELF))
    assert talk.heard() == ["One.", "ab" * 32]
    talk.key("9")
    assert talk.heard() == ["ab" * 32, "One.", "ab" * 32]
    talk.key("1")
    assert talk.heard() == ["ab" * 32]


def test_a_prompt_that_lost_its_sound_is_left_out_and_there_is_no_silence() -> None:
    nodes = {
        "begin": hello(next="ask"),
        "ask": menu(prompts=[{"prompt": "hello"}], choices={"1": "queue"}),
        "queue": enqueue(music={"prompt": "hello"}),
        "end": HANGUP,
    }
    talk = Talk(joined(flow_of(nodes), Shelf()))
    assert talk.heard() == ["beep"]
    talk.key("1")
    assert talk.heard() == ["music"]


@pytest.mark.parametrize(("zone", "is_open"), [("", True), ("Europe/Berlin", False)])
def test_hours_go_by_the_calendar_in_its_zone_or_the_tenants(
    zone: str,
    is_open: bool,
) -> None:
    # The call is at 15:06 UTC on a Sunday.
    week = (Opening(6, 15 * 60, 15 * 60 + 7),)
    calendar = Calendar("office", "", zone, week, ())
    nodes = {"begin": {**HOURS, "open": "end", "closed": "other"}, "other": say(), "end": HANGUP}
    shelf = Shelf(calendars={"office": calendar}, time_zone="UTC")
    talk = Talk(joined(flow_of(nodes), shelf))
    assert bool(talk.heard()) is not is_open


def test_a_calendar_that_is_gone_is_a_failure_of_the_flow() -> None:
    talk = Talk(joined(flow_of({"begin": HOURS, "end": HANGUP}), Shelf()))
    assert ("flow-failed", {"node": "begin", "reason": "no-calendar"}) in talk.notes()
    assert talk.heard() == ["We have a problem."]


def test_a_tenant_that_records_nothing_grants_no_consent() -> None:
    plain = flow_of({"begin": say(), "end": HANGUP}, recording="policy")
    for shelf, granted in ((Shelf(), True), (Shelf(may_record=False), False)):
        talk = Talk(joined(plain, shelf))
        assert SetConsent(granted, "policy") in talk.commands
    nodes = {"begin": {"kind": "consent", "prompts": ["Recorded."], "next": "end"}, "end": HANGUP}
    talk = Talk(joined(flow_of(nodes, recording="announced"), Shelf(may_record=False)))
    talk.end()
    assert SetConsent(granted=False, basis="policy") in talk.commands
    assert ("consent", {"granted": "no", "basis": "policy"}) in talk.notes()


@pytest.mark.parametrize(
    ("node", "code"),
    [
        (hello(text="Hello."), "wrong-prompt"),
        (hello(language="de"), "wrong-prompt"),
        (hello(prompt="Hello"), "wrong-form"),
        ({"kind": "say", "next": "end"}, "missing-key"),
        ({**HOURS, "weekly": {}}, "wrong-hours"),
        ({**HOURS, "time_zone": "UTC"}, "wrong-hours"),
        ({**HOURS, "holidays": {}}, "wrong-hours"),
        ({"kind": "hours", "weekly": {}, "open": "end", "closed": "end"}, "missing-key"),
        ({"kind": "hours", "time_zone": "UTC", "open": "end", "closed": "end"}, "missing-key"),
    ],
)
def test_what_is_named_twice_or_not_at_all_is_refused(node: dict[str, Any], code: str) -> None:
    nodes = {"begin": node, "end": HANGUP}
    value = {"schema": 1, "name": "Test", "language": "en-us", "start": "begin", "nodes": nodes}
    assert ("begin", code) in found({**value, "default_treatment": {"hangup": True}})
