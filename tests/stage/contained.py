"""An installation in containers for the demo's call; servers of others run beside them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import asyncpg
import httpx
from grpc import aio

from docker.podman import Podman
from services.chassis.postgres.server import PostgresServer
from services.chassis.rpc_channel import open_remote
from services.chassis.tls import ServiceTLS
from services.launcher.folder import Folder, Running
from services.launcher.parts import minio
from services.launcher.parts.kafka import KafkaServer, Node
from services.launcher.parts.minio import MinioServer, ServerFiles
from services.launcher.ports import free_port
from services.launcher.process import Program
from tests.stage.asking import eventually
from tests.stage.containers import Stage

HTTP, OPEN_GRPC = 8080, 8081
"""Of portal."""
SIP = 5060
"""Of the edge."""
KAFKA_PORT, S3_PORT, POSTGRES_PORT = 9092, 9000, 5432
READY_WITHIN_S = 240.0


class Contained(Stage):
    """What such installations share, whoever describes their containers."""

    def __init__(
        self, var: Path, podman: Podman, tell: Callable[[str], None], *, host: str
    ) -> None:
        """`var` is for the servers beside the containers, `host` where these reach them."""
        super().__init__(podman, tell)
        self._var = var
        self._host = host
        self._folder = Folder(var / "data")
        self._channels: list[aio.Channel] = []

    @property
    def programs(self) -> Mapping[str, Program]:
        """None that this machine could look into."""
        return {}

    def gateways(self) -> list[aio.Channel]:
        """The ways to all gateways."""
        return self._channels

    async def _parts(
        self, *, postgres_word: str, s3_word: str, s3_files: ServerFiles | None = None
    ) -> None:
        """Starts what is not ours, at its usual ports, for as long as the stage is there."""
        postgres = PostgresServer(self._var / "postgres", fast=True)
        await asyncio.to_thread(postgres.start)
        self.stack.callback(postgres.remove)
        connection = await asyncpg.connect(postgres.admin_dsn())
        await connection.execute("CREATE DATABASE carillon")
        await connection.execute(f"ALTER ROLE carillon_admin PASSWORD '{postgres_word}'")
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
        program = await asyncio.to_thread(minio.ready)
        s3 = MinioServer(self._var / "s3", program=program, password=s3_word, files=s3_files)
        await self.stack.enter_async_context(s3)
        await self.forwarded(s3.port, outside=S3_PORT)

    async def _ready(self, name: str, url: str) -> None:
        """Until a process takes work, as its own door for kubelets says."""

        async def ask() -> int:
            try:
                async with httpx.AsyncClient(trust_env=False) as client:
                    return (await client.get(url)).status_code
            except httpx.HTTPError:
                return 0

        await eventually(ask, lambda code: code == httpx.codes.OK, READY_WITHIN_S, name)

    def _open_channels(self, targets: Sequence[str], tls: ServiceTLS) -> None:
        """The ways to gateways, by `host:port`."""
        self._channels += [
            open_remote(f"ipv4:{target}", service="gateway", tls=tls) for target in targets
        ]

    async def _seeded(self, *, portal: str, edge: str, word: str) -> Running:
        """With the demo tenant, made with the password of the platform's first administrator."""
        self._folder.path.mkdir(parents=True)
        first = {"tenant": "platform", "username": "root", "password": word}
        (self._folder.path / "bootstrap.json").write_text(json.dumps(first))
        url = f"http://{portal}:{HTTP}"
        seeded = await self._folder.seeded(url, authority=None, tell=self._tell)
        return Running(portal=url, grpc=f"{portal}:{OPEN_GRPC}", sip=f"{edge}:{SIP}", seeded=seeded)
