"""The shell around a journalled core, written once.

Take a command, `handle`, `apply`, append input and events in a group commit, and only then
reply and react; re-arm one timer. Commands that arrive while a commit is under way share the
next one. While the journal cannot be written, replies and effects are held and nothing new is
decided; time that passed so is told to the core as a gap before anything else, so that no lease
runs out because of an outage alone.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from services.chassis.clock import Clock, CorrectedClock
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
WAIT_S = 4.0
"""How long a request waits for a journal that is away, unless it is patient: less than a client's
own deadline, so that the answer has a name."""
RENEW_EVERY_MS = 500
STALL_MS = 250
"""A commit, or a silence, that is longer by this stops the core's clock."""
CLOCKS_DIFFER_MS = 500
"""What this process's clock may differ by from the one that leases go by; more is put right."""
SNAPSHOT_ROWS = 2_000
SNAPSHOT_EVERY_MS = 10_000
"""A snapshot is taken after so many rows, and not more often than that."""
LOOK_BACK_ROWS = 2_000
"""Rows before the snapshot that are shown to `replay` again at the start."""
CLOSE_S = 3.0


class Overloaded(CarillonError):
    """More commands wait than the shell takes; ask again."""

    code: ClassVar[str] = "overloaded"
    kind: ClassVar[Kind] = Kind.EXHAUSTED


class ShardClosed(CarillonError):
    """This process no longer decides for the shard."""

    code: ClassVar[str] = "shard-closed"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


class RowCodec(Protocol):
    """Turns commands, events and snapshots into bytes and back."""

    def encode(self, value: Any) -> bytes:
        """Bytes that name the type."""

    def decode(self, data: bytes) -> Any:
        """What `encode` was given."""


@dataclass(frozen=True, slots=True)
class Hooks(Generic[C, E]):
    """What a shell tells the part around it. None of them may block or raise."""

    react: Callable[[Sequence[E], int], None]
    """Called with committed events and their time."""
    after_gap: Callable[[int], C]
    """The command that tells the core that so many ms did not count; called before anything else
    is decided."""
    replay: Callable[[E], None] = lambda _event: None
    """Called with the events read at the start, some older than the last snapshot included."""
    ended: Callable[[], None] = lambda: None
    """Called when another owner has the shard: what this one knows is no longer true."""


