"""Whole stories in virtual time: the real ivr and the real acd, and a gateway that obeys."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from protos.acd.v1 import acd_pb2, acd_pb2_grpc, config_pb2
from protos.ivr.v1 import ivr_pb2, ivr_pb2_grpc
from services.acd import main as acd
from services.chassis.rpc import metadata
from services.chassis.simulated import SimulatedWorld, simulate
from services.ivr.humming import Humming
from services.ivr.main import IvrService
from services.ivr.settings import IvrSettings
from services.ivr.store import MemoryFlowStore
from services.ivr.stores import memory_stores
from tests.unit.ivr.gateway import GatewayCall

DEMO = metadata(tenant_id="demo")
CALLER = ivr_pb2.LegView(leg_id="l1", role=ivr_pb2.LEG_ROLE_CALLER, state="answered")
MENU = Path("services/launcher/main-menu.json").read_text()
GONE = ivr_pb2.LegEnded(leg_id="l1", role=ivr_pb2.LEG_ROLE_CALLER, reason="hung-up")


async def serve_ivr(world: SimulatedWorld, store: MemoryFlowStore) -> IvrService:
    settings = IvrSettings(queue_limit_s=10, effect_limit_s=10, render_limit_s=1, warm_limit_s=3)
    service = IvrService(
        world=world, settings=settings, stores=memory_stores(store), engine=Humming()
    )
    await service.start()
    world.exchange.serve("ivr", service.faces())
    return service


async def prepared(world: SimulatedWorld) -> tuple[MemoryFlowStore, Any]:
    """A queue with one agent who is away, and the demonstration's menu on a number."""
    store = MemoryFlowStore()
    await serve_ivr(world, store)
    routing = acd.build(world)
    await routing.start()
    world.exchange.serve("acd", routing.faces())
    desk: Any = acd_pb2_grpc.AcdStub(world.dial("acd"))
    for queue_id in ("sales", "support"):
        queue = config_pb2.QueueConfig(queue_id=queue_id, assumed_handle_s=60)
        await desk.PutQueue(acd_pb2.PutQueueRequest(queue=queue), metadata=DEMO)
    agent = config_pb2.AgentConfig(
        agent_id="anna",
        endpoint="sip:anna@127.0.0.1",
        queues=[config_pb2.QueueMembership(queue_id=queue_id) for queue_id in ("sales", "support")],
    )
    await desk.PutAgent(acd_pb2.PutAgentRequest(agent=agent), metadata=DEMO)
    flows: Any = ivr_pb2_grpc.IvrStub(world.dial("ivr"))
    put = ivr_pb2.PutFlowRequest(flow_id="main", definition_json=MENU)
    await flows.PutFlow(put, metadata=DEMO)
    await flows.PublishFlow(ivr_pb2.PublishFlowRequest(flow_id="main"), metadata=DEMO)
    number = ivr_pb2.PutNumberRequest(number=ivr_pb2.Number(number="100", flow_id="main"))
    await flows.PutNumber(number, metadata=DEMO)
    return store, desk


async def agent_ready(desk: Any) -> None:
    link = acd_pb2.ReportLinkRequest(agent_id="anna", link="reachable")
    await desk.ReportLink(link, metadata=DEMO)
    ready = acd_pb2.SetPresenceRequest(agent_id="anna", presence="ready")
    await desk.SetPresence(ready, metadata=DEMO)


async def becomes(desk: Any, *states: str) -> None:
    """Waits until the agent is in one of these states: acd is told after the step has left."""
    request = acd_pb2.WatchAgentsRequest(agent_ids=["anna"])
    views = desk.WatchAgents(request, metadata=DEMO)
    async with asyncio.timeout(5):
        async for view in views:
            if view.state in states:
                break
    views.cancel()


async def waiting(world: SimulatedWorld) -> GatewayCall:
    call = GatewayCall(world.dial("ivr"), patience_s=120)
    await call.invite("100")
    for _ in range(10):
        if call.kinds[-1:] == ["gather"]:
            break
        await call.end_operation()
    await call.end_operation("2")
    while notes(call, "queue-joined") == []:
        await call.end_operation()
    return call


def notes(call: GatewayCall, kind: str) -> list[dict[str, str]]:
    return [dict(command.note.values) for command in call.commands if command.note.kind == kind]


async def talk(call: GatewayCall, desk: Any) -> str:
    ring = await call.until("ring_agent")
    ring_id = ring.reservation_id
    await call.send(leg_ringing=ivr_pb2.LegRinging(ring_id=ring_id, leg_id="l2"))
    await call.send(leg_answered=ivr_pb2.LegAnswered(ring_id=ring_id, leg_id="l2"))
    await call.until("bridge")
    await call.send(bridged=ivr_pb2.Bridged(ring_id=ring_id, leg_id="l2"))
    await call.step()
    await becomes(desk, "talking")
    return str(ring_id)


def test_a_call_is_queued_told_its_place_answered_and_completed(tmp_path: Path) -> None:
    async def story(world: SimulatedWorld) -> None:
        _, desk = await prepared(world)
        call = await waiting(world)
        while not notes(call, "queue-message"):
            await call.step()
        (said,) = notes(call, "queue-message")
        assert "number 1 in the queue" in said["text"]
        await agent_ready(desk)
        await talk(call, desk)
        await call.send(leg_ended=GONE)
        await call.until("hangup")
        assert await call.is_over()
        await becomes(desk, "wrap_up", "ready")

    simulate(story, seed=1, folder=tmp_path)


def test_a_caller_keeps_the_place_when_ivr_is_killed_and_is_answered_by_another(
    tmp_path: Path,
) -> None:
    async def story(world: SimulatedWorld) -> None:
        store, desk = await prepared(world)
        call = await waiting(world)
        while not notes(call, "queue-message"):
            await call.step()
        world.exchange.kill("ivr")
        await serve_ivr(world, store)
        await call.resume([CALLER], operation=call.operation)
        assert len(notes(call, "queue-joined")) == 1
        await agent_ready(desk)
        ring_id = await talk(call, desk)
        entry_id = notes(call, "queue-joined")[0]["entry"]
        assert ring_id.startswith(entry_id)
        ended = ivr_pb2.LegEnded(leg_id="l2", role=ivr_pb2.LEG_ROLE_AGENT, ring_id=ring_id)
        await call.send(leg_ended=ended)
        hangup = await call.until("hangup")
        assert hangup.termination.reason == "agent-left"

    simulate(story, seed=2, folder=tmp_path)


def test_a_caller_waits_on_after_an_agent_who_does_not_answer(tmp_path: Path) -> None:
    async def story(world: SimulatedWorld) -> None:
        _, desk = await prepared(world)
        call = await waiting(world)
        await agent_ready(desk)
        ring = await call.until("ring_agent")
        failed = ivr_pb2.LegFailed(
            ring_id=ring.reservation_id, outcome=ivr_pb2.LegFailed.OUTCOME_BUSY
        )
        await call.send(leg_failed=failed)
        await call.step()
        # Busy rests the agent for a minute; then she is rung again for the same stay.
        again = await call.until("ring_agent")
        while again.reservation_id == ring.reservation_id:
            await call.step()
            again = await call.until("ring_agent")
        assert again.reservation_id.split(".")[0] == ring.reservation_id.split(".")[0]

    simulate(story, seed=3, folder=tmp_path)
