"""Happenings that come twice, late, or to a call that is over."""

from __future__ import annotations

from media_gateway.core import events as e
from media_gateway.core import facts, reports
from media_gateway.core import happenings as h
from media_gateway.core.steps import Dial, JoinLegs, Play, RingAgent
from media_gateway.core.termination import EndCause
from media_gateway.model import (
    CALLER_LEG,
    CallState,
    LegEnd,
    LegState,
    RingOutcome,
    Termination,
    TerminationClass,
)
from services.chassis.ids import LegId
from tests.unit.gateway.driver import (
    AGENT_LEG,
    HELLO,
    RULES,
    START_MS,
    Driver,
    any_of,
    ends,
    only,
    published,
    told,
)

THIRD = LegId("3")


def test_a_call_that_is_begun_to_be_refused_has_no_media() -> None:
    driver = Driver(opened=False)
    events = driver.do(h.RefuseCall(EndCause.OVERLOADED))
    assert only(events, e.SendRefusal) == e.SendRefusal(503, "overloaded")
    assert not any_of(events, e.OpenMedia)
    (end,) = ends(driver.do(h.LegReleased(CALLER_LEG)))
    assert end.termination == Termination(TerminationClass.SERVER_ERROR, "overloaded")
    kinds = [type(body) for body in published(driver.events)]
    assert kinds == [
        facts.CallStarted,
        facts.LegStarted,
        facts.LegEnded,
        facts.LadderNoted,
        facts.CallEnded,
    ]


def test_media_opened_twice_rings_once() -> None:
    driver = Driver().ringing()
    assert driver.do(h.MediaOpened(AGENT_LEG)) == []


def test_media_opened_for_a_caller_who_left_asks_for_no_flow() -> None:
    driver = Driver()
    driver.do(h.EndCall(EndCause.DRAINING))
    assert driver.do(h.MediaOpened(CALLER_LEG)) == []


def test_a_trunk_that_responds_has_all_the_time_of_its_ring() -> None:
    driver = Driver().answered()
    driver.step(Dial("d.1", "+12025550199", 60_000))
    driver.do(h.MediaOpened(AGENT_LEG))
    driver.do(h.LegResponds(AGENT_LEG))
    assert not told(driver.wait(59_999))
    assert told(driver.wait(1)) == [reports.LegFailed("d.1", RingOutcome.NO_ANSWER)]


def test_a_trunk_that_does_not_respond_is_unreachable() -> None:
    driver = Driver().answered()
    driver.step(Dial("d.1", "+12025550199", 60_000))
    driver.do(h.MediaOpened(AGENT_LEG))
    wait_ms = RULES.limits.external_response_ms
    assert told(driver.wait(wait_ms)) == [reports.LegFailed("d.1", RingOutcome.UNREACHABLE)]


def test_asking_for_the_same_bridge_again_changes_nothing() -> None:
    driver = Driver().talking()
    assert told(driver.step(JoinLegs("r.1"))) == []
    assert driver.do(h.MediaHeard(AGENT_LEG)) is not None
    assert [leg.state for leg in driver.call.legs] == [LegState.BRIDGED] * 2


def test_another_bridge_takes_the_caller_along() -> None:
    driver = Driver().talking()
    driver.step(RingAgent("r.2", "agent-2", "sip:200@127.0.0.1", 20_000))
    driver.do(h.MediaOpened(THIRD))
    driver.do(h.LegAnswers(THIRD, "PCMU"))
    driver.do(h.MediaHeard(THIRD))
    events = driver.step(JoinLegs("r.2"))
    assert only(events, e.DisconnectMedia).peer_leg_id == AGENT_LEG
    assert only(events, e.ConnectMedia).peer_leg_id == THIRD
    assert told(events) == [reports.Bridged("r.2", THIRD)]
    assert driver.call.leg(AGENT_LEG).state is LegState.ANSWERED


def test_music_that_fails_is_not_tried_again_and_again() -> None:
    driver = Driver().talking()
    sound = only(driver.do(h.HoldLeg(AGENT_LEG, held=True)), e.StartSound).sound
    assert driver.do(h.SoundEnded(CALLER_LEG, sound, failed=True)) == []
    assert any_of(driver.do(h.HoldLeg(AGENT_LEG, held=False)), e.StopSound)


def test_an_announcement_to_one_on_hold_gives_way_to_music_again() -> None:
    driver = Driver().talking()
    driver.do(h.HoldLeg(AGENT_LEG, held=True))
    said = only(driver.step(Play("say", (HELLO,))), e.StartSound).sound
    after = driver.do(h.SoundEnded(CALLER_LEG, said))
    assert only(after, e.StartSound).sound == "own:music"


def test_audio_lost_during_the_apology_ends_the_leg_once() -> None:
    driver = Driver().answered()
    driver.do(h.DetachFlow(1, "gone"))
    # The release is not confirmed yet when the apology's own time is up.
    driver.wait(10_000 + RULES.limits.apology_ms - 1)
    events = driver.do(h.MediaLost(CALLER_LEG))
    assert only(events, e.SendBye).reason == "media-timeout"
    assert not any_of(driver.wait(60_000), e.SendBye)
    assert len(ends(driver.events)) == 1


def test_a_session_that_ends_unasked_is_a_loss() -> None:
    driver = Driver().answered()
    driver.do(h.LegReleased(CALLER_LEG))
    assert driver.call.termination == Termination(TerminationClass.CARRIER_ERROR, "signalling-lost")


def test_a_late_answer_that_nobody_can_use_ends_the_call() -> None:
    driver = Driver(codec="").attached()
    driver.step(Play("hello", (HELLO,)))
    events = driver.do(h.LegAnswersUnusably(CALLER_LEG))
    assert only(events, e.SendBye).reason == "no-common-codec"
    assert driver.call.termination == Termination(TerminationClass.CALLER_ERROR, "no-common-codec")


def test_a_closed_flow_lets_an_ended_call_go() -> None:
    driver = Driver().answered()
    driver.do(h.LegLeaves(CALLER_LEG, LegEnd.HUNG_UP))
    assert len(ends(driver.do(h.CloseFlow()))) == 1
    assert driver.call.state is CallState.ENDED


def test_an_ended_call_has_no_alarm_and_takes_no_time() -> None:
    driver = Driver().answered()
    driver.do(h.LegLeaves(CALLER_LEG, LegEnd.HUNG_UP))
    driver.do(h.CloseFlow())
    assert driver.core.deadline_ms() is None
    assert driver.core.tick(START_MS + 10**9) == []


def test_keys_and_codecs_of_a_leg_that_is_going_are_of_no_account() -> None:
    driver = Driver().talking()
    driver.do(h.HangUpLeg(AGENT_LEG))
    assert driver.do(h.KeyPressed(AGENT_LEG, "1", "rfc4733")) == []
    assert driver.do(h.MediaHeard(AGENT_LEG)) == []
    assert driver.do(h.MediaLost(AGENT_LEG)) == []
    assert driver.do(h.HangUpLeg(AGENT_LEG)) == []
    assert driver.do(h.LegHolds(AGENT_LEG, held=True)) == []
    assert driver.do(h.LegAnswersUnusably(AGENT_LEG)) == []
    assert driver.do(h.MediaNegotiated(CALLER_LEG, "PCMU")) == []
