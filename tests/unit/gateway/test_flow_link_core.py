"""What becomes of a call while its interpreter is away."""

from __future__ import annotations

from media_gateway.core import events as e
from media_gateway.core import facts, reports
from media_gateway.core import happenings as h
from media_gateway.core.call import MAX_UNCONSUMED
from media_gateway.core.steps import Answer, GatherKeys, Hangup, Play
from media_gateway.model import (
    CALLER_LEG,
    CallState,
    LegEnd,
    LegState,
    OperationEnd,
    Prompt,
    Termination,
    TerminationClass,
)
from tests.unit.gateway.driver import AGENT_LEG, HELLO, Driver, any_of, ends, only, published

NO_FLOW = Termination(TerminationClass.SERVER_ERROR, "no-flow")
APOLOGY = Prompt(system="apology")


def _detach(driver: Driver) -> list[e.Event]:
    return driver.do(h.DetachFlow(driver.call.flow.epoch, "went away"))


def test_a_new_call_without_interpreter_is_refused_after_two_seconds() -> None:
    driver = Driver().attached()
    assert not driver.wait(1_999)
    events = driver.wait(1)
    assert only(events, e.SendRefusal) == e.SendRefusal(503, "no-flow")
    (end,) = ends(driver.do(h.LegReleased(CALLER_LEG)))
    assert end.termination == NO_FLOW


def test_a_stream_that_lives_but_says_nothing_is_given_up() -> None:
    driver = Driver().attached()
    driver.do(h.AttachFlow(1))
    assert not any_of(driver.wait(4_999), e.BreakFlow)
    events = driver.wait(1)
    assert only(events, e.BreakFlow).epoch == 1
    assert facts.FlowDetached("silent") in published(events)
    driver.do(h.BeginEpoch())
    driver.do(h.AttachFlow(2))
    assert not any_of(driver.wait(4_999), e.SendRefusal)
    assert only(driver.wait(1), e.SendRefusal).sip_status == 503


def test_signs_of_an_older_stream_are_of_no_account() -> None:
    driver = Driver().attached()
    driver.do(h.BeginEpoch())
    assert driver.do(h.AttachFlow(1)) == []
    assert driver.do(h.AttachFlow(2)) != []
    assert driver.do(h.DetachFlow(1, "late")) == []


def test_a_gather_goes_on_and_its_keys_are_told_afterwards() -> None:
    driver = Driver().attached()
    driver.step(Answer(), GatherKeys("menu", (HELLO,), max_digits=1, barge_in=True), consumed=1)
    _detach(driver)
    driver.wait(4_000)
    assert driver.call.leg(CALLER_LEG).sound == "flow:menu"
    driver.do(h.KeyPressed(CALLER_LEG, "1", "rfc4733"))
    driver.do(h.BeginEpoch())
    waiting = [report.body for report in driver.call.flow.unconsumed]
    assert waiting == [reports.OperationEnded("menu", OperationEnd.COMPLETE, "1")]
    assert driver.call.flow.checkpoint == b"checkpoint 1"
    driver.step(Play("next", (HELLO,)), consumed=driver.call.flow.next_seq - 1)
    assert driver.call.flow.unconsumed == ()
    assert driver.call.unattended_since_ms is None


def test_a_caller_with_nothing_to_hear_hears_music_then_the_apology() -> None:
    driver = Driver().attached()
    driver.step(Answer())
    _detach(driver)
    assert not any_of(driver.wait(1_499), e.StartSound)
    assert only(driver.wait(1), e.StartSound).sound == "own:music"
    apology = only(driver.wait(8_500), e.StartSound)
    assert apology.prompts == (APOLOGY,)
    assert driver.call.leg(CALLER_LEG).state is LegState.ANSWERED
    over = driver.do(h.SoundEnded(CALLER_LEG, apology.sound))
    assert only(over, e.SendBye).leg_id == CALLER_LEG
    driver.do(h.LegReleased(CALLER_LEG))
    (end,) = ends(driver.wait(5_000))
    assert end.termination == NO_FLOW


def test_an_apology_that_cannot_be_played_does_not_keep_the_caller() -> None:
    driver = Driver().answered()
    _detach(driver)
    driver.wait(10_000)
    assert not any_of(driver.wait(14_999), e.SendBye)
    assert any_of(driver.wait(1), e.SendBye)


def test_a_caller_who_hears_nothing_yet_is_refused_instead() -> None:
    driver = Driver().attached()
    driver.step()
    _detach(driver)
    assert only(driver.wait(10_000), e.SendRefusal).sip_status == 503


def test_a_caller_who_leaves_during_the_apology_is_gone() -> None:
    driver = Driver().answered()
    _detach(driver)
    driver.wait(10_000)
    driver.do(h.LegLeaves(CALLER_LEG, LegEnd.HUNG_UP))
    (end,) = ends(driver.wait(60_000))
    assert end.termination == NO_FLOW


def test_an_interpreter_that_returns_in_time_takes_the_caller_back() -> None:
    driver = Driver().answered()
    _detach(driver)
    driver.wait(9_999)
    driver.do(h.BeginEpoch())
    events = driver.do(h.AttachFlow(2))
    assert facts.FlowAttached(2) in published(events)
    driver.wait(60_000)
    assert driver.call.state is CallState.ACTIVE
    assert driver.call.operation is not None


def test_those_who_talk_go_on_without_limit() -> None:
    driver = Driver().talking()
    _detach(driver)
    driver.wait(3_600_000)
    assert [leg.state for leg in driver.call.legs] == [LegState.BRIDGED] * 2
    driver.do(h.LegLeaves(AGENT_LEG, LegEnd.HUNG_UP))
    assert only(driver.wait(9_999), e.StartSound).sound == "own:music"
    assert only(driver.wait(1), e.StartSound).prompts == (APOLOGY,)


def test_too_many_reports_without_a_checkpoint_end_the_call() -> None:
    driver = Driver().talking()
    for count in range(MAX_UNCONSUMED):
        if driver.call.state is not CallState.ACTIVE:
            break
        driver.do(h.MuteLeg(AGENT_LEG, muted=count % 2 == 0))
    assert driver.call.termination == Termination(TerminationClass.SERVER_ERROR, "flow-overrun")
    driver.wait(60_000)
    assert len(driver.call.flow.unconsumed) <= 256
    assert len(ends(driver.events)) == 1


def test_a_last_word_closes_the_flow_for_good() -> None:
    driver = Driver().answered()
    driver.step(Hangup(NO_FLOW))
    before = driver.core.snapshot()
    assert driver.do(h.AttachFlow(1)) == []
    assert driver.do(h.DetachFlow(1, "closed")) == []
    assert driver.core.snapshot() == before


def test_a_flow_that_leaves_the_caller_in_silence_is_given_up() -> None:
    driver = Driver().attached()
    said = only(driver.step(Answer(), Play("hello", (HELLO,)), consumed=1), e.StartSound)
    assert not any_of(driver.wait(60_000), e.BreakFlow)
    driver.do(h.SoundEnded(CALLER_LEG, said.sound))
    assert not any_of(driver.wait(9_999), e.BreakFlow)
    assert only(driver.wait(1), e.BreakFlow).epoch == 1
    assert only(driver.wait(1_500), e.StartSound).sound == "own:music"


def test_a_flow_that_owes_nothing_may_keep_silent() -> None:
    driver = Driver().attached()
    driver.step(Answer(), consumed=1)
    assert driver.wait(3_600_000) == []
