"""An agent hands a caller on: to a queue, a colleague or a number outside, and what if it fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.chassis.postgres.server import PostgresServer
from tests.agent.desk import Desk
from tests.agent.portal import Problem
from tests.e2e.whole import Whole, whole
from tests.softphone import SoftPhone
from tests.softphone.call import Call
from tests.softphone.incoming import Reject
from tests.softphone.outgoing import OutgoingCall
from tests.stage.asking import eventually
from tests.stage.tenants import today

# Each test starts a whole installation, which takes a busy machine its time.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

NUMBER_OUTSIDE = "+12025550188"


@pytest.fixture
async def outside() -> AsyncIterator[SoftPhone]:
    """Whoever answers numbers outside."""
    async with SoftPhone(user=NUMBER_OUTSIDE) as phone:
        yield phone


@pytest.fixture
async def stage(
    tmp_path: Path, postgres_server: PostgresServer, outside: SoftPhone
) -> AsyncIterator[Whole]:
    host, port = outside.address
    env = {
        "CARILLON_GATEWAY_DIAL_ALLOW": '["+1202555*"]',
        "CARILLON_GATEWAY_OUTBOUND_PROXY": f"{host}:{port}",
        "CARILLON_GATEWAY_FLOW_PATIENCE_MS": "30000",
    }
    async with whole(tmp_path, postgres_server, gateway_env=env) as everyone:
        yield everyone
    assert outside.faults == []


async def at_work(stage: Whole, username: str, queue: str = "sales") -> Desk:
    """An agent at a browser who is ready."""
    await stage.tenant.agent(username, queues=(queue,))
    desk = await stage.tenant.desk(username)
    await desk.ready()
    return desk


async def takes(desk: Desk, call: OutgoingCall, *, within_s: float = 15) -> dict[str, Any]:
    """The agent whose browser rings takes the caller, and the two hear each other; the work."""
    work = await desk.rings(within_s)
    await desk.confirm(work)
    peer = await desk.connect(work)
    await desk.accept(work)
    peer.play_tone(880)
    await call.hears_tone(880, 5)
    await peer.hears_tone(440, 5)
    return work


def told(work: dict[str, Any]) -> dict[str, str]:
    """What the desk shows about the contact."""
    return {
        each["name"]: each.get("value", "") for each in work["reservation"]["contact"]["attributes"]
    }


async def both_hear(call: Call, far: Call) -> None:
    call.play_tone(440)
    far.play_tone(660)
    await far.hears_tone(440, 5)
    await call.hears_tone(660, 5)


async def exits(stage: Whole) -> list[str]:
    """How the stays of today ended, in their order."""
    from_ms, to_ms = today()
    found = await stage.tenant.admin.get("/v1/entries", from_ms=from_ms, to_ms=to_ms)
    rows = sorted(found.get("entries", []), key=lambda row: int(row["offered_at_ms"]))
    return [str(row["exit"]) for row in rows]


async def test_from_queue_to_queue_to_colleague_with_keys_and_the_reason(stage: Whole) -> None:
    anna = await at_work(stage, "anna")
    call, work = await stage.talk(anna)
    await anna.keys(work, "12#")
    await eventually(lambda: digits(call), lambda heard: heard == "12#", 5, "the keys")

    ben = await at_work(stage, "ben", "support")
    await anna.transfer(work, "needs an engineer", queue_id="support")
    await anna.becomes("wrap_up", 5)
    await call.hears_audio(5)
    taken = await takes(ben, call)
    shown = told(taken)
    assert taken["reservation"]["queue_id"] == "support"
    assert shown["transfer_reason"] == "needs an engineer"
    assert (shown["transferred_by"], shown["transferred_from"]) == ("Anna", "sales")
    assert shown["menu_path"] == "menu: 1"

    # Cleo serves sales alone, and Anna, who is there too, has been idle for longer.
    await anna.becomes("ready", 10)
    cleo = await at_work(stage, "cleo")
    await ben.transfer(taken, "back to sales", agent_id=stage.tenant.users["cleo"])
    again = await takes(cleo, call)
    assert told(again)["transferred_by"] == "Ben"
    assert anna.state == "ready"
    await call.hangup()
    await stage.until_quiet()
    await eventually(
        lambda: exits(stage), lambda now: now == ["answered"] * 3, 20, "three stays answered"
    )
    figures = await cleo.session.get("/v1/desk/figures")
    assert {figure["kpi"] for figure in figures["figures"]} >= {"answered", "occupancy"}
    ladder = (
        await stage.facts.first(lambda fact: fact.HasField("ladder_noted"), 10, "the ladder")
    ).ladder_noted
    said = [(step.sent, step.line, step.cseq.split()[1]) for step in ladder.steps]
    assert said[0] == (False, "INVITE", "INVITE")
    assert (True, "100 Trying", "INVITE") in said
    assert (True, "200 OK", "INVITE") in said
    assert said[-2:] == [(False, "BYE", "BYE"), (True, "200 OK", "BYE")]
    assert not ladder.dropped


async def test_to_a_number_outside_that_hangs_up_in_the_end(
    stage: Whole, outside: SoftPhone
) -> None:
    anna = await at_work(stage, "anna")
    call, work = await stage.talk(anna)
    await anna.transfer(work, "asked for the mayor", number="+1 (202) 555-0188")
    far = await outside.incoming(10)
    await far.ring()
    await call.hears_no_tone(660, 5)
    await call.hears_audio(5)
    await far.answer()
    await both_hear(call, far)
    await anna.becomes("ready", 10)
    await far.hangup()
    await call.ended(5)
    await stage.until_quiet()


async def test_whom_nobody_takes_keeps_the_old_place(stage: Whole, outside: SoftPhone) -> None:
    anna = await at_work(stage, "anna")
    call, work = await stage.talk(anna)
    later = await stage.in_queue()
    outside.on_invite = Reject(486)
    with pytest.raises(Problem) as refused:
        await anna.transfer(work, "", queue_id="support")
    assert refused.value.code == "bad-transfer"
    with pytest.raises(Problem) as refused:
        await anna.transfer(work, "asked for Berlin", number="+49 30 1234567")
    assert refused.value.code == "target-refused"
    await anna.transfer(work, "asked for the mayor", number=NUMBER_OUTSIDE)
    # Whoever had waited before comes first, though the other was there when this one came back.
    back = await takes(anna, call)
    assert told(back)["transfer_failed"] == f"number: {NUMBER_OUTSIDE}"

    await stage.tenant.put_queue("support", open=False)
    await anna.transfer(back, "needs an engineer", queue_id="support")
    again = await takes(anna, call)
    assert told(again)["transfer_failed"] == "queue: support"

    # A colleague who is at lunch takes nobody: after half a minute anybody may do.
    await stage.tenant.agent("ben")
    ben = await stage.tenant.desk("ben")
    await ben.presence("break", "lunch")
    await anna.transfer(again, "knows the matter", agent_id=stage.tenant.users["ben"])
    # Meanwhile Anna has whoever came later, and hands them on to where nobody is.
    other = await takes_any(anna)
    await stage.tenant.put_queue("support", open=True)
    await anna.transfer(other, "please hold", queue_id="support")
    await takes(anna, call, within_s=45)
    await later.hangup()
    await call.hangup()
    await stage.until_quiet()


async def takes_any(desk: Desk) -> dict[str, Any]:
    """The agent takes whoever rings."""
    work = await desk.rings(15)
    await desk.confirm(work)
    await desk.connect(work)
    await desk.accept(work)
    return work


async def test_a_caller_who_leaves_after_a_transfer_is_counted_once_and_right(
    stage: Whole,
) -> None:
    anna = await at_work(stage, "anna")
    call, work = await stage.talk(anna)
    await anna.transfer(work, "needs an engineer", queue_id="support")
    await anna.becomes("wrap_up", 5)
    await call.hears_audio(5)
    await call.hangup()
    await stage.until_quiet()
    await eventually(
        lambda: exits(stage), lambda now: now == ["answered", "abandoned"], 20, "both stays"
    )


async def test_a_transfer_survives_the_flow_that_carries_it_out(
    stage: Whole, outside: SoftPhone
) -> None:
    anna = await at_work(stage, "anna")
    call, work = await stage.talk(anna)
    await anna.transfer(work, "needs an engineer", queue_id="support")
    await anna.becomes("wrap_up", 5)
    await stage.carillon.kill("ivr")
    await call.hears_audio(5)
    await stage.carillon.start("ivr")
    await stage.tenant.agent("ben", queues=("support",))
    ben = await stage.tenant.desk("ben")
    await ben.presence("ready")
    taken = await takes(ben, call)
    assert told(taken)["transfer_reason"] == "needs an engineer"

    await ben.transfer(taken, "asked for the mayor", number=NUMBER_OUTSIDE)
    far = await outside.incoming(10)
    await far.ring()
    await stage.carillon.kill("ivr")
    await asyncio.sleep(1)
    await stage.carillon.start("ivr")
    await far.answer()
    await both_hear(call, far)
    await call.hangup()
    await far.ended(5)
    await stage.until_quiet()


async def digits(call: Call) -> str:
    """The keys that somebody heard."""
    return call.digits()
