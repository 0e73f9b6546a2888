"""What routing is told of the calls that a gateway carries."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import grpc

from media_gateway.core import happenings as h
from media_gateway.core.state import Call
from media_gateway.model import LegEnd
from media_gateway.reports import LAST_MS, CallReports
from protos.acd.v1 import acd_pb2
from services.chassis.request import tenant_id
from services.chassis.rpc import Face, RpcServer
from services.chassis.world import local_world
from tests.unit.gateway.driver import AGENT_LEG, Driver

GATEWAY = "unix:gateway"


class Clock:
    """Time that is told."""

    def __init__(self) -> None:
        self.at_ms = 1_000_000

    def now_ms(self) -> int:
        return self.at_ms

    def monotonic_ms(self) -> float:
        return float(self.at_ms)


def nobody(name: str) -> Any:
    raise ConnectionError(name)


def reports(calls: list[Call], clock: Clock, dial: Any = nobody) -> CallReports:
    return CallReports(
        calls=lambda: calls, dial=dial, clock=clock, gateway=GATEWAY, incarnation="inc-1"
    )


def shown(told: CallReports) -> dict[str, list[tuple[str, list[str]]]]:
    return {
        tenant: [(call.call_id, list(call.reservation_ids)) for call in calls]
        for tenant, calls in told.due().items()
    }


def test_each_tenant_is_told_of_its_calls_and_of_those_who_are_rung() -> None:
    driver = Driver().ringing()
    calls = [driver.call]
    told = reports(calls, Clock())
    assert shown(told) == {"acme": [("call-1", ["r.1"])]}
    driver.do(h.LegAnswers(AGENT_LEG, "PCMU"))
    driver.do(h.HangUpLeg(AGENT_LEG))
    calls[:] = [driver.call]
    # A leg whose release is under way is no longer of use to anybody.
    assert shown(told) == {"acme": [("call-1", [])]}
    driver.do(h.LegLeaves(AGENT_LEG, LegEnd.HUNG_UP))
    calls[:] = [driver.call]
    assert shown(told) == {"acme": [("call-1", [])]}


def test_a_tenant_is_told_for_a_while_that_there_are_none() -> None:
    clock = Clock()
    calls = [Driver().answered().call]
    told = reports(calls, clock)
    told.due()
    calls.clear()
    clock.at_ms += LAST_MS
    assert shown(told) == {"acme": []}
    clock.at_ms += 1
    assert shown(told) == {}


def test_calls_that_are_nobodys_yet_are_not_told() -> None:
    assert shown(reports([Driver().attached().call], Clock())) == {}


def test_tenants_of_lost_calls_are_told_that_there_are_none() -> None:
    told = reports([], Clock())
    told.expect(["acme", "", "globex"])
    assert shown(told) == {"acme": [], "globex": []}


async def test_routing_hears_it_with_the_tenants_name_also_when_it_was_away(
    tmp_path: Path,
) -> None:
    heard: asyncio.Queue[tuple[str, acd_pb2.ReportCallsRequest]] = asyncio.Queue()

    async def report_calls(request: Any, context: Any) -> acd_pb2.ReportCallsResponse:
        heard.put_nowait((tenant_id(), request))
        return acd_pb2.ReportCallsResponse()

    name = acd_pb2.DESCRIPTOR.services_by_name["Acd"].full_name
    handler: Any = grpc.unary_unary_rpc_method_handler(
        report_calls,
        request_deserializer=acd_pb2.ReportCallsRequest.FromString,
        response_serializer=acd_pb2.ReportCallsResponse.SerializeToString,
    )
    generic = grpc.method_handlers_generic_handler(name, {"ReportCalls": handler})
    world = local_world(var_dir=tmp_path / "var", run_dir=tmp_path / "r")
    told = reports([Driver().ringing().call], Clock(), world.dial)
    await asyncio.wait_for(told.report(), 5)
    server = RpcServer(
        path=world.run_dir / "acd.sock",
        faces=[Face(register=lambda s: s.add_generic_rpc_handlers((generic,)), name=name)],
    )
    await server.start()
    try:
        async with asyncio.timeout(20):
            while heard.empty():
                await told.report()
        tenant, request = heard.get_nowait()
    finally:
        await server.stop()
        await world.close()
    assert tenant == "acme"
    assert (request.gateway, request.incarnation) == (GATEWAY, "inc-1")
    assert [call.call_id for call in request.calls] == ["call-1"]


async def test_one_fault_does_not_end_the_reporting() -> None:
    heard = asyncio.Event()
    faults = iter([ValueError("not today")])

    def calls() -> list[Call]:
        if (fault := next(faults, None)) is not None:
            raise fault
        heard.set()
        return []

    told = CallReports(
        calls=calls, dial=nobody, clock=Clock(), gateway=GATEWAY, incarnation="i", every_s=0.01
    )
    running = asyncio.ensure_future(told.run())
    await asyncio.wait_for(heard.wait(), 5)
    running.cancel()
