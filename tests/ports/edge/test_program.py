"""The program beside Kamailio as a process: on one machine, and in a cluster by mTLS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from media_gateway.announcing import Announcing
from protos.edge.v1.edge_pb2 import AnnounceRequest
from services.chassis.world import World, local_world
from services.launcher.parts.kamailio import Kamailio
from services.launcher.ports import free_port
from services.launcher.process import Program
from services.launcher.processes import until_serving
from tests.softphone import Answer, SoftPhone
from tests.stage.asking import eventually
from tests.stage.authority import Authority
from tests.stage.cluster import LOOPBACK, Cluster
from tests.stage.edge import taken

START_S = 60.0
WAIT_S = 15.0


@asynccontextmanager
async def started(folder: Path, env: Mapping[str, str]) -> AsyncIterator[Program]:
    """The program, ended with the status of a process that was asked to."""
    program = Program(
        module="media_gateway.edge",
        args=(),
        env={"CARILLON_VAR_DIR": str(folder), "CARILLON_RUN_DIR": str(folder / "run"), **env},
        log=folder / "edge.log",
    )
    await program.start()
    try:
        yield program
        assert await program.stop() == 0, program.tail()
    except BaseException as error:
        error.add_note(program.tail())
        raise
    finally:
        await program.kill()


async def announced(world: World, edge: str, gateway: SoftPhone) -> Announcing:
    """A gateway's side, after it has said once that it is there."""
    host, port = gateway.address

    def describe() -> AnnounceRequest:
        return AnnounceRequest(
            gateway_id="g1", incarnation="i", sip_address=f"{host}:{port}", state="taking"
        )

    announcing = Announcing(
        edges=(edge,),
        dial=lambda name: world.dial_at("edge", name) if ":" in name else world.dial(name),
        describe=describe,
    )
    await announcing.announce()
    return announcing


async def test_a_gateway_of_the_same_machine_gets_calls(tmp_path: Path) -> None:
    kamailio = Kamailio(folder=tmp_path / "edge", port=free_port())
    world = local_world(var_dir=tmp_path / "var", run_dir=tmp_path / "run")
    async with (
        kamailio,
        started(tmp_path, kamailio.environment),
        SoftPhone(auto=Answer()) as gateway,
        SoftPhone() as caller,
    ):
        try:
            async with asyncio.timeout(START_S):
                await until_serving(world.dial("edge"))
            announcing = await announced(world, "edge", gateway)
            assert str(announcing.way_out()) == f"{kamailio.host}:{kamailio.port}"
            await eventually(lambda: taken(kamailio, caller), bool, WAIT_S, "a call taken")
        finally:
            await world.close()


async def test_a_gateway_of_a_cluster_is_known_by_its_certificate(tmp_path: Path) -> None:
    kamailio = Kamailio(folder=tmp_path / "edge", port=free_port())
    cluster = Cluster(tmp_path, {})
    port = free_port()
    address = f"ipv4:{LOOPBACK}:{port}"
    identity = Authority(tmp_path / "other").everyone()
    env = {
        "CARILLON_WORLD": "cluster",
        "CARILLON_LISTEN": f"{LOOPBACK}:{port}",
        "CARILLON_ADVERTISED": f"{LOOPBACK}:{port}",
        "CARILLON_PEERS": "dns:///{name}.invalid:7000",
        **cluster.identity.env(),
        **kamailio.environment,
    }
    gateways = cluster.world("gateway", peers_edge=address)
    stranger = cluster.world(
        "gateway", tls_ca=identity.ca, tls_cert=identity.cert, tls_key=identity.key
    )
    async with (
        kamailio,
        started(tmp_path, env),
        SoftPhone(auto=Answer()) as gateway,
        SoftPhone() as caller,
    ):
        try:
            async with asyncio.timeout(START_S):
                await until_serving(gateways.dial_at("edge", address))
            assert (await announced(stranger, address, gateway)).answering == 0
            assert not await taken(kamailio, caller)
            for edge in (address, "edge"):
                assert (await announced(gateways, edge, gateway)).answering == 1
            await eventually(lambda: taken(kamailio, caller), bool, WAIT_S, "a call taken")
        finally:
            await stranger.close()
            await gateways.close()


async def test_a_wrong_setting_is_refused_by_its_name(tmp_path: Path) -> None:
    program = Program(
        module="media_gateway.edge",
        args=(),
        env={
            "CARILLON_WORLD": "cluster",
            "CARILLON_EDGE_HOST": LOOPBACK,
            "CARILLON_EDGE_DIR": str(tmp_path),
        },
        log=tmp_path / "edge.log",
    )
    await program.start()
    async with asyncio.timeout(START_S):
        assert await program.ended() == 2
    assert "CARILLON_TLS_CA" in program.tail()
