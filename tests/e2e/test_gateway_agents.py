"""Ringing an agent's phone and speaking with it."""

from __future__ import annotations

import asyncio

import pytest

from protos.ivr.v1 import ivr_pb2
from tests.e2e.gateway_stage import (
    HOLD,
    WAIT_S,
    Script,
    Stage,
    Talk,
    answer,
    bridge,
    phones,
    play,
    ring,
    speak,
    until_the_end,
)
from tests.e2e.listening import has_heard
from tests.softphone.incoming import Answer, Ignore, Policy, Redirect, Reject, Ring
from tests.softphone.outgoing import OutgoingCall
from tests.softphone.phone import SoftPhone

pytestmark = pytest.mark.e2e


def _joining(agent: SoftPhone) -> Script:
    async def script(talk: Talk) -> None:
        await talk.step(answer(), HOLD)
        await talk.step(ring(agent.uri))
        assert (await talk.until("leg_answered")).ring_id == "r.1"
        await talk.step(bridge())
        bridged = await talk.until("bridged")
        assert (bridged.ring_id, bridged.leg_id) == ("r.1", "2")
        await until_the_end(talk)

    return script


async def test_caller_and_agent_hear_each_other_and_part() -> None:
    async with (
        SoftPhone(user="agent", auto=Answer(ring_s=0.1)) as agent,
        SoftPhone() as caller,
        Stage(_joining(agent)) as stage,
    ):
        call, rung = await speak(stage, caller, agent)
        assert rung.header("X-Carillon-Call") == (await stage.only_call()).call_id
        from_ = rung.header("From") or ""
        assert from_.startswith('"Ann Example" <sip:caller@') or "Ann Example <" in from_
        bridged = await stage.fact("legs_bridged")
        assert (bridged.leg_id, bridged.peer_leg_id) == ("1", "2")
        assert bridged.took_ms >= 0
        assert list(bridged.silent_leg_ids) == []
        await call.send_dtmf("5")
        await rung.hears_digits("5")
        await call.hangup()
        assert (await rung.ended()).by == "peer"
        assert await stage.ended() == ("success", "caller-hung-up")
        for heard in (call.stats(), rung.stats()):
            assert heard.ssrc_changes == 0
            assert heard.sequence_jumps == 0
        assert caller.faults == []
        assert agent.faults == []


async def test_a_law_on_one_side_and_mu_law_on_the_other() -> None:
    async with (
        SoftPhone(user="agent", codecs=("PCMA",), auto=Answer()) as agent,
        SoftPhone(codecs=("PCMU",)) as caller,
        Stage(_joining(agent)) as stage,
    ):
        call, _ = await speak(stage, caller, agent)
        codecs = [leg.codec for leg in (await stage.only_call()).legs]
        assert codecs == ["PCMU", "PCMA"]
        await call.hangup()
        assert await stage.ended() == ("success", "caller-hung-up")


async def test_the_callers_codec_is_asked_for_first() -> None:
    async with (
        SoftPhone(user="agent", auto=Answer()) as agent,
        SoftPhone(codecs=("PCMA",)) as caller,
        Stage(_joining(agent)) as stage,
    ):
        call, _ = await speak(stage, caller, agent)
        codecs = [leg.codec for leg in (await stage.only_call()).legs]
        assert codecs == ["PCMA", "PCMA"]
        await call.hangup()
        await stage.ended()


async def test_the_caller_hears_music_until_the_agent_is_bridged() -> None:
    told = asyncio.Event()

    async def script(talk: Talk) -> None:
        await talk.step(answer(), HOLD, ring(agent.uri))
        await talk.until("leg_answered")
        await asyncio.wait_for(told.wait(), WAIT_S)
        await talk.step(bridge())
        await until_the_end(talk)

    async with phones() as (caller, agent), Stage(script) as stage:
        call = await caller.call(stage.uri)
        rung = await agent.incoming()
        await rung.answered()
        call.play_tone(440)
        rung.play_tone(660)
        await call.hears_audio(within_s=2)
        await call.hears_no_tone(660, for_s=0.3)
        await rung.hears_silence(for_s=0.3)
        told.set()
        await asyncio.gather(call.hears_tone(660), rung.hears_tone(440))
        await call.hangup()
        assert await stage.ended() == ("success", "caller-hung-up")


async def test_when_the_agent_hangs_up_the_flow_decides() -> None:
    async def script(talk: Talk) -> None:
        await talk.step(answer(), HOLD, ring(agent.uri))
        await talk.until("leg_answered")
        await talk.step(bridge())
        await talk.until("bridged")
        left = await talk.until("leg_ended")
        assert (left.role, left.reason) == (ivr_pb2.LEG_ROLE_AGENT, "hung-up")
        await talk.step(play("bye", prompt))
        await talk.until("operation_ended")
        await talk.hang_up()

    async with phones() as (caller, agent), Stage(script) as stage:
        prompt = await stage.put_tone(900, 0.6)
        call = await caller.call(stage.uri)
        rung = await agent.incoming()
        await stage.fact("legs_bridged")
        await rung.hangup()
        assert (await call.ended()).by == "peer"
        assert has_heard(call, 900)
        assert await stage.ended() == ("success", "handled")


