"""The part of the face about tenants."""

from __future__ import annotations

from dataclasses import replace

from protos.common.v1 import common_pb2
from protos.portal.v1 import portal_pb2
from services.chassis.ids import TenantId
from services.chassis.log import get_logger
from services.chassis.paging import page_size
from services.chassis.request import PLATFORM
from services.chassis.rpc import tenant_id, tenant_scope
from services.portal.core.checking import check_tenant, check_user
from services.portal.core.password_rules import check_password
from services.portal.model.errors import PlatformOnly, TenantExists
from services.portal.model.people import PLATFORM_TENANT, Account, Role, Tenant, User
from services.portal.people_parts import PeopleParts
from services.portal.rpc_people_asked import Context, searched
from services.portal.wire_people import tenant_message

log = get_logger("portal.people")

DEFAULT_ZONE = "UTC"


class TenantCalls:
    """Tenants: all of them for the platform, one's own for everybody."""

    _parts: PeopleParts

    async def CreateTenant(
        self, request: portal_pb2.CreateTenantRequest, _context: Context
    ) -> portal_pb2.Tenant:
        """Creates a tenant with its first administrator."""
        _platform_only()
        parts, now_ms = self._parts, self._parts.clock.now_ms()
        tenant = Tenant(
            tenant_id=TenantId(parts.new_id()),
            name=request.tenant.name,
            display_name=request.tenant.display_name or request.tenant.name,
            time_zone=request.tenant.time_zone or DEFAULT_ZONE,
            region=request.tenant.region,
            created_at_ms=now_ms,
        )
        user = User(
            user_id=parts.new_id(),
            username=request.admin_username,
            display_name=request.admin_username,
            email="",
            roles=frozenset({Role.ADMINISTRATOR}),
            active=True,
            created_at_ms=now_ms,
        )
        check_tenant(tenant, zones=parts.zones)
        check_user(user, tenant_id=tenant.tenant_id)
        check_password(request.admin_password, names=(user.username, tenant.name))
        if await parts.store.tenant_named(tenant.name) is not None:
            raise TenantExists(tenant.name)
        account = Account(user, await parts.passwords.hash(request.admin_password))
        events = (
            parts.envelopes.tenant_put(tenant, now_ms),
            parts.envelopes.user_put(tenant.tenant_id, user, now_ms),
        )
        await parts.store.add_tenant(tenant, account, events)
        log.info("tenant created", tenant=tenant.tenant_id)
        return tenant_message(tenant)

    async def ListTenants(
        self, request: portal_pb2.ListTenantsRequest, _context: Context
    ) -> portal_pb2.ListTenantsResponse:
        """All tenants by name."""
        _platform_only()
        size = page_size(request.page)
        rows = await self._parts.store.list_tenants(searched(request.page.token), size + 1)
        token = rows[size - 1].name if len(rows) > size else ""
        return portal_pb2.ListTenantsResponse(
            tenants=[tenant_message(row) for row in rows[:size]],
            page=common_pb2.PageResponse(next_token=token),
        )

    async def GetTenant(
        self, _request: portal_pb2.GetTenantRequest, _context: Context
    ) -> portal_pb2.Tenant:
        """The tenant of whoever asks."""
        return tenant_message(await self._parts.store.get_tenant(tenant_id()))

    async def UpdateTenant(
        self, request: portal_pb2.UpdateTenantRequest, _context: Context
    ) -> portal_pb2.Tenant:
        """Takes over the tenant's display name, zone and region."""
        parts = self._parts
        tenant = replace(
            await parts.store.get_tenant(tenant_id()),
            display_name=request.tenant.display_name,
            time_zone=request.tenant.time_zone,
            region=request.tenant.region,
        )
        check_tenant(tenant, zones=parts.zones)
        event = parts.envelopes.tenant_put(tenant, parts.clock.now_ms())
        await parts.store.put_tenant(tenant, (event,))
        parts.identity.forget(tenant.tenant_id)
        log.info("tenant changed", tenant=tenant.tenant_id)
        return tenant_message(tenant)


def _platform_only() -> None:
    if tenant_scope() not in {PLATFORM_TENANT, PLATFORM}:
        raise PlatformOnly("tenants are made and listed by the platform's administrators")
