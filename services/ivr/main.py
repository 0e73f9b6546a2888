"""ivr's wiring."""

from __future__ import annotations

from collections.abc import Iterable

from services.chassis.lifecycle import Service
from services.chassis.log import get_logger
from services.chassis.metrics import Reading
from services.chassis.rpc import Face
from services.chassis.settings import load
from services.chassis.tasks import Tasks
from services.chassis.world import World
from services.ivr import readings, rpc
from services.ivr.customers import Customers
from services.ivr.destinations import Destinations
from services.ivr.espeak import find_engine
from services.ivr.figures import Figures
from services.ivr.flows import Flows
from services.ivr.humming import Humming
from services.ivr.prompts import Prompts
from services.ivr.routing import Routing
from services.ivr.session import Parts
from services.ivr.settings import IvrSettings
from services.ivr.speech import Engine
from services.ivr.store import FlowStore, MemoryFlowStore
from services.ivr.store_sql import SqlFlowStore
from services.ivr.voice import Voice

log = get_logger("ivr")


class IvrService:
    """Call flows; an engine that is not given is looked for at the start."""

    name = "ivr"

    def __init__(
        self, *, world: World, settings: IvrSettings, store: FlowStore, engine: Engine | None
    ) -> None:
        self._world = world
        self._settings = settings
        self._store = store
        self._engine = engine
        self._tasks = Tasks()
        self._figures = Figures()
        self._servicer: rpc.Ivr | None = None
        self._flows: Flows | None = None
        self._prompts: Prompts | None = None

    def faces(self) -> list[Face]:
        """The one face of call flows; after `start`."""
        assert self._servicer is not None, "faces are asked for after start"
        return [rpc.face(self._servicer)]

    async def start(self) -> None:
        """Finds the voice; VoiceFailed when there is none."""
        engine = self._engine or await find_engine()
        log.info("voice found", engine=engine.name)
        self._prompts = Prompts(voice=Voice(engine), blobs=self._world.blobs, store=self._store)
        self._flows = Flows(store=self._store, prompts=self._prompts)
        parts = Parts(
            prompts=self._prompts,
            routing=Routing(
                dial=self._world.dial,
                clock=self._world.clock,
                settings=self._settings,
                figures=self._figures,
            ),
            customers=Customers(
                dial=self._world.dial, clock=self._world.clock, figures=self._figures
            ),
            clock=self._world.clock,
            settings=self._settings,
            tasks=self._tasks,
            figures=self._figures,
        )
        self._servicer = rpc.Ivr(
            store=self._store,
            flows=self._flows,
            destinations=Destinations(
                store=self._store, flows=self._flows, clock=self._world.clock
            ),
            parts=parts,
        )

    def readings(self) -> Iterable[Reading]:
        """What ivr shows of itself."""
        return readings.of(self._figures, servicer=self._servicer, flows=self._flows)

    async def drain(self) -> None:
        """Hands its calls over to other replicas and tells acd what was decided last."""
        if self._servicer is not None:
            await self._servicer.hand_over()

    async def stop(self) -> None:
        """Ends everything that still runs, the voice last."""
        await self._tasks.close()
        if self._flows is not None:
            await self._flows.close()
        if self._prompts is not None:
            await self._prompts.close()


def build(world: World) -> Service:
    """Call flows in a world: PostgreSQL and a real voice, or neither in a simulation."""
    settings = load(IvrSettings)
    database = world.database("ivr")
    if database is None:
        return IvrService(world=world, settings=settings, store=MemoryFlowStore(), engine=Humming())
    return IvrService(world=world, settings=settings, store=SqlFlowStore(database), engine=None)
