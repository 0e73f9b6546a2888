"""Tenants and users, as administrators see them."""

from __future__ import annotations

from typing import Any

import pytest

from protos.common.v1 import common_pb2
from protos.portal.v1 import events_pb2, portal_pb2
from services.chassis.errors import Kind
from services.chassis.request import PLATFORM, Metadata, metadata
from services.portal.core import checking
from services.portal.model.errors import NotAuthenticated
from services.portal.model.people import PLATFORM_TENANT, RULING, Account, Tenant
from services.portal.model.people import User as PortalUser
from tests.unit.portal_people.stage import (
    OTHER_PASSWORD,
    PASSWORD,
    START_MS,
    Stage,
    refused,
)

User = portal_pb2.User
Page = common_pb2.PageRequest


# ---- tenants ----


async def test_the_platform_makes_tenants_with_their_first_administrator(stage: Stage) -> None:
    made = await stage.create_tenant("third")
    assert (made.name, made.display_name, made.time_zone, made.region, made.created_at_ms) == (
        "third",
        "third",
        "Europe/Bucharest",
        "RO",
        START_MS,
    )
    me = (await stage.sign_in(tenant="third")).me
    assert (me.tenant_id, list(me.roles)) == (made.tenant_id, ["administrator"])
    assert await stage.told(made.tenant_id) == ["TenantPut", "UserPut"]


async def test_a_tenant_needs_no_more_than_a_name(stage: Stage) -> None:
    request = portal_pb2.CreateTenantRequest(
        tenant=portal_pb2.Tenant(name="third"), admin_username="root", admin_password=PASSWORD
    )
    made = await stage.portal.CreateTenant(request, metadata=metadata(tenant_id=PLATFORM))
    assert (made.time_zone, made.region) == ("UTC", "")


async def test_a_tenant_is_made_with_its_caps(stage: Stage) -> None:
    caps = portal_pb2.Caps(max_users=3, max_calls=20)
    request = portal_pb2.CreateTenantRequest(
        tenant=portal_pb2.Tenant(name="third", caps=caps),
        admin_username="root",
        admin_password=PASSWORD,
    )
    made = await stage.portal.CreateTenant(request, metadata=metadata(tenant_id=PLATFORM))
    assert made.caps == caps
    root = await stage.root("third")
    seen = await stage.portal.GetTenant(portal_pb2.GetTenantRequest(), metadata=root)
    assert seen.caps == caps


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"tenant": portal_pb2.Tenant(name="acme")}, "tenant-exists"),
        (
            {"tenant": portal_pb2.Tenant(name="third", caps=portal_pb2.Caps(max_calls=1_000_001))},
            "bad-caps",
        ),
        ({"tenant": portal_pb2.Tenant(name="A B")}, "bad-tenant"),
        ({"tenant": portal_pb2.Tenant(name="x", time_zone="Mars")}, "bad-tenant"),
        ({"admin_username": "a b"}, "bad-user"),
        ({"admin_password": "short"}, "weak-password"),
        ({"admin_password": "third-2026-07-07"}, "weak-password"),
    ],
)
async def test_a_tenant_is_refused_for_what_is_wrong_with_it(
    stage: Stage, change: dict[str, Any], code: str
) -> None:
    parts: dict[str, Any] = {
        "tenant": portal_pb2.Tenant(name="third"),
        "admin_username": "root",
        "admin_password": PASSWORD,
    }
    request = portal_pb2.CreateTenantRequest(**(parts | change))
    call = stage.portal.CreateTenant(request, metadata=metadata(tenant_id=PLATFORM_TENANT))
    assert (await refused(call)).code == code


async def test_tenants_are_the_platforms_only(stage: Stage) -> None:
    root = await stage.root()
    for call in (
        stage.portal.CreateTenant(portal_pb2.CreateTenantRequest(), metadata=root),
        stage.portal.ListTenants(portal_pb2.ListTenantsRequest(), metadata=root),
    ):
        error = await refused(call)
        assert (error.code, error.kind) == ("platform-only", Kind.DENIED)


