"""Flows and numbers as administrators see them, over a real unix socket."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from protos.common.v1 import common_pb2
from protos.ivr.v1 import ivr_pb2, ivr_pb2_grpc
from services.chassis.database import DatabaseAddress
from services.chassis.errors import RemoteError
from services.chassis.lifecycle import Running
from services.chassis.rpc import metadata, remote_errors
from services.chassis.world import World, local_world
from services.ivr.main import build
from tests.unit.ivr.gateway import GatewayCall
from tests.unit.ivr.test_calls import DEMO, FLOW, Stage, stage

__all__ = ["stage"]  # a fixture is found by its name in the module

OTHER = metadata(tenant_id="other")
SMALL = json.dumps(
    {
        "schema": 1,
        "name": "Small",
        "language": "en-us",
        "start": "end",
        "nodes": {"end": {"kind": "hangup"}},
        "default_treatment": {"hangup": True},
    }
)


async def refused(call: Any) -> RemoteError:
    with pytest.raises(RemoteError) as error, remote_errors():
        await call
    return error.value


async def put(stage: Stage, flow_id: str, text: str = SMALL, who: Any = DEMO) -> Any:
    request = ivr_pb2.PutFlowRequest(flow_id=flow_id, definition_json=text)
    return await stage.ivr.PutFlow(request, metadata=who)


async def test_versions_are_stored_published_and_rolled_back(stage: Stage) -> None:
    second = await put(stage, "main")
    assert (second.version, second.published) == (2, False)
    current = await stage.ivr.GetFlow(ivr_pb2.GetFlowRequest(flow_id="main"), metadata=DEMO)
    assert (current.version, json.loads(current.definition_json)) == (1, FLOW)
    publish = ivr_pb2.PublishFlowRequest(flow_id="main", version=2)
    assert (await stage.ivr.PublishFlow(publish, metadata=DEMO)).published is True
    call = stage.call()
    await call.invite()
    assert call.last.commands[-1].HasField("hangup")
    back = ivr_pb2.PublishFlowRequest(flow_id="main", version=1)
    assert (await stage.ivr.PublishFlow(back, metadata=DEMO)).version == 1


async def test_versions_are_listed_in_pages(stage: Stage) -> None:
    for number in range(3):
        await put(stage, "main", SMALL.replace("Small", f"Small {number}"))
    page = common_pb2.PageRequest(size=3)
    asked = ivr_pb2.ListFlowVersionsRequest(flow_id="main", page=page)
    first = await stage.ivr.ListFlowVersions(asked, metadata=DEMO)
    assert [(row.version, row.published) for row in first.versions] == [
        (4, False),
        (3, False),
        (2, False),
    ]
    asked.page.token = first.page.next_token
    rest = await stage.ivr.ListFlowVersions(asked, metadata=DEMO)
    assert [(row.version, row.published) for row in rest.versions] == [(1, True)]
    assert rest.page.next_token == ""
    asked.page.token = "x"
    assert (await refused(stage.ivr.ListFlowVersions(asked, metadata=DEMO))).code == "bad-page"
    theirs = ivr_pb2.ListFlowVersionsRequest(flow_id="main")
    error = await refused(stage.ivr.ListFlowVersions(theirs, metadata=OTHER))
    assert error.code == "no-such-flow"


async def test_a_flow_goes_once_no_number_leads_to_it(stage: Stage) -> None:
    remove = ivr_pb2.RemoveFlowRequest(flow_id="main")
    assert (await refused(stage.ivr.RemoveFlow(remove, metadata=DEMO))).code == "flow-in-use"
    assert (await refused(stage.ivr.RemoveFlow(remove, metadata=OTHER))).code == "no-such-flow"
    number = ivr_pb2.RemoveNumberRequest(number="+49301")
    await stage.ivr.RemoveNumber(number, metadata=DEMO)
    await stage.ivr.RemoveFlow(remove, metadata=DEMO)
    get = ivr_pb2.GetFlowRequest(flow_id="main", version=1)
    assert (await refused(stage.ivr.GetFlow(get, metadata=DEMO))).code == "no-such-flow"
    # Made again, it counts on: a version is never another.
    assert (await put(stage, "main")).version == 2


async def test_a_call_in_progress_keeps_its_version(stage: Stage) -> None:
    call = stage.call()
    await call.invite()
    await put(stage, "main")
    await stage.ivr.PublishFlow(ivr_pb2.PublishFlowRequest(flow_id="main"), metadata=DEMO)
    await call.resume(
        [ivr_pb2.LegView(leg_id="l1", role=ivr_pb2.LEG_ROLE_CALLER, state="answered")],
        operation="o1",
    )
    await call.end_operation("2")
    assert call.kinds == ["play"]


async def test_a_bad_flow_is_refused_with_the_node_and_the_reason(stage: Stage) -> None:
    bad = SMALL.replace('"kind": "hangup"', '"kind": "hangupp"')
    error = await refused(put(stage, "bad", bad))
    assert error.code == "bad-flow"
    assert "node end: there is no node kind `hangupp`; did you mean `hangup`?" in error.message
    answer = await stage.ivr.CheckFlow(ivr_pb2.CheckFlowRequest(definition_json=bad), metadata=DEMO)
    assert [(problem.node, problem.code) for problem in answer.problems] == [
        ("end", "unknown-kind")
    ]
    good = ivr_pb2.CheckFlowRequest(definition_json=SMALL)
    assert list((await stage.ivr.CheckFlow(good, metadata=DEMO)).problems) == []


async def test_a_voice_that_nobody_has_is_a_problem_of_the_first_node_that_needs_it(
    stage: Stage,
) -> None:
    value = json.loads(SMALL)
    value["nodes"]["begin"] = {"kind": "say", "text": "Salut.", "language": "xx", "next": "end"}
    value["start"] = "begin"
    check = ivr_pb2.CheckFlowRequest(definition_json=json.dumps(value))
    problems = (await stage.ivr.CheckFlow(check, metadata=DEMO)).problems
    assert [(problem.node, problem.code) for problem in problems] == [("begin", "no-such-voice")]


async def test_flows_are_listed_in_pages(stage: Stage) -> None:
    for flow_id in ("b", "a"):
        await put(stage, flow_id)
    page = common_pb2.PageRequest(size=2)
    first = await stage.ivr.ListFlows(ivr_pb2.ListFlowsRequest(page=page), metadata=DEMO)
    assert [flow.flow_id for flow in first.flows] == ["a", "b"]
    assert [(flow.published_version, flow.name) for flow in first.flows] == [(0, "Small")] * 2
    page.token = first.page.next_token
    rest = await stage.ivr.ListFlows(ivr_pb2.ListFlowsRequest(page=page), metadata=DEMO)
    (main,) = rest.flows
    assert (main.flow_id, main.version, main.published_version) == ("main", 1, 1)
    assert rest.page.next_token == ""


async def test_numbers_are_put_listed_in_pages_and_removed(stage: Stage) -> None:
    for number in ("100", "+49302"):
        row = ivr_pb2.Number(number=number, flow_id="main")
        await stage.ivr.PutNumber(ivr_pb2.PutNumberRequest(number=row), metadata=DEMO)
    page = common_pb2.PageRequest(size=2)
    first = await stage.ivr.ListNumbers(ivr_pb2.ListNumbersRequest(page=page), metadata=DEMO)
    assert [row.number for row in first.numbers] == ["+49301", "+49302"]
    page.token = first.page.next_token
    rest = await stage.ivr.ListNumbers(ivr_pb2.ListNumbersRequest(page=page), metadata=DEMO)
    assert [(row.number, row.trunk) for row in rest.numbers] == [("100", "local")]
    await stage.ivr.RemoveNumber(ivr_pb2.RemoveNumberRequest(number="100"), metadata=DEMO)
    error = await refused(
        stage.ivr.RemoveNumber(ivr_pb2.RemoveNumberRequest(number="100"), metadata=DEMO)
    )
    assert error.code == "no-such-number"


async def test_another_tenant_sees_nothing_and_takes_nothing(stage: Stage) -> None:
    await put(stage, "theirs", who=OTHER)
    await stage.ivr.PublishFlow(ivr_pb2.PublishFlowRequest(flow_id="theirs"), metadata=OTHER)
    taken = ivr_pb2.PutNumberRequest(number=ivr_pb2.Number(number="+49301", flow_id="theirs"))
    assert (await refused(stage.ivr.PutNumber(taken, metadata=OTHER))).code == "number-taken"
    get = ivr_pb2.GetFlowRequest(flow_id="main")
    assert (await refused(stage.ivr.GetFlow(get, metadata=OTHER))).code == "no-such-flow"
    listed = await stage.ivr.ListFlows(ivr_pb2.ListFlowsRequest(), metadata=OTHER)
    assert [flow.flow_id for flow in listed.flows] == ["theirs"]


@pytest.mark.parametrize(
    ("method", "request_", "code"),
    [
        ("PutFlow", ivr_pb2.PutFlowRequest(flow_id="No!", definition_json=SMALL), "invalid-name"),
        ("GetFlow", ivr_pb2.GetFlowRequest(flow_id=""), "invalid-name"),
        ("GetFlow", ivr_pb2.GetFlowRequest(flow_id="none"), "no-such-flow"),
        ("PublishFlow", ivr_pb2.PublishFlowRequest(flow_id="none"), "no-such-flow"),
        ("PublishFlow", ivr_pb2.PublishFlowRequest(flow_id="main", version=9), "no-such-flow"),
        (
            "PutNumber",
            ivr_pb2.PutNumberRequest(number=ivr_pb2.Number(number="x", flow_id="main")),
            "invalid-name",
        ),
        (
            "PutNumber",
            ivr_pb2.PutNumberRequest(
                number=ivr_pb2.Number(number="100", trunk="a b", flow_id="main")
            ),
            "invalid-name",
        ),
        (
            "PutNumber",
            ivr_pb2.PutNumberRequest(number=ivr_pb2.Number(number="100", flow_id="none")),
            "no-such-flow",
        ),
        (
            "ListFlows",
            ivr_pb2.ListFlowsRequest(page=common_pb2.PageRequest(size=501)),
            "bad-page",
        ),
    ],
)
async def test_what_cannot_be_is_refused_by_name(
    stage: Stage, method: str, request_: object, code: str
) -> None:
    assert (await refused(getattr(stage.ivr, method)(request_, metadata=DEMO))).code == code


async def test_an_installation_remembers_flows_numbers_and_prompts(
    tmp_path: Path, database_address: DatabaseAddress
) -> None:
    database_address.write(tmp_path / "database.json")

    async def run(begin: Callable[[Any], Awaitable[None]]) -> None:
        world = local_world(var_dir=tmp_path)
        running = Running([build(world)], world)
        await running.start()
        try:
            await begin(world)
        finally:
            await running.drain(5)
            await running.stop()
            await world.close()

    async def first(world: World) -> None:
        ivr: Any = ivr_pb2_grpc.IvrStub(world.dial("ivr"))
        request = ivr_pb2.PutFlowRequest(flow_id="main", definition_json=json.dumps(FLOW))
        await ivr.PutFlow(request, metadata=DEMO)
        await ivr.PublishFlow(ivr_pb2.PublishFlowRequest(flow_id="main"), metadata=DEMO)
        number = ivr_pb2.Number(number="100", flow_id="main")
        await ivr.PutNumber(ivr_pb2.PutNumberRequest(number=number), metadata=DEMO)

    async def second(world: World) -> None:
        call = GatewayCall(world.dial("ivr"))
        step = await call.invite("100")
        (prompt,) = step.commands[-1].gather.prompts
        audio = await world.blobs.get(prompt.sha256)
        assert len(audio) > 8_000

    await run(first)
    await run(second)


async def test_nothing_is_done_for_nobody(stage: Stage) -> None:
    for method, request in (
        ("PutFlow", ivr_pb2.PutFlowRequest(flow_id="a", definition_json=SMALL)),
        ("CheckFlow", ivr_pb2.CheckFlowRequest(definition_json=SMALL)),
        ("ListNumbers", ivr_pb2.ListNumbersRequest()),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await getattr(stage.ivr, method)(request)
        assert refusal.value.code() is grpc.StatusCode.UNAUTHENTICATED
