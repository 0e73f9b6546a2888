"""The world of a cluster: each process in its own container, on parts that an SRE runs.

What differs from one machine: gRPC by TCP with mTLS to whichever replica answers, or to one that
is named by its address; PostgreSQL by URL; a bus and a storage that all replicas share. What every
part needs is proved at the start, so that a wrong setting is told at once, in words.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import ClassVar

from grpc import aio

from services.chassis.blobs import Blobs
from services.chassis.bus import Bus
from services.chassis.clock import SystemClock
from services.chassis.database import Database, DatabaseURL, NoDatabase
from services.chassis.errors import CarillonError, Kind
from services.chassis.log import get_logger
from services.chassis.objects import Objects
from services.chassis.rpc_channel import open_remote
from services.chassis.rpc_door import Door, TcpDoor
from services.chassis.rpc_pool import BadAddress, Channels
from services.chassis.settings_cluster import SCHEMES, ClusterSettings, host_and_port, target_at
from services.chassis.world import World, recorded_run_dir

log = get_logger("cluster")

AGAIN_FIRST_S = 0.2
AGAIN_LAST_S = 2.0
ATTEMPT_LIMIT_S = 15.0
"""For one attempt to reach a part, where the whole limit is longer."""

BUS = "bus"
"""The schema of a bus in a database, which this is none of."""

Proof = Callable[[], Awaitable[None]]
"""Returns when a part can be used; a named error says why not."""


class OneServiceOnly(CarillonError):
    """A second service in a process whose one port is a first one's."""

    code: ClassVar[str] = "one-service-a-process"
    kind: ClassVar[Kind] = Kind.INVALID


class PartUnreachable(CarillonError):
    """A part of the cluster could not be used within the limit."""

    code: ClassVar[str] = "part-unreachable"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


def cluster_world(
    settings: ClusterSettings,
    *,
    bus: Bus,
    blobs: Blobs,
    var_dir: Path,
    run_dir: Path | None = None,
    objects: Callable[[str], Objects] | None = None,
    proofs: Mapping[str, Proof] | None = None,
    closing: Proof | None = None,
) -> World:
    """A process's way to everything outside it; BadServiceTLS when its certificate is no good.

    `proofs` by the setting to look at, of the bus and the storage; the database's is added here.
    `closing` is called last, when the world closes. `var_dir` takes only what this process itself
    comes back to, for example a gateway's spool.
    """
    ways = _Ways(settings, bus=bus, proofs=proofs or {}, closing=closing)
    var_dir = var_dir.absolute()
    var_dir.mkdir(parents=True, exist_ok=True)
    folder = run_dir.absolute() if run_dir else recorded_run_dir(var_dir)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    return World(
        name="cluster",
        clock=SystemClock(),
        random_bits=secrets.randbits,
        blobs=blobs,
        bus=bus,
        database=ways.database,
        dial=ways.dial,
        dial_at=ways.dial_at,
        door=ways.door,
        advertised=lambda _name: target_at(settings.advertised),
        prove=ways.prove,
        close=lambda: asyncio.ensure_future(ways.close()),
        run_dir=folder,
        var_dir=var_dir,
        objects=objects,
    )


class _Ways:
    """What a process has opened in its cluster."""

    def __init__(
        self,
        settings: ClusterSettings,
        *,
        bus: Bus,
        proofs: Mapping[str, Proof],
        closing: Proof | None,
    ) -> None:
        self._settings = settings
        self._bus = bus
        self._proofs = proofs
        self._closing = closing
        self._tls = settings.service_tls()
        self._channels = Channels()
        self._databases: dict[str, Database] = {}
        self._served = ""
        if self._tls is None:
            log.warning("services do not know each other by certificates", why="CARILLON_INSECURE")

    def database(self, schema: str) -> Database:
        if schema == BUS:
            raise NoDatabase("a cluster's bus is in no database")
        if schema not in self._databases:
            settings = self._settings
            url = settings.database_url.get_secret_value()
            if not url:
                raise NoDatabase(f"set CARILLON_DATABASE_URL: {schema} keeps its data there")
            self._databases[schema] = Database(
                DatabaseURL(url, settings.database_password.get_secret_value()),
                schema=schema,
                max_connections=settings.database_pool,
            )
        return self._databases[schema]

    def door(self, name: str) -> Door:
        if self._served not in ("", name):
            raise OneServiceOnly(f"{self._served} and {name}: in a cluster each has its process")
        self._served = name
        host, port = host_and_port(self._settings.listen)
        ageing = self._settings.ageing
        return TcpDoor(service=name, host=host, port=port, tls=self._tls, ageing=ageing)

    def dial(self, name: str) -> aio.Channel:
        target = self._settings.target_of(name)
        if not target:
            raise BadAddress(f"nothing says where {name} is: set CARILLON_PEERS_{name.upper()}")
        return self._to(name, target)

    def dial_at(self, name: str, address: str) -> aio.Channel:
        if not address.startswith(SCHEMES) or "," in address:
            raise BadAddress(f"{name} at {address[:100]!r}")
        return self._to(name, address)

    async def prove(self) -> None:
        wanted = dict(self._proofs)
        for database in self._databases.values():
            wanted[f"CARILLON_DATABASE_URL, schema {database.schema}"] = database.prove
        await prove_all(wanted, limit_s=self._settings.start_limit_s)

    async def close(self) -> None:
        await self._channels.close()
        await self._bus.close()
        for opened in self._databases.values():
            await opened.close()
        self._databases.clear()
        if self._closing is not None:
            await self._closing()

    def _to(self, name: str, target: str) -> aio.Channel:
        return self._channels.to(
            f"{name} {target}", lambda: open_remote(target, service=name, tls=self._tls)
        )


async def prove_all(proofs: Mapping[str, Proof], *, limit_s: float) -> None:
    """Proves every part at once, each again and again while it is away; 0: none is proved.

    PartUnreachable with the setting, what was tried, how often and for how long; or, at once, the
    part's own refusal with the setting: no waiting mends it.
    """
    if limit_s <= 0:
        return
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_told(setting, proof, limit_s)) for setting, proof in proofs.items()
        ]
    failures = [failure for failure in (task.result() for task in tasks) if failure is not None]
    for failure in failures[1:]:
        log.error("part cannot be used", code=failure.code, reason=str(failure))
    if failures:
        raise failures[0]


async def _told(setting: str, proof: Proof, limit_s: float) -> CarillonError | None:
    """Why a part cannot be used, once that is certain; None: it can."""
    began, tries, pause_s, reason = time.monotonic(), 0, AGAIN_FIRST_S, ""
    while True:
        left_s = limit_s - (time.monotonic() - began)
        tries += 1
        try:
            async with asyncio.timeout(max(AGAIN_FIRST_S, min(left_s, ATTEMPT_LIMIT_S))):
                await proof()
        except TimeoutError:
            # The last attempt gets what time is left: what an earlier one was told says more.
            reason = reason or "no answer"
        except CarillonError as error:
            if error.kind not in (Kind.UNAVAILABLE, Kind.DEADLINE):
                return type(error)(f"{setting}: {error}")
            reason = str(error)
        else:
            return None
        left_s = limit_s - (time.monotonic() - began)
        if left_s <= 0:
            return PartUnreachable(
                f"{setting}: {reason} (tried {tries} times in {limit_s:g} s,"
                " the CARILLON_START_LIMIT_S)"
            )
        log.warning("part is not there yet", setting=setting, reason=reason)
        await asyncio.sleep(min(left_s, pause_s * (0.5 + random.random())))  # noqa: S311 (no secret)
        pause_s = min(2 * pause_s, AGAIN_LAST_S)
