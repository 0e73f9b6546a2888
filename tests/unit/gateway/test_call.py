"""A call's decisions, by example."""

from __future__ import annotations

import pytest

from media_gateway.core import events as e
from media_gateway.core import facts, reports
from media_gateway.core import happenings as h
from media_gateway.core.steps import (
    Answer,
    GatherKeys,
    Hangup,
    Note,
    Play,
    RingAgent,
    StopMedia,
)
from media_gateway.core.termination import EndCause
from media_gateway.model import (
    CALLER_LEG,
    BadCommand,
    CallIsOver,
    CallState,
    IllegalTransition,
    LegEnd,
    LegNotAnswered,
    LegRole,
    LegState,
    NoSuchLeg,
    OperationEnd,
    RingOutcome,
    Termination,
    TerminationClass,
)
from services.chassis.ids import LegId
from tests.unit.gateway.driver import (
    AGENT_LEG,
    HELLO,
    MUSIC,
    Driver,
    any_of,
    ends,
    only,
    published,
    told,
)

HANDLED = Termination(TerminationClass.SUCCESS, "handled")


def test_a_new_call_opens_media_then_asks_for_its_flow() -> None:
    driver = Driver()
    assert only(driver.events, e.OpenMedia).leg_id == CALLER_LEG
    assert any_of(driver.do(h.MediaOpened(CALLER_LEG)), e.OpenFlow)
    assert told(driver.do(h.BeginEpoch())) == [reports.Invited(driver.call.invitation)]


def test_answer_then_play_answers_and_lets_hear() -> None:
    driver = Driver().attached()
    events = driver.step(Answer(), Play("hello", (HELLO,)))
    assert any_of(events, e.SendAnswer)
    assert not any_of(events, e.SendProgress)
    sound = only(events, e.StartSound)
    assert (sound.leg_id, sound.prompts, sound.loop) == (CALLER_LEG, (HELLO,), False)
    done = driver.do(h.SoundEnded(CALLER_LEG, sound.sound))
    assert told(done) == [reports.OperationEnded("hello", OperationEnd.COMPLETE)]
    assert driver.call.state is CallState.ACTIVE


def test_play_before_the_answer_is_early_media() -> None:
    driver = Driver().attached()
    events = driver.step(Play("hello", (HELLO,)))
    assert any_of(events, e.SendProgress)
    assert driver.call.leg(CALLER_LEG).state is LegState.EARLY
    assert any_of(driver.step(Answer()), e.SendAnswer)
    assert not any_of(driver.step(Answer()), e.SendAnswer)


def test_a_caller_without_offer_is_answered_to_be_able_to_hear() -> None:
    driver = Driver(codec="").attached()
    events = driver.step(Play("hello", (HELLO,)))
    assert any_of(events, e.SendAnswer)
    driver.do(h.MediaNegotiated(CALLER_LEG, "PCMA"))
    assert driver.call.leg(CALLER_LEG).codec == "PCMA"


def test_a_key_cuts_the_prompt_short_and_completes_the_gather() -> None:
    driver = Driver().attached()
    driver.step(Answer(), GatherKeys("menu", (HELLO,), max_digits=2, barge_in=True))
    first = driver.do(h.KeyPressed(CALLER_LEG, "1", "rfc4733"))
    assert any_of(first, e.StopSound)
    assert facts.DigitsReceived(CALLER_LEG, 1, "rfc4733") in published(first)
    last = driver.do(h.KeyPressed(CALLER_LEG, "2", "rfc4733"))
    assert told(last) == [reports.OperationEnded("menu", OperationEnd.COMPLETE, "12")]


def test_a_gather_times_out_after_its_prompts() -> None:
    driver = Driver().attached()
    driver.step(Answer(), GatherKeys("menu", (HELLO,), max_digits=1, first_digit_timeout_ms=4_000))
    assert not told(driver.wait(60_000))
    sound = only(driver.events, e.StartSound).sound
    driver.do(h.SoundEnded(CALLER_LEG, sound))
    assert not told(driver.wait(3_999))
    assert told(driver.wait(1)) == [reports.OperationEnded("menu", OperationEnd.TIMEOUT)]


def test_a_newer_operation_takes_the_place_of_the_older() -> None:
    driver = Driver().answered()
    events = driver.step(Play("hello", (HELLO,)))
    assert told(events) == [reports.OperationEnded("hold", OperationEnd.STOPPED)]
    assert only(events, e.StartSound).prompts == (HELLO,)
    stopped = driver.step(StopMedia())
    assert told(stopped) == [reports.OperationEnded("hello", OperationEnd.STOPPED)]
    assert any_of(stopped, e.StopSound)


def test_the_end_of_a_sound_that_was_replaced_says_nothing() -> None:
    driver = Driver().attached()
    old = only(driver.step(Answer(), Play("a", (HELLO,))), e.StartSound).sound
    driver.step(Play("b", (HELLO,)))
    assert driver.do(h.SoundEnded(CALLER_LEG, old)) == []


