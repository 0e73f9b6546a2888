"""The program beside Kamailio: takes gateways' announcements, and feeds the list of gateways.

It is started as `python -m media_gateway.edge`, one for each Kamailio, before or after it, with the
variables that Kamailio's `run` is given (`CARILLON_EDGE_HOST`, `_PORT`, `_DIR`, and others if need
be), and those of every process: `CARILLON_VAR_DIR`, `CARILLON_RUN_DIR`, `CARILLON_METRICS_PORT`.
On one machine (`CARILLON_WORLD=local`) it serves at `edge.sock` in the run folder. In a cluster
(`CARILLON_WORLD=cluster`) it serves by TCP at `CARILLON_LISTEN` with `CARILLON_TLS_CA`, `_CERT` (of
the name `edge` in the domain) and `_KEY`, and wants `CARILLON_ADVERTISED` and `CARILLON_PEERS` as
all do; it needs neither database, brokers nor storage. Gateways are told of it by
`CARILLON_GATEWAY_EDGES`: `["edge"]`, or in a cluster its address, `["ipv4:10.0.0.7:7000"]`.

Exit status: 0 when it was ended, 1 when it could not start, 2 for a wrong setting.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import ClassVar

import uvloop

from media_gateway.edge import rpc
from media_gateway.edge.book import Book, State
from media_gateway.edge.feeding import Feeding
from media_gateway.edge.kamailio import Kamailio
from media_gateway.edge.settings import EdgeSettings
from services.chassis import lifecycle, log
from services.chassis.blobs import MemoryBlobs
from services.chassis.bus import MemoryBus
from services.chassis.cluster import cluster_world
from services.chassis.errors import CarillonError, Kind
from services.chassis.lifecycle import Service
from services.chassis.metrics import Reading
from services.chassis.rpc import Face
from services.chassis.settings import ChassisSettings, load
from services.chassis.settings_cluster import ClusterSettings
from services.chassis.tasks import Tasks
from services.chassis.world import World, local_world


class NoEdgeFolder(CarillonError):
    """CARILLON_EDGE_DIR is not a folder that can be written to."""

    code: ClassVar[str] = "no-edge-folder"
    kind: ClassVar[Kind] = Kind.INVALID


class EdgeService:
    """Gateways on one side, Kamailio on the other; calls never pass here."""

    def __init__(self, world: World, settings: EdgeSettings) -> None:
        self.name = settings.face
        self._world = world
        self._settings = settings
        self._tasks = Tasks()
        self._book = Book(expires_ms=settings.expires_ms)
        self._feeding = Feeding(
            self._book, Kamailio(settings.dir), folder=settings.dir, clock=world.clock
        )

    def faces(self) -> list[Face]:
        """The one face of the edge."""
        return [
            rpc.face(
                rpc.Edge(
                    self._book,
                    clock=self._world.clock,
                    sip_address=self._settings.sip_address,
                    expires_ms=self._settings.expires_ms,
                    on_news=self._feeding.look,
                )
            )
        ]

    async def start(self) -> None:
        """Takes the list that is in force; NoEdgeFolder. Kamailio may come later."""
        if not await asyncio.to_thread(self._settings.dir.is_dir):
            raise NoEdgeFolder(f"{self._settings.dir} is no folder: set CARILLON_EDGE_DIR")
        await asyncio.to_thread(self._feeding.begin)
        self._tasks.start(self._feeding.run(), "feed Kamailio")

    async def drain(self) -> None:
        """Nothing is under way here."""

    async def stop(self) -> None:
        """Kamailio goes on with the list that it has."""
        await self._tasks.close()

    def readings(self) -> Iterable[Reading]:
        """What Prometheus is shown of this edge."""
        present = self._book.present(int(self._world.clock.monotonic_ms()))
        by_state = Counter(said.state for said in present)
        for state in (State.TAKING, State.FULL, State.DRAINING):
            yield Reading(
                "carillon_edge_gateways",
                "Gateways that this edge knows, by what they do with new calls.",
                by_state[state],
                (("state", state.value),),
            )
        yield Reading(
            "carillon_edge_kamailio_fed",
            "Whether Kamailio has the list of gateways as it is.",
            float(self._feeding.reaches_kamailio),
        )
        yield Reading(
            "carillon_edge_lists_total",
            "Times that Kamailio was given another list.",
            self._feeding.reloads,
            kind="counter",
        )


def build(world: World, settings: EdgeSettings | None = None) -> Service:
    """The edge's program in a world; its settings from the environment unless given."""
    return EdgeService(world, settings or load(EdgeSettings))


def main() -> None:
    """The `carillon-edge` command."""
    chassis, settings = load(ChassisSettings), load(EdgeSettings)
    log.configure(level=chassis.log_level, as_json=chassis.log_json)

    async def serve() -> int:
        world = _world(chassis)
        return await lifecycle.run(
            [build(world, settings)],
            world,
            drain_timeout_s=chassis.drain_timeout_s,
            telemetry=lifecycle.Telemetry.as_set(chassis, metrics_port=settings.metrics_port),
        )

    raise SystemExit(lifecycle.status_of(uvloop.run, serve()))


def _world(chassis: ChassisSettings) -> World:
    """Where this process lives: in a cluster without brokers or storage; BadServiceTLS."""
    if chassis.world == "local":
        return local_world(var_dir=chassis.var_dir, run_dir=chassis.run_dir)
    return cluster_world(
        load(ClusterSettings),
        bus=MemoryBus(),
        blobs=MemoryBlobs(),
        var_dir=chassis.var_dir,
        run_dir=chassis.run_dir,
    )
