"""What the platform lets a tenant use holds at once, and a suspended tenant is closed."""

from __future__ import annotations

from typing import Any

import pytest

from protos.portal.v1 import events_pb2, portal_pb2
from services.portal.core.changing import MAX_CAP
from services.portal.core.changing import capped as with_caps
from services.portal.model.errors import BadCaps, NotAuthenticated, TenantSuspended
from services.portal.model.people import PLATFORM_TENANT, Caps, Tenant
from tests.unit.portal_people.stage import OTHER_PASSWORD, Stage, refused

PLATFORM = (("carillon-tenant", str(PLATFORM_TENANT)),)


async def capped(stage: Stage, tenant: str = "acme", **caps: Any) -> portal_pb2.Tenant:
    request = portal_pb2.SetCapsRequest(
        tenant_id=stage.tenants[tenant], caps=portal_pb2.Caps(**caps)
    )
    return await stage.portal.SetCaps(request, metadata=PLATFORM)


async def test_caps_are_set_told_and_shown_to_the_tenant(stage: Stage) -> None:
    made = await capped(stage, max_users=7, max_calls=3)
    assert made.caps == portal_pb2.Caps(max_users=7, max_calls=3)
    shown = await stage.portal.GetTenant(portal_pb2.GetTenantRequest(), metadata=await root(stage))
    assert shown == made
    event = (await stage.events())[-1]
    assert event.type.endswith("TenantPut")
    assert events_pb2.TenantPut.FromString(event.payload).tenant == made


async def root(stage: Stage) -> Any:
    return await stage.root()


async def test_only_the_platform_sets_caps(stage: Stage) -> None:
    request = portal_pb2.SetCapsRequest(tenant_id=stage.tenants["acme"])
    error = await refused(stage.portal.SetCaps(request, metadata=await stage.root()))
    assert error.code == "platform-only"
    # Nor does a tenant change them with what it may change.
    await capped(stage, max_users=7)
    tenant = portal_pb2.Tenant(
        display_name="Acme", time_zone="UTC", language="zh-CN", caps=portal_pb2.Caps(max_users=900)
    )
    changed = await stage.portal.UpdateTenant(
        portal_pb2.UpdateTenantRequest(tenant=tenant), metadata=await stage.root()
    )
    assert (changed.caps.max_users, changed.language) == (7, "zh-CN")


async def test_caps_that_nobody_can_have_are_refused(stage: Stage) -> None:
    assert (await refused(capped(stage, max_users=MAX_CAP + 1))).code == "bad-caps"
    assert (await refused(capped(stage, max_calls=MAX_CAP + 1))).code == "bad-caps"
    platform = Tenant(PLATFORM_TENANT, "platform", "Platform", "UTC", "", 1)
    with pytest.raises(BadCaps):
        with_caps(platform, Caps(suspended=True))
    assert with_caps(platform, Caps(max_users=3)).caps.max_users == 3
    for tenant_id in ("t-nobody", "", "x" * 200, "a\0b"):
        request = portal_pb2.SetCapsRequest(tenant_id=tenant_id)
        error = await refused(stage.portal.SetCaps(request, metadata=PLATFORM))
        assert error.code == "no-such-tenant"


async def test_a_language_is_a_language_tag(stage: Stage) -> None:
    tenant = portal_pb2.Tenant(display_name="Acme", time_zone="UTC", language="Romanian, please")
    request = portal_pb2.UpdateTenantRequest(tenant=tenant)
    error = await refused(stage.portal.UpdateTenant(request, metadata=await stage.root()))
    assert error.code == "bad-tenant"


async def test_no_more_users_are_made_or_let_in_than_may_be(stage: Stage) -> None:
    await capped(stage, max_users=2)
    ann = await stage.create_user("ann")
    assert (await refused(stage.create_user("ben"))).code == "too-many-users"
    ann.active = False
    update = portal_pb2.UpdateUserRequest(user=ann)
    await stage.portal.UpdateUser(update, metadata=await stage.root())
    await stage.create_user("ben")
    ann.active = True
    update = portal_pb2.UpdateUserRequest(user=ann)
    error = await refused(stage.portal.UpdateUser(update, metadata=await stage.root()))
    assert error.code == "too-many-users"
    await stage.create_user("cyn", tenant="other")


async def test_nobody_of_a_suspended_tenant_comes_in_or_stays(stage: Stage) -> None:
    session = await stage.sign_in()
    other = await stage.sign_in(tenant="other")
    key = await stage.portal.CreateApiKey(
        portal_pb2.CreateApiKeyRequest(name="crm", roles=["supervisor"]),
        metadata=await stage.root(),
    )
    for bearer in (session.access_token, key.secret):
        await stage.who(bearer)
    await capped(stage, suspended=True)
    for bearer in (session.access_token, key.secret):
        with pytest.raises(TenantSuspended):
            await stage.who(bearer)
    assert (await refused(stage.refresh(session.refresh_token))).code == "tenant-suspended"
    assert (await refused(stage.sign_in())).code == "tenant-suspended"
    # Whoever does not know the password does not learn of it either.
    wrong = await refused(stage.sign_in(password=OTHER_PASSWORD))
    assert wrong.code == "wrong-credentials"
    assert (await stage.who(other.access_token)).tenant_name == "other"
    outcomes = [each.outcome for each in await stage.audit()]
    assert outcomes.count("tenant-suspended") == 2
    assert outcomes.count("wrong-credentials") == 1


async def test_after_a_suspension_people_sign_in_anew_and_keys_work_on(stage: Stage) -> None:
    session = await stage.sign_in()
    key = await stage.portal.CreateApiKey(
        portal_pb2.CreateApiKeyRequest(name="crm", roles=["supervisor"]),
        metadata=await stage.root(),
    )
    await capped(stage, suspended=True)
    await capped(stage)
    with pytest.raises(NotAuthenticated):
        await stage.who(session.access_token)
    await stage.who(key.secret)
    await stage.who((await stage.sign_in()).access_token)
