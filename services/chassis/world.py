"""The world a process lives in: the same code on one machine, in a cluster, in a simulation."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import secrets
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from grpc import aio

from services.chassis.blobs import Blobs, DirectoryBlobs
from services.chassis.clock import Clock, SystemClock
from services.chassis.ids import RANDOM_BITS, uuid7
from services.chassis.rpc import open_channel


@dataclass(frozen=True, slots=True)
class World:
    """Everything a service takes from outside itself."""

    name: str
    """`local` or `simulated`."""
    clock: Clock
    """What time it is."""
    random_bits: Callable[[int], int]
    """That many random bits, as an integer."""
    blobs: Blobs
    """Bytes kept under their hash."""
    dial: Callable[[str], aio.Channel]
    """The channel to a service by its name; kept open and shared."""
    close: Callable[[], asyncio.Future[None]]
    """Closes what `dial` opened."""
    run_dir: Path
    """A private folder (0700) for sockets and what processes tell each other at run time."""
    var_dir: Path
    """Where this installation keeps its data."""

    def new_id(self) -> str:
        """A new UUIDv7."""
        return uuid7(self.clock.now_ms(), self.random_bits(RANDOM_BITS))


def local_world(*, var_dir: Path, run_dir: Path | None = None) -> World:
    """The world of one machine: sockets in a run folder, blobs in a directory."""
    var_dir = var_dir.absolute()
    var_dir.mkdir(parents=True, exist_ok=True)
    folder = run_dir.absolute() if run_dir else _recorded_run_dir(var_dir)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    channels: dict[str, aio.Channel] = {}

    def dial(name: str) -> aio.Channel:
        if name not in channels:
            channels[name] = open_channel(folder / f"{name}.sock")
        return channels[name]

    async def close_channels() -> None:
        for channel in channels.values():
            await channel.close()
        channels.clear()

    return World(
        name="local",
        clock=SystemClock(),
        random_bits=secrets.randbits,
        blobs=DirectoryBlobs(var_dir / "blobs"),
        dial=dial,
        close=lambda: asyncio.ensure_future(close_channels()),
        run_dir=folder,
        var_dir=var_dir,
    )


def _recorded_run_dir(var_dir: Path) -> Path:
    """The run folder that `var_dir` names, or a new one, short enough for socket paths.

    A folder that another user could have made is not believed.
    """
    handle = os.open(var_dir / "run.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        # Processes that start together take turns, or each would make a folder of its own.
        fcntl.flock(handle, fcntl.LOCK_EX)
        return _run_dir_in(var_dir / "run.json")
    finally:
        os.close(handle)


def _run_dir_in(record: Path) -> Path:
    try:
        folder = Path(json.loads(record.read_text())["run_dir"])
        status = folder.lstat()
        if status.st_uid == os.getuid() and status.st_mode & 0o170777 == 0o040700:
            return folder
    except (OSError, ValueError, KeyError, TypeError):
        pass  # none recorded, or what was recorded is gone: make a new one
    folder = Path(tempfile.mkdtemp(prefix="carillon-"))
    temporary = record.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_text(json.dumps({"run_dir": str(folder)}))
    temporary.replace(record)
    return folder
