"""analytics' wiring."""

from __future__ import annotations

from collections.abc import Iterable

from services.analytics import readings, rpc
from services.analytics.alarms import Alarms
from services.analytics.feed import GROUP, TOPICS, Intake
from services.analytics.floors import Floors
from services.analytics.settings import AnalyticsSettings
from services.analytics.store import AnalyticsStore, MemoryStore
from services.analytics.store_alarms import AlarmStore, MemoryAlarms
from services.analytics.store_sql import SqlStore
from services.analytics.store_sql_alarms import SqlAlarms
from services.chassis.database import DatabaseUnavailable
from services.chassis.feed import Feed
from services.chassis.lifecycle import Service
from services.chassis.log import get_logger
from services.chassis.metrics import Reading
from services.chassis.rpc import Face
from services.chassis.settings import load
from services.chassis.tasks import Tasks
from services.chassis.world import World

log = get_logger("analytics")


class AnalyticsService:
    """Figures people look at."""

    name = "analytics"

    def __init__(
        self,
        *,
        world: World,
        settings: AnalyticsSettings,
        store: AnalyticsStore,
        alarm_store: AlarmStore,
        holder: str,
    ) -> None:
        """`holder` names this process among the replicas."""
        self._world = world
        self._settings = settings
        self._store = store
        self._alarm_store = alarm_store
        self._floors = Floors(store=store, clock=world.clock, terms=settings.terms)
        self._alarms = Alarms(
            store=alarm_store, floors=self._floors, clock=world.clock, holder=holder
        )
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
        servicer = rpc.Analytics(
            store=self._store,
            alarm_store=self._alarm_store,
            floors=self._floors,
            alarms=self._alarms,
            clock=self._world.clock,
            terms=self._settings.terms,
        )
        return [rpc.face(servicer)]

    async def start(self) -> None:
        """Begins to read the bus; what is there already is caught up with meanwhile."""
        self._tasks.start(self._feed.run(), "analytics feed")
        self._tasks.start(self._alarms.run(), "analytics alarms")

    async def drain(self) -> None:
        """Reads and judges no more: what was not done is done by whoever goes on."""
        await self._tasks.close()
        try:
            await self._alarms.leave()
        except DatabaseUnavailable as error:
            log.info("the lease of alarms runs out by itself", reason=str(error))

    async def stop(self) -> None:
        """Ends what a failed start or an interrupted drain left running."""
        await self._tasks.close()

    def readings(self) -> Iterable[Reading]:
        """What analytics shows of itself."""
        return readings.of(
            floors=self._floors, alarms=self._alarms, intake=self._intake, feed=self._feed
        )


def build(world: World) -> Service:
    """Figures in a world: in memory where there is no database."""
    settings = load(AnalyticsSettings)
    database = world.database("analytics")
    if database is None:
        return AnalyticsService(
            world=world,
            settings=settings,
            store=MemoryStore(),
            alarm_store=MemoryAlarms(),
            holder=AnalyticsService.name,
        )
    return AnalyticsService(
        world=world,
        settings=settings,
        store=SqlStore(database),
        alarm_store=SqlAlarms(database),
        holder=world.new_id(),
    )
