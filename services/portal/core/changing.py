"""What may become of a user, and by whom."""

from __future__ import annotations

from dataclasses import replace

from services.portal.model.errors import (
    BadCaps,
    BadUser,
    LastAdministrator,
    PlatformOnly,
    TooManyUsers,
)
from services.portal.model.people import PLATFORM_TENANT, Account, Caps, Role, Tenant, User

MAX_CAP = 1_000_000
"""Of users and of calls; who wants more sets none."""


def check_rank(asking: frozenset[str], touched: frozenset[Role]) -> None:
    """PlatformOnly when somebody without the role `platform` gives it, or changes who has it.

    `asking` are the roles of whoever asks, `touched` those that are given or changed. An
    administrator could make themselves the platform's otherwise, or take over whoever is.
    """
    if Role.PLATFORM in touched and Role.PLATFORM not in asking:
        raise PlatformOnly("only who has the role platform gives it, or changes who has it")


def replaced(account: Account, wanted: User, others: int) -> Account:
    """The account with the name, e-mail, roles and leave to sign in that are wanted.

    `others` rule with at least the roles that this one rules with. LastAdministrator when there
    are none and this one would lose any; BadUser when another username is wanted: what people
    sign in with stays.
    """
    present = account.user
    if wanted.username not in {"", present.username}:
        raise BadUser("username: it stays as it is")
    user = replace(
        present,
        display_name=wanted.display_name,
        email=wanted.email,
        roles=wanted.roles,
        active=wanted.active,
    )
    if not present.ruling <= user.ruling and not others:
        raise LastAdministrator("the last administrator stays one: make another one first")
    return replace(account, user=user)


def check_removal(account: Account, others: int) -> None:
    """LastAdministrator when nobody else rules with all the roles that this user rules with."""
    if account.user.ruling and not others:
        raise LastAdministrator("the last administrator stays one: make another one first")


def check_room(caps: Caps, present: int) -> None:
    """TooManyUsers when no further user may sign in beside those `present` who may."""
    if caps.max_users and present >= caps.max_users:
        raise TooManyUsers(f"at most {caps.max_users} users may sign in: the platform's cap")


def changed_tenant(present: Tenant, wanted: Tenant) -> Tenant:
    """What becomes of a tenant: its id, its name and when it was created stay."""
    return replace(
        wanted,
        tenant_id=present.tenant_id,
        name=present.name,
        created_at_ms=present.created_at_ms,
    )


def capped(tenant: Tenant, caps: Caps) -> Tenant:
    """The tenant with other caps, which may be below what it has by now; BadCaps."""
    if max(caps.max_users, caps.max_calls) > MAX_CAP:
        raise BadCaps(f"at most {MAX_CAP}, or 0 for no cap")
    if caps.suspended and tenant.tenant_id == PLATFORM_TENANT:
        raise BadCaps("suspended: the platform itself stays, or nobody could end it")
    return replace(tenant, caps=caps)
