"""Dispositions in PostgreSQL."""

from __future__ import annotations

from services.chassis.database import Database
from services.chassis.ids import TenantId
from services.portal.model.dispositions import Disposition
from services.portal.model.errors import NoSuchDisposition, TooManyDispositions
from services.portal.store_sql_tenants import locked_tenant


class SqlDispositions:
    """See `DispositionStore`."""

    _database: Database

    async def put_disposition(
        self, tenant_id: TenantId, disposition: Disposition, *, most: int
    ) -> None:
        """See `DispositionStore.put_disposition`."""
        async with self._database.transaction(tenant_id) as connection:
            await locked_tenant(connection, tenant_id)
            others = await connection.fetchval(
                "SELECT count(*) FROM disposition WHERE code <> $1", disposition.code
            )
            if others >= most:
                raise TooManyDispositions(f"at most {most}")
            await connection.execute(
                "INSERT INTO disposition (tenant_id, code, label, queue_ids, position, active)"
                " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant_id, code) DO UPDATE"
                " SET label = $3, queue_ids = $4, position = $5, active = $6",
                tenant_id,
                disposition.code,
                disposition.label,
                disposition.queue_ids,
                disposition.position,
                disposition.active,
            )

    async def dispositions(self, tenant_id: TenantId) -> list[Disposition]:
        """See `DispositionStore.dispositions`."""
        async with self._database.transaction(tenant_id) as connection:
            rows = await connection.fetch(
                "SELECT code, label, queue_ids, position, active FROM disposition"
            )
        return [
            Disposition(
                code=row["code"],
                label=row["label"],
                queue_ids=tuple(row["queue_ids"]),
                position=row["position"],
                active=row["active"],
            )
            for row in rows
        ]

    async def remove_disposition(self, tenant_id: TenantId, code: str) -> None:
        """See `DispositionStore.remove_disposition`."""
        async with self._database.transaction(tenant_id) as connection:
            gone = await connection.fetchval(
                "DELETE FROM disposition WHERE code = $1 RETURNING 1", code
            )
        if gone is None:
            raise NoSuchDisposition(code)
