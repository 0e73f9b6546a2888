"""analytics on one machine: a real socket, a real database, a real bus; ended in the middle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from protos.analytics.v1 import analytics_pb2 as pb
from protos.analytics.v1.analytics_pb2_grpc import AnalyticsStub
from services.analytics.feed import ROUTING, Intake
from services.analytics.floors import Floors
from services.analytics.main import build
from services.analytics.shown import live_row
from services.analytics.store import MemoryStore
from services.chassis.bus import Batch
from services.chassis.database import DatabaseAddress
from services.chassis.lifecycle import Running
from services.chassis.world import World, local_world
from tests.sim.acd.day import Day
from tests.unit.analytics.history import TENANT_ID, TERMS, envelopes
from tests.unit.analytics.scene import DEMO

PATIENCE_S = 30.0


@asynccontextmanager
async def installation(folder: Path) -> AsyncIterator[World]:
    world = local_world(var_dir=folder)
    running = Running([build(world)], world)
    await running.start()
    try:
        yield world
    finally:
        await running.stop()
        await world.close()


async def test_figures_survive_the_end_of_their_process(
    tmp_path: Path, database_address: DatabaseAddress
) -> None:
    database_address.write(tmp_path / "database.json")
    day = Day(5, agents=8, callers=40, mean_gap_ms=15_000)
    day.run()
    story = envelopes(day.desk.log)
    half = len(story) // 2
    async with installation(tmp_path) as world:
        await world.bus.publish(ROUTING, story[:half])
        await until_as_of(world, max(each.at_ms for each in story[:half]))
    async with installation(tmp_path) as world:
        # The publisher died, too: what it was not sure of comes again.
        for first in range(half - 50, len(story), 500):
            await world.bus.publish(ROUTING, story[first : first + 500])
        live = await until_as_of(world, max(each.at_ms for each in story))
        request = pb.GetReportRequest(from_ms=story[0].at_ms, to_ms=story[-1].at_ms + 1, by="queue")
        report = await AnalyticsStub(world.dial("analytics")).GetReport(request, metadata=DEMO)
        clock = world.clock
        store = MemoryStore()
        floors = Floors(store=store, clock=clock, terms=TERMS)
        await Intake(floors=floors, store=store).handle(Batch(ROUTING, 0, 0, tuple(story)))
        expected = [live_row(row) for row in (await floors.view(TENANT_ID)).rows]
    # The day is long past, so nothing in its live figures depends on the moment of asking ...
    assert [row.waiting for row in live.rows] == [row.waiting for row in expected]
    assert [row.queue_id for row in live.rows] == [row.queue_id for row in expected]
    assert [row.now for row in live.rows] == [row.now for row in expected]
    # ... and its report has every contact once.
    offered = [each for row in report.rows for each in row.figures if each.kpi == "offered"]
    assert sum(figure.numerator for figure in offered) == day.called


async def until_as_of(world: World, as_of_ms: int) -> pb.Live:
    stub = AnalyticsStub(world.dial("analytics"))
    async with asyncio.timeout(PATIENCE_S):
        async for live in stub.WatchLive(pb.GetLiveRequest(), metadata=DEMO):
            if live.as_of_ms >= as_of_ms:
                return live
    raise AssertionError("the stream ended")
