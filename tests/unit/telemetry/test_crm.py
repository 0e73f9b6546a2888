"""What crm shows of itself."""

from __future__ import annotations

from pathlib import Path

from services.chassis.lifecycle import Measured
from services.chassis.simulated import SimulatedWorld, simulate
from services.crm.main import build
from tests.unit.crm.test_face import CALLS, Desk, fact, started
from tests.unit.telemetry.shown import read


def test_look_ups_and_the_feed_are_counted(tmp_path: Path) -> None:
    async def story(world: SimulatedWorld) -> None:
        service = build(world)
        assert isinstance(service, Measured)
        await service.start()
        world.exchange.serve("crm", service.faces())
        desk = Desk(world)
        await desk.put()
        await desk.card()
        await desk.card("+4930999")
        await desk.tell(CALLS, fact(call_started=started()))
        values = read(service.readings())
        assert values["carillon_crm_look_ups_total"] == 2
        assert values["carillon_crm_look_ups_known_total"] == 1
        assert values["carillon_crm_look_up_seconds_total"] >= 0
        assert values["carillon_crm_feed_events_total"] == 1
        assert values["carillon_crm_feed_waiting"] == 0
        await service.drain()
        await service.stop()

    simulate(story, seed=1, folder=tmp_path)
