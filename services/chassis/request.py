"""What a request carries beside its message: whose it is, and which call's."""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import ClassVar

from services.chassis import log
from services.chassis.errors import CarillonError, Kind
from services.chassis.ids import CallId, TenantId
from services.chassis.trace import trace_id

TENANT_KEY = "carillon-tenant"
CALL_KEY = "carillon-call"
USER_KEY = "carillon-user"
USER_NAME_KEY = "carillon-user-name-bin"
OWN_KEY = "carillon-own-agent"
TRACE_KEY = "traceparent"
PLATFORM = TenantId("*")
"""The platform itself asks, across tenants; possible only on this machine's private sockets."""
MAX_ID_CHARS = 128
MAX_NAME_BYTES = 800

Metadata = tuple[tuple[str, str | bytes], ...]


class MissingTenant(CarillonError):
    """The request does not say whose it is."""

    code: ClassVar[str] = "missing-tenant"
    kind: ClassVar[Kind] = Kind.UNAUTHENTICATED


class PlatformRefused(CarillonError):
    """The platform's own scope was used where one tenant must be named."""

    code: ClassVar[str] = "one-tenant-only"
    kind: ClassVar[Kind] = Kind.DENIED


@dataclass(frozen=True, slots=True)
class RequestContext:
    """Who asks, and on behalf of which call."""

    tenant_id: TenantId | None = None
    """None when the request names none."""
    call_id: CallId | None = None
    """None when the request concerns no call."""
    user_id: str = ""
    """The user or API key on whose behalf portal asks; empty: Carillon itself."""
    user_name: str = ""
    """What people call them."""
    own_agent_id: str = ""
    """Set when they may see only what is this agent's own."""

    def subject(self) -> tuple[str, str]:
        """What lines of the log are about meanwhile; across tenants: none."""
        tenant = "" if self.tenant_id in {None, PLATFORM} else str(self.tenant_id)
        return tenant, self.call_id or ""


_present: ContextVar[RequestContext | None] = ContextVar("carillon_request", default=None)


def enter(metadata: Iterable[tuple[str, str | bytes]]) -> RequestContext:
    """Makes the request with this metadata the present one of the running task."""
    pairs = tuple(metadata)
    values = {
        key: value
        for key, value in pairs
        if key in {TENANT_KEY, CALL_KEY, USER_KEY, OWN_KEY}
        and isinstance(value, str)
        and 0 < len(value) <= MAX_ID_CHARS
    }
    names = (value for key, value in pairs if key == USER_NAME_KEY)
    tenant, call = values.get(TENANT_KEY), values.get(CALL_KEY)
    context = RequestContext(
        tenant_id=TenantId(tenant) if tenant else None,
        call_id=CallId(call) if call else None,
        user_id=values.get(USER_KEY, ""),
        user_name=_text(next(names, b"")),
        own_agent_id=values.get(OWN_KEY, ""),
    )
    _present.set(context)
    log.concerns(context.subject)
    return context


def concern(call_id: str) -> None:
    """The present request turns out to concern a call: so does what it asks of others."""
    context = replace(present(), call_id=CallId(call_id))
    _present.set(context)
    log.concerns(context.subject)


def present() -> RequestContext:
    """The present request; an empty one outside of any."""
    return _present.get() or RequestContext()


def tenant_id() -> TenantId:
    """The tenant that the present request is for; MissingTenant, or PlatformRefused for `*`."""
    scope = tenant_scope()
    if scope == PLATFORM:
        raise PlatformRefused("this needs one tenant, not the platform")
    return scope


def tenant_scope() -> TenantId:
    """The tenant that the present request is for, or PLATFORM; MissingTenant when neither."""
    tenant = present().tenant_id
    if tenant is None:
        raise MissingTenant(f"set the metadata {TENANT_KEY}")
    return tenant


def metadata(*, tenant_id: str | None = None, call_id: str | None = None) -> Metadata:
    """Metadata for an outgoing request; names what the present request named unless told."""
    context = present()
    tenant = tenant_id if tenant_id is not None else context.tenant_id
    call = call_id if call_id is not None else context.call_id
    pairs: list[tuple[str, str | bytes]] = []
    if tenant:
        pairs.append((TENANT_KEY, tenant))
    if context.user_id:
        pairs.append((USER_KEY, context.user_id))
        pairs.append((USER_NAME_KEY, context.user_name.encode()[:MAX_NAME_BYTES]))
    if context.own_agent_id:
        pairs.append((OWN_KEY, context.own_agent_id))
    if call:
        pairs.append((CALL_KEY, call))
        # The parent span is the call's own: its id is the first half of the trace's.
        trace = trace_id(call)
        pairs.append((TRACE_KEY, f"00-{trace}-{trace[:16]}-01"))
    return tuple(pairs)


def on_behalf(
    *, tenant_id: str, user_id: str, user_name: str, own_agent_id: str = "", call_id: str = ""
) -> Metadata:
    """Metadata of a request that portal makes for somebody whom it has authenticated."""
    pairs: list[tuple[str, str | bytes]] = [
        (TENANT_KEY, tenant_id),
        (USER_KEY, user_id),
        (USER_NAME_KEY, user_name.encode()[:MAX_NAME_BYTES]),
    ]
    if own_agent_id:
        pairs.append((OWN_KEY, own_agent_id))
    if call_id:
        trace = trace_id(call_id)
        pairs += [(CALL_KEY, call_id), (TRACE_KEY, f"00-{trace}-{trace[:16]}-01")]
    return tuple(pairs)


def _text(value: str | bytes) -> str:
    raw = value if isinstance(value, bytes) else value.encode()
    return raw[:MAX_NAME_BYTES].decode(errors="replace")
