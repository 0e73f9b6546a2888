"""The shell: replies wait for the journal, commits are shared, one timer, one writer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest

from services.chassis.errors import CarillonError
from services.chassis.journal import (
    Fenced,
    JournalRow,
    JournalUnavailable,
    MemoryJournal,
)
from services.chassis.shell import Hooks, Overloaded, ShardClosed, Shell


class BelowZero(CarillonError):
    """The counter cannot go there."""

    code = "below-zero"


@dataclass(frozen=True, slots=True)
class Added:
    amount: int
    alarm_ms: int | None = None


class Counter:
    """A core that adds numbers, and adds 100 when its alarm goes off."""

    def __init__(self) -> None:
        self.total = 0
        self.alarm_ms: int | None = None

    def handle(self, command: int, now_ms: int) -> list[Added]:
        if self.total + command < 0:
            raise BelowZero(str(self.total + command))
        if command == 0:
            return []
        return [Added(command, now_ms + 50 if command == 7 else self.alarm_ms)]

    def tick(self, now_ms: int) -> list[Added]:
        assert self.alarm_ms is not None
        assert now_ms >= self.alarm_ms
        return [Added(100, None)]

    def apply(self, event: Added) -> None:
        self.total += event.amount
        self.alarm_ms = event.alarm_ms

    def deadline_ms(self) -> int | None:
        return self.alarm_ms

    def snapshot(self) -> int:
        return self.total

    def restore(self, snapshot: int) -> None:
        self.total = snapshot


class Codec:
    """Numbers and events as text."""

    def encode(self, value: object) -> bytes:
        if isinstance(value, Added):
            return f"{value.amount},{value.alarm_ms or ''}".encode()
        return str(value).encode()

    def decode(self, data: bytes) -> Added:
        amount, alarm = data.decode().split(",")
        return Added(int(amount), int(alarm) if alarm else None)


class LoopClock:
    """The loop's own time, from a wall anchor."""

    def now_ms(self) -> int:
        return 1_000_000 + int(asyncio.get_running_loop().time() * 1_000)

    def monotonic_ms(self) -> float:
        return asyncio.get_running_loop().time() * 1_000


