"""docker/compose.yaml as it stands, with this machine's programs in place of images not ours."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from grpc import aio

from docker.images import name_of
from docker.podman import Podman
from services.chassis.postgres.server import PostgresServer
from services.chassis.rpc_channel import open_remote
from services.chassis.tls import DOMAIN, ServiceTLS
from services.launcher.folder import Folder, Running
from services.launcher.parts import minio
from services.launcher.parts.kafka import KafkaServer, Node
from services.launcher.parts.minio import MinioServer
from services.launcher.ports import free_port
from services.launcher.process import Program
from tests.deploy.compose import compose, image_of
from tests.stage.asking import eventually
from tests.stage.containers import HARDENED, Stage

GRPC, METRICS, HTTP, OPEN_GRPC, SIP = 7000, 9464, 8080, 8081, 5060
KAFKA_PORT, S3_PORT, POSTGRES_PORT = 9092, 9000, 5432
READY_WITHIN_S = 240.0
ONCE = ("secrets", "migrations", "bucket")
EDGES = ("edge", "kamailio")
"""The second has the first in its network: it goes last."""


class Composed(Stage):
    """An installation for the demo's call: everything of Carillon's runs as the file says."""

    def __init__(self, var: Path, podman: Podman, tell: Callable[[str], None]) -> None:
        """`var` is for the parts that run beside the containers."""
        super().__init__(podman, tell)
        said = compose()
        self._services: dict[str, dict[str, Any]] = said["services"]
        (self._network,) = said["networks"]["inside"]["ipam"]["config"]
        self._host = self._network["subnet"].replace(".0/24", ".1")
        self._var = var
        self._folder = Folder(var / "data")
        self._channels: list[aio.Channel] = []

    @property
    def programs(self) -> Mapping[str, Program]:
        """None that this machine could look into."""
        return {}

    @property
    def replicas(self) -> list[str]:
        """Carillon's own that go on running."""
        ours = (name for name, said in self._services.items() if image_of(said))
        return [name for name in ours if name not in ONCE]

    def gateways(self) -> list[aio.Channel]:
        """The ways to both gateways."""
        return self._channels

    async def start(self) -> Running:
        """Starts everything and seeds the demo tenant; PodmanFailed."""
        await self.bridge(self._network["subnet"], f"--ip-range={self._network['ip_range']}")
        for volume in ("secrets", "parts", "edge", "gateway-1", "gateway-2"):
            await self.run("volume", "create", f"{self.mark}-{volume}")
            self.stack.push_async_callback(self.run, "volume", "rm", "-f", f"{self.mark}-{volume}")
        self._tell("Making secrets in a container")
        await self._once("secrets")
        secrets = await self._mounted("secrets")
        await self._up("kamailio")  # the first on the bridge, which is there from now on
        self._tell("Starting PostgreSQL, Kafka and MinIO")
        await self._parts(secrets)
        self._tell("Migrating, and making the bucket, in containers")
        await self._once("migrations")
        await self._once("bucket")
        self._tell("Starting containers")
        for name in self.replicas:
            if name != "kamailio":
                await self._up(name)
        await asyncio.gather(*(self._ready(n) for n in self.replicas if n != "kamailio"))
        await self._open_channels(secrets)
        portal = await self.address_of("portal-1")
        return await self._seeded(portal, secrets)

    async def stop(self) -> None:
        """Drains and removes everything that was made."""
        for channel in self._channels:
            await channel.close()
        try:
            await self.end("gateway-1", "gateway-2", *EDGES)
            await self.end(*self.replicas)
        finally:
            await self.stack.aclose()

    async def address_of(self, name: str) -> str:
        """Where a container is on the bridge."""
        mode = self._services[name].get("network_mode", "")
        name = mode.removeprefix("service:") or name
        networks = (await self.inspected(name))["NetworkSettings"]["Networks"]
        return str(networks[self.mark]["IPAddress"])

    async def _up(self, name: str) -> None:
        await self.launch(name, *self._told(name))

    async def _once(self, name: str) -> None:
        """Runs a container to its end."""
        await self.run("run", "--rm", *HARDENED, *self._told(name))

    def _told(self, name: str) -> list[str]:
        """A service of the file as podman's options, image and arguments."""
        said = self._services[name]
        options = [f"--env={k}={v}" for k, v in said.get("environment", {}).items()]
        options += [f"--volume={self.mark}-{each}" for each in said.get("volumes", ())]
        if "entrypoint" in said:
            options.append(f"--entrypoint={json.dumps(said['entrypoint'])}")
        if "mem_limit" in said:
            options.append(f"--memory={said['mem_limit']}")
        mode = said.get("network_mode", "")
        if mode.startswith("service:"):
            options.append(f"--network=container:{self.id_of(mode.partition(':')[2])}")
        elif mode:
            options.append(f"--network={mode}")
        else:
            options += self._on_the_bridge(name, said.get("networks", []))
        return [*options, name_of(image_of(said)), *said.get("command", ())]

    def _on_the_bridge(self, name: str, networks: Any) -> list[str]:
        inside = networks.get("inside") or {} if isinstance(networks, dict) else {}
        aliases = [name, *inside.get("aliases", ())]
        options = [f"--network={self.mark}", *(f"--network-alias={each}" for each in aliases)]
        if "ipv4_address" in inside:
            options.append(f"--ip={inside['ipv4_address']}")
        parts = (part for part, said in self._services.items() if not image_of(said))
        return [*options, *(f"--add-host={part}:{self._host}" for part in parts)]

    async def _mounted(self, volume: str) -> Path:
        said = await self.run("volume", "inspect", f"{self.mark}-{volume}")
        return Path(json.loads(said)[0]["Mountpoint"])

    async def _parts(self, secrets: Path) -> None:
        """What the file has by images that are not ours, with the secrets of its containers."""
        postgres = PostgresServer(self._var / "postgres", fast=True)
        await asyncio.to_thread(postgres.start)
        self.stack.callback(postgres.remove)
        word = (secrets / "postgres-password").read_text().strip()
        connection = await asyncpg.connect(postgres.admin_dsn())
        await connection.execute("CREATE DATABASE carillon")
        await connection.execute(f"ALTER ROLE carillon_admin PASSWORD '{word}'")
        await connection.close()
        await self.forwarded(postgres.port, outside=POSTGRES_PORT)
        controller = free_port()
        kafka = KafkaServer(
            self._var / "kafka",
            quorum=(Node(1, KAFKA_PORT, controller),),
            settings={
                "listeners": f"PLAINTEXT://0.0.0.0:{KAFKA_PORT},CONTROLLER://127.0.0.1:{controller}",
                "advertised.listeners": f"PLAINTEXT://{self._host}:{KAFKA_PORT}",
            },
        )
        await self.stack.enter_async_context(kafka)
        s3 = MinioServer(
            self._var / "s3",
            program=await asyncio.to_thread(minio.ready),
            password=(secrets / "s3-secret-key").read_text().strip(),
        )
        await self.stack.enter_async_context(s3)
        await self.forwarded(s3.port, outside=S3_PORT)

    async def _ready(self, name: str) -> None:
        """Until a process takes work, as its own door for kubelets says."""
        address = await self.address_of(name)

        async def ask() -> int:
            try:
                async with httpx.AsyncClient(trust_env=False) as client:
                    return (await client.get(f"http://{address}:{METRICS}/readyz")).status_code
            except httpx.HTTPError:
                return 0

        await eventually(ask, lambda code: code == httpx.codes.OK, READY_WITHIN_S, name)

    async def _open_channels(self, secrets: Path) -> None:
        tls = ServiceTLS(
            authority=secrets / "tls" / "ca.crt",
            certificate=secrets / "tls" / "server.crt",
            key=secrets / "tls" / "server.key",
            domain=DOMAIN,
        )
        for name in ("gateway-1", "gateway-2"):
            target = f"ipv4:{await self.address_of(name)}:{GRPC}"
            self._channels.append(open_remote(target, service="gateway", tls=tls))

    async def _seeded(self, portal: str, secrets: Path) -> Running:
        self._folder.path.mkdir(parents=True)
        word = (secrets / "bootstrap-password").read_text().strip()
        first = {"tenant": "platform", "username": "root", "password": word}
        (self._folder.path / "bootstrap.json").write_text(json.dumps(first))
        return Running(
            portal=f"http://{portal}:{HTTP}",
            grpc=f"{portal}:{OPEN_GRPC}",
            sip=f"{await self.address_of('kamailio')}:{SIP}",
            seeded=await self._folder.seeded(
                f"http://{portal}:{HTTP}", authority=None, tell=self._tell
            ),
        )
