"""The part of the face about API keys and the audit trail."""

from __future__ import annotations

from protos.common.v1 import common_pb2
from protos.portal.v1 import portal_pb2
from services.chassis.log import get_logger
from services.chassis.paging import page_size
from services.chassis.rpc import tenant_id
from services.portal.core.changing import check_rank
from services.portal.core.checking import MAX_API_KEYS, check_api_key, read_roles
from services.portal.model.errors import BadApiKey
from services.portal.model.people import ApiKey
from services.portal.model.trail import AuditQuery
from services.portal.people_parts import PeopleParts
from services.portal.rpc_people_asked import Context, key_id_of, ranks_of_asking, searched
from services.portal.tokens import new_api_key, sha256, shown_of
from services.portal.wire_people import audit_message, key_message

log = get_logger("portal.people")


class KeyCalls:
    """API keys, and what was done with them and by people."""

    _parts: PeopleParts

    async def CreateApiKey(
        self, request: portal_pb2.CreateApiKeyRequest, _context: Context
    ) -> portal_pb2.CreateApiKeyResponse:
        """Creates a key; its secret is told once, here."""
        parts, tenant, now_ms = self._parts, tenant_id(), self._parts.clock.now_ms()
        roles = read_roles(request.roles)
        if roles is None:
            raise BadApiKey("roles: one of them does not exist")
        check_api_key(
            name=request.name,
            roles=roles,
            expires_at_ms=request.expires_at_ms,
            tenant_id=tenant,
            now_ms=now_ms,
        )
        check_rank(await ranks_of_asking(parts), roles)
        key_id = parts.new_id()
        secret = new_api_key(key_id, parts.random_bits)
        key = ApiKey(
            key_id=key_id,
            name=request.name,
            roles=roles,
            created_at_ms=now_ms,
            expires_at_ms=request.expires_at_ms,
            prefix=shown_of(secret),
            sha256=sha256(secret),
        )
        await parts.store.add_key(tenant, key, most=MAX_API_KEYS)
        log.info("API key created", tenant=tenant, key=key_id)
        return portal_pb2.CreateApiKeyResponse(key=key_message(key), secret=secret)

    async def ListApiKeys(
        self, request: portal_pb2.ListApiKeysRequest, _context: Context
    ) -> portal_pb2.ListApiKeysResponse:
        """The tenant's keys, oldest first, those that work no more included."""
        size = page_size(request.page)
        rows = await self._parts.store.list_keys(
            tenant_id(), searched(request.page.token), size + 1
        )
        token = rows[size - 1].key_id if len(rows) > size else ""
        return portal_pb2.ListApiKeysResponse(
            keys=[key_message(row) for row in rows[:size]],
            page=common_pb2.PageResponse(next_token=token),
        )

    async def RevokeApiKey(
        self, request: portal_pb2.RevokeApiKeyRequest, _context: Context
    ) -> portal_pb2.ApiKey:
        """Ends a key at once; a second time changes nothing."""
        key_id = key_id_of(request.key_id)
        key = await self._parts.store.revoke_key(tenant_id(), key_id, self._parts.clock.now_ms())
        self._parts.identity.forget(key_id)
        log.info("API key revoked", tenant=tenant_id(), key=key_id)
        return key_message(key)

    async def ListAudit(
        self, request: portal_pb2.ListAuditRequest, _context: Context
    ) -> portal_pb2.ListAuditResponse:
        """What people did and were refused, newest first."""
        size = page_size(request.page)
        query = AuditQuery(
            from_ms=request.from_ms,
            to_ms=request.to_ms,
            actor_id=searched(request.actor_id),
            action=searched(request.action),
            refused=request.refused,
            before=searched(request.page.token),
            size=size + 1,
        )
        rows = await self._parts.store.list_audit(tenant_id(), query)
        token = rows[size - 1].audit_id if len(rows) > size else ""
        return portal_pb2.ListAuditResponse(
            entries=[audit_message(row) for row in rows[:size]],
            page=common_pb2.PageResponse(next_token=token),
        )
