"""The processes of one installation on this machine: started, known to a successor, ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import ClassVar

from grpc import aio
from grpc_health.v1 import health_pb2

from services.chassis.errors import CarillonError, Kind
from services.launcher.process import Program

READY_WAIT_S = 90.0
"""Three times what a machine that is busy with something else was seen to need."""
LEFTOVER_WAIT_S = 5.0
LOOK_EACH_S = 0.02


class NotReady(CarillonError):
    """A process did not come up; the text has the end of its log."""

    code: ClassVar[str] = "not-ready"
    kind: ClassVar[Kind] = Kind.INTERNAL


class Processes:
    """Programs by their names, in the folder of an installation."""

    def __init__(self, var: Path, programs: Mapping[str, Program]) -> None:
        """`var` is the installation's folder."""
        self.var = var
        """The installation's folder."""
        self.programs = dict(programs)
        """By name."""

    async def start(self, name: str, serving: Callable[[], Awaitable[None]]) -> None:
        """Starts one and waits until it is `serving`; NotReady."""
        program = self.programs[name]
        await program.start()
        self.record()
        until = asyncio.ensure_future(serving())
        ended = asyncio.ensure_future(program.ended())
        try:
            await asyncio.wait(
                (until, ended), timeout=READY_WAIT_S, return_when=asyncio.FIRST_COMPLETED
            )
            if ended.done():
                raise NotReady(f"{program.name} ended:\n{program.tail()}")
            if not until.done():
                raise NotReady(f"{program.name} is not ready:\n{program.tail()}")
            until.result()
        finally:
            for waiting in (until, ended):
                waiting.cancel()
            await asyncio.wait((until, ended))

    async def stop(self, names: Iterable[str]) -> None:
        """Drains those named, all at once."""
        await asyncio.gather(*(self.programs[name].stop() for name in names))

    def record(self) -> None:
        """Remembers what runs, so that a successor of a killed launcher finds it."""
        running = {
            str(program.pid): born(program.pid)
            for program in self.programs.values()
            if program.is_running
        }
        temporary = self.var / "processes.new"
        temporary.write_text(json.dumps(running))
        temporary.replace(self.var / "processes.json")

    def logs(self) -> str:
        """The ends of all logs."""
        return "\n\n".join(f"--- {p.name}\n{p.tail(30)}" for p in self.programs.values())


async def until_serving(channel: aio.Channel) -> None:
    """Until whoever listens at the other end says that it serves."""
    check = channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
        response_deserializer=health_pb2.HealthCheckResponse.FromString,
    )
    answer = health_pb2.HealthCheckResponse()
    while answer.status != health_pb2.HealthCheckResponse.SERVING:
        with contextlib.suppress(aio.AioRpcError):
            answer = await check(health_pb2.HealthCheckRequest(), wait_for_ready=True)
        await asyncio.sleep(LOOK_EACH_S)


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
