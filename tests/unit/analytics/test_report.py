"""Rows by whatever is asked for, and where they begin."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.analytics.core.catalogue import choose
from services.analytics.core.formulas import Formulas
from services.analytics.core.measures import Terms
from services.analytics.core.report import MAX_FIGURES, MAX_ROWS, Report, ReportRow
from services.analytics.core.windows import (
    HOUR_MS,
    INTERVAL_MS,
    Window,
    day_start_ms,
    next_day_ms,
    row_start_ms,
)
from services.analytics.model.errors import BadRange
from services.analytics.model.records import Call, Entry, Interval
from services.analytics.model.words import AgentState, Exit, Grouping

BERLIN = ZoneInfo("Europe/Berlin")
KATHMANDU = ZoneInfo("Asia/Kathmandu")
BEIRUT = ZoneInfo("Asia/Beirut")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000)


DAY = ms("2026-03-10T00:00")
KPIS = choose(("offered", "occupancy", "total_calls:received"))


def entry(number: int, at_ms: int, queue_id: str = "q", agent_id: str = "") -> Entry:
    way = Exit.ANSWERED if agent_id else Exit.ABANDONED
    return Entry(f"e{number}", "c", queue_id, "", "voice", at_ms, way, agent_id=agent_id)


def interval(
    state: AgentState, from_ms: int, to_ms: int | None, *, agent_id: str = "a", queues: str = "p q"
) -> Interval:
    return Interval(agent_id, "", tuple(queues.split()), 1, state, "", from_ms, to_ms)


def report(grouping: Grouping, *, to_ms: int = DAY + 2 * HOUR_MS, **more: object) -> Report:
    window = Window(DAY, to_ms, DAY + 90 * 60_000)
    kept: dict[str, object] = {"zone": ZoneInfo("UTC"), "formulas": Formulas(KPIS, Terms())}
    return Report(grouping=grouping, window=window, **(kept | more))  # type: ignore[arg-type]  # any argument


def filled(made: Report) -> dict[str, tuple[int, int, int]]:
    """offered; talk and hold, in minutes; calls."""
    made.add_entry(entry(1, DAY))
    made.add_entry(entry(2, DAY + INTERVAL_MS, "p", "a"))
    made.add_entry(entry(3, DAY + INTERVAL_MS, "q", "b"))
    made.add_interval(interval(AgentState.TALKING, DAY - HOUR_MS, DAY + HOUR_MS))
    made.add_interval(interval(AgentState.HOLDING, DAY + HOUR_MS, None, agent_id="b", queues="q"))
    made.add_call(Call("c", DAY + HOUR_MS))
    return shown(made)


def shown(made: Report) -> dict[str, tuple[int, int, int]]:
    return {
        row.key: (
            row.figures[0].numerator,
            row.figures[1].numerator // 60_000,
            row.figures[2].numerator,
        )
        for row in made.rows()
    }


def test_in_total() -> None:
    assert filled(report(Grouping.TOTAL)) == {"": (3, 90, 1)}


def test_by_queue_and_an_agent_of_two_counts_in_both() -> None:
    assert filled(report(Grouping.QUEUE)) == {"p": (1, 60, 0), "q": (2, 90, 0)}


def test_by_queue_only_those_asked_for_and_those_without_a_record() -> None:
    made = report(Grouping.QUEUE, queue_ids=("p", "empty"), keys=("empty", "p"))
    made.add_interval(interval(AgentState.READY, DAY, None))
    assert [row.key for row in made.rows()] == ["empty", "p"]


def test_by_agent_who_answered() -> None:
    found = filled(report(Grouping.AGENT, keys=("c",)))
    assert found == {"a": (1, 60, 0), "b": (1, 30, 0), "c": (0, 0, 0)}


def test_by_half_hour_every_row_is_there() -> None:
    assert filled(report(Grouping.INTERVAL)) == {
        str(DAY): (1, 30, 0),
        str(DAY + INTERVAL_MS): (2, 30, 0),
        str(DAY + HOUR_MS): (0, 30, 1),
        str(DAY + HOUR_MS + INTERVAL_MS): (0, 0, 0),
    }


def test_by_hour_and_by_day() -> None:
    assert filled(report(Grouping.HOUR)) == {
        str(DAY): (3, 60, 0),
        str(DAY + HOUR_MS): (0, 30, 1),
    }
    assert filled(report(Grouping.DAY)) == {str(DAY): (3, 90, 1)}


def test_rows_of_a_day_are_as_long_as_the_day() -> None:
    """On the last Sunday in March, Berlin's day has 23 hours."""
    start = ms("2026-03-28T23:00")
    window = Window(start, ms("2026-03-30T22:00"), ms("2026-04-01T00:00"))
    made = Report(
        grouping=Grouping.DAY,
        window=window,
        zone=BERLIN,
        formulas=Formulas(choose(("occupancy",)), Terms()),
    )
    made.add_interval(interval(AgentState.TALKING, start, None))
    hours = {row.key: row.figures[0].numerator / HOUR_MS for row in made.rows()}
    assert hours == {str(start): 23.0, str(ms("2026-03-29T22:00")): 24.0}


