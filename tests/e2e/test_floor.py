"""A supervisor sees who waits and moves an agent there, by the public API and the feed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.chassis.postgres.server import PostgresServer
from tests.agent.portal import Feed, feed_of
from tests.e2e.whole import Whole, whole
from tests.stage.asking import eventually
from tests.stage.tenants import today

# It starts a whole installation, which takes a busy machine its time.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


@pytest.fixture
async def stage(tmp_path: Path, postgres_server: PostgresServer) -> AsyncIterator[Whole]:
    async with whole(tmp_path, postgres_server, together=True) as everyone:
        yield everyone


async def told(feed: Feed, field: str, wanted: str) -> None:
    """Waits until the feed has told something of a field that holds a text."""

    async def said() -> str:
        return str([each[field] for each in feed.history if field in each])

    await eventually(said, lambda text: wanted in text, 15, f"{wanted} in {field}")


async def test_a_supervisor_moves_an_agent_to_where_somebody_waits(stage: Whole) -> None:
    agent_id = await stage.tenant.agent("anna", queues=("support",))
    await stage.tenant.person("sara", "supervisor")
    supervisor = await stage.tenant.session("sara")
    desk = await stage.tenant.desk("anna")
    await desk.ready()
    before = await supervisor.get(f"/v1/agents/{agent_id}/config")
    async with feed_of(supervisor, stage.tenant.portal) as feed:
        await feed.subscribe("waiting", "agents", "alarms")
        call = await stage.in_queue()
        (waiting,) = (await supervisor.get("/v1/waiting", queue_id="sales"))["entries"]
        await told(feed, "waiting", waiting["entry_id"])
        move = {
            "agent_ids": [agent_id],
            "from_queue_ids": ["support"],
            "to": [{"queue_id": "sales"}],
        }
        moved = await supervisor.post("/v1/agents:move", move)
        work = await desk.rings(15)
        assert work["reservation"]["entry_id"] == waiting["entry_id"]
        await told(feed, "waiting", "'agent_id': '" + agent_id)
        await told(feed, "agents_changed", "'queue_ids': ['sales']")
        undo = {"agents": moved["before"]}
        undone = await supervisor.post("/v1/agents:set-memberships", undo)
        assert undone["after"] == moved["before"]
        assert await supervisor.get(f"/v1/agents/{agent_id}/config") == before
        await call.hangup()
        await told(feed, "waiting", "'gone_entry_ids': ['" + waiting["entry_id"])
        await stage.until_quiet()


async def test_a_closed_queue_is_told_at_once_and_calls_are_found_by_what_became_of_them(
    stage: Whole,
) -> None:
    await stage.tenant.person("sara", "supervisor")
    supervisor = await stage.tenant.session("sara")
    from_ms, to_ms = today()
    span = {"from_ms": from_ms, "to_ms": to_ms, "newest_first": "true"}
    async with feed_of(supervisor, stage.tenant.portal) as feed:
        await feed.subscribe("waiting")
        await told(feed, "waiting", "'queue_id': 'sales', 'open': True")
        closing = {"active": True, "message": "Fire drill"}
        await supervisor.post("/v1/queues/sales:set-emergency", closing)
        await told(feed, "waiting", "'emergency': True")
        await supervisor.post("/v1/queues/sales:set-emergency", {"active": False})
    call = await stage.in_queue()
    await call.hangup()
    await stage.until_quiet()

    async def given_up() -> list[dict[str, Any]]:
        found = await supervisor.get("/v1/call-records", **span, outcomes="abandoned")
        return list(found["calls"])

    (record,) = await eventually(given_up, bool, 15, "the call that was given up")
    assert (record["to"], record["queued"]) == (stage.tenant.number, True)
    assert record["from"]
    others = await supervisor.get("/v1/call-records", **span, outcomes="never_queued")
    assert others["calls"] == []
