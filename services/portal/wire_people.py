"""People, keys and audit entries as protobuf messages, and as events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from protos.portal.v1 import events_pb2, portal_pb2
from services.chassis.envelope import Envelope, enveloped
from services.chassis.ids import TenantId
from services.portal.model.dispositions import Disposition
from services.portal.model.people import ApiKey, Principal, Tenant, User
from services.portal.model.trail import AuditEntry


class Envelopes:
    """Makes the events of changes; their ids come from outside."""

    def __init__(self, *, new_id: Callable[[], str]) -> None:
        self._new_id = new_id

    def tenant_put(self, tenant: Tenant, at_ms: int) -> Envelope:
        """A tenant was created or changed."""
        message = events_pb2.TenantPut(tenant=tenant_message(tenant))
        return self._envelope(message, tenant.tenant_id, at_ms)

    def user_put(self, tenant_id: TenantId, user: User, at_ms: int) -> Envelope:
        """A user was created or changed."""
        message = events_pb2.UserPut(user=user_message(user, locked_until_ms=0))
        return self._envelope(message, tenant_id, at_ms)

    def user_removed(self, tenant_id: TenantId, user_id: str, at_ms: int) -> Envelope:
        """A user was taken away for good."""
        return self._envelope(events_pb2.UserRemoved(user_id=user_id), tenant_id, at_ms)

    def audited(self, tenant_id: TenantId, entry: AuditEntry) -> Envelope:
        """Something was done or refused; the event has the entry's id."""
        message = events_pb2.Audited(entry=audit_message(entry))
        return self._envelope(message, tenant_id, entry.at_ms, entry.audit_id)

    def _envelope(
        self, message: Any, tenant_id: TenantId, at_ms: int, event_id: str = ""
    ) -> Envelope:
        return enveloped(
            message,
            event_id=event_id or self._new_id(),
            tenant_id=tenant_id,
            at_ms=at_ms,
            key=tenant_id,
        )


def tenant_message(tenant: Tenant) -> portal_pb2.Tenant:
    """A tenant as it travels."""
    return portal_pb2.Tenant(
        tenant_id=tenant.tenant_id,
        name=tenant.name,
        display_name=tenant.display_name,
        time_zone=tenant.time_zone,
        region=tenant.region,
        created_at_ms=tenant.created_at_ms,
        language=tenant.language,
        caps=portal_pb2.Caps(
            max_users=tenant.caps.max_users,
            max_calls=tenant.caps.max_calls,
            suspended=tenant.caps.suspended,
        ),
    )


def user_message(user: User, *, locked_until_ms: int) -> portal_pb2.User:
    """A user as it travels; never with a password."""
    return portal_pb2.User(
        user_id=user.user_id,
        username=user.username,
        display_name=user.display_name,
        email=user.email,
        roles=sorted(user.roles),
        active=user.active,
        created_at_ms=user.created_at_ms,
        last_seen_at_ms=user.last_seen_at_ms,
        locked_until_ms=locked_until_ms,
    )


def disposition_message(disposition: Disposition) -> portal_pb2.Disposition:
    """A disposition as it travels."""
    return portal_pb2.Disposition(
        code=disposition.code,
        label=disposition.label,
        queue_ids=disposition.queue_ids,
        position=disposition.position,
        active=disposition.active,
    )


def disposition_of(message: portal_pb2.Disposition) -> Disposition:
    """A disposition as it came."""
    return Disposition(
        code=message.code,
        label=message.label,
        queue_ids=tuple(message.queue_ids),
        position=message.position,
        active=message.active,
    )


def key_message(key: ApiKey) -> portal_pb2.ApiKey:
    """An API key as it travels; never with its secret."""
    return portal_pb2.ApiKey(
        key_id=key.key_id,
        name=key.name,
        roles=sorted(key.roles),
        created_at_ms=key.created_at_ms,
        expires_at_ms=key.expires_at_ms,
        revoked_at_ms=key.revoked_at_ms,
        last_used_at_ms=key.last_used_at_ms,
        prefix=key.prefix,
    )


def me_message(principal: Principal) -> portal_pb2.Me:
    """Who somebody is."""
    return portal_pb2.Me(
        id=principal.id,
        name=principal.name,
        roles=sorted(principal.roles),
        tenant_id=principal.tenant_id,
        tenant_name=principal.tenant_name,
        kind=principal.kind,
        time_zone=principal.time_zone,
    )


def audit_message(entry: AuditEntry) -> portal_pb2.AuditEntry:
    """An audit entry as it travels."""
    return portal_pb2.AuditEntry(
        audit_id=entry.audit_id,
        at_ms=entry.at_ms,
        actor_id=entry.actor_id,
        actor_name=entry.actor_name,
        actor_kind=entry.actor_kind,
        action=entry.action,
        subject=entry.subject,
        outcome=entry.outcome,
        address=entry.address,
        detail_json=entry.detail_json,
    )
