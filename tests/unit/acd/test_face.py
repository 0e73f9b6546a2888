"""acd's face over a real unix socket: what a flow, a desk and an administrator see of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from grpc import aio

from protos.acd.v1 import acd_pb2, config_pb2
from services.acd.main import build
from services.chassis.bus import MemoryBus
from services.chassis.errors import Kind, RemoteError
from services.chassis.lifecycle import Measured
from services.chassis.rpc import metadata, remote_errors
from services.chassis.world import local_world

if TYPE_CHECKING:  # the stubs know this name, the generated module does not
    from protos.acd.v1.acd_pb2_grpc import AcdAsyncStub

DEMO = metadata(tenant_id="demo")
OTHER = metadata(tenant_id="other")

Updates = aio.UnaryStreamCall["acd_pb2.EnqueueRequest", "acd_pb2.EntryUpdate"]


async def ready(acd: AcdAsyncStub) -> None:
    link = acd_pb2.ReportLinkRequest(agent_id="anna", link="reachable")
    await acd.ReportLink(link, metadata=DEMO)
    request = acd_pb2.SetPresenceRequest(agent_id="anna", presence="ready")
    view = await acd.SetPresence(request, metadata=DEMO)
    assert view.presence == "ready"


def enqueue(acd: AcdAsyncStub, entry_id: str = "e1") -> Updates:
    request = acd_pb2.EnqueueRequest(entry_id=entry_id, queue_id="sales", call_id="c1")
    return acd.Enqueue(request, metadata=DEMO)


async def following(stream: Updates, body: str) -> acd_pb2.EntryUpdate:
    """The next update of a kind."""
    async with asyncio.timeout(5):
        async for update in stream:
            if update.WhichOneof("body") == body:
                return update
    raise AssertionError(f"the stream ended without {body}")


def on(reservation_id: str) -> acd_pb2.ReservationRequest:
    return acd_pb2.ReservationRequest(reservation_id=reservation_id, agent_id="anna")


async def refused(call: Awaitable[object]) -> RemoteError:
    with pytest.raises(RemoteError) as caught, remote_errors():
        await call
    return caught.value


async def test_a_contact_from_the_queue_to_the_end_of_wrap_up(acd: AcdAsyncStub) -> None:
    # On a leg of her own, the agent is there and not free: somebody waits for her.
    own_leg = acd_pb2.AgentLegRequest(agent_id="anna", leg_id="own")
    await ready(acd)
    await acd.StartAgentLeg(own_leg, metadata=DEMO)
    stream = enqueue(acd)
    position = (await following(stream, "position")).position
    assert position.position == 1
    assert (position.expected.basis, position.expected.sample) == ("assumed", 0)
    assert position.announced_s >= position.expected.p50_s
    told = await acd.AnnounceWait(acd_pb2.EntryRequest(entry_id="e1"), metadata=DEMO)
    assert told.announced_s % 30 == 0
    assert told.announced_s == position.announced_s
    await acd.EndAgentLeg(own_leg, metadata=DEMO)
    reserved = (await following(stream, "reserved")).reserved
    assert (reserved.agent_id, reserved.agent_name) == ("anna", "Anna")
    assert reserved.endpoint == "sip:anna@127.0.0.1:5070"
    assert (await acd.RingConfirmed(on(reserved.reservation_id), metadata=DEMO)).stage == "ringing"
    assert (await acd.Accept(on(reserved.reservation_id), metadata=DEMO)).stage == "connecting"
    await following(stream, "accepted")
    assert (await acd.Bridged(on(reserved.reservation_id), metadata=DEMO)).stage == "bridged"
    assert (await following(stream, "left")).left.exit == "answered"
    receipt = await acd.Explain(acd_pb2.EntryRequest(entry_id="e1"), metadata=DEMO)
    assert (receipt.winner, receipt.candidate_count) == ("anna", 1)
    done = acd_pb2.CompleteRequest(reservation_id=reserved.reservation_id, ended_by="caller")
    await acd.Complete(done, metadata=DEMO)
    view = await acd.GetAgent(acd_pb2.AgentRequest(agent_id="anna"), metadata=DEMO)
    assert view.state == "wrap_up"
    finish = acd_pb2.FinishWrapUpRequest(reservation_id=reserved.reservation_id, code="sold")
    assert (await acd.FinishWrapUp(finish, metadata=DEMO)).state == "ready"
    # Who never heard that it was taken says it again.
    assert (await acd.Complete(done, metadata=DEMO)).stage == "ended"


async def test_a_conversation_outlives_the_memory_of_its_wait(
    acd: AcdAsyncStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.acd.core.state.EXITS_REMEMBERED", 1)
    await ready(acd)
    stream = enqueue(acd)
    held = on((await following(stream, "reserved")).reserved.reservation_id)
    await acd.Accept(held, metadata=DEMO)
    await acd.Bridged(held, metadata=DEMO)
    await following(enqueue(acd, "e2"), "position")
    await acd.Leave(acd_pb2.LeaveRequest(entry_id="e2", exit="abandoned"), metadata=DEMO)
    gone = await refused(acd.GetEntry(acd_pb2.EntryRequest(entry_id="e1"), metadata=DEMO))
    assert gone.code == "no-such-entry"
    hold = acd_pb2.SetHoldRequest(reservation_id=held.reservation_id, held=True)
    answer = await acd.SetHold(hold, metadata=DEMO)
    assert (answer.entry_id, answer.agent_id, answer.stage) == ("e1", "anna", "bridged")
    done = acd_pb2.CompleteRequest(reservation_id=held.reservation_id, ended_by="caller")
    assert (await acd.Complete(done, metadata=DEMO)).stage == "bridged"
    code = acd_pb2.SetWrapUpCodeRequest(reservation_id=held.reservation_id, code="sold")
    assert (await acd.SetWrapUpCode(code, metadata=DEMO)).agent_id == "anna"
    finish = acd_pb2.FinishWrapUpRequest(reservation_id=held.reservation_id)
    assert (await acd.FinishWrapUp(finish, metadata=DEMO)).state == "ready"


async def test_asking_again_continues_on_the_new_stream(acd: AcdAsyncStub) -> None:
    first = enqueue(acd)
    await following(first, "position")
    await ready(acd)
    reserved = (await following(first, "reserved")).reserved
    second = enqueue(acd)
    again = (await following(second, "reserved")).reserved
    assert again.reservation_id == reserved.reservation_id
    error = await refused(following(first, "left"))
    assert (error.code, error.kind) == ("superseded", Kind.ABORTED)
    end = acd_pb2.EndReservationRequest(reservation_id=reserved.reservation_id, outcome="reject")
    ended = await acd.EndReservation(end, metadata=DEMO)
    assert (ended.entry_id, ended.stage, ended.outcome) == ("e1", "ended", "reject")
    assert (await following(second, "released")).released.outcome == "reject"


async def test_a_lost_stream_keeps_the_place_and_reserves_nobody(acd: AcdAsyncStub) -> None:
    stream = enqueue(acd)
    since = (await following(stream, "position")).position.enqueued_at_ms
    stream.cancel()
    entry = acd_pb2.EntryRequest(entry_id="e1")
    async with asyncio.timeout(5):
        while True:
            view = await acd.GetEntry(entry, metadata=DEMO)
            if view.stage == "detached":
                break
    await ready(acd)
    assert (await acd.GetEntry(entry, metadata=DEMO)).stage == "detached"
    back = enqueue(acd)
    assert (await following(back, "reserved")).reserved.agent_id == "anna"
    view = await acd.GetEntry(entry, metadata=DEMO)
    assert view.contact.enqueued_at_ms == since


async def test_positions_move_up_when_somebody_leaves(acd: AcdAsyncStub) -> None:
    first, second = enqueue(acd, "e1"), None
    await following(first, "position")
    second = enqueue(acd, "e2")
    assert (await following(second, "position")).position.position == 2
    leave = acd_pb2.LeaveRequest(entry_id="e1", exit="abandoned")
    assert (await acd.Leave(leave, metadata=DEMO)).exit == "abandoned"
    async with asyncio.timeout(5):
        while (await following(second, "position")).position.position != 1:
            pass
    assert (await following(first, "left")).left.exit == "abandoned"


async def test_tenants_do_not_see_each_other(acd: AcdAsyncStub) -> None:
    error = await refused(acd.GetQueue(acd_pb2.QueueRequest(queue_id="sales"), metadata=OTHER))
    assert (error.code, error.kind) == ("no-such-queue", Kind.NOT_FOUND)
    assert not (await acd.ListAgents(acd_pb2.ListAgentsRequest(), metadata=OTHER)).agents
    stream = enqueue(acd)
    await following(stream, "position")
    error = await refused(acd.GetEntry(acd_pb2.EntryRequest(entry_id="e1"), metadata=OTHER))
    assert error.code == "no-such-entry"


async def test_a_request_without_a_tenant_is_refused(acd: AcdAsyncStub) -> None:
    error = await refused(acd.GetQueue(acd_pb2.QueueRequest(queue_id="sales")))
    assert (error.code, error.kind) == ("missing-tenant", Kind.UNAUTHENTICATED)


async def test_a_wrong_word_is_refused_with_those_that_are_right(acd: AcdAsyncStub) -> None:
    request = acd_pb2.SetPresenceRequest(agent_id="anna", presence="lunch")
    error = await refused(acd.SetPresence(request, metadata=DEMO))
    assert (error.code, error.kind) == ("unknown-word", Kind.INVALID)
    assert "ready, break, signed_out" in error.message


async def test_lists_are_paged(acd: AcdAsyncStub) -> None:
    for index in range(5):
        agent = config_pb2.AgentConfig(agent_id=f"a{index}")
        await acd.PutAgent(acd_pb2.PutAgentRequest(agent=agent), metadata=DEMO)
    seen: list[str] = []
    request = acd_pb2.ListAgentsRequest()
    request.page.size = 2
    while True:
        answer = await acd.ListAgents(request, metadata=DEMO)
        seen += [view.agent_id for view in answer.agents]
        if not answer.page.next_token:
            break
        request.page.token = answer.page.next_token
        # Who goes between two pages takes nobody after them along.
        await acd.RemoveAgent(acd_pb2.AgentRequest(agent_id=seen[-1]), metadata=DEMO)
    assert seen == ["a0", "a1", "a2", "a3", "a4", "anna"]
    request.page.size = 501
    error = await refused(acd.ListAgents(request, metadata=DEMO))
    assert (error.code, error.kind) == ("bad-page", Kind.INVALID)


async def test_watching_agents_tells_the_present_and_every_change(acd: AcdAsyncStub) -> None:
    stream = acd.WatchAgents(acd_pb2.WatchAgentsRequest(agent_ids=["anna"]), metadata=DEMO)
    seen = []
    async with asyncio.timeout(5):
        async for view in stream:
            seen.append(view.state)
            if len(seen) == 1:
                await ready(acd)
            if view.state == "ready":
                break
    assert seen[0] == "signed_out"
    assert seen[-1] == "ready"


async def test_a_service_shows_figures_of_itself(tmp_path: Path) -> None:
    real = local_world(var_dir=tmp_path)
    service = build(replace(real, database=lambda _schema: None, bus=MemoryBus()))
    assert isinstance(service, Measured)
    values = {reading.name: reading.value for reading in service.readings()}
    assert values["carillon_acd_shards"] == values["carillon_acd_rows_total"] == 0
    assert all(name.startswith("carillon_acd_") for name in values)
