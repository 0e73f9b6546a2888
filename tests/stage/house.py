"""What tests need of a whole Carillon, be it one process of all services or a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # the stubs know these names, the generated modules do not
    from collections.abc import Sequence

    from protos.acd.v1.acd_pb2_grpc import AcdAsyncStub
    from protos.gateway.v1.gateway_pb2_grpc import GatewayAsyncStub
    from protos.ivr.v1.ivr_pb2_grpc import IvrAsyncStub


class House(Protocol):
    """A whole Carillon that runs."""

    @property
    def var(self) -> Path:
        """Its folder."""

    @property
    def sip_port(self) -> int:
        """Where phones call, on loopback."""

    @property
    def portal(self) -> str:
        """The portal's address."""

    @property
    def acd(self) -> AcdAsyncStub:
        """Routing, whichever replica answers."""

    @property
    def ivr(self) -> IvrAsyncStub:
        """Call flows, whichever replica answers."""

    @property
    def gateways(self) -> Sequence[GatewayAsyncStub]:
        """Every gateway."""

    def logs(self) -> str:
        """The ends of all logs, for a test that failed."""
