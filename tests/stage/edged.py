"""A whole Carillon of two gateways behind a SIP edge, on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from protos.edge.v1 import edge_pb2
from protos.edge.v1.edge_pb2_grpc import EdgeStub
from protos.gateway.v1.gateway_pb2_grpc import GatewayStub
from services.chassis.postgres.server import PostgresServer
from services.launcher.machine import GATEWAY
from services.launcher.parts.kamailio import Kamailio
from services.launcher.ports import free_port, free_rtp_range
from services.launcher.process import Program
from services.launcher.processes import READY_WAIT_S, until_serving
from tests.stage.asking import eventually
from tests.stage.installation import Installation

if TYPE_CHECKING:  # the stubs know these names, the generated modules do not
    from protos.gateway.v1.gateway_pb2_grpc import GatewayAsyncStub

OTHER = "gateway-b"
"""The face of the second gateway."""
NAMES = {GATEWAY: "g1", OTHER: "g2"}
"""What the tags of their dialogs begin with."""
KNOWN_WITHIN_S = 15.0


class Edged(Installation):
    """An installation whose phones and callers know the edge alone."""

    def __init__(
        self,
        *,
        var: Path,
        postgres: PostgresServer | None = None,
        gateway_env: Mapping[str, str] | None = None,
        trunks: Mapping[str, str] | None = None,
    ) -> None:
        """`gateway_env`: further settings of both gateways; `trunks`: names by address."""
        first, last = free_rtp_range()
        middle = (first + last) // 2
        shared = {"CARILLON_GATEWAY_EDGES": '["edge"]', **(gateway_env or {})}
        super().__init__(
            var=var,
            postgres=postgres,
            gateway_env={**shared, "CARILLON_GATEWAY_RTP_PORT_LAST": str(middle)}
            | {"CARILLON_GATEWAY_RTP_PORT_FIRST": str(first)},
        )
        self.kamailio = Kamailio(folder=var / "edge", port=free_port(), trunks=trunks)
        own = {
            "CARILLON_RUN_DIR": str(self.machine.run_dir),
            "CARILLON_VAR_DIR": str(var),
        }
        self.edge = Program(
            module="media_gateway.edge",
            args=(),
            env={**own, **self.kamailio.environment},
            log=var / "log" / "edge.log",
        )
        self.other = Program(
            module="media_gateway",
            args=(),
            env={
                **own,
                **shared,
                "CARILLON_GATEWAY_FACE": OTHER,
                "CARILLON_GATEWAY_GATEWAY_ID": NAMES[OTHER],
                "CARILLON_GATEWAY_SIP_PORT": "0",
                "CARILLON_GATEWAY_RTP_PORT_FIRST": str(middle + 1),
                "CARILLON_GATEWAY_RTP_PORT_LAST": str(last),
            },
            log=var / "log" / "gateway-b.log",
        )

    @property
    def sip_port(self) -> int:
        return self.kamailio.port

    @property
    def gateways(self) -> list[GatewayAsyncStub]:
        running = (name for name in NAMES if self.gateway_program(name).is_running)
        return [GatewayStub(self.machine.channel(name)) for name in running]

    def gateway_program(self, name: str) -> Program:
        """One of the two, by its face."""
        return self.other if name == OTHER else self.programs[GATEWAY]

    async def prepare(self) -> None:
        await super().prepare()
        await self.kamailio.start()
        await self._serves(self.edge, "edge")
        await self._serves(self.other, OTHER)

    async def known(self) -> dict[str, str]:
        """What each gateway does, by its name, as the edge knows it."""
        answer = await EdgeStub(self.machine.channel("edge")).ListGateways(
            edge_pb2.ListGatewaysRequest()
        )
        return {each.gateway_id: each.state for each in answer.gateways}

    async def until_known(self, **wanted: str) -> None:
        """Until the edge knows just these gateways, and so does Kamailio."""
        await eventually(
            self.known, lambda now: now == wanted, KNOWN_WITHIN_S, f"the gateways {wanted}"
        )
        taking = [name for name, state in wanted.items() if state == "taking"]
        listed = self.kamailio.folder / "gateways.list"

        async def told() -> list[str]:
            lines = (await asyncio.to_thread(listed.read_text)).splitlines()
            words = [line.split() for line in lines]
            return [
                each[4].split(";")[0].removeprefix("gateway=") for each in words if each[2] == "0"
            ]

        await eventually(told, lambda now: now == taking, KNOWN_WITHIN_S, f"Kamailio's {taking}")

    async def close(self) -> None:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.kamailio.stop)
            stack.push_async_callback(self.edge.stop)
            stack.push_async_callback(super().close)
            stack.push_async_callback(self.other.stop)

    def logs(self) -> str:
        more = (self.edge, self.other, self.kamailio.child)
        return "\n\n".join([super().logs(), *(f"--- {p.name}\n{p.tail(30)}" for p in more)])

    async def _serves(self, program: Program, name: str) -> None:
        await program.start()
        try:
            async with asyncio.timeout(READY_WAIT_S):
                await until_serving(self.machine.channel(name))
        except TimeoutError:
            raise AssertionError(f"{name} is not ready:\n{program.tail()}") from None
