"""What a caller hears and keys, from a gateway with an interpreter that plays a scenario."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Literal

import pytest

from protos.common.v1 import common_pb2
from protos.ivr.v1 import ivr_pb2
from tests.e2e.gateway_stage import (
    HOLD,
    WAIT_S,
    Stage,
    Talk,
    answer,
    gather,
    play,
    until_the_end,
)
from tests.e2e.listening import has_heard
from tests.softphone.errors import CallOver, CallRefused
from tests.softphone.phone import SoftPhone

pytestmark = pytest.mark.e2e

COMPLETE = ivr_pb2.OperationEnded.REASON_COMPLETE
ABSENT = "0" * 64


async def test_a_caller_is_answered_and_hears_a_prompt() -> None:
    async def script(talk: Talk) -> None:
        assert getattr(talk.first.invited, "from") == "caller"
        assert talk.first.invited.to == "+12025550100"
        assert talk.first.invited.display_name == "Ann Example"
        assert talk.first.invited.trunk == "local"
        assert talk.first.invited.headers == {"X-Ticket": "42"}
        assert talk.first.invited.gateway_address.endswith("/gateway.sock")
        await talk.step(answer(), play("tone", prompt))
        ended = await talk.until("operation_ended")
        assert (ended.operation, ended.reason) == ("tone", COMPLETE)
        await talk.hang_up()

    async with Stage(script) as stage, SoftPhone(display="Ann Example") as phone:
        prompt = await stage.put_tone(700, 0.6)
        headers = {"X-Ticket": "42", "X-Carillon-Trunk": "forged"}
        call = await phone.call(stage.uri, headers=headers)
        await call.answered()
        assert not call.early_media
        ended = await call.ended()
        assert has_heard(call, 700)
        assert (ended.by, ended.how) == ("peer", "bye")
        assert await stage.ended() == ("success", "handled")
        (leg,) = stage.found("leg_ended")
        assert leg.role == "caller"
        assert leg.packets_sent >= 25
        assert call.stats().sequence_jumps == 0
        assert phone.faults == []


async def test_prompts_before_the_answer_are_early_media() -> None:
    heard = asyncio.Event()

    async def script(talk: Talk) -> None:
        await talk.step(play("early", prompt))
        assert (await talk.until("operation_ended")).reason == COMPLETE
        await talk.step(play("more", prompt, loop=True))
        await asyncio.wait_for(heard.wait(), WAIT_S)
        await talk.step(answer(), HOLD)
        await until_the_end(talk)

    async with Stage(script) as stage, SoftPhone() as phone:
        prompt = await stage.put_tone(900, 0.2)
        call = await phone.call(stage.uri)
        await call.hears_tone(900)
        assert call.early_media
        assert not call.is_up
        heard.set()
        await call.answered()
        await call.hears_audio(within_s=2)
        assert call.stats().ssrc_changes == 0
        assert call.stats().sequence_jumps == 0
        await call.hangup()
        assert await stage.ended() == ("success", "caller-hung-up")
        states = [body.state for body in stage.found("leg_state_changed")]
        assert states == ["early", "answered"]
        assert phone.faults == []


@pytest.mark.parametrize("how", ["rfc4733", "info"])
async def test_a_key_cuts_the_prompt_short(how: Literal["rfc4733", "info"]) -> None:
    async def script(talk: Talk) -> None:
        await talk.step(answer(), gather("menu", prompt, max_digits=2, end_key="#"))
        ended = await talk.until("operation_ended")
        assert (ended.operation, ended.reason, ended.digits) == ("menu", COMPLETE, "9")
        await talk.hang_up()

    async with Stage(script) as stage, SoftPhone() as phone:
        prompt = await stage.put_tone(700, 30)
        call = await phone.call(stage.uri)
        await call.hears_tone(700, within_s=2)
        await call.send_dtmf("9", how=how)
        await call.hears_no_tone(700, within_s=2, for_s=0.1)
        # The gateway hears a key at its first packet: the call may be over before its last.
        with contextlib.suppress(CallOver):
            await call.send_dtmf("#", how=how)
        await call.ended()
        assert await stage.ended() == ("success", "handled")
        keys = stage.found("digits_received")
        expected = "sip-info" if how == "info" else "rfc4733"
        assert [(key.count, key.how) for key in keys] == [(1, expected)] * 2
        assert "9" not in str(keys)


async def test_nothing_keyed_in_time_is_a_time_out() -> None:
    async def script(talk: Talk) -> None:
        await talk.step(answer(), gather("menu", max_digits=1, first_digit_timeout_ms=200))
        ended = await talk.until("operation_ended")
        assert (ended.reason, ended.digits) == (ivr_pb2.OperationEnded.REASON_TIMEOUT, "")
        await talk.hang_up()

    async with Stage(script) as stage, SoftPhone() as phone:
        call = await phone.call(stage.uri)
        await call.ended()
        assert await stage.ended() == ("success", "handled")


async def test_a_prompt_that_nobody_has_fails_the_operation() -> None:
    async def script(talk: Talk) -> None:
        await talk.step(answer(), play("gone", ivr_pb2.Prompt(sha256=ABSENT)))
        assert (await talk.until("operation_ended")).reason == ivr_pb2.OperationEnded.REASON_FAILED
        await talk.hang_up()

    async with Stage(script) as stage, SoftPhone() as phone:
        await (await phone.call(stage.uri)).ended()
        assert await stage.ended() == ("success", "handled")


async def test_a_flow_refuses_a_number_that_is_nobodys() -> None:
    async def script(talk: Talk) -> None:
        unknown = common_pb2.Termination(
            termination_class=common_pb2.TERMINATION_CLASS_CALLER_ERROR, reason="no-such-number"
        )
        await talk.hang_up(unknown, 404)

    async with Stage(script) as stage, SoftPhone() as phone:
        call = await phone.call(stage.uri)
        with pytest.raises(CallRefused) as refused:
            await call.answered()
        assert refused.value.status == 404
        assert await stage.ended() == ("caller_error", "no-such-number")


async def test_a_caller_without_offer_gets_ours_and_hears() -> None:
    async def script(talk: Talk) -> None:
        await talk.step(play("tone", prompt, loop=True))
        await until_the_end(talk)

    async with Stage(script) as stage, SoftPhone(codecs=("PCMA",)) as phone:
        prompt = await stage.put_tone(700, 1)
        call = await phone.call(stage.uri, sdp=b"")
        await call.answered()
        await call.hears_tone(700, within_s=3)
        assert call.stats().payload_types == (8,)
        await call.hangup()
        assert await stage.ended() == ("success", "caller-hung-up")
        assert phone.faults == []


async def test_a_caller_who_gives_up_while_it_rings_cancelled() -> None:
    async def script(talk: Talk) -> None:
        await talk.step(HOLD)
        await until_the_end(talk)

    async with Stage(script) as stage, SoftPhone() as phone:
        call = await phone.call(stage.uri)
        await call.hears_audio(within_s=3)
        call.cancel()
        assert (await call.ended()).status == 487
        assert await stage.ended() == ("success", "caller-cancelled")


async def test_no_common_codec_is_refused_and_on_the_record() -> None:
    sdp = (
        b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        b"m=audio 40000 RTP/AVP 9\r\na=rtpmap:9 G722/8000\r\n"
    )
    async with Stage(until_the_end) as stage, SoftPhone() as phone:
        call = await phone.call(stage.uri, sdp=sdp)
        with pytest.raises(CallRefused) as refused:
            await call.answered()
        assert refused.value.status == 488
        assert await stage.ended() == ("caller_error", "no-common-codec")
        assert stage.ivr.streams == 0