def test_a_prompt_that_cannot_be_had_fails_the_operation() -> None:
    driver = Driver().attached()
    sound = only(driver.step(Answer(), Play("a", (HELLO,))), e.StartSound).sound
    failed = driver.do(h.SoundEnded(CALLER_LEG, sound, failed=True))
    assert told(failed) == [reports.OperationEnded("a", OperationEnd.FAILED)]


def test_hold_by_the_face_reaches_endpoint_and_peer() -> None:
    driver = Driver().talking()
    events = driver.do(h.HoldLeg(AGENT_LEG, held=True))
    assert only(events, e.SendHold) == e.SendHold(AGENT_LEG, held=True)
    assert only(events, e.SetHold) == e.SetHold(AGENT_LEG, held=True)
    assert only(events, e.StartSound).leg_id == CALLER_LEG
    assert told(events) == [reports.HoldChanged(AGENT_LEG, "r.1", held=True)]
    assert driver.do(h.HoldLeg(AGENT_LEG, held=True)) == []
    back = driver.do(h.HoldLeg(AGENT_LEG, held=False))
    assert only(back, e.StopSound).leg_id == CALLER_LEG


def test_hold_by_the_callers_phone_lets_the_agent_hear_music() -> None:
    driver = Driver().talking()
    events = driver.do(h.LegHolds(CALLER_LEG, held=True))
    assert only(events, e.StartSound).leg_id == AGENT_LEG
    assert only(events, e.StartSound).prompts == (MUSIC,)
    assert told(events) == [reports.HoldChanged(CALLER_LEG, "", held=True)]
    both = driver.do(h.HoldLeg(CALLER_LEG, held=True))
    assert told(both) == []
    assert told(driver.do(h.LegHolds(CALLER_LEG, held=False))) == []
    assert told(driver.do(h.HoldLeg(CALLER_LEG, held=False))) == [
        reports.HoldChanged(CALLER_LEG, "", held=False)
    ]


def test_mute_is_told_once() -> None:
    driver = Driver().talking()
    events = driver.do(h.MuteLeg(AGENT_LEG, muted=True))
    assert only(events, e.SetMute) == e.SetMute(AGENT_LEG, muted=True)
    assert facts.LegMuteChanged(AGENT_LEG, muted=True) in published(events)
    assert driver.do(h.MuteLeg(AGENT_LEG, muted=True)) == []


def test_control_needs_a_leg_that_is_answered() -> None:
    driver = Driver().ringing()
    with pytest.raises(LegNotAnswered):
        driver.do(h.HoldLeg(AGENT_LEG, held=True))
    with pytest.raises(LegNotAnswered):
        driver.do(h.MuteLeg(AGENT_LEG, muted=True))
    with pytest.raises(NoSuchLeg):
        driver.do(h.HangUpLeg(LegId("7")))


def test_hanging_one_leg_up_leaves_the_rest_to_the_flow() -> None:
    driver = Driver().talking()
    events = driver.do(h.HangUpLeg(AGENT_LEG))
    assert told(events) == [reports.LegEnded(AGENT_LEG, LegRole.AGENT, "r.1", LegEnd.HUNG_UP)]
    assert any_of(events, e.DisconnectMedia)
    assert driver.call.leg(CALLER_LEG).state is LegState.ANSWERED
    with pytest.raises(NoSuchLeg):
        driver.do(h.HoldLeg(AGENT_LEG, held=True))


def test_a_caller_hung_up_by_request_ends_the_call() -> None:
    driver = Driver().talking()
    events = driver.do(h.HangUpLeg(CALLER_LEG))
    assert driver.call.state is CallState.ENDING
    assert {event.leg_id for event in events if isinstance(event, e.SendBye)} == {
        CALLER_LEG,
        AGENT_LEG,
    }
    assert driver.call.termination == Termination(TerminationClass.SUCCESS, "ended-by-request")


def test_the_caller_leaves_and_the_flow_has_the_last_word() -> None:
    driver = Driver().talking()
    events = driver.do(h.LegLeaves(CALLER_LEG, LegEnd.HUNG_UP))
    assert only(events, e.SendBye).leg_id == AGENT_LEG
    assert reports.LegEnded(CALLER_LEG, LegRole.CALLER, "", LegEnd.HUNG_UP) in told(events)
    driver.now_ms += 20
    assert not ends(driver.do(h.LegReleased(AGENT_LEG)))
    driver.now_ms += 80
    last = driver.step(Note("queue-left", {"exit": "answered"}), Hangup(HANDLED))
    assert published(last)[-3:] == [
        facts.FlowNoted("queue-left", {"exit": "answered"}),
        facts.LadderNoted(),
        facts.CallEnded(Termination(TerminationClass.SUCCESS, "caller-hung-up"), 20),
    ]
    assert driver.call.state is CallState.ENDED


def test_a_flow_that_keeps_silent_does_not_keep_the_call() -> None:
    driver = Driver().answered()
    driver.do(h.LegLeaves(CALLER_LEG, LegEnd.HUNG_UP))
    assert not ends(driver.wait(4_999))
    assert len(ends(driver.wait(1))) == 1
    with pytest.raises(CallIsOver):
        driver.do(h.MediaHeard(CALLER_LEG))
    assert driver.core.deadline_ms() is None


