"""A cluster on this machine, as tests ask and break it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from protos.acd.v1.acd_pb2_grpc import AcdStub
from protos.gateway.v1.gateway_pb2_grpc import GatewayStub
from protos.ivr.v1.ivr_pb2_grpc import IvrStub
from services.launcher.cluster import Cluster
from services.launcher.folder import Running
from services.launcher.replicas import Replicas

if TYPE_CHECKING:  # the stubs know these names, the generated modules do not
    from protos.acd.v1.acd_pb2_grpc import AcdAsyncStub
    from protos.gateway.v1.gateway_pb2_grpc import GatewayAsyncStub
    from protos.ivr.v1.ivr_pb2_grpc import IvrAsyncStub


class Stage:
    """A cluster that runs; a `House`."""

    def __init__(self, cluster: Cluster, running: Running) -> None:
        self.cluster = cluster
        self._running = running

    @property
    def replicas(self) -> Replicas:
        assert self.cluster.replicas is not None
        return self.cluster.replicas

    @property
    def var(self) -> Path:
        return self.cluster.var

    @property
    def sip_port(self) -> int:
        return int(self._running.sip.rpartition(":")[2])

    @property
    def portal(self) -> str:
        return self._running.portal

    @property
    def portals(self) -> list[str]:
        """Every replica's address."""
        return [f"http://127.0.0.1:{each.ports['http']}" for each in self.replicas.of("portal")]

    @property
    def acd(self) -> AcdAsyncStub:
        return AcdStub(self.replicas.channel("acd"))

    @property
    def ivr(self) -> IvrAsyncStub:
        return IvrStub(self.replicas.channel("ivr"))

    @property
    def gateways(self) -> list[GatewayAsyncStub]:
        return [GatewayStub(channel) for channel in self.cluster.gateways()]

    def logs(self) -> str:
        return self.replicas.logs()

    async def kill(self, name: str) -> None:
        """Ends one process at once; nobody starts it again but the test."""
        await self.cluster.programs[name].kill()

    async def start(self, name: str) -> None:
        """Starts one process that has ended."""
        await self.replicas.start(name)

    async def mend(self) -> None:
        """Starts whatever a test has left ended."""
        for name, program in self.cluster.programs.items():
            if not program.is_running:
                await self.start(name)
