"""The main job: one call from a phone through menu and queue to an agent's browser, and after."""

from __future__ import annotations

import asyncio
import io
import time
import wave
from typing import Any

import numpy as np

from protos.gateway.v1 import events_pb2
from services.launcher.folder import AlreadyUp, Installation, Running
from tests.demo.cast import (
    Scene,
    everyone,
    kpis,
    kpis_until,
    recording_until_complete,
)
from tests.demo.story import Story
from tests.softphone.audio import PCM, tone_level_dbm0
from tests.softphone.call import Call

CALLER_HZ = 440
AGENT_HZ = 660
DISPOSITION = "order-placed"
FRAME = 160
AUDIBLE_DBM0 = -25.0
SOON_S = 20.0
"""For whatever happens at once, were the machine not busy with something else."""


class AnotherDemo(Exception):
    """A demo is under way in the same folder."""


async def run_call(story: Story, carillon: Installation) -> None:
    """Tells the story of one call on an installation of its own; StoryFailed says what failed.

    Whoever made the installation stops it, however this ends.
    """
    with story.step("Carillon", "starts: PostgreSQL, services, gateway; seeds tenant demo") as s:
        try:
            running = await carillon.start()
        except AlreadyUp as error:
            raise AnotherDemo(f"it is using {error}: let it end first") from error
        s.detail = f"portal {running.portal}, SIP {running.sip}"
    async with everyone(story, running, carillon.gateways()) as scene:
        with story.step("Carillon", "says how the day has been so far") as s:
            before = await kpis(scene.supervisor)
            story.figures["kpis"] = {"before": before}
            s.detail = f"{before.get('answered') or 0:.0f} calls answered today"
        call = await _menu_and_queue(scene, running)
        await _conversation(scene, call)
        await _afterwards(scene)
        story.figures["memory_mb"] = {
            name: round(program.resident_mb(), 1) for name, program in carillon.programs.items()
        }


async def _menu_and_queue(scene: Scene, running: Running) -> Call:
    story, facts = scene.story, scene.facts
    with story.step("caller", f"dials {running.seeded.number} and is answered") as step:
        call = await scene.phone.call(f"sip:{running.seeded.number}@{running.sip}")
        await call.answered(SOON_S)
        started = await facts.first(lambda f: f.HasField("call_started"), SOON_S, "a new call")
        story.figures["call_id"] = started.call_id
        step.detail = f"call {started.call_id}"
    with story.step("caller", "is told of the recording, and hears the menu") as step:
        await call.hears_audio(SOON_S)
        await facts.first(_is_recording, SOON_S, "the recording's begin")
        step.detail = call.describe_sound()
    with story.step("caller", "presses 1 (RFC 4733)") as step:
        await asyncio.sleep(1.5)  # a person listens before pressing
        await call.send_dtmf("1")
        keyed = await facts.first(lambda f: f.HasField("digits_received"), SOON_S, "a key")
        step.detail = f"{keyed.digits_received.count} key by {keyed.digits_received.how}"
    with story.step("caller", "waits in the queue, with music") as step:
        await facts.first(lambda f: "music" in f.play_started.prompts, SOON_S, "music")
        await call.hears_audio(SOON_S)
        step.detail = call.describe_sound()
    with story.step("caller", "is told the position in the queue") as step:
        said = await facts.first(_tells_position, 2 * SOON_S, "a message with the position")
        step.detail = f"“{said.flow_noted.values['text']}”"
        story.figures["announcement"] = said.flow_noted.values["text"]
        # It is heard to its end: then the music goes on.
        await facts.some(2, lambda f: "music" in f.play_started.prompts, SOON_S, "music")
    return call


def _is_recording(fact: events_pb2.CallFact) -> bool:
    return fact.HasField("recording_changed") and fact.recording_changed.state == "on"


def _tells_position(fact: events_pb2.CallFact) -> bool:
    text = fact.flow_noted.values.get("text", "") if fact.HasField("flow_noted") else ""
    return "number 1 in the queue" in text


