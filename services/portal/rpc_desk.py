"""The face of the agent's desk: whatever an agent's page does, for the agent who is signed in."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from grpc import aio

from protos.acd.v1 import acd_pb2, acd_pb2_grpc, state_pb2
from protos.crm.v1 import crm_pb2
from protos.gateway.v1 import gateway_pb2
from protos.portal.v1 import desk_pb2, desk_pb2_grpc
from services.chassis.errors import CarillonError, Kind
from services.chassis.ids import AgentId
from services.chassis.request import concern, metadata, present, tenant_id
from services.chassis.rpc import Face
from services.chassis.status import remote_error
from services.portal.desk import Desks
from services.portal.desk_customers import Customers
from services.portal.desk_gateways import Audio, Gateways, NotConnected
from services.portal.desk_queues import QueueNames
from services.portal.desk_view import desk_view

if TYPE_CHECKING:  # the stubs know this name, the generated module does not
    from protos.acd.v1.acd_pb2_grpc import AcdAsyncStub

CONNECT_LIMIT_S = 8.0
"""An offer that comes before the flow rings is held by the gateway for 2 s; then it answers."""
REJECT = "reject"

Context = aio.ServicerContext[Any, Any]
Row = state_pb2.ReservationRow
Ask = Callable[[Any, Any, Context], Awaitable[Any]]
T = TypeVar("T")


class NoSuchReservation(CarillonError):
    """The agent has no such contact: it was never theirs, or is not any more."""

    code: ClassVar[str] = "no-such-reservation"
    kind: ClassVar[Kind] = Kind.NOT_FOUND


class UsersOnly(CarillonError):
    """A desk belongs to a person."""

    code: ClassVar[str] = "users-only"
    kind: ClassVar[Kind] = Kind.DENIED


class Refused(CarillonError):
    """Another service refused what the agent asked for; its code is the one that is told."""

    def __init__(self, error: aio.AioRpcError) -> None:
        remote = remote_error(error)
        super().__init__(remote.message)
        # Of the instance, because they are another service's.
        self.code = remote.code  # type: ignore[misc]  # of the instance
        self.kind = remote.kind  # type: ignore[misc]  # of the instance


def telling(servicer: type[T]) -> type[T]:
    """Lets every RPC of a servicer pass on what other services refuse, by its own name."""

    def passing_on(ask: Ask) -> Ask:
        @functools.wraps(ask)
        async def run(self: Any, message: Any, context: Context) -> Any:
            try:
                return await ask(self, message, context)
            except aio.AioRpcError as error:
                raise Refused(error) from error

        return run

    for name in desk_pb2.DESCRIPTOR.services_by_name["Desk"].methods_by_name:
        setattr(servicer, name, passing_on(getattr(servicer, name)))
    return servicer


@telling
class Desk(desk_pb2_grpc.DeskServicer):
    """The servicer of carillon.portal.v1.Desk."""

    def __init__(
        self,
        *,
        dial: Callable[[str], aio.Channel],
        desks: Desks,
        customers: Customers,
        gateways: Gateways,
        queues: QueueNames,
    ) -> None:
        self._dial = dial
        self._desks = desks
        self._customers = customers
        self._gateways = gateways
        self._queues = queues

    async def GetDesk(
        self, _request: desk_pb2.GetDeskRequest, _context: Context
    ) -> desk_pb2.DeskView:
        """Everything the desk shows, now."""
        return await self._view()

    async def SetPresence(
        self, request: desk_pb2.SetDeskPresenceRequest, _context: Context
    ) -> desk_pb2.DeskView:
        """Ready, a break, or signed out."""
        await self._acd.SetPresence(
            acd_pb2.SetPresenceRequest(
                agent_id=_agent_id(), presence=request.presence, reason=request.reason
            ),
            metadata=metadata(),
        )
        return await self._view()

    async def Connect(
        self, request: desk_pb2.ConnectRequest, _context: Context
    ) -> desk_pb2.ConnectResponse:
        """Connects the browser's audio."""
        row = await self._row(request.reservation_id)
        answer = await self._gateways.stub(row.contact).ConnectAgent(
            gateway_pb2.ConnectAgentRequest(
                reservation_id=row.reservation_id,
                agent_id=_agent_id(),
                sdp_offer=request.sdp_offer,
            ),
            metadata=metadata(call_id=row.contact_id),
            timeout=CONNECT_LIMIT_S,
        )
        return desk_pb2.ConnectResponse(
            sdp_answer=answer.sdp_answer, call_id=answer.call_id, leg_id=answer.leg_id
        )

    async def ConfirmRinging(
        self, request: desk_pb2.WorkRequest, _context: Context
    ) -> desk_pb2.DeskView:
        """The browser rings."""
        await self._acd.RingConfirmed(await self._own(request), metadata=metadata())
        return await self._view()

    async def Accept(self, request: desk_pb2.WorkRequest, _context: Context) -> desk_pb2.DeskView:
        """Takes the contact."""
        await self._acd.Accept(await self._own(request), metadata=metadata())
        return await self._view()

    async def Reject(self, request: desk_pb2.WorkRequest, _context: Context) -> desk_pb2.DeskView:
        """Declines it."""
        own = await self._own(request)
        await self._acd.EndReservation(
            acd_pb2.EndReservationRequest(
                reservation_id=own.reservation_id, agent_id=own.agent_id, outcome=REJECT
            ),
            metadata=metadata(),
        )
        return await self._view()

    async def Hold(self, request: desk_pb2.WorkRequest, _context: Context) -> desk_pb2.DeskView:
        """The caller hears music."""
        return await self._on_leg(request, "Hold")

    async def Unhold(self, request: desk_pb2.WorkRequest, _context: Context) -> desk_pb2.DeskView:
        """The caller is taken back."""
        return await self._on_leg(request, "Unhold")

    async def Mute(self, request: desk_pb2.WorkRequest, _context: Context) -> desk_pb2.DeskView:
        """The caller does not hear the agent."""
        return await self._on_leg(request, "Mute")

    async def Unmute(self, request: desk_pb2.WorkRequest, _context: Context) -> desk_pb2.DeskView:
        """The caller hears the agent again."""
        return await self._on_leg(request, "Unmute")

    async def HangUp(self, request: desk_pb2.WorkRequest, _context: Context) -> desk_pb2.DeskView:
        """Ends the agent's part."""
        return await self._on_leg(request, "HangUp")

    async def PauseRecording(
        self, request: desk_pb2.PauseRecordingRequest, _context: Context
    ) -> desk_pb2.DeskView:
        """Stops recording for a while."""
        row, _ = await self._leg(request.reservation_id)
        await self._gateways.stub(row.contact).PauseRecording(
            _control(row, request.reason), metadata=metadata(call_id=row.contact_id)
        )
        return await self._view()

    async def ResumeRecording(
        self, request: desk_pb2.WorkRequest, _context: Context
    ) -> desk_pb2.DeskView:
        """Records again."""
        row, _ = await self._leg(request.reservation_id)
        await self._gateways.stub(row.contact).ResumeRecording(
            _control(row, ""), metadata=metadata(call_id=row.contact_id)
        )
        return await self._view()

    async def SetDisposition(
        self, request: desk_pb2.DispositionRequest, _context: Context
    ) -> desk_pb2.DeskView:
        """What the contact was about."""
        row = await self._row(request.reservation_id)
        await self._acd.SetWrapUpCode(
            acd_pb2.SetWrapUpCodeRequest(reservation_id=row.reservation_id, code=request.code),
            metadata=metadata(),
        )
        return await self._view()

    async def FinishWrapUp(
        self, request: desk_pb2.DispositionRequest, _context: Context
    ) -> desk_pb2.DeskView:
        """Ends wrap-up."""
        row = await self._row(request.reservation_id)
        await self._acd.FinishWrapUp(
            acd_pb2.FinishWrapUpRequest(reservation_id=row.reservation_id, code=request.code),
            metadata=metadata(),
        )
        return await self._view()

    async def ExtendWrapUp(
        self, request: desk_pb2.WorkRequest, _context: Context
    ) -> desk_pb2.DeskView:
        """More time for wrap-up."""
        await self._acd.ExtendWrapUp(await self._own(request), metadata=metadata())
        return await self._view()

    @property
    def _acd(self) -> AcdAsyncStub:
        return acd_pb2_grpc.AcdStub(self._dial("acd"))

    async def _agent(self) -> state_pb2.AgentView:
        request = acd_pb2.AgentRequest(agent_id=_agent_id())
        return await self._acd.GetAgent(request, metadata=metadata())

    async def _row(self, reservation_id: str) -> Row:
        """The agent's own contact; NoSuchReservation for anybody else's."""
        agent = await self._agent()
        for row in agent.work:
            if row.reservation_id == reservation_id:
                concern(row.contact_id)
                return row
        raise NoSuchReservation("you have no such contact")

    async def _own(self, request: desk_pb2.WorkRequest) -> acd_pb2.ReservationRequest:
        row = await self._row(request.reservation_id)
        return acd_pb2.ReservationRequest(reservation_id=row.reservation_id, agent_id=_agent_id())

    async def _leg(self, reservation_id: str) -> tuple[Row, str]:
        """The agent's own contact, and their leg in its call: it may be somebody else's by now."""
        row = await self._row(reservation_id)
        audio = await self._gateways.audio(tenant_id(), row)
        if not audio.leg_id:
            raise NotConnected("you have no leg in this call")
        return row, audio.leg_id

    async def _on_leg(self, request: desk_pb2.WorkRequest, command: str) -> desk_pb2.DeskView:
        row, leg_id = await self._leg(request.reservation_id)
        leg = gateway_pb2.LegControl(call_id=row.contact_id, leg_id=leg_id)
        ask = getattr(self._gateways.stub(row.contact), command)
        await ask(leg, metadata=metadata(call_id=row.contact_id))
        return await self._view()

    async def _view(self) -> desk_pb2.DeskView:
        tenant = tenant_id()
        desk = self._desks.find(tenant, AgentId(_agent_id()))
        # Before anything is asked: what the feed tells meanwhile counts as newer than this.
        number = desk.topic.number if desk else 0
        agent = await self._agent()
        audios = {row.reservation_id: await self._audio(row) for row in agent.work}
        cards: dict[str, crm_pb2.CustomerCard] = dict(desk.cards) if desk else {}
        for row in agent.work:
            if desk is not None:
                desk.audio_is(row.reservation_id, audios[row.reservation_id])
            elif (card := await self._card(row)) is not None:
                cards[row.contact_id] = card
        return desk_view(
            agent=agent,
            queue_names=await self._queues.names(tenant, {row.queue_id for row in agent.work}),
            cards=cards,
            audios=audios,
            number=number,
        )

    async def _audio(self, row: Row) -> Audio:
        """What the leg is like; of a gateway that can not be asked, nothing is known."""
        try:
            return await self._gateways.audio(tenant_id(), row)
        except (aio.AioRpcError, CarillonError):
            return Audio()

    async def _card(self, row: Row) -> crm_pb2.CustomerCard | None:
        try:
            return await self._customers.card(tenant_id(), row.contact)
        except (aio.AioRpcError, TimeoutError):
            return None  # shown as unknown


def face(servicer: Desk) -> Face:
    """The face as a server takes it."""
    return Face(
        register=lambda server: desk_pb2_grpc.add_DeskServicer_to_server(servicer, server),
        name=desk_pb2.DESCRIPTOR.services_by_name["Desk"].full_name,
    )


def _agent_id() -> str:
    """The agent is whoever is signed in."""
    user_id = present().user_id
    if not user_id:
        raise UsersOnly("a desk belongs to somebody who is signed in")
    return user_id


def _control(row: Row, reason: str) -> gateway_pb2.RecordingControl:
    return gateway_pb2.RecordingControl(call_id=row.contact_id, reason=reason, by=present().user_id)
