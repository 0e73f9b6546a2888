"""The call's flow: which stream speaks for it, and the doing of its steps.

A step is kept whole with its checkpoint before any of it is done, and only if it travelled on the
present stream and follows the last: so each is done at most once, whichever interpreter sent it.
Its commands are then done in order. A command that cannot be done is answered by a report and
spoils nothing of the rest.
"""

from __future__ import annotations

from typing import assert_never

from media_gateway.core import browser, facts, recording, reports
from media_gateway.core.ending import OVER, fail_ring, release_call, release_leg
from media_gateway.core.events import SendAnswer, SendProgress
from media_gateway.core.gather import DEFAULT_NEXT_DIGIT_TIMEOUT_MS
from media_gateway.core.leg import GONE, RINGABLE, LegHappening
from media_gateway.core.media import begin_bridge, begin_operation, end_operation
from media_gateway.core.signalling import add_leg
from media_gateway.core.state import CallHappening
from media_gateway.core.steps import (
    Answer,
    Dial,
    GatherKeys,
    Hangup,
    JoinLegs,
    Note,
    Play,
    RingAgent,
    SetConsent,
    Step,
    StepCommand,
    StopMedia,
    StopRinging,
    check,
)
from media_gateway.core.turn import Turn
from media_gateway.model import (
    BROWSER,
    CALLER_LEG,
    MAX_LEGS,
    CallIsOver,
    CallState,
    Gather,
    GatherState,
    Leg,
    LegEnd,
    LegRole,
    LegState,
    Operation,
    OperationEnd,
    RingOutcome,
    StaleStep,
    TargetRefused,
)
from services.chassis.ids import LegId


def begin_epoch(turn: Turn) -> None:
    """A stream is being opened; the ones before it have nothing more to say."""
    flow = turn.call.flow
    if flow.closed:
        raise CallIsOver("the flow has said its last word")
    if not flow.epoch:
        turn.report(reports.Invited(turn.call.invitation))
        turn.change_flow(since_ms=turn.now_ms)
    turn.change_flow(epoch=flow.epoch + 1)


def attach(turn: Turn, epoch: int) -> None:
    """The stream has proved itself."""
    flow = turn.call.flow
    if epoch != flow.epoch or flow.attached or flow.closed:
        return
    turn.change_flow(attached=True, since_ms=turn.now_ms)
    turn.publish(facts.FlowAttached(epoch))


def detach(turn: Turn, epoch: int, reason: str) -> None:
    """The stream broke. Being without one is counted from the first break, not the last."""
    flow = turn.call.flow
    if epoch != flow.epoch or not flow.attached or flow.closed:
        return
    turn.change_flow(attached=False, since_ms=turn.now_ms)
    turn.publish(facts.FlowDetached(reason))


def close(turn: Turn) -> None:
    """No interpreter is asked any more."""
    if not turn.call.flow.closed:
        turn.change_flow(closed=True, attached=False)


def keep(turn: Turn, step: Step) -> None:
    """Keeps a step, then does its commands; StaleStep or a limit's error leave all as it was."""
    flow = turn.call.flow
    if flow.closed or step.epoch != flow.epoch or step.step != flow.step + 1:
        raise StaleStep(f"step {step.step} of epoch {step.epoch} after {flow.step} in {flow.epoch}")
    check(step)
    attach(turn, step.epoch)
    turn.change_flow(
        step=step.step,
        checkpoint=step.checkpoint,
        tenant_id=turn.call.flow.tenant_id or step.tenant_id,
        unconsumed=tuple(
            report for report in turn.call.flow.unconsumed if report.seq > step.consumed_seq
        ),
    )
    turn.move_call(CallHappening.STEP_KEPT)
    for command in step.commands:
        _do(turn, command)


def _do(turn: Turn, command: StepCommand) -> None:
    match command:
        case Note(kind=kind, values=values):
            turn.publish(facts.FlowNoted(kind, values))
        case SetConsent(granted=granted, basis=basis):
            recording.set_consent(turn, granted=granted, basis=basis)
        case Hangup():
            _hang_up(turn, command)
        case _ if turn.call.state in OVER:
            pass  # the caller left while the step was under way
        case RingAgent():
            _ring_agent(turn, command)
        case Dial():
            _dial(turn, command)
        case StopRinging(ring_id=ring_id, reason=reason):
            _stop_ringing(turn, ring_id, reason)
        case JoinLegs(ring_id=ring_id):
            _join(turn, ring_id)
        case _:
            _speak(turn, command)


def _speak(turn: Turn, command: Answer | Play | GatherKeys | StopMedia) -> None:
    match command:
        case Answer():
            answer_caller(turn)
        case Play():
            _open_ears(turn)
            begin_operation(turn, Operation(command.operation, command.prompts, command.loop))
        case GatherKeys():
            _open_ears(turn)
            begin_operation(turn, _gathering(command))
        case StopMedia():
            end_operation(turn, OperationEnd.STOPPED)
        case _:
            assert_never(command)


