"""An acd, a crm and a gateway that do what a test tells them, and portal's desk over them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc

from protos.acd.v1 import acd_pb2, acd_pb2_grpc, config_pb2, state_pb2
from protos.analytics.v1 import analytics_pb2, analytics_pb2_grpc
from protos.crm.v1 import crm_pb2, crm_pb2_grpc
from protos.gateway.v1 import events_pb2, gateway_pb2, gateway_pb2_grpc
from protos.portal.v1 import portal_pb2, portal_pb2_grpc
from protos.portal.v1.desk_pb2_grpc import DeskStub
from protos.recording.v1 import recording_pb2, recording_pb2_grpc
from services.chassis.errors import CarillonError, Kind
from services.chassis.ids import AgentId, TenantId
from services.chassis.request import on_behalf, present
from services.chassis.rpc import Face, open_channel
from services.chassis.rpc_pool import BadAddress, Channels
from services.chassis.settings import load
from services.chassis.simulated import MemoryExchange
from services.chassis.world import SOCKET
from services.portal import rpc_desk
from services.portal.desk import Desks
from services.portal.desk_customers import Customers
from services.portal.desk_gateways import Gateways
from services.portal.desk_policy import DeskPolicy
from services.portal.desk_queues import QueueNames
from services.portal.desk_tenants import Tenants
from services.portal.desk_ways import Ways
from services.portal.settings import PortalSettings
from tests.unit.portal_edges.stage import Clock

ADA = TenantId("demo"), AgentId("ada")
WHO = on_behalf(tenant_id="demo", user_id="ada", user_name="Ada", own_agent_id="ada")
BEN = on_behalf(tenant_id="demo", user_id="ben", user_name="Ben", own_agent_id="ben")
PATIENCE_S = 5.0


class Named(CarillonError):
    """A refusal by another service."""

    def __init__(self, code: str, kind: Kind) -> None:
        super().__init__(f"this is {code}")
        self.code = code  # type: ignore[misc]  # of the instance: each is another
        self.kind = kind  # type: ignore[misc]  # of the instance: each is another


def ring(
    reservation_id: str = "e1.1", *, stage: str = "reserved", number: str = "+40211234567"
) -> state_pb2.ReservationRow:
    """A contact that rings an agent."""
    entry_id = reservation_id.partition(".")[0]
    return state_pb2.ReservationRow(
        reservation_id=reservation_id,
        entry_id=entry_id,
        contact_id=f"call-{entry_id}",
        queue_id="sales",
        agent_id="ada",
        channel="voice",
        stage=stage,
        work=stage if stage != "bridged" else "talking",
        contact=state_pb2.Contact(
            entry_id=entry_id,
            contact_id=f"call-{entry_id}",
            gateway="gateway",
            attributes=[config_pb2.Attribute(name="from", value=number)] if number else [],
        ),
    )


class Feeds:
    """Streams that a test feeds."""

    def __init__(self) -> None:
        self.readers: list[asyncio.Queue[Any]] = []
        self.opened = asyncio.Event()
        self.left = asyncio.Event()

    def put(self, item: Any) -> None:
        for reader in self.readers:
            reader.put_nowait(item)

    async def read(self, first: list[Any]) -> AsyncIterator[Any]:
        reader: asyncio.Queue[Any] = asyncio.Queue()
        for item in first:
            reader.put_nowait(item)
        self.readers.append(reader)
        self.opened.set()
        try:
            while True:
                item = await reader.get()
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            self.readers.remove(reader)
            self.left.set()


class Acd(acd_pb2_grpc.AcdServicer):
    """Routing, for agents Ada and Ben."""

    def __init__(self) -> None:
        self.views = {
            name: state_pb2.AgentView(agent_id=name, name=name.title(), state="ready")
            for name in ("ada", "ben")
        }
        self.queues = [state_pb2.QueueView(queue_id="sales", name="Sales", open=True)]
        self.feeds = Feeds()
        self.rows = {"e1": acd_pb2.WaitingRow(entry_id="e1", stage="waiting")}
        self.waiting = Feeds()
        self.asked: list[Any] = []
        self.links: list[tuple[str, str, int]] = []
        self.linked = asyncio.Event()
        self.refusal: CarillonError | None = None

    def has(self, *work: state_pb2.ReservationRow, agent: str = "ada", push: bool = True) -> None:
        """An agent's work is another; who follows learns of it."""
        view = state_pb2.AgentView(agent_id=agent, name=agent.title(), work=work)
        self.views[agent] = view
        if push:
            self.feeds.put(view)

    async def WatchAgents(self, request: Any, context: Any) -> AsyncIterator[Any]:
        await context.send_initial_metadata(())
        wanted = set(request.agent_ids) or set(self.views)
        first = [self.views[name] for name in sorted(wanted & set(self.views))]
        async for view in self.feeds.read(first):
            if view.agent_id in wanted:
                yield view

    async def WatchWaiting(self, request: Any, context: Any) -> AsyncIterator[Any]:
        first = acd_pb2.WaitingChange(all=True, rows=self.rows.values(), waiting=len(self.rows))
        async for change in self.waiting.read([first]):
            yield change

    async def GetAgent(self, request: Any, context: Any) -> state_pb2.AgentView:
        if request.agent_id not in self.views:
            raise Named("no-such-agent", Kind.NOT_FOUND)
        return self.views[request.agent_id]

    async def ListAgents(self, request: Any, context: Any) -> acd_pb2.ListAgentsResponse:
        # Two pages, so that both are read.
        names = sorted(self.views)
        if not request.page.token:
            answer = acd_pb2.ListAgentsResponse(agents=[self.views[names[0]]])
            answer.page.next_token = names[0]
            return answer
        return acd_pb2.ListAgentsResponse(agents=[self.views[name] for name in names[1:]])

    async def ListQueues(self, request: Any, context: Any) -> acd_pb2.ListQueuesResponse:
        # Two pages, so that both are read.
        if not request.page.token:
            answer = acd_pb2.ListQueuesResponse(queues=self.queues[:1])
            answer.page.next_token = "more"
            return answer
        return acd_pb2.ListQueuesResponse(queues=self.queues[1:])

    async def GetQueue(self, request: Any, context: Any) -> state_pb2.QueueView:
        if request.queue_id == "nowhere":
            raise Named("no-such-queue", Kind.NOT_FOUND)
        return state_pb2.QueueView(queue_id=request.queue_id, name=request.queue_id.title())

    async def ReportLink(self, request: Any, context: Any) -> state_pb2.AgentView:
        self.links.append((request.agent_id, request.link, request.valid_ms))
        self.linked.set()
        return await self.GetAgent(request, context)

    async def SetPresence(self, request: Any, context: Any) -> state_pb2.AgentView:
        self._take(request)
        self.views[request.agent_id].presence = request.presence
        return self.views[request.agent_id]

    async def RingConfirmed(self, request: Any, context: Any) -> acd_pb2.Reservation:
        return self._take(request)

    async def Accept(self, request: Any, context: Any) -> acd_pb2.Reservation:
        return self._take(request)

    async def EndReservation(self, request: Any, context: Any) -> acd_pb2.Reservation:
        return self._take(request)

    async def SetWrapUpCode(self, request: Any, context: Any) -> state_pb2.AgentView:
        self._take(request)
        return state_pb2.AgentView()

    async def FinishWrapUp(self, request: Any, context: Any) -> state_pb2.AgentView:
        self._take(request)
        return state_pb2.AgentView()

    async def ExtendWrapUp(self, request: Any, context: Any) -> state_pb2.AgentView:
        self._take(request)
        return state_pb2.AgentView()

    def _take(self, request: Any) -> acd_pb2.Reservation:
        if self.refusal is not None:
            raise self.refusal
        self.asked.append(request)
        return acd_pb2.Reservation()


