"""Flows, numbers and the index of prompts in PostgreSQL."""

from __future__ import annotations

import asyncpg

from services.chassis.database import Connection, Database
from services.chassis.ids import TenantId
from services.ivr.model.library import Uses
from services.ivr.store import (
    MAX_VERSIONS,
    NOTHING,
    FlowInUse,
    NoSuchFlow,
    NoSuchNumber,
    NumberTaken,
    Route,
    StoredFlow,
    StoredNumber,
    TooManyVersions,
    told,
)
from services.ivr.store_library_sql import replace_uses

_VERSION = """
SELECT v.version, v.definition_json, v.created_at_ms, v.version = f.published AS published,
  v.name
FROM flow f JOIN flow_version v ON v.tenant_id = f.tenant_id AND v.flow_id = f.flow_id
"""
# Wider than the column, because a version may be asked for that none can have.
_GET = f"""{_VERSION}
WHERE f.flow_id = $1
  AND v.version = CASE WHEN $2::bigint > 0 THEN $2::bigint ELSE f.published END
"""
_NEWEST = _VERSION + "WHERE f.flow_id = $1 AND v.version = f.newest"
_LIST = """
SELECT f.flow_id, v.version, v.created_at_ms, v.version = f.published AS published,
  coalesce(p.name, v.name) AS name, f.published AS published_version
FROM flow f
JOIN flow_version v ON v.tenant_id = f.tenant_id AND v.flow_id = f.flow_id
LEFT JOIN flow_version p
  ON p.tenant_id = f.tenant_id AND p.flow_id = f.flow_id AND p.version = f.published
WHERE v.version = f.newest AND f.flow_id > $1 ORDER BY f.flow_id LIMIT $2
"""
_LIST_VERSIONS = """
SELECT v.version, '' AS definition_json, v.created_at_ms, v.version = f.published AS published,
  v.name
FROM flow f JOIN flow_version v ON v.tenant_id = f.tenant_id AND v.flow_id = f.flow_id
WHERE f.flow_id = $1 AND ($2::bigint = 0 OR v.version < $2::bigint)
ORDER BY v.version DESC LIMIT $3
"""
_PUT_NUMBER = """
INSERT INTO number (tenant_id, number, trunk, flow_id) VALUES (chassis.tenant(), $1, $2, $3)
ON CONFLICT (tenant_id, number, trunk) DO UPDATE SET flow_id = excluded.flow_id
"""
_LIST_NUMBERS = """
SELECT number, trunk, flow_id FROM number
WHERE (number, trunk) > ($1 COLLATE "C", $2 COLLATE "C") ORDER BY number, trunk LIMIT $3
"""


