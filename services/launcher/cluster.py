"""`make cluster`: the whole system on one machine as it would be in a cluster, until Ctrl-C.

Kafka, an S3 server and PostgreSQL, every service twice, two gateways behind Kamailio: each a
process of its own, told by the same settings as its container would be.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

from grpc import aio
from pydantic import SecretStr

from services.chassis import durable
from services.chassis.database import role_of
from services.chassis.ports import LOOPBACK, free_ports, is_free
from services.chassis.s3 import S3, S3Address
from services.chassis.s3_lock import make_bucket
from services.chassis.tls import DOMAIN
from services.launcher.certificates import certify
from services.launcher.database import OwnDatabase
from services.launcher.folder import POSTGRES, Folder, Running
from services.launcher.keeping import Keeper
from services.launcher.parts import minio
from services.launcher.parts.daemon import Daemon
from services.launcher.parts.kafka import KafkaServer, Node
from services.launcher.parts.kamailio import Kamailio
from services.launcher.parts.minio import MinioServer
from services.launcher.process import Program
from services.launcher.replicas import EDGE, GATEWAY, Plan, Replicas
from services.launcher.up import USUAL, outside_env
from services.recording.keys import ensure_keys

DATABASE = "carillon"
BUCKET = "carillon"
REPLICAS = 2
GATEWAYS = 2
POOL = 4
"""Connections of each process: there are many on one machine."""
DRAIN_S = 5
FOR_DOCTOR = "doctor.json"
MEMORY = "cluster.json"
"""What stays the same from run to run: the parts' ports, and secrets."""


