"""Tenants' terms in PostgreSQL."""

from __future__ import annotations

from services.chassis.database import Database
from services.chassis.ids import TenantId
from services.ivr.store_tenants import SILENT_S, Terms

_PUT = """
INSERT INTO tenant (tenant_id, time_zone, max_calls, suspended, told_at_ms)
VALUES (chassis.tenant(), $1, $2, $3, $4)
ON CONFLICT (tenant_id) DO UPDATE SET time_zone = excluded.time_zone,
  max_calls = excluded.max_calls, suspended = excluded.suspended, told_at_ms = excluded.told_at_ms
WHERE tenant.told_at_ms <= excluded.told_at_ms
"""
_TELL = """
WITH mine AS (
  INSERT INTO tenant_calls (tenant_id, replica, calls, told_at)
  VALUES (chassis.tenant(), $1, $2, clock_timestamp())
  ON CONFLICT (tenant_id, replica) DO UPDATE
    SET calls = excluded.calls, told_at = excluded.told_at),
gone AS (
  DELETE FROM tenant_calls
  WHERE replica <> $1 AND told_at < clock_timestamp() - interval '1 minute')
SELECT coalesce(sum(calls), 0)::bigint FROM tenant_calls
WHERE replica <> $1 AND told_at > clock_timestamp() - $3 * interval '1 second'
"""


class SqlTenantStore:
    """Terms with row-level security between the tenants."""

    def __init__(self, database: Database) -> None:
        """`database` is of the schema `ivr`."""
        self._database = database

    async def put_terms(self, tenant_id: TenantId, terms: Terms) -> None:
        """See `TenantStore.put_terms`."""
        async with self._database.transaction(tenant_id) as connection:
            await connection.execute(
                _PUT, terms.time_zone, terms.max_calls, terms.suspended, terms.told_at_ms
            )

    async def terms(self, tenant_id: TenantId) -> Terms:
        """See `TenantStore.terms`."""
        async with self._database.transaction(tenant_id) as connection:
            row = await connection.fetchrow(
                "SELECT time_zone, max_calls, suspended, told_at_ms FROM tenant"
            )
        return Terms(**row) if row is not None else Terms()

    async def tell_calls(self, tenant_id: TenantId, replica: str, calls: int) -> int:
        """See `TenantStore.tell_calls`."""
        async with self._database.transaction(tenant_id) as connection:
            return int(await connection.fetchval(_TELL, replica, calls, SILENT_S))
