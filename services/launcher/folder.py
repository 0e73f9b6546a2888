"""The folder of an installation on this machine: held by one launcher, told to everybody."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from grpc import aio

from services.chassis.errors import CarillonError, Kind
from services.chassis.postgres.server import PostgresServer
from services.launcher import seed
from services.launcher.process import Program
from services.launcher.processes import born, end_leftovers

LOCK = "up.lock"
POSTGRES = "postgres"


class AlreadyUp(CarillonError):
    """Another process keeps this installation running."""

    code: ClassVar[str] = "already-up"
    kind: ClassVar[Kind] = Kind.CONFLICT


@dataclass(frozen=True, slots=True)
class Running:
    """What a person needs to use an installation."""

    portal: str
    """Address of the portal."""
    grpc: str
    """Where integrators' gRPC goes."""
    sip: str
    """Where phones call."""
    seeded: seed.Seeded
    """The demo tenant."""
    fingerprint: str = ""
    """Of the authority that vouches for the portal on the network; empty: on this machine only."""


class Installation(Protocol):
    """A whole call centre on this machine."""

    @property
    def programs(self) -> Mapping[str, Program]:
        """Carillon's own processes, by name, once started."""

    def gateways(self) -> list[aio.Channel]:
        """The ways to the gateways, once started."""

    async def start(self) -> Running:
        """Starts everything, and seeds the demo tenant the first time; AlreadyUp."""

    async def stop(self) -> None:
        """Drains and stops everything."""


class Folder:
    """Where an installation keeps everything."""

    def __init__(self, path: Path) -> None:
        """It need not be there yet."""
        self.path = path.absolute()
        """The folder."""

    def hold(self, stack: AsyncExitStack) -> None:
        """Makes it, and keeps others out until the stack closes; AlreadyUp."""
        self.path.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            raise AlreadyUp(str(self.path)) from None
        stack.callback(os.close, handle)

    async def take(
        self, stack: AsyncExitStack, *, from_nothing: bool, tell: Callable[[str], None]
    ) -> None:
        """Holds it, and ends what a killed predecessor left; AlreadyUp.

        `from_nothing`: what an earlier run kept is removed.
        """
        self.hold(stack)
        left = await end_leftovers(self.path)
        if left:
            tell(f"Ended {left} processes that an earlier run had left.")
        if from_nothing:
            await asyncio.to_thread(self.clear)

    def clear(self) -> None:
        """Removes all that an earlier run kept; whoever asks holds it."""
        PostgresServer(self.path / POSTGRES).remove()
        for path in self.path.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != LOCK:
                path.unlink()

    async def seeded(
        self, portal: str, *, authority: Path | None, tell: Callable[[str], None]
    ) -> seed.Seeded:
        """The demo tenant, put there the first time and whenever there is another; Refused."""
        mark, passwords = self.path / "seeded", self.path / "passwords.json"
        version = _version()
        if passwords.exists() and mark.exists() and mark.read_text() == version:
            story = seed.story()
            known = json.loads(passwords.read_text())
            return seed.Seeded(story["tenant"]["name"], story["number"], known)
        tell("Seeding the demo tenant through the public API")
        seeded = await seed.seed(
            portal,
            authority=authority,
            bootstrap=self.path / "bootstrap.json",
            keep=passwords,
            tell=lambda line: tell(f"  {line}"),
        )
        mark.write_text(version)
        return seeded

    def remember(self, running: Running, **more: Any) -> None:
        """Says in run.json, beside the sockets' folder where there is one, where everything is."""
        path = self.path / "run.json"
        said: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        said |= {
            "portal": running.portal,
            "grpc": running.grpc,
            "sip": running.sip,
            "number": running.seeded.number,
            "pid": os.getpid(),
            "born": born(os.getpid()),
            **more,
        }
        temporary = path.with_suffix(".new")
        temporary.write_text(json.dumps(said))
        temporary.replace(path)


def present(path: Path) -> dict[str, Any] | None:
    """What a running installation said of itself in its folder; None when there is none."""
    try:
        said: dict[str, Any] = json.loads((path / "run.json").read_text())
    except (OSError, ValueError):
        return None
    alive = "portal" in said and said.get("born") == born(said["pid"])
    return said if alive else None


def _version() -> str:
    """Changes when what is seeded changes."""
    files = sorted(seed.FOLDER.glob("*.json"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
