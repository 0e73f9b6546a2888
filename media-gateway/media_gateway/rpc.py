"""The gateway's gRPC face: calls listed, controlled and watched from outside a flow.

Whose call it is comes with the request. A call of another tenant is no call at all for the one
who asks. The platform itself (tenant `*`, possible only on the machine's private sockets) sees
every call, also those whose tenant is not known yet.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from grpc import aio
from typing_extensions import override

from media_gateway.adapters.call_shell import CallShell
from media_gateway.adapters.fact_stream import FactStream
from media_gateway.adapters.fact_wire import media_report
from media_gateway.adapters.switchboard import Switchboard
from media_gateway.core import happenings as h
from media_gateway.core.happenings import HangUpLeg, HoldLeg, MuteLeg
from media_gateway.model import (
    BadKeys,
    BadTransfer,
    Leg,
    NoSuchCall,
    NoSuchLeg,
    NotYourReservation,
    Transfer,
    TransferKind,
)
from protos.gateway.v1 import events_pb2, gateway_pb2, gateway_pb2_grpc
from services.chassis.errors import CarillonError, Kind
from services.chassis.ids import LegId
from services.chassis.log import get_logger
from services.chassis.paging import page_of
from services.chassis.request import PLATFORM, present, tenant_scope

log = get_logger("gateway")

MAX_REASON = 100
MAX_TARGET = 256
MAX_KEYS = 32
_KINDS: Mapping[str, TransferKind] = MappingProxyType(
    {
        "queue_id": TransferKind.QUEUE,
        "agent_id": TransferKind.AGENT,
        "number": TransferKind.NUMBER,
    }
)
Context = aio.ServicerContext[Any, Any]


class PlatformOnly(CarillonError):
    """What was asked concerns every tenant."""

    code: ClassVar[str] = "platform-only"
    kind: ClassVar[Kind] = Kind.DENIED


class GatewayFace(gateway_pb2_grpc.GatewayServicer):
    """Serves what carillon.gateway.v1.Gateway has of calls."""

    def __init__(self, *, switchboard: Switchboard, facts: FactStream) -> None:
        self._switchboard = switchboard
        self._facts = facts

    @override
    async def ListCalls(
        self, request: gateway_pb2.ListCallsRequest, context: Context
    ) -> gateway_pb2.ListCallsResponse:
        """The calls in progress, oldest first; the token is the last call of the page before."""
        # Ids are UUIDv7: they sort by time, and a token stays good when its call is over.
        shells, page = page_of(
            self._switchboard.calls(tenant_scope()),
            request.page,
            key=lambda shell: shell.call.call_id,
        )
        return gateway_pb2.ListCallsResponse(calls=[_call(shell) for shell in shells], page=page)

    @override
    async def GetCall(
        self, request: gateway_pb2.GetCallRequest, context: Context
    ) -> gateway_pb2.Call:
        """One call."""
        return _call(self._switchboard.find(tenant_scope(), request.call_id))

    @override
    async def Hold(self, request: gateway_pb2.LegControl, context: Context) -> gateway_pb2.Leg:
        """Puts a leg on hold."""
        return self._control(request, HoldLeg(LegId(request.leg_id), held=True))

    @override
    async def Unhold(self, request: gateway_pb2.LegControl, context: Context) -> gateway_pb2.Leg:
        """Takes a leg back from hold."""
        return self._control(request, HoldLeg(LegId(request.leg_id), held=False))

    @override
    async def Mute(self, request: gateway_pb2.LegControl, context: Context) -> gateway_pb2.Leg:
        """Discards what a leg says."""
        return self._control(request, MuteLeg(LegId(request.leg_id), muted=True))

    @override
    async def Unmute(self, request: gateway_pb2.LegControl, context: Context) -> gateway_pb2.Leg:
        """Lets a leg be heard again."""
        return self._control(request, MuteLeg(LegId(request.leg_id), muted=False))

    @override
    async def HangUp(
        self, request: gateway_pb2.LegControl, context: Context
    ) -> gateway_pb2.HangUpResponse:
        """Releases one leg as if its own endpoint had hung up."""
        self._controlled(request).handle(HangUpLeg(LegId(request.leg_id)))
        return gateway_pb2.HangUpResponse()

    @override
    async def SendDigits(
        self, request: gateway_pb2.SendDigitsRequest, context: Context
    ) -> gateway_pb2.Leg:
        """Sends keys to whom the leg is bridged with."""
        if not 0 < len(request.digits) <= MAX_KEYS:
            raise BadKeys(f"1 to {MAX_KEYS} keys at once")
        leg_id = LegId(request.leg_id)
        shell = self._controlled(request)
        shell.send_keys(leg_id, request.digits)
        return _leg(shell, shell.call.leg(leg_id))

    @override
    async def Transfer(
        self, request: gateway_pb2.TransferRequest, context: Context
    ) -> gateway_pb2.TransferResponse:
        """Asks the call's flow to hand the caller on."""
        transfer = _transfer(request)
        shell = self._controlled(request)
        shell.handle(h.AskTransfer(LegId(request.leg_id), transfer))
        log.info("transfer asked for", call=shell.call.call_id, kind=transfer.kind.value)
        return gateway_pb2.TransferResponse()

    @override
    async def PauseRecording(
        self, request: gateway_pb2.RecordingControl, context: Context
    ) -> gateway_pb2.Call:
        """Stops writing the call's recording."""
        reason = request.reason[:MAX_REASON]
        return self._record(request, h.PauseRecording(reason, _who(request)))

    @override
    async def ResumeRecording(
        self, request: gateway_pb2.RecordingControl, context: Context
    ) -> gateway_pb2.Call:
        """Goes on recording; NoConsent when the caller has not agreed, or no more."""
        return self._record(request, h.ResumeRecording(_who(request)))

    @override
    async def WatchCalls(
        self, request: gateway_pb2.WatchCallsRequest, context: Context
    ) -> AsyncIterator[events_pb2.CallFact]:
        """What happens from now on, as it happens."""
        with self._facts.watching(tenant_scope(), request.call_id) as watcher:
            # The reader knows by this that it watches, before anything happens.
            await context.send_initial_metadata(())
            async with contextlib.aclosing(watcher.read()) as facts:
                async for fact in facts:
                    yield fact

    @override
    async def Drain(
        self, request: gateway_pb2.DrainRequest, context: Context
    ) -> gateway_pb2.DrainResponse:
        """Refuses new calls and lets live ones finish: the process is no tenant's to end."""
        if tenant_scope() != PLATFORM:
            raise PlatformOnly("only the platform itself may drain a gateway")
        self._switchboard.drain()
        return gateway_pb2.DrainResponse(calls=len(self._switchboard))

    @override
    async def ConnectAgent(
        self, request: gateway_pb2.ConnectAgentRequest, context: Context
    ) -> gateway_pb2.ConnectAgentResponse:
        """Connects an agent's browser for a reservation that rings it, or connects it again."""
        own_agent_id = present().own_agent_id
        if own_agent_id and own_agent_id != request.agent_id:
            raise NotYourReservation("this is another agent's browser")
        shell, leg_id, sdp_answer = await self._switchboard.connect_agent(
            tenant_scope(),
            reservation_id=request.reservation_id,
            agent_id=request.agent_id,
            sdp_offer=request.sdp_offer,
        )
        return gateway_pb2.ConnectAgentResponse(
            sdp_answer=sdp_answer, call_id=shell.call.call_id, leg_id=leg_id
        )

    def _control(
        self, request: gateway_pb2.LegControl, command: HoldLeg | MuteLeg
    ) -> gateway_pb2.Leg:
        shell = self._controlled(request)
        shell.handle(command)
        return _leg(shell, shell.call.leg(command.leg_id))

    def _controlled(
        self,
        request: gateway_pb2.LegControl
        | gateway_pb2.SendDigitsRequest
        | gateway_pb2.TransferRequest,
    ) -> CallShell:
        """The call of a leg; for one who may see only an agent's own, no other leg is there."""
        shell = self._switchboard.find(tenant_scope(), request.call_id)
        agent_id = present().own_agent_id
        if agent_id and shell.call.leg(LegId(request.leg_id)).agent_id != agent_id:
            raise NoSuchLeg(f"leg {request.leg_id[:128]} of call {shell.call.call_id}")
        return shell

    def _record(
        self,
        request: gateway_pb2.RecordingControl,
        command: h.PauseRecording | h.ResumeRecording,
    ) -> gateway_pb2.Call:
        shell = self._switchboard.find(tenant_scope(), request.call_id)
        agent_id = present().own_agent_id
        if agent_id and all(leg.agent_id != agent_id for leg in shell.call.legs):
            raise NoSuchCall(f"no call {request.call_id[:128]} is this agent's")
        shell.handle(command)
        log.info(
            "recording controlled",
            call=shell.call.call_id,
            state=shell.call.recording.state.value,
            by=_who(request),
        )
        return _call(shell)


