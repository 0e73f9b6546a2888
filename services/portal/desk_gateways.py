"""The gateways that carry agents' calls: finding them, and what an agent's leg is like there."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import grpc
from grpc import aio

from protos.acd.v1 import state_pb2
from protos.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from services.chassis.errors import CarillonError, Kind
from services.chassis.ids import TenantId
from services.chassis.request import TENANT_KEY
from services.chassis.rpc_pool import BadAddress

if TYPE_CHECKING:  # the stubs know this name, the generated module does not
    from protos.gateway.v1.gateway_pb2_grpc import GatewayAsyncStub

USUAL = "gateway"
MAX_TRIED = 3
"""Gateways that are asked one after another while they are away."""
_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
MAX_ADDRESS_CHARS = 300
GONE = (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNIMPLEMENTED)


class NoGateway(CarillonError):
    """The contact is on no gateway, or on one that nobody can find."""

    code: ClassVar[str] = "no-gateway"
    kind: ClassVar[Kind] = Kind.PRECONDITION


class NotConnected(CarillonError):
    """The agent has no leg in the call: it is not connected yet, or it is over."""

    code: ClassVar[str] = "not-connected"
    kind: ClassVar[Kind] = Kind.PRECONDITION


@dataclass(frozen=True, slots=True)
class Audio:
    """What an agent's leg is like."""

    leg_id: str = ""
    """Empty: there is none."""
    held: bool = False
    """The caller hears music."""
    muted: bool = False
    """The caller does not hear the agent."""
    recording: str = "off"
    """off, on, paused or failed."""
    connected: bool = False
    """Audio can flow."""


class Gateways:
    """Channels to gateways, by the addresses that contacts carry."""

    def __init__(
        self,
        *,
        dial: Callable[[str], aio.Channel],
        dial_at: Callable[[str, str], aio.Channel],
    ) -> None:
        self._dial = dial
        self._dial_at = dial_at
        self._named: OrderedDict[str, None] = OrderedDict()

    def stub(self, contact: state_pb2.Contact) -> GatewayAsyncStub:
        """The gateway that carries a contact; NoGateway."""
        return gateway_pb2_grpc.GatewayStub(self._channel(contact.gateway))

    def known(self) -> Iterator[GatewayAsyncStub]:
        """Gateways for what no contact decides: the usual one, then those that contacts named."""
        yield gateway_pb2_grpc.GatewayStub(self._dial(USUAL))
        for address in tuple(self._named)[: MAX_TRIED - 1]:
            yield gateway_pb2_grpc.GatewayStub(self._dial_at(USUAL, address))

    async def audio(self, tenant_id: TenantId, work: state_pb2.ReservationRow) -> Audio:
        """What the agent's leg is like now; none when the call is over. AioRpcError, NoGateway."""
        metadata = ((TENANT_KEY, str(tenant_id)),)
        request = gateway_pb2.GetCallRequest(call_id=work.contact_id)
        try:
            call = await self.stub(work.contact).GetCall(request, metadata=metadata)
        except aio.AioRpcError as error:
            if error.code() in GONE:
                return Audio()
            raise
        return audio_in(call, work.reservation_id)

    def _channel(self, address: str) -> aio.Channel:
        if _NAME.fullmatch(address):
            return self._dial(address)
        if not address or len(address) > MAX_ADDRESS_CHARS:
            raise NoGateway("the contact is on no gateway")
        try:
            channel = self._dial_at(USUAL, address)
        except BadAddress as error:
            raise NoGateway(str(error)) from None
        self._named[address] = None
        self._named.move_to_end(address, last=False)
        while len(self._named) > MAX_TRIED:
            self._named.popitem()
        return channel


def audio_in(call: gateway_pb2.Call, reservation_id: str) -> Audio:
    """The agent's leg in a call, by the reservation that rang it."""
    legs: Mapping[str, gateway_pb2.Leg] = {leg.ring_id: leg for leg in call.legs if leg.ring_id}
    leg = legs.get(reservation_id)
    recording = call.recording or "off"
    if leg is None or leg.state in {"ending", "ended"}:
        return Audio(recording=recording)
    return Audio(
        leg_id=leg.leg_id,
        held=leg.held,
        muted=leg.muted,
        recording=recording,
        # A phone has its audio once it is answered; a browser says so itself.
        connected=leg.connected if leg.webrtc else leg.state in {"answered", "bridged"},
    )
