"""Stretches of time: how much of an interval is in one, and where rows and days begin."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from services.analytics.model.records import Interval
from services.analytics.model.words import Grouping

HOUR_MS: Final = 3_600_000
INTERVAL_MS: Final = HOUR_MS // 2
"""The classic half hour, of rows and of what counts as now."""
_SIZES: Final = {Grouping.INTERVAL: INTERVAL_MS, Grouping.HOUR: HOUR_MS}


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time, of which nothing after now is known."""

    from_ms: int
    """UTC milliseconds, included."""
    to_ms: int
    """UTC milliseconds, not included."""
    now_ms: int
    """Where open intervals are cut off."""

    def holds(self, at_ms: int) -> bool:
        """Whether a moment is in it."""
        return self.from_ms <= at_ms < self.to_ms

    def spent_ms(self, interval: Interval) -> int:
        """How much of an interval is in it, in milliseconds."""
        end_ms = self.now_ms if interval.to_ms is None else interval.to_ms
        end_ms = min(end_ms, self.to_ms, self.now_ms)
        return max(0, end_ms - max(interval.from_ms, self.from_ms))


def day_start_ms(at_ms: int, zone: ZoneInfo) -> int:
    """When the day of a moment began in a time zone."""
    local = datetime.fromtimestamp(at_ms / 1_000, tz=UTC).astimezone(zone)
    return _midnight_ms(local, zone)


def next_day_ms(at_ms: int, zone: ZoneInfo) -> int:
    """When the day after a moment's begins in a time zone; days with a clock change differ."""
    local = datetime.fromtimestamp(at_ms / 1_000, tz=UTC).astimezone(zone)
    return _midnight_ms(local + timedelta(days=1), zone)


def row_start_ms(at_ms: int, grouping: Grouping, zone: ZoneInfo) -> int:
    """When the row that a moment belongs to begins: half hours, hours or days of the zone."""
    if grouping is Grouping.DAY:
        return day_start_ms(at_ms, zone)
    size_ms = _SIZES[grouping]
    offset = zone.utcoffset(datetime.fromtimestamp(at_ms / 1_000, tz=UTC).astimezone(zone))
    offset_ms = 0 if offset is None else int(offset.total_seconds()) * 1_000
    return (at_ms + offset_ms) // size_ms * size_ms - offset_ms


def next_row_ms(start_ms: int, grouping: Grouping, zone: ZoneInfo) -> int:
    """When the row after the one that begins at `start_ms` begins."""
    if grouping is Grouping.DAY:
        return next_day_ms(start_ms, zone)
    size_ms = _SIZES[grouping]
    next_ms = start_ms + size_ms
    aligned_ms = row_start_ms(next_ms, grouping, zone)
    # Where a clock changes by half an hour, the row in which it does is longer by as much.
    return next_ms if aligned_ms == next_ms else aligned_ms + size_ms


def _midnight_ms(local: datetime, zone: ZoneInfo) -> int:
    # Where the clock skips midnight, the day begins with the first moment after the gap.
    midnight = datetime(local.year, local.month, local.day, tzinfo=zone).astimezone(UTC)
    return round(midnight.timestamp() * 1_000)