async def test_tenants_are_listed_in_pages(stage: Stage) -> None:
    names, token = [], ""
    while True:
        page = await stage.portal.ListTenants(
            portal_pb2.ListTenantsRequest(page=Page(size=1, token=token)),
            metadata=metadata(tenant_id=PLATFORM_TENANT),
        )
        names += [tenant.name for tenant in page.tenants]
        token = page.page.next_token
        if not token:
            break
    assert names == ["acme", "other"]


async def test_an_administrator_changes_their_own_tenant_only(stage: Stage) -> None:
    session = await stage.sign_in()
    root = await stage.by(session.access_token)
    wanted = portal_pb2.Tenant(
        tenant_id=stage.tenants["other"],
        name="stolen",
        display_name="Acme AG",
        time_zone="Europe/Berlin",
        region="DE",
    )
    request = portal_pb2.UpdateTenantRequest(tenant=wanted)
    changed = await stage.portal.UpdateTenant(request, metadata=root)
    assert (changed.tenant_id, changed.name) == (stage.tenants["acme"], "acme")
    assert await stage.portal.GetTenant(portal_pb2.GetTenantRequest(), metadata=root) == changed
    # Whoever is signed in is told at once.
    assert (await stage.who(session.access_token)).time_zone == "Europe/Berlin"
    other = await stage.portal.GetTenant(
        portal_pb2.GetTenantRequest(), metadata=await stage.root("other")
    )
    assert (other.name, other.time_zone) == ("other", "Europe/Bucharest")
    assert (await stage.told())[-1] == "TenantPut"
    wanted.time_zone = "Mars"
    call = stage.portal.UpdateTenant(portal_pb2.UpdateTenantRequest(tenant=wanted), metadata=root)
    assert (await refused(call)).code == "bad-tenant"


# ---- users ----


async def test_a_user_is_created_and_may_sign_in(stage: Stage) -> None:
    made = await stage.create_user("ana", "agent", "supervisor")
    assert (made.username, made.display_name, list(made.roles), made.active) == (
        "ana",
        "ana",
        ["agent", "supervisor"],
        True,
    )
    assert (made.created_at_ms, made.last_seen_at_ms, made.locked_until_ms) == (START_MS, 0, 0)
    session = await stage.sign_in("ana", password=OTHER_PASSWORD)
    assert session.me.id == made.user_id
    assert (await stage.told())[-1] == "UserPut"


@pytest.mark.parametrize(
    ("user", "password", "code"),
    [
        (User(username="ROOT", roles=["agent"]), OTHER_PASSWORD, "user-exists"),
        (User(username="a b", roles=["agent"]), OTHER_PASSWORD, "bad-user"),
        (User(username="ana", roles=[]), OTHER_PASSWORD, "bad-user"),
        (User(username="ana", roles=["king"]), OTHER_PASSWORD, "bad-user"),
        (User(username="ana", roles=["platform"]), OTHER_PASSWORD, "bad-user"),
        (User(username="ana", roles=["agent"], email="x"), OTHER_PASSWORD, "bad-user"),
        (User(username="ana", roles=["agent"]), "", "weak-password"),
        (User(username="ana.popescu.2", roles=["agent"]), "ana.popescu.2", "weak-password"),
    ],
)
async def test_a_user_is_refused_for_what_is_wrong_with_them(
    stage: Stage, user: User, password: str, code: str
) -> None:
    request = portal_pb2.CreateUserRequest(user=user, password=password)
    call = stage.portal.CreateUser(request, metadata=await stage.root())
    assert (await refused(call)).code == code


