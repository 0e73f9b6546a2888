"""What ivr must know of tenants: the port, and one in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from services.chassis.ids import TenantId

SILENT_S = 10
"""The calls of a replica that has said nothing for so long count no more: it is gone."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What portal says of a tenant that its calls go by."""

    time_zone: str = "UTC"
    """IANA name."""
    max_calls: int = 0
    """At a time; 0: as many as come."""
    suspended: bool = False
    """True: its callers are turned away."""
    told_at_ms: int = 0
    """UTC milliseconds: the newest word counts."""


class TenantStore(Protocol):
    """Tenants' terms. Every method sees one tenant alone."""

    async def put_terms(self, tenant_id: TenantId, terms: Terms) -> None:
        """Keeps them, unless newer ones are known."""

    async def terms(self, tenant_id: TenantId) -> Terms:
        """What holds; plain ones for a tenant of whom nothing was said yet."""

    async def tell_calls(self, tenant_id: TenantId, replica: str, calls: int) -> int:
        """Keeps how many of the tenant's calls a replica carries; how many all others do."""


class MemoryTenantStore:
    """Terms for tests and simulation: gone with the process."""

    def __init__(self) -> None:
        self._terms: dict[TenantId, Terms] = {}
        self._calls: dict[TenantId, dict[str, int]] = {}

    async def put_terms(self, tenant_id: TenantId, terms: Terms) -> None:
        """See `TenantStore.put_terms`."""
        if terms.told_at_ms >= (await self.terms(tenant_id)).told_at_ms:
            self._terms[tenant_id] = terms

    async def terms(self, tenant_id: TenantId) -> Terms:
        """See `TenantStore.terms`."""
        return self._terms.get(tenant_id, Terms())

    def calls_told(self, tenant_id: TenantId) -> dict[str, int]:
        """The calls of a tenant by replica, for tests."""
        return dict(self._calls.get(tenant_id, {}))

    async def tell_calls(self, tenant_id: TenantId, replica: str, calls: int) -> int:
        """See `TenantStore.tell_calls`; here no replica goes without a word."""
        told = self._calls.setdefault(tenant_id, {})
        told[replica] = calls
        return sum(told.values()) - calls