@dataclass(slots=True)
class _Waiting(Generic[C, E]):
    """Something asked of the shell, until it is committed."""

    future: asyncio.Future[Any]
    command: C | None = None
    propose: Callable[[int], C | None] | None = None
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
        owner: str,
        core: Core[C, E, Any],
        journal: Journal,
        codec: RowCodec,
        clock: Clock,
        hooks: Hooks[C, E],
        config_version: int = 0,
    ) -> None:
        """`owner` is the address at which this process is reached; see `Journal.open`."""
        self._shard = shard
        self._owner = owner
        self._core = core
        self._journal = journal
        self._codec = codec
        self._clock = CorrectedClock(clock)
        self._hooks = hooks
        self._config_version = config_version
        self._tasks = Tasks()
        self._waiting: deque[_Waiting[C, E]] = deque()
        self._under_way: list[_Waiting[C, E]] = []
        self._wake = asyncio.Event()
        self._seq = self._written_seq = self._snapshot_seq = 0
        self._epoch = 0
        self._last_ms = self._alive_ms = self._snapshot_ms = 0
        # Time up to here has been counted, or told as a gap; what is to come is told once.
        self._gap_ms = self._counted_ms = 0
        self._closed = False
        self._committing: asyncio.Task[None] | None = None
        self._saving: asyncio.Task[None] | None = None
        self.commits = 0
        """Group commits so far."""
        self.stopped_ms = 0
        """Time that did not count, so far."""
        self.away = False
        """Whether the journal cannot be reached now."""

    @property
    def clock(self) -> Clock:
        """The shard's time: that of this process, put right when the shard is taken over."""
        return self._clock

    @property
    def waiting(self) -> int:
        """Commands and reads that are not answered yet, those under way apart."""
        return len(self._waiting)

    @property
    def seq(self) -> int:
        """The last row that is written."""
        return self._written_seq

    async def start(self) -> None:
        """Takes the shard over, rebuilds the state from snapshot and rows, begins to decide.

        Raises OwnedElsewhere or JournalUnavailable.
        """
        began_ms = self._clock.now_ms()
        opened = await self._journal.open(self._shard, self._owner)
        self._epoch = opened.epoch
        if opened.now_ms is not None:
            began_ms += self._put_right(began_ms, opened.now_ms)
        await self._recover()
        # An owner before this one may have been ahead; time goes on from there, and does not stand.
        began_ms += self._put_right(began_ms, max(self._last_ms, self._clock.now_ms()))
        self._alive_ms = began_ms
        if self._seq != opened.last_seq:
            raise Fenced(f"{self._shard}: row {opened.last_seq} is the last, not {self._seq}")
        now_ms = self._snapshot_ms = self._counted_ms = self._clock.now_ms()
        self._gap_ms = opened.silent_ms + now_ms - began_ms if self._seq else 0
        # A shard is one tenant's, and called by it.
        self._committing = self._tasks.start(
            self._run(), f"shell {self._shard}", about=(self._shard, "")
        )

    def _put_right(self, began_ms: int, true_ms: int) -> int:
        """Corrects the clock if it differs by more than it may, and tells by how much.

        `true_ms` was the time at some moment between `began_ms` and now.
        """
        by_ms = min(0, true_ms - began_ms) + max(0, true_ms - self._clock.now_ms())
        if abs(by_ms) <= CLOCKS_DIFFER_MS:
            return 0
        log.warning("clock put right", shard=self._shard, by_ms=by_ms)
        self._clock.correct(by_ms)
        return by_ms

    async def submit(self, command: C, *, patient: bool = False) -> list[E]:
        """Decides a command; returns its events after they are committed.

        Raises the core's named error, Overloaded, ShardClosed, or JournalUnavailable when it could
        not be written in time: it may still come true. The patient wait for as long as it takes.
        """
        asked: _Waiting[C, E] = _Waiting(future=_future(), command=command)
        events: list[E] = await self._ask(asked, patient=patient)
        return events

    async def propose(self, make: Callable[[int], C | None], *, patient: bool = True) -> list[E]:
        """Decides what `make(now_ms)` asks for at the moment of the decision; None: nothing.

        For what time alone leads to outside the core: gaps have been told by then. Also for who
        must know the state that a command was decided on.
        """
        asked: _Waiting[C, E] = _Waiting(future=_future(), propose=make, result=[])
        events: list[E] = await self._ask(asked, patient=patient)
        return events

    async def query(self, read: Callable[[int], R], *, patient: bool = False) -> R:
        """Reads the state by `read(now_ms)`; answered once all that it saw is committed."""
        asked: _Waiting[C, E] = _Waiting(future=_future(), read=read)
        result: R = await self._ask(asked, patient=patient)
        return result

    async def close(self) -> None:
        """Commits what was decided, refuses the rest with ShardClosed, and lets the shard go."""
        owned = self._committing is not None and not self._committing.done()
        self._closed = True
        self._wake.set()
        if self._committing is not None:
            await asyncio.wait((self._committing,), timeout=RETRY_LAST_S)
        await self._tasks.close()
        self._refuse(ShardClosed(self._shard))
        if owned:
            await self._let_go()

    async def _let_go(self) -> None:
        try:
            async with asyncio.timeout(CLOSE_S):
                if self._written_seq == self._seq != self._snapshot_seq:
                    await self._save(self._core.snapshot(), self._seq, self._last_ms)
                await self._journal.release(self._shard, self._epoch)
        except (JournalUnavailable, TimeoutError) as error:
            # The lease ends by itself.
            log.warning("shard not released", shard=self._shard, reason=str(error))

    async def _recover(self) -> None:
        saved = await self._journal.load_snapshot(self._shard)
        if saved is not None:
            self._core.restore(self._codec.decode(saved.state))
            self._seq, self._last_ms = saved.seq, saved.at_ms
        self._snapshot_seq = self._seq
        after_seq = max(0, self._snapshot_seq - LOOK_BACK_ROWS)
        async for row in self._journal.read(self._shard, after_seq):
            for encoded in row.events:
                event = self._codec.decode(encoded)
                if row.seq > self._snapshot_seq:
                    self._core.apply(event)
                self._hooks.replay(event)
            self._seq, self._last_ms = row.seq, row.at_ms
            if self._is_silent_for(RENEW_EVERY_MS):
                await self._journal.renew(self._shard, self._epoch)
                self._alive_ms = self._clock.now_ms()
        self._written_seq = self._seq

    async def _ask(self, asked: _Waiting[C, E], *, patient: bool) -> Any:
        if self._closed:
            raise ShardClosed(self._shard)
        if len(self._waiting) >= MAX_WAITING:
            # Who has gone, or was told to ask again, takes nobody's place.
            self._waiting = deque(each for each in self._waiting if not each.future.done())
        if len(self._waiting) >= MAX_WAITING:
            raise Overloaded(f"{MAX_WAITING} commands wait")
        self._waiting.append(asked)
        self._wake.set()
        if patient:
            return await asked.future
        late = JournalUnavailable(f"not written within {WAIT_S:g} s; ask again")
        timer = asyncio.get_running_loop().call_later(WAIT_S, _answer, asked, late)
        try:
            return await asked.future
        finally:
            timer.cancel()

    async def _run(self) -> None:
        try:
            while not self._closed:
                await self._until_due()
                await self._stay_owner()
                await self._commit(self._decide())
        except Fenced as error:
            # Another replica owns the shard: what this core holds is no longer true.
            log.warning("fenced", shard=self._shard, reason=str(error))
            self._end(ShardClosed(f"{self._shard}: another replica took it over"))
        except JournalUnavailable as error:
            log.warning("closed while the journal is away", shard=self._shard, reason=str(error))
            self._end(ShardClosed(self._shard))
        except BaseException:
            self._end(ShardClosed(self._shard))
            raise

    def _end(self, error: CarillonError) -> None:
        told, self._closed = self._closed, True
        self._refuse(error)
        if not told:
            self._hooks.ended()

    async def _until_due(self) -> None:
        """Waits for a command, the core's deadline or the next renewal, whichever is first."""
        if not self._waiting:
            due = [at for at in (self._core.deadline_ms(), self._renewal_ms()) if at is not None]
            wait_s = max(0, min(due) - self._clock.now_ms()) / 1_000 if due else None
            try:
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()
            except TimeoutError:
                pass  # the deadline: `_decide` ticks
        self._wake.clear()

    def _renewal_ms(self) -> int | None:
        return None if self._journal.lease_ms is None else self._alive_ms + RENEW_EVERY_MS

    def _is_silent_for(self, silent_ms: int) -> bool:
        if self._journal.lease_ms is None:
            return False
        return self._clock.now_ms() - self._alive_ms >= silent_ms

    async def _stay_owner(self) -> None:
        """Renews in time: nothing is decided by an owner whose lease may have run out."""
        if not self._is_silent_for(RENEW_EVERY_MS):
            return
        since_ms = max(self._alive_ms, self._counted_ms)
        await self._insist(lambda: self._journal.renew(self._shard, self._epoch))
        self._counted_ms = self._clock.now_ms()
        silent_ms = self._counted_ms - since_ms
        if silent_ms >= RENEW_EVERY_MS + STALL_MS:
            self._gap_ms += silent_ms

    def _resume(self, batch: _Batch[C, E], now_ms: int) -> None:
        """What follows from the time that did not count."""
        gap_ms, self._gap_ms = self._gap_ms, 0
        self.stopped_ms += gap_ms
        log.warning("clock stood still", shard=self._shard, gap_ms=gap_ms)
        command = self._hooks.after_gap(gap_ms)
        self._take(batch, command, self._core.handle(command, now_ms), now_ms)

    def _decide(self) -> _Batch[C, E]:
        batch: _Batch[C, E] = _Batch()
        self._under_way = batch.asked
        now_ms = self._last_ms = max(self._last_ms, self._clock.now_ms())
        if self._gap_ms >= STALL_MS:
            # In the same commit as what is decided next: were each told in one of its own, a
            # journal that is slow every time would leave no time to decide anything else.
            self._resume(batch, now_ms)
        deadline_ms = self._core.deadline_ms()
        if deadline_ms is not None and deadline_ms <= now_ms:
            self._take(batch, None, self._core.tick(now_ms), now_ms)
        while self._waiting and len(batch.asked) < MAX_BATCH:
            asked = self._waiting.popleft()
            if asked.future.done():
                continue  # who asked has gone, or was told to ask again
            batch.asked.append(asked)
            try:
                self._answer_to(asked, batch, now_ms)
            except CarillonError as error:
                asked.error = error
        if self._waiting:
            self._wake.set()
        return batch

    def _answer_to(self, asked: _Waiting[C, E], batch: _Batch[C, E], now_ms: int) -> None:
        if asked.read is not None:
            asked.result = asked.read(now_ms)
            return
        command = asked.command if asked.propose is None else asked.propose(now_ms)
        if command is not None:
            asked.result = self._core.handle(command, now_ms)
            self._take(batch, command, asked.result, now_ms)

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
                config_version=self._config_version,
            )
        )
        batch.events.extend(events)

    async def _commit(self, batch: _Batch[C, E]) -> None:
        await self._append(batch.rows)
        # Replies come after effects are handed on: who reads their own write sees its effect.
        if batch.events:
            self._hooks.react(batch.events, self._last_ms)
        for asked in batch.asked:
            _answer(asked, asked.error)
        self._save_if_due()

    async def _append(self, rows: list[JournalRow]) -> None:
        if not rows:
            return
        began_ms = self._clock.now_ms()
        await self._insist(lambda: self._journal.append(rows))
        self._counted_ms = self._clock.now_ms()
        took_ms = self._counted_ms - began_ms
        if took_ms >= STALL_MS:
            self._gap_ms += took_ms
        self._written_seq = rows[-1].seq
        self.commits += 1

    async def _insist(self, attempt: Callable[[], Awaitable[None]]) -> None:
        """Tries until the journal is there; a success is a sign of life."""
        pause_s = RETRY_FIRST_S
        while True:
            began_ms = self._clock.now_ms()
            try:
                await attempt()
            except JournalUnavailable as error:
                if self._closed:
                    raise
                if not self.away:
                    log.warning("journal away", shard=self._shard, reason=str(error))
                self.away = True
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, RETRY_LAST_S)
            else:
                self._alive_ms, self.away = began_ms, False
                return

    def _save_if_due(self) -> None:
        now_ms = self._clock.now_ms()
        if (
            self._seq - self._snapshot_seq < SNAPSHOT_ROWS
            or now_ms - self._snapshot_ms < SNAPSHOT_EVERY_MS
            or (self._saving is not None and not self._saving.done())
        ):
            return
        self._snapshot_ms = now_ms
        save = self._save(self._core.snapshot(), self._seq, self._last_ms)
        self._saving = self._tasks.start(save, f"snapshot {self._shard}")

    async def _save(self, state: Any, seq: int, at_ms: int) -> None:
        """Keeps a snapshot beside the work; rows are frozen, so it may take its time."""
        try:
            await self._journal.save_snapshot(
                self._shard, seq, at_ms, lambda: self._codec.encode(state)
            )
            self._snapshot_seq = seq
        except CarillonError as error:
            log.warning("no snapshot", shard=self._shard, code=error.code, reason=str(error))

    def _refuse(self, error: CarillonError) -> None:
        for asked in self._under_way:
            _answer(asked, error)
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
