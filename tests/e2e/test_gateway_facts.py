"""A gateway that is killed in the middle of a call: what it knew and what was said are not lost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from media_gateway.facts.publisher import TOPIC
from protos.gateway.v1.events_pb2 import CallFact
from services.chassis.database import DatabaseAddress
from services.chassis.envelope import Envelope
from services.chassis.rpc import Face, RpcServer
from services.chassis.world import World, local_world
from tests.e2e.gateway_command import gateway_command, last_word, started
from tests.e2e.gateway_stage import HOLD, IVR, TENANT, ScriptedIvr, Talk, answer, consent
from tests.softphone.phone import SoftPhone
from tests.unit.gateway_recording.archive import Archive, Full

pytestmark = pytest.mark.e2e


async def hold_on(talk: Talk) -> None:
    await talk.step(answer(), consent(), HOLD)
    await talk.until("leg_ended")
    await talk.hang_up()


@asynccontextmanager
async def gateway(world: World) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """The command in a process of its own, and where it takes calls."""
    async with gateway_command(run_dir=world.run_dir, var_dir=world.var_dir) as process:
        told = await started(process, world.run_dir)
        yield process, f"sip:+12025550100@{told['sip']}"


async def facts(world: World, until: str) -> list[CallFact]:
    """The facts on the bus, in their order, up to the first of a kind."""
    found: list[Envelope] = []
    async with world.bus.consumer(group="test", topics=[TOPIC]) as consumer, asyncio.timeout(20):
        while True:
            batch = await consumer.fetch(wait_s=1)
            found += batch.events if batch else ()
            told = [CallFact.FromString(event.payload) for event in found]
            if any(fact.WhichOneof("body") == until for fact in told):
                return told


async def test_a_killed_gateways_calls_are_ended_and_its_recordings_finished(
    tmp_path: Path, database_address: DatabaseAddress
) -> None:
    world = local_world(var_dir=tmp_path / "var", run_dir=tmp_path / "r")
    database_address.write(world.var_dir / "database.json")
    ivr, archive = ScriptedIvr(), Archive()
    ivr.scripts = [hold_on]
    flows = RpcServer(
        path=world.run_dir / "ivr.sock", faces=[Face(register=ivr.register, name=IVR)]
    )
    await flows.start()
    await archive.open(world.run_dir)
    try:
        async with SoftPhone() as phone:
            async with gateway(world) as (process, uri):
                await archive.until(lambda: bool(archive.keys_given and archive.alive))
                call = await phone.call(uri)
                await call.answered()
                call.play_tone(440)
                # All but the first segment is on the gateway's disk only.
                archive.trouble = lambda _: Full("not now") if archive.segments else None
                await archive.until(lambda: archive.asked >= 2)
                process.kill()
                await process.wait()
            before = set(archive.segments)
            archive.trouble = lambda _: None
            async with gateway(world):
                manifest = await archive.manifest()
                told = await facts(world, "call_ended")
        assert set(archive.segments) > before
        assert archive.tenants == {TENANT}
        (lost,) = manifest.gaps
        assert (lost.track_id, lost.reason) == ("1", "gateway-lost")
        # At most what was being gathered, and the second between two heartbeats.
        assert 0 <= lost.to_ms - lost.from_ms < 4_000
        assert manifest.ended_at_ms == lost.to_ms
        assert len(archive.alive) == 2
        kinds = [fact.WhichOneof("body") for fact in told]
        assert (kinds[0], kinds[-1], kinds.count("call_ended")) == ("call_started", "call_ended", 1)
        assert [fact.seq for fact in told] == list(range(1, len(told) + 1))
        assert {(fact.call_id, fact.tenant_id) for fact in told} == {(manifest.call_id, TENANT)}
        end = told[-1].call_ended
        assert end.termination.reason == "gateway-lost"
        assert end.duration_ms > 0
    finally:
        await archive.close()
        await flows.stop()
        await world.close()


async def test_a_second_gateway_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    world = local_world(var_dir=tmp_path / "var", run_dir=tmp_path / "r")
    other = local_world(var_dir=tmp_path / "var", run_dir=tmp_path / "s")
    try:
        async with (
            gateway(world),
            gateway_command(run_dir=other.run_dir, var_dir=other.var_dir) as second,
        ):
            status, said = await last_word(second)
        assert status == 1
        assert "another gateway keeps its facts and recordings" in json.loads(said)["reason"]
    finally:
        await world.close()
        await other.close()
