"""Two acd processes, one database: requests go on to the owner, and an owner can die."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from protos.acd.v1 import acd_pb2
from services.chassis.bus_postgres import PostgresBus
from services.chassis.database import Database, DatabaseAddress
from services.chassis.envelope import Envelope
from services.chassis.errors import Kind, RemoteError
from services.chassis.rpc import remote_errors
from tests.stage.postgres import fresh_database, running_postgres
from tests.unit.acd.replicas import (
    DEMO,
    Replica,
    enqueue,
    enqueue_again,
    failure,
    following,
    furnish,
    ready,
)

ANNA = acd_pb2.AgentRequest(agent_id="anna")


@pytest.fixture
async def two(database_address: DatabaseAddress) -> AsyncIterator[tuple[Replica, Replica]]:
    """The first owns the tenant's shard."""
    owner, other = Replica(database_address), Replica(database_address)
    async with owner, other:
        await furnish(owner.acd)
        yield owner, other


async def events_on_the_bus(address: DatabaseAddress) -> list[Envelope]:
    database = Database(address, schema="bus")
    bus = PostgresBus(lambda: database, name="test")
    seen: list[Envelope] = []
    try:
        async with bus.consumer(group="test", topics=("acd.events.v1",)) as consumer:
            while (batch := await consumer.fetch(wait_s=2)) is not None:
                seen.extend(batch.events)
    finally:
        await bus.close()
        await database.close()
    return seen


async def test_a_request_at_the_wrong_replica_is_answered_by_the_right_one(
    two: tuple[Replica, Replica],
) -> None:
    owner, other = two
    stream = enqueue(other.acd, "e1")
    assert (await following(stream, "position")).position.position == 1
    await ready(other.acd)
    reserved = (await following(stream, "reserved")).reserved
    assert reserved.agent_name == "Anna"
    on = acd_pb2.ReservationRequest(reservation_id=reserved.reservation_id, agent_id="anna")
    assert (await other.acd.RingConfirmed(on, metadata=DEMO)).stage == "ringing"
    assert (await owner.acd.Accept(on, metadata=DEMO)).stage == "connecting"
    await following(stream, "accepted")
    stream.cancel()
    with pytest.raises(RemoteError) as caught, remote_errors():
        await other.acd.GetQueue(acd_pb2.QueueRequest(queue_id="nowhere"), metadata=DEMO)
    assert (caught.value.code, caught.value.kind) == ("no-such-queue", Kind.NOT_FOUND)
    with pytest.raises(RemoteError) as caught, remote_errors():
        await other.acd.GetQueue(acd_pb2.QueueRequest(queue_id="sales"))
    assert caught.value.code == "missing-tenant"


async def test_watching_agents_at_the_wrong_replica(two: tuple[Replica, Replica]) -> None:
    owner, other = two
    watching = other.acd.WatchAgents(acd_pb2.WatchAgentsRequest(), metadata=DEMO)
    await watching.initial_metadata()
    views = aiter(watching)
    assert (await anext(views)).presence == "signed_out"
    await ready(owner.acd)
    async with asyncio.timeout(5):
        while (await anext(views)).presence != "ready":
            pass
    watching.cancel()


async def test_when_the_owner_is_killed_the_other_takes_over_in_order(
    two: tuple[Replica, Replica], database_address: DatabaseAddress
) -> None:
    owner, other = two
    names = [f"e{i}" for i in range(5)]
    streams = []
    for name in names:
        streams.append(enqueue(other.acd, name))
        await following(streams[-1], "position")
    await owner.end(signal.SIGKILL)
    killed_s = time.monotonic()
    for stream in streams:
        assert (await failure(stream)).kind is Kind.UNAVAILABLE
    # The flows ask again, in whatever order they come.
    again = await asyncio.gather(*(enqueue_again(other.acd, name) for name in reversed(names)))
    assert time.monotonic() - killed_s < 8
    for stream, _ in again:
        stream.cancel()
    places = {}
    for name in names:
        view = await other.acd.GetEntry(acd_pb2.EntryRequest(entry_id=name), metadata=DEMO)
        places[name] = view.contact.enqueued_at_ms
    assert sorted(names, key=places.__getitem__) == names
    first, _ = await enqueue_again(other.acd, "e0")
    second, _ = await enqueue_again(other.acd, "e1")
    await ready(other.acd)
    assert (await following(first, "reserved")).reserved.agent_id == "anna"
    first.cancel()
    second.cancel()
    events = await events_on_the_bus(database_address)
    ids = list(dict.fromkeys(event.event_id for event in events))
    rows = [tuple(map(int, event_id.split(":")[1:])) for event_id in ids]
    assert rows == sorted(rows), "in order"
    assert {seq for seq, _ in rows} == set(range(1, rows[-1][0] + 1)), "without gaps"
    enqueued = [event for event in events if event.type == "carillon.acd.v1.ContactEnqueued"]
    assert len({event.event_id for event in enqueued}) == 5
    assert all(event.traceparent and event.key == "demo" for event in enqueued)


