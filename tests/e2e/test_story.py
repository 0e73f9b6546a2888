"""A supervisor is alarmed that somebody waits, and reads afterwards what became of the caller."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.chassis.postgres.server import PostgresServer
from tests.agent.portal import Problem, Session
from tests.e2e.whole import Whole, whole
from tests.stage.asking import eventually

# It starts a whole installation, which takes a busy machine its time.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

CROWD = {
    "name": "Somebody waits",
    "measure": "waiting",
    "queue_id": "sales",
    "direction": "above",
    "severity": "warning",
    "active": True,
}


@pytest.fixture
async def stage(tmp_path: Path, postgres_server: PostgresServer) -> AsyncIterator[Whole]:
    async with whole(tmp_path, postgres_server, together=True) as everyone:
        yield everyone


async def alarm_in(supervisor: Session, state: str) -> dict[str, Any]:
    """The one alarm there is, once it is in a state."""

    async def listed() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await supervisor.get("/v1/alarms")).get("alarms", [])
        return found

    found = await eventually(
        listed, lambda alarms: [each["state"] for each in alarms] == [state], 15, f"{state} alarm"
    )
    return found[0]


async def test_an_alarm_while_somebody_waits_and_their_story_afterwards(stage: Whole) -> None:
    agent_id = await stage.tenant.agent("anna")
    await stage.tenant.person("sara", "supervisor")
    supervisor = await stage.tenant.session("sara")
    put = await supervisor.put("/v1/thresholds/crowd", CROWD)
    assert put["threshold_id"] == "crowd"
    call = await stage.in_queue()
    raised = await alarm_in(supervisor, "raised")
    assert (raised["value"], raised["queue_name"]) == (1, "Sales")
    path = f"/v1/alarms/{raised['alarm_id']}:acknowledge"
    seen = await supervisor.post(path, {"note": "I answer"})
    assert (seen["acknowledged_by_name"], seen["note"]) == ("Sara", "I answer")

    desk = await stage.tenant.desk("anna")
    await desk.presence("ready")
    work = await desk.rings(15)
    await desk.confirm(work)
    await desk.connect(work)
    await desk.accept(work)
    contact_id = work["reservation"]["contact_id"]
    goes_on = await supervisor.get(f"/v1/stories/{contact_id}")
    assert not goes_on.get("ladder")
    await alarm_in(supervisor, "cleared")
    await call.hangup()
    await desk.finish(work)
    await stage.until_quiet()

    async def story() -> dict[str, Any]:
        return await supervisor.get(f"/v1/stories/{contact_id}")

    told = await eventually(
        story,
        lambda each: {"ended", "wrap-up-ended"} <= {step["kind"] for step in each["steps"]},
        15,
        "the end of the story",
    )
    kinds = [step["kind"] for step in told["steps"]]
    order = ["invited", "node", "keyed", "queued", "reserved", "ringing", "accepted", "completed"]
    places = [kinds.index(kind) for kind in order]
    assert places == sorted(places)
    assert {"leg", "said", "bridged", "left"} <= set(kinds)
    assert told["call"]["termination"] == "success/caller-hung-up"
    assert told["to"] == stage.tenant.number
    assert [each["agent_id"] for each in told["entries"]] == [agent_id]
    accepted = told["steps"][kinds.index("accepted")]["values"]
    assert (accepted["agent"], accepted["queue"]) == ("Anna", "Sales")
    with pytest.raises(Problem) as nobody:
        await supervisor.get("/v1/stories/nobody")
    assert nobody.value.code == "no-such-contact"
