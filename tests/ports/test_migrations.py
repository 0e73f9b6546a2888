"""Databases of one server that are brought up to date at once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg

from services.chassis.database import DatabaseAddress
from services.chassis.migrations import migrate
from services.chassis.postgres.server import PostgresServer
from services.launcher.command import migrate_database

WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = $1 AND wait_event_type = 'Lock' AND query LIKE 'ALTER ROLE%'
"""


async def test_roles_that_another_databases_migration_makes_are_no_obstacle(
    postgres_server: PostgresServer, database_address: DatabaseAddress
) -> None:
    other = await asyncpg.connect(postgres_server.admin_dsn())
    try:
        migrating = await _blocked(other, postgres_server, database_address)
        assert await migrating == []
    finally:
        await other.close()


async def test_services_log_in_with_the_passwords_of_a_folder(
    postgres_server: PostgresServer, database_address: DatabaseAddress, tmp_path: Path
) -> None:
    # The server's roles are all tests': they keep the passwords that they have.
    for role, password in database_address.passwords.items():
        (tmp_path / role.removeprefix("carillon_")).write_text(f"{password}\n")
    url = postgres_server.admin_dsn(database_address.name)
    assert await migrate_database(url, tmp_path / "database.json", tmp_path) == 0
    assert not (tmp_path / "database.json").exists()
    connection = await asyncpg.connect(
        host=database_address.host,
        port=database_address.port,
        database=database_address.name,
        user="carillon_acd",
        password=database_address.passwords["carillon_acd"],
    )
    await connection.close()


async def _blocked(
    other: asyncpg.Connection[asyncpg.Record], server: PostgresServer, address: DatabaseAddress
) -> asyncio.Future[list[str]]:
    """A migration that came upon a role which another changes; the other is done by now."""
    async with other.transaction():
        await other.execute("ALTER ROLE carillon_bus CONNECTION LIMIT -1")
        passwords = dict(address.passwords)
        migrating = asyncio.ensure_future(migrate(server.admin_dsn(address.name), passwords))
        async with asyncio.timeout(10):
            while not await other.fetchval(WAITING, address.name):
                assert not migrating.done()
                await other.execute("SELECT pg_sleep(0.01), pg_stat_clear_snapshot()")
    return migrating
