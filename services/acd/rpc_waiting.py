"""The face towards whoever looks at those who wait."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from grpc import aio

from protos.acd.v1 import acd_pb2, state_pb2
from protos.common.v1 import common_pb2
from services.acd.core.admission import check_listed
from services.acd.core.limits import AGENT_QUEUES
from services.acd.model import Contact, EntryView, QueueDoor, WaitingRow
from services.acd.shards import Shards
from services.acd.waiting import WaitingChange
from services.acd.wire import fitting, shown
from services.chassis.codec import Codec
from services.chassis.ids import QueueId
from services.chassis.paging import page_of
from services.chassis.rpc import tenant_id

Context = aio.ServicerContext[Any, Any]


class WaitingCalls:
    """The part of the face that lists and follows those who wait."""

    _shards: Shards
    _codec: Codec

    async def ListWaiting(
        self, request: acd_pb2.ListWaitingRequest, _context: Context
    ) -> acd_pb2.ListWaitingResponse:
        """Those who wait, the longest waiting first."""
        core = (shard := await self._shards.of(tenant_id())).core
        queue_ids = frozenset({QueueId(request.queue_id)} if request.queue_id else ())

        def read(now_ms: int) -> tuple[list[EntryView], common_pb2.PageResponse]:
            for queue_id in queue_ids:
                core.queue_config(queue_id)
            contacts, page = page_of(core.waiting(queue_ids), request.page, key=_place)
            return [core.entry(each.entry_id, now_ms) for each in contacts], page

        views, page = await shard.query(read)
        entries = [shown(self._codec, view, state_pb2.EntryView) for view in views]
        fit = fitting(entries)
        if fit < len(entries) and (last := views[fit - 1].contact) is not None:
            page.next_token = _place(last)
        return acd_pb2.ListWaitingResponse(entries=entries[:fit], page=page)

    async def WatchWaiting(
        self, request: acd_pb2.WatchWaitingRequest, context: Context
    ) -> AsyncIterator[acd_pb2.WaitingChange]:
        """Who waits now, then every change of it."""
        shard = await self._shards.of(tenant_id())
        check_listed("queue", request.queue_ids, 0, AGENT_QUEUES)
        queue_ids = frozenset(QueueId(queue_id) for queue_id in request.queue_ids)
        with shard.waiting.watch(queue_ids) as reader:
            # From here on nothing is missed, and whoever waits for the stream may know it.
            await context.send_initial_metadata(())
            now = await shard.query(lambda _now_ms: reader.everybody(shard.core), patient=True)
            for part in self._parts(now):
                yield part
            async for change in reader.mailbox.items():
                for part in self._parts(change):
                    yield part

    def _parts(self, change: WaitingChange) -> Iterator[acd_pb2.WaitingChange]:
        """A change as messages: of rows too large for one, the rest follow as having come."""
        rows = [self._row(row) for row in change.rows]
        fit = fitting(rows)
        yield acd_pb2.WaitingChange(
            all=change.all,
            rows=rows[:fit],
            gone_entry_ids=change.gone,
            waiting=change.waiting,
            queues=map(_door, change.doors),
        )
        while rows := rows[fit:]:
            fit = fitting(rows)
            yield acd_pb2.WaitingChange(rows=rows[:fit], waiting=change.waiting)

    def _row(self, row: WaitingRow) -> acd_pb2.WaitingRow:
        return acd_pb2.WaitingRow(
            entry_id=row.contact.entry_id,
            contact=shown(self._codec, row.contact, state_pb2.Contact),
            stage=row.stage,
            priority=row.priority,
            agent_id=row.agent_id or "",
        )


def _door(door: QueueDoor) -> acd_pb2.QueueDoor:
    return acd_pb2.QueueDoor(
        queue_id=door.queue_id, open=door.open, emergency=door.emergency, removed=door.removed
    )


def _place(contact: Contact) -> str:
    """A contact's place among those who wait, as text that sorts alike."""
    return f"{contact.enqueued_at_ms:016d}:{contact.entry_id}"
