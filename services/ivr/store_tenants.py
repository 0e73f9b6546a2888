"""What ivr must know of tenants: the port, and one in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from services.chassis.ids import TenantId


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


class MemoryTenantStore:
    """Terms for tests and simulation: gone with the process."""

    def __init__(self) -> None:
        self._terms: dict[TenantId, Terms] = {}

    async def put_terms(self, tenant_id: TenantId, terms: Terms) -> None:
        """See `TenantStore.put_terms`."""
        if terms.told_at_ms >= (await self.terms(tenant_id)).told_at_ms:
            self._terms[tenant_id] = terms

    async def terms(self, tenant_id: TenantId) -> Terms:
        """See `TenantStore.terms`."""
        return self._terms.get(tenant_id, Terms())
