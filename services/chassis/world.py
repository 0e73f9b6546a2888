"""The world a process lives in: the same code on one machine, in a cluster, in a simulation."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import secrets
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from grpc import aio

from services.chassis.blobs import Blobs, DirectoryBlobs
from services.chassis.bus import Bus
from services.chassis.bus_postgres import PostgresBus
from services.chassis.clock import Clock, SystemClock
from services.chassis.database import Database, DatabaseAddress
from services.chassis.ids import RANDOM_BITS, uuid7
from services.chassis.objects import Objects
from services.chassis.rpc_channel import open_channel
from services.chassis.rpc_door import Door, UnixDoor
from services.chassis.rpc_pool import BadAddress, Channels

SOCKET = "unix:"
"""What an address on this machine begins with."""


@dataclass(frozen=True, slots=True)
class World:
    """Everything a service takes from outside itself."""

    name: str
    """`local`, `cluster` or `simulated`."""
    clock: Clock
    """What time it is."""
    random_bits: Callable[[int], int]
    """That many random bits, as an integer."""
    blobs: Blobs
    """Bytes kept under their hash."""
    bus: Bus
    """Where facts go."""
    database: Callable[[str], Database | None]
    """A service's database by its schema; None in a simulation, where stores are in memory."""
    dial: Callable[[str], aio.Channel]
    """The channel to a service by its name; kept open and shared."""
    dial_at: Callable[[str, str], aio.Channel]
    """The channel to one process of a service: its name, and what `advertised` said there. Kept
    open and shared; ask again for each call."""
    door: Callable[[str], Door]
    """Where a service of this process lets its callers in."""
    advertised: Callable[[str], str]
    """Where other processes reach just this process's service of that name."""
    prove: Callable[[], Awaitable[None]]
    """Returns when what the services asked for can be used; a named error says what to set."""
    close: Callable[[], asyncio.Future[None]]
    """Closes what `dial`, `bus` and `database` opened."""
    run_dir: Path
    """A private folder (0700) for sockets and what processes tell each other at run time."""
    var_dir: Path
    """Where this installation keeps its data."""
    objects: Callable[[str], Objects] | None = field(default=None, kw_only=True)
    """Where a use, for example `recordings`, keeps what is too large for a database, shared by all
    its replicas; None: in a folder of its own, or, in a simulation, in memory."""

    def new_id(self) -> str:
        """A new UUIDv7."""
        return uuid7(self.clock.now_ms(), self.random_bits(RANDOM_BITS))


def local_world(
    *, var_dir: Path, run_dir: Path | None = None, database_file: Path | None = None
) -> World:
    """The world of one machine: sockets in a run folder, blobs in a directory, one PostgreSQL.

    `database_file` names what `DatabaseAddress.write` wrote; None: `database.json` in `var_dir`.
    It is read when a database is first asked for; NoDatabase when it is not there.
    """
    var_dir = var_dir.absolute()
    var_dir.mkdir(parents=True, exist_ok=True)
    folder = run_dir.absolute() if run_dir else recorded_run_dir(var_dir)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    databases: dict[str, Database] = {}
    channels = Channels()

    def database(schema: str) -> Database:
        if schema not in databases:
            address = DatabaseAddress.read(database_file or var_dir / "database.json")
            databases[schema] = Database(address, schema=schema)
        return databases[schema]

    bus = PostgresBus(lambda: database("bus"), name=f"{os.getpid()}-{secrets.token_hex(4)}")

    def dial(name: str) -> aio.Channel:
        return dial_at(name, socket_of(name))

    def dial_at(name: str, address: str) -> aio.Channel:
        if not address.startswith((SOCKET, "/")):
            raise BadAddress(f"{name} at {address[:100]!r}")
        return channels.to(address, lambda: open_channel(Path(address.removeprefix(SOCKET))))

    def socket_of(name: str) -> str:
        return f"{SOCKET}{folder / name}.sock"

    async def prove() -> None:
        """Services start here while their database is away, and wait for it."""

    async def close() -> None:
        await channels.close()
        await bus.close()
        for opened in databases.values():
            await opened.close()
        databases.clear()

    return World(
        name="local",
        clock=SystemClock(),
        random_bits=secrets.randbits,
        blobs=DirectoryBlobs(var_dir / "blobs"),
        bus=bus,
        database=database,
        dial=dial,
        dial_at=dial_at,
        door=lambda name: UnixDoor(folder / f"{name}.sock"),
        advertised=socket_of,
        prove=prove,
        close=lambda: asyncio.ensure_future(close()),
        run_dir=folder,
        var_dir=var_dir,
    )


def recorded_run_dir(var_dir: Path) -> Path:
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
