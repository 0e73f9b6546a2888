"""Ringing an endpoint, by example."""

from __future__ import annotations

import pytest

from media_gateway.core import events as e
from media_gateway.core import facts, reports
from media_gateway.core import happenings as h
from media_gateway.core.steps import (
    Dial,
    JoinLegs,
    RingAgent,
    StopRinging,
)
from media_gateway.model import (
    CALLER_LEG,
    MAX_LEGS,
    LegEnd,
    LegRole,
    LegState,
    OperationEnd,
    RingOutcome,
)
from tests.unit.gateway.driver import (
    AGENT_LEG,
    Driver,
    any_of,
    only,
    published,
    told,
)


def test_an_agents_phone_rings_answers_and_is_bridged() -> None:
    driver = Driver().answered()
    driver.do(h.MediaHeard(CALLER_LEG))
    events = driver.step(RingAgent("r.1", "agent-1", "sip:100@127.0.0.1:5070", 20_000, "Ann"))
    assert only(events, e.OpenMedia).leg_id == AGENT_LEG
    invite = only(driver.do(h.MediaOpened(AGENT_LEG)), e.SendInvite)
    assert invite.leg.target == "sip:100@127.0.0.1:5070"
    assert (invite.codec, invite.leg.shown, invite.leg.display) == ("PCMU", "+12025550123", "Ann")
    assert told(driver.do(h.LegRings(AGENT_LEG))) == [reports.LegRinging("r.1", AGENT_LEG)]
    assert told(driver.do(h.LegRings(AGENT_LEG))) == []
    answered = driver.do(h.LegAnswers(AGENT_LEG, "PCMU"))
    assert told(answered) == [reports.LegAnswered("r.1", AGENT_LEG)]
    joining = driver.step(JoinLegs("r.1"))
    assert told(joining) == [reports.OperationEnded("hold", OperationEnd.STOPPED)]
    assert any_of(joining, e.ConnectMedia)
    driver.now_ms += 40
    joined = driver.do(h.MediaHeard(AGENT_LEG))
    assert told(joined) == [reports.Bridged("r.1", AGENT_LEG)]
    assert facts.LegsBridged(CALLER_LEG, AGENT_LEG, 40, ()) in published(joined)
    assert [leg.state for leg in driver.call.legs] == [LegState.BRIDGED] * 2


def test_a_silent_phone_is_bridged_after_some_patience_and_named() -> None:
    driver = Driver().ringing()
    driver.do(h.LegAnswers(AGENT_LEG, "PCMU"))
    driver.do(h.MediaHeard(CALLER_LEG))
    driver.step(JoinLegs("r.1"))
    assert not told(driver.wait(1_499))
    joined = driver.wait(1)
    assert facts.LegsBridged(CALLER_LEG, AGENT_LEG, 1_500, (AGENT_LEG,)) in published(joined)


def test_bridging_answers_a_caller_who_was_not() -> None:
    driver = Driver().attached()
    driver.step(RingAgent("r.1", "agent-1", "sip:100@127.0.0.1:5070", 20_000))
    driver.do(h.MediaOpened(AGENT_LEG))
    driver.do(h.LegAnswers(AGENT_LEG, "PCMU"))
    assert any_of(driver.step(JoinLegs("r.1")), e.SendAnswer)


@pytest.mark.parametrize(
    ("rang", "status", "outcome"),
    [
        (True, 486, RingOutcome.BUSY),
        (False, 600, RingOutcome.BUSY),
        (False, 603, RingOutcome.REJECT),
        (True, 480, RingOutcome.REJECT),
        (False, 480, RingOutcome.UNREACHABLE),
        (True, 404, RingOutcome.UNREACHABLE),
        (True, 302, RingOutcome.UNREACHABLE),
        (False, 503, RingOutcome.UNREACHABLE),
        (False, 408, RingOutcome.UNREACHABLE),
    ],
)
def test_a_refusal_is_told_for_what_it_means(
    *, rang: bool, status: int, outcome: RingOutcome
) -> None:
    driver = Driver().answered()
    driver.step(RingAgent("r.1", "agent-1", "sip:100@127.0.0.1:5070", 20_000))
    driver.do(h.MediaOpened(AGENT_LEG))
    if rang:
        driver.do(h.LegRings(AGENT_LEG))
    events = driver.do(h.LegRefuses(AGENT_LEG, status))
    assert told(events) == [reports.LegFailed("r.1", outcome, status)]
    assert any_of(events, e.CloseMedia)
    assert [leg.role for leg in driver.call.legs] == [LegRole.CALLER]
    assert driver.call.leg(CALLER_LEG).state is LegState.ANSWERED