def _transfer(request: gateway_pb2.TransferRequest) -> Transfer:
    """What is asked for; BadTransfer."""
    field = request.WhichOneof("target")
    target = getattr(request, field) if field else ""
    if not field or not 0 < len(target) <= MAX_TARGET:
        raise BadTransfer(f"a transfer has one target of at most {MAX_TARGET} characters")
    if len(request.reason) > MAX_REASON or len(request.via_queue_id) > MAX_TARGET:
        raise BadTransfer(f"a reason has at most {MAX_REASON} characters")
    return Transfer(
        kind=_KINDS[field],
        target=target,
        reason=request.reason,
        by=_who(request),
        by_name=(present().user_name or request.by)[:MAX_REASON],
        via_queue_id=request.via_queue_id,
    )


def _who(request: gateway_pb2.RecordingControl | gateway_pb2.TransferRequest) -> str:
    """Whom the request's credentials name; Carillon's own parts name whom they act for."""
    return present().user_id or request.by[:MAX_REASON]


def _call(shell: CallShell) -> gateway_pb2.Call:
    call = shell.call

    return gateway_pb2.Call(
        call_id=call.call_id,
        tenant_id=call.flow.tenant_id,
        **{"from": call.invitation.caller},
        to=call.invitation.called,
        invited_at_ms=call.invited_at_ms,
        state=call.state.value,
        legs=[_leg(shell, leg) for leg in call.legs],
        flow_attached=call.flow.attached,
        recording=call.recording.state.value,
    )


def _leg(shell: CallShell, leg: Leg) -> gateway_pb2.Leg:
    numbers = shell.media_numbers(leg.leg_id)
    return gateway_pb2.Leg(
        leg_id=leg.leg_id,
        role=leg.role.value,
        state=leg.state.value,
        codec=leg.codec,
        held=leg.held,
        muted=leg.muted,
        agent_id=leg.agent_id,
        ring_id=leg.ring_id,
        media=media_report(numbers) if numbers else None,
        connected=leg.connected,
        webrtc=leg.webrtc,
    )
