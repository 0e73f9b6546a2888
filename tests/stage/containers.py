"""Containers on a bridge of the network namespace that this process is in."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any

from docker.podman import Podman
from services.launcher.ports import free_port

DRAIN_S = 20
LIMIT_S = 120.0
"""For one command of podman's."""
TAIL = 40
"""Lines of each log that a failure shows."""
HARDENED = (
    *("--read-only", "--read-only-tmpfs=false", "--cap-drop=all"),
    "--security-opt=no-new-privileges",
)
"""As docs/containers.md says that they can be run."""


class Stage:
    """Containers on one bridge, which go when the block of `stack` ends."""

    def __init__(self, podman: Podman, tell: Callable[[str], None]) -> None:
        self._podman = podman
        self._tell = tell
        self.mark = f"carillon-{os.getpid()}-{secrets.token_hex(3)}"
        """What everything that this one makes begins with."""
        self.stack = AsyncExitStack()
        self.names: list[str] = []
        """Of those that run."""
        self.statuses: dict[str, int] = {}
        """How each ended, once stopped."""

    async def bridge(self, subnet: str, *more: str) -> None:
        """Makes the network."""
        await self.run("network", "create", f"--subnet={subnet}", *more, self.mark)
        self.stack.push_async_callback(self.run, "network", "rm", "-f", self.mark)

    async def launch(self, name: str, *arguments: str) -> None:
        """Starts one container; `arguments` are options, the image and what it is told."""
        self.names.append(name)
        await self.run(
            *("run", "--detach", f"--name={self.id_of(name)}", *HARDENED, *arguments),
        )

    async def end(self, *names: str) -> None:
        """Stops them as whoever drains them would, notes how each ended, and removes them."""
        there = [name for name in names if name in self.names]
        if not there:
            return
        await self.run("stop", f"--time={DRAIN_S}", *map(self.id_of, there))
        for name in there:
            self.statuses[name] = (await self.inspected(name))["State"]["ExitCode"]
            await self.run("rm", "-f", "--volumes", self.id_of(name))
            self.names.remove(name)

    async def execute(self, name: str, *command: str) -> str:
        """What a command says inside of a container; PodmanFailed."""
        return await self.run("exec", self.id_of(name), *command)

    async def is_healthy(self, name: str) -> None:
        """Asks a container as its image says; PodmanFailed when it is not well."""
        await self.run("healthcheck", "run", self.id_of(name))

    async def inspected(self, name: str) -> dict[str, Any]:
        """What podman knows of a container."""
        found: dict[str, Any] = json.loads(await self.run("inspect", self.id_of(name)))[0]
        return found

    def id_of(self, name: str) -> str:
        """The container's name in podman's store."""
        return f"{self.mark}-{name}"

    async def logs(self) -> str:
        """The ends of all logs."""
        found = []
        for name in self.names:
            said = await asyncio.to_thread(self._podman.logs, self.id_of(name), lines=TAIL)
            found.append(f"--- {name}\n{said}")
        return "\n".join(found)

    async def run(self, *arguments: str, env: Mapping[str, str] | None = None) -> str:
        """What podman says; PodmanFailed."""
        return await asyncio.to_thread(self._podman.run, *arguments, limit_s=LIMIT_S, env=env)

    async def forwarded(self, port: int, *, outside: int = 0) -> int:
        """Where containers reach a port that this machine's loopback has."""

        async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            there, back = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(_copied(reader, back), _copied(there, writer))

        outside = outside or free_port()
        server = await asyncio.start_server(join, "0.0.0.0", outside)
        self.stack.callback(server.close)
        return outside


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()
