"""Ringing, answering, bridging, talking; and every way back."""

from __future__ import annotations

from typing import Any

import pytest

from services.ivr.core.interpreter import deadline_ms
from services.ivr.core.limits import ACCEPT_LIMIT_MS
from services.ivr.model.actions import (
    AcceptReservation,
    BridgeLegs,
    CompleteContact,
    ConfirmBridged,
    ConfirmRing,
    EndReservation,
    HangUpCall,
    JoinQueue,
    LeaveQueue,
    RingAgent,
    StopRinging,
    TellHold,
    TerminationClass,
)
from services.ivr.model.call import (
    AcceptRefused,
    AgentReserved,
    Bridged,
    BridgeFailed,
    HoldChanged,
    LegAnswered,
    LegEnded,
    LegFailed,
    LegRinging,
    LegRole,
    OperationEnded,
    OperationResult,
    PositionChanged,
    QueueLeft,
    QueueUnavailable,
    ReservationAccepted,
    ReservationReleased,
    RingOutcome,
    TimePassed,
)
from services.ivr.model.checkpoint import Stage
from tests.unit.ivr.calls import HANGUP, Talk, flow_of

AGENT_LEFT = HangUpCall(TerminationClass.SUCCESS, "agent-left")
STOPPED = OperationResult.STOPPED


def waiting(*, since_ms: int = 0, **changes: Any) -> Talk:
    nodes = {"begin": {"kind": "enqueue", "queue": "support", **changes}}
    if "end" in str(changes):
        nodes["end"] = HANGUP
    talk = Talk(flow_of(nodes))
    talk.feed(PositionChanged(talk.entry, 1, None, since_ms))
    return talk


def ringing(**changes: Any) -> Talk:
    talk = waiting(**changes)
    talk.reserve()
    talk.feed(LegRinging("r1", "l2"))
    return talk


def answered(**changes: Any) -> Talk:
    talk = ringing(**changes)
    talk.feed(LegAnswered("r1", "l2"))
    return talk


def bridging(**changes: Any) -> Talk:
    talk = answered(**changes)
    talk.feed(ReservationAccepted("r1"))
    return talk


def talking(**changes: Any) -> Talk:
    talk = bridging(**changes)
    talk.feed(Bridged("r1"))
    return talk


def test_an_agent_rings_answers_and_talks() -> None:
    talk = waiting()
    talk.reserve()
    assert talk.new == [RingAgent("r1", "anna", "sip:anna@x", 20_000, "+4930111")]
    talk.feed(LegRinging("r1", "l2"))
    talk.feed(LegAnswered("r1", "l2"))
    assert deadline_ms(talk.at) == talk.now_ms + ACCEPT_LIMIT_MS
    talk.feed(ReservationAccepted("r1"))
    assert talk.new == [BridgeLegs("r1")]
    talk.feed(OperationEnded(talk.at.operation, STOPPED))
    talk.feed(Bridged("r1"))
    assert talk.effects[1:] == [
        ConfirmRing("r1", "anna"),
        AcceptReservation("r1", "anna"),
        ConfirmBridged("r1"),
    ]
    assert talk.at.stage is Stage.TALKING
    assert deadline_ms(talk.at) is None


def test_an_agent_may_be_reserved_before_the_place_is_told() -> None:
    talk = Talk(flow_of({"begin": {"kind": "enqueue", "queue": "support"}}))
    talk.reserve()
    talk.feed(LegFailed("r1", RingOutcome.BUSY))
    assert talk.at.stage is Stage.QUEUED
    assert deadline_ms(talk.at) == talk.now_ms + 1_000
    # The place is still not known, so nothing is said about it.
    talk.feed(TimePassed(), 1_000)
    assert talk.heard() == []


def test_a_phone_that_answers_without_ringing_confirms_both() -> None:
    talk = waiting()
    talk.reserve()
    talk.feed(LegAnswered("r1", "l2"))
    assert talk.effects[1:] == [ConfirmRing("r1", "anna"), AcceptReservation("r1", "anna")]


