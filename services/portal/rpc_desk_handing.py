"""The part of the desk's face that hands a caller on, and what an agent knows before doing so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, ClassVar

from protos.acd.v1 import acd_pb2, state_pb2
from protos.analytics.v1 import analytics_pb2, analytics_pb2_grpc
from protos.common.v1 import common_pb2
from protos.gateway.v1 import gateway_pb2
from protos.portal.v1 import desk_pb2
from services.chassis.errors import CarillonError, Kind
from services.chassis.request import TENANT_KEY, metadata, present, tenant_id
from services.portal.core.dialling import e164
from services.portal.core.rings import unanswered
from services.portal.rpc_desk_own import Context, OwnDesk, Row, own_id

if TYPE_CHECKING:  # the stubs know this name, the generated module does not
    from protos.analytics.v1.analytics_pb2_grpc import AnalyticsAsyncStub

MAX_REASON = 100
MAX_SHOWN = 100
"""Queues, and colleagues, that are listed at once."""
MAX_SEARCH = 100
PAGE = 500
MAX_PAGES = 40
"""Pages of queues, of agents, or of an agent's states, that are looked through."""
SIGNED_OUT = "signed_out"
READY = "ready"
OWN_KPIS = (
    "answered",
    "handled",
    "average_handle_time",
    "average_talk_time",
    "average_hold_time",
    "after_call_work",
    "occupancy",
    "calls_per_hour",
)
"""What says something to one agent about their own day."""
UNANSWERED = "rings_unanswered"
"""A figure beside those: how often it rang, and they did not take the contact."""


class BadTransfer(CarillonError):
    """A transfer to nobody, or without a reason."""

    code: ClassVar[str] = "bad-transfer"
    kind: ClassVar[Kind] = Kind.INVALID


class CannotTake(CarillonError):
    """The colleague can not be handed a caller."""

    code: ClassVar[str] = "cannot-take-callers"
    kind: ClassVar[Kind] = Kind.PRECONDITION


