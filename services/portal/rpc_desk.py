"""The face of the agent's desk: whatever an agent's page does, for the agent who is signed in."""

from __future__ import annotations

from protos.acd.v1 import acd_pb2
from protos.gateway.v1 import gateway_pb2
from protos.portal.v1 import desk_pb2, desk_pb2_grpc
from services.chassis.request import metadata, present, tenant_id
from services.chassis.rpc import Face
from services.portal.rpc_desk_handing import Handing
from services.portal.rpc_desk_own import Context, OwnDesk, Row, own_id, telling
from services.portal.rpc_desk_trying import Trying

CONNECT_LIMIT_S = 8.0
"""An offer that comes before the flow rings is held by the gateway for 2 s; then it answers."""
REJECT = "reject"


@telling
class Desk(Handing, Trying, OwnDesk, desk_pb2_grpc.DeskServicer):
    """The servicer of carillon.portal.v1.Desk; the contact in hand and its audio."""

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
                agent_id=own_id(), presence=request.presence, reason=request.reason
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
                agent_id=own_id(),
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
        """Stops recording for a while, where agents may."""
        await self._policy.check_may_pause(tenant_id())
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
        await self._policy.check_disposition(tenant_id(), row.queue_id, request.code)
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
        await self._policy.check_disposition(tenant_id(), row.queue_id, request.code)
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


def face(servicer: Desk) -> Face:
    """The face as a server takes it."""
    return Face(
        register=lambda server: desk_pb2_grpc.add_DeskServicer_to_server(servicer, server),
        name=desk_pb2.DESCRIPTOR.services_by_name["Desk"].full_name,
    )


def _control(row: Row, reason: str) -> gateway_pb2.RecordingControl:
    return gateway_pb2.RecordingControl(call_id=row.contact_id, reason=reason, by=present().user_id)
