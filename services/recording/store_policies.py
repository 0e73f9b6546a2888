"""What tenants decided about their recordings: the port, and its form in memory."""

from __future__ import annotations

from typing import Protocol

from services.chassis.ids import TenantId
from services.recording.model.policy import Policy


class PolicyStore(Protocol):
    """One policy per tenant."""

    async def policy(self, tenant_id: TenantId) -> Policy:
        """What holds; where nothing was decided, what holds by itself."""

    async def put_policy(self, tenant_id: TenantId, policy: Policy) -> None:
        """Holds from now on."""


class MemoryPolicies:
    """Policies for tests and simulation."""

    _policies: dict[TenantId, Policy]

    async def policy(self, tenant_id: TenantId) -> Policy:
        """See `PolicyStore.policy`."""
        return self._policies.get(tenant_id, Policy())

    async def put_policy(self, tenant_id: TenantId, policy: Policy) -> None:
        """See `PolicyStore.put_policy`."""
        self._policies[tenant_id] = policy
