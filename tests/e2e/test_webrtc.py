"""An agent in a browser: connected while it rings, bridged, held, lost and found."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from grpc import aio

from protos.gateway.v1 import gateway_pb2
from protos.ivr.v1 import ivr_pb2
from services.chassis.request import OWN_KEY
from services.chassis.rpc import metadata, remote_error
from tests.agent import Peer
from tests.e2e.gateway_stage import (
    AGENT_HZ,
    CALLER_HZ,
    HOLD,
    TENANT,
    WAIT_S,
    Stage,
    Talk,
    answer,
    bridge,
    ring,
    until_the_end,
)
from tests.softphone.call import Call
from tests.softphone.phone import SoftPhone

pytestmark = pytest.mark.e2e

BROWSER = "webrtc:"
AGENT_LEG = "2"
SILENCE_MS = 1_000
REJOIN_MS = 1_500
"""Of a browser that does not come back."""
REJOIN_IN_TIME_MS = 4_000
"""Of one that does: long enough for a new connection on a busy machine."""


@dataclass
class Cues:
    """What a test tells the flow, and what the flow tells a test."""

    ring: asyncio.Event = field(default_factory=asyncio.Event)
    """The flow shall ring, where it is not to do so at once."""
    accepted: asyncio.Event = field(default_factory=asyncio.Event)
    """acd says that the agent accepted: the flow bridges."""
    rung: asyncio.Event = field(default_factory=asyncio.Event)
    """The flow has said whom to ring."""


def _flow(cues: Cues, *, at_once: bool = True) -> Callable[[Talk], Awaitable[None]]:
    async def script(talk: Talk) -> None:
        await talk.step(answer(), HOLD)
        if not at_once:
            await asyncio.wait_for(cues.ring.wait(), WAIT_S)
        await talk.step(ring(BROWSER))
        cues.rung.set()
        await asyncio.wait_for(cues.accepted.wait(), WAIT_S)
        await talk.step(bridge())
        bridged = await talk.until("bridged")
        assert (bridged.ring_id, bridged.leg_id) == ("r.1", AGENT_LEG)
        await until_the_end(talk)

    return script


@contextlib.asynccontextmanager
async def staged(
    script: Callable[[Talk], Awaitable[None]], *, rejoin_ms: int = REJOIN_MS
) -> AsyncIterator[tuple[Stage, Call]]:
    """A gateway for browsers on loopback, and a caller who is answered there."""
    async with (
        SoftPhone() as caller,
        Stage(
            script,
            webrtc_addresses=("127.0.0.1",),
            webrtc_silence_ms=SILENCE_MS,
            rejoin_ms=rejoin_ms,
        ) as stage,
    ):
        call = await caller.call(stage.uri)
        await call.answered()
        call.play_tone(CALLER_HZ)
        yield stage, call
        assert caller.faults == []


async def connect(stage: Stage, peer: Peer, offer: str = "") -> None:
    """The peer's offer by way of ConnectAgent, as portal would bring it."""
    response = await stage.stub.ConnectAgent(
        gateway_pb2.ConnectAgentRequest(
            reservation_id="r.1", agent_id="agent-1", sdp_offer=offer or await peer.offer()
        ),
        metadata=metadata(tenant_id=TENANT),
    )
    assert response.leg_id == AGENT_LEG
    await peer.accept_answer(response.sdp_answer)
    await peer.connected(WAIT_S)


async def both_hear(call: Call, peer: Peer, within_s: float = 3.0) -> None:
    await asyncio.gather(call.hears_tone(AGENT_HZ, within_s), peer.hears_tone(CALLER_HZ, within_s))


@contextlib.asynccontextmanager
async def talking() -> AsyncIterator[tuple[Stage, Call, Peer]]:
    """A caller and an agent's browser who hear each other."""
    cues = Cues()
    async with (
        staged(_flow(cues), rejoin_ms=REJOIN_IN_TIME_MS) as (stage, call),
        Peer() as peer,
    ):
        peer.play_tone(AGENT_HZ)
        await cues.rung.wait()
        await connect(stage, peer)
        cues.accepted.set()
        await both_hear(call, peer)
        yield stage, call, peer


