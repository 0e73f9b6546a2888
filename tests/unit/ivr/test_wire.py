"""Every event, command and effect has its message; what a later release adds is read safely."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from protos.acd.v1 import acd_pb2
from protos.ivr.v1 import ivr_pb2
from services.ivr.model import actions, call
from services.ivr.model.call import LegRole, OperationResult, RingOutcome
from services.ivr.model.flow import Prompt
from services.ivr.wire import (
    command_message,
    enqueue_message,
    entry_event,
    event_of,
    leg_of,
)

HELLO = Prompt(text="Hello.", language="en")
COMMANDS: list[tuple[Any, str]] = [
    (actions.AnswerCall(), "answer"),
    (actions.PlayPrompts("o1", (HELLO, Prompt(system="beep"), Prompt(sha256="b" * 64))), "play"),
    (actions.GatherDigits("o2", (HELLO,), 4, 5_000, 2_000, "#", barge_in=False), "gather"),
    (actions.RingAgent("r1", "anna", "sip:a@x", 20_000, "+491"), "ring_agent"),
    (actions.DialNumber("d1", "+492", 30_000, "+493"), "dial"),
    (actions.StopRinging("r1", "busy"), "stop_ringing"),
    (actions.BridgeLegs("r1"), "bridge"),
    (actions.SetConsent(granted=True, basis="announced"), "set_consent"),
    (
        actions.HangUpCall(actions.TerminationClass.CARRIER_ERROR, "caller-media-timeout", 480),
        "hangup",
    ),
    (actions.Note("digits", (("node", "menu"), ("digits", "*"))), "note"),
]


@pytest.mark.parametrize(("command", "body"), COMMANDS, ids=lambda value: str(value)[:20])
def test_every_command_travels(command: actions.Command, body: str) -> None:
    message = command_message(command, {HELLO: "a" * 64})
    assert message.WhichOneof("body") == body


def test_no_command_is_forgotten() -> None:
    assert {type(command) for command, _ in COMMANDS} == set(get_args(actions.Command))


def test_texts_travel_as_their_blobs() -> None:
    play = command_message(COMMANDS[1][0], {HELLO: "a" * 64}).play
    assert [prompt.sha256 or prompt.system for prompt in play.prompts] == [
        "a" * 64,
        "beep",
        "b" * 64,
    ]


EVENTS: list[tuple[dict[str, Any], Any]] = [
    (
        {
            "operation_ended": ivr_pb2.OperationEnded(
                operation="o1", reason=ivr_pb2.OperationEnded.REASON_COMPLETE, digits="5"
            )
        },
        call.OperationEnded("o1", OperationResult.COMPLETE, "5"),
    ),
    (
        {"operation_ended": ivr_pb2.OperationEnded(operation="o1")},
        call.OperationEnded("o1", OperationResult.FAILED),
    ),
    ({"leg_ringing": ivr_pb2.LegRinging(ring_id="r", leg_id="l")}, call.LegRinging("r", "l")),
    ({"leg_answered": ivr_pb2.LegAnswered(ring_id="r", leg_id="l")}, call.LegAnswered("r", "l")),
    (
        {
            "leg_failed": ivr_pb2.LegFailed(
                ring_id="r", outcome=ivr_pb2.LegFailed.OUTCOME_REJECT, sip_status=603
            )
        },
        call.LegFailed("r", RingOutcome.REJECT, 603),
    ),
    (
        {"leg_failed": ivr_pb2.LegFailed(ring_id="r")},
        call.LegFailed("r", RingOutcome.UNREACHABLE),
    ),
    ({"bridged": ivr_pb2.Bridged(ring_id="r", leg_id="l")}, call.Bridged("r")),
    (
        {"bridge_failed": ivr_pb2.BridgeFailed(ring_id="r", reason="leg-gone")},
        call.BridgeFailed("r", "leg-gone"),
    ),
    (
        {"leg_ended": ivr_pb2.LegEnded(leg_id="l", role=ivr_pb2.LEG_ROLE_CALLER, reason="hung-up")},
        call.LegEnded("l", LegRole.CALLER),
    ),
    # Whose it is cannot be told, so it is nobody whose leaving would end the call.
    ({"leg_ended": ivr_pb2.LegEnded(leg_id="l")}, call.LegEnded("l", LegRole.EXTERNAL, "", "")),
    ({"hold_changed": ivr_pb2.HoldChanged(ring_id="r", held=True)}, call.HoldChanged("r", True)),  # noqa: FBT003 - a field of data
    ({"mute_changed": ivr_pb2.MuteChanged(ring_id="r")}, call.MuteChanged("r", False)),  # noqa: FBT003 - a field of data
    (
        {
            "transfer_requested": ivr_pb2.TransferRequested(
                ring_id="r", agent_id="bob", reason="why", by_name="Ann", via_queue_id="q"
            )
        },
        call.TransferRequested("r", call.TransferKind.AGENT, "bob", "why", "Ann", "q"),
    ),
    (
        {"transfer_requested": ivr_pb2.TransferRequested(ring_id="r", queue_id="sales")},
        call.TransferRequested("r", call.TransferKind.QUEUE, "sales"),
    ),
    (
        {"transfer_requested": ivr_pb2.TransferRequested(ring_id="r", number="+1")},
        call.TransferRequested("r", call.TransferKind.NUMBER, "+1"),
    ),
]


@pytest.mark.parametrize(("body", "event"), EVENTS, ids=lambda value: str(value)[:20])
def test_every_event_is_read(body: dict[str, Any], event: call.Event) -> None:
    assert event_of(ivr_pb2.CallEvent(call_id="c", **body)) == event


def test_an_invitation_is_read_with_everything_in_it() -> None:
    more: Any = {"from": "+491"}  # a keyword, so it cannot be written as one
    invited = ivr_pb2.CallInvited(
        to="+492", display_name="Ada", trunk="t", headers={"X-B": "2", "X-A": "1"}, **more
    )
    event = event_of(ivr_pb2.CallEvent(call_id="c", invited=invited))
    assert isinstance(event, call.CallInvited)
    assert (event.call_id, event.caller, event.called, event.caller_name) == (
        "c",
        "+491",
        "+492",
        "Ada",
    )
    assert event.headers == (("X-A", "1"), ("X-B", "2"))


def test_news_of_a_later_release_is_nothing_yet() -> None:
    assert event_of(ivr_pb2.CallEvent(call_id="c", seq=4)) is None
    assert entry_event(acd_pb2.EntryUpdate(entry_id="e")) is None


def test_a_transfer_to_what_a_later_release_knows_is_nothing_yet() -> None:
    unknown = ivr_pb2.TransferRequested(ring_id="r")
    assert event_of(ivr_pb2.CallEvent(call_id="c", transfer_requested=unknown)) is None


@pytest.mark.parametrize(("elsewhere", "end"), [("", "any"), ("support", "overflow")])
def test_a_colleague_is_asked_for_thirty_seconds_and_then_others(elsewhere: str, end: str) -> None:
    request = enqueue_message(
        actions.JoinQueue(
            entry_id="e",
            queue_id="sales",
            call_id="c",
            caller="",
            priority=0,
            waiting_since_ms=0,
            skills=(("billing", 3),),
            attributes=(),
            agent_id="bob",
            else_queue_id=elsewhere,
        )
    )
    (step,) = request.plan.steps
    assert (step.expr.kind, step.expr.value, step.for_s) == ("agent", "bob", 30)
    assert (request.plan.end, request.plan.overflow_queue) == (end, elsewhere)


def test_a_place_without_an_announcement_promises_nothing() -> None:
    silent = acd_pb2.EntryUpdate(entry_id="e", position=acd_pb2.EntryPosition(position=2))
    assert entry_event(silent) == call.PositionChanged("e", 2, None)
    told = acd_pb2.EntryPosition(position=2, announced_s=0, enqueued_at_ms=7)
    event = entry_event(acd_pb2.EntryUpdate(entry_id="e", position=told))
    assert event == call.PositionChanged("e", 2, 0, 7)


def test_a_released_reservation_is_read() -> None:
    released = acd_pb2.EntryReleased(reservation_id="r", outcome="busy")
    event = entry_event(acd_pb2.EntryUpdate(entry_id="e", released=released))
    assert event == call.ReservationReleased("r", "busy")


def test_a_leg_is_read() -> None:
    view = ivr_pb2.LegView(leg_id="l", role=ivr_pb2.LEG_ROLE_AGENT, ring_id="r", state="ringing")
    assert leg_of(view) == call.LegView("l", LegRole.AGENT, "r", "ringing")
