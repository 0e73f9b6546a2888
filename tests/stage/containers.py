"""A whole Carillon in containers, on a bridge of the network namespace that this process is in."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from grpc import aio

from docker.images import name_of
from docker.podman import Podman, PodmanFailed
from services.__main__ import NAMES
from services.chassis.postgres.server import PostgresServer
from services.chassis.rpc import open_channel
from services.launcher.folder import Folder, Running
from services.launcher.ports import free_port, free_rtp_range
from services.launcher.process import Program
from services.launcher.processes import until_serving

USER = 10_001
SUBNET = "10.87.65"
HOST, EDGE, GATEWAY, FIRST_SERVICE = f"{SUBNET}.1", f"{SUBNET}.5", f"{SUBNET}.10", 20
SIP_PORT, EDGE_PORT, HTTP_PORT, GRPC_PORT = 5070, 5060, 8080, 8081
DATABASE = "carillon"
MEMORY = "1g"
DRAIN_S = 20
LIMIT_S = 120.0
"""For one command of podman's."""
HARDENED = (
    *("--read-only", "--read-only-tmpfs=false", "--cap-drop=all"),
    *("--security-opt=no-new-privileges", f"--memory={MEMORY}"),
)
"""As docs/containers.md says that they can be run."""


@dataclass(frozen=True, slots=True)
class Container:
    """One container of the installation."""

    target: str
    """The image's."""
    address: str
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    mounts: tuple[tuple[Path, str], ...] = ()
    """Folder of this machine → the path inside."""


