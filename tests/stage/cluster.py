"""Processes of a cluster, played in one test process: worlds that reach each other by mTLS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from services.chassis.blobs import Blobs, MemoryBlobs
from services.chassis.bus import Bus, MemoryBus
from services.chassis.cluster import cluster_world
from services.chassis.database import DatabaseAddress, role_of
from services.chassis.settings_cluster import PEERS, ClusterSettings
from services.chassis.world import World
from services.launcher.ports import free_port
from tests.stage.authority import Authority

LOOPBACK = "127.0.0.1"


@dataclass
class Cluster:
    """Where replicas are, what they share, and who vouches for them."""

    folder: Path
    """For certificates, and for what each replica keeps of its own."""
    replicas: Mapping[str, int]
    """How many of each service there are; one of those that are not named, which is nowhere."""
    database: DatabaseAddress | None = None
    """Shared by all, where their stores are not in memory."""
    bus: Bus = field(default_factory=MemoryBus)
    """Shared by all."""
    blobs: Blobs = field(default_factory=MemoryBlobs)
    """Shared by all."""

    def __post_init__(self) -> None:
        self.identity = Authority(self.folder / "authority").everyone()
        """What every replica shows."""
        self.ports = {
            name: [free_port() for _ in range(self.replicas.get(name, 1))] for name in PEERS
        }
        """By service, in the replicas' order."""

    def settings(self, name: str, index: int = 0, **more: Any) -> ClusterSettings:
        """What one replica is told."""
        port = self.ports[name][index]
        peers: dict[str, Any] = {f"peers_{peer}": self.target(peer) for peer in PEERS}
        given: dict[str, Any] = {
            "listen": f"{LOOPBACK}:{port}",
            "advertised": f"{LOOPBACK}:{port}",
            "tls_ca": self.identity.ca,
            "tls_cert": self.identity.cert,
            "tls_key": self.identity.key,
            "database_url": self._url(name),
            **peers,
        }
        return ClusterSettings(**given | more)

    def target(self, name: str) -> str:
        """All replicas of a service."""
        return "ipv4:" + ",".join(f"{LOOPBACK}:{port}" for port in self.ports[name])

    def address(self, name: str, index: int = 0) -> str:
        """One of them, as it says it itself."""
        return f"ipv4:{LOOPBACK}:{self.ports[name][index]}"

    def world(self, name: str, index: int = 0, **more: Any) -> World:
        """The world of one replica; with a database only where the cluster has one."""
        return cluster_world(
            self.settings(name, index, **more),
            bus=self.bus,
            blobs=self.blobs,
            var_dir=self.folder / f"{name}-{index}",
            run_dir=self.folder / f"{name}-{index}" / "run",
        )

    def worlds(self, name: str, **more: Any) -> Sequence[World]:
        """Those of all replicas of a service."""
        return [self.world(name, index, **more) for index in range(len(self.ports[name]))]

    def _url(self, name: str) -> str:
        if self.database is None:
            return ""
        place, role = self.database, role_of(name)
        if role not in place.passwords:
            return ""  # a gateway has none
        password = quote(place.passwords[role], safe="")
        return f"postgresql://{role}:{password}@{place.host}:{place.port}/{place.name}"
