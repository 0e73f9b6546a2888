"""Thresholds judged moment by moment: what is raised, what became worse, what is cleared.

A threshold has two levels, so that a figure that trembles around one of them rings once: an alarm
is raised when the figure has been beyond `raise_at` for a while without a break, and cleared when
it has been back at `clear_at` for as long. A figure without a value, for want of anything below
its line, says nothing: it neither raises nor clears, and breaks the while.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import isfinite
from typing import Final

from services.analytics.core.live import LiveRow
from services.analytics.model.alarms import Alarm, Threshold, Watched
from services.analytics.model.errors import BadThreshold
from services.analytics.model.words import AgentState, Measure

MAX_THRESHOLDS: Final = 200
"""Of one tenant."""
WORST_EVERY_MS: Final = 5_000
"""How often it is told, at most, that an alarm that stands has become worse."""
MAX_FOR_S: Final = 3_600


def check(threshold: Threshold) -> None:
    """BadThreshold, which says what does not go together."""
    if not (isfinite(threshold.raise_at) and isfinite(threshold.clear_at)):
        raise BadThreshold("raise_at and clear_at are numbers")
    if threshold.for_s > MAX_FOR_S:
        raise BadThreshold(f"for_s is at most {MAX_FOR_S}")
    if threshold.is_above and threshold.clear_at > threshold.raise_at:
        raise BadThreshold(
            "an alarm raised above raise_at is cleared at or below it: lower clear_at"
        )
    if not threshold.is_above and threshold.clear_at < threshold.raise_at:
        raise BadThreshold(
            "an alarm raised below raise_at is cleared at or above it: raise clear_at"
        )


def ends_alarm(before: Threshold | None, after: Threshold) -> bool:
    """Whether a change of a threshold ends its alarm: it is not watched, or watches another."""
    if before is None or not after.active:
        return True
    watched = (before.measure, before.queue_id, before.direction)
    return watched != (after.measure, after.queue_id, after.direction)


def measured(measure: Measure, row: LiveRow | None, now_ms: int) -> float | None:
    """What a live row says of a measure; None: no value."""
    if row is None:
        return None
    match measure:
        case Measure.WAITING:
            return float(row.waiting)
        case Measure.LONGEST_WAIT:
            since_ms = row.oldest_waiting_since_ms
            return 0.0 if since_ms is None else float(max(0, now_ms - since_ms))
        case Measure.AGENTS_READY:
            return float(dict(row.agents)[AgentState.READY])
        case _:
            return next((each.value for each in row.now if each.kpi == measure), None)


@dataclass(slots=True)
class _Run:
    """What is known of a threshold beside what is stored."""

    since_ms: int | None = None
    """Since when there has been a reason to raise its alarm, or to clear it."""
    worst: float | None = None
    """The measure at its worst while the alarm stands."""
    told_ms: int | None = None
    """When its worst was told last."""


class Lookout:
    """One tenant's thresholds and open alarms; what it finds counts once it is stored."""

    def __init__(self, watched: Watched) -> None:
        self.revision = 0
        """What its thresholds and alarms were stored under."""
        self.alarms: dict[str, Alarm] = {}
        """Those that are open, by id."""
        self._runs: dict[Threshold, _Run] = {}
        self.renew(watched)

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to look at."""
        return not self._runs

    @property
    def queue_ids(self) -> frozenset[str]:
        """Whose figures it looks at; empty: the tenant's."""
        return frozenset(threshold.queue_id for threshold in self._runs)

    def renew(self, watched: Watched) -> None:
        """Goes on from what is stored now; what runs of an unchanged threshold runs on."""
        self.revision = watched.revision
        self.alarms = {alarm.alarm_id: alarm for alarm in watched.alarms}
        active = (each for each in watched.thresholds if each.active)
        self._runs = {each: self._runs.get(each) or _Run() for each in active}

    def judge(self, rows: Iterable[LiveRow], now_ms: int) -> tuple[Alarm, ...]:
        """The alarms that are new, worse or cleared at a moment, as they are to be stored."""
        by_queue = {row.queue_id: row for row in rows}
        standing = {a.threshold.threshold_id: a for a in self.alarms.values() if a.stands}
        found = []
        for threshold, run in self._runs.items():
            row = by_queue.get(threshold.queue_id)
            value = measured(threshold.measure, row, now_ms)
            if row is None or value is None:
                run.since_ms = None
                continue
            alarm = standing.get(threshold.threshold_id)
            if alarm is not None:
                found.append(_stand(threshold, run, alarm, value, now_ms))
            elif _lasts(threshold, run, holds=threshold.is_beyond(value), now_ms=now_ms):
                found.append(_raised(threshold, row, value, now_ms))
        return tuple(alarm for alarm in found if alarm is not None)

    def accept(self, alarms: Iterable[Alarm]) -> None:
        """What it found is stored, under the next revision."""
        self.revision += 1
        for alarm in alarms:
            before = self.alarms.get(alarm.alarm_id)
            if before is None or before.stands != alarm.stands:
                self._begin_anew(alarm.threshold.threshold_id)
            self.alarms[alarm.alarm_id] = alarm
        self.alarms = {key: alarm for key, alarm in self.alarms.items() if alarm.is_open}

    def _begin_anew(self, threshold_id: str) -> None:
        for threshold in self._runs:
            if threshold.threshold_id == threshold_id:
                self._runs[threshold] = _Run()


def _raised(threshold: Threshold, row: LiveRow, value: float, now_ms: int) -> Alarm:
    return Alarm(
        alarm_id=f"{threshold.threshold_id}.{now_ms}",
        threshold=threshold,
        queue_name=row.name,
        raised_at_ms=now_ms,
        value=value,
        worst=value,
    )


def _stand(
    threshold: Threshold, run: _Run, alarm: Alarm, value: float, now_ms: int
) -> Alarm | None:
    """An alarm that stands, if it has become worse or is over."""
    worst = threshold.worse(alarm.worst if run.worst is None else run.worst, value)
    run.worst = worst
    if _lasts(threshold, run, holds=threshold.is_back(value), now_ms=now_ms):
        return replace(alarm, worst=worst, cleared_at_ms=now_ms)
    told_ms = alarm.raised_at_ms if run.told_ms is None else run.told_ms
    if worst == alarm.worst or now_ms - told_ms < WORST_EVERY_MS:
        return None
    run.told_ms = now_ms
    return replace(alarm, worst=worst)


def _lasts(threshold: Threshold, run: _Run, *, holds: bool, now_ms: int) -> bool:
    """Whether something has been so for as long as the threshold asks, without a break."""
    if not holds:
        run.since_ms = None
        return False
    if run.since_ms is None:
        run.since_ms = now_ms
    return now_ms - run.since_ms >= threshold.for_s * 1_000


def newest_first(alarms: Mapping[str, Alarm]) -> list[Alarm]:
    """Alarms in the order in which people read them."""
    return sorted(
        alarms.values(), key=lambda each: (each.raised_at_ms, each.alarm_id), reverse=True
    )