@pytest.mark.parametrize(
    ("policy", "outcome", "status"),
    [
        (Reject(486), ivr_pb2.LegFailed.OUTCOME_BUSY, 486),
        (Reject(603), ivr_pb2.LegFailed.OUTCOME_REJECT, 603),
        (Reject(480, ring_s=0.1), ivr_pb2.LegFailed.OUTCOME_REJECT, 480),
        (Reject(480), ivr_pb2.LegFailed.OUTCOME_UNREACHABLE, 480),
        (Reject(404), ivr_pb2.LegFailed.OUTCOME_UNREACHABLE, 404),
        (
            Redirect("sip:else@127.0.0.1:5070"),
            ivr_pb2.LegFailed.OUTCOME_UNREACHABLE,
            302,
        ),
        (Ignore(), ivr_pb2.LegFailed.OUTCOME_UNREACHABLE, 0),
        (Ring(), ivr_pb2.LegFailed.OUTCOME_NO_ANSWER, 0),
    ],
    ids=lambda value: repr(value) if isinstance(value, Policy) else "",
)
async def test_an_agent_who_does_not_answer_leaves_the_caller_in_peace(
    policy: Policy, outcome: int, status: int
) -> None:
    # One limit runs out, and only where it is what the test is about.
    ring_ms = 900 if isinstance(policy, Ring) else 30_000
    no_response_ms = 400 if isinstance(policy, Ignore) else 30_000

    async def script(talk: Talk) -> None:
        await talk.step(answer(), HOLD, ring(agent.uri, timeout_ms=ring_ms))
        failed = await talk.until("leg_failed")
        assert (failed.ring_id, failed.outcome, failed.sip_status) == ("r.1", outcome, status)
        await until_the_end(talk)

    async with (
        SoftPhone(user="agent", auto=policy) as agent,
        SoftPhone() as caller,
        Stage(script, agent_no_response_ms=no_response_ms) as stage,
    ):
        call = await caller.call(stage.uri)
        await call.answered()
        await stage.fact("leg_ended")
        await call.hears_audio(within_s=2)
        assert call.is_up
        await call.hangup()
        assert await stage.ended() == ("success", "caller-hung-up")


async def test_a_ring_that_lost_the_race_is_told_so() -> None:
    async def script(talk: Talk) -> None:
        await talk.step(answer(), HOLD, ring(agent.uri))
        await talk.until("leg_ringing")
        stop = ivr_pb2.StopRinging(ring_id="r.1", reason="answered-elsewhere")
        await talk.step(ivr_pb2.Command(stop_ringing=stop))
        failed = await talk.until("leg_failed")
        assert failed.outcome == ivr_pb2.LegFailed.OUTCOME_CANCELLED
        await talk.hang_up()

    async with (
        SoftPhone(user="agent", auto=Ring()) as agent,
        SoftPhone() as caller,
        Stage(script) as stage,
    ):
        await caller.call(stage.uri)
        ended = await (await agent.incoming()).ended()
        assert ended.how == "cancel"
        assert ended.reason == 'SIP;cause=200;text="Call completed elsewhere"'
        assert await stage.ended() == ("success", "handled")


async def test_an_address_that_policy_does_not_allow_is_never_rung() -> None:
    async def script(talk: Talk) -> None:
        await talk.step(answer(), ring("sip:100@192.0.2.7"))
        failed = await talk.until("leg_failed")
        assert failed.outcome == ivr_pb2.LegFailed.OUTCOME_REFUSED
        dial = ivr_pb2.Dial(ring_id="d.1", target="+12025550199", timeout_ms=1_000)
        await talk.step(ivr_pb2.Command(dial=dial))
        failed = await talk.until("leg_failed")
        assert (failed.ring_id, failed.outcome) == ("d.1", ivr_pb2.LegFailed.OUTCOME_REFUSED)
        await talk.hang_up()

    async with Stage(script) as stage, SoftPhone() as caller:
        await (await caller.call(stage.uri)).ended()
        assert await stage.ended() == ("success", "handled")
        assert len(stage.found("leg_started")) == 1


async def test_a_number_is_dialled_by_the_trunk_that_asks_for_credentials() -> None:
    async with (
        SoftPhone(user="trunk", auto=Answer(), require_auth=("carillon", "secret")) as trunk,
        SoftPhone() as caller,
    ):
        host, port = trunk.address

        async def script(talk: Talk) -> None:
            dial = ivr_pb2.Dial(ring_id="d.1", target="+1 202 555 0199", timeout_ms=5_000)
            await talk.step(answer(), HOLD, ivr_pb2.Command(dial=dial))
            await talk.until("leg_answered")
            await talk.step(bridge("d.1"))
            await talk.until("bridged")
            await until_the_end(talk)

        async with Stage(
            script,
            dial_allow=("+1202555*",),
            outbound_proxy=f"{host}:{port}",
            outbound_user="carillon",
            outbound_password="secret",
        ) as stage:
            call = await caller.call(stage.uri)
            rung = await trunk.incoming()
            assert rung.invite.uri.startswith("sip:+12025550199@")
            assert "<sip:+12025550100@" in (rung.header("From") or "")
            await stage.fact("legs_bridged")
            assert trunk.challenges == 1
            assert isinstance(call, OutgoingCall)
            await call.hangup()
            assert await stage.ended() == ("success", "caller-hung-up")
