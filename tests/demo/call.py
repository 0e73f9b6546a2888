"""The main job: one call from a phone through menu and queue to an agent's phone, and back out."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from protos.gateway.v1 import events_pb2
from tests.demo.story import Story
from tests.softphone import SoftPhone
from tests.softphone.call import Call
from tests.stage.installation import Installation
from tests.stage.seed import (
    NUMBER,
    SeedAgent,
    occupy,
    release,
    seed_agent,
    seed_number,
    seed_queues,
    set_presence,
)
from tests.stage.watching import Agents, Facts, watching

CALLER = "+12025550147"
CALLER_HZ = 440
AGENT_HZ = 660
WRAP_UP_MS = 4_000
AGENT = "anna"


async def run_call(story: Story, var: Path) -> None:
    """Tells the story of one call on an installation of its own; StoryFailed says what failed."""
    carillon = Installation(var=var)
    try:
        with story.step("Carillon", "starts: services in one process, gateway in another") as step:
            await carillon.prepare()
            await asyncio.gather(*(carillon.start(name) for name in carillon.programs))
            step.detail = f"SIP on 127.0.0.1:{carillon.sip_port} (UDP)"
        async with (
            SoftPhone(user=CALLER, display="Carol Caller") as phone,
            SoftPhone(user=AGENT, display="Anna Agent") as desk,
        ):
            await _prepare(story, carillon, desk)
            async with watching(carillon) as (facts, agents):
                scene = Scene(story, carillon, phone, desk, facts, agents)
                await _sign_in(scene)
                await _conversation(scene, await _menu_and_queue(scene))
    finally:
        await carillon.close()


@dataclass(frozen=True, slots=True)
class Scene:
    """Everyone who plays a part."""

    story: Story
    carillon: Installation
    phone: SoftPhone
    desk: SoftPhone
    facts: Facts
    agents: Agents


async def _prepare(story: Story, carillon: Installation, desk: SoftPhone) -> None:
    with story.step("Carillon", "learns number, menu, queues, agent") as step:
        await seed_queues(carillon, wrap_up_ms=WRAP_UP_MS)
        await seed_number(carillon)
        await seed_agent(carillon, SeedAgent(AGENT, "Anna Agent", desk.uri))
        step.detail = f"{NUMBER} → main-menu → sales, support"


async def _sign_in(scene: Scene) -> None:
    with scene.story.step("agent", "signs in, and is on a call of her own") as step:
        await set_presence(scene.carillon, AGENT, "ready")
        await scene.agents.becomes(AGENT, "ready", 5)
        await occupy(scene.carillon, AGENT)
        async with asyncio.timeout(5):
            while scene.agents.now(AGENT).routable:
                await scene.agents.changed()
        step.detail = f"not free: {scene.agents.now(AGENT).why}"


async def _menu_and_queue(scene: Scene) -> Call:
    story, facts = scene.story, scene.facts
    with story.step("caller", f"dials {NUMBER} and is answered") as step:
        call = await scene.phone.call(f"sip:{NUMBER}@127.0.0.1:{scene.carillon.sip_port}")
        await call.answered(5)
        started = await facts.first(lambda f: f.HasField("call_started"), 2, "a new call")
        story.figures["call_id"] = started.call_id
        step.detail = f"call {started.call_id}"
    with story.step("caller", "hears the menu") as step:
        await call.hears_audio(3)
        step.detail = call.describe_sound()
    with story.step("caller", "presses 1 (RFC 4733)") as step:
        await asyncio.sleep(2.5)  # a person listens before pressing
        await call.send_dtmf("1")
        keyed = await facts.first(lambda f: f.HasField("digits_received"), 3, "a key")
        step.detail = f"{keyed.digits_received.count} key by {keyed.digits_received.how}"
    with story.step("caller", "waits in the queue, with music") as step:
        await facts.first(lambda f: "music" in f.play_started.prompts, 5, "music")
        await call.hears_audio(3)
        step.detail = call.describe_sound()
    with story.step("caller", "is told position and expected wait") as step:
        said = await facts.first(_tells_position, 20, "a message with the position")
        step.detail = f"“{said.flow_noted.values['text']}”"
        story.figures["announcement"] = said.flow_noted.values["text"]
        # It is heard to its end: then the music goes on.
        await facts.some(2, lambda f: "music" in f.play_started.prompts, 15, "music")
    return call


def _tells_position(fact: events_pb2.CallFact) -> bool:
    text = fact.flow_noted.values.get("text", "") if fact.HasField("flow_noted") else ""
    return "number 1" in text and "expected wait" in text


async def _conversation(scene: Scene, call: Call) -> None:
    story, agents = scene.story, scene.agents
    with story.step("agent", "is free, and the phone rings") as step:
        await release(scene.carillon, AGENT)
        ringing = await scene.desk.incoming(5)
        await ringing.ring()
        await agents.becomes(AGENT, "ringing", 3)
        step.detail = f"shows {(ringing.header('From') or '').split(';')[0]}"
    with story.step("agent", "answers") as step:
        await asyncio.sleep(0.8)  # a person reaches for the phone
        await ringing.answer()
        await scene.facts.first(lambda f: f.HasField("legs_bridged"), 5, "a bridge")
        await agents.becomes(AGENT, "talking", 3)
        step.detail = "caller and agent are bridged"
    with story.step("caller", f"is heard by the agent: a tone of {CALLER_HZ} Hz") as step:
        call.play_tone(CALLER_HZ)
        await ringing.hears_tone(CALLER_HZ, 3)
        story.figures["agent_hears"] = _heard(ringing, CALLER_HZ)
        step.detail = f"{story.figures['agent_hears']['level_dbm0']} dBm0"
    with story.step("agent", f"is heard by the caller: a tone of {AGENT_HZ} Hz") as step:
        ringing.play_tone(AGENT_HZ)
        await call.hears_tone(AGENT_HZ, 3)
        story.figures["caller_hears"] = _heard(call, AGENT_HZ)
        step.detail = f"{story.figures['caller_hears']['level_dbm0']} dBm0"
    with story.step("caller", "talks for two seconds, then hangs up") as step:
        await asyncio.sleep(2)
        await call.hangup()
        await ringing.ended(3)
        step.detail = "the agent's phone is released"
    with story.step("agent", "is in wrap-up") as step:
        await agents.becomes(AGENT, "wrap_up", 3)
        step.detail = f"{WRAP_UP_MS / 1_000:.0f} s to finish the work"
    with story.step("agent", "is ready again") as step:
        await agents.becomes(AGENT, "ready", WRAP_UP_MS / 1_000 + 3)
        step.detail = "without a click"
    with story.step("Carillon", "closes the call with one termination") as step:
        ended = await scene.facts.first(
            lambda f: f.HasField("call_ended"), 3, "the end of the call"
        )
        termination = ended.call_ended.termination
        story.figures["termination"] = termination.reason
        assert termination.termination_class == 1, termination
        step.detail = f"success: {termination.reason}, {ended.call_ended.duration_ms / 1_000:.1f} s"
        story.figures["memory_mb"] = {
            name: round(program.resident_mb(), 1)
            for name, program in scene.carillon.programs.items()
        }


def _heard(call: Call, freq_hz: int) -> dict[str, Any]:
    stats = call.stats()
    return {
        "freq_hz": freq_hz,
        "level_dbm0": round(call.tone_level(freq_hz), 1),
        "packets": stats.packets_in,
        "lost": stats.lost,
        "jitter_ms": round(stats.jitter_ms, 2),
    }