async def test_a_tenant_has_only_so_many_users(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert checking.MAX_USERS >= 10_000
    monkeypatch.setattr("services.portal.store_memory.MAX_USERS", 1)
    error = await refused(stage.create_user("ana"))
    assert (error.code, error.kind) == ("too-many-users", Kind.EXHAUSTED)


async def test_users_are_listed_searched_and_paged(stage: Stage) -> None:
    for name in ("Bob", "ana", "Zoe"):
        await stage.create_user(name)
    root = await stage.root()

    async def listed(**ask: Any) -> tuple[list[str], str]:
        found = await stage.portal.ListUsers(portal_pb2.ListUsersRequest(**ask), metadata=root)
        return [user.username for user in found.users], found.page.next_token

    assert await listed() == (["ana", "Bob", "root", "Zoe"], "")
    assert await listed(page=Page(size=2)) == (["ana", "Bob"], "bob")
    assert await listed(page=Page(size=2, token="bob")) == (["root", "Zoe"], "")
    assert await listed(search="O", role="agent") == (["Bob", "Zoe"], "")
    assert await listed(role="administrator") == (["root"], "")


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        ({"search": "a\0b"}, "bad-query"),
        ({"search": "x" * 301}, "bad-query"),
        ({"role": "king"}, "bad-query"),
        ({"role": "platform"}, "bad-query"),
        ({"page": Page(token="a\0b")}, "bad-query"),
        ({"page": Page(size=501)}, "bad-page"),
    ],
)
async def test_users_are_not_looked_for_by_what_nobody_is_called(
    stage: Stage, ask: dict[str, Any], code: str
) -> None:
    root = await stage.root()
    call = stage.portal.ListUsers(portal_pb2.ListUsersRequest(**ask), metadata=root)
    error = await refused(call)
    assert (error.code, error.kind) == (code, Kind.INVALID)


async def test_a_user_is_changed_and_it_holds_at_once(stage: Stage) -> None:
    made = await stage.create_user("ana")
    token = (await stage.sign_in("ana", password=OTHER_PASSWORD)).access_token
    assert (await stage.who(token)).roles == frozenset({"agent"})
    wanted = User(
        user_id=made.user_id,
        display_name="Ana P",
        email="ana@example.com",
        roles=["supervisor"],
        active=True,
        created_at_ms=1,
    )
    root = await stage.root()
    request = portal_pb2.UpdateUserRequest(user=wanted)
    changed = await stage.portal.UpdateUser(request, metadata=root)
    assert (changed.username, changed.display_name, changed.email, list(changed.roles)) == (
        "ana",
        "Ana P",
        "ana@example.com",
        ["supervisor"],
    )
    assert changed.created_at_ms == made.created_at_ms
    principal = await stage.who(token)
    assert (principal.name, principal.roles) == ("Ana P", frozenset({"supervisor"}))
    assert (await stage.told())[-1] == "UserPut"
    renamed = User(user_id=made.user_id, username="eve", display_name="x", roles=["agent"])
    call = stage.portal.UpdateUser(portal_pb2.UpdateUserRequest(user=renamed), metadata=root)
    assert (await refused(call)).code == "bad-user"


async def test_who_may_not_sign_in_any_more_is_out_at_once_and_for_good(stage: Stage) -> None:
    made = await stage.create_user("ana")
    session = await stage.sign_in("ana", password=OTHER_PASSWORD)
    await stage.who(session.access_token)
    root = await stage.root()
    for active in (False, True):
        made.active = active
        request = portal_pb2.UpdateUserRequest(user=made)
        assert (await stage.portal.UpdateUser(request, metadata=root)).active is active
        # Let in again, one signs in again.
        with pytest.raises(NotAuthenticated):
            await stage.who(session.access_token)
        assert (await refused(stage.refresh(session.refresh_token))).code == "not-authenticated"
    assert (await stage.sign_in("ana", password=OTHER_PASSWORD)).access_token


