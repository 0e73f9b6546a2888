"""The keys of every node kind: how each is read, and what it is when it is left out."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.ivr.core import reading
from services.ivr.core.limits import MAX_ATTRIBUTES, MAX_DIGITS, MAX_VARIABLES
from services.ivr.core.opening import public_holidays
from services.ivr.core.reading import Fault, Reader
from services.ivr.model.calendars import Opening
from services.ivr.model.flow import (
    Answer,
    Branch,
    Consent,
    Enqueue,
    Gather,
    Hangup,
    Hours,
    Menu,
    Node,
    Prompt,
    SetVariables,
    Speak,
    Transfer,
)

NEEDED: Any = object()
"""The default of a key that must be given."""

QUEUE_EXITS = (
    "timeout",
    "closed",
    "refused_full",
    "refused_no_agents",
    "overflowed",
    "callback",
    "voicemail",
    "failed",
)
ANNOUNCE, ASK = "announce", "ask"
LEAVE_EXITS = ("abandoned", "callback", "voicemail")
DEFAULT_MUSIC = Prompt(system="music")
DEFAULT_MESSAGES = ((Prompt(text="{queue_message}"),),)
DEFAULT_MESSAGE_EVERY_MS = 20_000

_QUEUE_ID = reading.matching(re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"), "support")
_REASON = reading.matching(re.compile(r"[a-z][a-z0-9-]{0,63}"), "closed-today")
_CALLER_ID = reading.matching(re.compile(r"\+[1-9][0-9]{3,14}"), "+493012345678")
_SKILL = reading.matching(re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"), "german")
_TARGET = re.compile(r"\+?[0-9*#]{2,32}|sips?:[^\s{}]{1,200}|[^\s]*\{[a-z][^\s]*")
_TARGET_TEXT = reading.matching(_TARGET, "+493012345678 or sip:desk@example.com")
_EXPRESSION = reading.text(1_024)
_TIMES = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-(?:([01][0-9]|2[0-3]):([0-5][0-9])|24:00)")
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a node kind."""

    key: str
    """As it stands in the flow."""
    name: str
    """The dataclass's field."""
    read: Reader[Any]
    """What makes the value."""
    default: Any = NEEDED
    """When it is left out."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One node kind."""

    make: Callable[..., Node]
    """The dataclass."""
    fields: tuple[Field, ...]
    """Its keys besides `kind`."""


def _opening(weekday: int, value: Any) -> Opening:
    found = _TIMES.fullmatch(reading.text(11)(value))
    if not found:
        raise Fault("wrong-form", f"`{value}` is not of the form of `09:00-17:30`")
    begin = int(found[1]) * 60 + int(found[2])
    end = int(found[3]) * 60 + int(found[4]) if found[3] else 24 * 60
    if end <= begin:
        raise Fault("wrong-form", f"`{value}` ends before it begins; give each day its own part")
    return Opening(weekday, begin, end)


def _opening_on(weekday: int) -> Reader[Opening]:
    return lambda value: _opening(weekday, value)


def _weekly(value: Any) -> tuple[Opening, ...]:
    days = reading.as_object(value, _WEEKDAYS)
    return tuple(
        opening
        for number, name in enumerate(_WEEKDAYS)
        for opening in reading.items(_opening_on(number), 0, 10)(days.get(name, []))
    )


def time_zone(value: Any) -> str:
    """The IANA name of a time zone."""
    name = reading.text(64)(value)
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Fault("unknown-time-zone", f"`{name}` is no IANA time zone") from None
    return name


def _date(value: Any) -> str:
    try:
        return date.fromisoformat(reading.text(10)(value)).isoformat()
    except ValueError:
        raise Fault("wrong-form", f"`{value}` is not of the form of `2025-12-24`") from None


def _holidays(value: Any) -> tuple[tuple[str, ...], str, str]:
    given = reading.as_object(value, ("dates", "country", "subdivision"))
    dates = reading.items(_date, 0, 100)(given.get("dates", []))
    country = reading.text(8, shortest=0)(given.get("country", ""))
    subdivision = reading.text(32, shortest=0)(given.get("subdivision", ""))
    if subdivision and not country:
        raise Fault("unknown-country", "a subdivision needs its country")
    try:
        if country:
            public_holidays(country, subdivision, 2025)
    except NotImplementedError:
        raise Fault(
            "unknown-country", f"no holidays are known for {country} {subdivision}".rstrip()
        ) from None
    return dates, country, subdivision


def _case(value: Any) -> tuple[str, str]:
    given = reading.as_object(value, ("when", "next"))
    if set(given) != {"when", "next"}:
        raise Fault("missing-key", "needs `when` and `next`")
    return _EXPRESSION(given["when"]), reading.node_id(given["next"])


