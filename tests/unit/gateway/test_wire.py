"""Words across the wall: every report, command and fact has its message, and none is lost."""

from __future__ import annotations

from typing import get_args

import pytest

from media_gateway.adapters.fact_wire import fact_message, media_report
from media_gateway.adapters.flow_wire import (
    CLASSES,
    OPERATION_ENDS,
    OUTCOMES,
    ROLES,
    event_of,
    resumed,
    step_of,
)
from media_gateway.core import facts, reports, steps
from media_gateway.core.facts import FactBody
from media_gateway.core.happenings import BeginEpoch, MediaOpened, MuteLeg
from media_gateway.core.ladder import Ladder, LadderStep
from media_gateway.core.reports import Report, Reported
from media_gateway.core.steps import StepCommand
from media_gateway.model import (
    CALLER_LEG,
    BadCommand,
    Invitation,
    LegEnd,
    LegRole,
    LegState,
    OperationEnd,
    Prompt,
    RecordingState,
    RingOutcome,
    Termination,
    TerminationClass,
    Transfer,
    TransferKind,
)
from media_gateway.rtp.model import MediaStats
from protos.common.v1 import common_pb2
from protos.gateway.v1 import events_pb2
from protos.ivr.v1 import ivr_pb2
from services.chassis.ids import LegId
from tests.unit.gateway.driver import Driver

LEG = LegId("2")
TERMINATION = Termination(TerminationClass.SUCCESS, "handled")
REPORTS: list[Report] = [
    reports.Invited(Invitation("+1", "+2", "Ann", "+3", "+4", "east", {"X-A": "b"})),
    reports.OperationEnded("menu", OperationEnd.TIMEOUT, "12"),
    reports.LegRinging("r.1", LEG),
    reports.LegAnswered("r.1", LEG),
    reports.LegFailed("r.1", RingOutcome.BUSY, 486),
    reports.Bridged("r.1", LEG),
    reports.BridgeFailed("r.1", "leg-gone"),
    reports.LegEnded(LEG, LegRole.AGENT, "r.1", LegEnd.HUNG_UP),
    reports.HoldChanged(LEG, "r.1", held=True),
    reports.MuteChanged(LEG, "r.1", muted=True),
    reports.TransferRequested("r.1", Transfer(TransferKind.QUEUE, "q", "why", "u", "Ann")),
    reports.TransferRequested("r.1", Transfer(TransferKind.AGENT, "a", "why", "u", "Ann", "q")),
    reports.TransferRequested("r.1", Transfer(TransferKind.NUMBER, "+1", "why", "u", "Ann")),
]
FACTS: list[FactBody] = [
    facts.CallStarted("+1", "+2", "local"),
    facts.LegStarted(LEG, LegRole.AGENT, "a", "r.1"),
    facts.LegStateChanged(LEG, LegState.RINGING, "PCMU"),
    facts.FlowNoted("digits", {"menu": "1"}),
    facts.DigitsReceived(LEG, 1, "rfc4733"),
    facts.PlayStarted(LEG, ("music",), loop=True),
    facts.LegsBridged(CALLER_LEG, LEG, 40, (LEG,)),
    facts.LegHoldChanged(LEG, held=True),
    facts.LegMuteChanged(LEG, muted=True),
    facts.LegEnded(LEG, LegRole.AGENT, LegEnd.REFUSED, 486),
    facts.FlowDetached("gone"),
    facts.FlowAttached(2),
    facts.LegConnectionChanged(LEG, connected=True, took_ms=120.5),
    facts.RecordingChanged(RecordingState.PAUSED, "card", "ann"),
    facts.TransferRequested(LEG, Transfer(TransferKind.QUEUE, "q", "why", "u", "Ann")),
    facts.DigitsSent(LEG, 3),
    facts.LadderNoted(),
    facts.CallEnded(TERMINATION, 1_000),
]
PROMPTS = (Prompt(sha256="ab" * 32), Prompt(system="music"))
WIRE_PROMPTS = [ivr_pb2.Prompt(sha256="ab" * 32), ivr_pb2.Prompt(system="music")]
COMMANDS: list[tuple[ivr_pb2.Command, StepCommand]] = [
    (ivr_pb2.Command(answer=ivr_pb2.Answer()), steps.Answer()),
    (
        ivr_pb2.Command(play=ivr_pb2.Play(operation="p", prompts=WIRE_PROMPTS, loop=True)),
        steps.Play("p", PROMPTS, loop=True),
    ),
    (
        ivr_pb2.Command(
            gather=ivr_pb2.Gather(
                operation="g",
                prompts=WIRE_PROMPTS,
                loop=True,
                max_digits=4,
                first_digit_timeout_ms=5_000,
                next_digit_timeout_ms=2_000,
                end_key="#",
                barge_in=True,
            )
        ),
        steps.GatherKeys("g", PROMPTS, 4, True, 5_000, 2_000, "#", True),  # noqa: FBT003 - all fields in order
    ),
    (ivr_pb2.Command(stop_media=ivr_pb2.StopMedia()), steps.StopMedia()),
    (
        ivr_pb2.Command(
            ring_agent=ivr_pb2.RingAgent(
                reservation_id="r.1",
                agent_id="a",
                endpoint="sip:1@h",
                timeout_ms=9,
                caller_display="Ann",
            )
        ),
        steps.RingAgent("r.1", "a", "sip:1@h", 9, "Ann"),
    ),
    (
        ivr_pb2.Command(
            dial=ivr_pb2.Dial(ring_id="d.1", target="+1", timeout_ms=9, caller_id="+2")
        ),
        steps.Dial("d.1", "+1", 9, "+2"),
    ),
    (
        ivr_pb2.Command(stop_ringing=ivr_pb2.StopRinging(ring_id="r.1", reason="why")),
        steps.StopRinging("r.1", "why"),
    ),
    (ivr_pb2.Command(bridge=ivr_pb2.Bridge(ring_id="r.1")), steps.JoinLegs("r.1")),
    (
        ivr_pb2.Command(
            hangup=ivr_pb2.Hangup(
                termination=common_pb2.Termination(
                    termination_class=common_pb2.TERMINATION_CLASS_SUCCESS, reason="handled"
                ),
                sip_status=404,
            )
        ),
        steps.Hangup(TERMINATION, 404),
    ),
    (
        ivr_pb2.Command(note=ivr_pb2.Note(kind="k", values={"a": "b"})),
        steps.Note("k", {"a": "b"}),
    ),
    (
        ivr_pb2.Command(set_consent=ivr_pb2.SetConsent(granted=True, basis="agreed")),
        steps.SetConsent(granted=True, basis="agreed"),
    ),
]