class Crm(crm_pb2_grpc.CrmServicer):
    """Customers, by number."""

    def __init__(self) -> None:
        self.names = {"+40211234567": "Ion"}
        self.gate = asyncio.Event()
        self.gate.set()
        self.failures = 0
        self.failed = asyncio.Semaphore(0)
        self.asked: list[str] = []

    async def LookUp(self, request: Any, context: Any) -> crm_pb2.CustomerCard:
        self.asked.append(request.number)
        if self.failures:
            self.failures -= 1
            self.failed.release()
            raise Named("away", Kind.UNAVAILABLE)
        await self.gate.wait()
        name = self.names.get(request.number, "")
        return crm_pb2.CustomerCard(
            known=bool(name), number=request.number, customer=crm_pb2.Customer(name=name)
        )

    async def GetCustomer(self, request: Any, context: Any) -> crm_pb2.Customer:
        if request.customer_id != "c7":
            raise Named("no-such-customer", Kind.NOT_FOUND)
        return crm_pb2.Customer(customer_id="c7", name="Maria")

    async def ListHistory(self, request: Any, context: Any) -> crm_pb2.ListHistoryResponse:
        return crm_pb2.ListHistoryResponse(contacts=[crm_pb2.PastContact(contact_id="old")])


class Gateway(gateway_pb2_grpc.GatewayServicer):
    """One gateway with the calls that a test puts there."""

    def __init__(self) -> None:
        self.calls: dict[str, gateway_pb2.Call] = {}
        self.facts = Feeds()
        self.asked: list[tuple[str, Any, str]] = []
        self.meanwhile: Callable[[], Awaitable[None]] | None = None
        self.refusals: dict[str, CarillonError] = {}

    def carries(self, call_id: str, reservation_id: str, **leg: Any) -> gateway_pb2.Leg:
        """A call with an agent's leg."""
        agent = gateway_pb2.Leg(
            leg_id="leg-2", role="agent", ring_id=reservation_id, webrtc=True, **leg
        )
        caller = gateway_pb2.Leg(leg_id="leg-1", role="caller", state="answered")
        self.calls[call_id] = gateway_pb2.Call(
            call_id=call_id, legs=[caller, agent], recording="on"
        )
        return self.calls[call_id].legs[1]

    def tell(self) -> None:
        """Something happened in a call."""
        self.facts.put(events_pb2.CallFact())

    async def GetCall(self, request: Any, context: Any) -> gateway_pb2.Call:
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            await meanwhile()
        if request.call_id not in self.calls:
            raise Named("no-such-call", Kind.NOT_FOUND)
        return self.calls[request.call_id]

    async def WatchCalls(self, request: Any, context: Any) -> AsyncIterator[Any]:
        await context.send_initial_metadata(())
        async for fact in self.facts.read([]):
            yield fact

    async def ConnectAgent(self, request: Any, context: Any) -> Any:
        self._note("ConnectAgent", request)
        return gateway_pb2.ConnectAgentResponse(
            sdp_answer="answer", call_id="call-e1", leg_id="leg-2"
        )

    async def ProbeAgent(self, request: Any, context: Any) -> Any:
        self._note("ProbeAgent", request)
        return gateway_pb2.ProbeAgentResponse(sdp_answer="echo", ends_after_ms=15_000)

    async def PlaceTestCall(self, request: Any, context: Any) -> Any:
        self._note("PlaceTestCall", request)
        return gateway_pb2.PlaceTestCallResponse(call_id="call-9", speaks="tone")

    async def Transfer(self, request: Any, context: Any) -> Any:
        self._leg("Transfer", request)
        return gateway_pb2.TransferResponse()

    async def SendDigits(self, request: Any, context: Any) -> gateway_pb2.Leg:
        return self._leg("SendDigits", request)

    async def Hold(self, request: Any, context: Any) -> gateway_pb2.Leg:
        return self._leg("Hold", request, held=True)

    async def Unhold(self, request: Any, context: Any) -> gateway_pb2.Leg:
        return self._leg("Unhold", request, held=False)

    async def Mute(self, request: Any, context: Any) -> gateway_pb2.Leg:
        return self._leg("Mute", request, muted=True)

    async def Unmute(self, request: Any, context: Any) -> gateway_pb2.Leg:
        return self._leg("Unmute", request, muted=False)

    async def HangUp(self, request: Any, context: Any) -> gateway_pb2.HangUpResponse:
        self._leg("HangUp", request)
        return gateway_pb2.HangUpResponse()

    async def PauseRecording(self, request: Any, context: Any) -> gateway_pb2.Call:
        self._note("PauseRecording", request)
        self.calls[request.call_id].recording = "paused"
        return self.calls[request.call_id]

    async def ResumeRecording(self, request: Any, context: Any) -> gateway_pb2.Call:
        self._note("ResumeRecording", request)
        self.calls[request.call_id].recording = "on"
        return self.calls[request.call_id]

    def _leg(self, name: str, request: Any, **state: bool) -> gateway_pb2.Leg:
        if name in self.refusals:
            raise self.refusals[name]
        self._note(name, request)
        leg = self.calls[request.call_id].legs[1]
        assert leg.leg_id == request.leg_id
        for field_name, value in state.items():
            setattr(leg, field_name, value)
        return leg

    def _note(self, name: str, request: Any) -> None:
        self.asked.append((name, request, present().user_id))


