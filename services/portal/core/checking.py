"""The form of tenants, users and API keys as they come from outside."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from services.chassis.ids import TenantId
from services.portal.model.errors import BadApiKey, BadTenant, BadUser
from services.portal.model.importing import Fault
from services.portal.model.people import PLATFORM_TENANT, Role, Tenant, User

MAX_TENANT_NAME = 40
MAX_USERNAME = 100
MAX_NAME = 200
MAX_EMAIL = 254
MAX_USERS = 50_000
"""Of one tenant."""
MAX_API_KEYS = 200
"""That work, of one tenant."""
_TENANT_NAME = re.compile(r"[a-z0-9](?:-?[a-z0-9])*")
_USERNAME = re.compile(r"[A-Za-z0-9._@-]{1,100}")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
_REGION = re.compile(r"[A-Z]{2}")
_PRINTABLE = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]*")


def check_tenant(tenant: Tenant, *, zones: frozenset[str]) -> None:
    """BadTenant unless each part is of its form; `zones` are the IANA names that are known."""
    if not _TENANT_NAME.fullmatch(tenant.name) or len(tenant.name) > MAX_TENANT_NAME:
        raise BadTenant(
            f"name: lower-case letters, digits and single dashes, at most {MAX_TENANT_NAME}"
        )
    if not _is_name(tenant.display_name):
        raise BadTenant(f"display_name: 1 to {MAX_NAME} printable characters")
    if tenant.time_zone not in zones:
        raise BadTenant("time_zone: an IANA name, for example Europe/Bucharest")
    if tenant.region and not _REGION.fullmatch(tenant.region):
        raise BadTenant("region: two capital letters, for example RO")
    if tenant.language and not _LANGUAGE.fullmatch(tenant.language):
        raise BadTenant("language: a language tag, for example en or zh-CN, or nothing")


def check_user(user: User, *, tenant_id: TenantId) -> None:
    """BadUser unless each part is of its form and the roles exist in this tenant."""
    for fault in user_faults(user, tenant_id=tenant_id):
        raise BadUser(f"{fault.field}: {fault.message}")


def user_faults(user: User, *, tenant_id: TenantId) -> Iterator[Fault]:
    """Everything about a user that is not of its form."""
    if not _USERNAME.fullmatch(user.username):
        words = f"letters, digits, dots, dashes, underscores and @, at most {MAX_USERNAME}"
        yield Fault("username", "bad-username", words)
    if not _is_name(user.display_name):
        yield Fault("display_name", "bad-name", f"1 to {MAX_NAME} printable characters")
    if user.email and (
        len(user.email) > MAX_EMAIL
        or not _EMAIL.fullmatch(user.email)
        or not _PRINTABLE.fullmatch(user.email)
    ):
        yield Fault("email", "bad-email", "an address, or nothing")
    if not user.roles or not user.roles <= roles_in(tenant_id):
        yield Fault("roles", "bad-roles", f"one or more of {_told(roles_in(tenant_id))}")


def check_api_key(
    *, name: str, roles: frozenset[Role], expires_at_ms: int, tenant_id: TenantId, now_ms: int
) -> None:
    """BadApiKey unless each part is of its form and the roles exist in this tenant."""
    if not _is_name(name):
        raise BadApiKey(f"name: 1 to {MAX_NAME} printable characters")
    if not roles or not roles <= roles_in(tenant_id):
        raise BadApiKey(f"roles: one or more of {_told(roles_in(tenant_id))}")
    if expires_at_ms and expires_at_ms <= now_ms:
        raise BadApiKey("expires_at_ms: a moment to come, or 0")


def roles_in(tenant_id: TenantId) -> frozenset[Role]:
    """Which roles there are in a tenant: the platform has no agents, nobody else the platform."""
    if tenant_id == PLATFORM_TENANT:
        return frozenset({Role.ADMINISTRATOR, Role.PLATFORM})
    return frozenset({Role.AGENT, Role.SUPERVISOR, Role.ADMINISTRATOR})


def read_roles(words: Iterable[str]) -> frozenset[Role] | None:
    """The roles that words name; None when one names none."""
    known = {role.value: role for role in Role}
    roles = [known.get(each) for each in words]
    return None if None in roles else frozenset(role for role in roles if role is not None)


def _is_name(text: str) -> bool:
    return bool(text.strip()) and len(text) <= MAX_NAME and bool(_PRINTABLE.fullmatch(text))


def _told(roles: frozenset[Role]) -> str:
    return ", ".join(sorted(roles))
