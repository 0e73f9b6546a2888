"""The journal's promises, held by every adapter: one writer, nothing lost, nothing half written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from functools import partial

import asyncpg
import pytest

from services.chassis.clock import SystemClock
from services.chassis.database import Database, DatabaseAddress, role_of
from services.chassis.ids import TenantId
from services.chassis.journal import (
    MAX_ROWS,
    Fenced,
    Journal,
    JournalRow,
    JournalUnavailable,
    MemoryJournal,
    OwnedElsewhere,
)
from services.chassis.journal_postgres import PostgresJournal
from services.chassis.postgres.server import PostgresServer
from tests.stage.postgres import fresh_database, running_postgres

S = "demo"
LEASE_MS = 1_000
"""Long enough for a machine that is busy, short enough to wait for."""


@pytest.fixture(params=["memory", "postgres"])
async def journal(
    request: pytest.FixtureRequest, database_address: DatabaseAddress
) -> AsyncIterator[Journal]:
    if request.param == "memory":
        memory = MemoryJournal(SystemClock())
        memory.lease_ms = LEASE_MS
        yield memory
        return
    database = Database(database_address, schema="acd")
    made = PostgresJournal(database, lease_ms=LEASE_MS)
    yield made
    await made.close()
    await database.close()


def row(seq: int, epoch: int = 1, shard: str = S) -> JournalRow:
    return JournalRow(
        shard=shard,
        seq=seq,
        epoch=epoch,
        at_ms=1_000 + seq,
        input=b"" if seq % 3 == 0 else f"input {seq}".encode(),
        events=tuple(f"event {seq}.{i}".encode() for i in range(seq % 3)),
        config_version=2,
    )


async def rows(journal: Journal, after_seq: int = 0, shard: str = S) -> list[JournalRow]:
    return [found async for found in journal.read(shard, after_seq)]


async def test_rows_come_back_as_they_were_and_in_order(journal: Journal) -> None:
    opened = await journal.open(S, "here")
    assert (opened.epoch, opened.last_seq, opened.silent_ms) == (1, 0, 0)
    await journal.append([row(1), row(2)])
    await journal.append([row(3)])
    await journal.append([])
    assert await rows(journal) == [row(1), row(2), row(3)]
    assert await rows(journal, after_seq=2) == [row(3)]


async def test_a_writer_whose_epoch_is_over_writes_nothing(journal: Journal) -> None:
    await journal.open(S, "here")
    await journal.append([row(1)])
    opened = await journal.open(S, "here")
    assert (opened.epoch, opened.last_seq) == (2, 1)
    with pytest.raises(Fenced):
        await journal.append([row(2, epoch=1)])
    with pytest.raises(Fenced):
        await journal.renew(S, 1)
    await journal.append([row(2, epoch=2)])
    assert await rows(journal) == [row(1), row(2, epoch=2)]


async def test_rows_that_do_not_follow_the_last_one_are_refused_whole(journal: Journal) -> None:
    await journal.open(S, "here")
    await journal.append([row(1)])
    for wrong in ([row(3), row(4)], [replace(row(1), input=b"another"), row(2)]):
        with pytest.raises(Fenced):
            await journal.append(wrong)
    assert await rows(journal) == [row(1)]


async def test_an_append_whose_reply_was_lost_is_repeated_without_harm(journal: Journal) -> None:
    await journal.open(S, "here")
    await journal.append([row(1), row(2)])
    await journal.append([row(1), row(2)])
    assert await rows(journal) == [row(1), row(2)]


async def test_a_batch_is_of_one_shard_and_epoch_without_gaps(journal: Journal) -> None:
    await journal.open(S, "here")
    for wrong in (
        [row(1), row(2, shard="other")],
        [row(1), row(2, epoch=2)],
        [row(1), row(3)],
        [row(seq) for seq in range(1, MAX_ROWS + 2)],
    ):
        with pytest.raises(ValueError, match=r"batch|most"):
            await journal.append(wrong)
    assert await rows(journal) == []


async def test_a_living_owner_keeps_the_shard_and_tells_where_it_is(journal: Journal) -> None:
    epoch = (await journal.open(S, "here")).epoch
    for _ in range(3):
        await asyncio.sleep(LEASE_MS / 2_000)
        await journal.renew(S, epoch)
        with pytest.raises(OwnedElsewhere) as caught:
            await journal.open(S, "there")
        assert caught.value.address == "here"


async def test_writing_is_a_sign_of_life_too(journal: Journal) -> None:
    await journal.open(S, "here")
    for seq in range(1, 4):
        await asyncio.sleep(LEASE_MS / 2_000)
        await journal.append([row(seq)])
        with pytest.raises(OwnedElsewhere):
            await journal.open(S, "there")


async def test_a_silent_owner_loses_the_shard_and_the_silence_is_known(journal: Journal) -> None:
    await journal.open(S, "here")
    await journal.append([row(1)])
    await asyncio.sleep(LEASE_MS / 1_000 + 0.1)
    opened = await journal.open(S, "there")
    assert (opened.epoch, opened.last_seq) == (2, 1)
    assert LEASE_MS < opened.silent_ms < LEASE_MS + 5_000
    assert opened.now_ms is not None
    with pytest.raises(Fenced):
        await journal.append([row(2)])


async def test_an_owner_that_nobody_replaced_goes_on_after_its_lease(journal: Journal) -> None:
    await journal.open(S, "here")
    await asyncio.sleep(LEASE_MS / 1_000 + 0.1)
    await journal.renew(S, 1)
    await journal.append([row(1)])
    with pytest.raises(OwnedElsewhere):
        await journal.open(S, "there")


async def test_a_released_shard_is_free_at_once(journal: Journal) -> None:
    await journal.open(S, "here")
    await journal.release(S, 1)
    assert (await journal.open(S, "there")).epoch == 2
    await journal.release(S, 1)  # no longer its own to give
    with pytest.raises(OwnedElsewhere):
        await journal.open(S, "here")


async def test_only_one_of_many_gets_a_shard(journal: Journal) -> None:
    tries = [journal.open(S, f"replica {i}") for i in range(8)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    losers = [result for result in results if isinstance(result, OwnedElsewhere)]
    assert len(losers) == 7
    assert len({loser.address for loser in losers}) == 1


async def test_ten_thousand_rows_are_read_in_order(journal: Journal) -> None:
    await journal.open(S, "here")
    for first in range(1, 10_001, MAX_ROWS):
        await journal.append([row(seq) for seq in range(first, first + MAX_ROWS)])
    found = await rows(journal)
    assert found == [row(seq) for seq in range(1, 10_001)]


async def test_a_snapshot_and_the_tail_tell_what_all_rows_tell(journal: Journal) -> None:
    await journal.open(S, "here")
    await journal.append([row(seq) for seq in range(1, 51)])
    assert await journal.load_snapshot(S) is None
    for seq in (10, 30, 20):
        state = _told([row(i) for i in range(1, seq + 1)])
        await journal.save_snapshot(S, seq, 1_000 + seq, partial(bytes, state))
    saved = await journal.load_snapshot(S)
    assert saved is not None
    assert (saved.seq, saved.at_ms) == (30, 1_030)
    tail = await rows(journal, after_seq=saved.seq)
    assert saved.state + _told(tail) == _told(await rows(journal))


def _told(some: list[JournalRow]) -> bytes:
    return b"".join(event for each in some for event in each.events)


async def test_what_is_on_the_bus_is_remembered_and_never_forgotten(journal: Journal) -> None:
    assert await journal.published(S) == 0
    await journal.set_published(S, 7)
    await journal.set_published(S, 5)
    assert await journal.published(S) == 7
    assert await journal.published("other") == 0


async def test_shards_without_an_owner_are_found(journal: Journal) -> None:
    for shard in ("dead", "alive", "empty", "gone"):
        await journal.open(shard, "here")
    for shard in ("dead", "alive", "gone"):
        await journal.append([row(1, shard=shard)])
    await journal.release("gone", 1)
    assert await journal.unowned(10) == ["gone"]
    await asyncio.sleep(LEASE_MS / 1_000 + 0.1)
    await journal.renew("alive", 1)
    assert set(await journal.unowned(10)) == {"gone", "dead"}
    assert len(await journal.unowned(1)) == 1


# What only a real database can do wrong.


@dataclass(frozen=True, slots=True)
class Two:
    """Two processes' ways to one database."""

    here: PostgresJournal
    there: PostgresJournal
    database: Database


