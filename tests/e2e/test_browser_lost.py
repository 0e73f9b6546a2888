"""The agent's browser is lost in mid-call: music, then back, or back to the queue."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.chassis.postgres.server import PostgresServer
from tests.e2e.whole import Whole, whole
from tests.stage.asking import eventually
from tests.stage.tenants import today

# Each test starts a whole installation, which takes a busy machine its time.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


@pytest.fixture
async def stage(tmp_path: Path, postgres_server: PostgresServer) -> AsyncIterator[Whole]:
    env = {
        "CARILLON_GATEWAY_REJOIN_MS": "6000",
        "CARILLON_GATEWAY_WEBRTC_SILENCE_MS": "2000",
    }
    async with whole(tmp_path, postgres_server, together=True, gateway_env=env) as everyone:
        yield everyone


async def test_a_browser_that_comes_back_goes_on_with_the_same_call(stage: Whole) -> None:
    await stage.tenant.agent("anna")
    desk = await stage.tenant.desk("anna")
    await desk.ready()
    call, work = await stage.talk(desk)
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
    ended = await eventually(lambda: entries(stage), told_in_full, 15, "the entry's end")
    assert [entry["exit"] for entry in ended] == ["answered"]


async def test_a_browser_that_stays_away_gives_the_caller_back_to_the_queue(stage: Whole) -> None:
    await stage.tenant.agent("anna")
    await stage.tenant.agent("ben")
    desk = await stage.tenant.desk("anna")
    await desk.ready()
    call, _ = await stage.talk(desk)
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
    from_ms, to_ms = today()
    found = await stage.tenant.admin.get("/v1/entries", from_ms=from_ms, to_ms=to_ms)
    rows: list[dict[str, str]] = found.get("entries", [])
    return rows


def told_in_full(rows: list[dict[str, str]]) -> bool:
    return bool(rows) and all(row["exit"] != "waiting" for row in rows)
