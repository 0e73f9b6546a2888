"""Prompts and calendars between the model and protobuf, checked on their way in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from itertools import pairwise
from typing import ClassVar, Final

from protos.ivr.v1 import library_pb2
from services.chassis.errors import CarillonError, Kind
from services.ivr.core.node_fields import time_zone
from services.ivr.core.opening import changes_at_ms, is_open
from services.ivr.core.reading import LIBRARY_ID, Fault
from services.ivr.model.calendars import Calendar, Opening, SpecialDay
from services.ivr.model.library import LibraryPrompt

MAX_NAME_CHARS = 200
MAX_PROMPT_CHARS = 2_000
MAX_WEEK = 100
MAX_SPECIAL_DAYS = 400
MAX_SPECIAL_HOURS = 10
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,3}")
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DAY_MINUTES = 24 * 60
_LAST_YEAR = 9_000
"""Nobody plans beyond it, and there is room to count on."""


class BadPrompt(CarillonError):
    """A prompt's id, name, text or language is not of its form."""

    code: ClassVar[str] = "bad-prompt"
    kind: ClassVar[Kind] = Kind.INVALID


class BadCalendar(CarillonError):
    """A calendar says what no calendar can say; the message names the entry."""

    code: ClassVar[str] = "bad-calendar"
    kind: ClassVar[Kind] = Kind.INVALID


# ---- prompts ----------------------------------------------------------------------------------


def prompt_of(message: library_pb2.LibraryPrompt) -> LibraryPrompt:
    """A prompt's words; BadPrompt."""
    if not LIBRARY_ID.fullmatch(message.prompt_id):
        raise BadPrompt("a prompt's id is 1 to 64 lower-case letters, digits and dashes")
    if not _is_text(message.name, MAX_NAME_CHARS):
        raise BadPrompt(f"a name has at most {MAX_NAME_CHARS} characters, none of control")
    if not _is_text(message.text.replace("\n", " "), MAX_PROMPT_CHARS):
        raise BadPrompt(f"a text has at most {MAX_PROMPT_CHARS} characters, none of control")
    if message.language and not _LANGUAGE.fullmatch(message.language):
        raise BadPrompt("a language is a tag like `en` or `zh-CN`")
    return LibraryPrompt(
        prompt_id=message.prompt_id,
        name=message.name or message.prompt_id,
        text=message.text,
        language=message.language,
    )


def prompt_message(prompt: LibraryPrompt) -> library_pb2.LibraryPrompt:
    """A prompt as it is shown."""
    return library_pb2.LibraryPrompt(
        prompt_id=prompt.prompt_id,
        name=prompt.name,
        text=prompt.text,
        language=prompt.language,
        source=prompt.sound.source,
        sha256=prompt.sound.sha256,
        duration_ms=prompt.sound.duration_ms,
        changed_at_ms=prompt.changed_at_ms,
        used_by=prompt.used_by,
    )


# ---- calendars --------------------------------------------------------------------------------


def calendar_of(message: library_pb2.Calendar) -> Calendar:
    """A calendar; BadCalendar."""
    if not LIBRARY_ID.fullmatch(message.calendar_id):
        raise BadCalendar("a calendar's id is 1 to 64 lower-case letters, digits and dashes")
    if not _is_text(message.name, MAX_NAME_CHARS):
        raise BadCalendar(f"a name has at most {MAX_NAME_CHARS} characters, none of control")
    if len(message.week) > MAX_WEEK:
        raise BadCalendar(f"a week has at most {MAX_WEEK} entries")
    if len(message.special_days) > MAX_SPECIAL_DAYS:
        raise BadCalendar(f"a calendar has at most {MAX_SPECIAL_DAYS} special days")
    special_days = sorted(map(_special_day, message.special_days), key=lambda day: day.date)
    for one, other in pairwise(special_days):
        if one.date == other.date:
            raise BadCalendar(f"the day {one.date} stands twice")
    return Calendar(
        calendar_id=message.calendar_id,
        name=message.name or message.calendar_id,
        time_zone=_zone(message.time_zone),
        week=tuple(map(_opening, message.week)),
        special_days=tuple(special_days),
    )


