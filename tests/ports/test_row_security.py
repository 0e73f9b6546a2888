"""Every table of every schema: tenants do not see each other, and services not each other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TypeAlias

import asyncpg
import pytest

from services.chassis.database import Database, DatabaseAddress
from services.chassis.ids import TenantId
from services.chassis.migrations import migrate, roles, schemas
from services.chassis.postgres.server import PostgresServer

Admin: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
# Read across tenants by whoever publishes or consumes; they hold events on their way, not state.
SHARED = {"outbox", "bus_log"}


@pytest.fixture
async def admin(
    postgres_server: PostgresServer, database_address: DatabaseAddress
) -> AsyncIterator[Admin]:
    connection = await asyncpg.connect(postgres_server.admin_dsn(database_address.name))
    yield connection
    await connection.close()


async def test_every_table_with_a_tenant_is_protected_against_its_owner_too(admin: Admin) -> None:
    rows = await admin.fetch(
        """SELECT n.nspname || '.' || c.relname AS name, c.relrowsecurity AS on,
                  c.relforcerowsecurity AS forced
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
           WHERE c.relkind IN ('r', 'p') AND n.nspname = ANY($1) AND c.relname <> ALL($2)""",
        list(schemas()),
        list(SHARED),
    )
    assert len(rows) >= 10
    assert [row["name"] for row in rows if not (row["on"] and row["forced"])] == []


async def test_no_service_can_pass_by_the_rules(admin: Admin) -> None:
    rows = await admin.fetch(
        "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles"
        " WHERE rolname = ANY($1)",
        [*roles(), "carillon_definer"],
    )
    assert len(rows) == len(roles()) + 1
    for row in rows:
        assert not any(row[name] for name in row.keys() if name != "rolname"), row  # noqa: SIM118 (a record's)


async def test_no_service_reads_anothers_tables(admin: Admin) -> None:
    rows = await admin.fetch(
        """SELECT r.rolname AS role, n.nspname AS schema, c.relname AS name
           FROM pg_roles r, pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE r.rolname = ANY($1) AND n.nspname = ANY($2) AND c.relkind IN ('r', 'p')
             AND r.rolname <> 'carillon_' || n.nspname AND n.nspname <> 'chassis'
             AND has_table_privilege(r.rolname, c.oid, 'SELECT, INSERT, UPDATE, DELETE')""",
        roles(),
        list(schemas()),
    )
    assert [tuple(row) for row in rows] == []


async def test_a_protected_table_shows_only_the_present_tenants_rows_until_protection_is_off(
    admin: Admin, database_address: DatabaseAddress
) -> None:
    await admin.execute(
        """CREATE SCHEMA bus; GRANT USAGE ON SCHEMA bus TO carillon_bus;
           CREATE TABLE bus.thing (tenant_id text NOT NULL, name text NOT NULL);
           GRANT SELECT, INSERT, UPDATE ON bus.thing TO carillon_bus;
           SELECT chassis.protect('bus.thing')"""
    )
    database = Database(database_address, schema="bus")
    for tenant in ("a", "b"):
        async with database.transaction(TenantId(tenant)) as connection:
            await connection.execute("INSERT INTO thing VALUES ($1, 'sales')", tenant)

    async def seen(tenant: str) -> set[str]:
        async with database.transaction(TenantId(tenant)) as connection:
            return {row["tenant_id"] for row in await connection.fetch("SELECT * FROM thing")}

    assert await seen("a") == {"a"}
    assert await seen("b") == {"b"}
    assert await seen("nobody") == set()
    async with database.untenanted() as connection:
        assert await connection.fetch("SELECT * FROM thing") == []
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.transaction(TenantId("a")) as connection:
            await connection.execute("INSERT INTO thing VALUES ('b', 'forged')")
    await admin.execute("ALTER TABLE bus.thing NO FORCE ROW LEVEL SECURITY")
    await admin.execute("ALTER TABLE bus.thing DISABLE ROW LEVEL SECURITY")
    # Without it the leak is there: so it is this that keeps tenants apart.
    assert await seen("a") == {"a", "b"}
    await database.close()


async def test_migrating_again_changes_nothing(
    postgres_server: PostgresServer, database_address: DatabaseAddress
) -> None:
    dsn = postgres_server.admin_dsn(database_address.name)
    assert await migrate(dsn, database_address.passwords) == []
