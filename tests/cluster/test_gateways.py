"""Gateways behind the edge: one that drains keeps its calls, of one that dies nothing hangs."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from media_gateway.facts.publisher import TOPIC
from protos.gateway.v1 import gateway_pb2
from protos.gateway.v1.events_pb2 import CallFact
from protos.gateway.v1.gateway_pb2_grpc import GatewayStub
from services.chassis.bus_kafka import KafkaBus
from services.chassis.bus_kafka_address import KafkaAddress
from services.chassis.rpc import PLATFORM, metadata
from tests.cluster.conftest import Everyone
from tests.softphone.incoming import Answer, IncomingCall
from tests.softphone.outgoing import OutgoingCall
from tests.stage.asking import eventually

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]

FREE_WITHIN_S = 30.0
"""15 seconds, and as many again for a machine that others keep busy."""


@dataclass(frozen=True, slots=True)
class Talk:
    """A caller and an agent who talk."""

    caller: OutgoingCall
    leg: IncomingCall
    agent_id: str
    call_id: str

    async def both_hear(self, hz: float) -> None:
        """The caller's tone is heard by the agent, and another one by the caller."""
        self.caller.play_tone(hz)
        self.leg.play_tone(hz + 300)
        await self.leg.hears_tone(hz, 5)
        await self.caller.hears_tone(hz + 300, 5)


@pytest_asyncio.fixture(loop_scope="session")
async def talking(stage: Everyone) -> dict[str, Talk]:
    """A conversation on each gateway, by the gateway's process."""
    found: dict[str, Talk] = {}
    spare: list[OutgoingCall] = []
    for number in range(6):
        before = await calls_by_gateway(stage)
        agent_id, phone = await stage.phone_agent(f"agent{number}", Answer(ring_s=0.1))
        caller = await stage.in_queue()
        leg = await phone.incoming(15)
        await leg.answered(5)
        after = await calls_by_gateway(stage)
        ((name, call_id),) = [(n, new) for n in after for new in after[n] - before[n]]
        if name in found:
            spare.append(caller)
        found.setdefault(name, Talk(caller, leg, agent_id, call_id))
        if len(found) == 2:
            break
    for caller in spare:
        await caller.hangup()
    assert len(found) == 2, "the edge gives one gateway all calls"
    return found


async def calls_by_gateway(stage: Everyone) -> dict[str, set[str]]:
    """The calls that each gateway which runs carries."""
    carillon = stage.carillon
    found = {}
    for each in carillon.replicas.of("gateway"):
        if not carillon.cluster.programs[each.name].is_running:
            continue
        gateway = GatewayStub(carillon.replicas.channel(each.name))
        answer = await gateway.ListCalls(
            gateway_pb2.ListCallsRequest(), metadata=metadata(tenant_id=PLATFORM)
        )
        found[each.name] = {call.call_id for call in answer.calls}
    return found


async def test_a_gateway_that_drains_keeps_its_calls_and_gets_no_new_ones(
    stage: Everyone, talking: dict[str, Talk]
) -> None:
    carillon = stage.carillon
    carried = await calls_by_gateway(stage)
    draining = asyncio.ensure_future(carillon.cluster.programs["gateway-1"].stop(wait_s=120))
    try:
        await eventually(
            lambda: takes(stage, "gateway-1"), lambda takes: not takes, 10, "the edge's new list"
        )
        for number in range(6):
            call = await new_call(stage, f"later{number}")
            after = await calls_by_gateway(stage)
            assert after["gateway-1"] == carried["gateway-1"]
            await call.hangup()
        for number, talk in enumerate(talking.values()):
            await talk.both_hear(440 + 100 * number)
        assert not draining.done()
        await talking["gateway-1"].caller.hangup()
        assert await draining == 0
    finally:
        draining.cancel()
        await asyncio.wait((draining,))
    await talking["gateway-2"].both_hear(697)
    await carillon.start("gateway-1")
    await talking["gateway-2"].caller.hangup()
    await stage.until_quiet()


async def test_of_a_gateway_that_is_killed_nothing_hangs(
    stage: Everyone, talking: dict[str, Talk]
) -> None:
    carillon, lost = stage.carillon, talking["gateway-2"]
    call_id = lost.call_id
    killed_s = time.monotonic()
    await carillon.kill("gateway-2")
    # Callers come in at once, by the other gateway.
    call = await new_call(stage, "meanwhile")
    await talking["gateway-1"].both_hear(440)
    await stage.agents.becomes(lost.agent_id, "wrap_up", FREE_WITHIN_S)
    print(f"the agent was free {time.monotonic() - killed_s:.1f} s after the gateway was killed")
    await carillon.start("gateway-2")
    assert (await end_of(stage, call_id)).call_ended.termination.reason == "gateway-lost"

    async def recording() -> dict[str, Any]:
        path = f"/v1/recordings/{call_id}"
        return await stage.tenant.admin.get(path)

    kept = await eventually(
        recording, lambda told: told["state"] in ("complete", "incomplete"), 30, "the recording"
    )
    assert "gateway-lost" in {gap["reason"] for gap in kept["gaps"]}
    verified = await stage.tenant.admin.get(f"/v1/recordings/{call_id}:verify")
    assert verified["intact"], verified
    # It takes calls again.
    await eventually(lambda: takes(stage, "gateway-2"), bool, 15, "the edge's new list")
    await call.hangup()
    await talking["gateway-1"].caller.hangup()
    await stage.until_quiet()


async def new_call(stage: Everyone, username: str) -> OutgoingCall:
    """A caller who comes in, and hears the menu."""
    phone = await stage.phone(username)
    call = await stage.dial(phone=phone)
    await call.answered(10)
    await call.hears_audio(10)
    return call


async def takes(stage: Everyone, name: str) -> bool:
    """Whether the edge gives new calls to a gateway."""
    sip = stage.carillon.replicas.members[name].ports["sip"]
    kamailio = stage.carillon.cluster.kamailio
    assert kamailio is not None
    lines = [line.split() for line in (kamailio.folder / "gateways.list").read_text().splitlines()]
    return any(where.endswith(f":{sip}") and flags == "0" for _, where, flags, *_ in lines)


async def end_of(stage: Everyone, call_id: str) -> CallFact:
    """The end of a call, as the bus tells it."""
    kafka = stage.carillon.cluster.kafka
    assert kafka is not None
    address = KafkaAddress(brokers=(kafka.address,), replication=1, min_in_sync=1)
    bus = KafkaBus(address, name="looker-on")
    try:
        async with (
            bus.consumer(group=f"looker-on-{call_id}", topics=[TOPIC]) as consumer,
            asyncio.timeout(30),
        ):
            while True:
                batch = await consumer.fetch(wait_s=1)
                for event in batch.events if batch else ():
                    fact = CallFact.FromString(event.payload)
                    if fact.call_id == call_id and fact.HasField("call_ended"):
                        return fact
    finally:
        await bus.close()
