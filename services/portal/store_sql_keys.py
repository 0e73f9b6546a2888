"""API keys in PostgreSQL."""

from __future__ import annotations

from typing import Any

from services.chassis.database import Database
from services.chassis.ids import TenantId
from services.portal.model.errors import NoSuchApiKey, TooManyApiKeys
from services.portal.model.people import ApiKey, Role
from services.portal.model.sessions import KeyHolder
from services.portal.store_sql_tenants import tenant_of


class SqlKeys:
    """See `KeyStore`."""

    _database: Database

    async def add_key(self, tenant_id: TenantId, key: ApiKey, *, most: int) -> None:
        """See `KeyStore.add_key`."""
        async with self._database.transaction(tenant_id) as connection:
            await connection.execute(
                "SELECT 1 FROM tenant WHERE tenant_id = $1 FOR UPDATE", tenant_id
            )
            working = await connection.fetchval(
                "SELECT count(*) FROM api_key"
                " WHERE revoked_at_ms = 0 AND (expires_at_ms = 0 OR expires_at_ms > $1)",
                key.created_at_ms,
            )
            if working >= most:
                raise TooManyApiKeys(f"at most {most}")
            await connection.execute(
                "INSERT INTO api_key (tenant_id, key_id, name, roles, created_at_ms,"
                " expires_at_ms, prefix, sha256) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                tenant_id,
                key.key_id,
                key.name,
                sorted(key.roles),
                key.created_at_ms,
                key.expires_at_ms,
                key.prefix,
                key.sha256,
            )

    async def key_holder(self, key_id: str) -> KeyHolder | None:
        """See `KeyStore.key_holder`."""
        async with self._database.untenanted() as connection:
            tenant_id = await connection.fetchval("SELECT portal.tenant_of_key($1)", key_id)
        if tenant_id is None:
            return None
        async with self._database.transaction(TenantId(tenant_id)) as connection:
            tenant = await connection.fetchrow(
                "SELECT * FROM tenant WHERE tenant_id = $1", tenant_id
            )
            key = await connection.fetchrow("SELECT * FROM api_key WHERE key_id = $1", key_id)
        return KeyHolder(tenant_of(tenant), _key_of(key))

    async def revoke_key(self, tenant_id: TenantId, key_id: str, now_ms: int) -> ApiKey:
        """See `KeyStore.revoke_key`."""
        async with self._database.transaction(tenant_id) as connection:
            row = await connection.fetchrow(
                "UPDATE api_key SET revoked_at_ms ="
                " CASE revoked_at_ms WHEN 0 THEN $2 ELSE revoked_at_ms END"
                " WHERE key_id = $1 RETURNING *",
                key_id,
                now_ms,
            )
        if row is None:
            raise NoSuchApiKey(key_id)
        return _key_of(row)

    async def touch_key(self, tenant_id: TenantId, key_id: str, now_ms: int) -> None:
        """See `KeyStore.touch_key`."""
        async with self._database.transaction(tenant_id) as connection:
            await connection.execute(
                "UPDATE api_key SET last_used_at_ms = $2 WHERE key_id = $1", key_id, now_ms
            )

    async def list_keys(self, tenant_id: TenantId, after: str, size: int) -> list[ApiKey]:
        """See `KeyStore.list_keys`."""
        async with self._database.transaction(tenant_id) as connection:
            rows = await connection.fetch(
                "SELECT * FROM api_key WHERE key_id > $1 ORDER BY key_id LIMIT $2", after, size
            )
        return [_key_of(row) for row in rows]


def _key_of(row: Any) -> ApiKey:
    return ApiKey(
        key_id=row["key_id"],
        name=row["name"],
        roles=frozenset(Role(each) for each in row["roles"]),
        created_at_ms=row["created_at_ms"],
        expires_at_ms=row["expires_at_ms"],
        prefix=row["prefix"],
        sha256=row["sha256"],
        revoked_at_ms=row["revoked_at_ms"],
        last_used_at_ms=row["last_used_at_ms"],
    )
