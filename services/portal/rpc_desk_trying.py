"""The part of the desk's face that tries things out before a caller depends on them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, ClassVar, TypeVar

import grpc
from grpc import aio

from protos.common.v1 import common_pb2
from protos.gateway.v1 import gateway_pb2
from protos.ivr.v1 import ivr_pb2, ivr_pb2_grpc
from protos.portal.v1 import desk_pb2
from services.chassis.errors import CarillonError, Kind
from services.chassis.request import metadata
from services.portal.rpc_desk_own import Context, OwnDesk, own_id

if TYPE_CHECKING:  # the stubs know this name, the generated module does not
    from protos.gateway.v1.gateway_pb2_grpc import GatewayAsyncStub

T = TypeVar("T")

ASK_LIMIT_S = 8.0
"""For a gateway to bind ports, or to receive its own INVITE."""
LOCAL_TRUNK = "local"
"""Test calls come by it, as all calls of one machine do."""
NUMBERS_PAGE = 500
MAX_NUMBERS = 50_000
"""Numbers of one tenant that are looked through."""
_SEPARATORS = str.maketrans("", "", " -.()/\u00a0\u202f\u2011")


class NoSuchNumber(CarillonError):
    """The tenant has no such number, or it arrives on a trunk that no test call comes by."""

    code: ClassVar[str] = "no-such-number"
    kind: ClassVar[Kind] = Kind.NOT_FOUND


class Trying(OwnDesk):
    """The way to the gateway, and a call from nobody."""

    async def GetIceServers(
        self, _request: desk_pb2.GetIceServersRequest, _context: Context
    ) -> desk_pb2.IceServers:
        """What leads the browser's audio to gateways."""
        return self._ways.of(own_id())

    async def Probe(
        self, request: desk_pb2.ProbeRequest, _context: Context
    ) -> desk_pb2.ProbeResponse:
        """Sends what the browser says back to it."""
        asked = gateway_pb2.ProbeAgentRequest(agent_id=own_id(), sdp_offer=request.sdp_offer)
        answer = await self._of_any(
            lambda gateway: gateway.ProbeAgent(asked, metadata=metadata(), timeout=ASK_LIMIT_S)
        )
        return desk_pb2.ProbeResponse(
            sdp_answer=answer.sdp_answer, ends_after_ms=answer.ends_after_ms
        )

    async def PlaceTestCall(
        self, request: desk_pb2.DeskTestCallRequest, _context: Context
    ) -> desk_pb2.DeskTestCall:
        """Lets a gateway call one of the tenant's numbers."""
        asked = gateway_pb2.PlaceTestCallRequest(
            to=await self._own_number(request.to), digits=request.digits, talk_s=request.talk_s
        )
        answer = await self._of_any(
            lambda gateway: gateway.PlaceTestCall(asked, metadata=metadata(), timeout=ASK_LIMIT_S)
        )
        return desk_pb2.DeskTestCall(call_id=answer.call_id, speaks=answer.speaks)

    async def _of_any(self, ask: Callable[[GatewayAsyncStub], Awaitable[T]]) -> T:
        """What a gateway answers: the first that is there, and takes such work now."""
        gateways = list(self._gateways.known())
        for gateway in gateways[:-1]:
            try:
                return await ask(gateway)
            except aio.AioRpcError as error:
                if error.code() != grpc.StatusCode.UNAVAILABLE:
                    raise
        return await ask(gateways[-1])

    async def _own_number(self, typed: str) -> str:
        """The tenant's number as it is kept, with or without what people write between digits."""
        wanted = typed.translate(_SEPARATORS)
        ivr = ivr_pb2_grpc.IvrStub(self._dial("ivr"))
        token = ""
        for _ in range(MAX_NUMBERS // NUMBERS_PAGE):
            page = common_pb2.PageRequest(size=NUMBERS_PAGE, token=token)
            listed = await ivr.ListNumbers(
                ivr_pb2.ListNumbersRequest(page=page), metadata=metadata(), timeout=ASK_LIMIT_S
            )
            for number in listed.numbers:
                if number.number == wanted and (number.trunk or LOCAL_TRUNK) == LOCAL_TRUNK:
                    return wanted
            token = listed.page.next_token
            if not token:
                break
        raise NoSuchNumber(f"{typed[:64]} is no number of yours that arrives on trunk local")
