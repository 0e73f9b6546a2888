"""Processes that share a journal and a bus, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from services.acd import model
from services.acd.model import AgentId, EntryId, Link, Presence, QueueId
from services.acd.publishing import TOPIC
from services.acd.shard import Parts, Shard
from services.acd.shards import Shards
from services.acd.wire import make_codec
from services.chassis.bus import BusUnavailable, MemoryBus
from services.chassis.envelope import Envelope, partition_of
from services.chassis.ids import TenantId
from services.chassis.journal import JournalRow, JournalUnavailable, MemoryJournal, Opened
from services.chassis.virtual_loop import VirtualLoop

T = TypeVar("T")
DEMO = TenantId("demo")
Q, ANNA = QueueId("q"), AgentId("anna")
CODEC = make_codec()


class LoopClock:
    """The loop's own time, which may be virtual."""

    def now_ms(self) -> int:
        return 1_700_000_000_000 + round(asyncio.get_running_loop().time() * 1_000)

    def monotonic_ms(self) -> float:
        return asyncio.get_running_loop().time() * 1_000


class Journal(MemoryJournal):
    """A journal with leases that can be away or slow, and counts who asks."""

    def __init__(self) -> None:
        super().__init__(LoopClock())
        self.away = False
        self.slow_s = 0.0
        self.opened = 0

    async def open(self, shard: str, owner: str) -> Opened:
        self.opened += 1
        self._reach()
        return await super().open(shard, owner)

    async def renew(self, shard: str, epoch: int) -> None:
        self._reach()
        await super().renew(shard, epoch)

    async def append(self, rows: Sequence[JournalRow]) -> None:
        self._reach()
        await asyncio.sleep(self.slow_s)
        await super().append(rows)

    async def unowned(self, limit: int) -> list[str]:
        self._reach()
        return await super().unowned(limit)

    def _reach(self) -> None:
        if self.away:
            raise JournalUnavailable("away")


class Nobody:
    """The context of a request that nobody sends over a wire."""

    async def send_initial_metadata(self, metadata: Any) -> None:
        pass


class Bus(MemoryBus):
    """A bus that can be away, or fail as nobody thought of."""

    away = False
    broken = False

    async def publish(self, topic: str, events: Sequence[Envelope]) -> None:
        if self.away:
            raise BusUnavailable("away")
        if self.broken:
            raise RuntimeError("deadlock detected")
        await super().publish(topic, events)


@dataclass
class House:
    """What processes share."""

    journal: Journal = field(default_factory=Journal)
    bus: Bus = field(default_factory=Bus)

    def shards(self, address: str = "here") -> Shards:
        parts = Parts(
            journal=self.journal, codec=CODEC, clock=LoopClock(), bus=self.bus, address=address
        )
        return Shards(parts)

    def events(self) -> list[Envelope]:
        return list(self.bus.log(TOPIC, partition_of(DEMO)))


def virtually(story: Callable[[House], Awaitable[T]]) -> T:
    async def run() -> T:
        return await story(House())

    with asyncio.Runner(loop_factory=partial(VirtualLoop, limit_s=100_000)) as runner:
        return runner.run(run())


async def furnish(shard: Shard) -> None:
    await shard.submit(model.PutQueue(model.QueueConfig(Q)))
    agent = model.AgentConfig(ANNA, queues=(model.QueueMembership(Q),))
    await shard.submit(model.PutAgent(agent))


async def enqueue(shard: Shard, entry_id: str, gateway: str = "") -> None:
    command = model.EnqueueContact(
        EntryId(entry_id), model.ContactId(f"call-{entry_id}"), Q, gateway=gateway
    )
    await shard.submit(command)


async def ready(shard: Shard, valid_ms: int = 0) -> None:
    await shard.care.link_said(model.ReportLink(ANNA, Link.REACHABLE, valid_ms))
    await shard.submit(model.SetPresence(ANNA, Presence.READY))


async def no_room(house: House, shard: Shard) -> list[asyncio.Task[int]]:
    """The journal is away, and no command finds room any more; what takes it up."""
    house.journal.away = True
    await asyncio.sleep(2)  # the owner missed its renewal: nothing is decided
    asked = [
        asyncio.ensure_future(shard.query(lambda now_ms: now_ms, patient=True)) for _ in range(2)
    ]
    await asyncio.sleep(0)
    return asked


async def stage(shard: Shard, entry_id: str) -> model.ContactStage:
    return (await shard.entry(EntryId(entry_id))).stage
