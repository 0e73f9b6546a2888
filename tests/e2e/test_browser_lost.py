"""The agent's browser is lost in mid-call: music, then back, or back to the queue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.chassis.postgres.server import PostgresServer
from tests.agent.desk import Desk
from tests.e2e.whole import Whole, today, whole
from tests.softphone.outgoing import OutgoingCall

pytestmark = [pytest.mark.e2e]


@pytest.fixture
async def stage(tmp_path: Path, postgres_server: PostgresServer) -> AsyncIterator[Whole]:
    env = {"CARILLON_GATEWAY_REJOIN_MS": "6000"}
    async with whole(tmp_path, postgres_server, together=True, gateway_env=env) as everyone:
        yield everyone


async def talking(stage: Whole, desk: Desk) -> tuple[OutgoingCall, dict[str, object]]:
    call = await stage.in_queue()
    work = await desk.rings(10)
    await desk.confirm(work)
    peer = await desk.connect(work)
    await desk.accept(work)
    call.play_tone(440)
    peer.play_tone(660)
    await peer.hears_tone(440, 5)
    await call.hears_tone(660, 5)
    return call, work


async def test_a_browser_that_comes_back_goes_on_with_the_same_call(stage: Whole) -> None:
    await stage.tenant.agent("anna")
    desk = await stage.tenant.desk("anna")
    await desk.ready()
    call, work = await talking(stage, desk)
    assert desk.peer is not None
    desk.peer.drop()
    await call.hears_no_tone(660, 10)
    await call.hears_audio(10)
    peer = await desk.connect(work)
    peer.play_tone(880)
    await call.hears_tone(880, 5)
    await peer.hears_tone(440, 5)
    await call.hangup()
    await stage.until_quiet()
    exits = [e["exit"] for e in (await entries(stage))]
    assert exits == ["answered"]


async def test_a_browser_that_stays_away_gives_the_caller_back_to_the_queue(stage: Whole) -> None:
    await stage.tenant.agent("anna")
    await stage.tenant.agent("ben")
    desk = await stage.tenant.desk("anna")
    await desk.ready()
    call, _ = await talking(stage, desk)
    other = await stage.tenant.desk("ben")
    await other.presence("break", "lunch")
    later = await stage.in_queue()
    assert desk.peer is not None
    desk.peer.drop()
    await stage.until_present(2, 30)
    await desk.presence("break", "network")
    await other.presence("ready")
    # Whoever had waited before comes first, though the other was there when this one came back.
    work = await other.rings(15)
    await other.confirm(work)
    peer = await other.connect(work)
    await other.accept(work)
    await peer.hears_tone(440, 10)
    await call.hangup()
    await later.hangup()
    await stage.until_quiet()


async def entries(stage: Whole) -> list[dict[str, str]]:
    async with asyncio.timeout(15):
        while True:
            from_ms, to_ms = today()
            found = await stage.tenant.admin.get("/v1/entries", from_ms=from_ms, to_ms=to_ms)
            rows: list[dict[str, str]] = found.get("entries", [])
            if rows and all(row["exit"] != "waiting" for row in rows):
                return rows
            await asyncio.sleep(0.2)
