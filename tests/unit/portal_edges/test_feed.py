"""The WebSocket: over a real server, with a real client, from hello to close."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from websockets.exceptions import ConnectionClosed

from protos.acd.v1 import state_pb2
from protos.analytics.v1 import analytics_pb2
from services.chassis.database import DatabaseUnavailable
from services.chassis.request import TENANT_KEY
from services.portal import feed_connection
from services.portal.feed_words import Close
from services.portal.strangers import MAX_ENTRIES_PER_S
from tests.unit.portal_edges.desk_stage import PATIENCE_S, desk_staged, ring
from tests.unit.portal_edges.feed_stage import FeedStage
from tests.unit.portal_edges.stage import person


@pytest_asyncio.fixture
async def stage() -> AsyncIterator[FeedStage]:
    async with desk_staged() as desk:
        made = FeedStage(desk)
        yield made
        await made.close()


async def linked(stage: FeedStage, link: str) -> None:
    """Waits until routing was told so."""
    async with asyncio.timeout(PATIENCE_S):
        while not stage.desk.acd.links or stage.desk.acd.links[-1][1] != link:
            stage.desk.acd.linked.clear()
            await stage.desk.acd.linked.wait()


async def test_an_agent_is_welcomed_sees_the_desk_and_is_rung(stage: FeedStage) -> None:
    async with stage.page(token="ada", device_check="passed") as page:
        welcome = await page.next()
        assert (welcome["type"], welcome["me"]["id"]) == ("welcome", "ada")
        assert welcome["heartbeat_ms"] == 2_000
        snapshot = await page.until("snapshot", "desk")
        assert snapshot["desk"]["agent"]["agent_id"] == "ada"
        assert snapshot["number"] == 0
        await linked(stage, "reachable")
        assert stage.desk.acd.links == [("ada", "reachable", 15_000)]
        stage.desk.acd.has(ring())
        rung = await page.until("change", "desk")
        assert rung["number"] == snapshot["number"] + 1
        (shown,) = rung["desk"]["work"]
        assert shown["card"]["customer"]["name"] == "Ion"
        await page.say(type="heartbeat")
        assert (await page.until("heartbeat"))["at_ms"] == stage.desk.clock.at_ms


async def test_a_page_without_a_device_check_is_no_softphone(stage: FeedStage) -> None:
    async with stage.page(token="ada") as page:
        await page.until("snapshot", "desk")
        await page.say(type="heartbeat")
        await page.until("heartbeat")
        assert len(stage.links) == 0
        await page.say(type="device-check", device_check="passed")
        assert (await page.closed())[0] == Close.BAD_MESSAGE


async def test_the_device_check_decides(stage: FeedStage) -> None:
    async with stage.page(token="ada", device_check="not-passed") as page:
        await linked(stage, "unreachable")
        await page.say(type="device-check", device_check="passed")
        await linked(stage, "reachable")
        await page.say(type="device-check", device_check="not-passed")
        await linked(stage, "unreachable")
        assert stage.desk.acd.links[-1] == ("ada", "unreachable", 0)


async def test_a_page_that_goes_is_unreachable_after_the_grace(stage: FeedStage) -> None:
    async with stage.page(token="ada", device_check="passed"):
        await linked(stage, "reachable")
    assert stage.desk.acd.links[-1][1] == "reachable"
    stage.desk.clock.at_ms += 10_000
    await linked(stage, "unreachable")


async def test_a_page_that_is_silent_is_closed(
    stage: FeedStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_connection, "GRACE_MS", 50)
    async with stage.page(token="ada", device_check="passed") as page:
        assert await page.closed() == (Close.SILENT, "no heartbeat")


async def test_what_routing_does_not_take_is_told_again(stage: FeedStage) -> None:
    stage.desk.exchange.kill("acd")
    async with stage.page(token="ada", device_check="passed") as page:
        await page.until("welcome")
        stage.desk.serve_acd()
        stage.desk.clock.at_ms += 1_000
        await page.say(type="heartbeat")
        await linked(stage, "reachable")


async def test_of_whom_routing_does_not_know_it_is_not_told_for_ever(stage: FeedStage) -> None:
    stage.people.by_token["new"] = person("agent", who="new")
    async with stage.page(token="new", device_check="passed") as page:
        await page.until("snapshot")
        await linked(stage, "reachable")
    stage.desk.clock.at_ms += 10_000
    await linked(stage, "unreachable")
    async with asyncio.timeout(PATIENCE_S):
        while len(stage.links):  # noqa: ASYNC110  # a task that has ended tells nobody
            await asyncio.sleep(0.01)
    assert stage.desk.acd.links == [("new", "reachable", 15_000), ("new", "unreachable", 0)]


async def test_the_newest_softphone_wins(stage: FeedStage) -> None:
    async with (
        stage.page(token="ada", device_check="passed") as older,
        stage.page(token="ada") as reader,
    ):
        await older.until("snapshot", "desk")
        await reader.until("snapshot", "desk")
        async with stage.page(token="ada-2", device_check="passed") as newer:
            await newer.until("snapshot", "desk")
            assert (await older.until("replaced"))["type"] == "replaced"
            assert (await older.closed())[0] == Close.REPLACED
            # Pages that only look on are left alone, and the newest is heard.
            await reader.say(type="heartbeat")
            await reader.until("heartbeat")
            stage.desk.acd.has(ring())
            await newer.until("change", "desk")
            await linked(stage, "reachable")


@pytest.mark.parametrize(
    ("hello", "code", "reason"),
    [
        ({"token": "wrong"}, Close.NOT_AUTHENTICATED, "not-authenticated"),
        ({"token": "old"}, Close.NOT_AUTHENTICATED, "token-expired"),
        ({"token": "key", "topics": ["desk"]}, Close.NOT_ALLOWED, ""),
        ({"token": "ada", "topics": ["live"]}, Close.NOT_ALLOWED, ""),
        ({"token": "ada", "topics": ["waiting"]}, Close.NOT_ALLOWED, ""),
        ({"token": "ada", "topics": ["alarms"]}, Close.NOT_ALLOWED, ""),
        ({"token": "sam", "topics": ["desk"]}, Close.NOT_ALLOWED, ""),
    ],
)
async def test_who_may_not_is_refused_and_written_down(
    stage: FeedStage, hello: dict[str, Any], code: Close, reason: str
) -> None:
    stage.people.expired.add("old")
    async with stage.page(**hello) as page:
        got, words = await page.closed()
        assert got == code
        if reason:
            assert words == reason
    (entry,) = stage.people.entries
    assert (entry.action, entry.outcome) == ("feed", reason or "not-allowed")


async def test_a_flood_of_nobodies_does_not_flood_the_trail(stage: FeedStage) -> None:
    for _ in range(MAX_ENTRIES_PER_S + 5):
        async with stage.page(token="wrong") as page:
            assert (await page.closed())[0] == Close.NOT_AUTHENTICATED
    assert len(stage.people.entries) == MAX_ENTRIES_PER_S


@pytest.mark.parametrize(
    "said",
    [
        "{",
        "[]",
        '{"type": "dance"}',
        '{"type": "hello"}',
        '{"type": "hello", "token": 3}',
        '{"type": "hello", "token": "ada", "device_check": "maybe"}',
        '{"type": "hello", "token": "ada", "topics": ["weather"]}',
        '{"type": "heartbeat"}',
        b"hello",
        "[" * 5_000,
    ],
    ids=lambda said: str(said)[:40],
)
async def test_what_no_page_says_ends_it(stage: FeedStage, said: Any) -> None:
    async with stage.page() as page:
        await page.socket.send(said)
        assert (await page.closed())[0] == Close.BAD_MESSAGE


async def test_hello_is_said_once(stage: FeedStage) -> None:
    async with stage.page(token="ada") as page:
        await page.say(type="hello", token="ada")
        assert (await page.closed())[0] == Close.BAD_MESSAGE


async def test_who_says_nothing_is_closed(
    stage: FeedStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_connection, "HELLO_LIMIT_S", 0.02)
    async with stage.page() as page:
        assert await page.closed() == (Close.SILENT, "no hello")


async def test_who_says_too_much_is_closed(stage: FeedStage) -> None:
    async with stage.page(token="ada") as page:
        for _ in range(60):
            with contextlib.suppress(ConnectionClosed):
                await page.say(type="heartbeat")
        assert (await page.closed())[0] == Close.TOO_MANY
    async with stage.page(token="x" * 20_000) as page:
        assert (await page.closed())[0] == 1009


async def test_who_reads_too_slowly_is_closed(
    stage: FeedStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_connection, "MAX_UNSENT", 3)
    async with stage.page(token="sam", topics=["live"]) as page:
        await page.until("change", "live")
        for at_ms in range(2, 40):
            # All of them within one turn of the loop: nothing can be sent in between.
            stage.desk.analytics.feeds.put(analytics_pb2.Live(as_of_ms=at_ms))
        assert (await page.closed())[0] == Close.TOO_SLOW


async def test_a_token_that_ends_ends_the_feed_unless_another_is_sent(stage: FeedStage) -> None:
    async with stage.page(token="ada") as page, stage.page(token="ada") as lazy:
        await page.until("snapshot", "desk")
        await lazy.until("snapshot", "desk")
        await page.say(type="token", token="ada-2")
        await page.say(type="heartbeat")
        await page.until("heartbeat")
        stage.people.expired.add("ada")
        assert await lazy.closed() == (Close.NOT_AUTHENTICATED, "token-expired")
        await page.say(type="heartbeat")
        await page.until("heartbeat")
        await page.say(type="token", token="sam")
        assert (await page.closed())[0] == Close.NOT_ALLOWED


async def test_who_loses_a_role_sees_no_more_of_what_it_showed(stage: FeedStage) -> None:
    async with (
        stage.page(token="sam", topics=["live"]) as page,
        stage.page(token="ada", device_check="passed") as desk,
    ):
        await page.until("change", "live")
        await desk.until("snapshot", "desk")
        stage.people.by_token["sam"] = person("agent", who="sam")
        assert (await page.closed())[0] == Close.NOT_ALLOWED
        stage.people.by_token["ada"] = person("supervisor", who="ada")
        assert (await desk.closed())[0] == Close.NOT_ALLOWED


async def test_a_database_that_is_away_ends_nobodys_feed(stage: FeedStage) -> None:
    async with stage.page(token="ada") as page:
        await page.until("snapshot", "desk")
        stage.people.failure = DatabaseUnavailable("it is away")
        await asyncio.sleep(0.06)  # a few checks of the token
        await page.say(type="heartbeat")
        await page.until("heartbeat")
        async with stage.page(token="ada") as second:
            assert await second.closed() == (Close.FAULT, "database-unavailable")


async def test_a_supervisor_follows_agents_and_figures(stage: FeedStage) -> None:
    # A device check of somebody without a desk means nothing.
    async with stage.page(token="sam", device_check="passed") as page:
        await page.until("welcome")
        assert await page.until("snapshot") == {"type": "snapshot", "number": 0}
        await page.say(type="subscribe", topics=["agents", "live"])
        agents = await page.until("change", "agents")
        assert [agent["agent_id"] for agent in agents["agents"]] == ["ada", "ben"]
        live = await page.until("change", "live")
        assert live["live"]["as_of_ms"] == "1"
        assert {agents["number"], live["number"]} == {1, 2}
        stage.desk.acd.has(ring(), agent="ben")
        changed = await page.until("change", "agents")
        assert changed["number"] == 3
        assert [agent["agent_id"] for agent in changed["agents_changed"]] == ["ben"]
        stage.desk.analytics.feeds.put(analytics_pb2.Live(as_of_ms=2))
        assert (await page.until("change", "live"))["live"]["as_of_ms"] == "2"
        await page.say(type="unsubscribe", topics=["live", "desk"])
        await page.say(type="subscribe", topics=["agents"])
        async with asyncio.timeout(PATIENCE_S):
            await stage.desk.analytics.feeds.left.wait()
        assert len(stage.links) == 0


async def test_who_is_agent_and_supervisor_sees_the_desk_first(stage: FeedStage) -> None:
    stage.people.by_token["zoe"] = person("agent", "supervisor", who="ada")
    async with stage.page(token="zoe", topics=["agents", "live"]) as page:
        await page.until("welcome")
        assert (await page.next())["topic"] == "desk"
        numbers = [(await page.next())["number"] for _ in range(2)]
        assert numbers == [1, 2]


async def test_while_routing_is_away_the_snapshot_has_no_desk(stage: FeedStage) -> None:
    stage.desk.exchange.kill("acd")
    async with stage.page(token="ada") as page:
        await page.until("welcome")
        assert await page.until("snapshot") == {"type": "snapshot", "number": 0}
        stage.desk.serve_acd()
        late = await page.until("change", "desk")
        assert (late["number"], late["desk"]["agent"]["agent_id"]) == (1, "ada")


async def test_a_board_that_lost_its_stream_begins_anew(stage: FeedStage) -> None:
    async with stage.page(token="sam", topics=["agents"]) as page:
        await page.until("change", "agents")
        stage.desk.exchange.kill("acd")
        stage.desk.acd.views["cleo"] = state_pb2.AgentView(agent_id="cleo")
        stage.desk.serve_acd()
        agents = await page.until("change", "agents")
        assert [agent["agent_id"] for agent in agents["agents"]] == ["ada", "ben", "cleo"]


async def test_another_tenants_supervisor_asks_for_their_own(stage: FeedStage) -> None:
    stage.people.by_token["eve"] = person("supervisor", "agent", who="eve", tenant="other")
    seen: list[Any] = []
    watch = stage.desk.acd.WatchAgents

    async def noting(request: Any, context: Any) -> AsyncIterator[Any]:
        seen.append(dict(context.invocation_metadata())[TENANT_KEY])
        async for view in watch(request, context):
            yield view

    stage.desk.acd.WatchAgents = noting  # type: ignore[method-assign]  # put in its place
    stage.desk.exchange.kill("acd")
    stage.desk.serve_acd()
    async with stage.page(token="eve", topics=["agents"]) as page:
        await page.until("change", "agents")
    assert set(seen) == {"other"}


async def test_a_server_that_leaves_sends_pages_elsewhere(stage: FeedStage) -> None:
    async with stage.page(token="ada", device_check="passed") as page:
        await page.until("snapshot", "desk")
        leaving = asyncio.ensure_future(stage.feed.drain())
        told = await page.until("reconnect")
        assert 0 <= told["after_ms"] < 5_000
        assert (await page.closed())[0] == Close.LEAVING
        await leaving
        async with stage.page() as late:
            assert (await late.closed())[0] == Close.LEAVING
    assert len(stage.feed) == 0


async def test_one_user_has_only_so_many_pages(stage: FeedStage) -> None:
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(16):
            page = await stack.enter_async_context(stage.page(token="ada"))
            await page.until("snapshot", "desk")
        last = await stack.enter_async_context(stage.page(token="ada"))
        assert (await last.closed())[0] == Close.TOO_MANY
