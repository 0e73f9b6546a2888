"""Services as processes of a cluster: told by their environment, on real parts."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from grpc import aio

from protos.acd.v1 import acd_pb2
from protos.acd.v1.acd_pb2_grpc import AcdStub
from services.chassis.database import DatabaseAddress
from services.chassis.world import World
from services.launcher.parts.minio import MinioServer
from services.launcher.ports import free_port
from services.launcher.process import Program
from services.launcher.processes import until_serving
from tests.stage.cluster import Cluster
from tests.stage.cluster_processes import Processes
from tests.stage.kafka import RunningKafka
from tests.stage.s3 import fresh_bucket
from tests.unit.acd.replicas import (
    DEMO,
    enqueue,
    enqueue_again,
    failure,
    following,
    furnish,
    ready,
)

START_S = 60.0
SALES = acd_pb2.QueueRequest(queue_id="sales")


@pytest.fixture
async def processes(
    database_address: DatabaseAddress,
    kafka_server: RunningKafka,
    minio_server: MinioServer,
    tmp_path: Path,
) -> Processes:
    return Processes(
        cluster=Cluster(tmp_path, {"acd": 2}, database=database_address),
        kafka=kafka_server.address(),
        storage=await fresh_bucket(minio_server),
    )


async def test_replicas_of_acd_and_a_gateway_serve_as_processes(processes: Processes) -> None:
    cluster = processes.cluster
    world = cluster.world("portal")
    acds = [processes.program("acd", index) for index in (0, 1)]
    gateway = processes.program("gateway")
    async with AsyncExitStack() as stack:
        stack.push_async_callback(_closed, world)
        for program in (*acds, gateway):
            stack.push_async_callback(program.kill)
            await program.start()
        for name, index in (("acd", 0), ("acd", 1), ("gateway", 0)):
            await _serving(world.dial_at(name, cluster.address(name, index)), [*acds, gateway])
            assert await processes.shown(name, index, "/readyz") == (200, "ok\n")
            assert await processes.shown(name, index, "/healthz") == (200, "ok\n")
        ways = [AcdStub(world.dial_at("acd", cluster.address("acd", index))) for index in (0, 1)]
        await furnish(ways[0])
        for way in ways:
            assert (await way.GetQueue(SALES, metadata=DEMO)).queue_id == "sales"
        forwarded = [
            await processes.value("carillon_acd_forwarded_total", "acd", index) for index in (0, 1)
        ]
        assert min(forwarded) == 0, "the owner decides by itself"
        assert sum(forwarded) > 0, "the other one passes on"
        for program in (*acds, gateway):
            assert await program.stop() == 0, program.tail()


async def test_a_killed_owners_shard_goes_on_at_the_other(processes: Processes) -> None:
    """Order is kept, nobody is rung twice, and what was decided stays decided."""
    cluster = processes.cluster
    world = cluster.world("portal")
    acds = [processes.program("acd", index) for index in (0, 1)]
    async with AsyncExitStack() as stack:
        stack.push_async_callback(_closed, world)
        for index, program in enumerate(acds):
            stack.push_async_callback(program.kill)
            await program.start()
            await _serving(world.dial_at("acd", cluster.address("acd", index)), acds)
        ways = [AcdStub(world.dial_at("acd", cluster.address("acd", index))) for index in (0, 1)]
        # Whoever is asked first decides for the tenant.
        await furnish(ways[0])
        waiting = []
        for number in range(5):
            waiting.append(enqueue(ways[1], f"e{number}"))
            await following(waiting[-1], "position")
        await acds[0].kill()
        for stream in waiting:
            await failure(stream)
        again = [await enqueue_again(ways[1], f"e{number}") for number in range(5)]
        await ready(ways[1])
        told = await following(again[0][0], "reserved")
        assert told.reserved.agent_id == "anna", "the one who has waited longest"
        entry = acd_pb2.EntryRequest(entry_id="e1")
        assert not (await ways[1].GetEntry(entry, metadata=DEMO)).HasField("reservation")
        for stream, _ in again:
            stream.cancel()


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("CARILLON_KAFKA_BROKERS", "CARILLON_KAFKA_BROKERS: "),
        ("CARILLON_S3_ENDPOINT", "CARILLON_S3_ENDPOINT, CARILLON_S3_BUCKET: "),
        ("CARILLON_DATABASE_URL", "CARILLON_DATABASE_URL, schema acd: "),
    ],
)
async def test_a_part_that_nobody_reaches_ends_a_process_with_what_was_tried(
    processes: Processes, setting: str, said: str
) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    url = {
        "CARILLON_KAFKA_BROKERS": nowhere,
        "CARILLON_S3_ENDPOINT": f"http://{nowhere}",
        "CARILLON_DATABASE_URL": f"postgresql://carillon_acd:Ahng8ieng5oPho@{nowhere}/carillon",
    }[setting]
    program = processes.program("acd", 0, **{setting: url, "CARILLON_START_LIMIT_S": "3"})
    await program.start()
    async with asyncio.timeout(START_S):
        assert await program.ended() == 1
    told = json.loads(program.tail(1))
    assert told["code"] == "part-unreachable"
    assert told["reason"].startswith(said)
    assert nowhere.rpartition(":")[2] in told["reason"]
    assert "tried" in told["reason"]
    assert "Ahng8ieng5oPho" not in program.log.read_text()


@pytest.mark.parametrize(
    "case",
    [
        (
            "CARILLON_S3_ACCESS_KEY",
            "nobody",
            "bucket-unusable",
            "the access key is unknown there: look at CARILLON_S3_ACCESS_KEY",
        ),
        (
            "CARILLON_DATABASE_URL",
            "postgresql://nobody:Ahng8ieng5oPho@{place}/carillon",
            "database-refused",
            "look at the user in CARILLON_DATABASE_URL and at CARILLON_DATABASE_PASSWORD",
        ),
        ("CARILLON_KAFKA_CA", "/gone.crt", "bad-kafka-address", "CARILLON_KAFKA_CA: /gone.crt"),
        ("CARILLON_S3_CA", "/gone.crt", "bad-s3-address", "CARILLON_S3_CA: /gone.crt"),
        ("CARILLON_TLS_CERT", "/gone.crt", "bad-service-tls", "CARILLON_TLS_CERT: /gone.crt"),
        ("CARILLON_S3_KEY_FILE", "/gone", "key-file-unusable", "set CARILLON_S3_KEY_FILE"),
    ],
)
async def test_what_no_waiting_mends_ends_a_process_at_once(
    processes: Processes, database_address: DatabaseAddress, case: tuple[str, str, str, str]
) -> None:
    setting, wrong, code, said = case
    place = f"{database_address.host}:{database_address.port}"
    more = {setting: wrong.format(place=place), "CARILLON_START_LIMIT_S": "3600"}
    if setting == "CARILLON_KAFKA_CA":
        more["CARILLON_KAFKA_SECURITY"] = "ssl"
    if setting == "CARILLON_S3_CA":
        more["CARILLON_S3_ENDPOINT"] = "https://s3.example"
    program = processes.program("acd", 0, **more)
    await program.start()
    async with asyncio.timeout(START_S):
        assert await program.ended() == 1
    told = program.tail(1)
    assert code in told
    assert said in told
    assert "Ahng8ieng5oPho" not in program.log.read_text()


async def _serving(channel: aio.Channel, programs: list[Program]) -> None:
    try:
        async with asyncio.timeout(START_S):
            await until_serving(channel)
    except TimeoutError:
        raise AssertionError("\n".join(program.tail() for program in programs)) from None


async def _closed(world: World) -> None:
    await world.close()
