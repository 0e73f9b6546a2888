"""What is recorded follows from consent, pauses and failures, and from nothing else."""

from __future__ import annotations

import itertools

import pytest

from media_gateway.core import happenings as h
from media_gateway.core.events import BeginRecording, Event, TapLeg, UntapLeg
from media_gateway.core.facts import RecordingChanged
from media_gateway.core.steps import Hangup, RingAgent, SetConsent, Step, check
from media_gateway.model import (
    CALLER_LEG,
    BadCommand,
    LegEnd,
    NoConsent,
    RecordingState,
    Termination,
    TerminationClass,
)
from tests.unit.gateway.driver import AGENT_LEG, Driver, any_of, published

ANNOUNCED = SetConsent(granted=True, basis="announced")
REFUSED = SetConsent(granted=False, basis="refused")


def told(events: list[Event]) -> list[tuple[str, str, str]]:
    return [
        (body.state.value, body.reason, body.by)
        for body in published(events)
        if isinstance(body, RecordingChanged)
    ]


def taps(events: list[Event]) -> list[tuple[str, str]]:
    return [
        ("tap" if isinstance(event, TapLeg) else "untap", event.leg_id)
        for event in events
        if isinstance(event, TapLeg | UntapLeg)
    ]


def test_nothing_is_tapped_before_consent_and_every_answered_leg_after_it() -> None:
    driver = Driver().talking()
    assert taps(driver.events) == []
    events = driver.step(ANNOUNCED)
    assert [event.basis for event in events if isinstance(event, BeginRecording)] == ["announced"]
    assert taps(events) == [("tap", CALLER_LEG), ("tap", AGENT_LEG)]
    assert told(events) == [("on", "announced", "")]
    assert driver.step(ANNOUNCED) is not None
    assert len(told(driver.events)) == 1


def test_a_leg_is_tapped_from_its_answer_on() -> None:
    driver = Driver().answered()
    assert taps(driver.step(ANNOUNCED)) == [("tap", CALLER_LEG)]
    driver.step(RingAgent("r.1", "agent-1", "sip:100@127.0.0.1:5070", 20_000, "Ann"))
    driver.do(h.MediaOpened(AGENT_LEG))
    driver.do(h.LegRings(AGENT_LEG))
    assert taps(driver.do(h.LegAnswers(AGENT_LEG, "PCMU"))) == [("tap", AGENT_LEG)]


def test_the_recording_begins_before_its_first_tap() -> None:
    events = Driver().talking().step(ANNOUNCED)
    kinds = [type(event) for event in events if isinstance(event, BeginRecording | TapLeg)]
    assert kinds == [BeginRecording, TapLeg, TapLeg]


def test_a_pause_ends_every_tap_until_it_is_taken_up_again() -> None:
    driver = Driver().talking()
    driver.step(ANNOUNCED)
    events = driver.do(h.PauseRecording("card number", "ann"))
    assert taps(events) == [("untap", CALLER_LEG), ("untap", AGENT_LEG)]
    assert told(events) == [("paused", "card number", "ann")]
    assert driver.do(h.PauseRecording("again", "bob")) == []
    events = driver.do(h.ResumeRecording("ann"))
    assert taps(events) == [("tap", CALLER_LEG), ("tap", AGENT_LEG)]
    assert told(events) == [("on", "announced", "ann")]
    assert driver.do(h.ResumeRecording("ann")) == []


def test_an_agents_pause_ends_with_their_leg_and_what_follows_is_recorded() -> None:
    driver = Driver().talking()
    driver.step(ANNOUNCED)
    driver.do(h.PauseRecording("card number", "ann"))
    events = driver.do(h.LegLeaves(AGENT_LEG, LegEnd.HUNG_UP))
    assert told(events) == [("on", "announced", "")]
    assert taps(events) == [("tap", CALLER_LEG)]


def test_a_pause_that_was_asked_for_before_any_agent_came_outlasts_them() -> None:
    driver = Driver().answered()
    driver.step(ANNOUNCED)
    driver.do(h.PauseRecording("private", "sara"))
    driver.talking()
    assert told(driver.do(h.LegLeaves(AGENT_LEG, LegEnd.HUNG_UP))) == []
    assert driver.call.recording.state is RecordingState.PAUSED