@dataclass
class GatedJournal(MemoryJournal):
    """A journal whose writes wait for a gate, and may fail."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    failures: list[CarillonError] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        super().__init__()

    async def append(self, rows: Sequence[JournalRow]) -> None:
        self.asked.set()
        await self.gate.wait()
        if self.failures:
            raise self.failures.pop(0)
        await super().append(rows)
        self.batches.append(len(rows))

    async def rows(self) -> list[JournalRow]:
        return [row async for row in self.read("demo")]


@pytest.fixture
def journal() -> GatedJournal:
    return GatedJournal()


class Reactions:
    def __init__(self) -> None:
        self.seen: list[Added] = []
        self.twice = asyncio.Event()

    def __call__(self, events: Sequence[Added], _now_ms: int) -> None:
        self.seen.extend(events)
        if len(self.seen) > 1:
            self.twice.set()


@pytest.fixture
def reactions() -> Reactions:
    return Reactions()


@pytest.fixture
async def shell(journal: GatedJournal, reactions: Reactions) -> AsyncIterator[Shell[int, Added]]:
    shell = make(journal, reactions, Counter())
    await shell.start()
    yield shell
    journal.gate.set()
    await shell.close()


def make(journal: GatedJournal, reactions: Reactions, core: Counter) -> Shell[int, Added]:
    return Shell(
        shard="demo",
        owner="here",
        core=core,
        journal=journal,
        codec=Codec(),
        clock=LoopClock(),
        hooks=Hooks(react=reactions, after_gap=lambda gap_ms: 1_000_000 + gap_ms),
    )


async def test_reply_and_reaction_wait_until_the_journal_has_it(
    shell: Shell[int, Added], journal: GatedJournal, reactions: Reactions
) -> None:
    asked = asyncio.ensure_future(shell.submit(5))
    await journal.asked.wait()
    assert not asked.done()
    assert reactions.seen == []
    journal.gate.set()
    assert await asked == [Added(5)]
    assert reactions.seen == [Added(5)]


async def test_commands_that_wait_share_one_commit(
    shell: Shell[int, Added], journal: GatedJournal
) -> None:
    first = asyncio.ensure_future(shell.submit(1))
    await journal.asked.wait()
    others = [asyncio.ensure_future(shell.submit(1)) for _ in range(9)]
    journal.gate.set()
    await asyncio.gather(first, *others)
    assert journal.batches == [1, 9]
    assert [row.seq for row in await journal.rows()] == list(range(1, 11))


async def test_a_read_sees_only_what_is_written_when_it_is_answered(
    shell: Shell[int, Added], journal: GatedJournal
) -> None:
    first = asyncio.ensure_future(shell.submit(1))
    await journal.asked.wait()
    more, read = (
        asyncio.ensure_future(shell.submit(2)),
        asyncio.ensure_future(shell.query(lambda now_ms: now_ms)),
    )
    journal.gate.set()
    assert await read >= 1_000_000
    assert first.done()
    assert more.done()


async def test_an_illegal_command_raises_its_name_and_writes_nothing(
    shell: Shell[int, Added], journal: GatedJournal
) -> None:
    journal.gate.set()
    with pytest.raises(BelowZero):
        await shell.submit(-1)
    assert await shell.submit(0) == []
    assert await journal.rows() == []


async def test_time_alone_is_an_input_too(
    shell: Shell[int, Added], journal: GatedJournal, reactions: Reactions
) -> None:
    journal.gate.set()
    await shell.submit(7)
    await asyncio.wait_for(reactions.twice.wait(), 5)
    assert reactions.seen[1] == Added(100)
    rows = await journal.rows()
    assert [row.input for row in rows] == [b"7", b""]
    assert rows[1].at_ms >= rows[0].at_ms + 50


async def test_while_the_journal_is_away_nothing_is_answered_and_then_all_is(
    shell: Shell[int, Added], journal: GatedJournal
) -> None:
    journal.failures = [JournalUnavailable("away"), JournalUnavailable("still away")]
    journal.gate.set()
    assert await asyncio.wait_for(shell.submit(3), 5) == [Added(3)]
    assert len(await journal.rows()) == 1


async def test_a_new_owner_rebuilds_the_state_and_fences_the_old_one(
    shell: Shell[int, Added], journal: GatedJournal, reactions: Reactions
) -> None:
    journal.gate.set()
    await shell.submit(3)
    await shell.submit(4)
    core = Counter()
    successor = make(journal, reactions, core)
    await successor.start()
    assert core.total == 7
    with pytest.raises(ShardClosed):
        await shell.submit(1)
    with pytest.raises(ShardClosed):
        await shell.submit(1)
    assert await successor.submit(1) == [Added(1)]
    await successor.close()


async def test_a_fenced_owner_answers_everyone_who_waits(
    shell: Shell[int, Added], journal: GatedJournal
) -> None:
    first = asyncio.ensure_future(shell.submit(1))
    await journal.asked.wait()
    second = asyncio.ensure_future(shell.submit(1))
    await asyncio.sleep(0)
    journal.failures = [Fenced("another")]
    journal.gate.set()
    results = await asyncio.gather(first, second, return_exceptions=True)
    assert [type(result) for result in results] == [ShardClosed, ShardClosed]


async def test_a_core_that_breaks_leaves_nobody_waiting(
    shell: Shell[int, Added], journal: GatedJournal
) -> None:
    first = asyncio.ensure_future(shell.submit(1))
    await journal.asked.wait()
    patient = [asyncio.ensure_future(shell.submit(n, patient=True)) for n in (2, 3, 4)]
    broken = asyncio.ensure_future(shell.query(lambda _now_ms: 1 // 0, patient=True))
    await asyncio.sleep(0)
    journal.gate.set()
    async with asyncio.timeout(10):
        results = await asyncio.gather(*patient, broken, return_exceptions=True)
    assert await first == [Added(1)]
    assert [type(result) for result in results] == [ShardClosed] * 4


async def test_too_many_commands_are_refused_by_name(
    shell: Shell[int, Added], journal: GatedJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.chassis.shell.MAX_WAITING", 2)
    first = asyncio.ensure_future(shell.submit(1))
    await journal.asked.wait()
    waiting = [asyncio.ensure_future(shell.submit(1)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await shell.submit(1)
    journal.gate.set()
    await asyncio.gather(first, *waiting)


async def test_who_has_gone_takes_nobodys_place(
    shell: Shell[int, Added], journal: GatedJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.chassis.shell.MAX_WAITING", 2)
    first = asyncio.ensure_future(shell.submit(1))
    await journal.asked.wait()
    gone = [asyncio.ensure_future(shell.submit(1)) for _ in range(2)]
    await asyncio.sleep(0)
    for each in gone:
        each.cancel()
    await asyncio.wait(gone)
    stays = asyncio.ensure_future(shell.submit(2))
    await asyncio.sleep(0)
    journal.gate.set()
    assert await first == [Added(1)]
    assert await stays == [Added(2)]


async def test_who_goes_away_does_not_disturb_the_others(
    shell: Shell[int, Added], journal: GatedJournal
) -> None:
    gone = asyncio.ensure_future(shell.submit(1))
    await journal.asked.wait()
    stays = asyncio.ensure_future(shell.submit(2))
    gone.cancel()
    journal.gate.set()
    assert await stays == [Added(2)]
    # What was decided is decided, whoever asked.
    assert len(await journal.rows()) == 2


async def test_closing_commits_what_was_decided_and_refuses_what_was_not(
    shell: Shell[int, Added], journal: GatedJournal
) -> None:
    decided = asyncio.ensure_future(shell.submit(1))
    await journal.asked.wait()
    undecided = asyncio.ensure_future(shell.submit(2))
    closing = asyncio.ensure_future(shell.close())
    await asyncio.sleep(0)
    journal.gate.set()
    await closing
    assert await decided == [Added(1)]
    with pytest.raises(ShardClosed):
        await undecided
    with pytest.raises(ShardClosed):
        await shell.submit(3)
