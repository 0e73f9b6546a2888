"""Recordings as gateways and people see them, over a real unix socket."""

from __future__ import annotations

import io
import wave
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pytest

from protos.acd.v1 import config_pb2, state_pb2
from protos.acd.v1 import events_pb2 as acd_events
from protos.common.v1 import common_pb2
from protos.gateway.v1 import events_pb2 as gateway_events
from protos.recording.v1 import recording_pb2
from protos.recording.v1.recording_pb2_grpc import RecordingStub
from services.chassis.bus import MemoryBus
from services.chassis.envelope import Envelope, enveloped
from services.chassis.errors import Kind, RemoteError
from services.chassis.ids import TenantId
from services.chassis.lifecycle import Measured, Running
from services.chassis.request import on_behalf
from services.chassis.rpc import metadata, remote_errors
from services.chassis.world import World, local_world
from services.recording.main import build
from tests.unit.recording.patience import until
from tests.unit.recording.tape import START_MS, Tape, mu_law, tone

if TYPE_CHECKING:  # the stubs know this name, the generated module does not
    from google.protobuf.message import Message

    from protos.recording.v1.recording_pb2_grpc import RecordingAsyncStub

Who: TypeAlias = tuple[tuple[str, str | bytes], ...]

GATEWAY = metadata(tenant_id="acme")
SUPERVISOR = on_behalf(tenant_id="acme", user_id="sven", user_name="Sven")
OTHER = on_behalf(tenant_id="other", user_id="olga", user_name="Olga")


def agent(agent_id: str) -> Who:
    return on_behalf(
        tenant_id="acme", user_id=agent_id, user_name=agent_id.title(), own_agent_id=agent_id
    )


@dataclass
class Stage:
    stub: RecordingAsyncStub
    world: World

    async def tape(self, call_id: str = "call-1") -> Tape:
        return Tape(call_id, await self.stub.GetSealingKey(recording_pb2.GetSealingKeyRequest()))

    async def record(self, call_id: str = "call-1", who: Who = GATEWAY) -> Tape:
        """A call of 10 seconds, the caller heard at once and the agent after two seconds."""
        tape = await self.tape(call_id)
        caller = mu_law(tone(400, -10, 16_000))
        for request in (
            tape.segment("leg-a", 1, caller),
            tape.segment("leg-b", 1, mu_law(tone(1_000, -10, 16_000)), at=16_000),
        ):
            await self.stub.PutSegment(request, metadata=who)
        closing = tape.manifest()
        closing.manifest.markers.add(kind="keys", from_ms=START_MS + 900, leg_id="leg-a", count=2)
        await self.stub.PutManifest(closing, metadata=who)
        return tape

    async def tell(self, topic: str, *messages: tuple[str, Message]) -> None:
        """Events of the tenant acme, and waits until they are known."""
        events: list[Envelope] = [
            enveloped(
                message,
                event_id=self.world.new_id(),
                tenant_id=TenantId("acme"),
                at_ms=START_MS,
                key=key,
            )
            for key, message in messages
        ]
        await self.world.bus.publish(topic, events)

    async def audio(
        self, who: Who = SUPERVISOR, call_id: str = "call-1", offset: int = 0, length: int = 0
    ) -> tuple[bytes, int]:
        request = recording_pb2.ReadAudioRequest(recording_id=call_id, offset=offset, length=length)
        data, total = b"", 0
        async for chunk in self.stub.ReadAudio(request, metadata=who):
            assert len(chunk.data) <= 64 * 1024
            total = total or chunk.total_bytes
            data += chunk.data
        return data, total


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    world = replace(local_world(var_dir=tmp_path), bus=MemoryBus(), database=lambda _schema: None)
    running = Running([build(world)], world)
    await running.start()
    yield Stage(RecordingStub(world.dial("recording")), world)
    await running.drain(5)
    await running.stop()


async def refused(call: Awaitable[object]) -> RemoteError:
    with pytest.raises(RemoteError) as caught, remote_errors():
        await call
    return caught.value


