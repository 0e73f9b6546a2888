"""gRPC at the edge: bytes through, errors through, and nothing that is not for outside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
import pytest_asyncio
from grpc import aio
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from protos.acd.v1 import acd_pb2, acd_pb2_grpc, state_pb2
from protos.crm.v1 import crm_pb2, crm_pb2_grpc
from services.chassis.errors import CarillonError, Kind
from services.chassis.status import remote_error
from services.portal import edge
from services.portal.grpc_edge import GrpcEdge, offered
from services.portal.proxies import TrustedProxies, networks_of
from tests.unit.portal_edges.stage import REGISTRY, Stage, person

ADMINISTRATOR = (("authorization", "Bearer administrator"),)
GET_AGENT = "/carillon.acd.v1.Acd/GetAgent"


class NoSuchAgent(CarillonError):
    code = "no-such-agent"
    kind = Kind.NOT_FOUND


class Named(CarillonError):
    """Says where something is that nobody outside needs to know."""

    code = "very-secret"

    def __init__(self, kind: Kind) -> None:
        super().__init__("nobody at 10.1.2.3:5432")
        self.kind = kind  # type: ignore[misc]  # of the instance, because each test has its own


@pytest_asyncio.fixture
async def channel(stage: Stage) -> AsyncIterator[aio.Channel]:
    server = GrpcEdge(edge=stage.edge, registry=REGISTRY)
    port = await server.start("127.0.0.1:0")
    async with aio.insecure_channel(f"127.0.0.1:{port}") as opened:
        yield opened
    await server.stop()


async def refused(call: Any) -> aio.AioRpcError:
    with pytest.raises(aio.AioRpcError) as caught:
        await call
    return caught.value


async def test_an_answer_comes_through(stage: Stage, channel: aio.Channel) -> None:
    stage.backend.answers[GET_AGENT] = state_pb2.AgentView(agent_id="ada", name="Ada")
    acd = acd_pb2_grpc.AcdStub(channel)
    brought = (*ADMINISTRATOR, ("carillon-tenant", "other"), ("carillon-user", "root"))
    view = await acd.GetAgent(acd_pb2.AgentRequest(agent_id="ada"), metadata=brought)
    assert view.name == "Ada"
    (call,) = stage.backend.calls
    assert (call.tenant, call.metadata["carillon-user"]) == ("demo", "administrator")


async def test_a_named_error_comes_through_with_its_details(
    stage: Stage, channel: aio.Channel
) -> None:
    stage.backend.answers[GET_AGENT] = NoSuchAgent("there is no ada")
    acd = acd_pb2_grpc.AcdStub(channel)
    error = await refused(
        acd.GetAgent(acd_pb2.AgentRequest(agent_id="ada"), metadata=ADMINISTRATOR)
    )
    assert error.code() is grpc.StatusCode.NOT_FOUND
    assert remote_error(error).code == "no-such-agent"
    assert error.details() == "there is no ada"


async def test_refusals_of_the_edge_have_codes_too(stage: Stage, channel: aio.Channel) -> None:
    acd = acd_pb2_grpc.AcdStub(channel)
    stage.people.expired.add("old")
    for token, code in (("old", "token-expired"), ("agent", "not-allowed")):
        metadata = (("authorization", f"Bearer {token}"),)
        error = await refused(acd.PutQueue(acd_pb2.PutQueueRequest(), metadata=metadata))
        assert remote_error(error).code == code
    assert [entry.address for entry in stage.people.entries] == ["127.0.0.1"] * 2


async def test_a_proxy_is_believed_about_who_asks_and_nobody_else_is(stage: Stage) -> None:
    for networks, seen in (("", "127.0.0.1"), ("127.0.0.0/8", "198.51.100.1")):
        proxies = TrustedProxies(networks_of(networks))
        server = GrpcEdge(edge=stage.edge, registry=REGISTRY, proxies=proxies)
        port = await server.start("127.0.0.1:0")
        async with aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            acd = acd_pb2_grpc.AcdStub(channel)
            metadata = (("x-forwarded-for", "203.0.113.1, 198.51.100.1"),)
            await refused(acd.PutQueue(acd_pb2.PutQueueRequest(), metadata=metadata))
        await server.stop()
        assert stage.people.entries[-1].address == seen


async def test_an_agent_is_filled_in_and_may_name_nobody_else(
    stage: Stage, channel: aio.Channel
) -> None:
    acd = acd_pb2_grpc.AcdStub(channel)
    agent = (("authorization", "Bearer agent"),)
    await acd.GetAgent(acd_pb2.AgentRequest(), metadata=agent)
    assert stage.backend.calls[-1].request.agent_id == "agent"
    error = await refused(acd.GetAgent(acd_pb2.AgentRequest(agent_id="ben"), metadata=agent))
    assert remote_error(error).code == "not-your-own"


async def test_what_is_not_for_outside_does_not_exist(channel: aio.Channel) -> None:
    acd = acd_pb2_grpc.AcdStub(channel)
    error = await refused(acd.Accept(acd_pb2.ReservationRequest(), metadata=ADMINISTRATOR))
    assert error.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_what_is_no_message_is_refused(channel: aio.Channel) -> None:
    raw: Any = channel.unary_unary(GET_AGENT)
    error = await refused(raw(b"\xff\xff", metadata=ADMINISTRATOR))
    assert remote_error(error).code == "bad-request"


async def test_text_that_no_database_keeps_is_refused_wherever_it_stands(
    stage: Stage, channel: aio.Channel
) -> None:
    crm = crm_pb2_grpc.CrmStub(channel)
    for customer in (
        crm_pb2.Customer(name="a\0"),
        crm_pb2.Customer(numbers=["a", "\0"]),
        crm_pb2.Customer(attributes={"a": "\0"}),
        crm_pb2.Customer(attributes={"\0": "a"}),
    ):
        request = crm_pb2.CreateCustomerRequest(customer=customer)
        error = await refused(crm.CreateCustomer(request, metadata=ADMINISTRATOR))
        assert remote_error(error).code == "bad-request"
    assert not stage.backend.calls


async def test_of_our_own_faults_nothing_is_told(stage: Stage, channel: aio.Channel) -> None:
    acd = acd_pb2_grpc.AcdStub(channel)
    for failure, code, status in (
        (Named(Kind.INTERNAL), "internal", grpc.StatusCode.INTERNAL),
        (Named(Kind.UNAVAILABLE), "very-secret", grpc.StatusCode.UNAVAILABLE),
    ):
        stage.people.failure = failure
        at_the_edge = await refused(acd.GetAgent(acd_pb2.AgentRequest(), metadata=ADMINISTRATOR))
        stage.people.failure = None
        stage.backend.answers[GET_AGENT] = failure
        behind = await refused(acd.GetAgent(acd_pb2.AgentRequest(), metadata=ADMINISTRATOR))
        for error in (at_the_edge, behind):
            assert (error.code(), remote_error(error).code) == (status, code)
            assert "10.1.2.3" not in repr((error.details(), error.trailing_metadata()))

    async def broken(bearer: str) -> Any:
        raise ZeroDivisionError(bearer)

    stage.people.authenticate = broken  # type: ignore[method-assign]  # put in its place
    error = await refused(acd.GetAgent(acd_pb2.AgentRequest(), metadata=ADMINISTRATOR))
    assert (error.code(), error.details()) == (grpc.StatusCode.INTERNAL, "internal error")


async def test_a_service_that_is_away(stage: Stage, channel: aio.Channel) -> None:
    stage.exchange.kill("acd")
    acd = acd_pb2_grpc.AcdStub(channel)
    error = await refused(acd.GetAgent(acd_pb2.AgentRequest(), metadata=ADMINISTRATOR))
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    assert "acd" not in (error.details() or "")


async def test_the_callers_deadline_goes_along(stage: Stage, channel: aio.Channel) -> None:
    acd = acd_pb2_grpc.AcdStub(channel)
    await acd.GetAgent(acd_pb2.AgentRequest(), metadata=ADMINISTRATOR, timeout=3)
    (call,) = stage.backend.calls
    assert call.left_s is not None
    assert 0 < call.left_s <= 3


async def test_a_stream_comes_through_and_its_end_too(stage: Stage, channel: aio.Channel) -> None:
    stage.backend.answers["/carillon.acd.v1.Acd/WatchAgents"] = [
        state_pb2.AgentView(agent_id="ada"),
        state_pb2.AgentView(agent_id="ben"),
        NoSuchAgent("gone"),
    ]
    acd = acd_pb2_grpc.AcdStub(channel)
    stream: Any = acd.WatchAgents(acd_pb2.WatchAgentsRequest(), metadata=ADMINISTRATOR)
    assert [(await stream.read()).agent_id for _ in range(2)] == ["ada", "ben"]
    error = await refused(stream.read())
    assert remote_error(error).code == "no-such-agent"


async def test_a_request_with_a_key_is_done_once(stage: Stage, channel: aio.Channel) -> None:
    crm = crm_pb2_grpc.CrmStub(channel)
    metadata = (*ADMINISTRATOR, ("idempotency-key", "once"))
    request = crm_pb2.CreateCustomerRequest(customer=crm_pb2.Customer(name="Ada"))
    for replayed in (False, True):
        call = crm.CreateCustomer(request, metadata=metadata)
        await call
        told = dict(await call.trailing_metadata() or ())
        assert ("idempotency-replayed" in told) == replayed
    assert len(stage.backend.calls) == 1
    # REST and gRPC are two faces of one request.
    rest = await stage.ask(
        "POST", "/v1/customers", json={"name": "Ada"}, headers={"idempotency-key": "once"}
    )
    assert rest.headers["idempotency-replayed"] == "true"


async def test_who_hangs_up_before_the_answer_is_on_the_trail(
    stage: Stage, channel: aio.Channel
) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def never(_request: Any) -> Any:
        begun.set()
        await asyncio.Event().wait()

    stage.backend.waiting["/carillon.acd.v1.Acd/PutQueue"] = never
    acd = acd_pb2_grpc.AcdStub(channel)
    audit = stage.people.audit

    async def noting(**entry: Any) -> None:
        await audit(**entry)
        ended.set()

    stage.people.audit = noting  # type: ignore[method-assign]  # put in its place
    call = acd.PutQueue(acd_pb2.PutQueueRequest(), metadata=ADMINISTRATOR)
    async with asyncio.timeout(5):
        await begun.wait()
        call.cancel()
        await ended.wait()
    assert [entry.outcome for entry in stage.people.entries] == ["cancelled"]


async def test_who_hangs_up_and_asks_again_by_the_same_key_has_it_done_once(
    stage: Stage, channel: aio.Channel
) -> None:
    begun, gate, kept = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow(_request: Any) -> Any:
        begun.set()
        await gate.wait()

    remember = stage.people.remember

    async def noting(**answer: Any) -> None:
        await remember(**answer)
        kept.set()

    stage.people.remember = noting  # type: ignore[method-assign]  # put in its place
    stage.backend.waiting["/carillon.crm.v1.Crm/CreateCustomer"] = slow
    crm = crm_pb2_grpc.CrmStub(channel)
    metadata = (*ADMINISTRATOR, ("idempotency-key", "once"))
    request = crm_pb2.CreateCustomerRequest(customer=crm_pb2.Customer(name="Ada"))
    call = crm.CreateCustomer(request, metadata=metadata)
    async with asyncio.timeout(5):
        await begun.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        error = await refused(crm.CreateCustomer(request, metadata=metadata))
        assert remote_error(error).code == "in-progress"
        gate.set()
        await kept.wait()
    again = crm.CreateCustomer(request, metadata=metadata)
    await again
    assert "idempotency-replayed" in dict(await again.trailing_metadata() or ())
    assert len(stage.backend.calls) == 1
    outcomes = [entry.outcome for entry in stage.people.entries]
    assert sorted(outcomes) == ["in-progress", "ok", "ok"]


@pytest.mark.parametrize("why", ["token-expired", "not-authenticated", "not-allowed"])
async def test_who_may_no_longer_read_a_stream_reads_no_more_of_it(
    stage: Stage, channel: aio.Channel, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    monkeypatch.setattr(edge, "RIGHTS_CHECK_S", 0.02)
    ended = asyncio.Event()

    async def more(_request: Any) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    stage.backend.waiting["/carillon.acd.v1.Acd/WatchAgents"] = more
    acd = acd_pb2_grpc.AcdStub(channel)
    metadata = (("authorization", "Bearer supervisor"),)
    stream: Any = acd.WatchAgents(acd_pb2.WatchAgentsRequest(), metadata=metadata)
    await stream.read()
    stage.people.failure = Named(Kind.UNAVAILABLE)
    await asyncio.sleep(0.06)  # a few checks, which change nothing
    assert not ended.is_set()
    if why == "token-expired":
        stage.people.expired.add("supervisor")
    elif why == "not-authenticated":
        del stage.people.by_token["supervisor"]
    else:
        stage.people.by_token["supervisor"] = person("agent", who="supervisor")
    stage.people.failure = None
    async with asyncio.timeout(5):
        error = await refused(stream.read())
        await ended.wait()
    assert remote_error(error).code == why
    assert [entry.outcome for entry in stage.people.entries] == [why]


async def test_reflection_shows_what_is_for_outside(channel: aio.Channel) -> None:
    opened: Any = channel
    stub: Any = reflection_pb2_grpc.ServerReflectionStub(opened)
    asked = [reflection_pb2.ServerReflectionRequest(list_services="")]
    (answer,) = [each async for each in stub.ServerReflectionInfo(iter(asked))]
    names = {service.name for service in answer.list_services_response.service}
    assert {"carillon.acd.v1.Acd", "carillon.portal.v1.Desk", "grpc.health.v1.Health"} <= names
    pool = offered(REGISTRY)
    acd = pool.FindServiceByName("carillon.acd.v1.Acd").methods_by_name
    assert "PutQueue" in acd
    assert "Enqueue" not in acd
