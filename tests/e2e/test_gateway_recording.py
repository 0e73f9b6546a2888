"""What is kept of a call: what was said after consent, and nothing else; and at whose cost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from grpc import aio

from media_gateway.rtp import g711
from protos.gateway.v1 import gateway_pb2
from protos.recording.v1 import recording_pb2
from services.chassis.request import on_behalf
from services.chassis.rpc import metadata, remote_error
from tests.e2e.gateway_stage import (
    AGENT_HZ,
    CALLER_HZ,
    HOLD,
    TENANT,
    Script,
    Stage,
    Talk,
    answer,
    bridge,
    consent,
    phones,
    ring,
    speak,
    until_the_end,
)
from tests.softphone.phone import SoftPhone
from tests.unit.gateway_recording.archive import Archive, until
from tests.unit.rtp.rig import Pcm, level_db

pytestmark = pytest.mark.e2e

HEARD_DB, SILENT_DB = -30.0, -55.0


def joining(
    agent: SoftPhone, *, with_consent: bool = True, told: asyncio.Event | None = None
) -> Script:
    """Bridges the caller and the agent; `told` says when a long call may be waited for to end."""

    async def script(talk: Talk) -> None:
        await talk.step(answer(), HOLD, ring(agent.uri))
        await talk.until("leg_answered")
        await talk.step(*([consent()] if with_consent else []), bridge())
        await talk.until("bridged")
        if told is not None:
            await asyncio.wait_for(told.wait(), 30)
        await until_the_end(talk)

    return script


@asynccontextmanager
async def recorded(*scripts: Script, **settings: Any) -> AsyncIterator[tuple[Stage, Archive]]:
    """A gateway that knows the key of a recording service, which is there."""
    archive = Archive()
    async with Stage(*scripts, **settings) as stage:
        try:
            await archive.open(stage.world.run_dir)
            await archive.until(lambda: bool(archive.keys_given and archive.alive))
            yield stage, archive
        finally:
            await archive.close()


async def record(stage: Stage, verb: str, **fields: Any) -> gateway_pb2.Call:
    """PauseRecording or ResumeRecording of the only call."""
    request = gateway_pb2.RecordingControl(call_id=(await stage.only_call()).call_id, **fields)
    changed: gateway_pb2.Call = await getattr(stage.stub, verb)(
        request, metadata=metadata(tenant_id=TENANT)
    )
    return changed


def laid_out(segments: Sequence[recording_pb2.Segment]) -> Pcm:
    """A track on its time line; what was not recorded is 0."""
    frames: list[tuple[int, Pcm]] = []
    for segment in segments:
        offset = 0
        for at, size in zip(segment.at_samples, segment.sizes, strict=True):
            assert segment.codec == "PCMU"
            pcm = g711.decode(segment.payload[offset : offset + size], "PCMU")
            frames.append((at, pcm))
            offset += size
    line = np.zeros(max(at + pcm.size for at, pcm in frames), dtype=np.int16)
    for at, pcm in frames:
        line[at : at + pcm.size] = pcm
    return line


def at_ms(track: recording_pb2.Track, line: Pcm, from_ms: int, to_ms: int) -> Pcm:
    """What a track holds between two instants."""
    begin = max(0, from_ms - track.started_at_ms)
    return line[begin * 8 : max(0, to_ms - track.started_at_ms) * 8]


def changes(stage: Stage) -> list[tuple[str, str, str]]:
    return [(f.state, f.reason, f.by) for f in stage.found("recording_changed")]


async def test_each_leg_is_a_track_of_what_it_said_and_a_pause_keeps_nothing() -> None:
    async with phones() as (caller, agent), recorded(joining(agent)) as (stage, archive):
        call, rung = await speak(stage, caller, agent)
        assert (await stage.only_call()).recording == "on"
        paused = await record(stage, "PauseRecording", reason="card number", by="ann")
        assert paused.recording == "paused"
        call.play_tone(880)
        await rung.hears_tone(880)
        call.play_tone(CALLER_HZ)
        await rung.hears_tone(CALLER_HZ)
        assert (await record(stage, "ResumeRecording", by="ann")).recording == "on"
        # Long enough for a second segment.
        await rung.hears_no_tone(880, within_s=10, for_s=2.2)
        await call.hangup()
        await stage.ended()
        manifest = await archive.manifest()
        call_id = stage.facts[0].call_id
        assert changes(stage) == [
            ("on", "announced", ""),
            ("paused", "card number", "ann"),
            ("on", "announced", "ann"),
        ]
        assert (manifest.call_id, manifest.consent, manifest.answered) == (
            call_id,
            "announced",
            True,
        )
        assert [(t.track_id, t.role, t.agent_id) for t in manifest.tracks] == [
            ("1", "caller", ""),
            ("2", "agent", "agent-1"),
        ]
        assert list(manifest.gaps) == []
        (pause,) = manifest.pauses
        assert (pause.reason, pause.by) == ("card number", "ann")
        for track, tone in zip(manifest.tracks, (CALLER_HZ, AGENT_HZ), strict=True):
            segments = archive.track(track.track_id)
            assert len(segments) == len(track.segment_sha256) >= 2
            line = laid_out(segments)
            after = at_ms(track, line, pause.to_ms + 200, pause.to_ms + 1_200)
            assert level_db(after, tone) > HEARD_DB
            assert level_db(line, 880) < SILENT_DB
            # Not one sample of the pause was kept; packets on their way belong to its edges.
            assert not at_ms(track, line, pause.from_ms + 60, pause.to_ms - 60).any()
        music = [p for p in manifest.played if list(p.prompts) == ["music"] and p.leg_id == "1"]
        assert music
        assert music[0].loop
        assert manifest.started_at_ms >= music[0].from_ms
        assert all(p.from_ms <= p.to_ms <= manifest.ended_at_ms for p in manifest.played)


async def test_without_consent_nothing_is_kept_and_nothing_can_be_taken_up() -> None:
    async with (
        phones() as (caller, agent),
        recorded(joining(agent, with_consent=False)) as (stage, archive),
    ):
        call, _ = await speak(stage, caller, agent)
        assert (await stage.only_call()).recording == "off"
        with pytest.raises(aio.AioRpcError) as refused:
            await record(stage, "ResumeRecording", by="ann")
        assert remote_error(refused.value).code == "no-consent"
        await call.hangup()
        await stage.ended()
        assert changes(stage) == []
        await stage.running.stop()
        spool = stage.world.var_dir / "gateway" / "spool"
        assert await asyncio.to_thread(lambda: list(spool.iterdir())) == []
        assert archive.asked == 0


async def test_only_those_in_the_call_may_pause_it() -> None:
    async with phones() as (caller, agent), recorded(joining(agent)) as (stage, archive):
        call, _ = await speak(stage, caller, agent)
        request = gateway_pb2.RecordingControl(
            call_id=(await stage.only_call()).call_id, reason="x", by="somebody else"
        )
        for other in (
            metadata(tenant_id="other"),
            on_behalf(tenant_id=TENANT, user_id="bob", user_name="Bob", own_agent_id="agent-2"),
        ):
            with pytest.raises(aio.AioRpcError) as refused:
                await stage.stub.PauseRecording(request, metadata=other)
            assert remote_error(refused.value).code == "no-such-call"
        own = on_behalf(tenant_id=TENANT, user_id="ann", user_name="Ann", own_agent_id="agent-1")
        paused = await stage.stub.PauseRecording(request, metadata=own)
        assert paused.recording == "paused"
        await stage.fact("recording_changed", skip=1)
        # On the record is who asked, whatever the request says.
        assert changes(stage)[-1] == ("paused", "x", "ann")
        await call.hangup()
        await archive.manifest()


async def test_consent_taken_back_pauses() -> None:
    async def script(talk: Talk) -> None:
        await talk.step(answer(), consent(), HOLD)
        await talk.step(consent(granted=False, basis="refused"))
        await until_the_end(talk)

    async with SoftPhone() as caller, recorded(script) as (stage, archive):
        call = await caller.call(stage.uri)
        await stage.fact("recording_changed", skip=1)
        assert (await stage.only_call()).recording == "paused"
        await call.hangup()
        manifest = await archive.manifest()
        assert changes(stage)[-1] == ("paused", "refused", "")
        assert not manifest.answered


async def test_who_is_away_gets_the_recording_later() -> None:
    async with phones() as (caller, agent), recorded(joining(agent)) as (stage, archive):
        await archive.close()
        call, rung = await speak(stage, caller, agent)
        await rung.hears_tone(CALLER_HZ, within_s=3)
        await call.hangup()
        await stage.ended()
        assert archive.segments == {}
        assert changes(stage) == [("on", "announced", "")]
        await archive.open(stage.world.run_dir)
        manifest = await archive.manifest()
        assert list(manifest.gaps) == []
        line = laid_out(archive.track("1"))
        assert level_db(line[-4_000:], CALLER_HZ) > HEARD_DB


async def test_without_a_key_the_call_goes_on_and_is_recorded_once_there_is_one() -> None:
    told, archive = asyncio.Event(), Archive()
    async with phones() as (caller, agent), Stage(joining(agent, told=told)) as stage:
        call, rung = await speak(stage, caller, agent)
        await stage.fact("recording_changed", skip=1)
        assert changes(stage) == [("on", "announced", ""), ("failed", "no-sealing-key", "")]
        assert (await stage.only_call()).recording == "failed"
        # What was said so far is on the record as missing.
        await until(lambda: any((stage.world.var_dir / "gateway" / "spool").rglob("log")))
        await archive.open(stage.world.run_dir)
        await stage.fact("recording_changed", skip=2)
        assert changes(stage)[-1] == ("on", "announced", "")
        await rung.hears_tone(CALLER_HZ)
        told.set()
        await call.hangup()
        assert await stage.ended() == ("success", "caller-hung-up")
        manifest = await archive.manifest()
        await archive.close()
        assert {gap.reason for gap in manifest.gaps} == {"no-sealing-key"}
        assert all(gap.from_ms < gap.to_ms for gap in manifest.gaps)
        for track, tone in zip(manifest.tracks, (CALLER_HZ, AGENT_HZ), strict=True):
            (missing,) = (gap for gap in manifest.gaps if gap.track_id == track.track_id)
            line = laid_out(archive.track(track.track_id))
            # A gap ends at a whole millisecond, at or after the last sample that is missing.
            assert not at_ms(track, line, track.started_at_ms, missing.to_ms - 1).any()
            after = at_ms(track, line, missing.to_ms, missing.to_ms + 1_000)
            assert level_db(after, tone) > HEARD_DB


async def test_a_full_spool_is_a_gap_that_ends_when_there_is_room() -> None:
    told = asyncio.Event()
    async with (
        phones() as (caller, agent),
        recorded(joining(agent, told=told), spool_max_bytes=40_000) as (stage, archive),
    ):
        await archive.close()
        call, rung = await speak(stage, caller, agent)
        await stage.fact("recording_changed", skip=1)
        assert changes(stage)[-1] == ("failed", "disk-full", "")
        # The call does not notice.
        await asyncio.gather(call.hears_tone(AGENT_HZ), rung.hears_tone(CALLER_HZ))
        await archive.open(stage.world.run_dir)
        await stage.fact("recording_changed", skip=2)
        assert changes(stage)[-1] == ("on", "announced", "")
        call.play_tone(880)
        await rung.hears_tone(880, within_s=10, for_s=1.0)
        told.set()
        await call.hangup()
        manifest = await archive.manifest()
        assert {gap.reason for gap in manifest.gaps} == {"disk-full"}
        assert all(gap.from_ms < gap.to_ms for gap in manifest.gaps)
        for track in manifest.tracks:
            assert len(archive.track(track.track_id)) == len(track.segment_sha256)
        # What was said once there was room again is kept.
        assert level_db(laid_out(archive.track("1"))[-4_000:], 880) > HEARD_DB