class Handing(OwnDesk):
    """Transfers, keys for the other side, and the agent's own figures."""

    async def Transfer(
        self, request: desk_pb2.DeskTransferRequest, _context: Context
    ) -> desk_pb2.DeskView:
        """Hands the caller on."""
        row, leg_id = await self._leg(request.reservation_id)
        asked = gateway_pb2.TransferRequest(
            call_id=row.contact_id,
            leg_id=leg_id,
            reason=_reason(request.reason),
            by=present().user_id,
        )
        await self._aim(asked, request, row)
        await self._gateways.stub(row.contact).Transfer(
            asked, metadata=metadata(call_id=row.contact_id)
        )
        return await self._view()

    async def SendDigits(
        self, request: desk_pb2.DeskDigitsRequest, _context: Context
    ) -> desk_pb2.DeskView:
        """Presses keys for the other side."""
        row, leg_id = await self._leg(request.reservation_id)
        await self._gateways.stub(row.contact).SendDigits(
            gateway_pb2.SendDigitsRequest(
                call_id=row.contact_id, leg_id=leg_id, digits=request.digits
            ),
            metadata=metadata(call_id=row.contact_id),
        )
        return await self._view()

    async def ListTransferTargets(
        self, request: desk_pb2.ListTransferTargetsRequest, _context: Context
    ) -> desk_pb2.ListTransferTargetsResponse:
        """To whom a caller may be handed on."""
        wanted = request.search[:MAX_SEARCH].strip().casefold()
        queues = [
            desk_pb2.QueueTarget(
                queue_id=queue.queue_id,
                name=queue.name or queue.queue_id,
                open=queue.open and not queue.emergency,
                waiting=queue.waiting,
                ready=sum(each.agents for each in queue.agents if each.condition == READY),
            )
            async for queue in self._queue_views()
            if wanted in (queue.name or queue.queue_id).casefold()
        ]
        agents = [
            desk_pb2.AgentTarget(
                agent_id=agent.agent_id,
                name=agent.name or agent.agent_id,
                state=agent.state,
                routable=agent.routable,
            )
            async for agent in self._agent_views()
            if _may_take(agent) and wanted in (agent.name or agent.agent_id).casefold()
        ]
        queues.sort(key=lambda queue: (queue.name.casefold(), queue.queue_id))
        agents.sort(key=lambda agent: (not agent.routable, agent.name.casefold(), agent.agent_id))
        return desk_pb2.ListTransferTargetsResponse(
            queues=queues[:MAX_SHOWN], agents=agents[:MAX_SHOWN]
        )

    async def GetOwnFigures(
        self, _request: desk_pb2.GetOwnFiguresRequest, _context: Context
    ) -> desk_pb2.OwnFigures:
        """The agent's own day so far, in figures."""
        day = await self._tenants.today(tenant_id())
        stub: AnalyticsAsyncStub = analytics_pb2_grpc.AnalyticsStub(self._dial("analytics"))
        report = await stub.GetReport(
            analytics_pb2.GetReportRequest(
                from_ms=day.from_ms, to_ms=day.to_ms, agent_ids=[own_id()], kpis=OWN_KPIS
            ),
            metadata=metadata(),
        )
        answer = desk_pb2.OwnFigures(from_ms=day.from_ms)
        if report.rows:
            answer.figures.extend(report.rows[0].figures)
        states = [
            (interval.from_ms, interval.state)
            async for interval in self._own_intervals(stub, day.from_ms, day.to_ms)
        ]
        answer.figures.add(kpi=UNANSWERED, value=unanswered(states), unit="count")
        return answer

    async def _own_intervals(
        self, stub: AnalyticsAsyncStub, from_ms: int, to_ms: int
    ) -> AsyncIterator[analytics_pb2.Interval]:
        token = ""
        for _ in range(MAX_PAGES):
            listed = await stub.ListIntervals(
                analytics_pb2.ListIntervalsRequest(
                    from_ms=from_ms,
                    to_ms=to_ms,
                    agent_id=own_id(),
                    page=common_pb2.PageRequest(size=PAGE, token=token),
                ),
                metadata=metadata(),
            )
            for interval in listed.intervals:
                yield interval
            token = listed.page.next_token
            if not token:
                return

    async def _aim(
        self, asked: gateway_pb2.TransferRequest, request: desk_pb2.DeskTransferRequest, row: Row
    ) -> None:
        """Fills in a target that is there; the error says what is wrong with it."""
        match request.WhichOneof("target"):
            case "queue_id":
                queue = acd_pb2.QueueRequest(queue_id=request.queue_id)
                await self._acd.GetQueue(queue, metadata=_all_of_tenant())
                asked.queue_id = request.queue_id
            case "agent_id":
                asked.via_queue_id = await self._way_to(request.agent_id, row)
                asked.agent_id = request.agent_id
            case "number":
                asked.number = e164(request.number, await self._tenants.region(tenant_id()))
            case _:
                raise BadTransfer("name a queue, a colleague or a number")

    async def _way_to(self, agent_id: str, row: Row) -> str:
        """The queue in which a colleague can be given the caller; empty: the caller's own."""
        if agent_id == own_id():
            raise CannotTake("that is you")
        wanted = acd_pb2.AgentRequest(agent_id=agent_id)
        agent = await self._acd.GetAgent(wanted, metadata=_all_of_tenant())
        if not _may_take(agent):
            raise CannotTake("they are signed out, or serve no queue")
        return "" if row.queue_id in agent.queue_ids else agent.queue_ids[0]

    async def _queue_views(self) -> AsyncIterator[state_pb2.QueueView]:
        token = ""
        for _ in range(MAX_PAGES):
            page = common_pb2.PageRequest(size=PAGE, token=token)
            listed = await self._acd.ListQueues(
                acd_pb2.ListQueuesRequest(page=page), metadata=_all_of_tenant()
            )
            for queue in listed.queues:
                yield queue
            token = listed.page.next_token
            if not token:
                return

    async def _agent_views(self) -> AsyncIterator[state_pb2.AgentView]:
        token = ""
        for _ in range(MAX_PAGES):
            page = common_pb2.PageRequest(size=PAGE, token=token)
            listed = await self._acd.ListAgents(
                acd_pb2.ListAgentsRequest(page=page), metadata=_all_of_tenant()
            )
            for agent in listed.agents:
                yield agent
            token = listed.page.next_token
            if not token:
                return


def _may_take(agent: state_pb2.AgentView) -> bool:
    """Whether a caller can be handed on to a colleague, now or soon."""
    is_other = agent.agent_id != own_id()
    return is_other and agent.presence != SIGNED_OUT and bool(agent.queue_ids)


def _all_of_tenant() -> tuple[tuple[str, str], ...]:
    """Asks what any of the tenant's agents may know of the others, not only of themselves."""
    return ((TENANT_KEY, str(tenant_id())),)


def _reason(text: str) -> str:
    reason = text.strip()
    if not 0 < len(reason) <= MAX_REASON:
        raise BadTransfer(f"say why, in at most {MAX_REASON} characters")
    return reason