class Containers:
    """Six services, a gateway and an edge, each in a container; PostgreSQL beside them.

    They are in the world `local`: they share a folder of sockets, and one of data.
    """

    def __init__(self, var: Path, podman: Podman, tell: Callable[[str], None]) -> None:
        """`var` is made, with folders that the containers' user owns."""
        self._podman = podman
        self._tell = tell
        self._mark = f"carillon-{os.getpid()}-{secrets.token_hex(3)}"
        self._root = var
        self._folder = Folder(var / "data")
        self._run_dir = var / "run"
        self._edge_dir = var / "edge"
        self._stack = AsyncExitStack()
        self._channels: dict[str, aio.Channel] = {}
        self.containers = self._planned()
        """By name."""
        self.statuses: dict[str, int] = {}
        """How each ended, once stopped."""

    @property
    def programs(self) -> Mapping[str, Program]:
        """None that this machine could look into."""
        return {}

    def gateways(self) -> list[aio.Channel]:
        """The way to the gateway."""
        return [self._channel("gateway")]

    async def start(self) -> Running:
        """Starts everything and seeds the demo tenant; PodmanFailed."""
        for folder in (self._folder.path, self._run_dir, self._edge_dir):
            folder.mkdir(parents=True, mode=0o700)
            os.chown(folder, USER, USER)
        self._folder.hold(self._stack)
        await self._podman_run("network", "create", f"--subnet={SUBNET}.0/24", self._mark)
        self._stack.push_async_callback(self._podman_run, "network", "rm", "-f", self._mark)
        await self._database()
        (self._edge_dir / "gateways.list").write_text(
            f"1 sip:{GATEWAY}:{SIP_PORT} 0 0 gateway=g1\n"
        )
        self._tell("Starting containers")
        for name in self.containers:
            await self.launch(name)
        await asyncio.gather(*(until_serving(self._channel(n)) for n in (*NAMES, "gateway")))
        (self._folder.path / "run.json").write_text("{}")
        portal = f"http://{self.containers['portal'].address}:{HTTP_PORT}"
        return Running(
            portal=portal,
            grpc=f"{self.containers['portal'].address}:{GRPC_PORT}",
            sip=f"{EDGE}:{EDGE_PORT}",
            seeded=await self._folder.seeded(portal, authority=None, tell=self._tell),
        )

    async def stop(self) -> None:
        """Drains and removes everything that was made."""
        for channel in self._channels.values():
            await channel.close()
        self._channels.clear()
        await self._stack.aclose()

    async def launch(self, name: str) -> None:
        """Starts one container; it is stopped and removed with the others, first the last."""
        container = self.containers[name]
        told = [f"--env={key}={value}" for key, value in container.env]
        mounts = [f"--volume={here}:{there}" for here, there in container.mounts]
        await self._podman_run(
            *("run", "--detach", f"--name={self.id_of(name)}", f"--network={self._mark}"),
            *(f"--ip={container.address}", *HARDENED, *told, *mounts),
            *(name_of(container.target), *container.args),
        )
        self._stack.push_async_callback(self._end, name)

    async def execute(self, name: str, *command: str) -> str:
        """What a command says inside of a container; PodmanFailed."""
        return await self._podman_run("exec", self.id_of(name), *command)

    async def is_healthy(self, name: str) -> None:
        """Asks a container as its image says; PodmanFailed when it is not well."""
        await self._podman_run("healthcheck", "run", self.id_of(name))

    async def inspected(self, name: str) -> dict[str, Any]:
        """What podman knows of a container."""
        said = json.loads(await self._podman_run("inspect", self.id_of(name)))
        found: dict[str, Any] = said[0]
        return found

    def id_of(self, name: str) -> str:
        """The container's name in podman's store."""
        return f"{self._mark}-{name}"

    async def logs(self) -> str:
        """The ends of all logs."""
        found = []
        for name in self.containers:
            with contextlib.suppress(PodmanFailed):
                said = await self._podman_run("logs", "--tail=40", self.id_of(name))
                found.append(f"--- {name}\n{said}")
        return "\n".join(found)

    def _planned(self) -> dict[str, Container]:
        shared = (
            (self._folder.path, "/var/lib/carillon"),
            (self._run_dir, "/run/carillon"),
        )
        first, last = free_rtp_range()
        services = {
            name: Container("services", f"{SUBNET}.{FIRST_SERVICE + n}", (name,), (), shared)
            for n, name in enumerate(NAMES)
        }
        gateway = {
            "CARILLON_GATEWAY_SIP_HOST": GATEWAY,
            "CARILLON_GATEWAY_SIP_PORT": str(SIP_PORT),
            "CARILLON_GATEWAY_WEBRTC_ADDRESSES": json.dumps([GATEWAY]),
            "CARILLON_GATEWAY_TRUSTED_EDGES": json.dumps([EDGE]),
            "CARILLON_GATEWAY_RTP_PORT_FIRST": str(first),
            "CARILLON_GATEWAY_RTP_PORT_LAST": str(last),
            "CARILLON_GATEWAY_DRAIN_LIMIT_S": "5",
        }
        edge = {"CARILLON_EDGE_HOST": EDGE, "CARILLON_EDGE_MEMORY_MB": "128"}
        return {
            **services,
            "gateway": Container("gateway", GATEWAY, (), tuple(gateway.items()), shared),
            "edge": Container(
                "edge", EDGE, (), tuple(edge.items()), ((self._edge_dir, "/run/carillon"),)
            ),
        }

    async def _database(self) -> None:
        """PostgreSQL of this machine, told to the bridge, migrated by a container."""
        self._tell("Starting PostgreSQL")
        server = PostgresServer(self._root / "postgres", fast=True)
        await asyncio.to_thread(server.start)
        self._stack.callback(server.remove)
        connection = await asyncpg.connect(server.admin_dsn())
        await connection.execute(f'CREATE DATABASE "{DATABASE}"')
        await connection.close()
        port = await self._forwarded(server.port)
        url = server.admin_dsn(DATABASE).replace(f"127.0.0.1:{server.port}", f"{HOST}:{port}")
        self._tell("Migrating in a container")
        self._tell(
            await self._podman_run(
                *("run", "--rm", f"--network={self._mark}", *HARDENED),
                *("--env=CARILLON_DATABASE_ADMIN_URL", name_of("services")),
                *("migrate", "--file=/var/lib/carillon/database.json"),
                mounts=((self._folder.path, "/var/lib/carillon"),),
                env={"CARILLON_DATABASE_ADMIN_URL": url},
            )
        )

    async def _forwarded(self, port: int) -> int:
        """Where containers reach a port that this machine's loopback has."""

        async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            there, back = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(_copied(reader, back), _copied(there, writer))

        outside = free_port()
        server = await asyncio.start_server(join, "0.0.0.0", outside)
        self._stack.callback(server.close)
        return outside

    async def _end(self, name: str) -> None:
        """Stops a container as whoever drains it would, notes how it ended, and removes it."""
        container = self.id_of(name)
        await self._podman_run("stop", f"--time={DRAIN_S}", container)
        self.statuses[name] = (await self.inspected(name))["State"]["ExitCode"]
        await self._podman_run("rm", "-f", "--volumes", container)

    def _channel(self, name: str) -> aio.Channel:
        if name not in self._channels:
            self._channels[name] = open_channel(self._run_dir / f"{name}.sock")
        return self._channels[name]

    async def _podman_run(
        self,
        *arguments: str,
        mounts: Sequence[tuple[Path, str]] = (),
        env: Mapping[str, str] | None = None,
    ) -> str:
        verb, *rest = arguments
        volumes = [f"--volume={here}:{there}" for here, there in mounts]
        return await asyncio.to_thread(
            self._podman.run, verb, *volumes, *rest, limit_s=LIMIT_S, env=env
        )


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


def removed(var: Path) -> None:
    """Removes an installation's folder."""
    shutil.rmtree(var, ignore_errors=True)
