"""acd's wiring."""

from __future__ import annotations

from collections.abc import Iterable

from services.acd import readings, rpc
from services.acd.forwarding import Forwarding
from services.acd.shard import Parts
from services.acd.shards import Shards
from services.acd.wire import make_codec
from services.chassis.journal import Journal, MemoryJournal
from services.chassis.journal_postgres import PostgresJournal
from services.chassis.lifecycle import Service
from services.chassis.metrics import Reading
from services.chassis.rpc import Face
from services.chassis.tasks import Tasks
from services.chassis.world import World


class AcdService:
    """Queues, agents, routing."""

    name = "acd"

    def __init__(self, *, world: World, journal: Journal) -> None:
        """`journal` is closed with the service."""
        self._codec = make_codec()
        self._journal = journal
        parts = Parts(
            journal=journal,
            codec=self._codec,
            clock=world.clock,
            bus=world.bus,
            address=world.advertised(self.name),
        )
        self._shards = Shards(parts)
        self._forwarding = Forwarding(
            shards=self._shards,
            clock=world.clock,
            dial_at=lambda address: world.dial_at(self.name, address),
        )
        self._tasks = Tasks()
        self._named = readings.Named()

    def faces(self) -> list[Face]:
        """The one face of routing."""
        return [rpc.face(shards=self._shards, codec=self._codec, forwarding=self._forwarding)]

    async def start(self) -> None:
        """Begins to look for shards without an owner; the others open when they are asked for."""
        self._tasks.start(self._shards.look_after(), "look after shards")

    async def drain(self) -> None:
        """Commits what was decided, lets the shards go, sends every reader to another replica."""
        await self._tasks.close()
        await self._shards.close()

    async def stop(self) -> None:
        """Closes what a failed start or an interrupted drain left open."""
        await self.drain()
        await self._journal.close()

    def readings(self) -> Iterable[Reading]:
        """What routing shows of itself, over all tenants that are decided for here."""
        shards = [shard.figures() for shard in self._shards.live()]
        return readings.of(shards, forwarded=self._forwarding.forwarded, named=self._named)


def build(world: World) -> Service:
    """Routing in a world: its journal is in PostgreSQL, or in memory in a simulation."""
    database = world.database("acd")
    journal = MemoryJournal() if database is None else PostgresJournal(database)
    return AcdService(world=world, journal=journal)
