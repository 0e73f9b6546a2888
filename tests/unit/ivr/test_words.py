"""Texts, phrases, expressions and opening hours."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.ivr.core import expressions, opening, phrases, templates
from services.ivr.core.identity import entry_id
from services.ivr.model.errors import BadExpression, BadTemplate
from services.ivr.model.flow import Hours
from tests.unit.ivr.calls import CALL_ID, HANGUP, flow_of

NAMES = frozenset({"a", "b", "s"})


@pytest.mark.parametrize(
    ("template", "values", "text"),
    [
        ("Hello {name}.", {"name": "Ada"}, "Hello Ada."),
        ("{n} and {f}", {"n": 3, "f": 2.0}, "3 and 2"),
        ("{yes}, {no}", {"yes": True, "no": False}, "yes, no"),
        ("{number:digits}", {"number": "0195"}, "0 1 9 5"),
        ("{{{n}}}", {"n": 1}, "{1}"),
        ("  {empty} ", {"empty": ""}, ""),
        ("{a}", {"a": "{b}"}, "{b}"),
        ("{a}", {"a": "x" * 3_000}, "x" * 2_000),
    ],
)
def test_placeholders_are_filled_once_and_within_bounds(
    template: str, values: dict[str, Any], text: str
) -> None:
    assert templates.fill(template, values) == text
    assert templates.names(template) == set(values)


@pytest.mark.parametrize("template", ["{", "}", "{Name}", "{a b}", "{a:upper}", "{a!r}", "{}"])
def test_a_malformed_placeholder_is_refused(template: str) -> None:
    with pytest.raises(BadTemplate):
        templates.names(template)


def test_a_name_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        templates.fill("{a}", {})


def test_clipping_keeps_whole_characters() -> None:
    assert templates.clip("aé位", 3) == "aé"
    assert templates.clip("a\ud800b", 10) == "ab"


@pytest.mark.parametrize(
    ("language", "position", "wait_ms", "text"),
    [
        ("en-us", 1, None, "You are number 1 in the queue."),
        ("en", 2, 1, "You are number 2 in the queue. The expected wait is about 1 minute."),
        ("en", 2, 60_001, "You are number 2 in the queue. The expected wait is about 2 minutes."),
        ("cmn", 2, 60_000, "您排在第2位. 预计等待约1分钟."),
        ("cmn", 2, None, "您排在第2位."),
        ("ro", 3, None, "Sunteți pe locul 3 la coadă."),
        (
            "ro",
            3,
            60_000,
            "Sunteți pe locul 3 la coadă. Timpul de așteptare este de aproximativ un minut.",
        ),
        (
            "ro",
            3,
            120_000,
            "Sunteți pe locul 3 la coadă. Timpul de așteptare este de aproximativ 2 minute.",
        ),
        (
            "ro",
            3,
            1_200_000,
            "Sunteți pe locul 3 la coadă. Timpul de așteptare este de aproximativ 20 de minute.",
        ),
    ],
)
def test_the_place_and_the_wait_are_said_politely(
    language: str, position: int, wait_ms: int | None, text: str
) -> None:
    assert phrases.is_known(language)
    assert phrases.queue_message(language, position, wait_ms) == text


def test_languages_without_phrases_are_known_as_such() -> None:
    assert not phrases.is_known("de-de")


@pytest.mark.parametrize(
    ("expression", "values", "result"),
    [
        ("a == 'x' && size(b) > 2", {"a": "x", "b": "abc"}, True),
        ("a + b", {"a": "x", "b": "y"}, "xy"),
        ("int(a) + 1", {"a": "41"}, 42),
        ("a ? 1.5 : 2.5", {"a": True}, 1.5),
        ("s.matches('^[0-9]{4}$')", {"s": "1234"}, True),
        ("'x' in s", {"s": {"x": 1}}, True),
        ('s == "b.map(x, y)"', {"s": "b.map(x, y)"}, True),
    ],
)
def test_expressions_give_plain_values(
    expression: str, values: dict[str, Any], result: object
) -> None:
    assert expressions.check_expression(expression, NAMES) == set(values)
    assert expressions.evaluate(expression, values) == result


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("a +", "does not parse"),
        ("a" * 1_025, "longer than 1024 bytes"),
        ("(" * 300 + "1" + ")" * 300, "does not parse"),
        ("s.map(x, x)", "macro `map`"),
        ("s.filter (x, x)", "macro `filter`"),
        ("s.all // why\n (x, x)", "macro `all`"),
        ("s.exists(x, x)", "macro `exists`"),
        ("s.exists_one(x, x)", "macro `exists_one`"),
        (r'r"\" + s.map(a, "") == ""', "macro `map`"),
        ('// "\ns.map(a, b) // "', "macro `map`"),
        ("nobody", "`nobody` is not declared"),
        ("open(a)", "no function `open`"),
    ],
)
def test_expressions_that_must_not_be_published_are_refused(expression: str, words: str) -> None:
    with pytest.raises(BadExpression, match=words):
        expressions.check_expression(expression, NAMES)


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("a + 1", {"a": "x"}),
        ("1 / 0", {}),
        ("a", {}),
        ("[a]", {"a": 1}),
        ("double('inf')", {}),
        ("int(a)", {"a": "12x"}),
        ("s['x']", {"s": {}}),
    ],
)
def test_an_expression_that_fails_on_its_values_is_a_named_error(
    expression: str, values: dict[str, Any]
) -> None:
    with pytest.raises(BadExpression):
        expressions.evaluate(expression, values)


def test_names_in_what_does_not_parse_are_an_error() -> None:
    with pytest.raises(BadExpression):
        expressions.names_in("a +")


def hours(**changes: Any) -> Hours:
    node = flow_of(
        {
            "begin": {
                "kind": "hours",
                "time_zone": "Europe/Berlin",
                "weekly": {"mon": ["09:00-12:00", "13:00-17:30"], "sun": ["00:00-24:00"]},
                "holidays": {"dates": ["2025-06-09"], "country": "DE", "subdivision": "BY"},
                "open": "end",
                "closed": "end",
                **changes,
            },
            "end": HANGUP,
        }
    ).node("begin")
    assert isinstance(node, Hours)
    return node


@pytest.mark.parametrize(
    ("local", "door"),
    [
        ("2025-06-02T08:59:59", "closed"),
        ("2025-06-02T09:00:00", "open"),
        ("2025-06-02T11:59:59", "open"),
        ("2025-06-02T12:00:00", "closed"),
        ("2025-06-02T17:29:59", "open"),
        ("2025-06-02T17:30:00", "closed"),
        ("2025-06-03T10:00:00", "closed"),
        ("2025-06-01T23:59:59", "open"),
        ("2025-06-09T10:00:00", "holiday"),
        ("2025-12-25T10:00:00", "holiday"),
        ("2025-01-06T10:00:00", "holiday"),  # Epiphany: Bavaria has it, Berlin does not
        ("2026-03-29T03:30:00", "open"),  # the night of summer time
    ],
)
def test_the_door_follows_the_clock_on_the_wall(local: str, door: str) -> None:
    moment = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo("Europe/Berlin"))
    assert opening.door_at(hours(), int(moment.timestamp() * 1_000)) == door


def test_without_a_country_no_public_holiday_closes() -> None:
    moment = datetime(2024, 12, 23, 10, tzinfo=ZoneInfo("Europe/Berlin"))
    assert opening.door_at(hours(holidays={}), int(moment.timestamp() * 1_000)) == "open"


def test_an_entry_has_the_same_id_whoever_asks() -> None:
    first = entry_id(CALL_ID, 1)
    assert first == entry_id(CALL_ID, 1)
    assert first != entry_id(CALL_ID, 2)
    assert first[:13] == CALL_ID[:13]
    assert first[14] == "7"


@pytest.mark.parametrize("call_id", ["not-a-uuid", "9d8a4b52-1111-4111-8111-111111111111"])
def test_an_entry_of_a_call_without_a_time_has_none_either(call_id: str) -> None:
    assert entry_id(call_id, 1).startswith("00000000-0000-7")
