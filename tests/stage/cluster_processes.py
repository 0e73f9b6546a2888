"""Processes of a cluster in tests: what each is told, on real PostgreSQL, Kafka and S3."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import httpx

from services.chassis.bus_kafka import KafkaAddress
from services.chassis.s3 import S3Address
from services.launcher.ports import free_port
from services.launcher.process import Program
from tests.stage.cluster import LOOPBACK, Cluster


@dataclass
class Processes:
    """Programs by service and number, with the parts that they share."""

    cluster: Cluster
    """Where each is, and who vouches for them."""
    kafka: KafkaAddress
    storage: S3Address
    metrics: dict[tuple[str, int], int] = field(default_factory=dict)
    """Where each shows metrics and health."""

    def program(self, name: str, index: int = 0, **more: str) -> Program:
        """One replica, not started; `more` is added to its environment."""
        gateway = name == "gateway"
        return Program(
            module="media_gateway" if gateway else "services",
            args=() if gateway else (name,),
            env={**self.environment(name, index), **(self._sip() if gateway else {}), **more},
            log=self.cluster.folder / f"{name}-{index}.log",
        )

    def environment(self, name: str, index: int = 0) -> dict[str, str]:
        """What one replica is told."""
        settings = self.cluster.settings(name, index)
        port = self.metrics.setdefault((name, index), free_port())
        peers = {peer: self.cluster.target(peer) for peer in self.cluster.ports}
        folder = self.cluster.folder / f"{name}-{index}"
        url = settings.database_url.get_secret_value()
        return {
            "CARILLON_WORLD": "cluster",
            "CARILLON_VAR_DIR": str(folder),
            "CARILLON_RUN_DIR": str(folder / "run"),
            "CARILLON_LISTEN": settings.listen,
            "CARILLON_ADVERTISED": settings.advertised,
            "CARILLON_METRICS_PORT": str(port),
            **{f"CARILLON_PEERS_{peer.upper()}": target for peer, target in peers.items()},
            **self.cluster.identity.env(),
            **({"CARILLON_DATABASE_URL": url} if url else {}),
            "CARILLON_KAFKA_BROKERS": ",".join(self.kafka.brokers),
            "CARILLON_KAFKA_SECURITY": self.kafka.security,
            "CARILLON_KAFKA_PREFIX": self.kafka.prefix,
            "CARILLON_KAFKA_REPLICATION": str(self.kafka.replication),
            "CARILLON_KAFKA_MIN_IN_SYNC": str(self.kafka.min_in_sync),
            "CARILLON_S3_ENDPOINT": self.storage.endpoint,
            "CARILLON_S3_ACCESS_KEY": self.storage.access_key,
            "CARILLON_S3_SECRET_KEY_FILE": str(self._secret()),
            "CARILLON_S3_BUCKET": self.storage.bucket,
        }

    async def shown(self, name: str, index: int = 0, path: str = "/metrics") -> tuple[int, str]:
        """Status and text of what a replica shows by HTTP."""
        port = self.metrics[name, index]
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(f"http://{LOOPBACK}:{port}{path}")
        return answer.status_code, answer.text

    async def value(self, metric: str, name: str, index: int = 0) -> float:
        """The sum of a metric's series at one replica."""
        _, text = await self.shown(name, index)
        lines = (
            line for line in text.splitlines() if line.startswith((f"{metric} ", f"{metric}{{"))
        )
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines)

    def _sip(self) -> dict[str, str]:
        return {
            "CARILLON_GATEWAY_SIP_PORT": "0",
            "CARILLON_GATEWAY_DRAIN_LIMIT_S": "2",
            "CARILLON_GATEWAY_MAX_CALLS": "20",
        }

    def _secret(self) -> Path:
        path = self.cluster.folder / "s3-secret"
        path.touch(mode=0o600)
        path.write_text(self.storage.secret_key.get_secret_value() + "\n")
        return path
