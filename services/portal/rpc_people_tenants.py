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
from services.portal.core.changing import capped
from services.portal.core.checking import check_tenant, check_user
from services.portal.core.password_rules import check_password
from services.portal.model.errors import PlatformOnly, TenantExists
from services.portal.model.people import PLATFORM_TENANT, Account, Caps, Role, Tenant, User
from services.portal.people_parts import PeopleParts
from services.portal.rpc_people_asked import Context, searched, tenant_id_of
from services.portal.store import ChangeTenant
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
        platform_only()
        parts, now_ms = self._parts, self._parts.clock.now_ms()
        made = Tenant(
            tenant_id=TenantId(parts.new_id()),
            name=request.tenant.name,
            display_name=request.tenant.display_name or request.tenant.name,
            time_zone=request.tenant.time_zone or DEFAULT_ZONE,
            region=request.tenant.region,
            created_at_ms=now_ms,
            language=request.tenant.language,
        )
        tenant = capped(made, _caps(request.tenant.caps))
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
        platform_only()
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
        """Takes over the tenant's display name, zone, region and language."""
        wanted = request.tenant

        def change(tenant: Tenant) -> Tenant:
            changed = replace(
                tenant,
                display_name=wanted.display_name,
                time_zone=wanted.time_zone,
                region=wanted.region,
                language=wanted.language,
            )
            check_tenant(changed, zones=self._parts.zones)
            return changed

        return await self._changed(tenant_id(), change)

    async def SetCaps(
        self, request: portal_pb2.SetCapsRequest, _context: Context
    ) -> portal_pb2.Tenant:
        """What a tenant may use, at once; who is signed in to one that is suspended is not."""
        platform_only()
        caps = _caps(request.caps)
        named = tenant_id_of(request.tenant_id)
        return await self._changed(named, lambda tenant: capped(tenant, caps))

    async def _changed(self, tenant: TenantId, change: ChangeTenant) -> portal_pb2.Tenant:
        parts, now_ms = self._parts, self._parts.clock.now_ms()
        changed = await parts.store.change_tenant(
            tenant, change, lambda after: (parts.envelopes.tenant_put(after, now_ms),), now_ms
        )
        parts.identity.forget(tenant)
        log.info("tenant changed", tenant=tenant, suspended=changed.caps.suspended)
        return tenant_message(changed)


def _caps(caps: portal_pb2.Caps) -> Caps:
    return Caps(max_users=caps.max_users, max_calls=caps.max_calls, suspended=caps.suspended)


def platform_only() -> None:
    """PlatformOnly, unless the platform's own administrators ask."""
    if tenant_scope() not in {PLATFORM_TENANT, PLATFORM}:
        raise PlatformOnly("tenants are made and listed by the platform's administrators")
