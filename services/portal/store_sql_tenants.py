"""Tenants in PostgreSQL, and what locks one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg

from services.chassis import outbox
from services.chassis.database import Connection, Database
from services.chassis.envelope import Envelope
from services.chassis.ids import TenantId
from services.portal.core.changing import changed_tenant
from services.portal.model.errors import NoSuchTenant, TenantExists
from services.portal.model.people import Account, Caps, Tenant
from services.portal.store import TOPIC, ChangeTenant, TellTenant
from services.portal.store_sql_accounts import insert_account

TENANT_COLUMNS = (
    "tenant_id",
    "name",
    "display_name",
    "time_zone",
    "region",
    "created_at_ms",
    "language",
    "max_users",
    "max_calls",
    "suspended",
)


class SqlTenants:
    """The part of `PeopleStore` about tenants."""

    _database: Database

    async def tenant_named(self, name: str) -> Tenant | None:
        """See `PeopleStore.tenant_named`."""
        async with self._database.untenanted() as connection:
            row = await connection.fetchrow("SELECT * FROM portal.tenant_named($1)", name)
        return None if row is None else tenant_of(row)

    async def get_tenant(self, tenant_id: TenantId) -> Tenant:
        """See `PeopleStore.get_tenant`."""
        async with self._database.transaction(tenant_id) as connection:
            row = await connection.fetchrow("SELECT * FROM tenant WHERE tenant_id = $1", tenant_id)
        if row is None:
            raise NoSuchTenant(tenant_id)
        return tenant_of(row)

    async def add_tenant(
        self, tenant: Tenant, administrator: Account, events: Sequence[Envelope]
    ) -> None:
        """See `PeopleStore.add_tenant`."""
        try:
            async with self._database.transaction(tenant.tenant_id) as connection:
                await connection.execute(
                    "INSERT INTO tenant (tenant_id, name, display_name, time_zone, region,"
                    " created_at_ms, language, max_users, max_calls, suspended)"
                    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                    tenant.tenant_id,
                    tenant.name,
                    tenant.display_name,
                    tenant.time_zone,
                    tenant.region,
                    tenant.created_at_ms,
                    tenant.language,
                    tenant.caps.max_users,
                    tenant.caps.max_calls,
                    tenant.caps.suspended,
                )
                await insert_account(connection, tenant.tenant_id, administrator)
                await outbox.add(connection, TOPIC, events)
        except asyncpg.UniqueViolationError:
            raise TenantExists(tenant.name) from None

    async def change_tenant(
        self, tenant_id: TenantId, change: ChangeTenant, tell: TellTenant, now_ms: int
    ) -> Tenant:
        """See `PeopleStore.change_tenant`."""
        async with self._database.transaction(tenant_id) as connection:
            present = await locked_tenant(connection, tenant_id)
            changed = changed_tenant(present, change(present))
            await connection.execute(
                "UPDATE tenant SET display_name = $2, time_zone = $3, region = $4, language = $5,"
                " max_users = $6, max_calls = $7, suspended = $8 WHERE tenant_id = $1",
                tenant_id,
                changed.display_name,
                changed.time_zone,
                changed.region,
                changed.language,
                changed.caps.max_users,
                changed.caps.max_calls,
                changed.caps.suspended,
            )
            if changed.caps.suspended:
                await connection.execute(
                    "UPDATE session SET ended_at_ms = $1 WHERE ended_at_ms = 0", now_ms
                )
            await outbox.add(connection, TOPIC, tell(changed))
        return changed

    async def list_tenants(self, after: str, size: int) -> list[Tenant]:
        """See `PeopleStore.list_tenants`."""
        async with self._database.untenanted() as connection:
            rows = await connection.fetch("SELECT * FROM portal.tenants_after($1, $2)", after, size)
        return [tenant_of(row) for row in rows]


def tenant_of(row: Any) -> Tenant:
    """A row of `tenant`."""
    return Tenant(
        tenant_id=TenantId(row["tenant_id"]),
        name=row["name"],
        display_name=row["display_name"],
        time_zone=row["time_zone"],
        region=row["region"],
        created_at_ms=row["created_at_ms"],
        language=row["language"],
        caps=Caps(row["max_users"], row["max_calls"], row["suspended"]),
    )


async def locked_tenant(connection: Connection, tenant_id: TenantId) -> Tenant:
    """The tenant, which nobody else changes, nor its users, until the transaction ends.

    NoSuchTenant.
    """
    row = await connection.fetchrow(
        "SELECT * FROM tenant WHERE tenant_id = $1 FOR UPDATE", tenant_id
    )
    if row is None:
        raise NoSuchTenant(tenant_id)
    return tenant_of(row)
