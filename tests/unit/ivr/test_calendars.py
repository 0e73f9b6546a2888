"""When a calendar is open, and when that changes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from services.ivr.core.joining import by_calendar
from services.ivr.core.opening import Door, changes_at_ms, door_at, is_open, named_holidays
from services.ivr.model.calendars import Calendar, Opening, SpecialDay
from services.ivr.model.flow import Hours

WORKING = tuple(Opening(day, 9 * 60, 17 * 60) for day in range(5))
CHRISTMAS = (
    SpecialDay("2026-12-24", "Christmas Eve", ((9 * 60, 12 * 60),)),
    SpecialDay("2026-12-25", "Christmas Day"),
)
OFFICE = Calendar("office", "Office", "Europe/Berlin", WORKING, CHRISTMAS)
NODE = Hours("door", "", (), (), "", "", "in", "out", "off", calendar="office")


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000)


@pytest.mark.parametrize(
    ("now", "door", "change"),
    [
        ("2026-11-23 07:59", Door.CLOSED, "2026-11-23 08:00"),  # Berlin is an hour ahead
        ("2026-11-23 08:00", Door.OPEN, "2026-11-23 16:00"),
        ("2026-11-23 15:59", Door.OPEN, "2026-11-23 16:00"),
        ("2026-11-27 16:00", Door.CLOSED, "2026-11-30 08:00"),  # over the weekend
        ("2026-12-24 08:30", Door.OPEN, "2026-12-24 11:00"),
        ("2026-12-24 11:00", Door.CLOSED, "2026-12-28 08:00"),
        ("2026-12-25 10:00", Door.HOLIDAY, "2026-12-28 08:00"),
        ("2026-06-15 07:30", Door.OPEN, "2026-06-15 15:00"),  # two hours ahead in summer
    ],
)
def test_the_week_counts_but_on_special_days(now: str, door: Door, change: str) -> None:
    assert door_at(by_calendar(NODE, OFFICE, "UTC"), at(now)) is door
    assert is_open(OFFICE, "UTC", at(now)) is (door is Door.OPEN)
    assert changes_at_ms(OFFICE, "UTC", at(now)) == at(change)


def test_a_calendar_without_a_zone_goes_by_the_tenants() -> None:
    local = Calendar("shop", "", "", WORKING, ())
    assert not is_open(local, "UTC", at("2026-11-23 08:30"))
    assert is_open(local, "Europe/Berlin", at("2026-11-23 08:30"))
    assert changes_at_ms(local, "Asia/Shanghai", at("2026-11-23 00:30")) == at("2026-11-23 01:00")
    assert door_at(by_calendar(NODE, local, "Asia/Shanghai"), at("2026-11-23 01:00")) is Door.OPEN


def test_what_never_changes_says_so_and_a_far_day_off_is_found() -> None:
    never = Calendar("never", "", "UTC", (), ())
    assert changes_at_ms(never, "UTC", at("2026-11-23 08:30")) == 0
    week = tuple(Opening(day, 0, 1_440) for day in range(7))
    always = Calendar("always", "", "UTC", week, ())
    assert changes_at_ms(always, "UTC", at("2026-11-23 08:30")) == 0
    day_off = Calendar("but", "", "UTC", week, (SpecialDay("2031-05-01", "Labour Day"),))
    assert changes_at_ms(day_off, "UTC", at("2026-11-23 08:30")) == at("2031-05-01 00:00")
    assert changes_at_ms(day_off, "UTC", at("2031-05-01 08:30")) == at("2031-05-02 00:00")
    past = Calendar("was", "", "UTC", week, (SpecialDay("2020-05-01", "Labour Day"),))
    assert changes_at_ms(past, "UTC", at("2026-11-23 08:30")) == 0


def test_holidays_have_names() -> None:
    days = dict(named_holidays("RO", 2026))
    assert any(day.isoformat() == "2026-12-01" for day in days)
    assert all(days.values())
    with pytest.raises(NotImplementedError):
        named_holidays("XX", 2026)
