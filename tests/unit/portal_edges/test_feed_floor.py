"""What supervisors follow: many agents at once, who waits, alarms."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from protos.acd.v1 import acd_pb2, state_pb2
from protos.analytics.v1 import analytics_pb2
from services.portal import feed_boards
from services.portal.feed_floor import TOLD_EVERY_S
from tests.unit.portal_edges.desk_stage import PATIENCE_S, desk_staged
from tests.unit.portal_edges.feed_stage import FeedStage

AGENTS = 500


@pytest_asyncio.fixture
async def stage() -> AsyncIterator[FeedStage]:
    async with desk_staged() as desk:
        made = FeedStage(desk)
        yield made
        await made.close()


def view(agent_id: str, version: int = 1) -> state_pb2.AgentView:
    return state_pb2.AgentView(agent_id=agent_id, state="ready", version=version)


async def test_many_agents_who_change_are_told_together(stage: FeedStage) -> None:
    acd = stage.desk.acd
    acd.views = {name: view(name) for name in (f"a{i:03}" for i in range(AGENTS))}
    async with stage.page(token="sam", topics=["agents"]) as page:
        assert len((await page.until("change", "agents"))["agents"]) == AGENTS
        loop = asyncio.get_running_loop()
        began_s, messages, last = loop.time(), 0, 12
        known: dict[str, str] = {}
        for version in range(2, last + 1):
            for name in acd.views:
                acd.feeds.put(view(name, version))
            while known.get("a499") != str(version):
                changed = (await page.until("change", "agents"))["agents_changed"]
                names = [agent["agent_id"] for agent in changed]
                assert len(names) == len(set(names))
                known |= {agent["agent_id"]: agent["version"] for agent in changed}
                messages += 1
        assert set(known.values()) == {str(last)}
        assert messages <= (loop.time() - began_s) / TOLD_EVERY_S + 1


async def test_one_agent_who_changes_is_told_at_once(stage: FeedStage) -> None:
    async with stage.page(token="sam", topics=["agents"]) as page:
        await page.until("change", "agents")
        stage.desk.acd.feeds.put(view("ben", 5))
        stage.desk.acd.feeds.put(view("ben", 6))
        (ben,) = (await page.until("change", "agents"))["agents_changed"]
        assert (ben["agent_id"], ben["version"]) == ("ben", "6")


async def test_an_agent_who_is_removed_is_told_once_and_forgotten(stage: FeedStage) -> None:
    async with stage.page(token="sam", topics=["agents"]) as page:
        await page.until("change", "agents")
        for name in ("nobody", "ben", "ben"):
            stage.desk.acd.feeds.put(state_pb2.AgentView(agent_id=name, removed=True))
        (ben,) = (await page.until("change", "agents"))["agents_changed"]
        assert (ben["agent_id"], ben["removed"]) == ("ben", True)
        async with stage.page(token="sam", topics=["agents"]) as late:
            agents = (await late.until("change", "agents"))["agents"]
            assert [agent["agent_id"] for agent in agents] == ["ada"]
        stage.desk.acd.feeds.put(view("ben"))
        (ben,) = (await page.until("change", "agents"))["agents_changed"]
        assert not ben["removed"]


async def test_what_was_not_told_when_the_stream_broke_is_in_the_new_list(stage: FeedStage) -> None:
    acd = stage.desk.acd
    async with stage.page(token="sam", topics=["agents"]) as page:
        await page.until("change", "agents")
        acd.has(agent="ben")
        await page.until("change", "agents")
        acd.has(agent="ada")
        acd.feeds.put(RuntimeError("the stream breaks"))
        told = await page.until("change", "agents")
        while "agents" not in told:
            told = await page.until("change", "agents")
        assert [agent["state"] for agent in told["agents"]] == ["", ""]


async def test_a_supervisor_follows_who_waits(stage: FeedStage) -> None:
    acd = stage.desk.acd
    async with stage.page(token="sam", topics=["waiting"]) as page:
        first = (await page.until("change", "waiting"))["waiting"]
        assert (first["all"], first["waiting"]) == (True, 1)
        assert [row["entry_id"] for row in first["rows"]] == ["e1"]
        row = acd_pb2.WaitingRow(entry_id="e2", stage="ringing", agent_id="ada")
        change = acd_pb2.WaitingChange(rows=[row], gone_entry_ids=["e1", "e0"], waiting=1)
        shut = acd_pb2.QueueDoor(queue_id="q1", emergency=True)
        change.queues.extend([shut, acd_pb2.QueueDoor(queue_id="q2", removed=True)])
        acd.waiting.put(change)
        told = (await page.until("change", "waiting"))["waiting"]
        assert (told["all"], told["gone_entry_ids"], told["waiting"]) == (False, ["e1", "e0"], 1)
        doors = [(q["queue_id"], q["open"], q["emergency"], q["removed"]) for q in told["queues"]]
        assert doors == [("q1", False, True, False), ("q2", False, False, True)]
        # Whoever comes later is told how it stands.
        async with stage.page(token="sam", topics=["waiting"]) as late:
            now = (await late.until("change", "waiting"))["waiting"]
            assert (now["all"], now["gone_entry_ids"], now["waiting"]) == (True, [], 1)
            assert [each["entry_id"] for each in now["rows"]] == ["e2"]
            assert [each["queue_id"] for each in now["queues"]] == ["q1"]
        acd.rows = {}
        acd.waiting.put(RuntimeError("the stream breaks"))
        anew = (await page.until("change", "waiting"))["waiting"]
        assert anew == {"all": True, "rows": [], "gone_entry_ids": [], "waiting": 0, "queues": []}


async def test_a_supervisor_follows_alarms(stage: FeedStage) -> None:
    feeds = stage.desk.analytics.alarms
    async with stage.page(token="sam", topics=["alarms"]) as page:
        first = (await page.until("change", "alarms"))["alarms"]
        assert [(a["alarm_id"], a["state"]) for a in first["alarms"]] == [("a1", "raised")]
        over = analytics_pb2.Alarm(alarm_id="a1", state="cleared", acknowledged_at_ms=7)
        seen = analytics_pb2.Alarm(alarm_id="a2", state="cleared")
        feeds.put(analytics_pb2.AlarmChange(alarms=[over, seen]))
        told = (await page.until("change", "alarms"))["alarms"]
        assert (told["all"], [a["alarm_id"] for a in told["alarms"]]) == (False, ["a1", "a2"])
        async with stage.page(token="sam", topics=["alarms"]) as late:
            now = (await late.until("change", "alarms"))["alarms"]
            assert (now["all"], [a["alarm_id"] for a in now["alarms"]]) == (True, ["a2"])


async def test_alarms_that_analytics_does_not_know_yet_are_told_once_it_does(
    stage: FeedStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_boards, "UNKNOWN_RETRY_S", 0.05)
    analytics = stage.desk.analytics
    analytics.knows_alarms.clear()
    async with stage.page(token="sam", topics=["alarms", "live"]) as page:
        told: dict[str, Any] = await page.until("change", "live")
        async with asyncio.timeout(PATIENCE_S):
            await analytics.asked_early.wait()
        assert told["number"] == 1
        analytics.knows_alarms.set()
        assert (await page.until("change", "alarms"))["number"] == 2


async def test_alarms_are_told_once_analytics_is_there(stage: FeedStage) -> None:
    stage.desk.exchange.kill("analytics")
    async with stage.page(token="sam", topics=["alarms", "agents"]) as page:
        await page.until("change", "agents")
        stage.desk.serve_analytics()
        assert (await page.until("change", "alarms"))["alarms"]["all"]
