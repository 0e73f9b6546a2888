"""A whole Carillon on this machine: its processes, from start to end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from grpc import aio
from grpc_health.v1 import health_pb2

from services.chassis.errors import CarillonError, Kind
from services.chassis.rpc import open_channel
from services.chassis.world import recorded_run_dir
from services.launcher.ports import free_port, free_rtp_range
from services.launcher.process import Program

READY_WAIT_S = 90.0
"""Three times what a machine that is busy with something else was seen to need."""
LEFTOVER_WAIT_S = 5.0
GATEWAY = "gateway"


class NotReady(CarillonError):
    """A process did not come up; the text has the end of its log."""

    code: ClassVar[str] = "not-ready"
    kind: ClassVar[Kind] = Kind.INTERNAL


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
        self._channels: dict[str, aio.Channel] = {}

    def channel(self, name: str) -> aio.Channel:
        """The way to a service's socket."""
        if name not in self._channels:
            self._channels[name] = open_channel(self.run_dir / f"{name}.sock")
        return self._channels[name]

    async def start(self, name: str) -> None:
        """Starts one process and waits until its faces serve; NotReady."""
        program = self.programs[name]
        await program.start()
        self._record()
        serving = asyncio.ensure_future(self._serving(self._services.get(name, (name,))))
        ended = asyncio.ensure_future(program.ended())
        try:
            await asyncio.wait(
                (serving, ended), timeout=READY_WAIT_S, return_when=asyncio.FIRST_COMPLETED
            )
            if ended.done():
                raise NotReady(f"{program.name} ended:\n{program.tail()}")
            if not serving.done():
                raise NotReady(f"{program.name} is not ready:\n{program.tail()}")
            serving.result()
        finally:
            for waiting in (serving, ended):
                waiting.cancel()
            await asyncio.wait((serving, ended))

    async def stop(self) -> None:
        """Drains everything, the gateway first."""
        for channel in self._channels.values():
            await channel.close()
        self._channels.clear()
        await self.programs[GATEWAY].stop()
        await asyncio.gather(
            *(program.stop() for name, program in self.programs.items() if name != GATEWAY)
        )

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
        return "\n\n".join(f"--- {p.name}\n{p.tail(30)}" for p in self.programs.values())

    def _log(self, name: str) -> Path:
        return self.var / "log" / f"{name}.log"

    async def _serving(self, names: tuple[str, ...]) -> None:
        """Until every one of these services says that it serves."""
        for name in names:
            check = self.channel(name).unary_unary(
                "/grpc.health.v1.Health/Check",
                request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
                response_deserializer=health_pb2.HealthCheckResponse.FromString,
            )
            answer = health_pb2.HealthCheckResponse()
            while answer.status != health_pb2.HealthCheckResponse.SERVING:
                with contextlib.suppress(aio.AioRpcError):
                    answer = await check(health_pb2.HealthCheckRequest(), wait_for_ready=True)
                await asyncio.sleep(0.02)

    def _record(self) -> None:
        """Remembers the processes, so that a successor of a killed launcher finds them."""
        running = {
            str(program.pid): born(program.pid)
            for program in self.programs.values()
            if program.is_running
        }
        temporary = self.var / "processes.new"
        temporary.write_text(json.dumps(running))
        temporary.replace(self.var / "processes.json")


async def end_leftovers(var: Path) -> int:
    """Ends what a launcher that was killed has left running; how many processes that were."""
    try:
        recorded: dict[str, int | None] = json.loads((var / "processes.json").read_text())
    except (OSError, ValueError):
        return 0
    alive = {int(pid): when for pid, when in recorded.items() if when == born(int(pid))}
    alive = {pid: when for pid, when in alive.items() if when is not None}
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid, when in alive.items():
            # The number may belong to somebody else by now: only the same process is ended.
            if born(pid) == when:
                with contextlib.suppress(ProcessLookupError):  # it has just ended
                    os.kill(pid, number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEFTOVER_WAIT_S):
                while any(born(pid) == when for pid, when in alive.items()):  # noqa: ASYNC110 (the kernel's)
                    await asyncio.sleep(0.05)
    return len(alive)


def born(pid: int) -> int | None:
    """When a process began, in the kernel's ticks (proc(5), field 22); None: it is gone."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return None
    return None if after_name[0] == "Z" else int(after_name[19])
