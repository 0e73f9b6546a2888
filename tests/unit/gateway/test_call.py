"""A call's decisions, by example."""

from __future__ import annotations

import pytest

from media_gateway.core import events as e
from media_gateway.core import facts, reports
from media_gateway.core import happenings as h
from media_gateway.core.steps import (
    Answer,
    Dial,
    GatherKeys,
    Hangup,
    JoinLegs,
    Note,
    Play,
    RingAgent,
    Step,
    StopMedia,
    StopRinging,
)
from media_gateway.core.termination import EndCause
from media_gateway.model import (
    CALLER_LEG,
    MAX_LEGS,
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
    StaleStep,
    StepTooLarge,
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
    assert published(last)[-2:] == [
        facts.FlowNoted("queue-left", {"exit": "answered"}),
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


def _step(**fields: object) -> Step:
    given: dict[str, object] = {
        "epoch": 1, "step": 1, "consumed_seq": 0, "checkpoint": b"", "commands": (Answer(),)
    }  # fmt: skip
    return Step(**{**given, **fields})  # type: ignore[arg-type] # fields of one test each


@pytest.mark.parametrize("step", [_step(epoch=0), _step(epoch=2), _step(step=0), _step(step=2)])
def test_a_step_out_of_turn_is_not_done(step: Step) -> None:
    driver = Driver().attached()
    with pytest.raises(StaleStep):
        driver.do(h.KeepStep(step))
    driver.do(h.KeepStep(_step()))
    with pytest.raises(StaleStep):
        driver.do(h.KeepStep(_step()))


@pytest.mark.parametrize(
    ("step", "error"),
    [
        (_step(checkpoint=b"x" * 16_385), StepTooLarge),
        (_step(commands=(Answer(),) * 33), StepTooLarge),
        (_step(commands=(Play("p", (HELLO,) * 17),)), StepTooLarge),
        (_step(commands=(Note("n", {"k": "v" * 257}),)), StepTooLarge),
        (_step(commands=(Play("", (HELLO,)),)), BadCommand),
        (_step(commands=(Play("p", ()),)), BadCommand),
        (_step(commands=(GatherKeys("g", (), max_digits=0),)), BadCommand),
        (_step(commands=(GatherKeys("g", (), max_digits=1, end_key="x"),)), BadCommand),
        (
            _step(commands=(GatherKeys("g", (), max_digits=1, first_digit_timeout_ms=-1),)),
            BadCommand,
        ),
        (_step(commands=(RingAgent("", "a", "sip:1@127.0.0.1", 1_000),)), BadCommand),
        (_step(commands=(Dial("d", "+12025550199", 0),)), BadCommand),
        (_step(commands=(Hangup(HANDLED, 200),)), BadCommand),
    ],
)
def test_a_step_beyond_its_limits_is_refused_whole(step: Step, error: type[Exception]) -> None:
    driver = Driver().attached()
    before = driver.core.snapshot()
    with pytest.raises(error):
        driver.do(h.KeepStep(step))
    assert driver.core.snapshot() == before


def test_the_tenant_is_named_once_and_stays() -> None:
    driver = Driver().attached()
    driver.step(Answer(), tenant="acme")
    driver.step(tenant="other")
    assert driver.call.flow.tenant_id == "acme"