@pytest.mark.parametrize("change", [{"roles": ["agent"]}, {"active": False}])
async def test_the_last_administrator_stays_one(stage: Stage, change: dict[str, Any]) -> None:
    session = await stage.sign_in()
    root = await stage.by(session.access_token)
    parts: dict[str, Any] = {"roles": ["administrator"], "active": True}
    wanted = User(user_id=session.me.id, display_name="root", **(parts | change))
    request = portal_pb2.UpdateUserRequest(user=wanted)
    error = await refused(stage.portal.UpdateUser(request, metadata=root))
    assert (error.code, error.kind) == ("last-administrator", Kind.PRECONDITION)
    await stage.create_user("second", "administrator")
    assert (await stage.portal.UpdateUser(request, metadata=root)).user_id == session.me.id


async def test_a_password_is_set_and_every_session_ends(stage: Stage) -> None:
    made = await stage.create_user("ana")
    session = await stage.sign_in("ana", password=OTHER_PASSWORD)
    await stage.who(session.access_token)
    root = await stage.root()
    request = portal_pb2.SetPasswordRequest(user_id=made.user_id, password="short")
    assert (await refused(stage.portal.SetPassword(request, metadata=root))).code == (
        "weak-password"
    )
    request.password = "a fresh start 99"
    assert (await stage.portal.SetPassword(request, metadata=root)).user_id == made.user_id
    with pytest.raises(NotAuthenticated):
        await stage.who(session.access_token)
    assert (await stage.sign_in("ana", password="a fresh start 99")).access_token


# ---- the platform's own ----


async def by_the_platform(stage: Stage) -> tuple[str, Metadata, str, Metadata]:
    """The platform's first user, and one who is administrator there and no more."""
    tenant = Tenant(PLATFORM_TENANT, "platform", "Platform", "UTC", "", START_MS)
    user = PortalUser("p-1", "root", "root", "", RULING, active=True, created_at_ms=START_MS)
    account = Account(user, await stage.passwords.hash(PASSWORD))
    await stage.store.add_tenant(tenant, account, [])
    made = await stage.create_user("clerk", "administrator", tenant="platform")
    session = await stage.sign_in("clerk", "platform", OTHER_PASSWORD)
    return (
        "p-1",
        await stage.root("platform"),
        made.user_id,
        await stage.by(session.access_token),
    )


async def test_an_administrator_of_the_platforms_tenant_does_not_become_the_platform(
    stage: Stage,
) -> None:
    root_id, root, clerk_id, clerk = await by_the_platform(stage)
    portal, both = stage.portal, ["administrator", "platform"]
    request = portal_pb2.CreateApiKeyRequest(name="crm", roles=["administrator"])
    key = await portal.CreateApiKey(request, metadata=clerk)
    for asking in (clerk, await stage.by(key.secret)):
        promoted = User(user_id=clerk_id, display_name="clerk", roles=both, active=True)
        demoted = User(user_id=root_id, display_name="root", roles=["administrator"], active=True)
        locked_out = User(user_id=root_id, display_name="root", roles=both)
        made = User(username="eve", roles=["platform"])
        for call in (
            *(
                portal.UpdateUser(portal_pb2.UpdateUserRequest(user=user), metadata=asking)
                for user in (promoted, demoted, locked_out)
            ),
            portal.CreateUser(
                portal_pb2.CreateUserRequest(user=made, password=PASSWORD), metadata=asking
            ),
            portal.SetPassword(
                portal_pb2.SetPasswordRequest(user_id=root_id, password=OTHER_PASSWORD),
                metadata=asking,
            ),
            portal.CreateApiKey(
                portal_pb2.CreateApiKeyRequest(name="x", roles=both), metadata=asking
            ),
        ):
            error = await refused(call)
            assert (error.code, error.kind) == ("platform-only", Kind.DENIED)
    assert (await stage.sign_in(tenant="platform")).me.roles == both
    promoted = User(user_id=clerk_id, display_name="clerk", roles=both, active=True)
    changed = await portal.UpdateUser(portal_pb2.UpdateUserRequest(user=promoted), metadata=root)
    assert changed.roles == both