def test_a_flow_hangs_an_answered_call_up() -> None:
    driver = Driver().talking()
    events = driver.step(Hangup(HANDLED))
    assert [event.leg_id for event in events if isinstance(event, e.SendBye)] == ["1", "2"]
    assert told(events) == []
    driver.do(h.LegReleased(CALLER_LEG))
    assert [end.termination for end in ends(driver.do(h.LegReleased(AGENT_LEG)))] == [HANDLED]


def test_a_flow_refuses_an_unanswered_call_by_its_status() -> None:
    driver = Driver().attached()
    unknown = Termination(TerminationClass.CALLER_ERROR, "no-such-number")
    events = driver.step(Hangup(unknown, 404), tenant="")
    assert only(events, e.SendRefusal) == e.SendRefusal(404, "no-such-number")
    over = driver.do(h.LegReleased(CALLER_LEG))
    assert facts.LegEnded(CALLER_LEG, LegRole.CALLER, LegEnd.REFUSED, 404) in published(over)
    assert [end.termination for end in ends(over)] == [unknown]


def test_a_caller_who_gives_up_before_the_answer_cancelled() -> None:
    driver = Driver().attached()
    driver.step(Play("hello", (HELLO,)))
    driver.do(h.LegLeaves(CALLER_LEG, LegEnd.CANCELLED))
    (end,) = ends(driver.wait(5_000))
    assert end.termination == Termination(TerminationClass.SUCCESS, "caller-cancelled")


def test_an_answer_that_is_never_acknowledged_is_the_carriers() -> None:
    driver = Driver().answered()
    lost = h.LegLeaves(CALLER_LEG, LegEnd.SIGNALLING_LOST, unacknowledged=True)
    driver.do(lost)
    assert driver.call.termination == Termination(TerminationClass.CARRIER_ERROR, "no-ack")


def test_a_silent_caller_is_released_and_laid_to_the_carrier() -> None:
    driver = Driver().answered()
    events = driver.do(h.MediaLost(CALLER_LEG))
    assert only(events, e.SendBye).reason == "media-timeout"
    assert reports.LegEnded(CALLER_LEG, LegRole.CALLER, "", LegEnd.MEDIA_TIMEOUT) in told(events)
    assert driver.call.termination == Termination(TerminationClass.CARRIER_ERROR, "media-timeout")


def test_a_silent_agent_is_released_and_the_flow_decides() -> None:
    driver = Driver().talking()
    events = driver.do(h.MediaLost(AGENT_LEG))
    assert told(events) == [reports.LegEnded(AGENT_LEG, LegRole.AGENT, "r.1", LegEnd.MEDIA_TIMEOUT)]
    assert driver.call.state is CallState.ACTIVE


def test_a_release_that_is_never_confirmed_does_not_keep_the_leg() -> None:
    driver = Driver().answered()
    driver.step(Hangup(HANDLED))
    assert not ends(driver.wait(3_999))
    assert len(ends(driver.wait(1))) == 1


@pytest.mark.parametrize(
    ("cause", "status", "kind"),
    [
        (EndCause.NO_COMMON_CODEC, 488, TerminationClass.CALLER_ERROR),
        (EndCause.DRAINING, 503, TerminationClass.SERVER_ERROR),
        (EndCause.OVERLOADED, 503, TerminationClass.SERVER_ERROR),
    ],
)
def test_a_call_refused_at_once_still_has_its_one_end(
    cause: EndCause, status: int, kind: TerminationClass
) -> None:
    driver = Driver()
    events = driver.do(h.EndCall(cause))
    assert only(events, e.SendRefusal) == e.SendRefusal(status, cause.value)
    (end,) = ends(driver.do(h.LegReleased(CALLER_LEG)))
    assert end.termination == Termination(kind, cause.value)


def test_no_media_port_refuses_the_caller_but_only_fails_an_agent() -> None:
    alone = Driver()
    assert only(alone.do(h.MediaRefused(CALLER_LEG)), e.SendRefusal).sip_status == 503
    driver = Driver().answered()
    driver.step(RingAgent("r.1", "agent-1", "sip:100@127.0.0.1:5070", 20_000))
    events = driver.do(h.MediaRefused(AGENT_LEG))
    assert told(events) == [reports.LegFailed("r.1", RingOutcome.UNREACHABLE)]
    assert not any_of(events, e.SendCancel)
    assert driver.call.leg(CALLER_LEG).state is LegState.ANSWERED


def test_what_cannot_happen_changes_nothing() -> None:
    driver = Driver().talking()
    before = driver.core.snapshot()
    for happening in (h.LegRefuses(AGENT_LEG, 486), h.LegRings(AGENT_LEG)):
        with pytest.raises(IllegalTransition):
            driver.do(happening)
    with pytest.raises(NoSuchLeg):
        driver.do(h.MediaHeard(LegId("9")))
    with pytest.raises(BadCommand):
        driver.do(h.KeyPressed(CALLER_LEG, "x", "sip-info"))
    assert driver.core.snapshot() == before
