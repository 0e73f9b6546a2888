"""Every service is killed while callers wait, ring and talk: the callers do not notice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.chassis.postgres.server import PostgresServer
from tests.agent.portal import Session, feed_of
from tests.e2e.whole import Whole, whole
from tests.softphone.incoming import Answer

# Each test starts a whole installation, which takes a busy machine its time.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

KILLED = ("ivr", "acd", "portal", "analytics", "recording", "crm")
AWAY_S = 1.0


@pytest.fixture
async def stage(tmp_path: Path, postgres_server: PostgresServer) -> AsyncIterator[Whole]:
    # A ring, and a caller's patience, last longer than a service is away on a busy machine.
    patience = {"CARILLON_GATEWAY_FLOW_PATIENCE_MS": "30000"}
    async with whole(tmp_path, postgres_server, gateway_env=patience) as everyone:
        await everyone.tenant.put_queue("sales", ring_timeout_ms=60_000)
        yield everyone


@pytest.mark.parametrize("name", KILLED)
async def test_nobody_is_dropped_or_rung_twice_and_order_is_kept(stage: Whole, name: str) -> None:
    _, talker = await stage.phone_agent("abel", Answer(ring_s=0.1))
    talking = await stage.in_queue()
    talked = await talker.incoming(10)
    await talked.answered(5)
    _, slow = await stage.phone_agent("beth")
    ringing_caller = await stage.in_queue()
    ringing = await slow.incoming(10)
    await ringing.ring()
    first, second = await stage.in_queue(), await stage.in_queue()

    await stage.carillon.kill(name)
    await asyncio.sleep(AWAY_S)
    talking.play_tone(440)
    talked.play_tone(660)
    await talked.hears_tone(440, 3)
    await talking.hears_tone(660, 3)
    await stage.carillon.start(name)

    await ringing.answer()
    ringing_caller.play_tone(880)
    await ringing.hears_tone(880, 10)
    assert slow.calls_received == 1
    # Those who waited are served in the order in which they came.
    await talking.hangup()
    served = await talker.incoming(15)
    await served.answered(5)
    first.play_tone(523)
    await served.hears_tone(523, 5)
    await ringing_caller.hangup()
    served_too = await slow.incoming(15)
    await served_too.ring()
    await served_too.answer()
    second.play_tone(587)
    await served_too.hears_tone(587, 10)
    assert (talker.calls_received, slow.calls_received) == (2, 2)
    for call in (first, second):
        await call.hangup()
    await stage.until_quiet()
    await stage.figures_agree(offered=4, answered=4)


async def test_an_agent_in_a_browser_talks_on_while_portal_is_away(stage: Whole) -> None:
    await stage.tenant.agent("anna")
    desk = await stage.tenant.desk("anna")
    await desk.ready()
    call, work = await stage.talk(desk)
    peer = desk.peer
    assert peer is not None

    await stage.carillon.kill("portal")
    await asyncio.sleep(AWAY_S)
    await peer.hears_tone(440, 3)
    await call.hears_tone(660, 3)
    await stage.carillon.start("portal")
    # The page comes back with the session that it has, and finds the contact in hand.
    portal = stage.carillon.portal
    async with feed_of(Session(desk.session.http, desk.session.token, {}), portal) as feed:
        held = await feed.until("the contact", lambda d: bool(d.get("work")), 10)
    assert held["work"][0]["reservation"]["reservation_id"] == work["reservation"]["reservation_id"]
    assert held["work"][0]["connected"]
    await call.hears_tone(660, 3)
    await call.hangup()
    await stage.until_quiet()
