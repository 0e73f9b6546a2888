"""The face of figures, in a simulated world: what supervisors, agents and others get."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest

from protos.analytics.v1 import analytics_pb2 as pb
from protos.gateway.v1 import events_pb2 as gateway_pb2
from services.analytics.core.catalogue import CATALOGUE
from services.analytics.main import AnalyticsService, build
from services.chassis.envelope import enveloped
from services.chassis.errors import Kind
from services.chassis.ids import TenantId
from services.chassis.request import Metadata, on_behalf
from services.chassis.rpc import metadata
from services.chassis.simulated import START_MS, SimulatedWorld, simulate
from tests.unit.analytics.scene import (
    DEMO,
    SPAN,
    Play,
    S,
    Scene,
    refused,
    values,
)


def test_live_figures_show_the_tenant_and_then_its_queues(play: Play) -> None:
    async def story(scene: Scene) -> None:
        await scene.a_morning()
        live = await scene.stub.GetLive(pb.GetLiveRequest(), metadata=DEMO)
        assert live.as_of_ms == pytest.approx(scene.now_ms, abs=5)
        assert [(row.queue_id, row.name) for row in live.rows] == [
            ("", ""),
            ("sales", "Sales"),
            ("support", "Support"),
        ]
        tenant, sales, support = live.rows
        assert (tenant.waiting, sales.waiting, support.waiting) == (1, 0, 1)
        assert support.oldest_waiting_since_ms == pytest.approx(scene.now_ms, abs=5)
        assert sales.oldest_waiting_since_ms == 0
        assert values(sales.today) == {
            "service_level:V3": pytest.approx(100 / 3),
            "asa:total": 40 * S,
            "abandon_rate:no-short": pytest.approx(100 / 3),
            "average_handle_time:talk-wrap": 60 * S,
            "occupancy:talk-hold": pytest.approx(50, abs=0.01),
            "offered": 3,
            "answered": 2,
            "abandoned": 1,
        }
        assert values(support.now)["service_level:V3"] is None
        assert {each.state: each.agents for each in sales.agents}["ready"] == 1
        assert {each.state: each.agents for each in support.agents}["ready"] == 0
        await asyncio.sleep(1_801)
        later = await scene.stub.GetLive(pb.GetLiveRequest(), metadata=DEMO)
        assert values(later.rows[0].now)["offered"] == 0
        assert values(later.rows[0].today)["offered"] == 5

    play(story)


def test_live_figures_of_some_queues_come_with_the_tenants(play: Play) -> None:
    async def story(scene: Scene) -> None:
        await scene.staff()
        request = pb.GetLiveRequest(queue_ids=["support", "nowhere"])
        live = await scene.stub.GetLive(request, metadata=DEMO)
        assert [row.queue_id for row in live.rows] == ["", "support"]

    play(story)


def own(agent_id: str) -> Metadata:
    return on_behalf(tenant_id="demo", user_id=agent_id, user_name="", own_agent_id=agent_id)


def test_an_agent_sees_the_tenant_and_the_queues_they_serve(play: Play) -> None:
    async def story(scene: Scene) -> None:
        await scene.staff()
        for agent_id, seen in (("anna", ["", "sales"]), ("stranger", [""])):
            live = await scene.stub.GetLive(pb.GetLiveRequest(), metadata=own(agent_id))
            assert [row.queue_id for row in live.rows] == seen

    play(story)


def test_whoever_sees_only_their_own_gets_no_other_agents_records(play: Play) -> None:
    async def story(scene: Scene) -> None:
        await scene.a_morning()
        mine = await scene.stub.ListEntries(pb.ListEntriesRequest(**SPAN), metadata=own("anna"))
        assert [each.entry_id for each in mine.entries] == ["e1", "e2"]
        request = pb.ListIntervalsRequest(**SPAN, agent_id="anna")
        error = await refused(scene.stub.ListIntervals(request, metadata=own("bea")))
        assert (error.code, error.kind) == ("not-yours", Kind.DENIED)

    play(story)


def test_watchers_are_told_of_changes_at_most_once_a_second(play: Play) -> None:
    async def story(scene: Scene) -> None:
        await scene.staff()
        told: list[tuple[int, int]] = []

        async def watch() -> None:
            async for live in scene.stub.WatchLive(pb.GetLiveRequest(), metadata=DEMO):
                told.append((scene.now_ms, live.rows[0].waiting))  # noqa: PERF401  # it is endless

        watching = asyncio.ensure_future(watch())
        await asyncio.sleep(0.01)
        began_ms = scene.now_ms
        for number in range(40):
            await scene.happen(scene.enqueued(f"e{number}"))
            await asyncio.sleep(0.1)
        await asyncio.sleep(2)
        watching.cancel()
        moments = [at_ms for at_ms, _ in told]
        assert all(b - a >= 1_000 for a, b in pairwise(moments))
        assert 5 <= len(told) <= 7
        assert told[0][1] == 0
        assert told[-1][1] == 40
        assert told[1][0] - began_ms <= 1_100

    play(story)


def test_figures_change_by_time_alone(play: Play) -> None:
    """A half hour after the last contact nothing is left in it, and watchers are told."""

    async def story(scene: Scene) -> None:
        await scene.happen(scene.enqueued("e"), scene.exited("e", "abandoned", 0))
        call = scene.stub.WatchLive(pb.GetLiveRequest(), metadata=DEMO)
        offered = []
        async for live in call:
            offered.append(values(live.rows[0].now)["offered"])
            if offered[-1] == 0:
                break
        call.cancel()
        assert offered == [1, 0]
        assert scene.now_ms - START_MS == pytest.approx(30 * 60 * S, abs=3_000)

    play(story)


def test_kpis_are_listed_with_their_formulas(play: Play) -> None:
    async def story(scene: Scene) -> None:
        found = await scene.stub.ListKpis(pb.ListKpisRequest(), metadata=DEMO)
        v3 = next(each for each in found.kpis if each.variant == "V3")
        assert v3 == pb.Kpi(
            kpi="service_level",
            variant="V3",
            name="Service level",
            formula="A_T / (A + B)",
            version=1,
            unit="percent",
            default_variant=True,
            numerator=pb.KpiPart(records="entries", unit="count"),
            denominator=pb.KpiPart(records="entries", unit="count"),
        )
        parts = {
            f"{each.kpi}:{each.variant}": (each.numerator.records, each.numerator.unit)
            for each in found.kpis
        }
        assert parts["asa:total"] == ("entries", "ms")
        assert parts["occupancy:talk-hold"] == ("intervals", "ms")
        assert parts["queued_rate:"] == ("calls", "count")
        offered = next(each for each in found.kpis if each.kpi == "offered")
        assert not offered.HasField("denominator")
        assert len(found.kpis) == len(CATALOGUE)

    play(story)


def test_another_tenant_sees_nothing_of_it(play: Play) -> None:
    async def story(scene: Scene) -> None:
        await scene.a_morning()
        other = metadata(tenant_id="other")
        live = await scene.stub.GetLive(pb.GetLiveRequest(), metadata=other)
        assert [row.queue_id for row in live.rows] == [""]
        assert (live.as_of_ms, live.rows[0].waiting) == (0, 0)
        request = pb.ListEntriesRequest(**SPAN)
        found = await scene.stub.ListEntries(request, metadata=other)
        assert not found.entries
        report = await scene.stub.GetReport(pb.GetReportRequest(**SPAN, by="queue"), metadata=other)
        assert not report.rows
        error = await refused(scene.stub.GetLive(pb.GetLiveRequest()))
        assert error.kind is Kind.UNAUTHENTICATED

    play(story)


def test_how_fresh_the_figures_are_can_be_asked(tmp_path: Path) -> None:
    async def story(world: SimulatedWorld) -> None:
        service = build(world)
        assert isinstance(service, AnalyticsService)
        await service.start()
        scene = Scene(world)
        late = scene.enqueued("e")
        await asyncio.sleep(0.25)
        event = enveloped(
            late, event_id="e", tenant_id=TenantId("demo"), at_ms=late.at_ms, key="demo", seq=1
        )
        torn = enveloped(
            gateway_pb2.CallFact(), event_id="t", tenant_id=TenantId("demo"), at_ms=0, key="c"
        )
        await world.bus.publish("acd.events.v1", [event])
        await world.bus.publish("gateway.events.v1", [torn])
        await asyncio.sleep(0.001)
        shown = {
            each.name.removeprefix("carillon_analytics_"): each.value for each in service.readings()
        }
        assert shown["event_age_seconds"] == pytest.approx(0.25, abs=0.002)
        assert shown["tenants_in_memory"] == shown["records_unfinished"] == 1
        assert shown["feed_events_total"] == 2
        assert shown["events_passed_over_total"] == shown["feed_waiting"] == 0
        await service.stop()

    simulate(story, seed=1, folder=tmp_path)