async def test_an_agent_is_connected_while_it_rings_and_heard_once_accepted() -> None:
    cues = Cues()
    async with staged(_flow(cues)) as (stage, call), Peer() as peer:
        peer.play_tone(AGENT_HZ)
        await cues.rung.wait()
        await connect(stage, peer)
        change = await stage.fact("leg_connection_changed")
        assert (change.leg_id, change.state) == (AGENT_LEG, "connected")
        assert change.took_ms > 0
        await call.hears_audio()
        await call.hears_no_tone(AGENT_HZ, for_s=0.3)
        await peer.hears_silence(for_s=0.3)
        cues.accepted.set()
        await both_hear(call, peer)
        caller_leg, agent_leg = (await stage.only_call()).legs
        assert (caller_leg.webrtc, agent_leg.webrtc, agent_leg.connected) == (False, True, True)
        assert (agent_leg.state, agent_leg.codec) == ("bridged", caller_leg.codec)
        assert agent_leg.media.packets_received > 0
        assert agent_leg.media.packets_lost == 0
        assert agent_leg.media.first_packet_ms >= 0
        bridged = await stage.fact("legs_bridged")
        assert list(bridged.silent_leg_ids) == []
        assert bridged.took_ms >= 0
        await call.hangup()
        await peer.closed()
        assert await stage.ended() == ("success", "caller-hung-up")
        ended = [fact for fact in stage.found("leg_ended") if fact.role == "agent"]
        assert [(fact.reason, fact.packets_sent > 0) for fact in ended] == [
            ("ended-by-command", True)
        ]
        assert call.stats().ssrc_changes == 0


async def test_keys_of_the_browser_reach_the_caller() -> None:
    async with talking() as (stage, call, peer):
        await peer.send_dtmf("52#")
        await call.hears_digits("52#")
        await stage.fact("digits_received", skip=2)
        assert [fact.how for fact in stage.found("digits_received")] == ["rfc4733"] * 3


async def test_an_offer_that_is_faster_than_its_ring_waits_for_it() -> None:
    cues = Cues()
    async with staged(_flow(cues, at_once=False)) as (stage, call), Peer() as peer:
        peer.play_tone(AGENT_HZ)
        connecting = asyncio.ensure_future(connect(stage, peer, await peer.offer()))
        done, _ = await asyncio.wait((connecting,), timeout=0.3)
        assert not done
        cues.ring.set()
        await connecting
        cues.accepted.set()
        await both_hear(call, peer)


async def test_an_acceptance_that_is_faster_than_the_browser_waits_for_it() -> None:
    cues = Cues()
    async with staged(_flow(cues)) as (stage, call), Peer() as peer:
        peer.play_tone(AGENT_HZ)
        offer = await peer.offer()
        await cues.rung.wait()
        cues.accepted.set()
        # The gateway waits three seconds for the browser of an agent who has accepted.
        await asyncio.sleep(0.3)
        await call.hears_audio()
        assert stage.found("legs_bridged") == []
        await connect(stage, peer, offer)
        await both_hear(call, peer)


async def test_an_acceptance_without_a_browser_fails_and_the_caller_waits_on() -> None:
    async def script(talk: Talk) -> None:
        await talk.step(answer(), HOLD, ring(BROWSER), bridge())
        failed = await talk.until("bridge_failed")
        assert (failed.ring_id, failed.reason) == ("r.1", "not-connected")
        await until_the_end(talk)

    async with staged(script) as (stage, call):
        ended = await stage.fact("leg_ended")
        assert (ended.role, ended.reason) == ("agent", "connection-lost")
        await call.hears_audio()
        await call.hangup()
        assert await stage.ended() == ("success", "caller-hung-up")


async def test_reservations_of_others_are_refused_by_name() -> None:
    cues = Cues()
    async with staged(_flow(cues)) as (stage, _), Peer() as peer:
        await cues.rung.wait()
        offer = await peer.offer()
        assert await _refusal(stage, offer, agent_id="agent-2") == "not-your-reservation"
        assert await _refusal(stage, offer, own="agent-2") == "not-your-reservation"
        assert await _refusal(stage, offer, tenant="other") == "no-such-reservation"
        assert await _refusal(stage, offer, reservation_id="r.9") == "no-such-reservation"
        assert stage.found("leg_connection_changed") == []
        cues.accepted.set()
        await connect(stage, peer, offer)
        await stage.fact("legs_bridged")


