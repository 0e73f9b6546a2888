"""Reports, and the records behind every figure, as the face shows them."""

from __future__ import annotations

from typing import Any

import pytest

from protos.analytics.v1 import analytics_pb2 as pb
from protos.common.v1 import common_pb2
from services.analytics.core.catalogue import CATALOGUE
from services.chassis.simulated import START_MS
from tests.unit.analytics.scene import (
    DEMO,
    SPAN,
    Play,
    S,
    Scene,
    call_facts,
)


def test_a_report_in_total(play: Play) -> None:
    async def story(scene: Scene) -> None:
        await scene.a_morning()
        await call_facts(scene)
        total = (await scene.report())[""]
        assert set(total) == {kpi.label for kpi in CATALOGUE}
        assert total["service_level:V3"] == pytest.approx(100 / 3)
        assert total["turned_away"] == total["waiting"] == 1
        assert total["queued_rate"] == 50
        assert total["answered_rate:received"] == 50
        assert total["average_hold_time:held"] is None
        lenient = (await scene.report(threshold_s=31, kpis=["service_level"]))[""]
        assert lenient == {"service_level:V3": pytest.approx(200 / 3)}

    play(story)


def test_a_report_by_queue_agent_and_time(play: Play) -> None:
    async def story(scene: Scene) -> None:
        await scene.a_morning()
        queues = await scene.report(by="queue", kpis=["offered", "occupancy"])
        assert {key: row["offered"] for key, row in queues.items()} == {"sales": 3, "support": 2}
        assert queues["support"]["occupancy:talk-hold"] is None
        agents = await scene.report(by="agent")
        assert agents["anna"]["answered"] == 2
        assert agents["anna"]["average_talk_time"] == 60 * S
        assert "service_level:V3" not in agents["anna"]
        halves = await scene.report(by="interval", kpis=["offered", "total_calls:received"])
        assert [row["offered"] for row in halves.values()] == [5, 0]
        hours = await scene.report(by="hour", queue_ids=["sales"], kpis=["offered"])
        assert hours == {str(START_MS): {"offered": 3}}

    play(story)


def test_rows_have_names(play: Play) -> None:
    async def story(scene: Scene) -> None:
        await scene.a_morning()
        for by, name in (
            ("queue", "Sales"),
            ("agent", "Anna"),
            ("day", "2026-01-01T00:00:00+00:00"),
            ("total", ""),
        ):
            request = pb.GetReportRequest(from_ms=START_MS, to_ms=START_MS + 1, by=by)
            found = await scene.stub.GetReport(request, metadata=DEMO)
            assert found.rows[0].name == name

    play(story)


def test_every_figure_lists_what_is_behind_it(play: Play) -> None:
    """As many as it counts, above and below the line, for every KPI that there is."""

    async def story(scene: Scene) -> None:
        await scene.a_morning()
        await call_facts(scene)
        report = await scene.stub.GetReport(pb.GetReportRequest(**SPAN), metadata=DEMO)
        listed = 0
        for kpi, figure in zip(CATALOGUE, report.rows[0].figures, strict=True):
            for part, number, below in (
                (kpi.numerator, figure.numerator, False),
                (kpi.denominator, figure.denominator, True),
            ):
                if part is None:
                    continue
                behind: dict[str, Any] = {"behind": kpi.label, "denominator": below, **SPAN}
                counted = await sums_behind(scene, behind, part)
                assert number in counted, kpi.label
                listed += 1
        assert listed > 60

    async def sums_behind(scene: Scene, behind: dict[str, Any], part: Any) -> tuple[float, ...]:
        """What the records listed may add up to: their number, a time of theirs, or both."""
        match type(part).__name__:
            case "OfCalls":
                calls = await scene.stub.ListCalls(pb.ListCallsRequest(**behind), metadata=DEMO)
                return (len(calls.calls),)
            case "OfTime":
                intervals = await scene.stub.ListIntervals(
                    pb.ListIntervalsRequest(**behind), metadata=DEMO
                )
                return (sum((i.to_ms or scene.now_ms) - i.from_ms for i in intervals.intervals),)
            case _:
                found = (await scene.entry_page(**behind)).entries
                talk, hold, wrap = (
                    sum(getattr(each, name) for each in found)
                    for name in ("talk_ms", "hold_ms", "wrap_up_ms")
                )
                return (
                    len(found),
                    sum(each.wait_ms for each in found),
                    sum(each.ring_ms for each in found),
                    talk,
                    hold,
                    wrap,
                    talk + wrap,
                    talk + hold + wrap,
                )

    play(story)


def test_entries_are_shown_as_they_were(play: Play) -> None:
    async def story(scene: Scene) -> None:
        await scene.a_morning()
        (entry,) = (await scene.entry_page(behind="handled")).entries
        assert entry == pb.Entry(
            entry_id="e1",
            contact_id="call-e1",
            queue_id="sales",
            queue_name="Sales",
            offered_at_ms=entry.offered_at_ms,
            left_at_ms=entry.left_at_ms,
            exit="answered",
            wait_ms=10 * S,
            agent_id="anna",
            agent_name="Anna",
            talk_ms=60 * S,
            disposition="sold",
            attributes={"from": "+491"},
            external_ref="crm-7",
        )

    play(story)