def by_id(recording_id: str = "call-1") -> recording_pb2.GetRecordingRequest:
    return recording_pb2.GetRecordingRequest(recording_id=recording_id)


async def listed(
    stage: Stage,
    request: recording_pb2.ListRecordingsRequest | None = None,
    who: Who = SUPERVISOR,
) -> list[str]:
    response = await stage.stub.ListRecordings(
        request or recording_pb2.ListRecordingsRequest(), metadata=who
    )
    return [each.recording_id for each in response.recordings]


async def test_a_call_is_recorded_shown_heard_and_verified(stage: Stage) -> None:
    tape = await stage.record()
    view = await stage.stub.GetRecording(by_id(), metadata=SUPERVISOR)
    assert (view.state, view.segments, view.duration_ms) == ("complete", 2, 10_000)
    assert (getattr(view, "from"), view.to) == ("+4930123456", "+49301000")
    assert [list(each.segment_sha256) for each in view.tracks] == list(tape.tracks.values())
    assert [(each.kind, each.leg_id, each.count) for each in view.markers] == [("keys", "leg-a", 2)]

    data, total = await stage.audio()
    assert len(data) == total
    with wave.open(io.BytesIO(data)) as file:
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
    assert len(sound) == 80_000
    assert sound[:16_000, 0].any()
    assert not sound[16_000:, 0].any()
    assert not sound[:16_000, 1].any()
    assert sound[16_000:32_000, 1].any()

    found = await stage.stub.VerifyRecording(by_id(), metadata=SUPERVISOR)
    assert found.intact
    assert found.computed_sha256 == view.sha256
    assert found.segments_checked == 2


async def test_any_part_of_the_sound_can_be_fetched(stage: Stage) -> None:
    await stage.record()
    whole, total = await stage.audio()
    assert await stage.audio(offset=100_001, length=70_003) == (whole[100_001:170_004], total)
    assert await stage.audio(offset=total) == (b"", total)
    late = recording_pb2.ReadAudioRequest(recording_id="call-1", offset=total + 1)
    error = await refused(stage.stub.ReadAudio(late, metadata=SUPERVISOR).read())
    assert (error.code, error.kind) == ("bad-range", Kind.INVALID)


async def test_who_listens_is_on_the_trail_once_per_listening(stage: Stage) -> None:
    await stage.record()
    await stage.audio()
    await stage.audio(offset=1_000, length=10)
    await stage.audio(who=agent("anna"), offset=1_000, length=10)
    await stage.audio(who=agent("anna"), offset=2_000, length=10)
    await stage.audio()
    heard = await stage.stub.ListListenings(
        recording_pb2.ListListeningsRequest(recording_id="call-1"), metadata=SUPERVISOR
    )
    who = [(each.listener_id, each.listener_name) for each in heard.listenings]
    assert who == [("sven", "Sven"), ("anna", "Anna"), ("sven", "Sven")]
    first = await stage.stub.ListListenings(
        recording_pb2.ListListeningsRequest(
            recording_id="call-1", page=common_pb2.PageRequest(size=2)
        ),
        metadata=SUPERVISOR,
    )
    assert [each.listener_id for each in first.listenings] == ["sven", "anna"]
    rest = await stage.stub.ListListenings(
        recording_pb2.ListListeningsRequest(
            recording_id="call-1", page=common_pb2.PageRequest(token=first.page.next_token)
        ),
        metadata=SUPERVISOR,
    )
    assert [each.listener_id for each in rest.listenings] == ["sven"]


async def test_nobody_listens_unnamed(stage: Stage) -> None:
    await stage.record()
    request = recording_pb2.ReadAudioRequest(recording_id="call-1")
    error = await refused(stage.stub.ReadAudio(request, metadata=GATEWAY).read())
    assert (error.code, error.kind) == ("missing-listener", Kind.UNAUTHENTICATED)