async def _conversation(scene: Scene, call: Call) -> None:
    story, desk = scene.story, scene.desk
    with story.step("agent", "goes ready: the browser rings, with the customer's card") as step:
        await desk.presence("ready")
        work = await desk.rings(SOON_S)
        await desk.confirm(work)
        card = work["card"]
        assert card["known"], card
        story.figures["card"] = {
            "customer": card["customer"]["name"],
            "segment": card["customer"]["segment"],
            "contacts": card["contacts"],
        }
        step.detail = (
            f"{card['customer']['name']} ({card['customer']['segment']}), "
            f"{card['contacts']} contacts before"
        )
    with story.step("agent", "connects the browser's audio while it rings (WebRTC)") as step:
        peer = await desk.connect(work, SOON_S)
        peer.play_tone(AGENT_HZ)
        call.play_tone(CALLER_HZ)
        step.detail = "ICE and DTLS-SRTP are up; nothing is let through yet"
    with story.step("agent", "accepts: audio flows both ways") as step:
        await asyncio.sleep(0.8)  # a person reads the card
        began = time.perf_counter()
        await desk.accept(work, SOON_S)
        await asyncio.gather(peer.hears_tone(CALLER_HZ, SOON_S), call.hears_tone(AGENT_HZ, SOON_S))
        now = time.perf_counter()
        began_s_ago = now - began
        # From the sound itself, not from when this program had looked at enough of it.
        both_ms = 1_000 * max(
            began_s_ago - _began_s_ago(heard.latest_pcm(began_s_ago), freq_hz)
            for heard, freq_hz in ((peer, CALLER_HZ), (call, AGENT_HZ))
        )
        bridged = await scene.facts.first(lambda f: f.HasField("legs_bridged"), SOON_S, "a bridge")
        story.figures["accept_to_talking_ms"] = round(desk.figures["accept_to_talking_ms"], 1)
        story.figures["accept_to_two_way_audio_ms"] = round(both_ms, 1)
        story.figures["bridge_ms"] = round(bridged.legs_bridged.took_ms, 1)
        step.detail = f"both tones measured; the later was there {both_ms:.0f} ms after accepting"
    with story.step("caller", f"is heard by the agent: a tone of {CALLER_HZ} Hz") as step:
        story.figures["agent_hears"] = _heard(peer.tone_level(CALLER_HZ), CALLER_HZ)
        step.detail = f"{story.figures['agent_hears']['level_dbm0']} dBm0"
    with story.step("agent", f"is heard by the caller: a tone of {AGENT_HZ} Hz") as step:
        story.figures["caller_hears"] = _heard(call.tone_level(AGENT_HZ), AGENT_HZ)
        stats = call.stats()
        story.figures["caller_hears"] |= {"packets": stats.packets_in, "lost": stats.lost}
        step.detail = f"{story.figures['caller_hears']['level_dbm0']} dBm0"
    with story.step("agent", "talks for two seconds, then hangs up") as step:
        await asyncio.sleep(2)
        await desk.hang_up(work)
        await call.ended(SOON_S)
        step.detail = "the caller's phone is released"
    with story.step("agent", f"wraps up with the disposition {DISPOSITION}, and is ready") as step:
        await desk.becomes("wrap_up", SOON_S)
        await desk.finish(work, DISPOSITION)
        await desk.becomes("ready", SOON_S)
        step.detail = "before the time for it was over"
    with story.step("Carillon", "closes the call with one termination") as step:
        ended = await scene.facts.ended(story.figures["call_id"], SOON_S)
        story.figures["termination"] = ended.termination.reason
        assert ended.termination.termination_class == 1, ended.termination
        step.detail = f"success: {ended.termination.reason}, {ended.duration_ms / 1_000:.1f} s"


async def _afterwards(scene: Scene) -> None:
    story, supervisor = scene.story, scene.supervisor
    call_id = story.figures["call_id"]
    with story.step("Carillon", "has stored the recording, and every hash is right") as step:
        recording = await recording_until_complete(supervisor, call_id, 2 * SOON_S)
        checked = await supervisor.get(f"/v1/recordings/{call_id}:verify")
        assert checked["intact"], checked
        story.figures["recording"] = {
            "id": call_id,
            "state": recording["state"],
            "sha256": recording["sha256"],
            "sha256_verified": checked["computed_sha256"] == recording["sha256"],
            "segments": checked["segments_checked"],
        }
        step.detail = f"{checked['segments_checked']} segments, SHA-256 {recording['sha256'][:16]}…"
    with story.step("Carillon", "plays it back: caller left, agent right") as step:
        story.figures["recording"] |= await _listened(scene, call_id)
        heard = story.figures["recording"]
        step.detail = (
            f"{heard['seconds']} s; {CALLER_HZ} Hz left {heard['left_dbm0']} dBm0, "
            f"{AGENT_HZ} Hz right {heard['right_dbm0']} dBm0"
        )
    with story.step("Carillon", "counts the call") as step:
        before = story.figures["kpis"]["before"]
        after = await kpis_until(supervisor, (before.get("answered") or 0) + 1, SOON_S)
        story.figures["kpis"]["after"] = after
        step.detail = (
            f"answered {before.get('answered') or 0:.0f} → {after['answered']:.0f}, "
            f"service level {after['service_level']:.0f} %, ASA {after['asa'] / 1_000:.1f} s"
        )


async def _listened(scene: Scene, call_id: str) -> dict[str, Any]:
    answer = await scene.supervisor.http.get(
        f"/v1/recordings/{call_id}/audio.wav",
        headers={"Authorization": f"Bearer {scene.supervisor.token}"},
    )
    answer.raise_for_status()
    with wave.open(io.BytesIO(answer.content)) as sound:
        assert (sound.getnchannels(), sound.getframerate()) == (2, 8_000)
        frames = np.frombuffer(sound.readframes(sound.getnframes()), np.int16).reshape(-1, 2)
    # The last second but one is the conversation, however long hanging up took.
    talk = frames[-2 * 8_000 : -8_000]
    return {
        "seconds": round(len(frames) / 8_000, 1),
        "left_dbm0": round(tone_level_dbm0(talk[:, 0], CALLER_HZ), 1),
        "right_dbm0": round(tone_level_dbm0(talk[:, 1], AGENT_HZ), 1),
    }


def _began_s_ago(pcm: PCM, freq_hz: int) -> float:
    """How long ago a tone that is heard now began, in seconds, to a frame of 20 ms."""
    frames = len(pcm) // FRAME
    for frame in range(1, frames + 1):
        part = pcm[len(pcm) - frame * FRAME :][:FRAME]
        if tone_level_dbm0(part, freq_hz) < AUDIBLE_DBM0:
            return (frame - 1) * FRAME / 8_000
    return frames * FRAME / 8_000


def _heard(level_dbm0: float, freq_hz: int) -> dict[str, Any]:
    return {"freq_hz": freq_hz, "level_dbm0": round(level_dbm0, 1)}