def test_every_word_is_in_these_tables() -> None:
    assert {type(body) for body in REPORTS} == set(get_args(Report))
    assert {type(body) for body in FACTS} == set(get_args(FactBody))
    assert {type(command) for _, command in COMMANDS} == set(get_args(StepCommand))
    fields = ivr_pb2.Command.DESCRIPTOR.oneofs_by_name["body"].fields
    assert {wire.WhichOneof("body") for wire, _ in COMMANDS} == {field.name for field in fields}


@pytest.mark.parametrize("body", REPORTS, ids=lambda body: type(body).__name__)
def test_a_report_travels_with_its_place(body: Report) -> None:
    call = Driver().attached().call
    event = event_of(call, Reported(7, 99, body), gateway_address="unix:g")
    assert (event.call_id, event.epoch, event.seq, event.at_ms) == ("call-1", 1, 7, 99)
    assert event.WhichOneof("body") is not None
    message = getattr(event, event.WhichOneof("body") or "")
    if isinstance(body, reports.Invited):
        assert (getattr(message, "from"), message.to, message.gateway_address) == (
            "+1",
            "+2",
            "unix:g",
        )
        assert dict(message.headers) == {"X-A": "b"}
        return
    for name in type(body).__slots__:
        given = getattr(body, name)
        if isinstance(given, bool | int) or name in {"ring_id", "operation", "digits", "leg_id"}:
            assert getattr(message, name) == given


@pytest.mark.parametrize(("wire", "command"), COMMANDS)
def test_a_command_is_read_whole(wire: ivr_pb2.Command, command: StepCommand) -> None:
    message = ivr_pb2.Step(
        epoch=2, step=3, consumed_seq=4, checkpoint=b"c", commands=[wire], tenant_id="acme"
    )
    read = step_of(ivr_pb2.Step.FromString(message.SerializeToString()))
    assert read == steps.Step(2, 3, 4, b"c", (command,), "acme")


def test_a_command_that_is_not_known_is_refused() -> None:
    with pytest.raises(BadCommand):
        step_of(ivr_pb2.Step(commands=[ivr_pb2.Command()]))


def test_a_termination_without_class_is_unknown() -> None:
    step = step_of(ivr_pb2.Step(commands=[ivr_pb2.Command(hangup=ivr_pb2.Hangup())]))
    assert step.commands == (steps.Hangup(Termination(TerminationClass.UNKNOWN, "unspecified")),)


def test_every_enum_has_a_word_of_its_own() -> None:
    for table, enum in (
        (ROLES, LegRole),
        (OPERATION_ENDS, OperationEnd),
        (OUTCOMES, RingOutcome),
        (CLASSES, TerminationClass),
    ):
        assert set(table) == set(enum)
        numbers = list(table.values())
        assert len(set(numbers)) == len(numbers)
        assert 0 not in numbers