def calendar_message(calendar: Calendar, *, zone: str, now_ms: int) -> library_pb2.Calendar:
    """A calendar as it is shown, with how it stands at the moment; `zone` is the tenant's."""
    return library_pb2.Calendar(
        calendar_id=calendar.calendar_id,
        name=calendar.name,
        time_zone=calendar.time_zone,
        week=[
            _hours_message(DAYS[opening.weekday], opening.from_minute, opening.to_minute)
            for opening in calendar.week
        ],
        special_days=[
            library_pb2.SpecialDay(
                date=special.date,
                name=special.name,
                hours=[_hours_message("", begin, end) for begin, end in special.hours],
            )
            for special in calendar.special_days
        ],
        open_now=is_open(calendar, zone, now_ms),
        changes_at_ms=changes_at_ms(calendar, zone, now_ms),
        used_by=calendar.used_by,
    )


def holiday_messages(days: Iterable[tuple[date, str]]) -> list[library_pb2.SpecialDay]:
    """Public holidays, to pick from, by date."""
    return [
        library_pb2.SpecialDay(date=day.isoformat(), name=name[:MAX_NAME_CHARS])
        for day, name in sorted(days)
    ]


def _opening(message: library_pb2.OpenHours) -> Opening:
    if message.day not in DAYS:
        raise BadCalendar(f"`{message.day[:16]}` is none of {', '.join(DAYS)}")
    begin, end = _stretch(message, message.day)
    return Opening(DAYS.index(message.day), begin, end)


def _special_day(message: library_pb2.SpecialDay) -> SpecialDay:
    place = message.date[:16]
    try:
        day = date.fromisoformat(message.date) if _DATE.fullmatch(message.date) else None
    except ValueError:
        day = None
    if day is None or day.year > _LAST_YEAR:
        raise BadCalendar(f"`{place}` is no date like `2026-12-24`")
    if not _is_text(message.name, MAX_NAME_CHARS):
        raise BadCalendar(f"{place}: a name has at most {MAX_NAME_CHARS} characters")
    if len(message.hours) > MAX_SPECIAL_HOURS:
        raise BadCalendar(f"{place}: a day has at most {MAX_SPECIAL_HOURS} stretches")
    if any(hours.day for hours in message.hours):
        raise BadCalendar(f"{place}: the hours of a date have no `day` of the week")
    stretches = (_stretch(hours, place) for hours in message.hours)
    return SpecialDay(day.isoformat(), message.name, tuple(sorted(stretches)))


def _stretch(message: library_pb2.OpenHours, place: str) -> tuple[int, int]:
    begin, end = _minute(getattr(message, "from"), place), _minute(message.to, place)
    if end <= begin:
        raise BadCalendar(f"{place}: ends before it begins; give each day its own part")
    return begin, end


def _minute(text: str, place: str) -> int:
    if text == "24:00":
        return _DAY_MINUTES
    found = _TIME.fullmatch(text)
    if found is None:
        raise BadCalendar(f"{place}: `{text[:16]}` is no time like `09:00`")
    return int(found[1]) * 60 + int(found[2])


def _hours_message(day: str, begin: int, end: int) -> library_pb2.OpenHours:
    message = library_pb2.OpenHours(day=day, to=_clock(end))
    setattr(message, "from", _clock(begin))  # a keyword, so it cannot be written as one
    return message


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _zone(name: str) -> str:
    try:
        return time_zone(name) if name else ""
    except Fault as fault:
        raise BadCalendar(fault.message) from None


def _is_text(text: str, longest: int) -> bool:
    return len(text) <= longest and (not text or text.isprintable())
