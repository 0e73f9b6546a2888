"""Interpreters come and go; calls stay."""

from __future__ import annotations

import asyncio

import pytest

from protos.ivr.v1 import ivr_pb2
from tests.e2e.gateway_stage import (
    MUSIC,
    WAIT_S,
    Stage,
    Talk,
    answer,
    bridge,
    gather,
    play,
    ring,
    until_the_end,
)
from tests.softphone.errors import CallRefused
from tests.softphone.incoming import Answer
from tests.softphone.phone import SoftPhone

pytestmark = pytest.mark.e2e


async def test_without_an_interpreter_a_call_is_refused_after_two_seconds() -> None:
    async with Stage() as stage, SoftPhone() as phone:
        call = await phone.call(stage.uri)
        with pytest.raises(CallRefused) as refused:
            await call.answered()
        assert refused.value.status == 503
        assert await stage.ended() == ("server_error", "no-flow")
        assert stage.found("call_ended")[0].duration_ms > 1_900


async def test_a_caller_in_the_menu_stays_there_while_another_takes_over() -> None:
    away = asyncio.Event()

    async def first(talk: Talk) -> None:
        await talk.step(answer(), gather("menu", MUSIC, loop=True, max_digits=1))
        await asyncio.wait_for(away.wait(), WAIT_S)

    async def second(talk: Talk) -> None:
        resumed = talk.first.resumed
        assert talk.first.epoch > 1
        assert talk.first.seq == 0
        assert (resumed.checkpoint, resumed.step, resumed.tenant_id) == (b"at 1", 1, "acme")
        assert [leg.state for leg in resumed.legs] == ["answered"]
        ended = [event.operation_ended for event in resumed.events]
        assert [(e.operation, e.digits) for e in ended] == [("menu", "4")]
        assert resumed.operation == ""
        talk.consumed = resumed.events[-1].seq
        await talk.step(play("next", prompt, loop=True))
        await until_the_end(talk)

    async with Stage(first, second) as stage, SoftPhone() as phone:
        prompt = await stage.put_tone(900, 0.5)
        call = await phone.call(stage.uri)
        await call.answered()
        await call.hears_audio()
        away.set()
        await stage.stop_ivr()
        await stage.fact("flow_detached")
        await call.hears_audio()
        await call.send_dtmf("4")
        await stage.fact("digits_received")
        await stage.start_ivr()
        await call.hears_tone(900, within_s=4)
        await call.hangup()
        assert await stage.ended() == ("success", "caller-hung-up")
        assert stage.found("flow_attached")[0].epoch == 1


async def test_those_who_talk_do_not_notice() -> None:
    async def first(talk: Talk) -> None:
        await talk.step(answer(), ring(agent.uri))
        await talk.until("leg_answered")
        await talk.step(bridge())
        await talk.until("bridged")

    async def second(talk: Talk) -> None:
        assert [leg.state for leg in talk.first.resumed.legs] == ["bridged", "bridged"]
        await until_the_end(talk)

    async with (
        SoftPhone(user="agent", auto=Answer()) as agent,
        SoftPhone() as caller,
        Stage(first, second) as stage,
    ):
        call = await caller.call(stage.uri)
        rung = await agent.incoming()
        await stage.fact("legs_bridged")
        call.play_tone(440)
        rung.play_tone(660)
        await stage.fact("flow_detached")
        await asyncio.gather(call.hears_tone(660), rung.hears_tone(440))
        await stage.fact("flow_attached", skip=1)
        jumps, stalls = call.stats().timestamp_jumps, rung.stats().stalls
        await call.hears_tone(660, for_s=0.5)
        # Where this machine held the agent's phone up, its packets jump by themselves.
        assert call.stats().timestamp_jumps - jumps <= rung.stats().stalls - stalls
        await call.hangup()
        assert await stage.ended() == ("success", "caller-hung-up")


async def test_a_step_that_means_nothing_is_not_done_and_another_is_asked() -> None:
    async def first(talk: Talk) -> None:
        await talk.step(answer())
        await talk.step(ivr_pb2.Command())
        await talk.until("leg_ended")

    async def second(talk: Talk) -> None:
        assert talk.first.resumed.step == 1
        await talk.hang_up()

    async with Stage(first, second) as stage, SoftPhone() as phone:
        await (await phone.call(stage.uri)).ended()
        assert await stage.ended() == ("success", "handled")
        (detached,) = stage.found("flow_detached")
        assert detached.reason.startswith("bad-command")


async def test_a_caller_whose_interpreter_stays_away_hears_music_and_the_apology() -> None:
    away = asyncio.Event()

    async def first(talk: Talk) -> None:
        await talk.step(answer())
        await asyncio.wait_for(away.wait(), WAIT_S)

    async def last(talk: Talk) -> None:
        ended = [event.leg_ended.reason for event in talk.first.resumed.events]
        assert ended == ["ended-by-command"]
        await talk.hang_up()

    async with Stage(first, last, flow_patience_ms=2_500) as stage, SoftPhone() as phone:
        call = await phone.call(stage.uri)
        await call.answered()
        away.set()
        await stage.stop_ivr()
        await stage.fact("flow_detached")
        await call.hears_audio(within_s=WAIT_S)
        assert list((await stage.fact("play_started")).prompts) == ["music"]
        assert list((await stage.fact("play_started", skip=1)).prompts) == ["apology"]
        assert (await call.ended()).by == "peer"
        # The interpreter is given five seconds for its last word.
        await stage.fact("leg_ended")
        at_ms = {fact.WhichOneof("body"): fact.at_ms for fact in stage.facts}
        # The apology was heard to its end: five seconds of speech.
        assert 4_500 < at_ms["leg_ended"] - at_ms["play_started"] < 10_000
        await stage.start_ivr()
        assert await stage.ended() == ("server_error", "no-flow")