@pytest.fixture
async def two(database_address: DatabaseAddress) -> AsyncIterator[Two]:
    databases = [Database(database_address, schema="acd") for _ in range(2)]
    journals = [PostgresJournal(database, lease_ms=LEASE_MS) for database in databases]
    yield Two(journals[0], journals[1], databases[0])
    for journal, database in zip(journals, databases, strict=True):
        await journal.close()
        await database.close()


async def test_two_processes_never_both_write(two: Two) -> None:
    await two.here.open(S, "here")
    await two.here.append([row(1)])
    await asyncio.sleep(LEASE_MS / 1_000 + 0.1)
    epoch = (await two.there.open(S, "there")).epoch
    late, right = await asyncio.gather(
        two.here.append([row(2, epoch=1)]),
        two.there.append([row(2, epoch=epoch)]),
        return_exceptions=True,
    )
    assert isinstance(late, Fenced)
    assert right is None
    assert await rows(two.here) == [row(1), row(2, epoch=epoch)]


async def test_a_shard_is_another_tenants_secret(
    two: Two, postgres_server: PostgresServer, database_address: DatabaseAddress
) -> None:
    for shard in ("demo", "other"):
        await two.here.open(shard, "here")
        await two.here.append([row(1, shard=shard)])
        await two.here.save_snapshot(shard, 1, 1, lambda: b"state")
        await two.here.set_published(shard, 1)
    tables = ("journal", "shard_lease", "snapshot", "journal_published")

    async def seen(table: str) -> int:
        async with two.database.transaction(TenantId("demo")) as connection:
            count: int = await connection.fetchval(f"SELECT count(*) FROM {table}")
            return count

    assert [await seen(table) for table in tables] == [1, 1, 1, 1]
    admin = await asyncpg.connect(postgres_server.admin_dsn(database_address.name))
    try:
        for table in tables:
            await admin.execute(f"ALTER TABLE chassis.{table} DISABLE ROW LEVEL SECURITY")
    finally:
        await admin.close()
    # Without the policy the other tenant's rows are there: it is the policy that hides them.
    assert [await seen(table) for table in tables] == [2, 2, 2, 2]


