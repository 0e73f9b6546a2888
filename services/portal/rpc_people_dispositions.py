"""The part of the face about dispositions."""

from __future__ import annotations

from protos.portal.v1 import portal_pb2
from services.chassis.log import get_logger
from services.chassis.rpc import tenant_id
from services.portal.core.dispositions import (
    MAX_DISPOSITIONS,
    check_disposition,
    in_order,
    offered,
)
from services.portal.model.errors import NoSuchDisposition
from services.portal.people_parts import PeopleParts
from services.portal.rpc_people_asked import Context, searched
from services.portal.wire_people import disposition_message, disposition_of

log = get_logger("portal.people")


class DispositionCalls:
    """What a tenant's contacts can have been about."""

    _parts: PeopleParts

    async def PutDisposition(
        self, request: portal_pb2.PutDispositionRequest, _context: Context
    ) -> portal_pb2.Disposition:
        """Creates or replaces it."""
        disposition = disposition_of(request.disposition)
        check_disposition(disposition)
        await self._parts.store.put_disposition(tenant_id(), disposition, most=MAX_DISPOSITIONS)
        log.info("disposition put", tenant=tenant_id(), code=disposition.code)
        return disposition_message(disposition)

    async def ListDispositions(
        self, request: portal_pb2.ListDispositionsRequest, _context: Context
    ) -> portal_pb2.ListDispositionsResponse:
        """In their order; of a queue, only those that may be given there."""
        queue_id = searched(request.queue_id)
        known = await self._parts.store.dispositions(tenant_id())
        rows = offered(known, queue_id) if queue_id else in_order(known)
        return portal_pb2.ListDispositionsResponse(
            dispositions=[disposition_message(row) for row in rows]
        )

    async def RemoveDisposition(
        self, request: portal_pb2.RemoveDispositionRequest, _context: Context
    ) -> portal_pb2.RemoveDispositionResponse:
        """It is offered no more; contacts that have it keep it."""
        code = request.code
        if "\0" in code:
            raise NoSuchDisposition("no disposition has such a code")
        await self._parts.store.remove_disposition(tenant_id(), code)
        log.info("disposition removed", tenant=tenant_id(), code=code)
        return portal_pb2.RemoveDispositionResponse()
