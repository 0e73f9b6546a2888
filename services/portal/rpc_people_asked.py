"""What a request about people brings beside its message, and text that a store can look for."""

from __future__ import annotations

from typing import Any

from grpc import aio

from services.chassis.ids import TenantId
from services.chassis.request import MAX_ID_CHARS, present
from services.chassis.rpc import tenant_id
from services.portal.core.scrubbing import MAX_WORD_CHARS
from services.portal.identity import ADDRESS_KEY, SESSION_KEY, key_principal
from services.portal.model.errors import (
    BadQuery,
    NoSuchApiKey,
    NoSuchTenant,
    NoSuchUser,
    NotAuthenticated,
)
from services.portal.model.people import PLATFORM_TENANT, Principal
from services.portal.people_parts import PeopleParts

Context = aio.ServicerContext[Any, Any]


def address_of(context: Context) -> str:
    """Where whoever asks is; empty when portal's edge did not say."""
    return _metadata(context, ADDRESS_KEY)


def session_of(context: Context) -> str:
    """The session in which somebody asks; empty for an API key."""
    return _metadata(context, SESSION_KEY)


async def asking(parts: PeopleParts) -> Principal:
    """Who asks, as the store knows them now; NotAuthenticated."""
    store, user_id = parts.store, present().user_id
    tenant = await store.get_tenant(tenant_id())
    holder = await store.key_holder(user_id)
    if holder is not None and holder.tenant.tenant_id == tenant.tenant_id:
        return key_principal(holder)
    try:
        user = (await store.get_account(tenant.tenant_id, user_id)).user
    except NoSuchUser:
        raise NotAuthenticated("nobody asks") from None
    return Principal(
        id=user.user_id,
        name=user.display_name,
        roles=frozenset(user.roles),
        tenant_id=tenant.tenant_id,
        tenant_name=tenant.name,
        kind="user",
        session_id="",
        time_zone=tenant.time_zone,
    )


async def ranks_of_asking(parts: PeopleParts) -> frozenset[str]:
    """The roles of whoever asks, in the one tenant where administrators are not all equal.

    Empty in every other: there is no role `platform` there.
    """
    return (await asking(parts)).roles if tenant_id() == PLATFORM_TENANT else frozenset()


def user_id_of(text: str) -> str:
    """A user's id as it may be looked for; NoSuchUser."""
    if not _can_be_id(text):
        raise NoSuchUser("no user has such an id")
    return text


def tenant_id_of(text: str) -> TenantId:
    """A tenant's id as it may be looked for; NoSuchTenant."""
    if not _can_be_id(text):
        raise NoSuchTenant("no tenant has such an id")
    return TenantId(text)


def key_id_of(text: str) -> str:
    """An API key's id as it may be looked for; NoSuchApiKey."""
    if not _can_be_id(text):
        raise NoSuchApiKey("no API key has such an id")
    return text


def searched(text: str) -> str:
    """Words or a page's token as they may be looked for; BadQuery."""
    if "\0" in text or len(text) > MAX_WORD_CHARS:
        raise BadQuery(f"at most {MAX_WORD_CHARS} characters are looked for, and no NUL")
    return text


def _can_be_id(text: str) -> bool:
    return 0 < len(text) <= MAX_ID_CHARS and "\0" not in text


def _metadata(context: Context, wanted: str) -> str:
    for key, value in context.invocation_metadata() or ():
        if key == wanted and isinstance(value, str):
            return value[:MAX_WORD_CHARS]
    return ""
