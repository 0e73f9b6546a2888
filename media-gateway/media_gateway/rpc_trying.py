"""The face of a whole gateway: also what people try before callers depend on it."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override

from media_gateway.adapters.fact_stream import FactStream
from media_gateway.adapters.switchboard import Switchboard
from media_gateway.probe.probe import PROBE_MS
from media_gateway.probe.probes import Probes
from media_gateway.rpc import Context, GatewayFace
from media_gateway.testcall.order import order_of
from media_gateway.testcall.speech import SENTENCE
from media_gateway.testcall.test_call import Who
from media_gateway.testcall.test_calls import TestCalls
from protos.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from services.chassis.errors import CarillonError, Kind
from services.chassis.ids import AgentId
from services.chassis.request import present, tenant_id
from services.chassis.rpc import Face

MAX_AGENT_ID = 128


class NotYourBrowser(CarillonError):
    """The browser is another agent's."""

    code: ClassVar[str] = "not-your-browser"
    kind: ClassVar[Kind] = Kind.DENIED


class BadAgentId(CarillonError):
    """Nobody can have this id."""

    code: ClassVar[str] = "bad-agent-id"
    kind: ClassVar[Kind] = Kind.INVALID


class WholeFace(GatewayFace):
    """Serves carillon.gateway.v1.Gateway, with its probes and test calls."""

    def __init__(
        self,
        *,
        switchboard: Switchboard,
        facts: FactStream,
        probes: Probes,
        test_calls: TestCalls,
    ) -> None:
        super().__init__(switchboard=switchboard, facts=facts)
        self._probes = probes
        self._test_calls = test_calls

    @override
    async def Drain(
        self, request: gateway_pb2.DrainRequest, context: Context
    ) -> gateway_pb2.DrainResponse:
        """Refuses new calls, and ends those that only try."""
        answer = await super().Drain(request, context)
        self._test_calls.drain()
        self._probes.drain()
        return answer

    @override
    async def ProbeAgent(
        self, request: gateway_pb2.ProbeAgentRequest, context: Context
    ) -> gateway_pb2.ProbeAgentResponse:
        """Sends a browser's own voice back to it."""
        if not 0 < len(request.agent_id) <= MAX_AGENT_ID:
            raise BadAgentId(f"an agent's id has 1 to {MAX_AGENT_ID} characters")
        own_agent_id = present().own_agent_id
        if own_agent_id and own_agent_id != request.agent_id:
            raise NotYourBrowser("this is another agent's browser")
        sdp_answer = await self._probes.begin(
            tenant_id(), AgentId(request.agent_id), request.sdp_offer
        )
        return gateway_pb2.ProbeAgentResponse(sdp_answer=sdp_answer, ends_after_ms=PROBE_MS)

    @override
    async def PlaceTestCall(
        self, request: gateway_pb2.PlaceTestCallRequest, context: Context
    ) -> gateway_pb2.PlaceTestCallResponse:
        """Calls one of the tenant's numbers; whose number it is, is checked by whoever asks."""
        order = order_of(
            called=request.to,
            caller=getattr(request, "from"),
            digits=request.digits,
            talk_s=request.talk_s,
        )
        who = Who(tenant_id(), present().user_id)
        call_id = await self._test_calls.place(who, order)
        return gateway_pb2.PlaceTestCallResponse(call_id=call_id, speaks=SENTENCE)


def face(
    *, switchboard: Switchboard, facts: FactStream, probes: Probes, test_calls: TestCalls
) -> Face:
    """The face for a server."""
    servicer = WholeFace(switchboard=switchboard, facts=facts, probes=probes, test_calls=test_calls)
    return Face(
        register=lambda server: gateway_pb2_grpc.add_GatewayServicer_to_server(servicer, server),
        name=gateway_pb2.DESCRIPTOR.services_by_name["Gateway"].full_name,
    )
