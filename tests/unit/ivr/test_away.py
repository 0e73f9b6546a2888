"""Routing, customers and the database go away and come back; callers do not notice much."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from protos.acd.v1 import acd_pb2
from protos.crm.v1 import crm_pb2, crm_pb2_grpc
from protos.ivr.v1 import ivr_pb2, ivr_pb2_grpc
from services.chassis.database import DatabaseUnavailable
from services.chassis.rpc import Face, metadata, remote_error, tenant_id
from services.chassis.settings import load
from services.chassis.simulated import SimulatedWorld, simulate
from services.ivr.humming import Humming
from services.ivr.main import IvrService
from services.ivr.settings import IvrSettings
from services.ivr.stores import memory_stores
from tests.unit.ivr.gateway import CALL_ID, Acd, GatewayCall
from tests.unit.ivr.test_destinations import Wavering

DEMO = metadata(tenant_id="demo")
GONE = ivr_pb2.LegEnded(leg_id="l1", role=ivr_pb2.LEG_ROLE_CALLER, reason="hung-up")
FLOW = {
    "schema": 1,
    "name": "Main",
    "language": "en-us",
    "start": "begin",
    "nodes": {"begin": {"kind": "enqueue", "queue": "support"}},
    "default_treatment": {"say": "Sorry.", "hangup": True},
}
Story = Callable[["Stage"], Awaitable[None]]


if TYPE_CHECKING:  # most of its methods are nothing to these tests
    _Servicer = object
else:
    _Servicer = crm_pb2_grpc.CrmServicer


class Crm(_Servicer):
    """A crm whose answers are written by the test."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, crm_pb2.LookUpRequest]] = []
        self.pause_s = 0.0

    async def LookUp(self, request: crm_pb2.LookUpRequest, _context: object) -> Any:
        self.asked.append((tenant_id(), request))
        await asyncio.sleep(self.pause_s)
        customer = crm_pb2.Customer(customer_id="c1", name="Anna", segment="vip", language="de")
        return crm_pb2.CustomerCard(known=True, customer=customer, number=request.number)

    def face(self) -> Face:
        servicer: Any = self
        return Face(
            lambda server: crm_pb2_grpc.add_CrmServicer_to_server(servicer, server),
            "carillon.crm.v1.Crm",
        )


class Stage:
    """An ivr among others that come and go."""

    def __init__(self, world: SimulatedWorld) -> None:
        self.world, self.acd, self.crm = world, Acd(), Crm()
        self.store = Wavering()
        self.call = GatewayCall(world.dial("ivr"), patience_s=300)
        self.service = IvrService(
            world=world,
            settings=load(IvrSettings),
            stores=memory_stores(self.store),
            engine=Humming(),
        )

    async def prepare(self) -> None:
        self.world.exchange.serve("acd", self.acd.faces())
        self.world.exchange.serve("crm", [self.crm.face()])
        await self.service.start()
        self.world.exchange.serve("ivr", self.service.faces())
        ivr: Any = ivr_pb2_grpc.IvrStub(self.world.dial("ivr"))
        put = ivr_pb2.PutFlowRequest(flow_id="main", definition_json=json.dumps(FLOW))
        await ivr.PutFlow(put, metadata=DEMO)
        await ivr.PublishFlow(ivr_pb2.PublishFlowRequest(flow_id="main"), metadata=DEMO)
        number = ivr_pb2.Number(number="+49301", flow_id="main")
        await ivr.PutNumber(ivr_pb2.PutNumberRequest(number=number), metadata=DEMO)

    def lose_acd(self) -> None:
        self.world.exchange.kill("acd")

    def find_acd(self) -> None:
        """Another one: it has no streams, and knows what it was told before."""
        self.world.exchange.serve("acd", self.acd.faces())

    async def queued(self) -> str:
        """The call waits; its stay."""
        await self.call.invite()
        await self.call.until("play")
        entry: str = (await self.acd.heard("Enqueue")).entry_id
        await self.acd.say(entry, position=acd_pb2.EntryPosition(position=1, enqueued_at_ms=77))
        await self.call.step()
        return entry

    async def reserve(self, entry: str, number: int = 1, endpoint: str = "webrtc:") -> str:
        reserved = acd_pb2.EntryReserved(
            reservation_id=f"{entry}.{number}",
            agent_id="anna",
            endpoint=endpoint,
            ring_timeout_ms=20_000,
        )
        await self.acd.say(entry, reserved=reserved)
        assert (await self.call.until("ring_agent")).endpoint == endpoint
        return reserved.reservation_id

    async def talking(self) -> str:
        entry = await self.queued()
        ring_id = await self.reserve(entry)
        await self.acd.say(entry, accepted=acd_pb2.EntryAccepted(reservation_id=ring_id))
        assert (await self.call.until("bridge")).ring_id == ring_id
        await self.call.send(bridged=ivr_pb2.Bridged(ring_id=ring_id, leg_id="l2"))
        await self.call.step()
        await self.acd.heard("Bridged")
        return ring_id


