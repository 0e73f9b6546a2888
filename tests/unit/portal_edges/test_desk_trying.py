"""What the desk lets people try: their way to a gateway, and a call from nobody."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from protos.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from protos.ivr.v1 import ivr_pb2, ivr_pb2_grpc
from protos.portal.v1 import desk_pb2
from services.chassis.errors import Kind, RemoteError
from services.chassis.request import metadata, tenant_id
from services.chassis.rpc import Face, RpcServer, remote_errors
from tests.unit.portal_edges.desk_stage import WHO, DeskStage, desk_staged, ring

NUMBER = "+12025550100"
ELSEWHERE = "+12025550199"
"""Of the same tenant, on another trunk."""


class Ivr(ivr_pb2_grpc.IvrServicer):
    """Numbers in two pages, so that both are read."""

    async def ListNumbers(self, request: Any, context: Any) -> ivr_pb2.ListNumbersResponse:
        if tenant_id() != "demo":
            return ivr_pb2.ListNumbersResponse()
        if not request.page.token:
            answer = ivr_pb2.ListNumbersResponse(
                numbers=[ivr_pb2.Number(number=ELSEWHERE, trunk="carrier")]
            )
            answer.page.next_token = "more"
            return answer
        return ivr_pb2.ListNumbersResponse(numbers=[ivr_pb2.Number(number=NUMBER)])


@pytest_asyncio.fixture
async def stage() -> AsyncIterator[DeskStage]:
    async with desk_staged() as made:
        add: Any = ivr_pb2_grpc.add_IvrServicer_to_server
        ivr: Any = Ivr  # what it does not answer is not asked
        made.exchange.serve("ivr", [Face(lambda server: add(ivr(), server), "ivr")])
        yield made


async def refusal(asked: Any) -> str:
    with pytest.raises(RemoteError) as refused, remote_errors():
        await asked
    return refused.value.code


async def test_an_agent_tries_the_way_of_the_own_browser(stage: DeskStage) -> None:
    answer = await stage.desk.Probe(desk_pb2.ProbeRequest(sdp_offer="offer"), metadata=WHO)
    assert (answer.sdp_answer, answer.ends_after_ms) == ("echo", 15_000)
    ((name, asked, user),) = stage.gateway.asked
    assert (name, asked.agent_id, asked.sdp_offer, user) == ("ProbeAgent", "ada", "offer", "ada")


async def test_nobody_tries_for_a_program(stage: DeskStage) -> None:
    asked = stage.desk.Probe(desk_pb2.ProbeRequest(), metadata=metadata(tenant_id="demo"))
    assert await refusal(asked) == "users-only"


async def test_another_gateway_is_tried_while_the_usual_one_is_away(stage: DeskStage) -> None:
    with tempfile.TemporaryDirectory(prefix="dg-") as folder:
        path = Path(folder) / "other.sock"
        add: Any = gateway_pb2_grpc.add_GatewayServicer_to_server
        server = RpcServer(path=path, faces=[Face(lambda s: add(stage.gateway, s), "gateway")])
        await server.start()
        row = ring()
        row.contact.gateway = f"unix:{path}"
        stage.gateways.stub(row.contact)
        stage.exchange.kill("gateway")
        answer = await stage.desk.Probe(desk_pb2.ProbeRequest(sdp_offer="offer"), metadata=WHO)
        assert answer.sdp_answer == "echo"
        await server.stop()


async def test_no_gateway_at_all_is_said(stage: DeskStage) -> None:
    stage.exchange.kill("gateway")
    with pytest.raises(RemoteError) as refused, remote_errors():
        await stage.desk.Probe(desk_pb2.ProbeRequest(sdp_offer="offer"), metadata=WHO)
    assert refused.value.kind is Kind.UNAVAILABLE


@pytest.mark.parametrize("typed", [NUMBER, "+1 (202) 555-0100", "+1.202.555.0100"])
async def test_a_test_call_goes_to_a_number_of_the_tenant(stage: DeskStage, typed: str) -> None:
    placed = await stage.desk.PlaceTestCall(
        desk_pb2.DeskTestCallRequest(to=typed, digits="2", talk_s=9), metadata=WHO
    )
    assert (placed.call_id, placed.speaks) == ("call-9", "tone")
    ((_, asked, _),) = stage.gateway.asked
    assert asked == gateway_pb2.PlaceTestCallRequest(to=NUMBER, digits="2", talk_s=9)


@pytest.mark.parametrize(
    ("number", "tenant"),
    [("+12025550101", "demo"), ("", "demo"), (ELSEWHERE, "demo"), (NUMBER, "other")],
)
async def test_no_test_call_goes_anywhere_else(stage: DeskStage, number: str, tenant: str) -> None:
    request = desk_pb2.DeskTestCallRequest(to=number)
    asked = stage.desk.PlaceTestCall(request, metadata=metadata(tenant_id=tenant))
    assert await refusal(asked) == "no-such-number"
    assert stage.gateway.asked == []
