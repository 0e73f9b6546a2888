"""The part of the face that creates many users at once."""

from __future__ import annotations

from protos.portal.v1 import portal_pb2
from services.chassis.log import get_logger
from services.chassis.rpc import tenant_id
from services.portal.core.importing import MAX_ROWS
from services.portal.model.errors import BadImport
from services.portal.model.importing import Created, Row
from services.portal.people_import import Importer
from services.portal.people_parts import PeopleParts
from services.portal.rpc_people_asked import Context, ranks_of_asking

log = get_logger("portal.people")


class ImportCalls:
    """Users from a table."""

    _parts: PeopleParts

    async def ImportUsers(
        self, request: portal_pb2.ImportUsersRequest, _context: Context
    ) -> portal_pb2.ImportUsersResponse:
        """Creates those with whom nothing is wrong, or nobody; BadImport, RoutingAway."""
        if not 0 < len(request.rows) <= MAX_ROWS:
            raise BadImport(f"rows: 1 to {MAX_ROWS}")
        rows = [_row_of(each) for each in request.rows]
        tenant = await self._parts.store.get_tenant(tenant_id())
        importer = Importer(parts=self._parts, tenant=tenant)
        faults = await importer.check(rows, asking=await ranks_of_asking(self._parts))
        if request.dry_run:
            results = [Created(each) for each in faults]
        else:
            results = await importer.create(rows, faults)
        created = sum(bool(each.user_id) for each in results)
        log.info("users imported", tenant=tenant.tenant_id, rows=len(rows), created=created)
        return portal_pb2.ImportUsersResponse(
            results=[_result(number, each) for number, each in enumerate(results, start=1)],
            created=created,
        )


def _row_of(message: portal_pb2.ImportRow) -> Row:
    return Row(
        username=message.username,
        display_name=message.display_name,
        email=message.email,
        roles=tuple(message.roles),
        password=message.password,
        skills=dict(message.skills),
        queue_ids=tuple(message.queue_ids),
    )


def _result(number: int, created: Created) -> portal_pb2.ImportResult:
    return portal_pb2.ImportResult(
        row=number,
        user_id=created.user_id,
        faults=[
            portal_pb2.ImportFault(field=each.field, code=each.code, message=each.message)
            for each in created.faults
        ],
        password=created.password,
    )
