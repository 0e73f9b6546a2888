"""Replicas of services in a cluster's world, over real PostgreSQL and mTLS."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from protos.acd.v1 import acd_pb2
from protos.acd.v1.acd_pb2_grpc import AcdStub
from services.acd.main import AcdService
from services.acd.main import build as build_acd
from services.chassis.cluster import OneServiceOnly, PartUnreachable, prove_all
from services.chassis.database import (
    Database,
    DatabaseAddress,
    DatabaseRefused,
    DatabaseURL,
    NoDatabase,
)
from services.chassis.lifecycle import Running
from services.chassis.rpc_pool import BadAddress
from services.chassis.world import World
from services.launcher.ports import free_port
from tests.stage.authority import Authority
from tests.stage.cluster import Cluster
from tests.unit.acd.replicas import DEMO, enqueue, furnish, ready

if TYPE_CHECKING:  # the stubs know this name, the generated module does not
    from protos.acd.v1.acd_pb2_grpc import AcdAsyncStub

SALES = acd_pb2.QueueRequest(queue_id="sales")
PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Pair:
    """Two replicas of acd, and another service that calls them."""

    caller: World
    worlds: list[World]
    running: list[Running]
    services: list[AcdService]

    @property
    def acd(self) -> AcdAsyncStub:
        """Whichever replica answers."""
        return AcdStub(self.caller.dial("acd"))

    def at(self, index: int) -> AcdAsyncStub:
        """One of them."""
        address = self.worlds[index].advertised("acd")
        return AcdStub(self.caller.dial_at("acd", address))

    def forwarded(self) -> int:
        """Requests that went on to the owner."""
        return sum(
            int(reading.value)
            for service in self.services
            for reading in service.readings()
            if reading.name == "carillon_acd_forwarded_total"
        )


@pytest.fixture
async def pair(database_address: DatabaseAddress, tmp_path: Path) -> AsyncIterator[Pair]:
    cluster = Cluster(tmp_path, {"acd": 2}, database=database_address)
    worlds = list(cluster.worlds("acd"))
    services = [build_acd(world) for world in worlds]
    running = [Running([service], world) for service, world in zip(services, worlds, strict=True)]
    for each in running:
        await each.start()
    caller = cluster.world("portal")
    acds = [service for service in services if isinstance(service, AcdService)]
    yield Pair(caller, worlds, running, acds)
    for each in running:
        await each.drain(5)
        await each.stop()
    await caller.close()


async def test_a_request_to_either_replica_reaches_the_owner(pair: Pair) -> None:
    await furnish(pair.at(0))
    assert (await pair.at(1).GetQueue(SALES, metadata=DEMO)).queue_id == "sales"
    assert pair.forwarded() > 0
    before = pair.forwarded()
    for _ in range(20):
        assert (await pair.acd.GetQueue(SALES, metadata=DEMO)).queue_id == "sales"
    assert 0 < pair.forwarded() - before < 20, "in turn: some go on, some do not"


async def test_who_waits_is_told_through_either_replica(pair: Pair) -> None:
    await furnish(pair.at(0))
    stream = enqueue(pair.at(1), "e1")
    async with asyncio.timeout(PATIENCE_S):
        await ready(pair.at(1))
        async for update in stream:
            if update.HasField("reserved"):
                assert update.reserved.agent_id == "anna"
                break
    stream.cancel()


async def test_the_other_replica_takes_over_and_keeps_what_was_decided(pair: Pair) -> None:
    await furnish(pair.at(0))
    first = enqueue(pair.at(1), "e1")
    async with asyncio.timeout(PATIENCE_S):
        assert (await anext(aiter(first))).HasField("position")
    await pair.running[0].drain(5)
    await pair.running[0].stop()
    async with asyncio.timeout(PATIENCE_S):
        entry = await pair.acd.GetEntry(
            acd_pb2.EntryRequest(entry_id="e1"), metadata=DEMO, wait_for_ready=True, timeout=20
        )
    assert entry.contact.entry_id == "e1"


async def test_a_process_serves_one_service_and_knows_where_others_are(tmp_path: Path) -> None:
    world = Cluster(tmp_path, {"acd": 2}).world("acd", 1)
    world.door("acd")
    with pytest.raises(OneServiceOnly, match="acd and crm"):
        world.door("crm")
    with pytest.raises(NoDatabase, match="CARILLON_DATABASE_URL"):
        world.database("acd")
    for nowhere in ("unix:/run/acd.sock", "10.0.0.1:7000", "ipv4:10.0.0.1:1,10.0.0.2:1", ""):
        with pytest.raises(BadAddress):
            world.dial_at("acd", nowhere)
    await world.close()


async def test_a_database_that_lets_a_service_in_is_proved(
    database_address: DatabaseAddress, tmp_path: Path
) -> None:
    world = Cluster(tmp_path, {}, database=database_address).world("crm")
    world.database("crm")
    await world.prove()
    await world.close()


async def test_a_wrong_password_is_told_at_once(database_address: DatabaseAddress) -> None:
    wrong = replace(database_address, passwords={"carillon_crm": "no such password"})
    database = Database(wrong, schema="crm")
    said = await refused(database)
    assert "as carillon_crm" in said
    assert "CARILLON_DATABASE_PASSWORD" in said
    assert "no such password" not in said


async def test_a_database_that_is_not_there_is_told_at_once(
    database_address: DatabaseAddress,
) -> None:
    said = await refused(Database(replace(database_address, name="nowhere"), schema="crm"))
    assert "look at the database's name in CARILLON_DATABASE_URL" in said


@pytest.mark.parametrize(
    ("answer", "files", "why"),
    [
        (b"N", "sslmode=require", "has no TLS: look at sslmode"),
        (b"S", "sslmode=verify-full&sslrootcert={ca}", "look at sslrootcert"),
        (b"S", "sslmode=verify-full&sslrootcert={ca}.gone", "look at the files"),
        (b"S", "sslmode=verify-full&sslrootcert={spoilt}", "look at sslrootcert"),
    ],
)
async def test_a_database_that_cannot_be_trusted_is_told_at_once(
    tmp_path: Path, answer: bytes, files: str, why: str
) -> None:
    server = Authority(tmp_path / "theirs").identity("db.carillon.internal")
    ours = Authority(tmp_path / "ours").identity("crm.carillon.internal")
    spoilt = tmp_path / "spoilt.crt"
    spoilt.write_text("no certificate")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(server.cert, server.key)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """PostgreSQL's own way to begin with TLS, and nothing more."""
        await reader.readexactly(8)
        writer.write(answer)
        with suppress(OSError):
            await writer.drain()
            if answer == b"S":
                await writer.start_tls(context)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        told = files.format(ca=ours.ca, spoilt=spoilt)
        url = f"postgresql://u:kae7Ahj9uo2Iec@127.0.0.1:{port}/carillon?{told}"
        said = await refused(Database(DatabaseURL(url), schema="crm"))
    assert why in said
    assert "kae7Ahj9uo2Iec" not in said


