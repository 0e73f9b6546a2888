"""What people try before callers depend on it: a browser's own way, and a call from nobody."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from functools import partial
from typing import Any

import pytest
from grpc import aio

from protos.gateway.v1 import gateway_pb2
from protos.ivr.v1 import ivr_pb2
from services.chassis.request import OWN_KEY, PLATFORM, on_behalf
from services.chassis.rpc import metadata, remote_error
from tests.agent import Peer
from tests.e2e.gateway_stage import (
    AGENT_HZ,
    HOLD,
    TENANT,
    WAIT_S,
    Stage,
    Talk,
    answer,
    bridge,
    gather,
    hold_on,
    ring,
    until_the_end,
)
from tests.softphone.incoming import Answer
from tests.softphone.phone import SoftPhone
from tests.stage.asking import eventually

pytestmark = pytest.mark.e2e

AGENT = "agent-1"
LOOPBACK: dict[str, Any] = {"webrtc_addresses": ("127.0.0.1",), "webrtc_silence_ms": 1_000}


async def probe(
    stage: Stage, offer: str, *, agent_id: str = AGENT, tenant: str = TENANT, own: str = ""
) -> gateway_pb2.ProbeAgentResponse:
    carried = [*metadata(tenant_id=tenant), *([(OWN_KEY, own)] if own else [])]
    return await stage.stub.ProbeAgent(
        gateway_pb2.ProbeAgentRequest(agent_id=agent_id, sdp_offer=offer), metadata=tuple(carried)
    )


async def place(
    stage: Stage, *, person: str = "anna", **order: Any
) -> gateway_pb2.PlaceTestCallResponse:
    request = gateway_pb2.PlaceTestCallRequest(**{"to": "+12025550100", "talk_s": 5, **order})
    carried = on_behalf(tenant_id=TENANT, user_id=person, user_name=person)
    return await stage.stub.PlaceTestCall(request, metadata=carried)


async def refusal(asked: Awaitable[object]) -> str:
    """The code that something is refused with."""
    with pytest.raises(aio.AioRpcError) as refused:
        await asked
    return remote_error(refused.value).code


async def test_what_a_browser_says_comes_back_to_it() -> None:
    async with Stage(**LOOPBACK) as stage, Peer() as peer:
        peer.play_tone(AGENT_HZ)
        answered = await probe(stage, await peer.offer())
        assert answered.ends_after_ms == 15_000
        await peer.accept_answer(answered.sdp_answer)
        await peer.connected(WAIT_S)
        await peer.hears_tone(AGENT_HZ)
        assert stage.facts == []
        assert await probes(stage) == (1, 0)


async def test_a_probe_ends_when_its_browser_leaves() -> None:
    async with Stage(**LOOPBACK) as stage:
        async with Peer() as peer:
            await peer.accept_answer((await probe(stage, await peer.offer())).sdp_answer)
            await peer.connected(WAIT_S)
        await eventually(partial(probes, stage), (0, 1).__eq__, WAIT_S, "the probe's end")


async def probes(stage: Stage) -> tuple[float, float]:
    """Those that run, and those that were connected."""
    shown = {(r.name, r.labels): r.value for r in stage.gateway.readings()}
    ended = "carillon_gateway_probes_total", (("outcome", "connected"),)
    return shown["carillon_gateway_probes", ()], shown[ended]


async def test_a_newer_probe_of_an_agent_ends_the_older_one() -> None:
    async with Stage(**LOOPBACK) as stage, Peer() as older, Peer() as newer, Peer() as other:
        for peer, who in ((older, AGENT), (other, "agent-2"), (newer, AGENT)):
            answered = await probe(stage, await peer.offer(), agent_id=who)
            await peer.accept_answer(answered.sdp_answer)
            await peer.connected(WAIT_S)
        await older.closed()
        assert (newer.state, other.state) == ("connected", "connected")


async def test_probes_are_refused_by_name() -> None:
    async with Stage(**LOOPBACK) as stage, Peer() as peer:
        offer = await peer.offer()
        assert await refusal(probe(stage, "v=0")) == "bad-sdp-offer"
        assert await refusal(probe(stage, offer, own="agent-2")) == "not-your-browser"
        assert await refusal(probe(stage, offer, agent_id="")) == "bad-agent-id"
        assert await refusal(probe(stage, offer, tenant=PLATFORM)) == "one-tenant-only"
        await stage.stub.Drain(gateway_pb2.DrainRequest(), metadata=metadata(tenant_id=PLATFORM))
        assert await refusal(probe(stage, offer)) == "gateway-leaving"
        assert await refusal(place(stage)) == "no-test-calls-now"


async def test_at_most_32_browsers_try_their_way_at_once() -> None:
    async with Stage(**LOOPBACK) as stage, Peer() as peer:
        offer = await peer.offer()
        for number in range(32):
            await probe(stage, offer, agent_id=f"agent-{number}")
        assert await refusal(probe(stage, offer, agent_id="agent-32")) == "too-many-probes"


async def test_a_test_call_goes_through_a_menu_to_a_browser_and_ends_by_itself() -> None:
    menu_ended = asyncio.Event()

    async def script(talk: Talk) -> None:
        invited = talk.first.invited
        assert (getattr(invited, "from"), invited.to) == ("+12025550199", "+12025550100")
        assert invited.trunk == "local"
        await talk.step(answer(), gather("menu", menu, max_digits=1, first_digit_timeout_ms=8_000))
        assert (await talk.until("operation_ended")).digits == "2"
        await talk.step(gather("more", max_digits=1, first_digit_timeout_ms=8_000))
        assert (await talk.until("operation_ended")).digits == "#"
        await talk.step(HOLD, ring("webrtc:"))
        menu_ended.set()
        await talk.step(bridge())
        await talk.until("bridged")
        await until_the_end(talk)

    async with Stage(script, **LOOPBACK) as stage, Peer() as peer:
        menu = await stage.put_tone(500, 0.8)
        placed = await place(stage, digits="2#")
        await stage.fact("leg_started")
        assert {fact.call_id for fact in stage.facts} == {placed.call_id}
        assert placed.speaks.startswith("Hello! This is a test call")
        await asyncio.wait_for(menu_ended.wait(), WAIT_S)
        response = await stage.stub.ConnectAgent(
            gateway_pb2.ConnectAgentRequest(
                reservation_id="r.1", agent_id=AGENT, sdp_offer=await peer.offer()
            ),
            metadata=metadata(tenant_id=TENANT),
        )
        await peer.accept_answer(response.sdp_answer)
        bridged = await stage.fact("legs_bridged")
        began_s = time.monotonic()
        assert list(bridged.silent_leg_ids) == [] or bridged.took_ms > 0
        await peer.hears_audio()
        await peer.closed(WAIT_S)
        assert 4.5 < time.monotonic() - began_s < 8
        assert await stage.ended() == ("success", "caller-hung-up")
        started = await stage.fact("call_started")
        assert (getattr(started, "from"), started.to) == ("+12025550199", "+12025550100")


async def test_a_phone_hears_the_test_caller_too_and_may_hang_up_first() -> None:
    async def script(talk: Talk) -> None:
        await talk.step(answer(), HOLD, ring(agent.uri))
        await talk.until("leg_answered")
        await talk.step(bridge())
        await talk.until("bridged")
        await talk.until("leg_ended")
        await talk.hang_up()

    async with SoftPhone(user="agent", auto=Answer()) as agent, Stage(script) as stage:
        await place(stage, talk_s=120, **{"from": "+4930123"})
        rung = await agent.incoming()
        await stage.fact("legs_bridged")
        await rung.hears_audio()
        await rung.hangup()
        assert await stage.ended() == ("success", "handled")
        started = await stage.fact("call_started")
        assert getattr(started, "from") == "+4930123"
        assert agent.faults == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::1"])
async def test_a_gateway_calls_itself_wherever_it_is_bound(host: str) -> None:
    async def script(talk: Talk) -> None:
        await talk.step(answer(), gather("menu", max_digits=1, first_digit_timeout_ms=8_000))
        assert (await talk.until("operation_ended")).digits == "7"
        await talk.hang_up()

    # What others are told leads nowhere from here.
    told: dict[str, Any] = {"media_advertised": "192.0.2.99"} if host == "0.0.0.0" else {}
    async with Stage(script, sip_host=host, **told) as stage:
        await place(stage, digits="7")
        assert await stage.ended() == ("success", "handled")


async def test_a_persons_newer_test_call_ends_their_former_one() -> None:
    async with Stage(hold_on) as stage:
        former = await place(stage)
        others = await place(stage, person="ben")
        newer = await place(stage)
        assert (await stage.fact("call_ended")).termination.reason == "caller-hung-up"
        over = [fact.call_id for fact in stage.facts if fact.HasField("call_ended")]
        assert over == [former.call_id]
        listed = await stage.stub.ListCalls(
            gateway_pb2.ListCallsRequest(), metadata=metadata(tenant_id=PLATFORM)
        )
        assert [call.call_id for call in listed.calls] == [others.call_id, newer.call_id]


async def test_at_most_four_people_of_a_tenant_have_a_test_call_at_once() -> None:
    async with Stage(hold_on) as stage:
        for person in ("anna", "ben", "cleo", "dan"):
            await place(stage, person=person)
        assert await refusal(place(stage, person="eve")) == "too-many-test-calls"


async def test_a_test_call_that_nobody_takes_ends_by_itself() -> None:
    async with Stage(hold_on, test_call_untaken_ms=1_000) as stage:
        began_s = time.monotonic()
        await place(stage)
        assert await stage.ended() == ("success", "caller-hung-up")
        assert time.monotonic() - began_s > 0.9


async def test_a_drain_ends_a_test_call_that_nobody_took() -> None:
    async with Stage(hold_on) as stage:
        await place(stage)
        await stage.fact("play_started")
        await stage.stub.Drain(gateway_pb2.DrainRequest(), metadata=metadata(tenant_id=PLATFORM))
        assert await stage.ended() == ("success", "caller-hung-up")


async def test_a_call_that_no_flow_takes_is_told_and_over() -> None:
    async with Stage() as stage:
        assert (await place(stage)).call_id
        assert (await stage.ended())[0] == "server_error"
        await stage.fact("call_ended")


async def test_a_call_that_turns_out_to_be_another_tenants_is_left_at_once() -> None:
    async def script(talk: Talk) -> None:
        await talk.step(answer(), HOLD, tenant="other")
        assert (await talk.until("leg_ended")).role == ivr_pb2.LEG_ROLE_CALLER
        await talk.hang_up()

    async with Stage(script) as stage:
        await place(stage)
        assert await stage.ended() == ("success", "caller-hung-up")


@pytest.mark.parametrize(
    "order",
    [
        {"to": ""},
        {"to": "sip:a@b"},
        {"to": "+12025550100\r\nX: y"},
        {"from": "Ann"},
        {"digits": "1" * 9},
        {"digits": "x"},
        {"talk_s": 4},
        {"talk_s": 121},
    ],
)
async def test_an_order_that_cannot_be_is_refused_in_words(order: dict[str, Any]) -> None:
    async with Stage() as stage:
        assert await refusal(place(stage, **order)) == "bad-test-call"
