"""Keys for the other side, a caller who is handed on, and what was said in SIP meanwhile."""

from __future__ import annotations

import asyncio

import pytest
from grpc import aio

from protos.gateway.v1 import gateway_pb2
from protos.ivr.v1 import ivr_pb2
from services.chassis.rpc import metadata, remote_error
from tests.e2e.gateway_stage import (
    HOLD,
    TENANT,
    WAIT_S,
    Stage,
    Talk,
    answer,
    bridge,
    phones,
    ring,
    speak,
    until_the_end,
)
from tests.stage.asking import eventually

pytestmark = pytest.mark.e2e

META = metadata(tenant_id=TENANT)
STOP = ivr_pb2.Command(stop_ringing=ivr_pb2.StopRinging(ring_id="r.1", reason="transferred"))


async def test_the_caller_hears_an_agents_keys_and_the_agent_does_not() -> None:
    async def script(talk: Talk) -> None:
        await talk.step(answer(), HOLD, ring(agent.uri))
        await talk.until("leg_answered")
        await talk.step(bridge())
        await until_the_end(talk)

    async def heard() -> str:
        return call.digits()

    async with phones() as (caller, agent), Stage(script) as stage:
        call, rung = await speak(stage, caller, agent)
        keys = gateway_pb2.SendDigitsRequest(
            call_id=(await stage.only_call()).call_id, leg_id="2", digits="19*A"
        )
        assert (await stage.stub.SendDigits(keys, metadata=META)).leg_id == "2"
        await eventually(heard, lambda digits: digits == "19*A", WAIT_S, "the keys")
        assert rung.digits() == ""
        # They talk on, and the caller's own leg has no keypad here.
        await asyncio.gather(call.hears_tone(660), rung.hears_tone(440))
        keys.leg_id = "1"
        with pytest.raises(aio.AioRpcError) as refused:
            await stage.stub.SendDigits(keys, metadata=META)
        assert remote_error(refused.value).code == "leg-not-bridged"
        keys.leg_id, keys.digits = "2", "hello"
        with pytest.raises(aio.AioRpcError) as refused:
            await stage.stub.SendDigits(keys, metadata=META)
        assert remote_error(refused.value).code == "bad-digits"
        (fact,) = stage.found("digits_sent")
        assert (fact.leg_id, fact.count) == ("2", 4)
        await call.hangup()
        await stage.ended()
        assert caller.faults == agent.faults == []


async def test_a_flow_hands_the_caller_on_and_the_ladder_tells_of_every_leg() -> None:
    async def script(talk: Talk) -> None:
        await talk.step(answer(), HOLD, ring(agent.uri))
        await talk.until("leg_answered")
        await talk.step(bridge())
        asked = await talk.until("transfer_requested")
        assert (asked.ring_id, asked.queue_id, asked.reason) == ("r.1", "sales", "wants to buy")
        assert (asked.by, asked.by_name) == ("ann", "ann")
        await talk.step(STOP, HOLD, ring(agent.uri, ring_id="r.2"))
        await talk.until("leg_answered")
        await talk.step(bridge("r.2"))
        await until_the_end(talk)

    async with phones() as (caller, agent), Stage(script) as stage:
        call, rung = await speak(stage, caller, agent)
        transfer = gateway_pb2.TransferRequest(
            call_id=(await stage.only_call()).call_id,
            leg_id="2",
            queue_id="sales",
            reason="wants to buy",
            by="ann",
        )
        await stage.stub.Transfer(transfer, metadata=META)
        assert (await rung.ended()).by == "peer"
        second = await agent.incoming()
        await stage.fact("legs_bridged", skip=1)
        second.play_tone(880)
        await asyncio.gather(call.hears_tone(880), second.hears_tone(440))
        await call.hangup()
        await stage.ended()
        (fact,) = stage.found("transfer_requested")
        assert (fact.leg_id, fact.kind, fact.target) == ("2", "queue", "sales")
        assert [each.WhichOneof("body") for each in stage.facts[-2:]] == [
            "ladder_noted",
            "call_ended",
        ]
        (ladder,) = stage.found("ladder_noted")
        assert {step.leg_id for step in ladder.steps} == {"1", "2", "3"}
        assert all(step.times == 1 for step in ladder.steps)
        host, port = agent.address
        second_leg = [step for step in ladder.steps if step.leg_id == "2"]
        assert {step.peer for step in second_leg} == {f"{host}:{port}"}
        assert [(step.sent, step.line) for step in second_leg] == [
            (True, "INVITE"),
            (False, "100 Trying"),
            (False, "200 OK"),
            (True, "ACK"),
            (True, "BYE"),
            (False, "200 OK"),
        ]
