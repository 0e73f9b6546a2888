"""The tenant's clock and country, as an agent's desk needs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from grpc import aio

from protos.portal.v1 import portal_pb2, portal_pb2_grpc
from services.chassis.clock import Clock
from services.chassis.ids import TenantId
from services.chassis.request import TENANT_KEY

if TYPE_CHECKING:  # the stubs know this name, the generated module does not
    from protos.portal.v1.portal_pb2_grpc import PortalAsyncStub

ASK_LIMIT_S = 2.0


@dataclass(frozen=True, slots=True)
class Day:
    """A stretch of a tenant's day."""

    from_ms: int
    """Local midnight, UTC milliseconds."""
    to_ms: int
    """Now."""


class Tenants:
    """What portal itself knows about the tenant of whoever asks."""

    def __init__(self, *, dial: Callable[[str], aio.Channel], clock: Clock) -> None:
        self._dial = dial
        self._clock = clock

    async def region(self, tenant_id: TenantId) -> str:
        """Two letters: how numbers without a plus sign are read."""
        return (await self._tenant(tenant_id)).region

    async def today(self, tenant_id: TenantId) -> Day:
        """From midnight by the tenant's clocks until now."""
        tenant = await self._tenant(tenant_id)
        now_ms = self._clock.now_ms()
        local = datetime.fromtimestamp(now_ms / 1_000, tz=UTC).astimezone(_zone(tenant.time_zone))
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        from_ms = round(midnight.timestamp() * 1_000)
        # At midnight itself there is nothing yet, and no stretch of time is empty.
        return Day(from_ms, max(now_ms, from_ms + 1))

    async def _tenant(self, tenant_id: TenantId) -> portal_pb2.Tenant:
        stub: PortalAsyncStub = portal_pb2_grpc.PortalStub(self._dial("portal"))
        return await stub.GetTenant(
            portal_pb2.GetTenantRequest(),
            metadata=((TENANT_KEY, str(tenant_id)),),
            timeout=ASK_LIMIT_S,
        )


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")  # as reports do with a zone that this machine does not know