def test_a_second_180_confirms_nothing_new() -> None:
    talk = ringing()
    talk.feed(LegRinging("r1", "l2"))
    assert talk.effects[1:] == [ConfirmRing("r1", "anna")]


def test_an_agent_who_accepts_first_is_bridged_when_the_endpoint_answers() -> None:
    talk = ringing()
    talk.feed(ReservationAccepted("r1"))
    assert (talk.new, talk.at.stage) == ([], Stage.ACCEPTED)
    talk.feed(LegAnswered("r1", "l2"))
    assert talk.new == [BridgeLegs("r1")]
    assert AcceptReservation("r1", "anna") not in talk.effects


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (RingOutcome.NO_ANSWER, "no_answer"),
        (RingOutcome.REJECT, "reject"),
        (RingOutcome.BUSY, "busy"),
        (RingOutcome.UNREACHABLE, "unreachable"),
        (RingOutcome.CANCELLED, "undelivered"),
        (RingOutcome.REFUSED, "unreachable"),
    ],
)
def test_a_ring_that_fails_lets_the_agent_go_and_the_caller_wait(
    outcome: RingOutcome, told: str
) -> None:
    talk = ringing()
    talk.feed(LegFailed("r1", outcome))
    assert talk.effects[-1] == EndReservation("r1", told)
    assert talk.at.stage is Stage.QUEUED
    assert talk.new == []


def test_the_same_reservation_told_again_is_ended_again_and_not_rung() -> None:
    talk = ringing()
    talk.feed(LegFailed("r1", RingOutcome.BUSY))
    talk.reserve("r1")
    assert talk.effects[-2:] == [EndReservation("r1", "busy")] * 2
    assert talk.at.stage is Stage.QUEUED


def test_the_same_reservation_told_while_it_rings_is_ignored() -> None:
    talk = ringing()
    assert talk.reserve("r1").ignored == "rings-already"


def test_a_newer_reservation_takes_the_place_of_the_older() -> None:
    talk = answered()
    talk.reserve("r2")
    assert talk.new[0] == StopRinging("r1", "superseded")
    assert talk.new[1].reservation_id == "r2"
    assert talk.at.stage is Stage.RINGING


def test_a_newer_reservation_while_bridging_brings_the_music_back() -> None:
    talk = bridging()
    talk.end(result=STOPPED)
    talk.reserve("r2")
    assert talk.heard() == ["music"]


@pytest.mark.parametrize(("asked_ms", "rung_ms"), [(0, 1_000), (9_999_999, 180_000)])
def test_a_ring_time_out_is_kept_within_reason(asked_ms: int, rung_ms: int) -> None:
    talk = waiting()
    talk.reserve("r1", asked_ms)
    assert talk.new[0].timeout_ms == rung_ms


def test_a_released_reservation_rings_no_more() -> None:
    talk = ringing()
    before = list(talk.effects)
    talk.feed(ReservationReleased("r1", "undelivered"))
    assert talk.new == [StopRinging("r1", "undelivered")]
    assert talk.effects == before
    assert talk.at.stage is Stage.QUEUED


def test_a_message_due_while_ringing_is_said_afterwards() -> None:
    talk = waiting(message_every_s=8)
    talk.reserve()
    assert talk.feed(TimePassed(), 5_000).ignored == "not-due"
    talk.feed(LegFailed("r1", RingOutcome.REJECT), 5_000)
    assert deadline_ms(talk.at) == talk.now_ms + 1_000
    talk.feed(TimePassed(), 1_000)
    assert talk.heard() == ["You are number 1 in the queue."]


@pytest.mark.parametrize(("rang", "told"), [(True, "no_answer"), (False, "undelivered")])
def test_a_ring_of_which_nothing_is_heard_is_given_up(*, rang: bool, told: str) -> None:
    talk = waiting()
    talk.reserve()
    if rang:
        talk.feed(LegRinging("r1", "l2"))
    assert deadline_ms(talk.at) == talk.now_ms + 30_000
    talk.feed(TimePassed(), 30_000)
    assert talk.new == [StopRinging("r1", "no-answer")]
    assert talk.effects[-1] == EndReservation("r1", told)