def _make_hours(
    id: str,  # noqa: A002 - the dataclass's own field
    weekly: tuple[Opening, ...] | None,
    holidays: tuple[tuple[str, ...], str, str] | None,
    **rest: Any,
) -> Hours:
    own = {"time_zone": bool(rest["time_zone"]), "weekly": weekly is not None}
    if rest["calendar"]:
        given = [
            name for name, is_given in (own | {"holidays": bool(holidays)}).items() if is_given
        ]
        if given:
            raise Fault("wrong-hours", f"`{given[0]}` is the calendar's; name one of the two")
    elif not all(own.values()):
        missing = next(name for name, is_given in own.items() if not is_given)
        raise Fault("missing-key", f"`{missing}` is missing; or name a `calendar`")
    dates, country, subdivision = holidays or ((), "", "")
    rest["holiday"] = rest["holiday"] or rest["closed"]
    return Hours(
        id=id,
        weekly=weekly or (),
        dates=dates,
        country=country,
        subdivision=subdivision,
        **rest,
    )


def _make_say(id: str, text: str, prompt: str, language: str, next: str) -> Speak:  # noqa: A002 - the dataclass's own fields
    if not text and not prompt:
        raise Fault("missing-key", "`text` is missing; or name a `prompt`")
    if prompt and (text or language):
        raise Fault("wrong-prompt", "must have exactly one of text and prompt")
    said = Prompt(prompt_id=prompt) if prompt else Prompt(text=text, language=language)
    return Speak(id=id, spoken=(said,), next=next)


def _make_question(make: Callable[..., Node], **values: Any) -> Node:
    values["on_invalid"] = values["on_invalid"] or values["on_timeout"]
    if "min_digits" in values and values["min_digits"] > values["max_digits"]:
        raise Fault("out-of-range", "`min_digits` is more than `max_digits`")
    return make(**values)


def _make_consent(mode: str, **values: Any) -> Consent:
    asks = mode == ASK
    given = [name for name in ("accept_key", "refuse_key", "on_refused") if values[name]]
    if given and not asks:
        raise Fault("wrong-consent", f"`{given[0]}` belongs to the mode `ask`")
    values["accept_key"] = values["accept_key"] or "1"
    values["refuse_key"] = values["refuse_key"] or "2"
    values["on_refused"] = values["on_refused"] or values["next"]
    if values["accept_key"] == values["refuse_key"]:
        raise Fault("wrong-consent", "one key cannot both accept and refuse")
    return Consent(asks=asks, **values)


def _make_transfer(id: str, to: str, queue: str, **rest: Any) -> Node:  # noqa: A002 - the dataclass's own field
    if bool(to) == bool(queue):
        raise Fault("wrong-target", "needs exactly one of `to` and `queue`")
    if to:
        return Transfer(id=id, target=to, **rest)
    exits = tuple((name, rest["on_failed"]) for name in QUEUE_EXITS if rest["on_failed"])
    return plain_enqueue(id, queue, exits)


def plain_enqueue(node_id: str, queue_id: str, on_exit: tuple[tuple[str, str], ...]) -> Enqueue:
    """A queue with nothing but music and the default messages."""
    return Enqueue(
        id=node_id,
        queue_id=queue_id,
        priority=0,
        skills=(),
        attributes=(),
        music=DEFAULT_MUSIC,
        messages=DEFAULT_MESSAGES,
        message_every_ms=DEFAULT_MESSAGE_EVERY_MS,
        leave_key="",
        leave_exit="abandoned",
        on_leave="",
        on_exit=on_exit,
        after_agent="",
    )


def plain_transfer(node_id: str, target: str) -> Transfer:
    """A number outside, and nothing more."""
    return Transfer(id=node_id, target=target, timeout_ms=30_000, caller_id="", on_failed="")


def _make_enqueue(**values: Any) -> Enqueue:
    if bool(values["leave_key"]) != bool(values["on_leave"]):
        raise Fault("missing-key", "`leave_key` and `on_leave` belong together")
    return Enqueue(**values)


def _same(key: str, read: Reader[Any], default: Any = NEEDED) -> Field:
    return Field(key, key, read, default)


_NEXT = _same("next", reading.node_id)
_MAYBE_NODE = reading.optional(reading.node_id)
_QUESTION = (
    Field("prompts", "spoken", reading.question),
    Field("timeout_s", "timeout_ms", reading.seconds(1, 60), 5_000),
    _same("retries", reading.whole(0, 10), 2),
    Field("invalid_prompts", "wrong", reading.correction, ()),
    _same("barge_in", reading.truth, default=True),
    _same("on_timeout", reading.node_id),
    _same("on_invalid", _MAYBE_NODE, ""),
)

