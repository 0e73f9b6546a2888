"""Two gateways behind an edge: callers, agents' phones and browsers know one address alone."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from services.chassis.postgres.server import PostgresServer
from services.launcher.machine import GATEWAY
from tests.softphone import CallRefused, SoftPhone
from tests.softphone.incoming import Answer, IncomingCall
from tests.softphone.outgoing import OutgoingCall
from tests.stage.asking import eventually
from tests.stage.edged import KNOWN_WITHIN_S, NAMES, OTHER, Edged
from tests.stage.players import Players
from tests.stage.tenants import tenant_of
from tests.stage.watching import watching

# Each test starts a whole installation, which takes a busy machine its time.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

NUMBER = "+12025550100"
TRUNK = "127.0.0.7"
"""Where callers come from that the edge believes."""
DRAIN_LIMIT_S = 120.0


@asynccontextmanager
async def behind_an_edge(
    var: Path, postgres: PostgresServer, gateway_env: Mapping[str, str]
) -> AsyncIterator[Players[Edged]]:
    """A tenant's callers and agents; no phone may find fault with what it was sent."""
    async with (
        Edged(
            var=var, postgres=postgres, gateway_env=gateway_env, trunks={TRUNK: "acme-west"}
        ) as carillon,
        tenant_of(carillon, "acme", number=NUMBER) as tenant,
        watching(carillon, tenant.tenant_id) as (facts, agents),
        AsyncExitStack() as stack,
    ):
        everyone = Players(carillon, tenant, facts, agents, stack)
        try:
            await carillon.until_known(g1="taking", g2="taking")
            yield everyone
            assert [fault for phone in everyone.phones for fault in phone.faults] == []
        except BaseException as error:
            error.add_note(carillon.logs())
            raise


async def talk(stage: Players[Edged], agent: str) -> tuple[OutgoingCall, IncomingCall]:
    """A caller, and an agent at a phone who hears them."""
    _, phone = await stage.phone_agent(agent, Answer(ring_s=0.1))
    call = await stage.in_queue()
    rung = await phone.incoming(15)
    await rung.answered(10)
    await hear_each_other(call, rung)
    return call, rung


async def hear_each_other(call: OutgoingCall, rung: IncomingCall) -> None:
    call.play_tone(440)
    rung.play_tone(660)
    await asyncio.gather(rung.hears_tone(440, 10), call.hears_tone(660, 10))


async def both_change(call: OutgoingCall, rung: IncomingCall) -> None:
    """Each side holds the other for a moment, by requests within its dialog."""
    for side in (call, rung):
        await side.hold()
        await side.unhold()
    await hear_each_other(call, rung)


def gateway_of(call: OutgoingCall) -> str:
    """The face of the gateway that answers, by its tag."""
    tag = call.dialog.remote_tag
    return next(face for face, name in NAMES.items() if tag.startswith(f"{name}-"))


