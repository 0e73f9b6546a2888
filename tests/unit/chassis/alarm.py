"""A shell around a core with one deadline, in virtual time, whose journal may be away or slow."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from services.chassis.journal import JournalRow, JournalUnavailable, MemoryJournal
from services.chassis.shell import Hooks, Shell
from services.chassis.virtual_loop import VirtualLoop

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Event:
    """`set`, `rang` or `moved`."""

    what: str
    amount: int


class Alarm:
    """A core with one deadline. A command of n sets it n ms ahead; a negative one is a gap."""

    def __init__(self) -> None:
        self.at_ms: int | None = None
        self.rang: list[int] = []
        self.count = 0

    def handle(self, command: int, now_ms: int) -> list[Event]:
        if command >= 0:
            return [Event("set", now_ms + command)]
        return [] if self.at_ms is None else [Event("moved", -command)]

    def tick(self, now_ms: int) -> list[Event]:
        return [Event("rang", now_ms)]

    def apply(self, event: Event) -> None:
        self.count += 1
        if event.what == "set":
            self.at_ms = event.amount
        elif event.what == "moved":
            assert self.at_ms is not None
            self.at_ms += event.amount
        else:
            self.at_ms = None
            self.rang.append(event.amount)

    def deadline_ms(self) -> int | None:
        return self.at_ms

    def snapshot(self) -> tuple[int | None, tuple[int, ...], int]:
        return self.at_ms, tuple(self.rang), self.count

    def restore(self, snapshot: tuple[int | None, tuple[int, ...], int]) -> None:
        self.at_ms, rang, self.count = snapshot
        self.rang = list(rang)


class Codec:
    """Events and snapshots as Python writes them."""

    def encode(self, value: object) -> bytes:
        return repr(value).encode()

    def decode(self, data: bytes) -> Any:
        return eval(data.decode(), {"Event": Event})


@dataclass
class LoopClock:
    """The loop's own time, which may be virtual."""

    ahead_ms: int = 0

    def now_ms(self) -> int:
        return 1_000_000 + self.ahead_ms + round(asyncio.get_running_loop().time() * 1_000)

    def monotonic_ms(self) -> float:
        return asyncio.get_running_loop().time() * 1_000


class OutageJournal(MemoryJournal):
    """A journal with leases, which is away for some spans of time, or slow."""

    def __init__(self) -> None:
        self.clock = LoopClock()
        super().__init__(self.clock)
        self.away: list[tuple[int, int]] = []
        """From, until: ms since the beginning."""
        self.slow_ms: list[int] = []
        self.renewed = 0

    async def _reach(self) -> None:
        now_ms = LoopClock().now_ms() - 1_000_000
        if any(since <= now_ms < until for since, until in self.away):
            raise JournalUnavailable("away")

    async def append(self, rows: Sequence[JournalRow]) -> None:
        if self.slow_ms:
            await asyncio.sleep(self.slow_ms.pop(0) / 1_000)
        await self._reach()
        await super().append(rows)

    async def renew(self, shard: str, epoch: int) -> None:
        await self._reach()
        self.renewed += 1
        await super().renew(shard, epoch)

    async def save_snapshot(
        self, shard: str, seq: int, at_ms: int, encode: Callable[[], bytes]
    ) -> None:
        await self._reach()
        await super().save_snapshot(shard, seq, at_ms, encode)

    async def release(self, shard: str, epoch: int) -> None:
        await self._reach()
        await super().release(shard, epoch)


@dataclass
class Replica:
    """One process's shell, and what it told."""

    journal: OutageJournal
    owner: str = "here"
    clock: LoopClock = field(default_factory=LoopClock)
    core: Alarm = field(default_factory=Alarm)
    gaps: list[int] = field(default_factory=list)
    seen: list[Event] = field(default_factory=list)
    replayed: list[Event] = field(default_factory=list)
    ended: int = 0

    async def start(self) -> Shell[int, Event]:
        shell: Shell[int, Event] = Shell(
            shard="demo",
            owner=self.owner,
            core=self.core,
            journal=self.journal,
            codec=Codec(),
            clock=self.clock,
            hooks=Hooks(
                react=lambda events, _now_ms: self.seen.extend(events),
                after_gap=self._gap,
                replay=self.replayed.append,
                ended=self._end,
            ),
            config_version=3,
        )
        await shell.start()
        return shell

    def _gap(self, gap_ms: int) -> int:
        self.gaps.append(gap_ms)
        return -gap_ms

    def _end(self) -> None:
        self.ended += 1


def virtually(story: Callable[[], Awaitable[T]]) -> T:
    """Runs a story whose time passes as soon as everybody waits."""

    async def run() -> T:
        return await story()

    with asyncio.Runner(loop_factory=partial(VirtualLoop, limit_s=100_000)) as runner:
        return runner.run(run())


def since_start_ms() -> int:
    return LoopClock().now_ms() - 1_000_000