class Analytics(analytics_pb2_grpc.AnalyticsServicer):
    """Live figures and alarms that a test feeds."""

    def __init__(self) -> None:
        self.feeds = Feeds()
        self.alarms = Feeds()
        self.knows_alarms = asyncio.Event()
        self.knows_alarms.set()
        self.asked_early = asyncio.Event()
        self.reports: list[Any] = []
        self.report = analytics_pb2.Report()
        self.intervals: list[analytics_pb2.Interval] = []

    async def GetReport(self, request: Any, context: Any) -> analytics_pb2.Report:
        self.reports.append(request)
        return self.report

    async def ListIntervals(self, request: Any, context: Any) -> Any:
        own = [each for each in self.intervals if each.agent_id == request.agent_id]
        at = int(request.page.token or 0)
        answer = analytics_pb2.ListIntervalsResponse(intervals=own[at : at + 2])
        answer.page.next_token = str(at + 2) if own[at + 2 :] else ""
        return answer

    async def WatchLive(self, request: Any, context: Any) -> AsyncIterator[Any]:
        async for live in self.feeds.read([analytics_pb2.Live(as_of_ms=1)]):
            yield live

    async def WatchAlarms(self, request: Any, context: Any) -> AsyncIterator[Any]:
        if not self.knows_alarms.is_set():
            self.asked_early.set()
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, "older")
        raised = analytics_pb2.Alarm(alarm_id="a1", state="raised")
        async for change in self.alarms.read(
            [analytics_pb2.AlarmChange(all=True, alarms=[raised])]
        ):
            yield change


