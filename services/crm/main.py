"""crm's wiring."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from services.chassis.feed import Feed
from services.chassis.lifecycle import Service
from services.chassis.metrics import Reading
from services.chassis.outbox import OutboxPublisher
from services.chassis.rpc import Face
from services.chassis.tasks import Tasks
from services.chassis.world import World
from services.crm import readings, rpc
from services.crm.feed import GROUP, TOPICS, HistoryFeed
from services.crm.figures import Figures
from services.crm.store import CrmStore, MemoryCrmStore
from services.crm.store_sql import SqlCrmStore
from services.crm.wire import announcement


class CrmService:
    """Customers and their history."""

    name = "crm"

    def __init__(self, *, world: World, store: CrmStore, publisher: OutboxPublisher | None) -> None:
        """`publisher` brings the store's outbox to the bus; None where the store does."""
        self._world = world
        self._store = store
        self._publisher = publisher
        self._figures = Figures()
        self._feed = Feed(
            bus=world.bus,
            group=GROUP,
            topics=TOPICS,
            handle=HistoryFeed(store).handle,
            clock=world.clock,
        )
        self._tasks = Tasks()

    def faces(self) -> list[Face]:
        """The one face of customers."""
        changed: Callable[[], None] = self._publisher.nudge if self._publisher else _nothing
        servicer = rpc.Crm(
            store=self._store,
            clock=self._world.clock,
            new_id=self._world.new_id,
            changed=changed,
            figures=self._figures,
        )
        return [rpc.face(servicer)]

    async def start(self) -> None:
        """Begins to read what happens to contacts, and to publish what happens to customers."""
        self._tasks.start(self._feed.run(), "contact history")
        if self._publisher is not None:
            self._tasks.start(self._publisher.run(), "customer events")

    def readings(self) -> Iterable[Reading]:
        """What crm shows of itself."""
        return readings.of(self._figures, feed=self._feed, publisher=self._publisher)

    async def drain(self) -> None:
        """Stops reading; what was read and not committed is read again by whoever comes next."""
        await self._tasks.close()

    async def stop(self) -> None:
        """Closes what a failed start or an interrupted drain left open."""
        await self._tasks.close()


def _nothing() -> None:
    """Nobody waits for the news."""


def build(world: World) -> Service:
    """Customers in a world: in PostgreSQL, or in memory where there is none."""
    announce = announcement(world.new_id)
    database = world.database("crm")
    if database is None:
        store = MemoryCrmStore(bus=world.bus, announcement=announce)
        return CrmService(world=world, store=store, publisher=None)
    return CrmService(
        world=world,
        store=SqlCrmStore(database=database, announcement=announce),
        publisher=OutboxPublisher(database=database, bus=world.bus),
    )
