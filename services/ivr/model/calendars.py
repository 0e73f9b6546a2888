"""When a business is open: weekly hours, and days on which the week does not count."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Opening:
    """An interval of one weekday."""

    weekday: int
    """0 is Monday."""
    from_minute: int
    """Minutes after local midnight, the first that is open."""
    to_minute: int
    """The first that is closed again; 1,440 is the end of the day."""


@dataclass(frozen=True, slots=True)
class SpecialDay:
    """A date on which the week does not count."""

    date: str
    """ISO 8601."""
    name: str
    """For people, for example `Christmas Eve`."""
    hours: tuple[tuple[int, int], ...] = ()
    """Minutes after local midnight, first open and first closed again; none: off all day."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """When a business is open; flows go by it by its id."""

    calendar_id: str
    """Unique in the tenant."""
    name: str
    """For people."""
    time_zone: str
    """IANA name; empty: the tenant's."""
    week: tuple[Opening, ...]
    """At most 100."""
    special_days: tuple[SpecialDay, ...]
    """At most 400, by date."""
    used_by: tuple[str, ...] = ()
    """Flows whose published version names it."""
