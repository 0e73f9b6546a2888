"""The Helm chart as it renders, its pods played by podman, with this machine's servers beside."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from pydantic import SecretStr

from docker.images import name_of
from docker.podman import Podman
from services.chassis.s3 import S3, S3Address
from services.chassis.s3_lock import make_bucket
from services.chassis.tls import DOMAIN, ServiceTLS
from services.launcher.folder import Running
from services.launcher.parts import helm
from services.launcher.parts.minio import ServerFiles
from tests.deploy.chart import CHART, Document, read
from tests.stage.asking import eventually
from tests.stage.authority import Authority
from tests.stage.contained import KAFKA_PORT, POSTGRES_PORT, READY_WITHIN_S, S3_PORT, Contained
from tests.stage.kubelet import Pod, passes, played, pods_of, probes_of

NAMESPACE = "calls"
SUBNET = "172.30.67"
"""Of the bridge: its first three numbers."""
FIRST = 20
"""The last number of the first pod's address."""
ROLES = ("acd", "analytics", "crm", "ivr", "portal", "recording")
MIGRATIONS = "migrations"
LAST = ("gateway", "edge")
"""They end before the services that they tell what happened."""


class Played(Contained):
    """A release of the chart, all of whose pods run by `podman kube play`."""

    def __init__(self, var: Path, podman: Podman, tell: Callable[[str], None]) -> None:
        """`var` is for the servers that run beside, and for what Secrets hold."""
        super().__init__(var, podman, tell, host=f"{SUBNET}.1")
        self._words = {name: secrets.token_hex(16) for name in (*ROLES, "postgres", "s3")}
        self._authority = Authority(var / "tls")
        self._everyone = self._authority.everyone()
        self._storage = self._authority.identity(self._host, "127.0.0.1", file="s3")
        self._found: list[Document] = []
        self.pods: list[Pod] = []
        """All that go on running, once started."""
        self._addresses: dict[str, str] = {}

    async def start(self) -> Running:
        """Renders the chart, and starts all of it and the demo tenant; ChartRefused, PodmanFailed.

        As Helm does it: migrations first, as a hook.
        """
        self._found = await asyncio.to_thread(self._rendered)
        await self.bridge(f"{SUBNET}.0/24")
        self._tell("Starting PostgreSQL, Kafka and MinIO")
        files = ServerFiles(self._storage.cert, self._storage.key, self._storage.ca)
        words = self._words
        await self._parts(postgres_word=words["postgres"], s3_word=words["s3"], s3_files=files)
        await make_bucket(self._s3())
        everything = pods_of(self._found)
        for number, pod in enumerate(everything, FIRST):
            self._addresses[pod.name] = f"{SUBNET}.{number}"
        self._tell("Migrating, by the hook's pod")
        (hook,) = (pod for pod in everything if pod.component == MIGRATIONS)
        await self._migrate(hook)
        self.pods = [pod for pod in everything if pod is not hook]
        self._tell(f"Playing {len(self.pods)} pods")
        for pod in self.pods:
            await self._play(pod)
            self.names += [f"{pod.played_as}-{name}" for name in pod.containers]
        await asyncio.gather(*map(self.is_ready, self.pods))
        tls = ServiceTLS(
            authority=self._everyone.ca,
            certificate=self._everyone.cert,
            key=self._everyone.key,
            domain=DOMAIN,
        )
        gateways = [pod for pod in self.pods if pod.component == "gateway"]
        self._open_channels([f"{self.address_of(pod)}:{_grpc(pod)}" for pod in gateways], tls)
        return await self._seeded(
            portal=self.address_of(self._first("portal")),
            edge=self.address_of(self._first("edge")),
            word=self._words["portal"],
        )

    async def stop(self) -> None:
        """Drains and removes everything that was made."""
        for channel in self._channels:
            await channel.close()
        try:
            for components in (LAST, ROLES):
                pods = [pod for pod in self.pods if pod.component in components]
                await self.end(*(f"{pod.played_as}-{c}" for pod in pods for c in pod.containers))
        finally:
            await self.stack.aclose()

    def address_of(self, pod: Pod) -> str:
        """Where it is on the bridge."""
        return self._addresses[pod.name]

    async def is_ready(self, pod: Pod) -> None:
        """Until every probe of a pod's containers passes, as a kubelet asks."""
        for probe in probes_of(pod):

            async def ask(probe: Any = probe) -> bool:
                return await passes(probe, self.address_of(pod))

            what = f"{pod.name}, {probe.container}: {probe.kind}"
            await eventually(ask, bool, READY_WITHIN_S, what)

    def _first(self, component: str) -> Pod:
        return next(pod for pod in self.pods if pod.component == component)

    async def _migrate(self, hook: Pod) -> None:
        await self._play(hook)
        container = self.id_of(f"{hook.played_as}-{hook.containers[0]}")
        status = await self.run("wait", container)
        assert status == "0", await self.run("logs", container)

    async def _play(self, pod: Pod) -> None:
        """Gives one pod to podman, with the names that the cluster's DNS would have for it."""
        documents = played(
            pod, self._found, address=self.address_of(pod), files=self._var / "files"
        )
        documents[-1]["metadata"]["name"] = self.id_of(pod.name)
        path = self._var / f"{pod.name}.yaml"
        path.touch(mode=0o600)
        path.write_text(yaml.safe_dump_all(documents))
        aliases = "".join(f",alias={host}" for host in pod.hosts)
        network = f"--network={self.mark}:ip={self.address_of(pod)}{aliases}"
        self.stack.push_async_callback(self._remove, pod)
        await self.run("kube", "play", "--quiet", network, str(path))

    async def _remove(self, pod: Pod) -> None:
        await self.run("pod", "rm", "--force", "--ignore", self.id_of(pod.played_as))
        for claim in pod.claims:
            await self.run("volume", "rm", "--force", claim["metadata"]["name"])

    def _rendered(self) -> list[Document]:
        """The release's documents, and the Secrets that somebody else would have made."""
        given = self._var / "values.yaml"
        given.touch(mode=0o600)
        given.write_text(yaml.safe_dump(self._values()))
        text = helm.render(CHART, namespace=NAMESPACE, values=(CHART / "values-dev.yaml", given))
        everyone = self._everyone
        return [
            *read(text),
            _secret(
                "trial-tls",
                {
                    "tls.crt": everyone.cert.read_text(),
                    "tls.key": everyone.key.read_text(),
                    "ca.crt": everyone.ca.read_text(),
                },
            ),
            _secret(
                "trial-s3",
                {
                    "access-key": "carillon",
                    "secret-key": self._words["s3"],
                    "ca.crt": self._storage.ca.read_text(),
                },
            ),
        ]

    def _values(self) -> dict[str, Any]:
        """What an operator says besides values-dev.yaml: a second gateway, an edge, evidence."""
        owner = f"carillon_admin:{self._words['postgres']}"
        images = {
            kind: {"repository": kind, "tag": name_of(kind).rpartition(":")[2]}
            for kind in ("services", "gateway", "edge")
        }
        return {
            "images": {"registry": name_of("services").rpartition("/")[0], **images},
            "database": {
                "host": self._host,
                "port": POSTGRES_PORT,
                "sslmode": "disable",
                "adminUrl": f"postgresql://{owner}@{self._host}:{POSTGRES_PORT}/carillon",
                "passwords": {role: self._words[role] for role in ROLES},
            },
            "kafka": {"brokers": [f"{self._host}:{KAFKA_PORT}"]},
            "s3": {
                "endpoint": f"https://{self._host}:{S3_PORT}",
                "existingSecret": "trial-s3",
                "caInSecret": True,
                "worm": True,
                "objectLock": True,
                "retentionDays": 1,
            },
            "tls": {"existingSecret": "trial-tls"},
            "recordingKeys": {"keys": secrets.token_hex(32)},
            "portal": {"bootstrapPassword": self._words["portal"]},
            "gateway": {
                "replicas": 2,
                "outboundAllow": [f"{SUBNET}.0/24"],
                "spool": {"persistent": True},
            },
            "edge": {"enabled": True, "replicas": 1},
        }

    def _s3(self) -> S3:
        return S3(
            S3Address(
                endpoint=f"https://127.0.0.1:{S3_PORT}",  # the bridge comes with the first pod
                access_key="carillon",
                secret_key=SecretStr(self._words["s3"]),
                bucket="carillon",
                ca_file=self._storage.ca,
                worm=True,
            )
        )


def _secret(name: str, content: dict[str, str]) -> Document:
    return {"kind": "Secret", "metadata": {"name": name}, "stringData": content}


def _grpc(pod: Pod) -> int:
    """The port that a gateway is asked at."""
    (container,) = pod.spec["containers"]
    port: int = next(each["containerPort"] for each in container["ports"] if each["name"] == "grpc")
    return port
