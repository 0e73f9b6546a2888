"""Whatever happens in whatever order: the laws that every call keeps."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from media_gateway.core import events as e
from media_gateway.core import facts
from media_gateway.core import happenings as h
from media_gateway.core.steps import (
    Answer,
    GatherKeys,
    Hangup,
    JoinLegs,
    Play,
    RingAgent,
    StepCommand,
    StopMedia,
    StopRinging,
)
from media_gateway.core.termination import EndCause
from media_gateway.model import (
    BROWSER,
    CALLER_LEG,
    CallState,
    LegEnd,
    LegState,
    Termination,
    TerminationClass,
)
from services.chassis.errors import CarillonError
from services.chassis.ids import LegId
from tests.unit.gateway.driver import HELLO, Driver, published

AGENT_LEGS = [LegId("2"), LegId("3")]
LEGS = [CALLER_LEG, *AGENT_LEGS]
RINGS = ["r.1", "r.2"]
FAR_MS = 40_000
"""Longer than any limit of an ending call."""

commands: st.SearchStrategy[StepCommand] = st.one_of(
    st.just(Answer()),
    st.builds(Play, st.sampled_from("ab"), st.just((HELLO,)), st.booleans()),
    st.builds(
        GatherKeys,
        st.sampled_from("gh"),
        st.sampled_from([(), (HELLO,)]),
        max_digits=st.integers(1, 2),
        loop=st.booleans(),
        barge_in=st.booleans(),
        end_key=st.sampled_from(["", "#"]),
        first_digit_timeout_ms=st.sampled_from([0, 500]),
    ),
    st.just(StopMedia()),
    st.builds(
        RingAgent,
        st.sampled_from(RINGS),
        st.just("agent"),
        st.sampled_from(["sip:1@127.0.0.1", "sip:1@192.0.2.1", BROWSER]),
        st.sampled_from([1_000, 20_000]),
    ),
    st.builds(StopRinging, st.sampled_from(RINGS)),
    st.builds(JoinLegs, st.sampled_from(RINGS)),
)
hangup = st.just(Hangup(Termination(TerminationClass.SUCCESS, "handled")))


def of_legs(legs: list[LegId]) -> st.SearchStrategy[h.Happening]:
    """Anything that an endpoint or its media may do."""
    leg = st.sampled_from(legs)
    return st.one_of(
        st.builds(h.LegResponds, leg),
        st.builds(h.LegRings, leg),
        st.builds(h.LegAnswers, leg, st.sampled_from(["PCMU", "PCMA"])),
        st.builds(h.LegAnswersUnusably, leg),
        st.builds(h.LegRefuses, leg, st.sampled_from([0, 302, 408, 480, 486, 487, 503, 603])),
        st.builds(h.LegLeaves, leg, st.sampled_from([LegEnd.HUNG_UP, LegEnd.SIGNALLING_LOST])),
        st.builds(h.LegReleased, leg),
        st.builds(h.LegHolds, leg, st.booleans()),
        st.builds(h.MediaOpened, leg),
        st.builds(h.MediaRefused, leg),
        st.builds(h.MediaHeard, leg),
        st.builds(h.MediaLost, leg),
        st.builds(h.KeyPressed, leg, st.sampled_from("12#"), st.just("rfc4733")),
        st.builds(h.HoldLeg, leg, st.booleans()),
        st.builds(h.MuteLeg, leg, st.booleans()),
        st.builds(h.HangUpLeg, leg),
        st.builds(h.LegConnects, leg, st.just("PCMU"), st.just(50.0)),
        st.builds(h.LegDisconnects, leg),
    )


of_sounds = st.builds(
    h.SoundEnded,
    st.sampled_from(LEGS),
    st.sampled_from(["flow:a", "flow:b", "flow:g", "flow:h", "own:apology"]),
    st.booleans(),
)
of_streams = st.one_of(
    st.just(h.BeginEpoch()),
    st.builds(h.AttachFlow, st.integers(1, 3)),
    st.builds(h.DetachFlow, st.integers(1, 3), st.just("broke")),
)
steps = st.lists(commands, min_size=1, max_size=3)
waits = st.sampled_from([1, 100, 1_500, 3_000])
anything = st.lists(
    st.one_of(
        of_legs(LEGS),
        of_sounds,
        of_streams,
        steps,
        hangup.map(lambda command: [command]),
        st.just(h.EndCall(EndCause.DRAINING)),
        waits,
    ),
    max_size=40,
)
agents_only = st.lists(st.one_of(of_legs(AGENT_LEGS), of_sounds, steps, waits), max_size=40)


def _play_out(driver: Driver, script: list[object]) -> None:
    for item in script:
        try:
            if isinstance(item, int):
                driver.wait(item)
            elif isinstance(item, list):
                driver.step(*item)
            else:
                driver.do(item)  # type: ignore[arg-type] # a happening: nothing else is left
        except CarillonError:
            continue  # refused, and then nothing may have changed: see the laws


def _check_media(events: list[e.Event]) -> None:
    """No media operation outlives its leg, and every port that was opened is closed once."""
    open_legs: set[str] = set()
    for event in events:
        match event:
            case e.OpenMedia(leg_id=leg_id):
                assert leg_id not in open_legs
                open_legs.add(leg_id)
            case e.CloseMedia(leg_id=leg_id):
                open_legs.remove(leg_id)
            case e.StartSound() | e.StopSound() | e.SetHold() | e.SetMute() | e.SendHold():
                assert event.leg_id in open_legs
            case e.ConnectMedia() | e.DisconnectMedia():
                assert {event.leg_id, event.peer_leg_id} <= open_legs
            case e.SendProgress() | e.SendAnswer():
                assert CALLER_LEG in open_legs
    assert not open_legs


@given(anything)
@settings(max_examples=120, deadline=None)
def test_every_call_ends_once_and_leaves_nothing_behind(script: list[object]) -> None:
    driver = Driver()
    _play_out(driver, script)
    if driver.call.state is not CallState.ENDED:
        driver.do(h.EndCall(EndCause.DRAINING))
    driver.wait(FAR_MS)
    assert driver.call.state is CallState.ENDED
    record = published(driver.events)
    assert [isinstance(body, facts.CallEnded) for body in record].count(True) == 1
    assert isinstance(record[-1], facts.CallEnded)
    started = [body.leg_id for body in record if isinstance(body, facts.LegStarted)]
    ended = [body.leg_id for body in record if isinstance(body, facts.LegEnded)]
    assert sorted(started) == sorted(ended)
    assert len(set(started)) == len(started)
    _check_media(driver.events)
    assert driver.core.deadline_ms() is None


@given(anything)
@settings(max_examples=50, deadline=None)
def test_reports_and_facts_are_numbered_without_a_gap(script: list[object]) -> None:
    driver = Driver()
    _play_out(driver, script)
    seqs = [x.report.seq for x in driver.events if isinstance(x, e.ReportToFlow)]
    assert seqs == list(range(1, len(seqs) + 1))
    seqs = [x.seq for x in driver.events if isinstance(x, e.PublishFact)]
    assert seqs == list(range(1, len(seqs) + 1))


@given(agents_only)
@settings(max_examples=120, deadline=None)
def test_nothing_on_an_agents_leg_ends_the_callers(script: list[object]) -> None:
    driver = Driver().attached()
    driver.step(Answer())
    _play_out(driver, script)
    caller = driver.call.caller
    assert driver.call.state is CallState.ACTIVE
    assert caller is not None
    assert caller.state in {LegState.ANSWERED, LegState.BRIDGED}


@given(anything)
@settings(max_examples=50, deadline=None)
def test_the_same_happenings_make_the_same_call(script: list[object]) -> None:
    first, second = Driver(), Driver()
    _play_out(first, script)
    _play_out(second, script)
    assert first.events == second.events
    copy = Driver()
    copy.core.restore(first.core.snapshot())
    assert copy.call == second.call


@given(anything)
@settings(max_examples=50, deadline=None)
def test_deciding_alone_changes_nothing(script: list[object]) -> None:
    driver = Driver()
    _play_out(driver, script)
    before = driver.core.snapshot()
    driver.core.tick(driver.now_ms + FAR_MS)
    if before.state is not CallState.ENDED:
        driver.core.handle(h.EndCall(EndCause.DRAINING), driver.now_ms)
    assert driver.core.snapshot() == before


@given(anything)
@settings(max_examples=50, deadline=None)
def test_alarms_never_lie_in_the_past_once_rung(script: list[object]) -> None:
    driver = Driver()
    _play_out(driver, script)
    for event in driver.core.tick(driver.now_ms):
        driver.core.apply(event)
    deadline = driver.core.deadline_ms()
    assert deadline is None or deadline > driver.now_ms