async def test_the_platform_always_has_somebody(stage: Stage) -> None:
    root_id, root, clerk_id, _ = await by_the_platform(stage)
    demoted = User(user_id=root_id, display_name="root", roles=["administrator"], active=True)
    request = portal_pb2.UpdateUserRequest(user=demoted)
    error = await refused(stage.portal.UpdateUser(request, metadata=root))
    assert (error.code, error.kind) == ("last-administrator", Kind.PRECONDITION)
    second = User(
        user_id=clerk_id, display_name="clerk", roles=["administrator", "platform"], active=True
    )
    await stage.portal.UpdateUser(portal_pb2.UpdateUserRequest(user=second), metadata=root)
    assert (await stage.portal.UpdateUser(request, metadata=root)).roles == ["administrator"]


# ---- what belongs to others ----


async def test_what_belongs_to_another_tenant_does_not_exist(stage: Stage) -> None:
    theirs = await stage.create_user("ana", tenant="other")
    request = portal_pb2.CreateApiKeyRequest(name="crm", roles=["agent"])
    key = (await stage.portal.CreateApiKey(request, metadata=await stage.root("other"))).key
    root = await stage.root()
    portal = stage.portal
    user_id = theirs.user_id
    asked = [
        (portal.GetUser(portal_pb2.GetUserRequest(user_id=user_id), metadata=root), "user"),
        (
            portal.UpdateUser(
                portal_pb2.UpdateUserRequest(user=User(user_id=user_id, roles=["agent"])),
                metadata=root,
            ),
            "user",
        ),
        (
            portal.SetPassword(
                portal_pb2.SetPasswordRequest(user_id=user_id, password=PASSWORD), metadata=root
            ),
            "user",
        ),
        (
            portal.RevokeApiKey(portal_pb2.RevokeApiKeyRequest(key_id=key.key_id), metadata=root),
            "api-key",
        ),
    ]
    for call, what in asked:
        error = await refused(call)
        assert (error.code, error.kind) == (f"no-such-{what}", Kind.NOT_FOUND)
    assert (await stage.sign_in("ana", "other", OTHER_PASSWORD)).me.id == user_id
    users = await portal.ListUsers(portal_pb2.ListUsersRequest(), metadata=root)
    keys = await portal.ListApiKeys(portal_pb2.ListApiKeysRequest(), metadata=root)
    assert [user.username for user in users.users] == ["root"]
    assert list(keys.keys) == []


@pytest.mark.parametrize("text", ["", "unknown", "a\0b", "x" * 200])
async def test_ids_that_nobody_has(stage: Stage, text: str) -> None:
    root = await stage.root()
    call = stage.portal.GetUser(portal_pb2.GetUserRequest(user_id=text), metadata=root)
    assert (await refused(call)).code == "no-such-user"
    revoke = portal_pb2.RevokeApiKeyRequest(key_id=text)
    assert (await refused(stage.portal.RevokeApiKey(revoke, metadata=root))).code == (
        "no-such-api-key"
    )


async def test_a_request_without_a_tenant_is_nobodys(stage: Stage) -> None:
    for call in (
        stage.portal.GetMe(portal_pb2.GetMeRequest()),
        stage.portal.ListUsers(portal_pb2.ListUsersRequest()),
        stage.portal.ListTenants(portal_pb2.ListTenantsRequest()),
    ):
        assert (await refused(call)).kind is Kind.UNAUTHENTICATED
    ask = portal_pb2.GetMeRequest()
    nobody = metadata(tenant_id=stage.tenants["acme"])
    assert (await refused(stage.portal.GetMe(ask, metadata=nobody))).code == "not-authenticated"


# ---- events ----


async def test_events_say_whose_they_are_and_no_secret(stage: Stage) -> None:
    await stage.create_user("ana")
    events = await stage.events()
    ids = [event.event_id for event in events]
    assert len(set(ids)) == len(ids)
    last = next(event for event in reversed(events) if event.type.endswith("UserPut"))
    assert (last.tenant_id, last.key) == (stage.tenants["acme"],) * 2
    assert events_pb2.UserPut.FromString(last.payload).user.username == "ana"
    assert all(b"argon2" not in event.payload for event in events)
