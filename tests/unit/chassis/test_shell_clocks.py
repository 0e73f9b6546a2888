"""Replicas whose clocks differ: a shard's time goes by the clock that its leases go by."""

from __future__ import annotations

import asyncio

import pytest

from tests.unit.chassis.alarm import LoopClock, OutageJournal, Replica, since_start_ms, virtually


@pytest.mark.parametrize("ahead_ms", [3_600_000, -3_600_000])
def test_a_successor_whose_clock_is_wrong_goes_by_that_of_leases(ahead_ms: int) -> None:
    async def story() -> None:
        journal = OutageJournal()
        dead = Replica(journal, owner="dead")
        shell = await dead.start()
        await shell.submit(20_000)
        await shell.close()
        await asyncio.sleep(5)
        heir = Replica(journal, owner="alive", clock=LoopClock(ahead_ms))
        shell = await heir.start()
        await shell.query(lambda now_ms: now_ms)
        assert heir.gaps == [5_000]
        assert shell.clock.now_ms() == LoopClock().now_ms()
        await asyncio.sleep(30)
        assert heir.core.rang == [1_025_000]
        await shell.close()

    virtually(story)


def test_time_goes_on_although_leases_clock_was_put_back() -> None:
    async def story() -> None:
        journal = OutageJournal()
        dead = Replica(journal, owner="dead")
        shell = await dead.start()
        await shell.submit(20_000)
        await shell.close()
        journal.clock.ahead_ms = -3_600_000
        heir = Replica(journal, owner="alive")
        shell = await heir.start()
        await asyncio.sleep(30)
        (rang_ms,) = heir.core.rang
        assert rang_ms == 1_020_000
        assert since_start_ms() == 30_000
        await shell.close()

    virtually(story)