def test_an_acceptance_of_which_nothing_is_heard_is_given_up() -> None:
    talk = answered()
    talk.feed(TimePassed(), ACCEPT_LIMIT_MS)
    assert talk.effects[-1] == EndReservation("r1", "connect_failed")
    assert talk.at.stage is Stage.QUEUED


def test_an_acceptance_that_acd_refuses_releases_the_phone() -> None:
    talk = answered()
    talk.feed(AcceptRefused("r1", "answered-elsewhere"))
    assert talk.new == [StopRinging("r1", "bridge-failed")]
    assert talk.at.stage is Stage.QUEUED


def test_a_leg_that_goes_after_its_answer_is_no_end_for_the_caller() -> None:
    talk = answered()
    talk.feed(LegEnded("l2", LegRole.AGENT, "r1"))
    assert talk.new == []
    assert talk.effects[-1] == EndReservation("r1", "connect_failed")
    assert talk.at.stage is Stage.QUEUED


def test_a_leg_that_goes_while_ringing_was_unreachable() -> None:
    talk = ringing()
    talk.feed(LegEnded("l2", LegRole.AGENT, "r1"))
    assert talk.effects[-1] == EndReservation("r1", "unreachable")


def test_a_leg_that_fails_after_its_answer_was_not_refused_by_a_person() -> None:
    talk = answered()
    talk.feed(LegFailed("r1", RingOutcome.REJECT))
    assert talk.effects[-1] == EndReservation("r1", "connect_failed")


def test_a_bridge_that_fails_brings_the_music_back() -> None:
    talk = bridging()
    talk.end(result=STOPPED)
    talk.feed(BridgeFailed("r1", "leg-gone"))
    assert talk.new[0] == StopRinging("r1", "bridge-failed")
    assert talk.heard() == ["music"]
    assert talk.effects[-1] == EndReservation("r1", "connect_failed")


def test_a_bridge_that_fails_before_the_music_is_reported_stopped_brings_it_back_too() -> None:
    talk = bridging()
    talk.feed(BridgeFailed("r1", "leg-gone"))
    assert talk.heard() == []
    talk.end(result=STOPPED)
    assert talk.heard() == ["music"]


def test_a_caller_who_goes_in_the_moment_of_answering_has_abandoned() -> None:
    talk = bridging()
    entry = talk.entry
    talk.feed(LegEnded("l1", LegRole.CALLER))
    assert talk.effects[-1] == LeaveQueue(entry, "abandoned", "caller-hung-up")
    assert talk.new == [HangUpCall(TerminationClass.SUCCESS, "caller-hung-up")]
    assert talk.feed(Bridged("r1")).ignored == "call-is-over"


def test_a_caller_who_goes_after_the_bridge_was_served() -> None:
    talk = talking()
    talk.feed(LegEnded("l1", LegRole.CALLER))
    assert talk.effects[-2:] == [
        ConfirmBridged("r1"),
        CompleteContact("r1", "caller", "caller-hung-up"),
    ]


def test_an_agent_who_hangs_up_ends_the_call() -> None:
    talk = talking()
    talk.feed(LegEnded("l2", LegRole.AGENT, "r1"))
    assert talk.effects[-1] == CompleteContact("r1", "agent", "agent-left")
    assert talk.new == [AGENT_LEFT]


def test_a_flow_may_go_on_after_the_agent() -> None:
    nodes = {
        "begin": {"kind": "enqueue", "queue": "support", "after_agent": "survey"},
        "survey": {"kind": "say", "text": "How was it?", "next": "end"},
        "end": HANGUP,
    }
    talk = Talk(flow_of(nodes))
    talk.reserve()
    for event in (LegAnswered("r1", "l2"), ReservationAccepted("r1"), Bridged("r1")):
        talk.feed(event)
    talk.feed(LegEnded("l2", LegRole.AGENT, "r1"))
    assert talk.heard() == ["How was it?"]
    assert (talk.at.stay, talk.at.ring) == (None, None)