def test_a_resumed_call_brings_all_that_is_needed() -> None:
    driver = Driver().talking()
    driver.do(MuteLeg(LEG, muted=True))
    driver.do(BeginEpoch())
    event = resumed(driver.call, 5, gateway_address="unix:g")
    assert (event.epoch, event.seq) == (2, 0)
    told = event.resumed
    assert (told.checkpoint, told.step, told.tenant_id) == (b"checkpoint 3", 3, "acme")
    assert [(leg.role, leg.state, leg.muted) for leg in told.legs] == [
        (ivr_pb2.LEG_ROLE_CALLER, "bridged", False),
        (ivr_pb2.LEG_ROLE_AGENT, "bridged", True),
    ]
    assert [report.WhichOneof("body") for report in told.events] == [
        "invited",
        "leg_ringing",
        "leg_answered",
        "operation_ended",
        "bridged",
        "mute_changed",
    ]


def test_a_call_that_never_had_a_step_begins_with_its_invitation() -> None:
    driver = Driver()
    driver.do(MediaOpened(CALLER_LEG))
    driver.do(BeginEpoch())
    driver.do(BeginEpoch())
    told = resumed(driver.call, 5, gateway_address="unix:g").resumed
    assert (told.step, told.checkpoint) == (0, b"")
    assert told.events[0].invited.gateway_address == "unix:g"


STATS = MediaStats(
    packets_received=10,
    packets_expected=9,
    packets_lost=-1,
    duplicates=1,
    late=0,
    gaps=0,
    longest_gap=0,
    jitter_ms=1.5,
    source_changes=0,
    strangers=3,
    malformed=0,
    unknown_payload=0,
    comfort_noise=0,
    first_packet_ms=None,
    remote=None,
    packets_sent=12,
    octets_sent=1,
    send_errors=0,
    far_lost=None,
    far_loss=0.25,
    far_jitter_ms=None,
    rtt_ms=None,
)


@pytest.mark.parametrize("body", FACTS, ids=lambda body: type(body).__name__)
def test_a_fact_is_published_whole(body: FactBody) -> None:
    message = fact_message(
        event_id="e", call_id="c", tenant_id="t", seq=3, at_ms=4, body=body, media=STATS
    )
    again = events_pb2.CallFact.FromString(message.SerializeToString())
    assert (again.event_id, again.call_id, again.tenant_id, again.seq, again.at_ms) == (
        "e", "c", "t", 3, 4
    )  # fmt: skip
    kind = again.WhichOneof("body")
    assert kind is not None
    assert kind.replace("_", "") == type(body).__name__.lower()
    wire = getattr(again, kind)
    if isinstance(body, facts.TransferRequested):
        told = (wire.leg_id, wire.kind, wire.target, wire.reason, wire.by)
        assert told == (LEG, "queue", "q", "why", "u")
        return
    for name in type(body).__slots__:
        given = getattr(body, name)
        if name == "termination":
            assert wire.termination.reason == "handled"
            continue
        if name == "connected":
            assert wire.state == ("connected" if given else "lost")
            continue
        read = getattr(wire, {"caller": "from", "called": "to"}.get(name, name))
        assert (tuple(read) if isinstance(given, tuple) else read) == given


def test_a_calls_messages_ride_on_its_ladder() -> None:
    ladder = Ladder()
    ladder.note(LadderStep(7, LEG, True, "127.0.0.1:5070", "INVITE", "1 INVITE"))  # noqa: FBT003 - a field
    ladder.note(LadderStep(9, LEG, True, "127.0.0.1:5070", "INVITE", "1 INVITE"))  # noqa: FBT003 - a field
    message = fact_message(
        event_id="e",
        call_id="c",
        tenant_id="t",
        seq=1,
        at_ms=1,
        body=facts.LadderNoted(),
        ladder=ladder,
    )
    (step,) = message.ladder_noted.steps
    assert step == events_pb2.LadderStep(
        at_ms=7,
        leg_id=LEG,
        sent=True,
        peer="127.0.0.1:5070",
        line="INVITE",
        cseq="1 INVITE",
        times=2,
    )


def test_a_legs_last_numbers_ride_on_its_end() -> None:
    message = fact_message(
        event_id="e", call_id="c", tenant_id="t", seq=1, at_ms=1, body=FACTS[9], media=STATS
    )
    ended = message.leg_ended
    assert (ended.packets_received, ended.packets_sent, ended.packets_lost) == (10, 12, 0)
    report = media_report(STATS)
    assert (report.far_loss_percent, report.round_trip_ms, report.first_packet_ms) == (25, -1, -1)
    assert (report.packets_lost, report.packets_from_strangers) == (0, 3)
