"""An agent hands the caller on: to a queue, a colleague or a number, and back when it fails."""

from __future__ import annotations

from typing import Any

import pytest

from services.ivr.core.interpreter import deadline_ms
from services.ivr.core.limits import RING_GRACE_MS, TRANSFER_RING_MS
from services.ivr.core.resuming import resume
from services.ivr.model.actions import (
    BridgeLegs,
    CompleteContact,
    DialNumber,
    HangUpCall,
    JoinQueue,
    LeaveQueue,
    PlayPrompts,
    StopRinging,
    TerminationClass,
)
from services.ivr.model.call import (
    Bridged,
    BridgeFailed,
    LegAnswered,
    LegEnded,
    LegFailed,
    LegRole,
    LegView,
    OperationResult,
    QueueLeft,
    QueueUnavailable,
    ReservationAccepted,
    RingOutcome,
    TimePassed,
    TransferKind,
    TransferRequested,
)
from services.ivr.model.checkpoint import Stage
from services.ivr.model.flow import Prompt
from tests.unit.ivr.calls import Talk
from tests.unit.ivr.test_ringing import ringing, talking

SINCE_MS = 1_749_999_000_000
DONE = CompleteContact("r1", "agent", "transfer")
CALLER = LegView("l1", LegRole.CALLER, "", "answered")


def asked(kind: TransferKind, target: str, **more: Any) -> TransferRequested:
    return TransferRequested("r1", kind, target, "wants to buy", "Ann", **more)


TO_QUEUE = asked(TransferKind.QUEUE, "sales")
TO_AGENT = asked(TransferKind.AGENT, "bob")
TO_NUMBER = asked(TransferKind.NUMBER, "+12025550188")


def handed(event: TransferRequested, **changes: Any) -> Talk:
    talk = talking(since_ms=SINCE_MS, **changes)
    talk.feed(event)
    return talk


def joined(talk: Talk) -> JoinQueue:
    (effect,) = [effect for effect in talk.last.effects if isinstance(effect, JoinQueue)]
    return effect


def why(request: JoinQueue) -> dict[str, str]:
    return {name: text for name, text in request.attributes if name.startswith("transfer")}


def test_the_agents_part_ends_and_music_plays_at_once() -> None:
    talk = handed(TO_QUEUE)
    assert talk.last.effects[0] == DONE
    assert talk.new[0] == StopRinging("r1", "transferred")
    assert talk.heard() == ["music"]
    assert talk.at.stage is Stage.JOINING
    begun = ("transfer-begun", {"to": "queue", "target": "sales", "reason": "wants to buy"})
    assert begun in talk.notes()
    # The leg's own end is no news.
    assert talk.feed(LegEnded("l2", LegRole.AGENT, "r1", "ended-by-command")).ignored


def test_in_another_queue_the_caller_waits_anew_and_the_agent_there_sees_why() -> None:
    request = joined(handed(TO_QUEUE, priority=7, attributes={"topic": "shoes"}))
    assert (request.queue_id, request.priority, request.waiting_since_ms) == ("sales", 7, 0)
    assert why(request) == {
        "transfer_reason": "wants to buy",
        "transferred_by": "Ann",
        "transferred_from": "support",
    }
    assert ("topic", "shoes") in request.attributes


def test_a_colleague_is_asked_first_at_the_old_place_and_then_anybody() -> None:
    request = joined(handed(TO_AGENT))
    assert (request.queue_id, request.agent_id, request.else_queue_id) == ("support", "bob", "")
    assert request.waiting_since_ms == SINCE_MS


def test_a_colleague_of_another_queue_is_asked_there() -> None:
    talk = handed(asked(TransferKind.AGENT, "bob", via_queue_id="sales"))
    request = joined(talk)
    assert (request.queue_id, request.agent_id) == ("sales", "bob")
    assert (request.else_queue_id, request.waiting_since_ms) == ("support", 0)
    talk.feed(QueueLeft(talk.entry, "overflowed", "support"))
    back = joined(talk)
    assert (back.queue_id, back.agent_id, back.waiting_since_ms) == ("support", "", SINCE_MS)
    assert why(back)["transfer_failed"] == "agent: bob"


