"""A whole Carillon on this machine: its processes, and a client's way in."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import socket
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from grpc import aio
from grpc_health.v1 import health_pb2

from protos.acd.v1.acd_pb2_grpc import AcdStub
from protos.gateway.v1.gateway_pb2_grpc import GatewayStub
from protos.ivr.v1.ivr_pb2_grpc import IvrStub
from services.chassis.rpc import open_channel
from tests.stage.process import Program

if TYPE_CHECKING:  # the stubs know these names, the generated modules do not
    from protos.acd.v1.acd_pb2_grpc import AcdAsyncStub
    from protos.gateway.v1.gateway_pb2_grpc import GatewayAsyncStub
    from protos.ivr.v1.ivr_pb2_grpc import IvrAsyncStub

READY_WAIT_S = 30.0
RTP_PORTS = 1_000


class NotReady(Exception):
    """A process did not come up; the text has the end of its log."""


class Installation:
    """The services and the gateway as processes of their own, in a folder of their own.

    `together`: all services in one process, as `make demo` runs them; else one process each, so
    that a test may kill one.
    """

    def __init__(
        self, *, var: Path, together: bool = True, gateway_env: Mapping[str, str] | None = None
    ) -> None:
        self._var = var
        self._run = Path(tempfile.mkdtemp(prefix="carillon-"))
        env = {"CARILLON_RUN_DIR": str(self._run), "CARILLON_VAR_DIR": str(var)}
        groups = {"services": ("acd", "ivr")} if together else {"acd": ("acd",), "ivr": ("ivr",)}
        self.programs = {
            name: Program(module="services", args=args, env=env, log=var / "log" / f"{name}.log")
            for name, args in groups.items()
        }
        first_port = _free_port_range()
        self.programs["gateway"] = Program(
            module="media_gateway",
            args=(),
            env={
                **env,
                "CARILLON_GATEWAY_SIP_PORT": "0",
                "CARILLON_GATEWAY_RTP_PORT_FIRST": str(first_port),
                "CARILLON_GATEWAY_RTP_PORT_LAST": str(first_port + RTP_PORTS - 1),
                **(gateway_env or {}),
            },
            log=var / "log" / "gateway.log",
        )
        self._channels: dict[str, aio.Channel] = {}
        self.sip_port = 0

    @property
    def acd(self) -> AcdAsyncStub:
        return AcdStub(self._channel("acd"))

    @property
    def ivr(self) -> IvrAsyncStub:
        return IvrStub(self._channel("ivr"))

    @property
    def gateway(self) -> GatewayAsyncStub:
        return GatewayStub(self._channel("gateway"))

    async def __aenter__(self) -> Self:
        try:
            await asyncio.gather(*(self.start(name) for name in self.programs))
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def start(self, name: str) -> None:
        """Starts one process and waits until its faces serve."""
        program = self.programs[name]
        await program.start()
        sockets = {"services": ("acd", "ivr")}.get(name, (name,))
        try:
            async with asyncio.timeout(READY_WAIT_S):
                waiting = asyncio.gather(*(self._serving(socket_) for socket_ in sockets))
                while not waiting.done():
                    await asyncio.wait((waiting,), timeout=0.2)
                    if not program.is_running:
                        waiting.cancel()
                        raise NotReady(f"{program.name} ended:\n{program.tail()}")
        except TimeoutError:
            raise NotReady(f"{program.name} is not ready:\n{program.tail()}") from None
        if name == "gateway":
            told = json.loads((self._run / "gateway.json").read_text())
            self.sip_port = int(str(told["sip"]).rsplit(":", 1)[1])

    async def kill(self, name: str) -> None:
        """Ends one process at once."""
        await self.programs[name].kill()

    async def close(self) -> None:
        """Drains everything, the gateway first, and removes the private folder."""
        for channel in self._channels.values():
            await channel.close()
        self._channels.clear()
        await self.programs["gateway"].stop()
        await asyncio.gather(
            *(program.stop() for name, program in self.programs.items() if name != "gateway")
        )
        shutil.rmtree(self._run, ignore_errors=True)

    def logs(self) -> str:
        """The ends of all logs, for a test that failed."""
        return "\n\n".join(f"--- {p.name}\n{p.tail(30)}" for p in self.programs.values())

    def _channel(self, name: str) -> aio.Channel:
        if name not in self._channels:
            self._channels[name] = open_channel(self._run / f"{name}.sock")
        return self._channels[name]

    async def _serving(self, name: str) -> None:
        check = self._channel(name).unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        while True:
            with contextlib.suppress(aio.AioRpcError):
                answer = await check(health_pb2.HealthCheckRequest(), wait_for_ready=True)
                if answer.status == health_pb2.HealthCheckResponse.SERVING:
                    return
            await asyncio.sleep(0.02)


def _free_port_range() -> int:
    """The start of a range of RTP ports that nobody is likely to hold: below the ephemeral ones."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        # Spread installations that run at once over 20,000-31,999, 1,000 ports apart.
        return 20_000 + int(probe.getsockname()[1]) % 12 * RTP_PORTS
