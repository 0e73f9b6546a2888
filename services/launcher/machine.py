"""A whole Carillon on this machine: its processes, from start to end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grpc import aio

from services.chassis.rpc import open_channel
from services.chassis.world import recorded_run_dir
from services.launcher.ports import free_port, free_rtp_range
from services.launcher.process import Program
from services.launcher.processes import Processes, until_serving

GATEWAY = "gateway"


@dataclass(frozen=True, slots=True)
class Layout:
    """What runs, and where."""

    var: Path
    """The installation's folder."""
    groups: Mapping[str, tuple[str, ...]]
    """Processes of services: name → the services in it."""
    sip_port: int = 0
    """For SIP; 0: any free one."""
    http_port: int = 0
    """Portal's, for REST and the WebSocket; 0: any free one."""
    grpc_port: int = 0
    """Portal's, for gRPC; 0: any free one."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Further settings of every process."""
    gateway_env: Mapping[str, str] = field(default_factory=dict)
    """Further settings of the gateway."""


class Machine:
    """The processes of one installation; its database is somebody else's."""

    def __init__(self, layout: Layout) -> None:
        """`database.json` must be in the layout's folder before services start."""
        layout.var.mkdir(parents=True, exist_ok=True)
        self.var = layout.var
        """The installation's folder."""
        self.run_dir = recorded_run_dir(layout.var)
        """The sockets' folder."""
        env = {
            "CARILLON_RUN_DIR": str(self.run_dir),
            "CARILLON_VAR_DIR": str(layout.var),
            # Chosen here where any will do: a process that is started again keeps its ports.
            "CARILLON_PORTAL_HTTP_PORT": str(layout.http_port or free_port()),
            "CARILLON_PORTAL_GRPC_PORT": str(layout.grpc_port or free_port()),
            **layout.env,
        }
        self._services = dict(layout.groups)
        self.programs = {
            name: Program(module="services", args=args, env=env, log=self._log(name))
            for name, args in layout.groups.items()
        }
        """By name; the gateway is the last."""
        first, last = free_rtp_range()
        ports = {
            "CARILLON_GATEWAY_SIP_PORT": str(layout.sip_port),
            "CARILLON_GATEWAY_RTP_PORT_FIRST": str(first),
            "CARILLON_GATEWAY_RTP_PORT_LAST": str(last),
        }
        self.programs[GATEWAY] = Program(
            module="media_gateway",
            args=(),
            env={**env, **ports, **layout.gateway_env},
            log=self._log(GATEWAY),
        )
        self._processes = Processes(layout.var, self.programs)
        self._channels: dict[str, aio.Channel] = {}

    def channel(self, name: str) -> aio.Channel:
        """The way to a service's socket."""
        if name not in self._channels:
            self._channels[name] = open_channel(self.run_dir / f"{name}.sock")
        return self._channels[name]

    async def start(self, name: str) -> None:
        """Starts one process and waits until its faces serve; NotReady."""
        faces = self._services.get(name, (name,))
        await self._processes.start(name, lambda: self._serving(faces))

    async def stop(self) -> None:
        """Drains everything, the gateway first."""
        for channel in self._channels.values():
            await channel.close()
        self._channels.clear()
        await self._processes.stop((GATEWAY,))
        await self._processes.stop(name for name in self.programs if name != GATEWAY)

    def told(self, name: str) -> dict[str, Any]:
        """What a process says of itself at run time, for example its ports."""
        said: dict[str, Any] = json.loads((self.run_dir / f"{name}.json").read_text())
        return said

    @property
    def sip_port(self) -> int:
        """Where SIP is received, once the gateway runs."""
        return int(str(self.told(GATEWAY)["sip"]).rsplit(":", 1)[1])

    def logs(self) -> str:
        """The ends of all logs."""
        return self._processes.logs()

    def _log(self, name: str) -> Path:
        return self.var / "log" / f"{name}.log"

    async def _serving(self, names: tuple[str, ...]) -> None:
        """Until every one of these services says that it serves."""
        for name in names:
            await until_serving(self.channel(name))