async def _refusal(
    stage: Stage,
    offer: str,
    *,
    reservation_id: str = "r.1",
    agent_id: str = "agent-1",
    tenant: str = TENANT,
    own: str = "",
) -> str:
    """The code that an offer is refused with."""
    carried = [*metadata(tenant_id=tenant)]
    if own:
        carried.append((OWN_KEY, own))
    with pytest.raises(aio.AioRpcError) as refused:
        await stage.stub.ConnectAgent(
            gateway_pb2.ConnectAgentRequest(
                reservation_id=reservation_id, agent_id=agent_id, sdp_offer=offer
            ),
            metadata=tuple(carried),
        )
    return remote_error(refused.value).code


BAD_OFFERS: dict[str, Callable[[str], str]] = {
    "not SDP": lambda _: "hello",
    "nothing": lambda _: "",
    "too long": lambda sdp: sdp + "a=x:" + "y" * 70_000,
    "no audio": lambda sdp: sdp.replace("m=audio", "m=video"),
    "not encrypted": lambda sdp: sdp.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP"),
    "no fingerprint": lambda sdp: sdp.replace("a=fingerprint:", "a=nothing:"),
    "no credentials": lambda sdp: sdp.replace("a=ice-ufrag:", "a=nothing:"),
    "no codec": lambda sdp: (
        sdp.replace("PCMU", "OPUS")
        .replace("PCMA", "G722")
        .replace("SAVPF 0 8 101", "SAVPF 96 97 101")
    ),
    "no mux": lambda sdp: sdp.replace("a=rtcp-mux\r\n", ""),
}


@pytest.mark.parametrize("name", BAD_OFFERS)
async def test_a_bad_offer_is_refused_in_words_and_harms_nothing(name: str) -> None:
    cues = Cues()
    async with staged(_flow(cues)) as (stage, call), Peer() as peer:
        await cues.rung.wait()
        offer = await peer.offer()
        assert await _refusal(stage, BAD_OFFERS[name](offer)) == "bad-sdp-offer"
        assert call.is_up


async def test_hold_is_music_and_mute_is_silence() -> None:
    async with talking() as (stage, call, peer):
        leg = await stage.control("Hold", AGENT_LEG)
        assert leg.held
        await call.hears_no_tone(AGENT_HZ)
        await call.hears_audio()
        await peer.hears_silence()
        await stage.control("Unhold", AGENT_LEG)
        await both_hear(call, peer)
        await stage.control("Mute", AGENT_LEG)
        await call.hears_silence()
        await peer.hears_tone(CALLER_HZ)
        await stage.control("Unmute", AGENT_LEG)
        await both_hear(call, peer)


async def test_a_caller_on_hold_is_music_for_the_browser() -> None:
    async with talking() as (stage, call, peer):
        await stage.control("Hold", "1")
        await peer.hears_no_tone(CALLER_HZ)
        await peer.hears_audio()
        await stage.control("Unhold", "1")
        await both_hear(call, peer)


@pytest.mark.parametrize("way", ["silence", "goodbye"])
async def test_a_lost_browser_is_music_and_a_new_one_goes_on(way: str) -> None:
    async with talking() as (stage, call, peer):
        if way == "silence":
            peer.drop()
        else:
            await peer.close()
        lost = await stage.fact("leg_connection_changed", skip=1)
        assert lost.state == "lost"
        await call.hears_audio()
        await call.hears_no_tone(AGENT_HZ, for_s=0.3)
        assert [leg.connected for leg in (await stage.only_call()).legs] == [False, False]
        async with Peer() as reloaded:
            reloaded.play_tone(AGENT_HZ)
            await connect(stage, reloaded)
            await both_hear(call, reloaded)
            # The time that was left for coming back is over, and of no account any more.
            await asyncio.sleep(REJOIN_IN_TIME_MS / 1_000)
            assert call.is_up
            await both_hear(call, reloaded)
            assert call.stats().ssrc_changes == 0
            await call.hangup()
        assert await stage.ended() == ("success", "caller-hung-up")