def answer_caller(turn: Turn) -> None:
    """Answers the caller, unless answered before."""
    caller = turn.call.leg(CALLER_LEG)
    if caller.state not in RINGABLE:
        return
    turn.move_leg(CALLER_LEG, LegHappening.ANSWERS)
    turn.publish(facts.LegStateChanged(CALLER_LEG, LegState.ANSWERED, caller.codec))
    turn.emit(SendAnswer())


def _open_ears(turn: Turn) -> None:
    """Lets an unanswered caller hear: by early media, or, where no offer came, by the answer."""
    caller = turn.call.leg(CALLER_LEG)
    if caller.state is not LegState.INVITED:
        return
    if not caller.codec:
        answer_caller(turn)
        return
    turn.move_leg(CALLER_LEG, LegHappening.EARLY_MEDIA)
    turn.publish(facts.LegStateChanged(CALLER_LEG, LegState.EARLY, caller.codec))
    turn.emit(SendProgress())


def _gathering(command: GatherKeys) -> Operation:
    return Operation(
        command.operation,
        command.prompts,
        command.loop,
        Gather(
            state=GatherState.PROMPTING,
            max_digits=command.max_digits,
            first_digit_timeout_ms=command.first_digit_timeout_ms,
            next_digit_timeout_ms=command.next_digit_timeout_ms or DEFAULT_NEXT_DIGIT_TIMEOUT_MS,
            end_key=command.end_key,
            barge_in=command.barge_in,
            loop=command.loop,
        ),
    )


def _ring_agent(turn: Turn, command: RingAgent) -> None:
    leg = Leg(
        LegId(""),
        LegRole.AGENT,
        ring_id=command.reservation_id,
        agent_id=command.agent_id,
        target=command.endpoint,
        shown=turn.call.invitation.caller,
        display=command.caller_display or turn.call.invitation.display_name,
    )
    _ring(turn, leg, command.timeout_ms)


def _dial(turn: Turn, command: Dial) -> None:
    leg = Leg(
        LegId(""),
        LegRole.EXTERNAL,
        ring_id=command.ring_id,
        target=command.target,
        shown=command.caller_id or turn.call.invitation.called,
    )
    _ring(turn, leg, command.timeout_ms)


def _ring(turn: Turn, leg: Leg, timeout_ms: int) -> None:
    if turn.call.rung_by(leg.ring_id):
        return  # asked before; that ring goes on
    policy = turn.rules.policy
    judge = policy.agent_target if leg.role is LegRole.AGENT else policy.dial_target
    try:
        target = judge(leg.target)
    except TargetRefused:
        target = ""
    if not target or len(turn.call.legs) >= MAX_LEGS:
        turn.report(reports.LegFailed(leg.ring_id, RingOutcome.REFUSED))
        return
    if target == BROWSER:
        timeout_ms += turn.rules.limits.browser_ring_ms
    add_leg(
        turn,
        Leg(
            LegId(str(turn.call.legs_ever + 1)),
            leg.role,
            ring_id=leg.ring_id,
            agent_id=leg.agent_id,
            target=target,
            shown=leg.shown,
            display=leg.display,
            ring_deadline_ms=turn.now_ms + timeout_ms,
        ),
    )


def _stop_ringing(turn: Turn, ring_id: str, reason: str) -> None:
    leg = turn.call.rung_by(ring_id)
    if not leg or leg.state in GONE:
        return  # it failed or left meanwhile, and the flow was told
    if leg.state in RINGABLE:
        fail_ring(turn, leg, RingOutcome.CANCELLED, reason=reason)
    else:
        release_leg(turn, leg.leg_id, LegEnd.BY_COMMAND, reason=reason)


def _join(turn: Turn, ring_id: str) -> None:
    leg = turn.call.rung_by(ring_id)
    if not leg or leg.state in GONE:
        turn.report(reports.BridgeFailed(ring_id, "leg-gone"))
        return
    if turn.call.bridge and turn.call.bridge.leg_id == leg.leg_id:
        return  # asked before; that bridge stands or comes
    if leg.webrtc and leg.state in RINGABLE:
        answer_caller(turn)
        browser.join(turn, leg)
        return
    if leg.state in RINGABLE:
        turn.report(reports.BridgeFailed(ring_id, "leg-not-answered"))
        return
    answer_caller(turn)
    begin_bridge(turn, leg.leg_id)


def _hang_up(turn: Turn, command: Hangup) -> None:
    close(turn)
    release_call(
        turn,
        command.termination,
        sip_status=command.sip_status or 480,
        reason=command.termination.reason,
    )


def is_unattended(turn: Turn) -> bool:
    """Whether the caller has neither an interpreter nor anybody to speak with."""
    call = turn.call
    return call.state is CallState.ACTIVE and not call.flow.attached and call.bridge is None
