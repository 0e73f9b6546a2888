"""What a service is told of its database's failures."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from services.chassis.database import Database, DatabaseAddress, DatabaseUnavailable
from services.chassis.ids import TenantId

T = TenantId("t1")


@pytest.fixture
async def database(database_address: DatabaseAddress) -> AsyncIterator[Database]:
    made = Database(database_address, schema="crm")
    yield made
    await made.close()


async def fail(database: Database, state: str) -> None:
    async with database.transaction(T) as connection:
        await connection.execute(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}'; END $$")


@pytest.mark.parametrize(
    "state",
    [
        "53100",  # the disk is full
        "53200",  # out of memory
        "40P01",  # the loser of a deadlock
        "40001",  # of a conflict between transactions
        "25006",  # a standby by now
        "58030",  # the disk fails
        "57P03",  # it is just starting
    ],
)
async def test_what_is_nobodys_fault_is_worth_asking_again(database: Database, state: str) -> None:
    with pytest.raises(DatabaseUnavailable):
        await fail(database, state)


@pytest.mark.parametrize("state", ["22012", "23505", "42501", "42P01"])
async def test_what_is_wrong_stays_wrong(database: Database, state: str) -> None:
    with pytest.raises(asyncpg.PostgresError):
        await fail(database, state)


async def test_a_value_that_does_not_fit_is_no_outage(database: Database) -> None:
    with pytest.raises(asyncpg.DataError):
        async with database.transaction(T) as connection:
            await connection.fetchval("SELECT $1::int", 2**40)
