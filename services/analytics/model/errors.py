"""What is refused, by name."""

from __future__ import annotations

from typing import ClassVar

from services.chassis.errors import CarillonError, Kind


class NoSuchKpi(CarillonError):
    """No KPI, or no formula of it, has this name."""

    code: ClassVar[str] = "no-such-kpi"
    kind: ClassVar[Kind] = Kind.INVALID


class KpiNotFor(CarillonError):
    """The KPI says nothing about what it was asked for."""

    code: ClassVar[str] = "kpi-not-for-this"
    kind: ClassVar[Kind] = Kind.INVALID


class BadRange(CarillonError):
    """The stretch of time is empty, too long, or makes too many rows."""

    code: ClassVar[str] = "bad-range"
    kind: ClassVar[Kind] = Kind.INVALID


class BadFilter(CarillonError):
    """A word or a number of a filter is not one of its values."""

    code: ClassVar[str] = "bad-filter"
    kind: ClassVar[Kind] = Kind.INVALID


class NotYours(CarillonError):
    """Somebody who may see only their own asked for another agent's."""

    code: ClassVar[str] = "not-yours"
    kind: ClassVar[Kind] = Kind.DENIED


class NoSuchContact(CarillonError):
    """Nothing is known of a contact of this id."""

    code: ClassVar[str] = "no-such-contact"
    kind: ClassVar[Kind] = Kind.NOT_FOUND


class BadThreshold(CarillonError):
    """A threshold's fields do not go together, or one of them is not one of its values."""

    code: ClassVar[str] = "bad-threshold"
    kind: ClassVar[Kind] = Kind.INVALID


class TooManyThresholds(CarillonError):
    """The tenant has as many thresholds as there may be."""

    code: ClassVar[str] = "too-many-thresholds"
    kind: ClassVar[Kind] = Kind.EXHAUSTED


class NoSuchThreshold(CarillonError):
    """The tenant has no threshold of this id."""

    code: ClassVar[str] = "no-such-threshold"
    kind: ClassVar[Kind] = Kind.NOT_FOUND


class NoSuchAlarm(CarillonError):
    """The tenant has no alarm of this id."""

    code: ClassVar[str] = "no-such-alarm"
    kind: ClassVar[Kind] = Kind.NOT_FOUND
