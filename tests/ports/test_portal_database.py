"""People on PostgreSQL, and what the database itself holds to."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest

from protos.portal.v1 import portal_pb2, portal_pb2_grpc
from services.chassis.database import Database, DatabaseAddress
from services.chassis.postgres.server import PostgresServer
from services.chassis.settings import load
from services.chassis.simulated import MemoryExchange
from services.chassis.world import local_world
from services.portal.bootstrap import read_first_administrator
from services.portal.model.errors import NotAuthenticated
from services.portal.model.people import UserQuery
from services.portal.model.trail import AuditQuery
from services.portal.people import build_people
from services.portal.settings import PortalSettings
from services.portal.store import TOPIC
from services.portal.store_sql import SqlPortalStore
from tests.ports.portal_stage import (
    ACME,
    OTHER,
    address,
    database,
    entry,
    key,
    settled,
)

__all__ = ["address", "database"]  # fixtures are found by their names here

# ---- people on PostgreSQL, as a process has them ----


async def test_people_live_on_postgresql(
    postgres_server: PostgresServer, database_address: DatabaseAddress, tmp_path: Path
) -> None:
    database_address.write(tmp_path / "database.json")
    world = local_world(var_dir=tmp_path, run_dir=tmp_path / "run")
    people = build_people(world, load(PortalSettings))
    exchange = MemoryExchange(coin=lambda: False)
    await people.start()
    exchange.serve("portal", people.faces())
    portal = portal_pb2_grpc.PortalStub(exchange.channel("portal"))
    first = read_first_administrator(tmp_path / "bootstrap.json")
    assert first is not None
    try:
        session = await portal.SignIn(
            portal_pb2.SignInRequest(
                tenant=first.tenant, username=first.username, password=first.password
            )
        )
        principal = await people.identity.authenticate(session.access_token)
        assert principal.roles == frozenset({"administrator", "platform"})
        with pytest.raises(NotAuthenticated):
            await people.identity.authenticate("cra_" + "A" * 43)
        async with (
            asyncio.timeout(20),
            world.bus.consumer(group="test", topics=(TOPIC,)) as consumer,
        ):
            types: list[str] = []
            while "Audited" not in types:
                batch = await consumer.fetch(wait_s=1)
                types += [each.type.rpartition(".")[2] for each in batch.events] if batch else []
        assert types == ["TenantPut", "UserPut", "Audited"]
    finally:
        await people.stop()
        await world.close()


# ---- what the database itself holds to ----


async def test_only_the_databases_own_rule_keeps_tenants_apart(
    postgres_server: PostgresServer, database_address: DatabaseAddress
) -> None:
    database = Database(database_address, schema="portal")
    store = SqlPortalStore(database)
    await settled(store)
    await store.add_key(OTHER, key(1), most=9)
    await store.add_audit(OTHER, [entry(1)], [])
    admin = await asyncpg.connect(postgres_server.admin_dsn(database_address.name))

    async def seen() -> tuple[int, int, int]:
        return (
            len(await store.list_users(ACME, UserQuery())),
            len(await store.list_keys(ACME, "", 9)),
            len(await store.list_audit(ACME, AuditQuery())),
        )

    try:
        assert await seen() == (1, 0, 0)
        for table in ("account", "api_key", "audit"):
            await admin.execute(f"ALTER TABLE portal.{table} DISABLE ROW LEVEL SECURITY")
        assert await seen() == (2, 1, 1), "the leak is seen when the protection is off"
        assert (await store.get_account(ACME, "o-1")).user.username == "Ana"
    finally:
        await admin.close()
        await database.close()


async def test_every_table_of_a_tenant_is_protected_even_from_its_owner(
    postgres_server: PostgresServer, address: DatabaseAddress
) -> None:
    admin = await asyncpg.connect(postgres_server.admin_dsn(address.name))
    try:
        rows = await admin.fetch(
            "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AS is_protected"
            " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
            " WHERE c.relnamespace = 'portal'::regnamespace AND c.relkind = 'r'"
            " AND a.attname = 'tenant_id'"
        )
    finally:
        await admin.close()
    tables = {row["relname"]: row["is_protected"] for row in rows}
    # The outbox is the publisher's, which brings everybody's events to the bus.
    assert tables.pop("outbox") is False
    people = {"tenant", "account", "session", "token", "api_key", "audit", "answer"}
    assert set(tables) == people | {"disposition"}
    assert all(tables.values()), tables


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET outcome = 'ok'",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "ALTER TABLE audit DISABLE ROW LEVEL SECURITY",
        "SELECT * FROM chassis.bus_log",
    ],
)
async def test_the_services_role_cannot(database: Database, statement: str) -> None:
    await SqlPortalStore(database).add_audit(ACME, [entry(1)], [])
    with pytest.raises(asyncpg.PostgresError):
        async with database.transaction(ACME) as connection:
            await connection.execute(statement)
    assert await SqlPortalStore(database).list_audit(ACME, AuditQuery()) == [entry(1)]


@pytest.mark.parametrize(
    "ask",
    [
        "SELECT portal.tenant_named('acme')",
        "SELECT portal.tenant_of_token('x')",
        "SELECT portal.tenant_of_key('x')",
        "SELECT * FROM portal.tenants_after('', 9)",
        "SELECT portal.tenants_to_sweep(1, 1, 1)",
    ],
)
async def test_no_other_service_looks_across_tenants(address: DatabaseAddress, ask: str) -> None:
    others = Database(address, schema="bus")
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with others.untenanted() as connection:
                await connection.execute(ask)
    finally:
        await others.close()
