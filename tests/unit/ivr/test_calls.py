"""Calls over a real unix socket: what gateways and acd see of ivr."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import grpc
import pytest
import pytest_asyncio

from protos.acd.v1 import acd_pb2
from protos.common.v1 import common_pb2
from protos.ivr.v1 import ivr_pb2, ivr_pb2_grpc
from services.chassis.errors import CarillonError, Kind
from services.chassis.ids import TenantId
from services.chassis.lifecycle import Running
from services.chassis.rpc import metadata
from services.chassis.world import World, local_world
from services.ivr.main import IvrService
from services.ivr.rpc_calls import spellings
from services.ivr.settings import IvrSettings
from services.ivr.store import MemoryFlowStore
from services.ivr.store_tenants import TenantStore, Terms
from services.ivr.stores import memory_stores
from tests.unit.ivr.gateway import CALL_ID, Acd, GatewayCall, Tone

DEMO = metadata(tenant_id="demo")
FLOW = {
    "schema": 1,
    "name": "Main",
    "language": "en-us",
    "start": "menu",
    "variables": {"wish": "none"},
    "nodes": {
        "menu": {
            "kind": "menu",
            "prompts": ["Press 1."],
            "choices": {"1": "queue", "2": "bye"},
            "on_timeout": "bye",
        },
        "queue": {
            "kind": "enqueue",
            "queue": "support",
            "skills": {"german": 3},
            "attributes": {"wish": "{wish}"},
            "leave_key": "*",
            "on_leave": "bye",
        },
        "bye": {"kind": "say", "text": "Goodbye {caller}.", "next": "end"},
        "end": {"kind": "hangup"},
    },
    "default_treatment": {"say": "Sorry.", "hangup": True},
}


class Gone(CarillonError):
    code: ClassVar[str] = "no-such-reservation"
    kind: ClassVar[Kind] = Kind.NOT_FOUND


class Closed(CarillonError):
    code: ClassVar[str] = "no-such-queue"
    kind: ClassVar[Kind] = Kind.NOT_FOUND


class Busy(CarillonError):
    code: ClassVar[str] = "leaving"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


@dataclass
class Stage:
    world: World
    running: Running
    acd: Acd
    voice: Tone
    store: MemoryFlowStore
    tenants: TenantStore
    ivr: Any

    def call(self, call_id: str = CALL_ID) -> GatewayCall:
        return GatewayCall(self.world.dial("ivr"), call_id)


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    world = local_world(var_dir=tmp_path)
    acd, voice, store = Acd(), Tone(), MemoryFlowStore()
    stores = memory_stores(store)
    settings = IvrSettings(queue_limit_s=0.3, effect_limit_s=0.3, render_limit_s=5, warm_limit_s=4)
    service = IvrService(world=world, settings=settings, stores=stores, engine=voice)
    running = Running([acd, service], world)
    await running.start()
    ivr: Any = ivr_pb2_grpc.IvrStub(world.dial("ivr"))
    stage = Stage(world, running, acd, voice, store, stores.tenants, ivr)
    put = ivr_pb2.PutFlowRequest(flow_id="main", definition_json=json.dumps(FLOW))
    await ivr.PutFlow(put, metadata=DEMO)
    await ivr.PublishFlow(ivr_pb2.PublishFlowRequest(flow_id="main"), metadata=DEMO)
    number = ivr_pb2.Number(number="+49301", flow_id="main")
    await ivr.PutNumber(ivr_pb2.PutNumberRequest(number=number), metadata=DEMO)
    yield stage
    await running.drain(5)
    await running.stop()


async def queued(stage: Stage) -> GatewayCall:
    call = stage.call()
    await call.invite()
    await call.end_operation("1")
    await call.until("gather")  # the music; the customer may have been waited for before
    request = await stage.acd.heard("Enqueue")
    await stage.acd.say(request.entry_id, position=acd_pb2.EntryPosition(position=2))
    return call


async def ringing(stage: Stage) -> GatewayCall:
    call = await queued(stage)
    entry_id = stage.acd.all_of("Enqueue")[-1].entry_id
    reserved = acd_pb2.EntryReserved(
        reservation_id=f"{entry_id}.1",
        agent_id="anna",
        endpoint="sip:anna@x",
        ring_timeout_ms=20_000,
    )
    await stage.acd.say(entry_id, reserved=reserved)
    await call.until("ring_agent")
    return call


async def talking(stage: Stage) -> GatewayCall:
    call = await ringing(stage)
    entry_id = stage.acd.all_of("Enqueue")[-1].entry_id
    ring_id = f"{entry_id}.1"
    await call.send(leg_ringing=ivr_pb2.LegRinging(ring_id=ring_id, leg_id="l2"))
    await call.send(leg_answered=ivr_pb2.LegAnswered(ring_id=ring_id, leg_id="l2"))
    await stage.acd.heard("Accept")
    accepted = acd_pb2.EntryAccepted(reservation_id=ring_id, agent_id="anna")
    await stage.acd.say(entry_id, accepted=accepted)
    assert (await call.until("bridge")).ring_id == ring_id
    await call.send(bridged=ivr_pb2.Bridged(ring_id=ring_id, leg_id="l2"))
    await call.step()
    return call


async def test_a_call_hears_the_menu_as_a_blob_and_ends_by_its_key(stage: Stage) -> None:
    call = stage.call()
    step = await call.invite()
    assert call.kinds == ["answer", "gather"]
    assert step.tenant_id == "demo"
    assert step.consumed_seq == 1
    gather = step.commands[-1].gather
    assert (await stage.world.blobs.get(gather.prompts[0].sha256)).startswith(b"RIFF")
    await call.end_operation("2")
    assert "Goodbye +49171." in stage.voice.said
    await call.end_operation()
    hangup = call.last.commands[-1].hangup
    assert hangup.termination.termination_class == common_pb2.TERMINATION_CLASS_SUCCESS
    assert await call.is_over()


async def test_fixed_prompts_are_spoken_when_the_flow_is_published(stage: Stage) -> None:
    assert "Press 1." in stage.voice.said
    assert "Sorry." in stage.voice.said
    assert any(text.startswith("You are number 2") for text in stage.voice.said)


async def test_a_whole_call_to_an_agent_and_back(stage: Stage) -> None:
    call = await talking(stage)
    request = stage.acd.all_of("Enqueue")[0]
    assert (request.queue_id, request.call_id) == ("support", CALL_ID)
    assert dict(request.attributes) == {
        "wish": "none",
        "caller": "+49171",
        "from": "+49171",
        "to": "+49301",
        "menu_path": "menu: 1",
    }
    assert request.plan.steps[0].expr.of[0].name == "german"
    assert (await stage.acd.heard("RingConfirmed")).agent_id == "anna"
    assert (await stage.acd.heard("Bridged")).reservation_id.endswith(".1")
    await call.send(
        hold_changed=ivr_pb2.HoldChanged(ring_id=f"{request.entry_id}.1", leg_id="l2", held=True)
    )
    await call.step()
    assert (await stage.acd.heard("SetHold")).held is True
    ended = ivr_pb2.LegEnded(leg_id="l1", role=ivr_pb2.LEG_ROLE_CALLER, reason="hung-up")
    await call.send(leg_ended=ended)
    await call.until("hangup")
    assert await call.is_over()
    complete = await stage.acd.heard("Complete")
    assert (complete.ended_by, complete.reason) == ("caller", "caller-hung-up")
    assert stage.acd.tenants == {"demo"}


async def test_the_first_message_tells_the_place_and_fixes_the_wait(stage: Stage) -> None:
    call = await queued(stage)
    entry_id = stage.acd.all_of("Enqueue")[-1].entry_id
    position = acd_pb2.EntryPosition(position=11, announced_s=60)
    await stage.acd.say(entry_id, position=position)
    await call.step()  # the place is taken: the stage changed
    await call.step()
    assert call.kinds == ["gather"]
    assert stage.voice.said[-1] == (
        "You are number 11 in the queue. The expected wait is about 1 minute."
    )
    assert (await stage.acd.heard("AnnounceWait")).entry_id == entry_id


async def test_a_caller_who_goes_while_waiting_has_abandoned(stage: Stage) -> None:
    call = await queued(stage)
    await call.send(leg_ended=ivr_pb2.LegEnded(leg_id="l1", role=ivr_pb2.LEG_ROLE_CALLER))
    await call.until("hangup")
    leave = await stage.acd.heard("Leave")
    assert (leave.exit, leave.reason) == ("abandoned", "caller-hung-up")


async def test_a_ring_that_fails_is_told_and_the_caller_waits_on(stage: Stage) -> None:
    call = await ringing(stage)
    failed = ivr_pb2.LegFailed(
        ring_id=f"{stage.acd.all_of('Enqueue')[-1].entry_id}.1",
        outcome=ivr_pb2.LegFailed.OUTCOME_BUSY,
    )
    await call.send(leg_failed=failed)
    await call.step()
    assert (await stage.acd.heard("EndReservation")).outcome == "busy"


async def test_an_acceptance_that_acd_refuses_stops_the_phone(stage: Stage) -> None:
    stage.acd.refuse["Accept"] = Gone("late")
    call = await ringing(stage)
    ring_id = f"{stage.acd.all_of('Enqueue')[-1].entry_id}.1"
    await call.send(leg_answered=ivr_pb2.LegAnswered(ring_id=ring_id, leg_id="l2"))
    stop = await call.until("stop_ringing")
    assert stop.ring_id == ring_id
    assert (await stage.acd.heard("EndReservation")).outcome == "connect_failed"


async def test_another_replica_goes_on_where_one_stopped(stage: Stage) -> None:
    call = await queued(stage)
    await call.step()
    await call.miss(operation_ended=ivr_pb2.OperationEnded(operation=call.operation, digits="*"))
    legs = [ivr_pb2.LegView(leg_id="l1", role=ivr_pb2.LEG_ROLE_CALLER, state="answered")]
    await call.resume(legs)
    await call.until("play")
    leave = await stage.acd.heard("Leave")
    assert leave.entry_id == stage.acd.all_of("Enqueue")[0].entry_id


async def test_a_caller_in_a_queue_is_queued_again_as_the_same_entry(stage: Stage) -> None:
    call = await queued(stage)
    await call.step()
    legs = [ivr_pb2.LegView(leg_id="l1", role=ivr_pb2.LEG_ROLE_CALLER, state="answered")]
    await call.resume(legs, operation=call.operation)
    assert call.kinds == []
    again = await stage.acd.heard("Enqueue", 2)
    assert again.entry_id == stage.acd.all_of("Enqueue")[0].entry_id


async def test_a_call_that_never_got_a_step_begins_anew(stage: Stage) -> None:
    call = stage.call()
    call._open()
    invited = ivr_pb2.CallInvited(to="+49301", trunk="local")
    await call.miss(invited=invited)
    await call.miss(operation_ended=ivr_pb2.OperationEnded(operation="o1", digits="2"))
    await call.resume([])
    assert call.kinds == ["answer", "gather"]
    await call.until("play")


async def test_events_that_were_seen_before_are_not_decided_again(stage: Stage) -> None:
    call = stage.call()
    await call.invite()
    call.seq -= 1
    await call.send(operation_ended=ivr_pb2.OperationEnded(operation="o1", digits="2"))
    await call.send(mute_changed=ivr_pb2.MuteChanged(muted=True))
    await call.step()
    assert (call.kinds, call.last.consumed_seq) == ([], 2)


async def test_an_event_of_a_later_release_is_accounted_for(stage: Stage) -> None:
    call = stage.call()
    await call.invite()
    await call.send()
    step = await call.step()
    assert (call.kinds, step.consumed_seq) == ([], 2)


async def test_a_number_that_nobody_has_is_refused(stage: Stage) -> None:
    call = stage.call()
    await call.invite("+49999")
    hangup = call.last.commands[0].hangup
    assert (hangup.sip_status, hangup.termination.reason) == (404, "no-such-number")
    assert hangup.termination.termination_class == common_pb2.TERMINATION_CLASS_CALLER_ERROR
    assert await call.is_over()
    await stage.call("c2").invite("+49301", trunk="other")


async def test_a_flow_that_cannot_be_read_ends_the_call_with_the_reason(stage: Stage) -> None:
    await stage.store.put_flow("demo", "main", "{}", 1)  # type: ignore[arg-type] # as a later release might leave it
    await stage.store.publish_flow("demo", "main", 0)  # type: ignore[arg-type] # the same
    call = stage.call()
    await call.invite()
    hangup = call.last.commands[0].hangup
    assert (hangup.sip_status, hangup.termination.reason) == (500, "bad-flow")


async def test_a_voice_that_fails_leads_to_the_default_treatment(stage: Stage) -> None:
    call = stage.call()
    await call.invite()
    stage.voice.broken = True
    await call.end_operation("2")
    assert call.kinds == []  # the goodbye cannot be spoken
    await call.step()
    assert call.kinds == ["play"]  # the apology was spoken at publication
    await call.end_operation()
    termination = call.last.commands[-1].hangup.termination
    assert termination.reason == "prompt-failed"
    assert termination.termination_class == common_pb2.TERMINATION_CLASS_SERVER_ERROR


@pytest.mark.parametrize(
    ("error", "reason"), [(Closed("x"), "no-such-queue"), (Busy("x"), "acd-away")]
)
async def test_a_queue_that_cannot_be_had_leads_to_the_default_treatment(
    stage: Stage, error: CarillonError, reason: str
) -> None:
    stage.acd.refuse["Enqueue"] = error
    call = stage.call()
    await call.invite()
    await call.end_operation("1")
    assert (await call.until("gather")).loop  # music, whatever acd does
    await call.until("play")
    await call.end_operation()
    assert call.last.commands[-1].hangup.termination.reason == reason


async def test_a_fault_of_the_program_is_no_reason_to_wait_for_ever(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("services.ivr.routing.enqueue_message", fault)
    call = stage.call()
    await call.invite()
    await call.end_operation("1")
    await call.until("play")
    await call.end_operation()
    assert call.last.commands[-1].hangup.termination.reason == "internal"


async def test_a_stream_of_acd_that_ends_is_asked_again_without_a_word(stage: Stage) -> None:
    call = await queued(stage)
    await call.step()
    entry_id = stage.acd.all_of("Enqueue")[0].entry_id
    await stage.acd.say(entry_id)  # no body: the stream ends
    assert (await stage.acd.heard("Enqueue", 2)).entry_id == entry_id
    await stage.acd.say(entry_id, left=acd_pb2.EntryLeft(exit="timeout"))
    await call.until("play")


async def test_what_acd_missed_is_told_again(stage: Stage) -> None:
    stage.acd.refuse["Leave"] = Busy("x")
    call = await queued(stage)
    await call.send(leg_ended=ivr_pb2.LegEnded(leg_id="l1", role=ivr_pb2.LEG_ROLE_CALLER))
    await call.until("hangup")
    await stage.acd.heard("Leave", 2)


@pytest.mark.parametrize("body", [{}, {"mute_changed": ivr_pb2.MuteChanged()}])
async def test_a_stream_that_begins_with_something_else_is_refused(
    stage: Stage, body: dict[str, Any]
) -> None:
    call = stage.call()
    call._open()
    await call.send(**body)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call.step()
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_call_without_steps_and_without_its_invitation_is_refused(stage: Stage) -> None:
    call = stage.call()
    call._open()
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call.resume([])
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_checkpoint_that_cannot_be_read_leaves_the_call_to_another_replica(
    stage: Stage,
) -> None:
    call = stage.call()
    await call.invite()
    call.last.checkpoint = b"from the future"
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call.resume([])
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_drain_hands_calls_over_and_takes_no_new_ones(stage: Stage) -> None:
    call = await queued(stage)
    await call.step()
    await stage.running.drain(5)
    assert await call.is_over()
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stage.call("c2").invite()
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    assert stage.acd.all_of("Leave") == []


@pytest.mark.parametrize(
    ("called", "stored"),
    [
        ("+4930", ("+4930",)),
        ("49301234", ("49301234", "+49301234")),
        ("0049301234", ("0049301234", "+49301234")),
        ("100", ("100",)),
        ("anna", ("anna",)),
    ],
)
def test_numbers_are_found_however_a_trunk_spells_them(
    called: str, stored: tuple[str, ...]
) -> None:
    assert spellings(called) == stored


async def test_a_suspended_tenants_callers_are_turned_away(stage: Stage) -> None:
    await stage.tenants.put_terms(TenantId("demo"), Terms(suspended=True))
    call = stage.call()
    await call.invite()
    hangup = call.last.commands[0].hangup
    assert (hangup.sip_status, hangup.termination.reason) == (480, "tenant-suspended")
    assert call.last.tenant_id == "demo"
    assert await call.is_over()


async def test_a_caller_beyond_the_cap_hears_that_it_is_busy(stage: Stage) -> None:
    await stage.tenants.put_terms(TenantId("demo"), Terms(max_calls=1))
    first = stage.call()
    await first.invite()
    second = stage.call("0195c1a0-0000-7000-8000-000000000002")
    await second.invite()
    hangup = second.last.commands[0].hangup
    assert (hangup.sip_status, hangup.termination.reason) == (486, "too-many-calls")
    assert hangup.termination.termination_class == common_pb2.TERMINATION_CLASS_CALLER_ERROR
    await first.send(
        leg_ended=ivr_pb2.LegEnded(leg_id="l1", role=ivr_pb2.LEG_ROLE_CALLER, reason="hung-up")
    )
    await first.step()
    assert await first.is_over()
    third = stage.call("0195c1a0-0000-7000-8000-000000000003")
    await third.invite()
    assert third.kinds[-1] == "gather"
