"""Who waits, as readers are told: together, seldom, and no more than they can hold."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from services.acd import model
from services.acd.following import Leaving, TooSlow
from services.acd.model import ContactStage, EntryId, NoSuchQueueError, Outcome, QueueId
from services.acd.shard import Shard
from services.acd.waiting import EVERY_MS, MAX_BEHIND, MAX_ROWS, WaitingChange, WaitingReader
from tests.unit.acd.house import ANNA, DEMO, House, Q, enqueue, furnish, ready, virtually

R = QueueId("r")


@contextmanager
def watching(shard: Shard, *queue_ids: QueueId) -> Iterator[Told]:
    with shard.waiting.watch(frozenset(queue_ids)) as reader:
        yield Told(shard, reader)


class Told:
    """What one reader was told."""

    def __init__(self, shard: Shard, reader: WaitingReader) -> None:
        self._shard = shard
        self._reader = reader
        self._items = aiter(reader.mailbox.items())
        self.stages: dict[EntryId, ContactStage] = {}

    async def everybody(self) -> WaitingChange:
        change = await self._shard.query(lambda _now_ms: self._reader.everybody(self._shard.core))
        assert change.all
        self.stages = {row.contact.entry_id: row.stage for row in change.rows}
        return change

    async def next(self) -> WaitingChange:
        change = await anext(self._items)
        assert not change.all
        self.stages |= {row.contact.entry_id: row.stage for row in change.rows}
        for gone in change.gone:
            del self.stages[gone]
        return change


async def leave(shard: Shard, entry_id: str) -> None:
    await shard.submit(model.LeaveQueue(EntryId(entry_id), model.Exit.ABANDONED))


def now_ms() -> float:
    return asyncio.get_running_loop().time() * 1_000


def test_a_reader_is_told_who_waits_and_every_stage() -> None:
    async def story(house: House) -> None:
        shard = await house.shards().of(DEMO)
        await furnish(shard)
        await enqueue(shard, "e1")
        await enqueue(shard, "e2")
        with watching(shard) as told:
            first = await told.everybody()
            assert [row.contact.entry_id for row in first.rows] == ["e1", "e2"]
            await shard.submit(model.ChangePriority(EntryId("e1"), 7))
            (row,) = (await told.next()).rows
            assert (row.contact.entry_id, row.priority, row.agent_id) == ("e1", 7, None)
            await ready(shard)
            (row,) = (await told.next()).rows
            assert (row.stage, row.agent_id) == (ContactStage.RESERVED, ANNA)
            held = model.ReservationId("e1.1")
            await shard.submit(model.ConfirmRing(held, ANNA))
            await told.next()
            assert told.stages[EntryId("e1")] is ContactStage.RINGING
            await shard.submit(model.EndReservation(held, Outcome.REJECT))
            await told.next()
            assert told.stages[EntryId("e1")] is ContactStage.WAITING
            await leave(shard, "e2")
            change = await told.next()
            assert (change.rows, change.gone, change.waiting) == ((), ("e2",), 1)
            await shard.submit(model.DetachEntry(EntryId("e1")))
            await told.next()
            assert told.stages == {EntryId("e1"): ContactStage.DETACHED}
        await shard.close()

    virtually(story)


def test_a_crowd_is_told_at_most_ten_times_a_second_and_within_a_tenth() -> None:
    async def story(house: House) -> None:
        shard = await house.shards().of(DEMO)
        await furnish(shard)
        with watching(shard) as told:
            await told.everybody()
            began_ms, at_ms, rows = now_ms(), [], 0
            for index in range(100):
                came_ms = now_ms()
                await enqueue(shard, f"e{index}")
                await asyncio.sleep(0.007)
                if index % 10 == 9:
                    while f"e{index}" not in told.stages:
                        rows += len((await told.next()).rows)
                        at_ms.append(now_ms())
                    assert now_ms() - came_ms <= EVERY_MS
            assert rows == 100
            assert len(at_ms) <= (now_ms() - began_ms) / EVERY_MS + 1
            # Who came and went in between was never there.
            await enqueue(shard, "short")
            await leave(shard, "short")
            await enqueue(shard, "last")
            assert [row.contact.entry_id for row in (await told.next()).rows] == ["last"]
        await shard.close()

    virtually(story)


def test_a_reader_of_one_queue_hears_of_no_other() -> None:
    async def story(house: House) -> None:
        shard = await house.shards().of(DEMO)
        await furnish(shard)
        await shard.submit(model.PutQueue(model.QueueConfig(R)))
        await enqueue(shard, "e1")
        with watching(shard, R) as told, watching(shard, QueueId("none")) as lost:
            with pytest.raises(NoSuchQueueError):
                await lost.everybody()
            assert (await told.everybody()).rows == ()
            await enqueue(shard, "e2")
            other = model.EnqueueContact(EntryId("e3"), model.ContactId("c3"), R)
            await shard.submit(other)
            change = await told.next()
            assert [row.contact.entry_id for row in change.rows] == ["e3"]
            assert change.waiting == 1
        await shard.close()

    virtually(story)


def test_a_reader_is_told_which_queues_are_open() -> None:
    async def story(house: House) -> None:
        shard = await house.shards().of(DEMO)
        await furnish(shard)
        await shard.submit(model.PutQueue(model.QueueConfig(R, open=False)))
        with watching(shard) as told, watching(shard, Q) as of_one:
            opened, shut = model.QueueDoor(Q, open=True), model.QueueDoor(R, open=False)
            assert set((await told.everybody()).doors) == {opened, shut}
            assert (await of_one.everybody()).doors == (opened,)
            await shard.submit(model.PutQueue(model.QueueConfig(R)))
            assert (await told.next()).doors == (model.QueueDoor(R, open=True),)
            await shard.submit(model.SetEmergency(R, active=True))
            change = await told.next()
            assert (change.rows, change.doors) == (
                (),
                (model.QueueDoor(R, open=False, emergency=True),),
            )
            await shard.submit(model.RemoveQueue(R))
            assert (await told.next()).doors == (model.QueueDoor(R, open=False, removed=True),)
            # Nobody who waits is no news of a door.
            await enqueue(shard, "e1")
            assert (await told.next()).doors == ()
            assert [len(change.rows) for change in (await of_one.next(),)] == [1]
        await shard.close()

    virtually(story)


def test_of_a_great_crowd_the_longest_waiting_are_told() -> None:
    async def story(house: House) -> None:
        shard = await house.shards().of(DEMO)
        await shard.submit(model.PutQueue(model.QueueConfig(Q, max_waiting=MAX_ROWS + 10)))
        for index in range(MAX_ROWS + 3):
            await enqueue(shard, f"e{index:05}")
        with watching(shard) as told:
            first = await told.everybody()
            assert (len(first.rows), first.waiting) == (MAX_ROWS, MAX_ROWS + 3)
            await enqueue(shard, "late")
            change = await told.next()
            assert (change.rows, change.gone, change.waiting) == ((), (), MAX_ROWS + 4)
            await leave(shard, "e00000")
            await leave(shard, "e02002")
            change = await told.next()
            assert [row.contact.entry_id for row in change.rows] == ["e02000"]
            assert (change.gone, change.waiting) == (("e00000",), MAX_ROWS + 2)
        await shard.close()

    virtually(story)


def test_a_reader_that_does_not_read_is_cut_off() -> None:
    async def story(house: House) -> None:
        shard = await house.shards().of(DEMO)
        await furnish(shard)
        with watching(shard) as told:
            await told.everybody()
            for index in range(MAX_BEHIND + 3):
                await enqueue(shard, f"e{index}")
                await asyncio.sleep(EVERY_MS / 1_000)
            with pytest.raises(TooSlow, match=f"more than {MAX_BEHIND}"):
                await told.next()
        await shard.close()

    virtually(story)


def test_what_happens_before_the_beginning_is_told_once() -> None:
    async def story(house: House) -> None:
        shard = await house.shards().of(DEMO)
        await furnish(shard)
        with watching(shard) as told:
            await enqueue(shard, "e1")
            await asyncio.sleep(1)
            assert len((await told.everybody()).rows) == 1
            await enqueue(shard, "e2")
            assert [row.contact.entry_id for row in (await told.next()).rows] == ["e2"]
        await shard.close()

    virtually(story)


def test_readers_end_with_the_shard() -> None:
    async def story(house: House) -> None:
        shard = await house.shards().of(DEMO)
        await furnish(shard)
        with watching(shard) as told:
            await told.everybody()
            await enqueue(shard, "e1")
            await shard.close()
            with pytest.raises(Leaving):
                await told.next()

    virtually(story)


def test_where_there_is_no_room_readers_are_told_later(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(house: House) -> None:
        monkeypatch.setattr("services.chassis.shell.MAX_WAITING", 2)
        shard = await house.shards().of(DEMO)
        await furnish(shard)
        with watching(shard) as told:
            await told.everybody()
            await enqueue(shard, "e1")
            await told.next()
            await enqueue(shard, "e2")
            house.journal.slow_s = 0.4
            urgent = model.ChangePriority(EntryId("e1"), 5)
            asked = [asyncio.ensure_future(shard.submit(urgent))]
            await asyncio.sleep(0.01)
            reads = [asyncio.ensure_future(shard.query(lambda now_ms: now_ms)) for _ in range(2)]
            began_ms = now_ms()
            assert len((await told.next()).rows) == 2
            assert now_ms() - began_ms > 3 * EVERY_MS
            await asyncio.gather(*asked, *reads)
        await shard.close()

    virtually(story)
