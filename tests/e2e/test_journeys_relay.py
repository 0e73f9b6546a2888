"""Agents whose browsers reach gateways through a TURN server alone."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from services.chassis.postgres.server import PostgresServer
from services.launcher.parts import turn
from services.launcher.parts.turn import TurnServer
from tests.browser import AgentPage
from tests.e2e.journeys import AGENT_HZ, agent, both_hear, journeys, person, talk

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


def told(server: TurnServer, secret: str) -> dict[str, str]:
    """What portal is told of it."""
    return {
        "CARILLON_PORTAL_ICE_URLS": server.url,
        "CARILLON_PORTAL_ICE_SECRET": secret,
        "CARILLON_PORTAL_ICE_RELAY_ONLY": "true",
    }


async def turn_server(folder: Path) -> TurnServer:
    return TurnServer(folder / "turn", program=await asyncio.to_thread(turn.ready))


async def ways(desk: AgentPage) -> list[dict[str, Any]]:
    """Those of all connections that the page has had."""
    found: list[dict[str, Any]] = await desk.page.evaluate("window.carillonWays()")
    return found


async def test_both_hear_each_other_through_it_also_after_a_reload(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    server = await turn_server(tmp_path)
    async with (
        server,
        journeys(tmp_path, postgres_server, env=told(server, server.secret)) as stage,
    ):
        # The check of the way goes through it, too, or nobody would be ready.
        desk = await agent(stage, "anna", tmp_path)
        call = await talk(stage, desk)
        carrying = [way for way in await ways(desk) if way["state"] == "connected"]
        assert [way["carries"] for way in carrying] == ["relay"]
        assert {kind for way in await ways(desk) for kind in way["offered"]} == {"relay"}
        await desk.page.reload()
        await both_hear(call, desk, AGENT_HZ)
        await call.hangup()
        await desk.finish()
        await desk.is_ready()
        await stage.until_quiet()
        desk.person.untroubled()


async def test_whoever_it_does_not_know_gets_no_way_and_is_told_so(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    server = await turn_server(tmp_path)
    another = "a word that only portal knows"
    async with server, journeys(tmp_path, postgres_server, env=told(server, another)) as stage:
        await stage.tenant.agent("anna", queues=("sales",))
        desk = AgentPage(await person(stage, "anna", tmp_path))
        await desk.open_desk()
        await desk.button("Go ready").last.click()
        said = desk.page.get_by_text("No sound gets through to the server")
        await expect(said).to_be_visible()