def told(story: Story, tmp_path: Path) -> None:
    async def run(world: SimulatedWorld) -> None:
        stage = Stage(world)
        await stage.prepare()
        await story(stage)

    simulate(run, seed=1, folder=tmp_path)


def notes(call: GatewayCall, kind: str) -> list[ivr_pb2.Note]:
    """What the last step noted."""
    return [command.note for command in call.last.commands if command.note.kind == kind]


# ---- routing ----------------------------------------------------------------------------------


def test_an_agent_in_a_browser_is_rung_bridged_and_completed(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        ring_id = await stage.talking()
        assert stage.acd.all_of("RingConfirmed") == []
        assert stage.acd.all_of("Accept") == []
        await stage.call.send(leg_ended=GONE)
        await stage.call.until("hangup")
        assert (await stage.acd.heard("Complete")).reservation_id == ring_id

    told(story, tmp_path)


async def over_while_acd_is_away(stage: Stage) -> str:
    """A conversation whose end acd has not heard of; its ring."""
    ring_id = await stage.talking()
    stage.lose_acd()
    await stage.call.send(leg_ended=GONE)
    await stage.call.until("hangup")
    assert await stage.call.is_over()
    return ring_id


def test_a_conversation_that_ends_while_acd_is_away_is_completed_afterwards(
    tmp_path: Path,
) -> None:
    async def story(stage: Stage) -> None:
        ring_id = await over_while_acd_is_away(stage)
        await asyncio.sleep(15)
        assert stage.acd.all_of("Complete") == []
        stage.find_acd()
        complete = await stage.acd.heard("Complete")
        assert (complete.reservation_id, complete.ended_by) == (ring_id, "caller")

    told(story, tmp_path)


def test_a_drain_waits_for_what_is_still_to_be_told_of_calls_that_are_over(
    tmp_path: Path,
) -> None:
    async def story(stage: Stage) -> None:
        ring_id = await over_while_acd_is_away(stage)
        draining = asyncio.ensure_future(stage.service.drain())
        await asyncio.sleep(5)
        assert not draining.done()
        stage.find_acd()
        await draining
        assert [told.reservation_id for told in stage.acd.all_of("Complete")] == [ring_id]

    told(story, tmp_path)


def test_a_caller_who_leaves_while_acd_is_away_has_left_afterwards(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        entry = await stage.queued()
        stage.lose_acd()
        await stage.call.send(leg_ended=GONE)
        await stage.call.until("hangup")
        await asyncio.sleep(15)
        stage.find_acd()
        leave = await stage.acd.heard("Leave")
        assert (leave.entry_id, leave.exit) == (entry, "abandoned")

    told(story, tmp_path)


def test_a_bridge_that_is_made_while_acd_is_away_is_told_afterwards(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        entry = await stage.queued()
        ring_id = await stage.reserve(entry)
        await stage.acd.say(entry, accepted=acd_pb2.EntryAccepted(reservation_id=ring_id))
        await stage.call.until("bridge")
        stage.lose_acd()
        await stage.call.send(bridged=ivr_pb2.Bridged(ring_id=ring_id, leg_id="l2"))
        await stage.call.step()
        await asyncio.sleep(10)
        stage.find_acd()
        assert (await stage.acd.heard("Bridged")).reservation_id == ring_id

    told(story, tmp_path)


def test_a_caller_who_waits_keeps_waiting_while_acd_is_away(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        entry = await stage.queued()
        stage.lose_acd()
        await asyncio.sleep(12)
        asked = len(stage.acd.all_of("Enqueue"))
        stage.find_acd()
        again = await stage.acd.heard("Enqueue", asked + 1)
        assert again == stage.acd.all_of("Enqueue")[0]
        ring_id = await stage.reserve(entry)
        await stage.acd.say(entry, accepted=acd_pb2.EntryAccepted(reservation_id=ring_id))
        assert (await stage.call.until("bridge")).ring_id == ring_id
        kinds = {command.WhichOneof("body") for command in stage.call.commands}
        assert "hangup" not in kinds

    told(story, tmp_path)


def test_a_ring_that_acd_lost_is_rung_again_by_its_word(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        entry = await stage.queued()
        first = await stage.reserve(entry)
        stage.lose_acd()
        await asyncio.sleep(3)
        asked = len(stage.acd.all_of("Enqueue"))
        stage.find_acd()
        await stage.acd.heard("Enqueue", asked + 1)
        released = acd_pb2.EntryReleased(reservation_id=first, outcome="undelivered")
        await stage.acd.say(entry, released=released)
        assert (await stage.call.until("stop_ringing")).ring_id == first
        second = await stage.reserve(entry, 2)
        await stage.acd.say(entry, accepted=acd_pb2.EntryAccepted(reservation_id=second))
        assert (await stage.call.until("bridge")).ring_id == second

    told(story, tmp_path)


def test_a_new_caller_is_told_of_the_delay_and_queued_when_acd_is_back(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        stage.lose_acd()
        await stage.call.invite()
        await stage.call.until("play")
        await stage.call.step()
        (note,) = [command.note for command in stage.call.last.commands if command.HasField("note")]
        assert "takes a little longer" in note.values["text"]
        await stage.call.end_operation()
        assert stage.call.last.commands[-1].play.loop
        await asyncio.sleep(10)
        stage.find_acd()
        entry = (await stage.acd.heard("Enqueue")).entry_id
        await stage.acd.say(entry, position=acd_pb2.EntryPosition(position=1))
        await stage.reserve(entry)

    told(story, tmp_path)


def test_an_acd_that_takes_the_request_and_says_nothing_is_away_in_the_end(
    tmp_path: Path,
) -> None:
    async def story(stage: Stage) -> None:
        began_ms = stage.world.clock.now_ms()
        await stage.call.invite()
        await stage.acd.heard("Enqueue")
        while not notes(stage.call, "flow-failed"):
            if notes(stage.call, "queue-message"):
                await stage.call.end_operation()
            else:
                await stage.call.step()
        assert 30_000 <= stage.world.clock.now_ms() - began_ms < 35_000
        (failed,) = notes(stage.call, "flow-failed")
        assert failed.values["reason"] == "acd-away"
        leave = await stage.acd.heard("Leave")
        assert (leave.exit, leave.reason) == ("failed", "acd-away")

    told(story, tmp_path)


def test_an_agent_who_is_lost_for_good_gives_the_caller_back(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        ring_id = await stage.talking()
        lost = ivr_pb2.LegEnded(
            leg_id="l2",
            role=ivr_pb2.LEG_ROLE_AGENT,
            ring_id=ring_id,
            reason="connection-lost",
        )
        await stage.call.send(leg_ended=lost)
        await stage.call.step()
        complete = await stage.acd.heard("Complete")
        assert (complete.ended_by, complete.reason) == ("system", "connection-lost")
        first, second = stage.acd.all_of("Enqueue")[0], await stage.acd.heard("Enqueue", 2)
        assert first.entry_id != second.entry_id
        assert (first.waiting_since_ms, second.waiting_since_ms) == (0, 77)
        again = await stage.reserve(second.entry_id)
        await stage.acd.say(second.entry_id, accepted=acd_pb2.EntryAccepted(reservation_id=again))
        assert (await stage.call.until("bridge")).ring_id == again

    told(story, tmp_path)


# ---- customers --------------------------------------------------------------------------------


def test_the_agents_desk_gets_the_customer_with_the_contact(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.queued()
        attributes = dict(stage.acd.all_of("Enqueue")[0].attributes)
        assert attributes == {
            "caller": "+49171",
            "from": "+49171",
            "to": "+49301",
            "customer_id": "c1",
            "customer_name": "Anna",
            "customer_segment": "vip",
        }
        ((tenant, request),) = stage.crm.asked
        assert (tenant, request.number, request.region) == ("demo", "+49171", "DE")

    told(story, tmp_path)


@pytest.mark.parametrize("mood", ["slow", "away"])
def test_a_crm_that_does_not_answer_in_time_costs_no_more_than_its_limit(
    tmp_path: Path, mood: str
) -> None:
    async def story(stage: Stage) -> None:
        stage.crm.pause_s = 60
        if mood == "away":
            stage.world.exchange.kill("crm")
        began_ms = stage.world.clock.now_ms()
        await stage.call.invite()
        await stage.call.until("play")
        assert stage.world.clock.now_ms() - began_ms <= 310
        request = await stage.acd.heard("Enqueue")
        assert "customer_id" not in request.attributes

    told(story, tmp_path)


# ---- the database -----------------------------------------------------------------------------


def test_a_known_number_is_answered_while_the_database_is_away(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.call.invite()
        stage.store.mood = "stalled"
        await asyncio.sleep(5)
        second = GatewayCall(stage.world.dial("ivr"), CALL_ID.replace("1", "2"), patience_s=60)
        began_ms = stage.world.clock.now_ms()
        await second.invite()
        await second.until("play")
        assert stage.world.clock.now_ms() - began_ms < 1_000

    told(story, tmp_path)


@pytest.mark.parametrize("mood", ["away", "stalled"])
def test_a_number_that_cannot_be_looked_up_is_left_to_the_gateway_to_refuse(
    tmp_path: Path, mood: str
) -> None:
    async def story(stage: Stage) -> None:
        stage.store.mood = mood
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await stage.call.invite()
        assert refusal.value.code() is grpc.StatusCode.UNAVAILABLE
        expected = DatabaseUnavailable.code if mood == "away" else "numbers-unavailable"
        assert remote_error(refusal.value).code == expected

    told(story, tmp_path)
