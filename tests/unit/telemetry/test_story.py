"""What services tell of a call as its steps end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.wrappers_pb2 import StringValue
from grpc import aio

from services.acd import model
from services.acd.model import Outcome
from services.chassis import request, spans
from services.chassis.rpc import RpcServer, open_channel
from services.chassis.trace import trace_id
from services.ivr.core.turn import Outcome as Turned
from services.ivr.model import actions
from services.ivr.story import tell_step
from tests.stage.collector import Collector, SeenSpan, collecting
from tests.unit.acd.house import DEMO, House, Q, furnish, ready, virtually
from tests.unit.chassis.echo import Echo, EchoStub, face
from tests.unit.ivr.calls import CALL_ID, HANGUP, Talk, flow_of

CALL = "0198c0de-0000-7000-8000-000000000001"
SERVICES = ("acd", "ivr", "echo")


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    async with collecting() as made:
        spans.configure(services=SERVICES, endpoint=made.endpoint)
        yield made
        await asyncio.to_thread(spans.close)


async def told(collector: Collector, service: str, call_id: str) -> list[SeenSpan]:
    await asyncio.to_thread(spans.close)
    return await collector.until({f"carillon-{service}"}, trace_id(call_id), 5)


async def test_a_step_of_a_flow_is_named_by_what_it_does(collector: Collector) -> None:
    at = Talk(flow_of({"begin": HANGUP})).last.checkpoint
    play = actions.PlayPrompts("o1", ())
    note = actions.Note("node-entered", ())
    join = actions.AcceptReservation("r", "anna")
    for commands, effects in (
        ((note, actions.AnswerCall(), play), ()),
        ((), (join,)),
        ((note,), ()),
    ):
        outcome = Turned(at, commands, effects)
        tell_step(outcome, cause="LegAnswered", from_ms=1_000, to_ms=1_010)
    found = await told(collector, "ivr", CALL_ID)
    assert sorted((span.name, span.attributes["did"]) for span in found) == [
        ("step", ""),
        ("step accept", "accept"),
        ("step play", "play, answer"),
    ]
    assert {(span.took_ms, span.attributes["event"]) for span in found} == {(10, "LegAnswered")}


async def test_waiting_and_each_ring_are_steps_of_routing(collector: Collector) -> None:
    async def story(house: House) -> None:
        shards = house.shards()
        shard = await shards.of(DEMO)
        await furnish(shard)
        enqueue = model.EnqueueContact(model.EntryId("e"), model.ContactId(CALL), Q)
        await shard.submit(enqueue)
        await asyncio.sleep(4)
        await ready(shard)
        (row,) = (await shard.agent(model.AgentId("anna"))).work
        end = model.EndReservation(row.reservation_id, Outcome.REJECT)
        await asyncio.sleep(1)
        await shard.submit(end)
        await asyncio.sleep(2)
        await shard.submit(model.LeaveQueue(model.EntryId("e"), model.Exit.ABANDONED))
        await shards.close()

    await asyncio.to_thread(virtually, story)
    found = [s for s in await told(collector, "acd", CALL) if not s.name.startswith("publish ")]
    assert [(span.name, round(span.took_ms, -3), span.attributes["outcome"]) for span in found] == [
        ("wait", 4_000, "reserved"),
        ("ring", 1_000, "reject"),
        ("wait", 2_000, "abandoned"),
    ]


class Late(Echo):
    """Finds out on its way which call is meant."""

    async def Say(
        self, message: StringValue, context: aio.ServicerContext[Any, Any]
    ) -> StringValue:
        request.concern(CALL)
        return await super().Say(message, context)


async def test_a_request_that_finds_out_its_call_is_a_step_of_it(
    collector: Collector, tmp_path: Path
) -> None:
    server = RpcServer(path=tmp_path / "echo.sock", faces=[face(Late())])
    await server.start()
    channel = open_channel(tmp_path / "echo.sock")
    answer = await EchoStub(channel).Say(StringValue(value="call"))
    assert answer.value == CALL
    await channel.close()
    await server.stop()
    (span,) = await told(collector, "echo", CALL)
    assert (span.name, span.parent) == ("Say", trace_id(CALL)[:16])