def test_entries_are_filtered_and_paged(play: Play) -> None:
    async def story(scene: Scene) -> None:
        await scene.a_morning()
        assert await scene.entries(queue_id="support") == ["e4", "e5"]
        assert await scene.entries(agent_id="anna") == ["e1", "e2"]
        assert await scene.entries(exits=["refused", "abandoned"]) == ["e3", "e4"]
        assert await scene.entries(behind="service_level:V3") == ["e1"]
        assert await scene.entries(behind="service_level:V3", threshold_s=31) == ["e1", "e2"]
        below = await scene.entries(behind="service_level", denominator=True)
        assert below == ["e1", "e2", "e3"]
        seen: list[str] = []
        token = ""
        for _ in range(3):
            page = await scene.entry_page(page=common_pb2.PageRequest(size=2, token=token))
            seen += [each.entry_id for each in page.entries]
            token = page.page.next_token
        assert seen == ["e1", "e2", "e3", "e4", "e5"]
        assert not token

    play(story)


def test_intervals_and_calls_are_paged_too(play: Play) -> None:
    async def story(scene: Scene) -> None:
        await scene.a_morning()
        await call_facts(scene)
        states: list[str] = []
        token = ""
        for _ in range(3):
            request = pb.ListIntervalsRequest(
                **SPAN, page=common_pb2.PageRequest(size=1, token=token)
            )
            page = await scene.stub.ListIntervals(request, metadata=DEMO)
            states += [each.state for each in page.intervals]
            token = page.page.next_token
        assert states == ["ready", "talking", "ready"]
        assert not token
        one = pb.ListCallsRequest(**SPAN, page=common_pb2.PageRequest(size=1))
        first = await scene.stub.ListCalls(one, metadata=DEMO)
        assert (first.calls[0].call_id, first.calls[0].queued) == ("call-e1", True)
        assert first.calls[0].termination == "success/caller-hung-up"
        one.page.token = first.page.next_token
        second = await scene.stub.ListCalls(one, metadata=DEMO)
        assert [each.call_id for each in second.calls] == ["call-lost"]
        assert not second.page.next_token

    play(story)


def test_the_newest_come_first_where_that_is_asked_for(play: Play) -> None:
    async def story(scene: Scene) -> None:
        await scene.a_morning()
        await call_facts(scene)
        seen: dict[str, list[str]] = {"entries": [], "intervals": [], "calls": []}
        tokens = dict.fromkeys(seen, "")
        for _ in range(5):
            for kind, ask, request, name in (
                ("entries", scene.stub.ListEntries, pb.ListEntriesRequest, "entry_id"),
                ("intervals", scene.stub.ListIntervals, pb.ListIntervalsRequest, "state"),
                ("calls", scene.stub.ListCalls, pb.ListCallsRequest, "call_id"),
            ):
                page = common_pb2.PageRequest(size=2, token=tokens[kind])
                if tokens[kind] or not seen[kind]:
                    asked: Any = request(**SPAN, page=page, newest_first=True)
                    found = await ask(asked, metadata=DEMO)
                    seen[kind] += [getattr(each, name) for each in getattr(found, kind)]
                    tokens[kind] = found.page.next_token
        assert seen == {
            "entries": ["e5", "e4", "e3", "e2", "e1"],
            "intervals": ["ready", "talking", "ready"],
            "calls": ["call-lost", "call-e1"],
        }

    play(story)


def test_records_of_several_queues_and_agents_are_found_together(play: Play) -> None:
    async def story(scene: Scene) -> None:
        await scene.a_morning()
        everything = await scene.entries()
        queues = {each.queue_id for each in (await scene.entry_page()).entries}
        assert await scene.entries(queue_ids=sorted(queues)) == everything
        one = await scene.entries(queue_id=min(queues))
        assert await scene.entries(queue_ids=["none"], queue_id=min(queues)) == one != everything
        assert await scene.entries(queue_ids=["none", "other"]) == []
        theirs = await scene.entries(agent_id="anna")
        assert theirs != everything
        assert await scene.entries(agent_ids=["anna", "nobody"]) == theirs
        asked = pb.ListIntervalsRequest(**SPAN, agent_ids=["anna", "nobody"], queue_ids=["none"])
        assert not (await scene.stub.ListIntervals(asked, metadata=DEMO)).intervals
        del asked.queue_ids[:]
        assert len((await scene.stub.ListIntervals(asked, metadata=DEMO)).intervals) == 3

    play(story)


def test_calls_are_found_by_what_became_of_them(play: Play) -> None:
    async def story(scene: Scene) -> None:
        await scene.a_morning()
        await call_facts(scene)

        async def found(*outcomes: str) -> list[tuple[str, str]]:
            request = pb.ListCallsRequest(**SPAN, outcomes=outcomes)
            answer = await scene.stub.ListCalls(request, metadata=DEMO)
            return [(each.call_id, each.outcome) for each in answer.calls]

        answered, lost = ("call-e1", "answered"), ("call-lost", "never_queued")
        assert await found() == [answered, lost]
        assert await found("never_queued") == [lost]
        assert await found("answered", "abandoned") == [answered]
        assert await found("abandoned", "waiting", "unanswered") == []

    play(story)
