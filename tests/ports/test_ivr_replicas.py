"""Two replicas of ivr over one real PostgreSQL: a tenant's cap is kept by both together."""

from __future__ import annotations

import asyncpg

from services.chassis.clock import SystemClock
from services.chassis.database import Database, DatabaseAddress
from services.chassis.ids import TenantId
from services.chassis.postgres.server import PostgresServer
from services.ivr.store_tenants import Terms
from services.ivr.store_tenants_sql import SqlTenantStore
from services.ivr.tenants import BUSY, Tenants

ACME, OTHER = TenantId("acme"), TenantId("other")


async def test_a_cap_is_kept_by_all_replicas_together(
    database_address: DatabaseAddress, postgres_server: PostgresServer
) -> None:
    databases = [Database(database_address, schema="ivr") for _ in range(2)]
    one, other = (
        Tenants(store=SqlTenantStore(database), clock=SystemClock(), replica=name)
        for database, name in zip(databases, ("a", "b"), strict=True)
    )
    for tenant_id in (ACME, OTHER):
        await one.put(tenant_id, Terms(max_calls=2))
    assert await one.refusal(ACME) is None
    with one.counted(ACME):
        assert await other.refusal(ACME) is None
        with other.counted(ACME):
            assert await one.refusal(ACME) is BUSY
            assert await other.refusal(ACME) is BUSY
            assert await other.refusal(OTHER) is None, "another tenant's calls are their own"
    await one.leave()
    await other.leave()
    assert await one.refusal(ACME) is None

    # A replica that was killed said nothing any more.
    store = SqlTenantStore(databases[0])
    assert await store.tell_calls(ACME, "killed", 2) == 1, "that of replica a"
    admin = await asyncpg.connect(postgres_server.admin_dsn(database_address.name))
    assert await other.refusal(ACME) is BUSY
    await admin.execute("UPDATE ivr.tenant_calls SET told_at = told_at - interval '20 seconds'")
    assert await other.refusal(ACME) is None
    await admin.execute("UPDATE ivr.tenant_calls SET told_at = told_at - interval '1 hour'")
    await other.refusal(ACME)
    kept = await admin.fetch("SELECT replica FROM ivr.tenant_calls WHERE tenant_id = 'acme'")
    assert [row["replica"] for row in kept] == ["b"], "no rows are left behind"
    await admin.close()
    for database in databases:
        await database.close()