async def test_nobody_but_acd_reads_the_journal(database_address: DatabaseAddress) -> None:
    for role in set(database_address.passwords) - {role_of("acd")}:
        database = Database(database_address, schema=role.removeprefix("carillon_"))
        try:
            for statement in ("SELECT 1 FROM chassis.journal", "SELECT acd.unowned_shards(1)"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    async with database.transaction(TenantId(S)) as connection:
                        await connection.execute(statement)
        finally:
            await database.close()


async def test_a_row_once_written_cannot_be_changed(two: Two) -> None:
    await two.here.open(S, "here")
    await two.here.append([row(1)])
    for statement in ("UPDATE journal SET input = ''", "DELETE FROM journal"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with two.database.transaction(TenantId(S)) as connection:
                await connection.execute(statement)


async def test_connections_that_break_are_made_again(
    two: Two, postgres_server: PostgresServer, database_address: DatabaseAddress
) -> None:
    await two.here.open(S, "here")
    await two.here.append([row(1)])
    admin = await asyncpg.connect(postgres_server.admin_dsn(database_address.name))
    try:
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename = 'carillon_acd' AND datname = current_database()"
        )
    finally:
        await admin.close()
    with pytest.raises(JournalUnavailable):
        await two.here.append([row(2)])
    await two.here.append([row(2)])
    assert [found async for found in two.there.read(S)] == [row(1), row(2)]


async def test_without_a_database_the_journal_says_so() -> None:
    with running_postgres() as server:
        async with fresh_database(server) as address:
            database = Database(address, schema="acd")
            journal = PostgresJournal(database)
            await journal.open(S, "here")
            await journal.append([row(1)])
            server.stop()
            for attempt in (
                journal.append([row(2)]),
                journal.renew(S, 1),
                journal.load_snapshot(S),
                journal.open(S, "here"),
            ):
                with pytest.raises(JournalUnavailable):
                    await attempt
            await journal.close()
            await database.close()
            server.start()