def test_a_phone_that_shows_no_sign_of_life_is_unreachable() -> None:
    driver = Driver().answered()
    driver.step(RingAgent("r.1", "agent-1", "sip:100@127.0.0.1:5070", 20_000))
    driver.do(h.MediaOpened(AGENT_LEG))
    driver.do(h.LegResponds(AGENT_LEG))
    assert not told(driver.wait(2_999))
    events = driver.wait(1)
    assert told(events) == [reports.LegFailed("r.1", RingOutcome.UNREACHABLE)]
    assert any_of(events, e.SendCancel)


def test_a_phone_that_is_not_answered_in_time_is_cancelled() -> None:
    driver = Driver().ringing()
    assert not told(driver.wait(19_999))
    events = driver.wait(1)
    assert told(events) == [reports.LegFailed("r.1", RingOutcome.NO_ANSWER)]
    assert only(events, e.SendCancel).leg_id == AGENT_LEG
    assert told(driver.do(h.LegRefuses(AGENT_LEG, 487))) == []
    assert len(driver.call.legs) == 1


def test_a_stopped_ring_says_answered_elsewhere() -> None:
    driver = Driver().ringing()
    events = driver.step(StopRinging("r.1", "answered-elsewhere"))
    assert told(events) == [reports.LegFailed("r.1", RingOutcome.CANCELLED)]
    assert only(events, e.SendCancel).reason == "answered-elsewhere"
    assert driver.step(StopRinging("r.1"), StopRinging("unknown")) is not None


def test_an_answered_leg_that_lost_the_race_is_let_go() -> None:
    driver = Driver().ringing()
    driver.do(h.LegAnswers(AGENT_LEG, "PCMU"))
    events = driver.step(StopRinging("r.1", "answered-elsewhere"))
    assert only(events, e.SendBye).reason == "answered-elsewhere"
    assert told(events) == [reports.LegEnded(AGENT_LEG, LegRole.AGENT, "r.1", LegEnd.BY_COMMAND)]


def test_an_answer_after_the_cancel_moves_nothing() -> None:
    driver = Driver().ringing()
    driver.wait(20_000)
    assert driver.do(h.LegAnswers(AGENT_LEG, "PCMU")) == []
    assert driver.do(h.LegRings(AGENT_LEG)) == []


def test_unusable_media_in_an_answer_lets_the_phone_go() -> None:
    driver = Driver().ringing()
    events = driver.do(h.LegAnswersUnusably(AGENT_LEG))
    assert only(events, e.SendBye).reason == "no-common-codec"
    assert told(events) == [reports.LegFailed("r.1", RingOutcome.UNREACHABLE, 488)]


@pytest.mark.parametrize(
    "endpoint",
    ["sip:100@192.0.2.1", "sip:100@phones.example", "sips:100@127.0.0.1", "tel:100", "", "x" * 300],
)
def test_an_endpoint_elsewhere_is_refused_before_anything_is_sent(endpoint: str) -> None:
    driver = Driver().answered()
    events = driver.step(RingAgent("r.1", "agent-1", endpoint, 20_000))
    assert told(events) == [reports.LegFailed("r.1", RingOutcome.REFUSED)]
    assert not any_of(events, e.OpenMedia)


def test_a_number_outside_goes_by_the_trunk() -> None:
    driver = Driver().answered()
    events = driver.step(Dial("d.1", "+1 (202) 555-0199", 30_000))
    assert any_of(events, e.OpenMedia)
    leg = driver.call.leg(AGENT_LEG)
    assert (leg.target, leg.shown) == ("sip:+12025550199@127.0.0.1:5080", "+12025550100")


def test_a_call_rings_only_so_many_legs() -> None:
    driver = Driver().answered()
    for count in range(1, MAX_LEGS):
        ring = RingAgent(f"r.{count}", "agent", "sip:1@127.0.0.1", 9_000)
        assert not told(driver.step(ring))
        assert not any_of(driver.step(ring), e.OpenMedia)
    last = driver.step(RingAgent("r.9", "agent", "sip:1@127.0.0.1", 9_000))
    assert told(last) == [reports.LegFailed("r.9", RingOutcome.REFUSED)]


def test_bridging_what_is_not_there_fails_and_leaves_the_caller() -> None:
    driver = Driver().ringing()
    assert told(driver.step(JoinLegs("r.1"))) == [reports.BridgeFailed("r.1", "leg-not-answered")]
    driver.do(h.LegRefuses(AGENT_LEG, 486))
    assert told(driver.step(JoinLegs("r.1"))) == [reports.BridgeFailed("r.1", "leg-gone")]
    assert driver.call.operation is not None
