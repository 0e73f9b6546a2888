"""Agents in browsers, agents who are lost, and a routing that takes its time."""

from __future__ import annotations

import pytest

from services.ivr.core.interpreter import deadline_ms
from services.ivr.core.limits import DELAY_AFTER_MS
from services.ivr.core.resuming import resume
from services.ivr.model.actions import (
    BridgeLegs,
    CompleteContact,
    ConfirmBridged,
    EndReservation,
    JoinQueue,
    RingAgent,
    StopRinging,
)
from services.ivr.model.call import (
    AgentReserved,
    Bridged,
    LegAnswered,
    LegEnded,
    LegFailed,
    LegRinging,
    LegRole,
    LegView,
    PositionChanged,
    ReservationAccepted,
    ReservationReleased,
    RingOutcome,
    TimePassed,
)
from services.ivr.model.checkpoint import Stage
from tests.unit.ivr.calls import Talk, flow_of
from tests.unit.ivr.test_ringing import talking, waiting

QUEUE = {"begin": {"kind": "enqueue", "queue": "support"}}
CALLER = LegView("l1", LegRole.CALLER, "", "answered")
LOST = "We are sorry, the connection to your agent was lost. You keep your place in the queue."
DELAY = "We are sorry, this takes a little longer than usual. Please stay on the line."


def reserved(talk: Talk, reservation_id: str = "r1") -> Talk:
    talk.feed(AgentReserved(talk.entry, reservation_id, "anna", "webrtc:", 20_000))
    return talk


def in_browser() -> Talk:
    talk = reserved(waiting())
    talk.feed(ReservationAccepted("r1"))
    talk.feed(Bridged("r1"))
    return talk


def test_an_agent_in_a_browser_is_bridged_when_acd_says_accepted() -> None:
    talk = reserved(waiting())
    assert talk.new == [RingAgent("r1", "anna", "webrtc:", 20_000, "+4930111")]
    before = list(talk.effects)
    talk.feed(ReservationAccepted("r1"))
    assert talk.new == [BridgeLegs("r1")]
    assert talk.effects == before
    talk.feed(Bridged("r1"))
    assert talk.effects[-1] == ConfirmBridged("r1")
    assert talk.at.stage is Stage.TALKING


@pytest.mark.parametrize("event", [LegRinging("r1", "l2"), LegAnswered("r1", "l2")])
def test_what_a_browsers_leg_says_is_no_ring_and_no_acceptance(
    event: LegRinging | LegAnswered,
) -> None:
    talk = reserved(waiting())
    assert talk.feed(event).ignored == "connects-by-itself"
    assert talk.at.stage is Stage.RINGING


def test_a_browser_that_does_not_connect_frees_the_agent_and_the_caller_waits_on() -> None:
    talk = reserved(waiting())
    talk.feed(LegFailed("r1", RingOutcome.UNREACHABLE))
    assert talk.effects[-1] == EndReservation("r1", "unreachable")
    assert talk.at.stage is Stage.QUEUED
    reserved(talk, "r2")
    talk.feed(ReservationAccepted("r2"))
    talk.feed(LegFailed("r2", RingOutcome.UNREACHABLE))
    assert talk.effects[-1] == EndReservation("r2", "connect_failed")
    assert talk.at.stage is Stage.QUEUED


def test_an_agent_who_was_released_can_be_reserved_again() -> None:
    talk = reserved(waiting())
    talk.feed(ReservationReleased("r1", "reject"))
    assert talk.new == [StopRinging("r1", "reject")]
    reserved(talk, "r2")
    talk.feed(ReservationAccepted("r2"))
    assert talk.new == [BridgeLegs("r2")]


def test_a_browser_that_nobody_heard_of_is_given_up_without_blame() -> None:
    talk = reserved(waiting())
    talk.feed(TimePassed(), 30_000)
    assert talk.effects[-1] == EndReservation("r1", "undelivered")


@pytest.mark.parametrize("state", ["ringing", "answered"])
def test_another_replica_takes_no_connection_for_an_acceptance(state: str) -> None:
    talk = reserved(waiting())
    legs = (CALLER, LegView("l2", LegRole.AGENT, "r1", state))
    again = resume(
        talk.flow,
        talk.at,
        legs=legs,
        events=(),
        operation=talk.at.operation,
        now_ms=talk.now_ms,
    )
    assert again.checkpoint.stage is Stage.RINGING
    (join,) = again.effects
    assert isinstance(join, JoinQueue)


def test_a_caller_whose_agent_does_not_come_back_is_told_and_keeps_the_wait() -> None:
    talk = in_browser()
    first = talk.entry
    talk.feed(PositionChanged(first, 1, None, 1_000))
    talk.feed(LegEnded("l2", LegRole.AGENT, "r1", "connection-lost"))
    complete, join = talk.effects[-2:]
    assert complete == CompleteContact("r1", "system", "connection-lost")
    assert isinstance(join, JoinQueue)
    assert join.queue_id == "support"
    assert join.entry_id != first
    assert talk.heard() == [LOST]
    talk.end()
    assert talk.heard() == ["music"]


def test_the_wait_counts_from_where_it_began_before_the_agent_was_lost() -> None:
    talk = talking(since_ms=1_000)
    talk.feed(LegEnded("l2", LegRole.AGENT, "r1", "connection-lost"))
    assert talk.effects[-1].waiting_since_ms == 1_000


def test_who_was_reserved_at_once_comes_back_to_where_the_waiting_began() -> None:
    # No position was ever told: the reservation says it.
    talk = Talk(flow_of(QUEUE))
    talk.feed(AgentReserved(talk.entry, "r1", "anna", "webrtc:", 20_000, 123_000))
    talk.feed(ReservationAccepted("r1"))
    talk.feed(Bridged("r1"))
    talk.feed(LegEnded("l2", LegRole.AGENT, "r1", "connection-lost"))
    assert talk.effects[-1].waiting_since_ms == 123_000


def test_an_agent_who_hangs_up_in_a_browser_ends_the_call_as_any_other() -> None:
    talk = in_browser()
    talk.feed(LegEnded("l2", LegRole.AGENT, "r1", "hung-up"))
    assert talk.effects[-1] == CompleteContact("r1", "agent", "agent-left")
    assert talk.at.stage is Stage.ENDED


def test_who_waits_long_for_a_place_is_told_once() -> None:
    talk = Talk(flow_of(QUEUE))
    assert talk.feed(TimePassed(), DELAY_AFTER_MS - 1).ignored == "not-due"
    talk.feed(TimePassed(), 1)
    assert talk.heard() == [DELAY]
    assert deadline_ms(talk.at) is None
    talk.end()
    assert talk.heard() == ["music"]
    assert talk.feed(TimePassed(), 60_000).ignored == "not-due"
    talk.place()
    assert talk.at.stage is Stage.QUEUED


def test_where_there_are_no_words_the_music_plays_on() -> None:
    talk = Talk(flow_of(QUEUE, language="de"))
    talk.feed(TimePassed(), DELAY_AFTER_MS)
    assert talk.heard() == []
    reserved(talk)
    talk.feed(ReservationAccepted("r1"))
    talk.feed(Bridged("r1"))
    talk.feed(LegEnded("l2", LegRole.AGENT, "r1", "connection-lost"))
    assert talk.heard() == ["music"]