@pytest.mark.parametrize(
    "way_out", ["timeout", "closed", "refused_full", "refused_no_agents", "failed", "overflowed"]
)
def test_whom_a_queue_does_not_take_comes_back_to_the_old_place(way_out: str) -> None:
    talk = handed(TO_QUEUE)
    talk.feed(QueueLeft(talk.entry, way_out, message="Closed."))
    back = joined(talk)
    assert (back.queue_id, back.waiting_since_ms) == ("support", SINCE_MS)
    assert why(back)["transfer_failed"] == "queue: sales"
    assert talk.heard() == ["music"]
    assert (
        "transfer-failed",
        {"to": "queue", "target": "sales", "reason": way_out},
    ) in talk.notes()


def test_a_queue_that_does_not_exist_takes_nobody() -> None:
    talk = handed(TO_QUEUE)
    talk.feed(QueueUnavailable(talk.entry, "no-such-queue"))
    assert joined(talk).queue_id == "support"


def test_a_queue_may_send_on_whom_it_was_handed() -> None:
    talk = handed(TO_QUEUE)
    talk.feed(QueueLeft(talk.entry, "overflowed", "sales-two"))
    request = joined(talk)
    assert request.queue_id == "sales-two"
    assert why(request)["transfer_reason"] == "wants to buy"


def test_who_has_come_back_leaves_the_queue_as_the_flow_says() -> None:
    talk = handed(TO_QUEUE, on_exit={"timeout": "end"})
    talk.feed(QueueLeft(talk.entry, "closed"))
    talk.feed(QueueLeft(talk.entry, "timeout"))
    assert talk.at.stage is Stage.ENDED
    assert talk.at.handing is None


def test_with_acd_away_a_transfer_fails_as_any_wait_does() -> None:
    talk = handed(TO_QUEUE)
    talk.feed(QueueUnavailable(talk.entry, "acd-away"))
    assert talk.at.treated == "acd-away"


def test_a_number_is_dialled_with_music_and_joined() -> None:
    talk = handed(TO_NUMBER, music={"system": "beep"})
    assert talk.last.effects == (DONE,)
    music, dial = talk.new[1:]
    assert music == PlayPrompts(talk.at.operation, (Prompt(system="beep"),), loop=True)
    assert dial == DialNumber("d1", "+12025550188", TRANSFER_RING_MS, "")
    assert deadline_ms(talk.at) == talk.now_ms + TRANSFER_RING_MS + RING_GRACE_MS
    talk.end()
    assert talk.heard() == ["beep"]
    talk.feed(LegAnswered("d1", "l3"))
    assert talk.new == [BridgeLegs("d1")]
    talk.feed(Bridged("d1"))
    talk.feed(LegEnded("l3", LegRole.EXTERNAL, "d1"))
    assert talk.new == [HangUpCall(TerminationClass.SUCCESS, "far-end-left")]


def test_after_the_conversation_outside_the_flow_goes_on_as_after_an_agent() -> None:
    talk = handed(TO_NUMBER, after_agent="end")
    talk.feed(LegAnswered("d1", "l3"))
    talk.feed(Bridged("d1"))
    talk.feed(LegEnded("l3", LegRole.EXTERNAL, "d1"))
    assert talk.at.node == "end"


@pytest.mark.parametrize("music", ["{queue} music", "music"])
def test_music_that_cannot_be_had_is_the_gateways_own(music: str) -> None:
    talk = handed(TO_NUMBER, music=music)
    talk.end(result=OperationResult.FAILED)
    assert talk.heard() == ["music"]