@pytest.mark.parametrize("reason", ["media-timeout", "signalling-lost"])
def test_a_caller_whose_agent_was_lost_waits_from_where_the_wait_began(reason: str) -> None:
    talk = talking(since_ms=1_000)
    talk.feed(LegEnded("l2", LegRole.AGENT, "r1", reason))
    complete, join = talk.effects[-2:]
    assert complete == CompleteContact("r1", "system", "agent-lost")
    assert isinstance(join, JoinQueue)
    assert (join.queue_id, join.waiting_since_ms) == ("support", 1_000)
    # Lost once more, the wait still counts from where it began first.
    talk.feed(PositionChanged(talk.entry, 1, None, 9_000))
    talk.feed(QueueLeft(talk.entry, "overflowed", "backup"))
    assert talk.effects[-1].waiting_since_ms == 1_000
    # That it was lost is said once, not with every queue that follows.
    assert talk.heard() == ["music"]


def test_hold_by_the_agent_is_told_to_acd_and_hold_by_the_caller_is_not() -> None:
    talk = talking()
    talk.feed(HoldChanged("r1", held=True))
    assert talk.effects[-1] == TellHold("r1", held=True)
    assert talk.feed(HoldChanged("", held=True)).ignored == "no-matter"


def test_a_second_agent_for_a_caller_who_talks_is_not_rung() -> None:
    talk = talking()
    talk.reserve("r1")
    assert talk.effects[-1] == ConfirmBridged("r1")
    talk.reserve("r2")
    assert talk.effects[-1] == LeaveQueue(talk.entry, "failed", "talks-already")
    assert talk.new == []
    assert (
        talk.feed(AgentReserved("other", "r3", "anna", "sip:a@x", 1_000)).ignored == "stale-entry"
    )


def test_nothing_that_acd_says_cuts_a_conversation() -> None:
    talk = talking()
    for event in (
        ReservationReleased("r1", "connect_failed"),
        QueueLeft(talk.entry, "failed"),
        QueueUnavailable(talk.entry, "acd-away"),
        ReservationAccepted("r1"),
    ):
        assert talk.feed(event).ignored
    assert talk.at.stage is Stage.TALKING


def test_a_queue_that_ends_while_an_agent_rings_stops_the_ring() -> None:
    talk = ringing(on_exit={"timeout": "end"})
    talk.feed(QueueLeft(talk.entry, "timeout"))
    assert talk.new[0] == StopRinging("r1", "timeout")
    assert talk.at.stage is Stage.ENDED


def test_acd_lost_while_an_agent_rings_stops_the_ring() -> None:
    talk = ringing()
    talk.feed(QueueUnavailable(talk.entry, "acd-away"))
    assert talk.new[0] == StopRinging("r1", "acd-away")
    assert talk.heard() == ["We have a problem."]


def test_acd_lost_while_bridging_changes_nothing() -> None:
    talk = bridging()
    assert talk.feed(QueueUnavailable(talk.entry, "acd-away")).ignored == "bridging"


@pytest.mark.parametrize(
    "event",
    [
        LegRinging("other", "l9"),
        LegAnswered("other", "l9"),
        LegFailed("other", RingOutcome.BUSY),
        LegEnded("l9", LegRole.AGENT, "other"),
        LegEnded("l9", LegRole.AGENT, ""),
        ReservationReleased("other", "busy"),
        ReservationAccepted("other"),
    ],
)
def test_news_of_another_ring_is_ignored(event: Any) -> None:
    assert ringing().feed(event).ignored == "stale-ring"


def test_a_queue_without_messages_has_none_after_a_ring_either() -> None:
    talk = waiting(messages=[])
    talk.reserve()
    talk.feed(LegFailed("r1", RingOutcome.BUSY))
    assert deadline_ms(talk.at) is None


def test_the_leave_key_comes_too_late_once_the_agent_answered() -> None:
    talk = answered(leave_key="*", on_leave="end")
    talk.key("*")
    assert talk.heard() == ["music"]
    assert talk.at.stage is Stage.ANSWERED


def test_a_reservation_for_another_entry_is_ignored() -> None:
    event = AgentReserved("other", "r9", "anna", "sip:a@x", 1_000)
    assert waiting().feed(event).ignored == "stale-entry"
