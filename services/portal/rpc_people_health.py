"""The part of the face that tells the platform how tenants are doing."""

from __future__ import annotations

from protos.common.v1 import common_pb2
from protos.portal.v1 import portal_pb2
from services.chassis.paging import page_size
from services.portal.core.health import judged
from services.portal.model.health import Floor, Vitals, Waiting
from services.portal.people_parts import PeopleParts
from services.portal.rpc_people_asked import Context, searched
from services.portal.rpc_people_tenants import platform_only
from services.portal.wire_people import tenant_message

MAX_TENANTS = 100
"""Of one page: even if no service answers, all of it is told in good time."""


class HealthCalls:
    """All tenants, as the platform watches over them."""

    _parts: PeopleParts

    async def ListTenantHealth(
        self, request: portal_pb2.ListTenantHealthRequest, _context: Context
    ) -> portal_pb2.ListTenantHealthResponse:
        """Tenants by name; at most 100, though more may be asked for."""
        platform_only()
        size = min(page_size(request.page), MAX_TENANTS)
        rows = await self._parts.store.list_tenants(searched(request.page.token), size + 1)
        token = rows[size - 1].name if len(rows) > size else ""
        vitals = await self._parts.health.look(rows[:size])
        return portal_pb2.ListTenantHealthResponse(
            tenants=[_health_message(each) for each in vitals],
            page=common_pb2.PageResponse(next_token=token),
        )


def _health_message(vitals: Vitals) -> portal_pb2.TenantHealth:
    state, reasons = judged(vitals)
    waiting = vitals.waiting or Waiting(0, 0)
    floor = vitals.floor or Floor(0, 0, 0, 0, 0)
    return portal_pb2.TenantHealth(
        tenant=tenant_message(vitals.tenant),
        users=vitals.people.users,
        agents_signed_in=floor.signed_in,
        waiting=waiting.callers,
        calls=vitals.calls or 0,
        offered_today=floor.offered,
        answered_today=floor.answered,
        abandoned_today=floor.abandoned,
        state=state,
        reasons=reasons,
    )