async def test_a_browser_lost_for_good_is_left_to_the_flow() -> None:
    cues = Cues()

    async def script(talk: Talk) -> None:
        await talk.step(answer(), HOLD, ring(BROWSER))
        cues.rung.set()
        await asyncio.wait_for(cues.accepted.wait(), WAIT_S)
        await talk.step(bridge())
        await talk.until("bridged")
        left = await talk.until("leg_ended")
        assert (left.role, left.reason) == (ivr_pb2.LEG_ROLE_AGENT, "connection-lost")
        await talk.step(HOLD)
        await until_the_end(talk)

    async with staged(script) as (stage, call), Peer() as peer:
        await cues.rung.wait()
        await connect(stage, peer)
        cues.accepted.set()
        await stage.fact("legs_bridged")
        peer.drop()
        ended = await stage.fact("leg_ended")
        assert (ended.role, ended.reason) == ("agent", "connection-lost")
        await call.hears_audio()
        async with Peer() as late:
            assert await _refusal(stage, await late.offer()) == "no-such-reservation"
        await call.hangup()
        assert await stage.ended() == ("success", "caller-hung-up")


async def test_a_caller_who_hangs_up_meanwhile_ends_it_all() -> None:
    async with talking() as (stage, call, peer):
        peer.drop()
        await stage.fact("leg_connection_changed", skip=1)
        await call.hangup()
        assert await stage.ended() == ("success", "caller-hung-up")


async def test_the_newest_window_takes_over_from_one_that_is_still_there() -> None:
    async with talking() as (stage, call, peer), Peer() as newer:
        newer.play_tone(880)
        await connect(stage, newer)
        await peer.closed()
        await asyncio.gather(call.hears_tone(880), newer.hears_tone(CALLER_HZ))
        await stage.fact("leg_connection_changed", skip=1)
        states = [fact.state for fact in stage.found("leg_connection_changed")]
        assert states == ["connected", "connected"]


async def test_a_browser_without_a_microphone_only_listens() -> None:
    cues = Cues()
    async with staged(_flow(cues)) as (stage, call), Peer(microphone=False) as peer:
        await cues.rung.wait()
        await connect(stage, peer)
        cues.accepted.set()
        await peer.hears_tone(CALLER_HZ)
        await call.hears_silence()
        bridged = await stage.fact("legs_bridged")
        assert list(bridged.silent_leg_ids) == [AGENT_LEG]
        await asyncio.sleep(2 * SILENCE_MS / 1_000)
        assert [fact.state for fact in stage.found("leg_connection_changed")] == ["connected"]


async def test_the_agents_codec_follows_the_callers_or_is_transcoded() -> None:
    cues = Cues()
    async with staged(_flow(cues)) as (stage, call), Peer(codecs=("PCMA",)) as peer:
        peer.play_tone(AGENT_HZ)
        await cues.rung.wait()
        await connect(stage, peer)
        cues.accepted.set()
        await both_hear(call, peer)
        assert [leg.codec for leg in (await stage.only_call()).legs] == ["PCMU", "PCMA"]


async def test_a_ring_that_is_stopped_says_goodbye_to_the_browser() -> None:
    async def script(talk: Talk) -> None:
        await talk.step(answer(), HOLD, ring(BROWSER))
        rung.set()
        await asyncio.wait_for(elsewhere.wait(), WAIT_S)
        stop = ivr_pb2.StopRinging(ring_id="r.1", reason="answered-elsewhere")
        await talk.step(ivr_pb2.Command(stop_ringing=stop))
        failed = await talk.until("leg_failed")
        assert failed.outcome == ivr_pb2.LegFailed.OUTCOME_CANCELLED
        await until_the_end(talk)

    rung, elsewhere = asyncio.Event(), asyncio.Event()
    async with staged(script) as (stage, call), Peer() as peer:
        await rung.wait()
        await connect(stage, peer)
        elsewhere.set()
        await peer.closed()
        await call.hears_audio()


async def test_hanging_up_the_browsers_leg_is_the_agents_hanging_up() -> None:
    cues = Cues()

    async def script(talk: Talk) -> None:
        await talk.step(answer(), HOLD, ring(BROWSER))
        cues.rung.set()
        await talk.step(bridge())
        await talk.until("bridged")
        left = await talk.until("leg_ended")
        assert (left.role, left.reason) == (ivr_pb2.LEG_ROLE_AGENT, "hung-up")
        await talk.hang_up()

    async with staged(script) as (stage, call), Peer() as peer:
        await cues.rung.wait()
        await connect(stage, peer)
        await stage.fact("legs_bridged")
        call_id = (await stage.only_call()).call_id
        await stage.stub.HangUp(
            gateway_pb2.LegControl(call_id=call_id, leg_id=AGENT_LEG),
            metadata=metadata(tenant_id=TENANT),
        )
        await peer.closed()
        await call.ended()
        assert await stage.ended() == ("success", "handled")
