"""The face towards flows: contacts wait, are reserved, answered and completed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from grpc import aio

from protos.acd.v1 import acd_pb2, state_pb2
from services.acd import model
from services.acd.core.limits import TEXT
from services.acd.shard import EntryNews, Moved, Place, Shard
from services.acd.shards import Shards
from services.acd.wire import shown, word
from services.chassis.codec import Codec
from services.chassis.ids import AgentId, EntryId, QueueId, ReservationId
from services.chassis.rpc import tenant_id

Context = aio.ServicerContext[Any, Any]
ReservationCommand = (
    model.ConfirmRing
    | model.AcceptReservation
    | model.ConfirmBridged
    | model.EndReservation
    | model.CompleteContact
    | model.SetHold
)


class ContactCalls:
    """The half of the face that flows call."""

    _shards: Shards
    _codec: Codec

    async def Enqueue(
        self, request: acd_pb2.EnqueueRequest, _context: Context
    ) -> AsyncIterator[acd_pb2.EntryUpdate]:
        """Puts a contact into a queue and tells what becomes of it."""
        shard = await self._shards.of(tenant_id())
        entry_id = EntryId(request.entry_id)
        try:
            with shard.follow(entry_id, QueueId(request.queue_id)) as reader:
                # A caller who waits may wait for the journal, too.
                await shard.submit(self._enqueue_command(request), patient=True)
                place = await shard.place(entry_id, patient=True)
                if place.detached:
                    await shard.submit(model.AttachEntry(entry_id=entry_id), patient=True)
                    place = await shard.place(entry_id, patient=True)
                told: set[tuple[str, str]] = set()
                # What the first look showed may also be news: each thing is told once.
                for update in self._present(place):
                    if _is_new(update, told):
                        yield update
                if place.view.exit is not None:
                    return
                async for news in reader.items():
                    later = await self._update(shard, entry_id, news)
                    if later is not None and _is_new(later, told):
                        yield later
                        if later.HasField("left"):
                            return
        finally:
            shard.unfollowed(entry_id)

    async def Leave(
        self, request: acd_pb2.LeaveRequest, _context: Context
    ) -> acd_pb2.LeaveResponse:
        """Takes a contact out of its queue."""
        shard = await self._shards.of(tenant_id())
        entry_id = EntryId(request.entry_id)
        await shard.submit(
            model.LeaveQueue(
                entry_id=entry_id,
                exit=word(model.Exit, request.exit, "exit"),
                reason=request.reason[:100],
            )
        )
        view = await shard.entry(entry_id)
        return acd_pb2.LeaveResponse(exit=view.exit or "")

    async def RingConfirmed(
        self, request: acd_pb2.ReservationRequest, _context: Context
    ) -> acd_pb2.Reservation:
        """The agent's endpoint rings."""
        return await self._on_reservation(
            model.ConfirmRing(
                reservation_id=ReservationId(request.reservation_id),
                agent_id=AgentId(request.agent_id),
            )
        )

    async def Accept(
        self, request: acd_pb2.ReservationRequest, _context: Context
    ) -> acd_pb2.Reservation:
        """The agent accepted."""
        return await self._on_reservation(
            model.AcceptReservation(
                reservation_id=ReservationId(request.reservation_id),
                agent_id=AgentId(request.agent_id),
            )
        )

    async def Bridged(
        self, request: acd_pb2.ReservationRequest, _context: Context
    ) -> acd_pb2.Reservation:
        """Caller and agent hear each other."""
        return await self._on_reservation(
            model.ConfirmBridged(reservation_id=ReservationId(request.reservation_id))
        )

    async def EndReservation(
        self, request: acd_pb2.EndReservationRequest, _context: Context
    ) -> acd_pb2.Reservation:
        """The ring came to nothing."""
        ended = await self._on_reservation(
            model.EndReservation(
                reservation_id=ReservationId(request.reservation_id),
                outcome=word(model.Outcome, request.outcome, "outcome"),
                agent_id=AgentId(request.agent_id) if request.agent_id else None,
            )
        )
        ended.outcome = request.outcome
        return ended

    async def Complete(
        self, request: acd_pb2.CompleteRequest, _context: Context
    ) -> acd_pb2.Reservation:
        """The conversation is over."""
        return await self._on_reservation(
            model.CompleteContact(
                reservation_id=ReservationId(request.reservation_id),
                ended_by=word(model.BridgeEnder, request.ended_by, "ended_by"),
                reason=request.reason[:100],
            )
        )

    async def SetHold(
        self, request: acd_pb2.SetHoldRequest, _context: Context
    ) -> acd_pb2.Reservation:
        """The agent put the contact on hold, or took it back."""
        return await self._on_reservation(
            model.SetHold(
                reservation_id=ReservationId(request.reservation_id), holding=request.held
            )
        )

    async def ChangePriority(
        self, request: acd_pb2.ChangePriorityRequest, _context: Context
    ) -> state_pb2.EntryView:
        """Changes a waiting contact's priority."""
        shard = await self._shards.of(tenant_id())
        entry_id = EntryId(request.entry_id)
        await shard.submit(model.ChangePriority(entry_id=entry_id, priority=request.priority))
        return await self._entry_view(shard, entry_id)

    async def AnnounceWait(
        self, request: acd_pb2.EntryRequest, _context: Context
    ) -> acd_pb2.EntryPosition:
        """Fixes the expected wait that the caller is about to hear."""
        shard = await self._shards.of(tenant_id())
        entry_id = EntryId(request.entry_id)
        await shard.submit(model.AnnounceWait(entry_id=entry_id))
        return self._position(await shard.place(entry_id))

    async def ReportCalls(
        self, request: acd_pb2.ReportCallsRequest, _context: Context
    ) -> acd_pb2.ReportCallsResponse:
        """All calls of one tenant that a gateway carries."""
        shard = await self._shards.of(tenant_id())
        calls = {
            model.ContactId(call.call_id): frozenset(map(ReservationId, call.reservation_ids))
            for call in request.calls
        }
        if max(len(request.gateway), len(request.incarnation)) > TEXT:
            raise model.InvalidTextError(f"a gateway's names have at most {TEXT} characters")
        await shard.care.calls_said(request.gateway, request.incarnation, calls)
        return acd_pb2.ReportCallsResponse()

    async def GetEntry(
        self, request: acd_pb2.EntryRequest, _context: Context
    ) -> state_pb2.EntryView:
        """A contact's stay as it stands."""
        shard = await self._shards.of(tenant_id())
        return await self._entry_view(shard, EntryId(request.entry_id))

    async def Explain(self, request: acd_pb2.EntryRequest, _context: Context) -> state_pb2.Receipt:
        """Why a contact is still waiting, or why it got the agent it got."""
        shard = await self._shards.of(tenant_id())
        receipt = await shard.explain(EntryId(request.entry_id))
        return shown(self._codec, receipt, state_pb2.Receipt)

    def _enqueue_command(self, request: acd_pb2.EnqueueRequest) -> model.EnqueueContact:
        return model.EnqueueContact(
            entry_id=EntryId(request.entry_id),
            contact_id=model.ContactId(request.call_id),
            queue_id=QueueId(request.queue_id),
            priority=request.priority,
            credits=request.credits,
            waiting_since_ms=request.waiting_since_ms or None,
            plan=self._codec.from_proto(request.plan, model.Plan)
            if request.HasField("plan")
            else None,
            attributes=tuple(
                model.Attribute(name=name, value=value)
                for name, value in sorted(request.attributes.items())
            ),
            external_ref=request.external_ref,
            gateway=request.gateway,
        )

    async def _on_reservation(self, command: ReservationCommand) -> acd_pb2.Reservation:
        shard = await self._shards.of(tenant_id())
        await shard.submit(command)
        reservation_id = command.reservation_id
        # The contact's stay may be forgotten long before its conversation is over.
        row = await shard.query(lambda _now_ms: shard.core.reservation(reservation_id))
        return acd_pb2.Reservation(
            reservation_id=reservation_id,
            entry_id=reservation_id.rpartition(".")[0],
            agent_id="" if row is None else row.agent_id,
            stage=model.Stage.ENDED if row is None else row.stage,
        )

    async def _entry_view(self, shard: Shard, entry_id: EntryId) -> state_pb2.EntryView:
        return shown(self._codec, await shard.entry(entry_id), state_pb2.EntryView)

    def _present(self, place: Place) -> list[acd_pb2.EntryUpdate]:
        """The updates that tell a flow where its contact stands now."""
        view, row = place.view, place.view.reservation
        if view.stage is model.ContactStage.EXITED:
            return [_left(view)]
        updates = []
        if view.position is not None:
            updates.append(_update(view.entry_id, position=self._position(place)))
        if row is not None and place.ring is not None:
            reserved = acd_pb2.EntryReserved(
                reservation_id=row.reservation_id,
                agent_id=place.ring.agent_id,
                agent_name=place.ring.agent_name,
                endpoint=place.ring.endpoint,
                ring_timeout_ms=place.ring.timeout_ms,
                waiting_since_ms=row.contact.waiting_since_ms,
            )
            updates.append(_update(view.entry_id, reserved=reserved))
            if row.stage is model.Stage.CONNECTING:
                updates.append(
                    _update(
                        view.entry_id,
                        accepted=acd_pb2.EntryAccepted(
                            reservation_id=row.reservation_id, agent_id=row.agent_id
                        ),
                    )
                )
        return updates

    async def _update(
        self, shard: Shard, entry_id: EntryId, news: EntryNews
    ) -> acd_pb2.EntryUpdate | None:
        match news:
            case Moved():
                place = await shard.place(entry_id, patient=True)
                if place.view.position is None:
                    return None
                return _update(entry_id, position=self._position(place))
            case model.ContactReserved():
                return _update(entry_id, reserved=_reserved(shard, news))
            case model.ReservationAccepted():
                return _update(
                    entry_id,
                    accepted=acd_pb2.EntryAccepted(
                        reservation_id=news.reservation_id, agent_id=news.agent_id
                    ),
                )
            case model.ReservationEnded():
                return _update(
                    entry_id,
                    released=acd_pb2.EntryReleased(
                        reservation_id=news.reservation_id, outcome=news.outcome
                    ),
                )
            case model.ContactExited():
                return _left(await shard.entry(entry_id))
            case _:
                return None

    def _position(self, place: Place) -> acd_pb2.EntryPosition:
        view = place.view
        position = acd_pb2.EntryPosition(
            position=view.position or 0,
            enqueued_at_ms=view.contact.enqueued_at_ms if view.contact else 0,
            announced_s=place.announce_s,
        )
        if view.expected is not None:
            position.expected.CopyFrom(shown(self._codec, view.expected, state_pb2.ExpectedWait))
        return position


def _is_new(update: acd_pb2.EntryUpdate, told: set[tuple[str, str]]) -> bool:
    """Whether a reservation's step was not told before; positions always are news."""
    body = update.WhichOneof("body") or ""
    if body in {"position", "left"}:
        return True
    key = (body, getattr(update, body).reservation_id)
    if key in told:
        return False
    told.add(key)
    return True


def _update(entry_id: EntryId, **body: Any) -> acd_pb2.EntryUpdate:
    return acd_pb2.EntryUpdate(entry_id=entry_id, **body)


def _reserved(shard: Shard, event: model.ContactReserved) -> acd_pb2.EntryReserved:
    return acd_pb2.EntryReserved(
        reservation_id=event.reservation_id,
        agent_id=event.agent_id,
        agent_name=shard.core.agent_name(event.agent_id),
        endpoint=event.endpoint,
        ring_timeout_ms=event.ring_timeout_ms,
        waiting_since_ms=shard.core.waiting_since_ms(event.reservation_id),
    )


def _left(view: model.EntryView) -> acd_pb2.EntryUpdate:
    return _update(
        view.entry_id,
        left=acd_pb2.EntryLeft(
            exit=view.exit or "", overflow_queue_id=view.target or "", message=view.reason
        ),
    )
