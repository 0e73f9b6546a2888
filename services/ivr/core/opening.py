"""Whether somebody is there: weekly hours in a time zone, and days on which they do not count."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

from services.ivr.model.calendars import Calendar, Opening, SpecialDay
from services.ivr.model.flow import Hours

DAY_MINUTES = 24 * 60
_WEEK_AND_A_DAY = 8
"""Days after which a week without special days has shown all that it does."""


class Door(StrEnum):
    """How one finds the door."""

    OPEN = "open"
    CLOSED = "closed"
    HOLIDAY = "holiday"


def door_at(hours: Hours, now_ms: int) -> Door:
    """Open, closed or a day off at that moment (UTC milliseconds), by the clock on the wall."""
    local = _local(now_ms, hours.time_zone)
    today = local.date()
    for special in hours.special_days:
        if special.date == today.isoformat():
            if not special.hours:
                return Door.HOLIDAY
            return Door.OPEN if _within(_minute(local), special.hours) else Door.CLOSED
    if today.isoformat() in hours.dates:
        return Door.HOLIDAY
    if hours.country and today in public_holidays(hours.country, hours.subdivision, today.year):
        return Door.HOLIDAY
    is_open = _within(_minute(local), _of_weekday(hours.weekly, local.weekday()))
    return Door.OPEN if is_open else Door.CLOSED


def is_open(calendar: Calendar, time_zone: str, now_ms: int) -> bool:
    """Whether a calendar is open at that moment; `time_zone` counts if it has none of its own."""
    return _is_open(_Days(calendar), _local(now_ms, calendar.time_zone or time_zone))


def changes_at_ms(calendar: Calendar, time_zone: str, now_ms: int) -> int:
    """When a calendar opens or closes next, UTC milliseconds; 0: never."""
    zone = ZoneInfo(calendar.time_zone or time_zone)
    days = _Days(calendar)
    local = _local(now_ms, zone.key)
    before = _is_open(days, local)
    for day in _days_of_interest(calendar.special_days, local.date()):
        for at_ms in _edges(days, day, zone):
            if at_ms > now_ms and _is_open(days, _local(at_ms, zone.key)) != before:
                return at_ms
    return 0


class _Days:
    """What a calendar says of a date."""

    def __init__(self, calendar: Calendar) -> None:
        self._special = {special.date: special.hours for special in calendar.special_days}
        self._week = [_of_weekday(calendar.week, weekday) for weekday in range(7)]

    def hours(self, day: date) -> tuple[tuple[int, int], ...]:
        """Minutes after midnight, first open and first closed again."""
        special = self._special.get(day.isoformat())
        return self._week[day.weekday()] if special is None else special


def _is_open(days: _Days, local: datetime) -> bool:
    return _within(_minute(local), days.hours(local.date()))


def _days_of_interest(special_days: Iterable[SpecialDay], today: date) -> list[date]:
    """Today and every day on which something may be otherwise than on the day a week before."""
    firsts = [date.fromisoformat(special.date) for special in special_days]
    found = {
        first.toordinal() + more
        for first in (today, *firsts)
        for more in range(_WEEK_AND_A_DAY)
        if today <= first
    }
    return [date.fromordinal(at) for at in sorted(found) if at <= date.max.toordinal()]


def _edges(days: _Days, day: date, zone: ZoneInfo) -> Iterator[int]:
    """The moments of a day at which it may open or close, in order, UTC milliseconds."""
    minutes = {0, *(minute for stretch in days.hours(day) for minute in stretch)}
    for minute in sorted(minutes - {DAY_MINUTES}):
        local = datetime.combine(day, time(minute // 60, minute % 60), zone)
        yield round(local.timestamp() * 1_000)


def _local(now_ms: int, time_zone: str) -> datetime:
    return datetime.fromtimestamp(now_ms / 1000, tz=UTC).astimezone(ZoneInfo(time_zone))


def _minute(local: datetime) -> int:
    return local.hour * 60 + local.minute


def _of_weekday(week: Iterable[Opening], weekday: int) -> tuple[tuple[int, int], ...]:
    return tuple(
        (opening.from_minute, opening.to_minute) for opening in week if opening.weekday == weekday
    )


def _within(minute: int, stretches: Iterable[tuple[int, int]]) -> bool:
    return any(begin <= minute < end for begin, end in stretches)


@lru_cache(maxsize=256)
def public_holidays(country: str, subdivision: str, year: int) -> frozenset[date]:
    """The public holidays of a country or a part of it; NotImplementedError when it is unknown."""
    return frozenset(
        holidays.country_holidays(country, subdiv=subdivision or None, years=year).keys()
    )


def named_holidays(country: str, year: int) -> tuple[tuple[date, str], ...]:
    """The public holidays of a whole country with their names; NotImplementedError."""
    return tuple(holidays.country_holidays(country, years=year).items())