async def test_a_database_without_tables_is_told(
    database_address: DatabaseAddress,
) -> None:
    database = Database(replace(database_address, name="postgres"), schema="crm")
    with pytest.raises(DatabaseRefused, match="run `python -m services migrate`"):
        await database.prove()


async def test_a_database_that_nobody_reaches_is_told_with_what_was_tried() -> None:
    url = f"postgresql://u:secret-of-mine@127.0.0.1:{free_port()}/carillon"
    database = Database(DatabaseURL(url), schema="crm")
    with pytest.raises(PartUnreachable, match=r"CARILLON_DATABASE_URL: .*tried") as caught:
        await prove_all({"CARILLON_DATABASE_URL": database.prove}, limit_s=1)
    assert "secret-of-mine" not in str(caught.value)
    await prove_all({"CARILLON_DATABASE_URL": database.prove}, limit_s=0)


async def refused(database: Database) -> str:
    """What a start says that would be tried for far longer than a test may take."""
    with pytest.raises(DatabaseRefused) as caught:
        async with asyncio.timeout(PATIENCE_S):
            await prove_all({"CARILLON_DATABASE_URL": database.prove}, limit_s=100 * PATIENCE_S)
    assert str(caught.value).startswith("CARILLON_DATABASE_URL: ")
    return str(caught.value)
