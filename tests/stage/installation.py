"""A whole Carillon on this machine: its processes, its database, and a client's way in."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from protos.acd.v1.acd_pb2_grpc import AcdStub
from protos.gateway.v1.gateway_pb2_grpc import GatewayStub
from protos.ivr.v1.ivr_pb2_grpc import IvrStub
from services.__main__ import NAMES
from services.chassis.postgres.server import PostgresServer
from services.launcher.machine import GATEWAY, Layout, Machine
from services.launcher.process import Program
from tests.stage.postgres import fresh_database, running_postgres

if TYPE_CHECKING:  # the stubs know these names, the generated modules do not
    from protos.acd.v1.acd_pb2_grpc import AcdAsyncStub
    from protos.gateway.v1.gateway_pb2_grpc import GatewayAsyncStub
    from protos.ivr.v1.ivr_pb2_grpc import IvrAsyncStub


class Installation:
    """The services and the gateway as processes of their own, in a folder of their own.

    `together`: all services in one process, as `make up` runs them; else one process each, so
    that a test may kill one. `postgres`: whose database it gets; None: a server of its own.
    """

    def __init__(
        self,
        *,
        var: Path,
        together: bool = True,
        postgres: PostgresServer | None = None,
        env: Mapping[str, str] | None = None,
        gateway_env: Mapping[str, str] | None = None,
    ) -> None:
        groups = {"services": NAMES} if together else {name: (name,) for name in NAMES}
        self._var = var
        self._postgres = postgres
        self._stack = AsyncExitStack()
        self.machine = Machine(
            Layout(var=var, groups=groups, env=env or {}, gateway_env=gateway_env or {})
        )

    @property
    def var(self) -> Path:
        return self._var

    @property
    def portal(self) -> str:
        return f"http://127.0.0.1:{self.machine.told('portal')['http']}"

    @property
    def programs(self) -> Mapping[str, Program]:
        return self.machine.programs

    @property
    def sip_port(self) -> int:
        return self.machine.sip_port

    @property
    def postgres(self) -> PostgresServer:
        """The server under it, for tests that stop it."""
        assert self._postgres is not None
        return self._postgres

    @property
    def acd(self) -> AcdAsyncStub:
        return AcdStub(self.machine.channel("acd"))

    @property
    def ivr(self) -> IvrAsyncStub:
        return IvrStub(self.machine.channel("ivr"))

    @property
    def gateway(self) -> GatewayAsyncStub:
        return GatewayStub(self.machine.channel(GATEWAY))

    @property
    def gateways(self) -> list[GatewayAsyncStub]:
        return [self.gateway]

    async def __aenter__(self) -> Self:
        try:
            await self.prepare()
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

    async def prepare(self) -> None:
        """Its database, empty and migrated."""
        if self._postgres is None:
            self._postgres = self._stack.enter_context(running_postgres())
        address = await self._stack.enter_async_context(fresh_database(self._postgres))
        address.write(self._var / "database.json")

    async def start(self, name: str) -> None:
        """Starts one process and waits until its faces serve."""
        await self.machine.start(name)

    async def kill(self, name: str) -> None:
        """Ends one process at once."""
        await self.programs[name].kill()

    async def close(self) -> None:
        """Drains everything, the gateway first, and removes what it leaves."""
        await self.machine.stop()
        await self._stack.aclose()
        shutil.rmtree(self.machine.run_dir, ignore_errors=True)

    def logs(self) -> str:
        """The ends of all logs, for a test that failed."""
        return self.machine.logs()
