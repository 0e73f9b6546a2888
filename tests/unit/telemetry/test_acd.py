"""What routing shows of itself."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from protos.acd.v1 import acd_pb2
from protos.acd.v1.acd_pb2_grpc import AcdStub
from services.acd import readings
from services.acd.main import AcdService
from services.chassis.bus import MemoryBus
from services.chassis.clock import SystemClock
from services.chassis.journal import MemoryJournal
from services.chassis.lifecycle import Running
from services.chassis.world import local_world
from tests.unit.acd.house import DEMO as TENANT
from tests.unit.acd.house import House, Q, enqueue, furnish, ready, virtually
from tests.unit.acd.replicas import DEMO
from tests.unit.acd.replicas import furnish as furnish_over_the_wire
from tests.unit.telemetry.shown import read, shown


def test_contacts_and_agents_are_counted_by_how_they_stand() -> None:
    async def story(house: House) -> None:
        shards = house.shards()
        shard = await shards.of(TENANT)
        await furnish(shard)
        for name in ("e1", "e2", "e3"):
            await enqueue(shard, name)
        await ready(shard)
        await asyncio.sleep(1)
        values = read(readings.of([each.figures() for each in shards.live()], forwarded=0))
        assert values["carillon_acd_contacts_waiting"] == 2
        assert values["carillon_acd_contacts_reserved"] == 1
        assert values["carillon_acd_agents reserved"] == 1
        assert values["carillon_acd_agents ready"] == 0
        assert values["carillon_acd_shards"] == 1
        assert values["carillon_acd_commits_total"] >= 5
        assert values["carillon_acd_commands_waiting"] == 0
        assert values["carillon_acd_oldest_matchable_seconds"] == 0
        assert values[f"carillon_acd_queue_waiting {TENANT} {Q}"] == 2
        assert values[f"carillon_acd_queue_oldest_seconds {TENANT} {Q}"] >= 1
        assert values[f"carillon_acd_queue_contacts_total {TENANT} {Q} offered"] == 3
        assert values[f"carillon_acd_queue_contacts_total {TENANT} {Q} answered"] == 0
        await shards.close()

    virtually(story)


def test_what_waits_while_the_journal_is_away_is_counted() -> None:
    async def story(house: House) -> None:
        shards = house.shards()
        shard = await shards.of(TENANT)
        await furnish(shard)
        house.journal.away = True
        asked = []
        for name in ("e1", "e2", "e3"):  # the first is decided, the others are not
            asked.append(asyncio.ensure_future(enqueue(shard, name)))
            await asyncio.sleep(0.5)
        values = read(readings.of([shard.figures()], forwarded=0))
        assert values["carillon_acd_journal_away"] == 1
        assert values["carillon_acd_commands_waiting"] == 2
        house.journal.away = False
        await asyncio.gather(*asked)
        values = read(readings.of([shard.figures()], forwarded=0))
        assert values["carillon_acd_commands_waiting"] == 0
        assert values["carillon_acd_clock_stopped_seconds_total"] >= 1
        await shards.close()

    virtually(story)


def test_further_tenants_and_queues_share_a_name() -> None:
    named = readings.Named()
    kept = [named.of("t", f"q{number}") for number in range(readings.MAX_QUEUES + 2)]
    assert (kept[0], kept[-1]) == (("t", "q0"), ("t", "others"))
    tenants = [named.of(f"t{number}", "q") for number in range(readings.MAX_TENANTS + 2)]
    assert tenants[-1] == ("others", "others")


async def test_requests_for_another_replica_are_counted(tmp_path: Path) -> None:
    journal = MemoryJournal(SystemClock())
    worlds = [
        replace(local_world(var_dir=tmp_path / name), bus=MemoryBus()) for name in ("one", "two")
    ]
    running = [Running([AcdService(world=world, journal=journal)], world) for world in worlds]
    for each in running:
        await each.start()
    owner, other = (AcdStub(world.dial("acd")) for world in worlds)
    await furnish_over_the_wire(owner)
    await other.GetQueue(acd_pb2.QueueRequest(queue_id="sales"), metadata=DEMO)
    assert shown(running[0].metrics)["carillon_acd_forwarded_total"] == 0
    assert shown(running[1].metrics)["carillon_acd_forwarded_total"] == 1
    for each in running:
        await each.drain(5)
        await each.stop()
