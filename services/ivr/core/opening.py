"""Whether somebody is there: weekly hours in a time zone, and days off."""

from __future__ import annotations

from datetime import UTC, date, datetime
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

from services.ivr.model.flow import Hours


class Door(StrEnum):
    """How one finds the door."""

    OPEN = "open"
    CLOSED = "closed"
    HOLIDAY = "holiday"


def door_at(hours: Hours, now_ms: int) -> Door:
    """Open, closed or a day off at that moment (UTC milliseconds), by the clock on the wall."""
    local = datetime.fromtimestamp(now_ms / 1000, tz=UTC).astimezone(ZoneInfo(hours.time_zone))
    today = local.date()
    if today.isoformat() in hours.dates:
        return Door.HOLIDAY
    if hours.country and today in public_holidays(hours.country, hours.subdivision, today.year):
        return Door.HOLIDAY
    minute = local.hour * 60 + local.minute
    is_open = any(
        opening.weekday == local.weekday() and opening.from_minute <= minute < opening.to_minute
        for opening in hours.weekly
    )
    return Door.OPEN if is_open else Door.CLOSED


@lru_cache(maxsize=256)
def public_holidays(country: str, subdivision: str, year: int) -> frozenset[date]:
    """The public holidays of a country or a part of it; NotImplementedError when it is unknown."""
    return frozenset(
        holidays.country_holidays(country, subdiv=subdivision or None, years=year).keys()
    )