class People(portal_pb2_grpc.PortalServicer):
    """What portal knows of the tenant."""

    def __init__(self) -> None:
        self.tenant = portal_pb2.Tenant(region="RO", time_zone="Europe/Bucharest")

        self.dispositions: dict[str, list[str]] = {}
        """Codes by queue."""
        self.away = False

    async def GetTenant(self, request: Any, context: Any) -> portal_pb2.Tenant:
        return self.tenant

    async def ListDispositions(self, request: Any, context: Any) -> Any:
        if self.away:
            raise Named("away", Kind.UNAVAILABLE)
        codes = self.dispositions.get(request.queue_id, [])
        return portal_pb2.ListDispositionsResponse(
            dispositions=[portal_pb2.Disposition(code=code) for code in codes]
        )


class Recordings(recording_pb2_grpc.RecordingServicer):
    """The tenant's policy."""

    def __init__(self) -> None:
        self.policy = recording_pb2.Policy(agents_may_pause=True)
        self.away = False

    async def GetPolicy(self, request: Any, context: Any) -> recording_pb2.Policy:
        if self.away:
            raise Named("away", Kind.UNAVAILABLE)
        return self.policy


@dataclass
class DeskStage:
    """The desk's face over scripted services."""

    exchange: MemoryExchange = field(default_factory=lambda: MemoryExchange(coin=lambda: True))
    acd: Acd = field(default_factory=Acd)
    crm: Crm = field(default_factory=Crm)
    gateway: Gateway = field(default_factory=Gateway)
    analytics: Analytics = field(default_factory=Analytics)
    people: People = field(default_factory=People)
    recordings: Recordings = field(default_factory=Recordings)
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self._channels: dict[str, grpc.aio.Channel] = {}
        self._others = Channels()
        self.serve_acd()
        self.exchange.serve(
            "crm", [Face(lambda s: crm_pb2_grpc.add_CrmServicer_to_server(self.crm, s), "crm")]
        )
        register: Any = gateway_pb2_grpc.add_GatewayServicer_to_server
        self.exchange.serve("gateway", [Face(lambda s: register(self.gateway, s), "gateway")])
        add: Any = recording_pb2_grpc.add_RecordingServicer_to_server
        self.exchange.serve("recording", [Face(lambda s: add(self.recordings, s), "recording")])
        self.serve_analytics()
        self.customers = Customers(dial=self.dial)
        self.gateways = Gateways(dial=self.dial, dial_at=self.dial_at)
        self.queues = QueueNames(dial=self.dial, clock=self.clock)
        policy = DeskPolicy(dial=self.dial, clock=self.clock)
        self.desks = Desks(
            dial=self.dial,
            customers=self.customers,
            gateways=self.gateways,
            queues=self.queues,
            policy=policy,
        )
        desk = rpc_desk.Desk(
            dial=self.dial,
            desks=self.desks,
            customers=self.customers,
            gateways=self.gateways,
            queues=self.queues,
            tenants=Tenants(dial=self.dial, clock=self.clock),
            policy=policy,
            ways=Ways(settings=load(PortalSettings), clock=self.clock),
        )
        people: Any = portal_pb2_grpc.add_PortalServicer_to_server
        own = Face(lambda s: people(self.people, s), "people")
        self.exchange.serve("portal", [rpc_desk.face(desk), own])
        self.desk: Any = DeskStub(self.dial("portal"))

    def serve_acd(self) -> None:
        """Starts acd, again after `exchange.kill`."""
        add: Any = acd_pb2_grpc.add_AcdServicer_to_server
        self.exchange.serve("acd", [Face(lambda s: add(self.acd, s), "acd")])

    def serve_analytics(self) -> None:
        """The same for analytics."""
        add: Any = analytics_pb2_grpc.add_AnalyticsServicer_to_server
        self.exchange.serve("analytics", [Face(lambda s: add(self.analytics, s), "analytics")])

    def dial(self, name: str) -> grpc.aio.Channel:
        if name not in self._channels:
            self._channels[name] = self.exchange.channel(name)
        return self._channels[name]

    def dial_at(self, name: str, address: str) -> grpc.aio.Channel:
        if not address.startswith(SOCKET):
            raise BadAddress(f"{name} at {address}")
        path = Path(address.removeprefix(SOCKET))
        return self._others.to(address, lambda: open_channel(path))

    async def close(self) -> None:
        await self._others.close()
        for channel in self._channels.values():
            await channel.close()


@contextlib.asynccontextmanager
async def desk_staged() -> AsyncIterator[DeskStage]:
    stage = DeskStage()
    try:
        yield stage
    finally:
        await stage.close()