def test_a_pause_stands_when_the_call_ends() -> None:
    driver = Driver().talking()
    driver.step(ANNOUNCED)
    driver.do(h.PauseRecording("card number", "ann"))
    assert told(driver.do(h.LegLeaves(CALLER_LEG, LegEnd.HUNG_UP))) == []


def test_consent_taken_back_and_a_pause_that_ends_are_two_things() -> None:
    driver = Driver().talking()
    driver.step(ANNOUNCED)
    driver.do(h.PauseRecording("card number", "ann"))
    driver.step(REFUSED)
    assert told(driver.do(h.LegLeaves(AGENT_LEG, LegEnd.HUNG_UP))) == []
    assert told(driver.step(ANNOUNCED)) == [("on", "announced", "")]


def test_consent_taken_back_is_not_overridden_by_taking_up() -> None:
    driver = Driver().talking()
    driver.step(ANNOUNCED)
    assert told(driver.step(REFUSED)) == [("paused", "refused", "")]
    with pytest.raises(NoConsent):
        driver.do(h.ResumeRecording("ann"))
    events = driver.step(SetConsent(granted=True, basis="agreed"))
    # The recording rests on what it began with.
    assert told(events) == [("on", "announced", "")]
    assert not any_of(events, BeginRecording)


def test_a_pause_asked_for_before_consent_holds_after_it() -> None:
    driver = Driver().talking()
    assert told(driver.do(h.PauseRecording("private", "ann"))) == []
    events = driver.step(ANNOUNCED)
    assert told(events) == [("paused", "", "")]
    assert taps(events) == []
    assert told(driver.do(h.ResumeRecording("ann"))) == [("on", "announced", "ann")]


def test_without_consent_there_is_nothing_to_take_up() -> None:
    driver = Driver().talking()
    with pytest.raises(NoConsent):
        driver.do(h.ResumeRecording("ann"))
    assert driver.step(REFUSED) is not None
    assert driver.call.recording.state is RecordingState.OFF
    assert told(driver.events) == []


def test_what_fails_goes_on_when_it_can() -> None:
    driver = Driver().talking()
    driver.step(ANNOUNCED)
    events = driver.do(h.RecordingFails("disk-full"))
    assert told(events) == [("failed", "disk-full", "")]
    assert taps(events) == []
    assert driver.do(h.RecordingFails("disk-full")) == []
    driver.do(h.PauseRecording("x", "ann"))
    # Space alone does not end a pause.
    assert told(driver.do(h.RecordingRecovers())) == []
    assert told(driver.do(h.ResumeRecording("ann"))) == [("on", "announced", "ann")]


def test_what_a_muted_leg_says_is_not_recorded() -> None:
    driver = Driver().talking()
    driver.step(ANNOUNCED)
    assert taps(driver.do(h.MuteLeg(AGENT_LEG, muted=True))) == [("untap", AGENT_LEG)]
    assert taps(driver.do(h.MuteLeg(AGENT_LEG, muted=False))) == [("tap", AGENT_LEG)]


def test_a_leg_that_leaves_needs_no_untap() -> None:
    driver = Driver().talking()
    driver.step(ANNOUNCED)
    assert taps(driver.do(h.LegLeaves(AGENT_LEG, LegEnd.HUNG_UP))) == []


def test_consent_in_the_last_step_records_nothing() -> None:
    driver = Driver().talking()
    end = Termination(TerminationClass.SUCCESS, "done")
    assert taps(driver.step(Hangup(end), ANNOUNCED)) == []


@pytest.mark.parametrize(
    ("granted", "basis"),
    [
        *itertools.product((True,), ("refused", "", "because")),
        *itertools.product((False,), ("announced", "agreed", "policy", "")),
    ],
)
def test_consent_needs_a_basis_that_is_one(granted: bool, basis: str) -> None:
    step = Step(1, 1, 0, b"", (SetConsent(granted=granted, basis=basis),))
    with pytest.raises(BadCommand):
        check(step)


def test_every_known_basis_passes() -> None:
    for basis in ("announced", "agreed", "policy"):
        check(Step(1, 1, 0, b"", (SetConsent(granted=True, basis=basis),)))
    check(Step(1, 1, 0, b"", (REFUSED,)))
