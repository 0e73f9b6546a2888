"""ivr's wiring."""

from __future__ import annotations

from collections.abc import Iterable

from services.chassis.feed import Feed
from services.chassis.lifecycle import Service
from services.chassis.log import get_logger
from services.chassis.metrics import Reading
from services.chassis.rpc import Face
from services.chassis.settings import load
from services.chassis.tasks import Tasks
from services.chassis.world import World
from services.ivr import readings, rpc, rpc_library
from services.ivr.customers import Customers
from services.ivr.destinations import Destinations
from services.ivr.espeak import find_engine
from services.ivr.feed import GROUP, TOPICS, Intake
from services.ivr.figures import Figures
from services.ivr.flows import Flows
from services.ivr.humming import Humming
from services.ivr.policies import Policies
from services.ivr.prompts import Prompts
from services.ivr.routing import Routing
from services.ivr.session import Parts
from services.ivr.settings import IvrSettings
from services.ivr.shelves import Shelves
from services.ivr.speech import Engine
from services.ivr.stores import Stores, memory_stores, sql_stores
from services.ivr.tenants import Tenants
from services.ivr.voice import Voice

log = get_logger("ivr")


class IvrService:
    """Call flows; an engine that is not given is looked for at the start."""

    name = "ivr"

    def __init__(
        self, *, world: World, settings: IvrSettings, stores: Stores, engine: Engine | None
    ) -> None:
        self._world = world
        self._settings = settings
        self._stores = stores
        self._engine = engine
        self._tenants = Tenants(
            store=stores.tenants, clock=world.clock, replica=world.advertised(self.name)
        )
        self._policies = Policies(dial=world.dial, clock=world.clock)
        self._feed = Feed(
            bus=world.bus,
            group=GROUP,
            topics=TOPICS,
            handle=Intake(tenants=self._tenants).handle,
            clock=world.clock,
        )
        self._tasks = Tasks()
        self._reading = Tasks()
        """Reads the bus, until this replica leaves."""
        self._figures = Figures()
        self._customers = Customers(
            dial=world.dial,
            clock=world.clock,
            figures=self._figures,
            tasks=self._tasks,
            random_bits=world.random_bits,
        )
        self._servicer: rpc.Ivr | None = None
        self._flows: Flows | None = None
        self._prompts: Prompts | None = None
        self._library: rpc_library.Library | None = None

    def faces(self) -> list[Face]:
        """The faces of call flows and of what they are made with; after `start`."""
        assert self._servicer is not None, "faces are asked for after start"
        assert self._library is not None, "faces are asked for after start"
        return [rpc.face(self._servicer), rpc_library.face(self._library)]

    async def start(self) -> None:
        """Finds the voice; VoiceFailed when there is none."""
        engine = self._engine or await find_engine()
        log.info("voice found", engine=engine.name)
        self._prompts = Prompts(
            voice=Voice(engine), blobs=self._world.blobs, store=self._stores.flows
        )
        shelves = Shelves(
            library=self._stores.library, tenants=self._tenants, policies=self._policies
        )
        self._flows = Flows(store=self._stores.flows, prompts=self._prompts, shelves=shelves)
        destinations = Destinations(
            store=self._stores.flows, flows=self._flows, clock=self._world.clock
        )
        self._servicer = rpc.Ivr(
            store=self._stores.flows,
            flows=self._flows,
            destinations=destinations,
            tenants=self._tenants,
            parts=self._parts(self._prompts),
        )
        self._library = rpc_library.Library(
            store=self._stores.library,
            blobs=self._world.blobs,
            prompts=self._prompts,
            tenants=self._tenants,
            destinations=destinations,
            clock=self._world.clock,
        )
        self._reading.start(self._feed.run(), "ivr feed")
        self._tasks.start(self._tenants.run(), "calls of tenants")

    def _parts(self, prompts: Prompts) -> Parts:
        clock, dial = self._world.clock, self._world.dial
        return Parts(
            prompts=prompts,
            routing=Routing(dial=dial, clock=clock, settings=self._settings, figures=self._figures),
            customers=self._customers,
            clock=clock,
            settings=self._settings,
            tasks=self._tasks,
            figures=self._figures,
        )

    def readings(self) -> Iterable[Reading]:
        """What ivr shows of itself."""
        yield from readings.of(self._figures, servicer=self._servicer, flows=self._flows)
        yield from self._customers.readings()
        yield from self._feed.readings("ivr")

    async def drain(self) -> None:
        """Hands its calls over to other replicas and tells acd what was decided last."""
        await self._reading.close()
        if self._servicer is not None:
            await self._servicer.hand_over()

    async def stop(self) -> None:
        """Ends everything that still runs, the voice last."""
        await self._reading.close()
        await self._tasks.close()
        await self._tenants.leave()
        await self._policies.close()
        if self._flows is not None:
            await self._flows.close()
        if self._prompts is not None:
            await self._prompts.close()


def build(world: World) -> Service:
    """Call flows in a world: PostgreSQL and a real voice, or neither in a simulation."""
    settings = load(IvrSettings)
    database = world.database("ivr")
    if database is None:
        return IvrService(world=world, settings=settings, stores=memory_stores(), engine=Humming())
    return IvrService(world=world, settings=settings, stores=sql_stores(database), engine=None)
