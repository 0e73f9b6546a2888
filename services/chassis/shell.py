"""The shell around a journalled core, written once.

Take a command, `handle`, `apply`, append input and events in a group commit, and only then
reply and react; re-arm one timer. Commands that arrive while a commit is under way share the
next one. While the journal cannot be written, replies and effects are held and nothing new is
decided, so that no lease runs out because of an outage alone.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from services.chassis.clock import Clock
from services.chassis.core import Core
from services.chassis.errors import CarillonError, Kind
from services.chassis.journal import Fenced, Journal, JournalRow, JournalUnavailable
from services.chassis.log import get_logger
from services.chassis.tasks import Tasks

log = get_logger("shell")

C = TypeVar("C")
E = TypeVar("E")
R = TypeVar("R")

MAX_WAITING = 10_000
MAX_BATCH = 256
RETRY_FIRST_S = 0.05
RETRY_LAST_S = 1.0


class Overloaded(CarillonError):
    """More commands wait than the shell takes; ask again."""

    code: ClassVar[str] = "overloaded"
    kind: ClassVar[Kind] = Kind.EXHAUSTED


class ShardClosed(CarillonError):
    """This process no longer decides for the shard."""

    code: ClassVar[str] = "shard-closed"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


class RowCodec(Protocol):
    """Turns commands and events into bytes and back."""

    def encode(self, value: Any) -> bytes:
        """Bytes that name the type."""

    def decode(self, data: bytes) -> Any:
        """What `encode` was given."""


@dataclass(slots=True)
class _Waiting(Generic[C, E]):
    """Something asked of the shell, until it is committed."""

    future: asyncio.Future[Any]
    command: C | None = None
    read: Callable[[int], Any] | None = None
    result: Any = None
    error: CarillonError | None = None


@dataclass(slots=True)
class _Batch(Generic[C, E]):
    """What one commit carries."""

    asked: list[_Waiting[C, E]] = field(default_factory=list)
    rows: list[JournalRow] = field(default_factory=list)
    events: list[E] = field(default_factory=list)


class Shell(Generic[C, E]):
    """Runs one shard's core. Start it, submit commands, close it."""

    def __init__(
        self,
        *,
        shard: str,
        core: Core[C, E, Any],
        journal: Journal,
        codec: RowCodec,
        clock: Clock,
        react: Callable[[Sequence[E], int], None],
    ) -> None:
        """`react` is called with committed events and their time; it must not block or raise."""
        self._shard = shard
        self._core = core
        self._journal = journal
        self._codec = codec
        self._clock = clock
        self._react = react
        self._tasks = Tasks()
        self._waiting: deque[_Waiting[C, E]] = deque()
        self._wake = asyncio.Event()
        self._seq = 0
        self._epoch = 0
        self._last_ms = 0
        self._closed = False
        self._committing: asyncio.Task[None] | None = None
        self.commits = 0
        """Group commits so far."""

    async def start(self) -> None:
        """Takes the shard over, rebuilds the state from its rows, and begins to decide."""
        self._epoch = await self._journal.open(self._shard)
        async for row in self._journal.read(self._shard):
            for event in row.events:
                self._core.apply(self._codec.decode(event))
            self._seq, self._last_ms = row.seq, row.at_ms
        self._committing = self._tasks.start(self._run(), f"shell {self._shard}")

    async def submit(self, command: C) -> list[E]:
        """Decides a command; returns its events after they are committed.

        Raises the core's named error, Overloaded, or ShardClosed.
        """
        events: list[E] = await self._ask(_Waiting(future=_future(), command=command))
        return events

    async def query(self, read: Callable[[int], R]) -> R:
        """Reads the state by `read(now_ms)`; answered once all that it saw is committed."""
        result: R = await self._ask(_Waiting(future=_future(), read=read))
        return result

    async def close(self) -> None:
        """Commits what was decided, refuses the rest with ShardClosed, and ends."""
        self._closed = True
        self._wake.set()
        if self._committing is not None:
            await asyncio.wait((self._committing,), timeout=RETRY_LAST_S)
        await self._tasks.close()
        self._refuse(ShardClosed(self._shard))

    async def _ask(self, asked: _Waiting[C, E]) -> Any:
        if self._closed:
            raise ShardClosed(self._shard)
        if len(self._waiting) >= MAX_WAITING:
            raise Overloaded(f"{MAX_WAITING} commands wait")
        self._waiting.append(asked)
        self._wake.set()
        return await asked.future

    async def _run(self) -> None:
        while not self._closed:
            await self._until_due()
            try:
                await self._commit(self._decide())
            except Fenced as error:
                # Another replica owns the shard: what this core holds is no longer true.
                log.warning("fenced", shard=self._shard, reason=str(error))
                self._closed = True
                self._refuse(ShardClosed(f"{self._shard}: another replica took it over"))
            except BaseException:
                self._closed = True
                self._refuse(ShardClosed(self._shard))
                raise

    async def _until_due(self) -> None:
        """Waits for a command or the core's deadline, whichever is first."""
        deadline_ms = self._core.deadline_ms()
        if not self._waiting:
            wait_s = None
            if deadline_ms is not None:
                wait_s = max(0, deadline_ms - self._clock.now_ms()) / 1_000
            try:
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()
            except TimeoutError:
                pass  # the deadline: `_decide` ticks
        self._wake.clear()

    def _decide(self) -> _Batch[C, E]:
        batch: _Batch[C, E] = _Batch()
        now_ms = self._last_ms = max(self._last_ms, self._clock.now_ms())
        deadline_ms = self._core.deadline_ms()
        if deadline_ms is not None and deadline_ms <= now_ms:
            self._take(batch, None, self._core.tick(now_ms), now_ms)
        while self._waiting and len(batch.asked) < MAX_BATCH:
            asked = self._waiting.popleft()
            batch.asked.append(asked)
            try:
                if asked.read is not None:
                    asked.result = asked.read(now_ms)
                elif asked.command is not None:
                    events = self._core.handle(asked.command, now_ms)
                    self._take(batch, asked.command, events, now_ms)
                    asked.result = events
            except CarillonError as error:
                asked.error = error
        if self._waiting:
            self._wake.set()
        return batch

    def _take(self, batch: _Batch[C, E], command: C | None, events: list[E], now_ms: int) -> None:
        if not events:
            return  # nothing changed: nothing to remember
        for event in events:
            self._core.apply(event)
        self._seq += 1
        batch.rows.append(
            JournalRow(
                shard=self._shard,
                seq=self._seq,
                epoch=self._epoch,
                at_ms=now_ms,
                input=b"" if command is None else self._codec.encode(command),
                events=tuple(self._codec.encode(event) for event in events),
            )
        )
        batch.events.extend(events)

    async def _commit(self, batch: _Batch[C, E]) -> None:
        try:
            await self._append(batch.rows)
        except BaseException:
            for asked in batch.asked:
                _answer(asked, ShardClosed(self._shard))
            raise
        # Replies come after effects are handed on: who reads their own write sees its effect.
        if batch.events:
            self._react(batch.events, self._last_ms)
        for asked in batch.asked:
            _answer(asked, asked.error)

    async def _append(self, rows: list[JournalRow]) -> None:
        if not rows:
            return
        pause_s = RETRY_FIRST_S
        while True:
            try:
                await self._journal.append(rows)
            except JournalUnavailable as error:
                if self._closed:
                    raise
                log.warning("journal unavailable", shard=self._shard, reason=str(error))
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, RETRY_LAST_S)
            else:
                self.commits += 1
                return

    def _refuse(self, error: CarillonError) -> None:
        while self._waiting:
            _answer(self._waiting.popleft(), error)


def _future() -> asyncio.Future[Any]:
    return asyncio.get_running_loop().create_future()


def _answer(asked: _Waiting[Any, Any], error: CarillonError | None) -> None:
    if asked.future.done():
        return  # who asked has gone
    if error is not None:
        asked.future.set_exception(error)
    else:
        asked.future.set_result(asked.result)
