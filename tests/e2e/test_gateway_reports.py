"""Routing is told which calls a gateway carries, and that they are gone."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest

from protos.acd.v1 import acd_pb2
from services.chassis.request import tenant_id
from services.chassis.rpc import Face, RpcServer
from tests.e2e.gateway_stage import HOLD, TENANT, Stage, Talk, answer, until_the_end
from tests.softphone.phone import SoftPhone

pytestmark = pytest.mark.e2e

ACD = acd_pb2.DESCRIPTOR.services_by_name["Acd"].full_name


class Routing:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[tuple[str, acd_pb2.ReportCallsRequest]] = asyncio.Queue()

    def face(self) -> Face:
        handler: Any = grpc.unary_unary_rpc_method_handler(
            self._report,
            request_deserializer=acd_pb2.ReportCallsRequest.FromString,
            response_serializer=acd_pb2.ReportCallsResponse.SerializeToString,
        )
        generic = grpc.method_handlers_generic_handler(ACD, {"ReportCalls": handler})
        return Face(register=lambda s: s.add_generic_rpc_handlers((generic,)), name=ACD)

    async def until_calls(self, count: int) -> acd_pb2.ReportCallsRequest:
        async with asyncio.timeout(20):
            while True:
                tenant, request = await self.told.get()
                assert tenant == TENANT
                if len(request.calls) == count:
                    return request

    async def _report(self, request: Any, context: Any) -> acd_pb2.ReportCallsResponse:
        self.told.put_nowait((tenant_id(), request))
        return acd_pb2.ReportCallsResponse()


async def test_a_call_is_reported_while_it_lasts_and_its_end_afterwards() -> None:
    gone = asyncio.Event()

    async def script(talk: Talk) -> None:
        await talk.step(answer(), HOLD)
        await asyncio.wait_for(gone.wait(), 30)
        await until_the_end(talk)

    routing = Routing()
    async with SoftPhone() as phone, Stage(script) as stage:
        server = RpcServer(path=stage.world.run_dir / "acd.sock", faces=[routing.face()])
        await server.start()
        try:
            call = await phone.call(stage.uri)
            await call.answered()
            during = await routing.until_calls(1)
            assert during.calls[0].call_id == (await stage.only_call()).call_id
            assert during.gateway == f"unix:{stage.world.run_dir / 'gateway.sock'}"
            gone.set()
            await call.hangup()
            await stage.ended()
            after = await routing.until_calls(0)
            assert after.incarnation == during.incarnation != ""
        finally:
            await server.stop()
