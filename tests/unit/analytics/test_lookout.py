"""Thresholds judged moment by moment."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.analytics.core.alarms import Lookout, check, ends_alarm, measured, newest_first
from services.analytics.core.formulas import Figure
from services.analytics.core.live import LiveRow
from services.analytics.model.alarms import Alarm, Threshold, Watched
from services.analytics.model.errors import BadThreshold
from services.analytics.model.words import AgentState, Direction, Measure, Severity, Unit

T0 = 1_700_000_000_000
S = 1_000
CROWD = Threshold(
    threshold_id="crowd",
    name="Many wait",
    measure=Measure.WAITING,
    queue_id="sales",
    direction=Direction.ABOVE,
    raise_at=5,
    clear_at=2,
    for_s=10,
    severity=Severity.CRITICAL,
    active=True,
)
LEVEL = replace(
    CROWD,
    threshold_id="level",
    measure=Measure.SERVICE_LEVEL,
    direction=Direction.BELOW,
    raise_at=80,
    clear_at=85,
    for_s=0,
)


def row(waiting: int = 0, level: float | None = None, **more: object) -> LiveRow:
    figure = Figure("service_level", "V3", Unit.PERCENT, level, 0, 0)
    kept: dict[str, object] = {
        "queue_id": "sales",
        "name": "Sales",
        "waiting": waiting,
        "oldest_waiting_since_ms": None,
        "today": (),
        "now": (figure,),
        "agents": tuple((state, int(state is AgentState.READY)) for state in AgentState),
    }
    return LiveRow(**(kept | more))  # type: ignore[arg-type]  # any field


class Watch:
    """A lookout whose findings are stored at once."""

    def __init__(self, *thresholds: Threshold, alarms: tuple[Alarm, ...] = ()) -> None:
        self.lookout = Lookout(Watched(1, thresholds, alarms))

    def see(self, at_s: float, *rows: LiveRow) -> list[Alarm]:
        found = self.lookout.judge(rows, T0 + round(at_s * S))
        if found:
            self.lookout.accept(found)
        return list(found)


def test_an_alarm_is_raised_once_what_is_bad_has_lasted() -> None:
    watch = Watch(CROWD)
    assert watch.see(0, row(6)) == []
    assert watch.see(9.9, row(9)) == []
    (alarm,) = watch.see(10, row(7))
    assert alarm == Alarm(
        alarm_id=f"crowd.{T0 + 10 * S}",
        threshold=CROWD,
        queue_name="Sales",
        raised_at_ms=T0 + 10 * S,
        value=7,
        worst=7,
    )
    assert watch.see(11, row(7)) == []


def test_a_moment_of_peace_begins_the_while_anew() -> None:
    watch = Watch(CROWD)
    watch.see(0, row(6))
    watch.see(8, row(5))
    watch.see(9, row(6))
    assert watch.see(18, row(6)) == []
    assert len(watch.see(19, row(6))) == 1


def test_between_the_two_levels_nothing_is_raised_and_nothing_cleared() -> None:
    watch = Watch(CROWD)
    watch.see(0, row(6))
    watch.see(10, row(6))
    for at_s in range(11, 60):
        assert watch.see(at_s, row(3 + at_s % 3)) == []
    assert watch.see(60, row(2)) == []
    assert watch.see(65, row(3)) == []
    assert watch.see(66, row(2)) == []
    (cleared,) = watch.see(76, row(1))
    assert (cleared.cleared_at_ms, cleared.stands, cleared.is_open) == (T0 + 76 * S, False, True)
    assert watch.see(77, row(6)) == []
    assert len(watch.see(87, row(6))) == 1


def test_below_is_the_mirror_image() -> None:
    watch = Watch(LEVEL)
    assert watch.see(0, row(level=80)) == []
    assert len(watch.see(1, row(level=79.9))) == 1
    assert watch.see(2, row(level=84.9)) == []
    (cleared,) = watch.see(3, row(level=85))
    assert (cleared.value, cleared.worst) == (79.9, 79.9)


def test_the_worst_is_told_now_and_then_and_at_the_end() -> None:
    watch = Watch(LEVEL)
    watch.see(0, row(level=70))
    assert watch.see(1, row(level=50)) == []
    (worse,) = watch.see(5, row(level=60))
    assert (worse.worst, worse.value) == (50, 70)
    assert watch.see(9, row(level=40)) == []
    assert [each.worst for each in watch.see(10, row(level=90))] == [40]


def test_a_figure_without_a_value_neither_raises_nor_clears_and_breaks_the_while() -> None:
    slow = replace(LEVEL, for_s=10)
    watch = Watch(slow)
    watch.see(0, row(level=10))
    watch.see(5, row(level=None))
    assert watch.see(10, row(level=10)) == []
    assert len(watch.see(20, row(level=10))) == 1
    for at_s in (21, 40, 60):
        assert watch.see(at_s, row(level=None)) == []
    assert watch.see(61) == [], "its queue has no row"
    watch.see(62, row(level=90))
    assert [each.stands for each in watch.see(72, row(level=90))] == [False]


def test_who_goes_on_from_what_is_stored_does_not_raise_it_again() -> None:
    first = Watch(CROWD)
    first.see(0, row(6))
    first.see(10, row(6))
    successor = Watch(CROWD, alarms=tuple(first.lookout.alarms.values()))
    for at_s in range(11, 40):
        assert [each.alarm_id for each in successor.see(at_s, row(7))] in (
            [],
            [f"crowd.{T0 + 10 * S}"],
        )
    (alarm,) = successor.lookout.alarms.values()
    assert alarm.worst == 7


def test_what_has_not_changed_runs_on_when_it_is_read_anew() -> None:
    watch = Watch(CROWD, LEVEL)
    watch.see(0, row(6, level=100))
    watch.lookout.renew(Watched(7, (CROWD, replace(LEVEL, raise_at=70))))
    assert watch.lookout.revision == 7
    assert [each.alarm_id for each in watch.see(10, row(6))] == [f"crowd.{T0 + 10 * S}"]
    watch.lookout.renew(Watched(9, (replace(CROWD, for_s=5),)))
    watch.see(11, row(6))
    assert watch.see(15, row(6)) == []


def test_an_alarm_that_is_over_and_was_seen_is_let_go() -> None:
    watch = Watch(LEVEL)
    (alarm,) = watch.see(0, row(level=1))
    seen = replace(alarm, acknowledged_at_ms=T0)
    watch.lookout.renew(Watched(4, (LEVEL,), (seen,)))
    assert len(watch.see(1, row(level=99))) == 1
    assert not watch.lookout.alarms
    assert watch.lookout.revision == 5


def test_only_what_is_active_is_looked_at() -> None:
    watch = Watch(replace(CROWD, active=False))
    assert watch.lookout.is_idle
    assert watch.see(0, row(99)) == []
    assert Watch(CROWD, replace(LEVEL, queue_id="")).lookout.queue_ids == {"sales", ""}


def test_every_measure_is_read_from_the_live_row() -> None:
    figures = tuple(
        Figure(kpi, "", Unit.MS, number, 0, 0)
        for number, kpi in enumerate(
            ("service_level", "asa", "abandon_rate", "average_handle_time", "occupancy"), start=10
        )
    )
    crowded = row(3, now=figures, oldest_waiting_since_ms=T0 - 7)
    assert {measure: measured(measure, crowded, T0) for measure in Measure} == {
        "waiting": 3,
        "longest_wait": 7,
        "agents_ready": 1,
        "service_level": 10,
        "asa": 11,
        "abandon_rate": 12,
        "average_handle_time": 13,
        "occupancy": 14,
    }
    assert measured(Measure.LONGEST_WAIT, row(), T0) == 0
    assert measured(Measure.ASA, row(), T0) is None
    assert measured(Measure.WAITING, None, T0) is None


def test_an_alarm_ends_when_its_threshold_watches_something_else() -> None:
    assert not ends_alarm(CROWD, replace(CROWD, raise_at=9, name="x", severity=Severity.WARNING))
    assert ends_alarm(None, CROWD)
    for change in (
        {"active": False},
        {"measure": Measure.LONGEST_WAIT},
        {"queue_id": ""},
        {"direction": Direction.BELOW},
    ):
        assert ends_alarm(CROWD, replace(CROWD, **change))


@pytest.mark.parametrize(
    ("threshold", "why"),
    [
        (replace(CROWD, clear_at=6), "lower clear_at"),
        (replace(LEVEL, clear_at=79), "raise clear_at"),
        (replace(CROWD, raise_at=float("inf")), "numbers"),
        (replace(CROWD, clear_at=float("nan")), "numbers"),
        (replace(CROWD, for_s=3_601), "at most 3600"),
    ],
)
def test_what_does_not_go_together_is_refused_with_its_reason(
    threshold: Threshold, why: str
) -> None:
    with pytest.raises(BadThreshold, match=why):
        check(threshold)


def test_levels_may_be_one_and_people_read_the_newest_first() -> None:
    check(replace(CROWD, clear_at=5, for_s=3_600))
    check(LEVEL)
    watch = Watch(CROWD, replace(LEVEL, for_s=5))
    watch.see(0, row(6, level=1))
    watch.see(5, row(6, level=1))
    watch.see(10, row(6, level=1))
    ordered = newest_first(watch.lookout.alarms)
    assert [each.threshold.threshold_id for each in ordered] == ["crowd", "level"]