async def test_calls_with_phones_at_both_ends_go_by_the_edge_also_while_a_gateway_drains(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    limit = {"CARILLON_GATEWAY_DRAIN_LIMIT_S": f"{DRAIN_LIMIT_S:g}"}
    async with behind_an_edge(tmp_path, postgres_server, limit) as stage:
        carillon = stage.carillon
        edge = "127.0.0.1", carillon.sip_port
        pairs = [await talk(stage, name) for name in ("abel", "beth")]
        assert {gateway_of(call) for call, _ in pairs} == {GATEWAY, OTHER}
        for call, rung in pairs:
            via, *_ = rung.invite.all("Via")
            assert f"{edge[0]}:{edge[1]}" in via
            # Neither the caller nor the agent's phone ever speaks with a gateway.
            assert {call.dialog.next_hop, rung.dialog.next_hop} == {edge}
            await both_change(call, rung)

        leaving = asyncio.ensure_future(carillon.other.stop(wait_s=DRAIN_LIMIT_S))
        try:
            await carillon.until_known(g1="taking", g2="draining")
            kept = next(pair for pair in pairs if gateway_of(pair[0]) == OTHER)
            await both_change(*kept)
            for name in ("cleo", "dora"):
                pairs.append(await talk(stage, name))
                assert gateway_of(pairs[-1][0]) == GATEWAY
            assert not leaving.done()
            # An agent ends the one, callers the others.
            await kept[1].hangup()
            await kept[0].ended(10)
            assert await leaving == 0
        finally:
            leaving.cancel()
            await asyncio.wait((leaving,))
        await carillon.until_known(g1="taking")
        for call, rung in pairs:
            if call.is_up:
                await call.hangup()
                await rung.ended(10)
        await stage.until_quiet()
        for name in ("abel", "beth", "cleo", "dora"):
            # Who is signed in goes on to change the day's figures while they are compared.
            await stage.presence(stage.tenant.users[name], "signed_out")
        await stage.figures_agree(offered=4, answered=4)


async def test_browsers_take_calls_of_either_gateway_and_callers_notice_none_that_is_full(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    limit = {"CARILLON_GATEWAY_MAX_CALLS": "2"}
    async with behind_an_edge(tmp_path, postgres_server, limit) as stage:
        await stage.tenant.agent("anna")
        desk = await stage.tenant.desk("anna")
        await desk.ready()
        seen = set()
        for _ in NAMES:
            call, work = await stage.talk(desk)
            seen.add(gateway_of(call))
            await call.hangup()
            await desk.becomes("wrap_up")
            await desk.finish(work)
            await stage.until_quiet()
        assert seen == {GATEWAY, OTHER}
        (number,) = (await stage.tenant.admin.get("/v1/numbers"))["numbers"]
        path = f"/v1/numbers/{quote(NUMBER, safe='')}"
        await stage.tenant.admin.put(path, {**number, "trunk": "acme-west"})
        assert await trunk_of(stage, TRUNK) == "acme-west"
        assert await trunk_of(stage, "127.0.0.8") == "local"

        # Of five at once there is room for four, and only the gateways know it.
        calls = [await stage.dial() for _ in range(5)]
        told = await asyncio.gather(*(call.answered(10) for call in calls), return_exceptions=True)
        refused = [each for each in told if each is not None]
        assert [(type(each), getattr(each, "status", 0)) for each in refused] == [
            (CallRefused, 503)
        ]
        stay = [call for call in calls if call.is_up]
        leaves = stay.pop()
        await leaves.hangup()
        again = await eventually(lambda: taken(stage), bool, KNOWN_WITHIN_S, "a call taken")
        assert again is not None
        assert gateway_of(again) == gateway_of(leaves)
        for call in (*stay, again):
            await call.hangup()
        await stage.until_quiet()


async def test_callers_of_a_gateway_that_stands_still_come_to_the_other_one(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    async with behind_an_edge(tmp_path, postgres_server, {}) as stage:
        still = stage.carillon.gateway_program(GATEWAY).pid
        assert still is not None
        os.kill(still, signal.SIGSTOP)
        try:
            # One of two has its turn at once: it is waited for two seconds, and not for longer.
            calls = [await stage.dial() for _ in range(2)]
            await asyncio.gather(*(call.answered(15) for call in calls))
            assert {gateway_of(call) for call in calls} == {OTHER}
        finally:
            os.kill(still, signal.SIGCONT)
        # What it has of a call that others took meanwhile ends, and it takes calls again.
        for call in calls:
            await call.hears_audio(10)
            await call.hangup()
        await stage.until_quiet(60)
        await stage.carillon.until_known(g1="taking", g2="taking")

        async def back() -> bool:
            call = await taken(stage)
            found = call is not None and gateway_of(call) == GATEWAY
            if call is not None:
                await call.hangup()
            return found

        await eventually(back, bool, KNOWN_WITHIN_S, "a call by the gateway that stood still")
        await stage.until_quiet()


async def trunk_of(stage: Players[Edged], host: str) -> str:
    """By which trunk a gateway has a call from there, whatever the caller says of that."""
    before = {fact.call_id for fact in stage.facts.seen}
    async with SoftPhone(host=host) as phone:
        uri = f"sip:{NUMBER}@127.0.0.1:{stage.carillon.sip_port}"
        call = await phone.call(uri, headers={"X-Carillon-Trunk": "made-up"})
        await call.answered(10)
        await call.hangup()
        assert phone.faults == []
    begun = await stage.facts.first(
        lambda fact: fact.HasField("call_started") and fact.call_id not in before,
        15,
        f"the call from {host}",
    )
    await stage.until_quiet()
    return begun.call_started.trunk


async def taken(stage: Players[Edged]) -> OutgoingCall | None:
    """A call that is answered; None: no gateway had room for it."""
    call = await stage.dial()
    try:
        await call.answered(10)
    except CallRefused:
        return None
    return call
