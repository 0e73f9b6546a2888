"""acd's wiring."""

from __future__ import annotations

from services.acd import rpc
from services.acd.shards import Shards
from services.acd.wire import make_codec
from services.chassis.journal import MemoryJournal
from services.chassis.lifecycle import Service
from services.chassis.rpc import Face
from services.chassis.world import World


class AcdService:
    """Queues, agents, routing."""

    name = "acd"

    def __init__(self, world: World) -> None:
        self._codec = make_codec()
        self._shards = Shards(journal=MemoryJournal(), codec=self._codec, clock=world.clock)

    def faces(self) -> list[Face]:
        """The one face of routing."""
        return [rpc.face(shards=self._shards, codec=self._codec)]

    async def start(self) -> None:
        """Nothing: shards open when they are first asked for."""

    async def drain(self) -> None:
        """Commits what was decided and sends every reader to another replica."""
        await self._shards.close()

    async def stop(self) -> None:
        """Closes what a failed start or an interrupted drain left open."""
        await self._shards.close()


def build(world: World) -> Service:
    """Routing in a world."""
    return AcdService(world)
