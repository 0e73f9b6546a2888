"""What is watched, and what was found."""

from __future__ import annotations

from dataclasses import dataclass

from services.analytics.model.words import Direction, Measure, Severity


@dataclass(frozen=True, slots=True)
class Threshold:
    """What is watched."""

    threshold_id: str
    """Unique within the tenant."""
    name: str
    """What people call it."""
    measure: Measure
    """Which figure."""
    queue_id: str
    """Of which queue; empty: of the tenant as a whole."""
    direction: Direction
    """On which side of `raise_at` it is bad."""
    raise_at: float
    """Raised beyond this, in the measure's unit."""
    clear_at: float
    """Cleared at this, or on its good side."""
    for_s: int
    """How long either must last, in seconds."""
    severity: Severity
    """How bad it is."""
    active: bool
    """False: it is not looked at."""

    def is_beyond(self, value: float) -> bool:
        """Whether a value is a reason to raise the alarm."""
        return value > self.raise_at if self.is_above else value < self.raise_at

    def is_back(self, value: float) -> bool:
        """Whether a value is a reason to clear it."""
        return value <= self.clear_at if self.is_above else value >= self.clear_at

    def worse(self, one: float, other: float) -> float:
        """The worse of two values."""
        return max(one, other) if self.is_above else min(one, other)

    @property
    def is_above(self) -> bool:
        """Whether high values are the bad ones."""
        return self.direction is Direction.ABOVE


@dataclass(frozen=True, slots=True)
class Alarm:
    """One time that a threshold was passed."""

    alarm_id: str
    """Unique within the tenant."""
    threshold: Threshold
    """As it was then."""
    queue_name: str
    """What people called the queue then; empty: the tenant."""
    raised_at_ms: int
    """UTC milliseconds."""
    value: float
    """The measure when it was raised."""
    worst: float
    """The measure at its worst since."""
    cleared_at_ms: int | None = None
    """UTC milliseconds; None: it stands."""
    acknowledged_at_ms: int | None = None
    """UTC milliseconds; None: nobody has seen it."""
    acknowledged_by: str = ""
    """The user who has."""
    acknowledged_by_name: str = ""
    """What people call them."""
    note: str = ""
    """What they say about it."""

    @property
    def stands(self) -> bool:
        """Whether it has not been cleared."""
        return self.cleared_at_ms is None

    @property
    def is_open(self) -> bool:
        """Whether it stands, or nobody has seen it."""
        return self.stands or self.acknowledged_at_ms is None


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """That somebody has seen an alarm."""

    at_ms: int
    """UTC milliseconds."""
    by: str
    """The user."""
    by_name: str
    """What people call them."""
    note: str
    """What they say about it."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A tenant's thresholds with the alarms that are open, all of one moment."""

    revision: int = 0
    """Grows with each change of any of them."""
    thresholds: tuple[Threshold, ...] = ()
    """By id."""
    alarms: tuple[Alarm, ...] = ()
    """All that stand, and the newest of those that nobody has seen; newest first."""


@dataclass(frozen=True, slots=True)
class AlarmQuery:
    """Alarms raised within a stretch of time."""

    from_ms: int
    """UTC milliseconds, included."""
    to_ms: int
    """UTC milliseconds, not included."""
    open_only: bool = False
    """True: only those that stand or nobody has seen."""