KINDS: dict[str, Kind] = {
    "answer": Kind(Answer, (_NEXT,)),
    "say": Kind(
        _make_say,
        (
            _same("text", reading.text(), ""),
            _same("prompt", reading.library_id, ""),
            _same("language", reading.optional(reading.language), ""),
            _NEXT,
        ),
    ),
    "play": Kind(Speak, (Field("prompts", "spoken", reading.prompts), _NEXT)),
    "menu": Kind(
        lambda **values: _make_question(Menu, **values),
        (*_QUESTION, _same("choices", reading.mapping(reading.key, reading.node_id, 1, 16))),
    ),
    "gather": Kind(
        lambda **values: _make_question(Gather, **values),
        (
            *_QUESTION,
            _same("into", reading.variable_name),
            _same("min_digits", reading.whole(1, MAX_DIGITS), 1),
            _same("max_digits", reading.whole(1, MAX_DIGITS), MAX_DIGITS),
            _same("end_key", reading.optional(reading.key), "#"),
            Field("next_digit_timeout_s", "next_digit_timeout_ms", reading.seconds(1, 30), 3_000),
            _same("safe", reading.truth, default=False),
            _NEXT,
        ),
    ),
    "consent": Kind(
        _make_consent,
        (
            _same("mode", reading.one_of(ANNOUNCE, ASK), ANNOUNCE),
            Field("prompts", "spoken", reading.question),
            _same("accept_key", reading.optional(reading.key), ""),
            _same("refuse_key", reading.optional(reading.key), ""),
            Field("timeout_s", "timeout_ms", reading.seconds(1, 60), 5_000),
            _same("retries", reading.whole(0, 10), 2),
            Field("invalid_prompts", "wrong", reading.correction, ()),
            _same("barge_in", reading.truth, default=True),
            _NEXT,
            _same("on_refused", _MAYBE_NODE, ""),
        ),
    ),
    "set": Kind(
        SetVariables,
        (
            _same("values", reading.mapping(reading.variable_name, _EXPRESSION, 1, MAX_VARIABLES)),
            _NEXT,
        ),
    ),
    "branch": Kind(
        Branch,
        (
            _same("cases", reading.items(_case, 1, 32)),
            Field("else", "otherwise", reading.node_id),
        ),
    ),
    "hours": Kind(
        _make_hours,
        (
            _same("calendar", reading.library_id, ""),
            _same("time_zone", time_zone, ""),
            _same("weekly", _weekly, None),
            _same("holidays", _holidays, None),
            _same("open", reading.node_id),
            _same("closed", reading.node_id),
            _same("holiday", _MAYBE_NODE, ""),
        ),
    ),
    "enqueue": Kind(
        _make_enqueue,
        (
            Field("queue", "queue_id", _QUEUE_ID),
            _same("priority", reading.whole(-100, 100), 0),
            _same("skills", reading.mapping(_SKILL, reading.whole(1, 10), 0, 16), ()),
            _same(
                "attributes",
                reading.mapping(
                    reading.variable_name, reading.text(256, shortest=0), 0, MAX_ATTRIBUTES
                ),
                (),
            ),
            _same("music", reading.prompt, DEFAULT_MUSIC),
            _same("messages", reading.items(reading.message, 0, 16), DEFAULT_MESSAGES),
            Field(
                "message_every_s",
                "message_every_ms",
                reading.seconds(5, 600),
                DEFAULT_MESSAGE_EVERY_MS,
            ),
            _same("leave_key", reading.optional(reading.key), ""),
            _same("leave_exit", reading.one_of(*LEAVE_EXITS), "abandoned"),
            _same("on_leave", _MAYBE_NODE, ""),
            _same(
                "on_exit", reading.mapping(reading.one_of(*QUEUE_EXITS), reading.node_id, 0, 8), ()
            ),
            _same("after_agent", _MAYBE_NODE, ""),
        ),
    ),
    "transfer": Kind(
        _make_transfer,
        (
            _same("to", reading.optional(_TARGET_TEXT), ""),
            _same("queue", reading.optional(_QUEUE_ID), ""),
            Field("timeout_s", "timeout_ms", reading.seconds(5, 180), 30_000),
            _same("caller_id", reading.optional(_CALLER_ID), ""),
            _same("on_failed", _MAYBE_NODE, ""),
        ),
    ),
    "hangup": Kind(
        Hangup,
        (
            _same("reason", _REASON, "flow-ended"),
            _same("sip_status", reading.whole(400, 699), 0),
        ),
    ),
}


def treatment_target(value: Any) -> str:
    """A number or SIP URI that needs no variable."""
    target = _TARGET_TEXT(value)
    if "{" in target:
        raise Fault("wrong-form", "the default treatment must not depend on variables")
    return target


queue_id = _QUEUE_ID