async def test_an_agent_knows_only_of_recordings_they_took_part_in(stage: Stage) -> None:
    await stage.record()
    assert await listed(stage, who=agent("anna")) == ["call-1"]
    assert (await stage.audio(who=agent("anna")))[0]
    assert await listed(stage, who=agent("ben")) == []
    audio = recording_pb2.ReadAudioRequest(recording_id="call-1")
    for asking in (
        stage.stub.GetRecording(by_id(), metadata=agent("ben")),
        stage.stub.VerifyRecording(by_id(), metadata=agent("ben")),
        stage.stub.ReadAudio(audio, metadata=agent("ben")).read(),
    ):
        assert (await refused(asking)).code == "no-such-recording"


async def test_a_waveform_is_no_listening(stage: Stage) -> None:
    await stage.record()
    request = recording_pb2.GetWaveformRequest(recording_id="call-1", columns=100)
    drawn = await stage.stub.GetWaveform(request, metadata=SUPERVISOR)
    assert (drawn.duration_ms, len(drawn.left), len(drawn.right)) == (10_000, 100, 100)
    assert [bool(drawn.left[0]), bool(drawn.right[0]), bool(drawn.right[25])] == [True, False, True]
    heard = recording_pb2.ListListeningsRequest(recording_id="call-1")
    assert not (await stage.stub.ListListenings(heard, metadata=SUPERVISOR)).listenings
    usual = recording_pb2.GetWaveformRequest(recording_id="call-1")
    assert len((await stage.stub.GetWaveform(usual, metadata=agent("anna"))).left) == 1_000
    for who in (agent("bob"), OTHER):
        error = await refused(stage.stub.GetWaveform(request, metadata=who))
        assert error.code == "no-such-recording"


async def test_a_tenant_decides_what_its_agents_may(stage: Stage) -> None:
    await stage.record()
    policy = await stage.stub.GetPolicy(recording_pb2.GetPolicyRequest(), metadata=GATEWAY)
    assert (policy.record, policy.agents_may_listen, policy.agents_may_pause) == (
        "flow",
        True,
        True,
    )
    await stage.audio(agent("anna"))
    wanted = recording_pb2.Policy(record="never")
    put = recording_pb2.PutPolicyRequest(policy=wanted)
    assert await stage.stub.PutPolicy(put, metadata=SUPERVISOR) == wanted
    asked = recording_pb2.GetPolicyRequest()
    assert await stage.stub.GetPolicy(asked, metadata=agent("anna")) == wanted
    assert (await stage.stub.GetPolicy(asked, metadata=OTHER)).agents_may_listen

    assert (await stage.stub.GetRecording(by_id(), metadata=agent("anna"))).recording_id
    waveform = recording_pb2.GetWaveformRequest(recording_id="call-1")
    for call in (
        stage.audio(agent("anna")),
        stage.stub.GetWaveform(waveform, metadata=agent("anna")),
    ):
        error = await refused(call)
        assert (error.code, error.kind) == ("listening-not-allowed", Kind.DENIED)
    # Who did not take part is not told more than before.
    assert (await refused(stage.audio(agent("bob")))).code == "no-such-recording"
    await stage.audio(SUPERVISOR)


async def test_a_policy_that_says_neither_is_refused(stage: Stage) -> None:
    put = recording_pb2.PutPolicyRequest(policy=recording_pb2.Policy(record="sometimes"))
    assert (await refused(stage.stub.PutPolicy(put, metadata=SUPERVISOR))).code == "bad-policy"


async def test_two_tenants_know_nothing_of_each_other(stage: Stage) -> None:
    await stage.record()
    await stage.record(who=metadata(tenant_id="other"))
    await stage.record("call-2")
    assert await listed(stage) == ["call-2", "call-1"]
    assert await listed(stage, who=OTHER) == ["call-1"]
    assert (await refused(stage.stub.GetRecording(by_id("call-2"), metadata=OTHER))).code == (
        "no-such-recording"
    )


