"""The services that portal asks about people, which do what a test tells them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from protos.acd.v1 import acd_pb2, acd_pb2_grpc, config_pb2, state_pb2
from protos.analytics.v1 import analytics_pb2, analytics_pb2_grpc
from protos.common.v1 import common_pb2
from protos.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from protos.ivr.v1 import ivr_pb2, ivr_pb2_grpc
from services.chassis.errors import CarillonError, Kind
from services.chassis.rpc import Face, present, tenant_id
from services.chassis.simulated import MemoryExchange


class Named(CarillonError):
    """A refusal by another service."""

    def __init__(self, code: str, kind: Kind) -> None:
        super().__init__(f"this is {code}")
        self.code = code  # type: ignore[misc]  # of the instance: each is another
        self.kind = kind  # type: ignore[misc]  # of the instance: each is another


@dataclass
class House:
    """What the other services know of one tenant."""

    agents: dict[str, config_pb2.AgentConfig] = field(default_factory=dict)
    queues: list[state_pb2.QueueView] = field(default_factory=list)
    live: analytics_pb2.Live = field(default_factory=analytics_pb2.Live)
    calls: int = 0
    numbers: int = 1


class Analytics(analytics_pb2_grpc.AnalyticsServicer):
    """Live figures."""

    def __init__(self, asked: Callable[[str], Awaitable[House]]) -> None:
        self._asked = asked

    async def GetLive(self, request: Any, context: Any) -> analytics_pb2.Live:
        return (await self._asked("GetLive")).live


class Others(acd_pb2_grpc.AcdServicer, gateway_pb2_grpc.GatewayServicer, ivr_pb2_grpc.IvrServicer):
    """Routing, the flows and the gateway in one."""

    def __init__(self) -> None:
        self.houses: dict[str, House] = {}
        self.askers: set[str] = set()
        self.refusal: CarillonError | None = None
        self.stuck: set[str] = set()
        """RPCs that never answer."""
        self.at_once = 0
        self.most_at_once = 0

    def house(self, tenant: str) -> House:
        return self.houses.setdefault(tenant, House())

    def serve(self, exchange: MemoryExchange) -> None:
        for name, register in (
            ("acd", acd_pb2_grpc.add_AcdServicer_to_server),
            ("gateway", gateway_pb2_grpc.add_GatewayServicer_to_server),
            ("ivr", ivr_pb2_grpc.add_IvrServicer_to_server),
        ):
            exchange.serve(name, [Face(register=self._registered(register), name=name)])
        analytics: Any = Analytics
        figures = analytics(self._asked)
        add = analytics_pb2_grpc.add_AnalyticsServicer_to_server
        exchange.serve("analytics", [Face(register=lambda to: add(figures, to), name="analytics")])

    def _registered(self, register: Callable[..., None]) -> Callable[[Any], None]:
        return lambda server: register(self, server)

    async def _asked(self, word: str) -> House:
        self.askers.add(present().user_id)
        if word in self.stuck:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            try:
                await asyncio.Event().wait()
            finally:
                self.at_once -= 1
        if self.refusal is not None:
            raise self.refusal
        return self.house(tenant_id())

    async def PutAgent(self, request: Any, context: Any) -> state_pb2.AgentView:
        house = await self._asked("PutAgent")
        house.agents[request.agent.agent_id] = request.agent
        return state_pb2.AgentView(agent_id=request.agent.agent_id)

    async def RemoveAgent(self, request: Any, context: Any) -> acd_pb2.RemoveAgentResponse:
        house = await self._asked("RemoveAgent")
        if house.agents.pop(request.agent_id, None) is None:
            raise Named("no-such-agent", Kind.NOT_FOUND)
        return acd_pb2.RemoveAgentResponse()

    async def ListQueues(self, request: Any, context: Any) -> acd_pb2.ListQueuesResponse:
        house = await self._asked("ListQueues")
        first = int(request.page.token or 0)
        more = str(first + 1) if first + 1 < len(house.queues) else ""
        return acd_pb2.ListQueuesResponse(
            queues=house.queues[first : first + 1], page=common_pb2.PageResponse(next_token=more)
        )

    async def ListCalls(self, request: Any, context: Any) -> gateway_pb2.ListCallsResponse:
        house = await self._asked("ListCalls")
        return gateway_pb2.ListCallsResponse(
            calls=[gateway_pb2.Call(call_id=str(number)) for number in range(house.calls)]
        )

    async def ListNumbers(self, request: Any, context: Any) -> ivr_pb2.ListNumbersResponse:
        house = await self._asked("ListNumbers")
        return ivr_pb2.ListNumbersResponse(
            numbers=[ivr_pb2.Number(number=f"+40{number}") for number in range(house.numbers)]
        )
