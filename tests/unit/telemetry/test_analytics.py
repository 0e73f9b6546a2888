"""What analytics shows of itself."""

from __future__ import annotations

import asyncio
from pathlib import Path

from services.analytics.main import build
from services.chassis.envelope import enveloped
from services.chassis.ids import TenantId
from services.chassis.lifecycle import Measured
from services.chassis.simulated import SimulatedWorld, simulate
from tests.unit.analytics.scene import Scene
from tests.unit.telemetry.shown import read


def test_what_goes_on_is_counted_and_how_old_news_are(tmp_path: Path) -> None:
    async def story(world: SimulatedWorld) -> None:
        service = build(world)
        assert isinstance(service, Measured)
        await service.start()
        enqueued = Scene(world).enqueued("e")
        await asyncio.sleep(0.5)
        event = enveloped(
            enqueued,
            event_id="e",
            tenant_id=TenantId("demo"),
            at_ms=enqueued.at_ms,
            key="demo",
            seq=1,
        )
        await world.bus.publish("acd.events.v1", [event])
        await asyncio.sleep(0.001)
        values = read(service.readings())
        assert values["carillon_analytics_records_unfinished"] == 1
        assert values["carillon_analytics_tenants_in_memory"] == 1
        assert values["carillon_analytics_feed_events_total"] == 1
        assert 0.49 < values["carillon_analytics_feed_age_seconds"] < 0.52
        assert 0.49 < values["carillon_analytics_event_age_seconds"] < 0.52
        await service.stop()

    simulate(story, seed=1, folder=tmp_path)
