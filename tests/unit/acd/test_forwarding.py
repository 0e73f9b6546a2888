"""Two replicas in one process, over real sockets: what is passed on, and what is not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from grpc import aio

from protos.acd.v1 import acd_pb2
from protos.acd.v1.acd_pb2_grpc import AcdStub
from services.acd.forwarding import HOP_KEY
from services.acd.main import AcdService
from services.chassis.bus import MemoryBus
from services.chassis.clock import SystemClock
from services.chassis.errors import Kind, RemoteError
from services.chassis.journal import MemoryJournal
from services.chassis.lifecycle import Running
from services.chassis.rpc import remote_errors
from services.chassis.world import local_world
from tests.unit.acd.replicas import DEMO, enqueue, failure, following, furnish, ready

if TYPE_CHECKING:  # the stubs know this name, the generated module does not
    from protos.acd.v1.acd_pb2_grpc import AcdAsyncStub

SALES = acd_pb2.QueueRequest(queue_id="sales")


@dataclass(frozen=True, slots=True)
class Pair:
    """The owner of the tenant's shard, and another replica."""

    owner: AcdAsyncStub
    other: AcdAsyncStub
    journal: MemoryJournal
    running: list[Running]
    """The owner's first."""


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    journal = MemoryJournal(SystemClock())
    worlds = [
        replace(local_world(var_dir=tmp_path / name), bus=MemoryBus()) for name in ("one", "two")
    ]
    running = [Running([AcdService(world=world, journal=journal)], world) for world in worlds]
    for each in running:
        await each.start()
    owner, other = (AcdStub(world.dial("acd")) for world in worlds)
    await furnish(owner)
    yield Pair(owner, other, journal, running)
    for each in running:
        await each.drain(5)
        await each.stop()


async def test_answers_streams_and_errors_come_back_as_they_were_given(pair: Pair) -> None:
    assert (await pair.other.GetQueue(SALES, metadata=DEMO)).queue_id == "sales"
    stream = enqueue(pair.other, "e1")
    await following(stream, "position")
    await ready(pair.other)
    assert (await following(stream, "reserved")).reserved.agent_id == "anna"
    with pytest.raises(RemoteError) as caught, remote_errors():
        await pair.other.GetEntry(acd_pb2.EntryRequest(entry_id="none"), metadata=DEMO)
    assert (caught.value.code, caught.value.kind) == ("no-such-entry", Kind.NOT_FOUND)
    refused = enqueue(pair.other, "e" * 300)
    assert (await failure(refused)).code == "invalid-contact"


async def test_who_waits_is_followed_through_another_replica(pair: Pair) -> None:
    watching = pair.other.WatchWaiting(acd_pb2.WatchWaitingRequest(), metadata=DEMO)
    changes = aiter(watching)
    async with asyncio.timeout(5):
        assert (await anext(changes)).all
        await following(enqueue(pair.owner, "e1"), "position")
        assert [row.entry_id for row in (await anext(changes)).rows] == ["e1"]
    move = acd_pb2.MoveAgentsRequest(agent_ids=["anna"], from_queue_ids=["sales"])
    moved = await pair.other.MoveAgents(move, metadata=DEMO)
    assert [len(m.queues) for m in (*moved.before, *moved.after)] == [1, 0]
    await pair.running[0].drain(5)
    await pair.running[0].stop()
    with pytest.raises(aio.AioRpcError):
        await anext(changes)


async def test_who_goes_away_is_gone_at_the_owner_too(pair: Pair) -> None:
    stream = enqueue(pair.other, "e1")
    await following(stream, "position")
    stream.cancel()
    entry = acd_pb2.EntryRequest(entry_id="e1")
    async with asyncio.timeout(5):
        while True:
            if (await pair.owner.GetEntry(entry, metadata=DEMO)).stage == "detached":
                break
            await asyncio.sleep(0.02)


async def test_a_request_is_passed_on_once(pair: Pair) -> None:
    began_s = asyncio.get_running_loop().time()
    with pytest.raises(RemoteError) as caught, remote_errors():
        await pair.other.GetQueue(SALES, metadata=(*DEMO, (HOP_KEY, "1")), timeout=20)
    assert (caught.value.code, caught.value.kind) == ("owner-away", Kind.UNAVAILABLE)
    assert asyncio.get_running_loop().time() - began_s > 3.5


async def test_a_stream_that_was_passed_on_goes_back_to_look_for_the_owner(pair: Pair) -> None:
    request = acd_pb2.EnqueueRequest(entry_id="e1", queue_id="sales", call_id="c1")
    stream = pair.other.Enqueue(request, metadata=(*DEMO, (HOP_KEY, "1")))
    assert (await failure(stream)).code == "owner-away"


async def test_requests_wait_while_the_owner_moves(pair: Pair) -> None:
    assert (await pair.other.GetQueue(SALES, metadata=DEMO)).queue_id == "sales"
    watching = pair.other.WatchAgents(acd_pb2.WatchAgentsRequest(), metadata=DEMO)
    await watching.initial_metadata()
    assert (await anext(aiter(watching))).agent_id == "anna"
    await pair.running[0].drain(5)
    await pair.running[0].stop()
    with pytest.raises(aio.AioRpcError):
        await anext(aiter(watching))
    assert (await pair.other.GetQueue(SALES, metadata=DEMO)).queue_id == "sales"


async def test_a_stream_waits_for_an_owner_as_long_as_it_takes(pair: Pair) -> None:
    await pair.running[0].drain(5)
    await pair.running[0].stop()
    # Somebody died who had the shard for a moment: nobody answers at that address.
    await pair.journal.open("demo", str(Path("/nowhere/acd.sock")))
    stream = enqueue(pair.other, "e1")
    assert (await following(stream, "position")).position.position == 1