async def test_a_list_comes_by_the_page(stage: Stage) -> None:
    for number in range(5):
        await stage.record(f"call-{number}")
    ids: list[str] = []
    page = common_pb2.PageRequest(size=2)
    for _ in range(3):
        response = await stage.stub.ListRecordings(
            recording_pb2.ListRecordingsRequest(page=page), metadata=SUPERVISOR
        )
        ids += [each.recording_id for each in response.recordings]
        page = common_pb2.PageRequest(size=2, token=response.page.next_token)
    assert ids == ["call-4", "call-3", "call-2", "call-1", "call-0"]
    assert page.token == ""


async def test_what_others_tell_of_a_call_can_be_searched(stage: Stage) -> None:
    await stage.record()
    contact = state_pb2.Contact(
        contact_id="call-1",
        attributes=[config_pb2.Attribute(name="vip", value="yes")],
        external_ref="case-7",
    )
    answered = acd_events.ContactAnswered(contact_id="call-1", agent_id="anna", queue_id="sales")
    queue = config_pb2.QueueConfig(queue_id="sales", name="Sales")
    person = config_pb2.AgentConfig(agent_id="anna", name="Anna")
    await stage.tell(
        "acd.events.v1",
        ("demo", acd_events.QueuePut(queue=queue)),
        ("demo", acd_events.AgentPut(agent=person)),
        ("demo", acd_events.ContactEnqueued(contact=contact)),
        ("demo", answered),
        ("demo", acd_events.WrapUpEnded(contact_id="call-1", code="sold")),
    )
    wanted = recording_pb2.ListRecordingsRequest(
        agent_id="anna", queue_id="sales", attributes=["vip=yes"], external_ref="case-7"
    )

    async def all_is_known() -> bool:
        view = await stage.stub.GetRecording(by_id(), metadata=SUPERVISOR)
        return bool(view.dispositions)

    await until(all_is_known)
    assert await listed(stage, wanted) == ["call-1"]
    view = await stage.stub.GetRecording(by_id(), metadata=SUPERVISOR)
    assert list(view.agent_names) == ["Anna"]
    assert list(view.queue_names) == ["Sales"]
    assert list(view.dispositions) == ["sold"]
    assert dict(view.attributes) == {"vip": "yes"}


async def test_answered_calls_are_compared_with_recordings(stage: Stage) -> None:
    await stage.record()
    facts: list[tuple[str, Message]] = []
    for call_id, allowed in (("call-1", True), ("call-2", True), ("call-3", False)):
        begun = gateway_events.CallFact(call_id=call_id)
        begun.recording_changed.state, begun.recording_changed.reason = "on", "announced"
        bridged = gateway_events.CallFact(call_id=call_id)
        bridged.legs_bridged.leg_id, bridged.legs_bridged.peer_leg_id = "leg-a", "leg-b"
        ended = gateway_events.CallFact(call_id=call_id, at_ms=START_MS + 10_000)
        ended.call_ended.SetInParent()
        told = [begun, bridged, ended] if allowed else [bridged, ended]
        facts += [(call_id, fact) for fact in told]
    await stage.tell("gateway.events.v1", *facts)
    request = recording_pb2.ReconcileRequest(from_ms=START_MS, to_ms=START_MS + 20_000)

    async def all_are_known() -> bool:
        found = await stage.stub.Reconcile(request, metadata=SUPERVISOR)
        return found.answered_calls == 3

    await until(all_are_known)
    found = await stage.stub.Reconcile(request, metadata=SUPERVISOR)
    assert (found.expected, found.stored) == (2, 1)
    assert [(each.call_id, each.kind) for each in found.differences] == [("call-2", "missing")]
    nothing = await stage.stub.Reconcile(recording_pb2.ReconcileRequest(), metadata=SUPERVISOR)
    assert nothing.answered_calls == 0


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (recording_pb2.ListRecordingsRequest(attributes=["vip"]), "bad-search"),
        (recording_pb2.ListRecordingsRequest(attributes=["=x"]), "bad-search"),
        (recording_pb2.ListRecordingsRequest(attributes=["a=b"] * 33), "bad-search"),
        (recording_pb2.ListRecordingsRequest(state="done"), "bad-search"),
        (recording_pb2.ListRecordingsRequest(agent_id="a\0b"), "bad-search"),
        (recording_pb2.ListRecordingsRequest(page=common_pb2.PageRequest(size=501)), "bad-page"),
        (recording_pb2.ListRecordingsRequest(page=common_pb2.PageRequest(token="x")), "bad-page"),
    ],
)
async def test_a_search_that_means_nothing_is_refused(
    stage: Stage, request_: recording_pb2.ListRecordingsRequest, code: str
) -> None:
    error = await refused(stage.stub.ListRecordings(request_, metadata=SUPERVISOR))
    assert (error.code, error.kind) == (code, Kind.INVALID)