@pytest.mark.parametrize(
    "event",
    [
        LegFailed("d1", RingOutcome.BUSY),
        LegFailed("d1", RingOutcome.REFUSED),
        LegEnded("l3", LegRole.EXTERNAL, "d1"),
    ],
)
def test_a_number_that_is_not_reached_brings_the_caller_back(event: Any) -> None:
    talk = handed(TO_NUMBER)
    talk.feed(event, 5_000)
    back = joined(talk)
    assert (back.queue_id, back.waiting_since_ms) == ("support", SINCE_MS)
    assert why(back)["transfer_failed"] == "number: +12025550188"
    assert talk.heard() == ["music"]


def test_a_number_that_cannot_be_joined_brings_the_caller_back() -> None:
    talk = handed(TO_NUMBER)
    talk.feed(LegAnswered("d1", "l3"))
    talk.feed(BridgeFailed("d1", "leg-gone"))
    assert joined(talk).queue_id == "support"


def test_a_gateway_that_says_nothing_of_the_number_does_not_keep_the_caller() -> None:
    talk = handed(TO_NUMBER)
    talk.feed(TimePassed(), TRANSFER_RING_MS + RING_GRACE_MS)
    assert talk.new[0] == StopRinging("d1", "no-answer")
    assert joined(talk).queue_id == "support"


def test_a_caller_who_hangs_up_leaves_what_they_wait_for() -> None:
    gone = LegEnded("l1", LegRole.CALLER)
    talk = handed(TO_QUEUE)
    entry = talk.entry
    assert talk.feed(gone).effects == (LeaveQueue(entry, "abandoned", "caller-hung-up"),)
    outside = handed(TO_NUMBER)
    assert outside.feed(gone).effects == ()
    assert outside.new == [HangUpCall(TerminationClass.SUCCESS, "caller-hung-up")]


def test_the_next_agent_may_hand_on_again() -> None:
    talk = handed(TO_QUEUE)
    talk.place()
    talk.reserve("r2")
    talk.feed(LegAnswered("r2", "l3"))
    talk.feed(ReservationAccepted("r2"))
    talk.feed(Bridged("r2"))
    again = TransferRequested("r2", TransferKind.QUEUE, "third", "again", "Bob")
    talk.feed(again)
    assert talk.last.effects[0] == CompleteContact("r2", "agent", "transfer")
    assert why(joined(talk))["transferred_from"] == "sales"


def test_only_the_agent_who_talks_hands_on() -> None:
    talk = ringing()
    assert talk.feed(TO_QUEUE).ignored == "not-talking"
    talk = talking()
    stale = TransferRequested("r9", TransferKind.QUEUE, "sales")
    assert talk.feed(stale).ignored == "stale-ring"
    outside = handed(TO_NUMBER)
    outside.feed(LegAnswered("d1", "l3"))
    outside.feed(Bridged("d1"))
    own = TransferRequested("d1", TransferKind.QUEUE, "sales")
    assert outside.feed(own).ignored == "no-agent-talks"


@pytest.mark.parametrize("event", [TO_QUEUE, TO_AGENT, TO_NUMBER])
def test_another_replica_goes_on_with_a_transfer(event: TransferRequested) -> None:
    talk = handed(event)
    ring = () if talk.at.ring is None else (LegView("l3", LegRole.EXTERNAL, "d1", "ringing"),)
    outcome = resume(
        talk.flow,
        talk.at,
        legs=(CALLER, *ring),
        events=(),
        operation=talk.at.operation,
        now_ms=talk.now_ms,
    )
    assert outcome.checkpoint == talk.at
    assert outcome.commands == ()
    assert outcome.effects == talk.last.effects


def test_another_replica_learns_of_a_transfer_that_nobody_took_up() -> None:
    talk = talking(since_ms=SINCE_MS)
    outcome = resume(
        talk.flow,
        talk.at,
        legs=(CALLER, LegView("l2", LegRole.AGENT, "r1", "bridged")),
        events=(TO_QUEUE,),
        operation="",
        now_ms=talk.now_ms,
    )
    assert DONE in outcome.effects
    assert outcome.checkpoint.stage is Stage.JOINING