class SqlFlowStore:
    """What ivr keeps, row-level security between the tenants."""

    def __init__(self, database: Database) -> None:
        """`database` is of the schema `ivr`."""
        self._database = database

    async def put_flow(
        self,
        tenant_id: TenantId,
        flow_id: str,
        definition_json: str,
        now_ms: int,
        *,
        name: str = "",
    ) -> StoredFlow:
        """See `FlowStore.put_flow`."""
        async with self._database.transaction(tenant_id) as connection:
            await connection.execute(
                "INSERT INTO flow (tenant_id, flow_id) VALUES (chassis.tenant(), $1)"
                " ON CONFLICT DO NOTHING",
                flow_id,
            )
            # Locked, so that two who put at once get two versions.
            newest = await connection.fetchval(
                "SELECT newest FROM flow WHERE flow_id = $1 FOR UPDATE", flow_id
            )
            known = await connection.fetchrow(_NEWEST, flow_id)
            if known is not None and known["definition_json"] == definition_json:
                return _flow(flow_id, known)
            if newest >= MAX_VERSIONS:
                raise TooManyVersions(flow_id)
            await connection.execute(
                "INSERT INTO flow_version"
                " (tenant_id, flow_id, version, definition_json, created_at_ms, name)"
                " VALUES (chassis.tenant(), $1, $2, $3, $4, $5)",
                flow_id,
                newest + 1,
                definition_json,
                now_ms,
                name,
            )
            await connection.execute(
                "UPDATE flow SET newest = $2 WHERE flow_id = $1", flow_id, newest + 1
            )
        return StoredFlow(flow_id, newest + 1, definition_json, now_ms, published=False, name=name)

    async def publish_flow(
        self, tenant_id: TenantId, flow_id: str, version: int, uses: Uses = NOTHING
    ) -> StoredFlow:
        """See `FlowStore.publish_flow`."""
        async with self._database.transaction(tenant_id) as connection:
            wanted = await (
                _version(connection, _GET, flow_id, version)
                if version
                else _version(connection, _NEWEST, flow_id)
            )
            await connection.execute(
                "UPDATE flow SET published = $2 WHERE flow_id = $1", flow_id, wanted.version
            )
            await replace_uses(connection, flow_id, uses)
            return await _version(connection, _GET, flow_id, wanted.version)

    async def get_flow(self, tenant_id: TenantId, flow_id: str, version: int) -> StoredFlow:
        """See `FlowStore.get_flow`."""
        async with self._database.transaction(tenant_id) as connection:
            return await _version(connection, _GET, flow_id, version)

    async def newest_flow(self, tenant_id: TenantId, flow_id: str) -> StoredFlow:
        """See `FlowStore.newest_flow`."""
        async with self._database.transaction(tenant_id) as connection:
            return await _version(connection, _NEWEST, flow_id)

    async def published_version(self, tenant_id: TenantId, flow_id: str) -> int:
        """See `FlowStore.published_version`."""
        async with self._database.transaction(tenant_id) as connection:
            version: int | None = await connection.fetchval(
                "SELECT published FROM flow WHERE flow_id = $1", flow_id
            )
        if not version:
            raise NoSuchFlow(told(flow_id, 0))
        return version

    async def list_flows(self, tenant_id: TenantId, after: str, size: int) -> list[StoredFlow]:
        """See `FlowStore.list_flows`."""
        async with self._database.transaction(tenant_id) as connection:
            rows = await connection.fetch(_LIST, _plain(after), size)
        return [
            StoredFlow(
                row["flow_id"],
                row["version"],
                "",
                row["created_at_ms"],
                published=row["published"],
                name=row["name"],
                published_version=row["published_version"],
            )
            for row in rows
        ]

    async def list_versions(
        self, tenant_id: TenantId, flow_id: str, before: int, size: int
    ) -> list[StoredFlow]:
        """See `FlowStore.list_versions`."""
        async with self._database.transaction(tenant_id) as connection:
            await _version(connection, _NEWEST, flow_id)
            rows = await connection.fetch(_LIST_VERSIONS, flow_id, before, size)
        return [_flow(flow_id, row) for row in rows]

    async def remove_flow(self, tenant_id: TenantId, flow_id: str) -> None:
        """See `FlowStore.remove_flow`."""
        async with self._database.transaction(tenant_id) as connection:
            # Locked, so that no number is pointed here meanwhile.
            await connection.execute("SELECT FROM flow WHERE flow_id = $1 FOR UPDATE", flow_id)
            await _version(connection, _NEWEST, flow_id)
            number = await connection.fetchval(
                "SELECT number FROM number WHERE flow_id = $1 LIMIT 1", flow_id
            )
            if number is not None:
                raise FlowInUse(f"{number} leads to {flow_id}")
            # The flow's own row stays: it counts on if a flow of this id is made again, and a
            # version that some replica still has in memory is never another.
            await connection.execute("UPDATE flow SET published = 0 WHERE flow_id = $1", flow_id)
            await replace_uses(connection, flow_id, NOTHING)
            await connection.execute("DELETE FROM flow_version WHERE flow_id = $1", flow_id)

    async def put_number(self, tenant_id: TenantId, number: StoredNumber) -> StoredNumber:
        """See `FlowStore.put_number`."""
        async with self._database.transaction(tenant_id) as connection:
            # Locked, so that the flow is not removed meanwhile.
            await connection.execute(
                "SELECT FROM flow WHERE flow_id = $1 FOR SHARE", number.flow_id
            )
            await _version(connection, _GET, number.flow_id, 0)
            try:
                await connection.execute(_PUT_NUMBER, number.number, number.trunk, number.flow_id)
            except asyncpg.UniqueViolationError:
                raise NumberTaken(f"{number.number} on {number.trunk}") from None
        return number

    async def remove_number(self, tenant_id: TenantId, trunk: str, number: str) -> None:
        """See `FlowStore.remove_number`."""
        async with self._database.transaction(tenant_id) as connection:
            removed = await connection.fetchval(
                "DELETE FROM number WHERE number = $1 AND trunk = $2 RETURNING number",
                _plain(number),
                _plain(trunk),
            )
        if removed is None:
            raise NoSuchNumber(f"{number} on {trunk}")

    async def list_numbers(
        self, tenant_id: TenantId, after: tuple[str, str], size: int
    ) -> list[StoredNumber]:
        """See `FlowStore.list_numbers`."""
        number, trunk = after
        async with self._database.transaction(tenant_id) as connection:
            rows = await connection.fetch(_LIST_NUMBERS, _plain(number), _plain(trunk), size)
        return [StoredNumber(row["number"], row["trunk"], row["flow_id"]) for row in rows]

    async def resolve_number(self, trunk: str, number: str) -> Route:
        """See `FlowStore.resolve_number`."""
        async with self._database.untenanted() as connection:
            row = await connection.fetchrow(
                "SELECT tenant_id, flow_id FROM ivr.resolve_number($1, $2)",
                _plain(trunk),
                _plain(number),
            )
        if row is None:
            raise NoSuchNumber(f"{number} on {trunk}")
        return Route(TenantId(row["tenant_id"]), row["flow_id"])

    async def prompt(self, key: str) -> str:
        """See `FlowStore.prompt`."""
        async with self._database.untenanted() as connection:
            found: str | None = await connection.fetchval(
                "SELECT sha256 FROM prompt WHERE key = $1", key
            )
        return found or ""

    async def keep_prompt(self, key: str, sha256: str) -> None:
        """See `FlowStore.keep_prompt`."""
        async with self._database.untenanted() as connection:
            await connection.execute(
                "INSERT INTO prompt (key, sha256) VALUES ($1, $2)"
                " ON CONFLICT (key) DO UPDATE SET sha256 = excluded.sha256",
                key,
                sha256,
            )


async def _version(
    connection: Connection, statement: str, flow_id: str, *version: int
) -> StoredFlow:
    known = all(number <= MAX_VERSIONS for number in version)
    row = await connection.fetchrow(statement, flow_id, *version) if known else None
    if row is None:
        raise NoSuchFlow(told(flow_id, *(version or (0,))))
    return _flow(flow_id, row)


def _flow(flow_id: str, row: asyncpg.Record) -> StoredFlow:
    return StoredFlow(
        flow_id,
        row["version"],
        row["definition_json"],
        row["created_at_ms"],
        published=row["published"],
        name=row["name"],
    )


def _plain(text: str) -> str:
    """What a stranger dialled or asked for: PostgreSQL has no texts with a NUL, nor we numbers."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
