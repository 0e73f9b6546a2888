"""What every part of the desk's face needs: the agent who asks, their contacts, their view."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from grpc import aio

from protos.acd.v1 import acd_pb2, acd_pb2_grpc, state_pb2
from protos.crm.v1 import crm_pb2
from protos.gateway.v1 import gateway_pb2
from protos.portal.v1 import desk_pb2
from services.chassis.errors import CarillonError, Kind
from services.chassis.ids import AgentId
from services.chassis.request import concern, metadata, present, tenant_id
from services.chassis.status import remote_error
from services.portal.desk import Desks
from services.portal.desk_customers import Customers
from services.portal.desk_gateways import Audio, Gateways, NotConnected
from services.portal.desk_policy import DeskPolicy
from services.portal.desk_queues import QueueNames
from services.portal.desk_tenants import Tenants
from services.portal.desk_view import desk_view
from services.portal.desk_ways import Ways

if TYPE_CHECKING:  # the stubs know this name, the generated module does not
    from protos.acd.v1.acd_pb2_grpc import AcdAsyncStub

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


class OwnDesk:
    """The desk of whoever asks."""

    def __init__(
        self,
        *,
        dial: Callable[[str], aio.Channel],
        desks: Desks,
        customers: Customers,
        gateways: Gateways,
        queues: QueueNames,
        tenants: Tenants,
        policy: DeskPolicy,
        ways: Ways,
    ) -> None:
        self._dial = dial
        self._desks = desks
        self._customers = customers
        self._gateways = gateways
        self._queues = queues
        self._tenants = tenants
        self._policy = policy
        self._ways = ways

    @property
    def _acd(self) -> AcdAsyncStub:
        return acd_pb2_grpc.AcdStub(self._dial("acd"))

    async def _agent(self) -> state_pb2.AgentView:
        request = acd_pb2.AgentRequest(agent_id=own_id())
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
        return acd_pb2.ReservationRequest(reservation_id=row.reservation_id, agent_id=own_id())

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
        desk = self._desks.find(tenant, AgentId(own_id()))
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
        queue_ids = {row.queue_id for row in agent.work}
        return desk_view(
            agent=agent,
            queue_names=await self._queues.names(tenant, queue_ids),
            cards=cards,
            audios=audios,
            dispositions=await self._policy.dispositions(tenant, queue_ids),
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


def own_id() -> str:
    """The agent is whoever is signed in."""
    user_id = present().user_id
    if not user_id:
        raise UsersOnly("a desk belongs to somebody who is signed in")
    return user_id
