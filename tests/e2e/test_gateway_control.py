"""Hold, mute and hang-up, from the face and from the phones."""

from __future__ import annotations

import asyncio

import grpc
import pytest
from grpc import aio

from protos.gateway.v1 import gateway_pb2
from services.chassis.errors import Kind
from services.chassis.rpc import metadata, remote_error
from tests.e2e.gateway_stage import (
    HOLD,
    TENANT,
    Stage,
    Talk,
    answer,
    bridge,
    phones,
    ring,
    speak,
    until_the_end,
)
from tests.softphone.phone import SoftPhone

pytestmark = pytest.mark.e2e


async def _join(talk: Talk, agent: SoftPhone) -> None:
    await talk.step(answer(), HOLD, ring(agent.uri))
    await talk.until("leg_answered")
    await talk.step(bridge())
    await talk.until("bridged")


async def test_hold_by_the_face_and_back() -> None:
    async def script(talk: Talk) -> None:
        await _join(talk, agent)
        held = await talk.until("hold_changed")
        assert (held.leg_id, held.ring_id, held.held) == ("2", "r.1", True)
        assert not (await talk.until("hold_changed")).held
        await until_the_end(talk)

    async with phones() as (caller, agent), Stage(script) as stage:
        call, rung = await speak(stage, caller, agent)
        assert (await stage.control("Hold", "2")).held
        await call.hears_no_tone(660, for_s=0.3)
        await call.hears_audio(above_dbm0=-45)
        await rung.hears_no_tone(440, for_s=0.3)
        assert rung.on_hold_by_peer
        assert (await stage.control("Hold", "2")).held
        assert not (await stage.control("Unhold", "2")).held
        await asyncio.gather(call.hears_tone(660), rung.hears_tone(440))
        assert not rung.on_hold_by_peer
        await call.hangup()
        assert await stage.ended() == ("success", "caller-hung-up")
        assert [fact.held for fact in stage.found("leg_hold_changed")] == [True, False]
        assert agent.faults == []


async def test_hold_by_the_callers_phone_lets_the_agent_hear_music() -> None:
    async def script(talk: Talk) -> None:
        await _join(talk, agent)
        assert (await talk.until("hold_changed")).leg_id == "1"
        await until_the_end(talk)

    async with phones() as (caller, agent), Stage(script) as stage:
        call, rung = await speak(stage, caller, agent)
        await call.hold()
        await rung.hears_no_tone(440, for_s=0.3)
        await rung.hears_audio(above_dbm0=-45)
        # What was on its way when they agreed may still have come; nothing does from then on.
        unwanted = call.stats().unwanted
        await call.hears_silence(for_s=0.3)
        assert call.stats().unwanted == unwanted
        await call.unhold()
        await asyncio.gather(call.hears_tone(660), rung.hears_tone(440))
        await call.hangup()
        assert await stage.ended() == ("success", "caller-hung-up")
        assert caller.faults == []


async def test_both_hold_at_once_and_the_glare_is_settled() -> None:
    async def script(talk: Talk) -> None:
        await _join(talk, agent)
        await until_the_end(talk)

    async with phones() as (caller, agent), Stage(script) as stage:
        call, _ = await speak(stage, caller, agent)
        await asyncio.gather(call.hold(), stage.control("Hold", "1"))
        await call.unhold()
        assert not (await stage.control("Unhold", "1")).held
        await call.hears_tone(660, within_s=6)
        await call.hangup()
        assert await stage.ended() == ("success", "caller-hung-up")


async def test_a_muted_agent_hears_and_is_not_heard() -> None:
    async def script(talk: Talk) -> None:
        await _join(talk, agent)
        assert (await talk.until("mute_changed")).muted
        await until_the_end(talk)

    async with phones() as (caller, agent), Stage(script) as stage:
        call, rung = await speak(stage, caller, agent)
        assert (await stage.control("Mute", "2")).muted
        await call.hears_silence(for_s=0.3)
        await rung.hears_tone(440)
        assert not (await stage.control("Unmute", "2")).muted
        await call.hears_tone(660)
        await call.hangup()
        await stage.ended()


async def test_a_leg_hung_up_from_outside_leaves_the_rest_to_the_flow() -> None:
    async def script(talk: Talk) -> None:
        await _join(talk, agent)
        assert (await talk.until("leg_ended")).reason == "hung-up"
        await talk.hang_up()

    async with phones() as (caller, agent), Stage(script) as stage:
        call, rung = await speak(stage, caller, agent)
        listed = await stage.only_call()
        control = gateway_pb2.LegControl(call_id=listed.call_id, leg_id="2")
        await stage.stub.HangUp(control, metadata=metadata(tenant_id=TENANT))
        assert (await rung.ended()).by == "peer"
        assert (await call.ended()).by == "peer"
        assert await stage.ended() == ("success", "handled")


async def test_what_the_face_shows_and_refuses() -> None:
    async def script(talk: Talk) -> None:
        await _join(talk, agent)
        await until_the_end(talk)

    async with phones() as (caller, agent), Stage(script) as stage:
        call, _ = await speak(stage, caller, agent)
        listed = await stage.only_call()
        assert (listed.state, listed.flow_attached, listed.to) == ("active", True, "+12025550100")
        assert [(leg.role, leg.state) for leg in listed.legs] == [
            ("caller", "bridged"),
            ("agent", "bridged"),
        ]
        assert all(leg.media.packets_received >= 5 for leg in listed.legs)
        assert all(leg.media.packets_from_strangers == 0 for leg in listed.legs)
        theirs = metadata(tenant_id="other")
        empty = await stage.stub.ListCalls(gateway_pb2.ListCallsRequest(), metadata=theirs)
        assert list(empty.calls) == []
        for wanted, code in (
            (gateway_pb2.LegControl(call_id=listed.call_id, leg_id="2"), "no-such-call"),
            (gateway_pb2.LegControl(call_id="none", leg_id="1"), "no-such-call"),
        ):
            with pytest.raises(aio.AioRpcError) as refused:
                await stage.stub.Hold(wanted, metadata=theirs)
            assert remote_error(refused.value).code == code
        with pytest.raises(aio.AioRpcError) as refused:
            await stage.control("Mute", "9")
        error = remote_error(refused.value)
        assert (error.code, error.kind) == ("no-such-leg", Kind.NOT_FOUND)
        with pytest.raises(aio.AioRpcError) as refused:
            await stage.stub.ListCalls(gateway_pb2.ListCallsRequest())
        assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
        await call.hangup()
        await stage.ended()