class Cluster:
    """An installation as in a cluster, from start to stop."""

    def __init__(
        self,
        *,
        var: Path,
        services: tuple[str, ...],
        tell: Callable[[str], None],
        usual_ports: bool = True,
        from_nothing: bool = False,
        keep: bool = True,
        env: Mapping[str, str] | None = None,
        service_env: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        """`tell` takes one line of progress at a time; `usual_ports`: 5060, 8080, 8081 if free.

        `from_nothing`: what an earlier run kept is removed. `keep`: what ends is started again.
        `env` are further settings of every process, `service_env` of those of one service, the
        gateway among them.
        """
        self._folder = Folder(var)
        self.var = self._folder.path
        """The installation's folder."""
        self._services = services
        self._tell = tell
        self._usual = usual_ports
        self._from_nothing = from_nothing
        self._keeps = keep
        self._env = dict(env or {})
        self._service_env = {name: dict(more) for name, more in (service_env or {}).items()}
        self._stack = AsyncExitStack()
        self._keeper = Keeper(tell)
        self.postgres: OwnDatabase | None = None
        """The database, once started; so of the other parts."""
        self.kafka: KafkaServer | None = None
        """The bus."""
        self.storage: MinioServer | None = None
        """The S3 server."""
        self.kamailio: Kamailio | None = None
        """The edge, which the process `edge-1` feeds."""
        self.replicas: Replicas | None = None
        """The processes, once started."""

    @property
    def programs(self) -> Mapping[str, Program]:
        """Carillon's own processes, by name."""
        assert self.replicas is not None
        return self.replicas.programs

    def gateways(self) -> list[aio.Channel]:
        """The ways to the gateways."""
        assert self.replicas is not None
        return [self.replicas.channel(each.name) for each in self.replicas.of(GATEWAY)]

    async def start(self) -> Running:
        """Starts everything, and seeds the demo tenant the first time; a named error says why not.

        What a killed predecessor left is ended first.
        """
        await self._folder.take(self._stack, from_nothing=self._from_nothing, tell=self._tell)
        known = self._known()
        await self._start_parts(known)
        self.replicas = Replicas(await self._plan(known))
        self._stack.push_async_callback(self.replicas.stop)
        self._tell(
            f"Starting {REPLICAS} of each service ({', '.join(self._services)})"
            f" and {GATEWAYS} media gateways"
        )
        await asyncio.gather(*(self.replicas.start(name) for name in self.programs))
        running = await self._running()
        self._folder.remember(running, cluster=True)
        self._keep_for_doctor()
        if self._keeps:
            self._keep()
        return running

    async def stop(self) -> None:
        """Drains and stops everything; what is in the database stays."""
        await self._keeper.close()
        await self._stack.aclose()

    def _known(self) -> dict[str, Any]:
        """Ports of the parts and secrets: those of the last run, or new ones."""
        path = self.var / MEMORY
        try:
            known: dict[str, Any] = json.loads(path.read_text())
        except (OSError, ValueError):
            names = ("broker", "controller", "s3", "sip", "http", "grpc")
            known = {
                **dict(zip(names, free_ports(len(names)), strict=True)),
                "s3_secret": secrets.token_urlsafe(24),
                "root": secrets.token_urlsafe(18),
            }
            path.touch(mode=0o600)
            durable.replace(path, json.dumps(known).encode())
        if self._usual:
            known |= {name: port for name, port in USUAL.items() if is_free(port)}
        return known

    async def _start_parts(self, known: Mapping[str, Any]) -> None:
        """PostgreSQL, Kafka, the S3 server and Kamailio, at the same time."""
        self._tell("Starting PostgreSQL, Kafka, an S3 server and Kamailio")
        self.postgres = postgres = OwnDatabase(self.var / POSTGRES)
        program = await asyncio.to_thread(minio.ready)
        self.kafka = KafkaServer(
            self.var / "kafka", quorum=(Node(1, known["broker"], known["controller"]),)
        )
        self.storage = MinioServer(
            self.var / "s3", program=program, port=known["s3"], password=known["s3_secret"]
        )
        self.kamailio = Kamailio(folder=self.var / "edge", port=known["sip"])
        self._stack.push_async_callback(postgres.stop)
        for part in self.parts.values():
            self._stack.push_async_callback(part.stop)
        await asyncio.gather(postgres.start(), *(part.start() for part in self.parts.values()))
        storage = S3(
            S3Address(
                endpoint=self.storage.url,
                access_key=self.storage.user,
                secret_key=SecretStr(self.storage.password),
                bucket=BUCKET,
                worm=True,
            )
        )
        try:
            await make_bucket(storage)
        finally:
            await storage.close()

    @property
    def parts(self) -> Mapping[str, Daemon]:
        """Servers that are not ours, by name; PostgreSQL is apart."""
        found = {"Kafka": self.kafka, "S3": self.storage, "Kamailio": self.kamailio}
        return {name: part for name, part in found.items() if part is not None}

    async def _plan(self, known: Mapping[str, Any]) -> Plan:
        assert self.postgres is not None
        assert self.kafka is not None
        assert self.storage is not None
        assert self.kamailio is not None
        address = await self.postgres.database(DATABASE)
        files = await asyncio.to_thread(
            certify, self.var / "tls", host="this cluster", names=(f"*.{DOMAIN}",), clients=True
        )
        keys = self.var / "keys"
        await asyncio.to_thread(ensure_keys, keys)
        env = {
            "CARILLON_DRAIN_TIMEOUT_S": str(DRAIN_S),
            "CARILLON_KAFKA_BROKERS": self.kafka.address,
            "CARILLON_KAFKA_SECURITY": "plaintext",
            "CARILLON_KAFKA_REPLICATION": "1",
            "CARILLON_KAFKA_MIN_IN_SYNC": "1",
            "CARILLON_S3_ENDPOINT": self.storage.url,
            "CARILLON_S3_ACCESS_KEY": self.storage.user,
            "CARILLON_S3_SECRET_KEY": self.storage.password,
            "CARILLON_S3_BUCKET": BUCKET,
            "CARILLON_S3_WORM": "1",
            "CARILLON_S3_RETENTION_DAYS": "1",
            **self._env,
        }
        database = f"postgresql://{address.host}:{address.port}/{address.name}"
        services = {
            name: {
                "CARILLON_DATABASE_URL": database,
                "CARILLON_DATABASE_PASSWORD": address.passwords[role_of(name)],
                "CARILLON_DATABASE_POOL": str(POOL),
            }
            for name in self._services
        }
        services["portal"]["CARILLON_PORTAL_BOOTSTRAP_PASSWORD"] = known["root"]
        services["recording"]["CARILLON_RECORDING_KEY_FILE"] = str(keys)
        services[GATEWAY] = {
            "CARILLON_GATEWAY_DRAIN_LIMIT_S": str(DRAIN_S),
            **outside_env(os.environ),
        }
        services[EDGE] = {
            "CARILLON_EDGE_HOST": self.kamailio.host,
            "CARILLON_EDGE_PORT": str(self.kamailio.port),
            "CARILLON_EDGE_DIR": str(self.kamailio.folder),
        }
        for name, more in self._service_env.items():
            services[name] |= more
        # Where whoever seeds the demo tenant looks for the first administrator.
        first = {"tenant": "platform", "username": "root", "password": known["root"]}
        durable.replace(self.var / "bootstrap.json", json.dumps(first).encode())
        return Plan(
            var=self.var,
            counts={**dict.fromkeys(self._services, REPLICAS), GATEWAY: GATEWAYS, EDGE: 1},
            files=files,
            env=env,
            service_env=services,
            ports={"portal-1": {"http": known["http"], "public": known["grpc"]}},
        )

    async def _running(self) -> Running:
        assert self.replicas is not None
        assert self.kamailio is not None
        portal = self.replicas.of("portal")[0]
        address = f"http://{LOOPBACK}:{portal.ports['http']}"
        return Running(
            portal=address,
            grpc=f"{LOOPBACK}:{portal.ports['public']}",
            sip=f"{LOOPBACK}:{self.kamailio.port}",
            seeded=await self._folder.seeded(address, authority=None, tell=self._tell),
        )

    def _keep_for_doctor(self) -> None:
        """The settings of one process, by which `carillon doctor` looks at all of them."""
        assert self.replicas is not None
        ports = (each.ports["metrics"] for each in self.replicas.members.values())
        said = {
            "env": self.replicas.settings("recording-1"),
            "metrics": [f"{LOOPBACK}:{port}" for port in ports],
        }
        durable.replace(self.var / FOR_DOCTOR, json.dumps(said).encode())

    def _keep(self) -> None:
        """Starts again what ends by itself."""
        assert self.replicas is not None
        assert self.postgres is not None
        for name, program in self.programs.items():
            self._keeper.keep(name, ended=program.ended, start=partial(self.replicas.start, name))
        for name, part in self.parts.items():
            self._keeper.keep(name, ended=partial(_ended, part), start=part.start)
        self._keeper.keep("PostgreSQL", ended=self.postgres.ended, start=self.postgres.start)


async def _ended(part: Daemon) -> int:
    return await part.child.ended()
