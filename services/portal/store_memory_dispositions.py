"""Dispositions in memory: for tests and simulation."""

from __future__ import annotations

from collections import defaultdict

from services.chassis.ids import TenantId
from services.portal.model.dispositions import Disposition
from services.portal.model.errors import NoSuchDisposition, TooManyDispositions


class MemoryDispositions:
    """See `DispositionStore`."""

    _dispositions: defaultdict[TenantId, dict[str, Disposition]]

    async def put_disposition(
        self, tenant_id: TenantId, disposition: Disposition, *, most: int
    ) -> None:
        """See `DispositionStore.put_disposition`."""
        kept = self._dispositions[tenant_id]
        if disposition.code not in kept and len(kept) >= most:
            raise TooManyDispositions(f"at most {most}")
        kept[disposition.code] = disposition

    async def dispositions(self, tenant_id: TenantId) -> list[Disposition]:
        """See `DispositionStore.dispositions`."""
        return list(self._dispositions[tenant_id].values())

    async def remove_disposition(self, tenant_id: TenantId, code: str) -> None:
        """See `DispositionStore.remove_disposition`."""
        if self._dispositions[tenant_id].pop(code, None) is None:
            raise NoSuchDisposition(code)