def test_rows_begin_where_the_tenants_hours_do() -> None:
    noon = ms("2026-03-10T12:00")
    assert row_start_ms(noon, Grouping.HOUR, KATHMANDU) == ms("2026-03-10T11:15")
    assert row_start_ms(noon, Grouping.INTERVAL, KATHMANDU) == ms("2026-03-10T11:45")
    assert row_start_ms(noon, Grouping.DAY, KATHMANDU) == ms("2026-03-09T18:15")


def test_a_day_whose_midnight_is_skipped_begins_after_the_gap() -> None:
    morning = ms("2026-03-29T06:00")
    assert day_start_ms(morning, BEIRUT) == ms("2026-03-28T22:00")
    assert next_day_ms(morning, BEIRUT) == ms("2026-03-29T21:00")
    assert next_day_ms(ms("2026-03-28T12:00"), BEIRUT) == ms("2026-03-28T22:00")


def test_where_a_clock_changes_by_half_an_hour_that_row_is_longer() -> None:
    """And nothing that happens in it is lost: on Lord Howe Island, at 15:00 UTC."""
    start, change = ms("2026-04-04T14:00"), ms("2026-04-04T15:00")
    made = Report(
        grouping=Grouping.HOUR,
        window=Window(start, change + 90 * 60_000, change + 24 * HOUR_MS),
        zone=LORD_HOWE,
        formulas=Formulas(KPIS, Terms()),
    )
    made.add_entry(entry(1, start))
    made.add_entry(entry(2, change + 60_000))
    made.add_interval(interval(AgentState.TALKING, start, change + HOUR_MS))
    made.add_call(Call("c", change))
    assert shown(made) == {
        str(start): (2, 90, 1),
        str(change + INTERVAL_MS): (0, 30, 0),
    }


@given(
    zone=st.sampled_from(("UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe")),
    grouping=st.sampled_from((Grouping.INTERVAL, Grouping.HOUR, Grouping.DAY)),
    from_min=st.integers(0, 600),
    length_min=st.integers(1, 3_000),
    moments=st.lists(st.integers(0, 3_600), max_size=8),
)
def test_rows_by_time_add_up_to_the_total(
    zone: str, grouping: Grouping, from_min: int, length_min: int, moments: list[int]
) -> None:
    """In the days in which clocks change, too: nothing is lost between rows or counted twice."""
    first = ms("2026-04-04T09:00") if zone == "Australia/Lord_Howe" else ms("2026-03-28T09:00")
    from_ms = first + from_min * 60_000
    window = Window(from_ms, from_ms + length_min * 60_000, first + 2_000 * 60_000)
    sums: list[list[int]] = []
    for by in (grouping, Grouping.TOTAL):
        made = Report(
            grouping=by, window=window, zone=ZoneInfo(zone), formulas=Formulas(KPIS, Terms())
        )
        for number, minute in enumerate(moments):
            at_ms = first + minute * 60_000
            if window.holds(at_ms):
                made.add_entry(entry(number, at_ms))
                made.add_call(Call("c", at_ms))
            made.add_interval(interval(AgentState.TALKING, at_ms, at_ms + number * HOUR_MS))
            made.add_interval(interval(AgentState.READY, at_ms, None))
        rows = [[each.numerator for each in row.figures] for row in made.rows()]
        sums.append([sum(column) for column in zip(*rows, strict=True)])
    assert sums[0] == sums[1]


def test_too_many_rows_are_refused_with_a_way_out() -> None:
    to_ms = DAY + (MAX_ROWS + 1) * INTERVAL_MS
    with pytest.raises(BadRange, match="longer rows"):
        report(Grouping.INTERVAL, to_ms=to_ms)
    assert len(report(Grouping.HOUR, to_ms=to_ms).rows()) == MAX_ROWS // 2 + 1


def test_a_row_for_each_of_too_many_agents_is_refused_with_a_way_out() -> None:
    agents = [f"a{number}" for number in range(MAX_FIGURES // len(KPIS))]
    made = report(Grouping.AGENT, keys=agents)
    made.add_entry(entry(1, DAY, agent_id=agents[0]))
    assert len(made.rows()) == len(agents)
    with pytest.raises(BadRange, match="some of the queues or agents"):
        made.add_entry(entry(2, DAY, agent_id="one more"))


def test_figures_come_in_the_order_asked_for() -> None:
    (row,) = report(Grouping.TOTAL).rows()
    assert isinstance(row, ReportRow)
    assert [each.kpi for each in row.figures] == ["offered", "occupancy", "total_calls"]


@pytest.mark.parametrize(
    ("from_ms", "to_ms", "spent"),
    [(0, 10, 0), (90, 95, 0), (90, 110, 10), (110, 120, 10), (190, 300, 10), (200, 300, 0)],
)
def test_only_what_is_within_the_window_counts(from_ms: int, to_ms: int, spent: int) -> None:
    window = Window(100, 200, 1_000)
    assert window.spent_ms(interval(AgentState.READY, from_ms, to_ms)) == spent


def test_an_open_interval_reaches_to_now_and_not_beyond() -> None:
    assert Window(100, 10**6, 150).spent_ms(interval(AgentState.READY, 120, None)) == 30
    assert Window(100, 130, 150).spent_ms(interval(AgentState.READY, 120, None)) == 10
    assert Window(160, 170, 150).spent_ms(interval(AgentState.READY, 120, None)) == 0
