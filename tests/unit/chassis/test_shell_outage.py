"""The shell when the journal is away, when its owner dies, and when it starts from a snapshot."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from services.chassis import shell as limits
from services.chassis.journal import (
    Fenced,
    JournalRow,
    JournalUnavailable,
    OwnedElsewhere,
)
from services.chassis.shell import ShardClosed
from tests.unit.chassis.alarm import (
    Alarm,
    Codec,
    Event,
    LoopClock,
    OutageJournal,
    Replica,
    since_start_ms,
    virtually,
)


def test_a_deadline_does_not_fall_due_while_nothing_can_be_written() -> None:
    async def story() -> None:
        replica = Replica(OutageJournal())
        shell = await replica.start()
        await shell.submit(5_000)
        await asyncio.sleep(4)
        replica.journal.away = [(3_000, 60_000)]
        await asyncio.sleep(56.5)
        assert replica.seen == [Event("set", 1_005_000)]
        await asyncio.sleep(10)
        (gap_ms,) = replica.gaps
        # Half a minute's silence is known to the second; nobody loses by it.
        assert 56_000 <= gap_ms <= 58_000
        assert replica.core.rang == [1_000_000 + 5_000 + gap_ms]
        await shell.close()

    virtually(story)


def test_a_commit_that_hangs_stops_the_clock_for_as_long() -> None:
    async def story() -> None:
        replica = Replica(OutageJournal())
        shell = await replica.start()
        await shell.submit(5_000)
        replica.journal.slow_ms = [8_000]
        await shell.submit(2_000, patient=True)
        assert replica.core.rang == []
        await asyncio.sleep(1.9)
        assert replica.core.rang == []
        await asyncio.sleep(0.2)
        assert replica.gaps == [8_000]
        assert replica.core.rang == [1_000_000 + 8_000 + 2_000]
        await shell.close()

    virtually(story)


def test_a_journal_that_is_slow_every_time_still_decides() -> None:
    async def story() -> None:
        replica = Replica(OutageJournal())
        shell = await replica.start()
        replica.journal.slow_ms = [400] * 100
        await shell.submit(60_000)
        for _ in range(5):
            before_ms = since_start_ms()
            await shell.submit(60_000)
            assert since_start_ms() - before_ms <= 800
        # Every commit's time but the last one's has been told, each of them once.
        assert replica.gaps == [400] * 5
        replica.journal.slow_ms = []
        await shell.close()

    virtually(story)


def test_a_hiccup_is_no_outage() -> None:
    async def story() -> None:
        replica = Replica(OutageJournal())
        shell = await replica.start()
        replica.journal.slow_ms = [200]
        await shell.submit(1_000)
        await asyncio.sleep(5)
        assert replica.gaps == []
        assert replica.core.rang == [1_001_000]
        assert replica.journal.renewed >= 3, "silence alone renews"
        await shell.close()

    virtually(story)


def test_a_request_is_told_in_time_that_nothing_can_be_written() -> None:
    async def story() -> None:
        replica = Replica(OutageJournal())
        shell = await replica.start()
        replica.journal.away = [(0, 30_000)]
        patient = asyncio.ensure_future(shell.submit(1, patient=True))
        await asyncio.sleep(0.5)
        for attempt in (shell.submit(2), shell.query(lambda now_ms: now_ms)):
            before_ms = since_start_ms()
            with pytest.raises(JournalUnavailable):
                await attempt
            assert since_start_ms() - before_ms == limits.WAIT_S * 1_000
        assert shell.away
        assert await patient == [Event("set", 1_000_001)]
        assert since_start_ms() >= 30_000
        assert not shell.away
        # Whoever was told so asked for nothing: it was not decided later.
        assert [event.what for event in replica.seen].count("set") == 1
        await shell.close()

    virtually(story)


def test_what_is_proposed_is_looked_at_when_it_is_decided() -> None:
    async def story() -> None:
        replica = Replica(OutageJournal())
        shell = await replica.start()
        replica.journal.away = [(0, 9_000)]
        first = asyncio.ensure_future(shell.submit(60_000, patient=True))
        await asyncio.sleep(0.1)
        proposed = asyncio.ensure_future(shell.propose(lambda _now_ms: 5 if replica.gaps else None))
        assert await shell.propose(lambda _now_ms: None) == []
        assert await proposed == [Event("set", LoopClock().now_ms() + 5)]
        assert first.done()
        await shell.close()

    virtually(story)


def test_a_successor_tells_its_core_how_long_nobody_was_there() -> None:
    async def story() -> None:
        journal = OutageJournal()
        dead = Replica(journal, owner="dead")
        shell = await dead.start()
        await shell.submit(5_000)
        journal.away = [(0, 100_000)]  # for the dead one, for ever
        await asyncio.sleep(60)
        journal.away = []
        successor = Replica(journal, owner="alive")
        heir = await successor.start()
        await heir.query(lambda now_ms: now_ms)
        (gap_ms,) = successor.gaps
        assert 59_000 <= gap_ms <= 61_000
        await asyncio.sleep(6)
        assert successor.core.rang == [1_005_000 + gap_ms]
        rows = [row async for row in journal.read("demo")]
        assert [row.epoch for row in rows] == [1, 2, 2]
        assert {row.config_version for row in rows} == {3}
        with pytest.raises(ShardClosed):
            await shell.submit(1, patient=True)
        assert dead.ended == 1
        assert dead.core.rang == []
        await heir.close()

    virtually(story)


def test_an_idle_owner_learns_at_its_next_renewal_that_it_was_replaced() -> None:
    async def story() -> None:
        journal = OutageJournal()
        old = Replica(journal, owner="same")
        shell = await old.start()
        heir = await Replica(journal, owner="same").start()
        await asyncio.sleep(1.1)
        assert old.ended == 1
        with pytest.raises(ShardClosed):
            await shell.query(lambda now_ms: now_ms)
        await shell.close()  # gives nothing away that is not its own
        with pytest.raises(OwnedElsewhere):
            await journal.open("demo", "another")
        await heir.close()
        assert (await journal.open("demo", "another")).epoch == 3

    virtually(story)


def test_closing_releases_at_once_and_without_the_journal_soon() -> None:
    async def story() -> None:
        journal = OutageJournal()
        shell = await Replica(journal, owner="first").start()
        await shell.submit(60_000)
        await shell.close()
        saved = await journal.load_snapshot("demo")
        assert saved is not None
        assert saved.seq == 1
        shell = await Replica(journal, owner="second").start()
        journal.away = [(0, 1_000_000)]
        undecided = asyncio.ensure_future(shell.submit(1, patient=True))
        await asyncio.sleep(0.5)
        before_ms = since_start_ms()
        await shell.close()
        assert since_start_ms() - before_ms < 5_000
        with pytest.raises(ShardClosed):
            await undecided
        # What was decided and not written is in no snapshot.
        assert await journal.load_snapshot("demo") == saved

    virtually(story)


def test_a_snapshot_and_the_rows_after_it_are_the_whole_state(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "SNAPSHOT_ROWS", 10)
    monkeypatch.setattr(limits, "SNAPSHOT_EVERY_MS", 0)
    monkeypatch.setattr(limits, "LOOK_BACK_ROWS", 4)

    async def story() -> None:
        journal = OutageJournal()
        first = Replica(journal)
        shell = await first.start()
        for _ in range(25):
            await shell.submit(60_000)
        assert shell.seq == 25
        saved = await journal.load_snapshot("demo")
        assert saved is not None
        assert saved.seq == 20
        heir = Replica(journal)
        await heir.start()
        assert heir.core.snapshot() == first.core.snapshot()
        assert len(heir.replayed) == 4 + 5
        whole = Alarm()
        async for row in journal.read("demo"):
            for event in row.events:
                whole.apply(Codec().decode(event))
        assert whole.snapshot() == heir.core.snapshot()

    virtually(story)


def test_without_its_journal_a_snapshot_is_left_for_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SNAPSHOT_ROWS", 2)
    monkeypatch.setattr(limits, "SNAPSHOT_EVERY_MS", 0)

    async def story() -> None:
        class NoRoom(OutageJournal):
            full = True

            async def save_snapshot(
                self, shard: str, seq: int, at_ms: int, encode: Callable[[], bytes]
            ) -> None:
                if self.full:
                    raise JournalUnavailable("no room")
                await super().save_snapshot(shard, seq, at_ms, encode)

        journal = NoRoom()
        shell = await Replica(journal).start()
        for _ in range(4):
            await shell.submit(60_000)
        assert await journal.load_snapshot("demo") is None
        journal.full = False
        await shell.submit(60_000)
        await asyncio.sleep(0)
        saved = await journal.load_snapshot("demo")
        assert saved is not None
        assert saved.seq > 2
        await shell.close()

    virtually(story)


def test_a_long_rebuilding_keeps_the_lease() -> None:
    async def story() -> None:
        class SlowToRead(OutageJournal):
            async def read(self, *args: Any, **more: Any) -> Any:
                async for row in super().read(*args, **more):
                    await asyncio.sleep(0.5)
                    yield row

        journal = SlowToRead()
        await journal.open("demo", "before")
        some = [
            JournalRow("demo", seq, 1, seq, b"", (b"Event('set', 99999999)",))
            for seq in range(1, 21)
        ]
        await journal.append(some)
        await journal.release("demo", 1)
        opening = asyncio.ensure_future(Replica(journal, owner="here").start())
        for _ in range(9):
            await asyncio.sleep(1)
            with pytest.raises(OwnedElsewhere):
                await journal.open("demo", "there")
        shell = await opening
        await shell.close()

    virtually(story)


def test_a_journal_that_lost_rows_is_not_believed() -> None:
    async def story() -> None:
        class Torn(OutageJournal):
            async def read(self, *_args: Any, **_more: Any) -> Any:
                return
                yield

        journal = Torn()
        await journal.open("demo", "before")
        await journal.append([JournalRow("demo", 1, 1, 1, b"", ())])
        await journal.release("demo", 1)
        with pytest.raises(Fenced):
            await Replica(journal).start()

    virtually(story)