async def test_other_refusals_have_names(stage: Stage) -> None:
    backwards = recording_pb2.ReconcileRequest(from_ms=2, to_ms=1)
    early = recording_pb2.ReconcileRequest(to_ms=-(2**63))
    for asking, code in (
        (stage.stub.GetRecording(by_id(""), metadata=SUPERVISOR), "bad-search"),
        (stage.stub.GetRecording(by_id("a\0"), metadata=SUPERVISOR), "bad-search"),
        (stage.stub.GetRecording(by_id("none"), metadata=SUPERVISOR), "no-such-recording"),
        (stage.stub.Reconcile(backwards, metadata=SUPERVISOR), "bad-search"),
        (stage.stub.Reconcile(early, metadata=SUPERVISOR), "bad-search"),
        (stage.stub.GetRecording(by_id(), metadata=()), "missing-tenant"),
        (
            stage.stub.ReportGateway(recording_pb2.ReportGatewayRequest(), metadata=GATEWAY),
            "bad-manifest",
        ),
    ):
        assert (await refused(asking)).code == code


async def test_the_process_shows_what_it_has_done(tmp_path: Path) -> None:
    world = replace(local_world(var_dir=tmp_path), bus=MemoryBus(), database=lambda _schema: None)
    service = build(world)
    assert isinstance(service, Measured)
    assert list(service.readings()) == []
    running = Running([service], world)
    await running.start()
    await Stage(RecordingStub(world.dial("recording")), world).record()
    shown = {(each.name, *each.labels): each.value for each in service.readings()}
    assert shown["carillon_recording_segments_total",] == 2
    assert shown["carillon_recording_segment_bytes_total",] > 32_000
    assert shown["carillon_recording_closed_total", ("state", "complete")] == 1
    assert shown["carillon_recording_damaged_segments_total",] == 0
    assert shown["carillon_recording_lost_gateway_total",] == 0
    assert shown["carillon_recording_differences",] == 0
    await running.stop()


async def test_a_gateway_reports_without_a_tenant(stage: Stage) -> None:
    await stage.stub.ReportGateway(recording_pb2.ReportGatewayRequest(incarnation="gw-1"))


async def test_the_sealing_key_survives_a_restart(tmp_path: Path) -> None:
    keys = []
    for _ in range(2):
        world = replace(
            local_world(var_dir=tmp_path), bus=MemoryBus(), database=lambda _schema: None
        )
        running = Running([build(world)], world)
        await running.start()
        stub = RecordingStub(world.dial("recording"))
        keys.append(await stub.GetSealingKey(recording_pb2.GetSealingKeyRequest()))
        await running.drain(5)
        await running.stop()
    assert keys[0] == keys[1]


async def test_opus_is_refused_with_words_and_not_with_a_crash(stage: Stage) -> None:
    tape = await stage.tape()
    await stage.stub.PutSegment(
        tape.segment("leg-a", 1, b"\x00" * 100, codec="OPUS"), metadata=GATEWAY
    )
    request = recording_pb2.ReadAudioRequest(recording_id="call-1")
    error = await refused(stage.stub.ReadAudio(request, metadata=SUPERVISOR).read())
    assert (error.code, error.kind) == ("codec-not-rendered", Kind.PRECONDITION)
