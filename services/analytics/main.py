"""analytics' wiring."""

from __future__ import annotations

from collections.abc import Iterable

from services.analytics import readings, rpc
from services.analytics.feed import GROUP, TOPICS, Intake
from services.analytics.floors import Floors
from services.analytics.settings import AnalyticsSettings
from services.analytics.store import AnalyticsStore, MemoryStore
from services.analytics.store_sql import SqlStore
from services.chassis.feed import Feed
from services.chassis.lifecycle import Service
from services.chassis.metrics import Reading
from services.chassis.rpc import Face
from services.chassis.settings import load
from services.chassis.tasks import Tasks
from services.chassis.world import World


class AnalyticsService:
    """Figures people look at."""

    name = "analytics"

    def __init__(self, *, world: World, settings: AnalyticsSettings, store: AnalyticsStore) -> None:
        self._world = world
        self._settings = settings
        self._store = store
        self._floors = Floors(store=store, clock=world.clock, terms=settings.terms)
        self._intake = Intake(floors=self._floors, store=store)
        self._feed = Feed(
            bus=world.bus,
            group=GROUP,
            topics=TOPICS,
            handle=self._intake.handle,
            clock=world.clock,
        )
        self._tasks = Tasks()

    def faces(self) -> list[Face]:
        """The one face of figures."""
        return [
            rpc.face(
                store=self._store,
                floors=self._floors,
                clock=self._world.clock,
                terms=self._settings.terms,
            )
        ]

    async def start(self) -> None:
        """Begins to read the bus; what is there already is caught up with meanwhile."""
        self._tasks.start(self._feed.run(), "analytics feed")

    async def drain(self) -> None:
        """Reads no more: what was not done is done by whoever reads next."""
        await self._tasks.close()

    async def stop(self) -> None:
        """Ends what a failed start or an interrupted drain left running."""
        await self._tasks.close()

    def readings(self) -> Iterable[Reading]:
        """What analytics shows of itself."""
        return readings.of(floors=self._floors, intake=self._intake, feed=self._feed)


def build(world: World) -> Service:
    """Figures in a world: in memory where there is no database."""
    settings = load(AnalyticsSettings)
    database = world.database("analytics")
    store: AnalyticsStore = MemoryStore() if database is None else SqlStore(database)
    return AnalyticsService(world=world, settings=settings, store=store)