async def test_an_owner_that_drains_hands_over_at_once(two: tuple[Replica, Replica]) -> None:
    owner, other = two
    stream = enqueue(owner.acd, "e1")
    await following(stream, "position")
    ending = asyncio.ensure_future(owner.end(signal.SIGTERM))
    assert (await failure(stream)).kind is Kind.UNAVAILABLE
    began_s = time.monotonic()
    _, update = await enqueue_again(other.acd, "e1")
    assert update.position.position == 1
    assert time.monotonic() - began_s < 2.5, "no lease had to run out"
    await ending


async def test_a_killed_owner_that_is_back_goes_on_where_it_was(
    database_address: DatabaseAddress,
) -> None:
    async with Replica(database_address) as replica:
        await furnish(replica.acd)
        await ready(replica.acd)
        lease = acd_pb2.ReportLinkRequest(agent_id="anna", link="reachable", valid_ms=6_000)
        await replica.acd.ReportLink(lease, metadata=DEMO)
        stream = enqueue(replica.acd, "e1")
        reserved = (await following(stream, "reserved")).reserved
        on = acd_pb2.ReservationRequest(reservation_id=reserved.reservation_id, agent_id="anna")
        await replica.acd.RingConfirmed(on, metadata=DEMO)
        waits = enqueue(replica.acd, "e2")
        await following(waits, "position")
        await replica.end(signal.SIGKILL)
        await asyncio.sleep(7)  # longer than what runs: none of it counts
        await replica.start()
        stream, update = await enqueue_again(replica.acd, "e1")
        assert update.reserved == reserved, "the same ring goes on"
        view = await replica.acd.GetAgent(ANNA, metadata=DEMO)
        assert (view.state, view.link) == ("ringing", "reachable")
        assert (await replica.acd.Accept(on, metadata=DEMO)).stage == "connecting"
        assert (await replica.acd.Bridged(on, metadata=DEMO)).stage == "bridged"
        receipt = await replica.acd.Explain(acd_pb2.EntryRequest(entry_id="e1"), metadata=DEMO)
        assert receipt.winner == "anna"
        # Nobody said that her link still holds: its one whole period runs out.
        async with asyncio.timeout(20):
            while view.link != "unreachable":
                await asyncio.sleep(0.1)
                view = await replica.acd.GetAgent(ANNA, metadata=DEMO)
        # Its flow never came back; it keeps its place meanwhile.
        entry = await replica.acd.GetEntry(acd_pb2.EntryRequest(entry_id="e2"), metadata=DEMO)
        assert entry.stage == "detached"
        stream.cancel()


async def test_a_gateway_that_lost_its_calls_is_told_nothing_and_believed(
    database_address: DatabaseAddress,
) -> None:
    async with Replica(database_address) as replica:
        await furnish(replica.acd)
        request = acd_pb2.EnqueueRequest(
            entry_id="e1", queue_id="sales", call_id="c1", gateway="gateway-1"
        )
        stream = replica.acd.Enqueue(request, metadata=DEMO)
        await following(stream, "position")

        async def report(*calls: str) -> None:
            await replica.acd.ReportCalls(
                acd_pb2.ReportCallsRequest(
                    gateway="gateway-1",
                    incarnation="one",
                    calls=[acd_pb2.ReportedCall(call_id=call) for call in calls],
                ),
                metadata=DEMO,
            )

        await report("c1")
        await report()
        await asyncio.sleep(2.1)
        await report()
        left = (await following(stream, "left")).left
        assert (left.exit, left.message) == ("abandoned", "gateway-report")


async def test_while_postgresql_stands_still_nobody_is_struck_and_requests_are_told() -> None:
    with running_postgres() as server:
        async with fresh_database(server) as address, Replica(address) as replica:
            await furnish(replica.acd)
            await ready(replica.acd)
            stream = enqueue(replica.acd, "e1")
            reserved = (await following(stream, "reserved")).reserved
            assert server.pid is not None
            everybody = [server.pid, *children_of(server.pid)]
            send(everybody, signal.SIGSTOP)
            try:
                new = enqueue(replica.acd, "e2")
                await asyncio.sleep(1.5)  # the owner misses its renewal
                with pytest.raises(RemoteError) as caught, remote_errors():
                    await replica.acd.GetAgent(ANNA, metadata=DEMO, timeout=20)
                assert caught.value.code == "journal-unavailable"
                await asyncio.sleep(3)
            finally:
                send(everybody, signal.SIGCONT)
            # The caller who came meanwhile has simply waited.
            assert (await following(new, "position")).position.position == 1
            # The delivery of 3 s has not run out, although far more time has passed.
            on = acd_pb2.ReservationRequest(reservation_id=reserved.reservation_id, agent_id="anna")
            assert (await replica.acd.RingConfirmed(on, metadata=DEMO)).stage == "ringing"
            stream.cancel()
            new.cancel()


def children_of(pid: int) -> list[int]:
    """Processes whose parent it is (proc(5): after the name in brackets: state, parent)."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        if int(after_name[1]) == pid:
            found.append(int(stat.parent.name))
    return found


def send(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
