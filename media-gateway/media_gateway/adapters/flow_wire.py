"""Between a call's words and those of carillon.ivr.v1."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import assert_never

from media_gateway.core import reports, steps
from media_gateway.core.reports import Reported
from media_gateway.core.state import Call
from media_gateway.core.steps import StepCommand
from media_gateway.model import (
    BadCommand,
    Leg,
    LegRole,
    OperationEnd,
    Prompt,
    RingOutcome,
    Termination,
    TerminationClass,
    Transfer,
    TransferKind,
)
from protos.common.v1 import common_pb2
from protos.ivr.v1 import ivr_pb2

ROLES: Mapping[LegRole, ivr_pb2.LegRole.ValueType] = MappingProxyType(
    {
        LegRole.CALLER: ivr_pb2.LEG_ROLE_CALLER,
        LegRole.AGENT: ivr_pb2.LEG_ROLE_AGENT,
        LegRole.EXTERNAL: ivr_pb2.LEG_ROLE_EXTERNAL,
    }
)
OPERATION_ENDS: Mapping[OperationEnd, ivr_pb2.OperationEnded.Reason.ValueType] = MappingProxyType(
    {
        OperationEnd.COMPLETE: ivr_pb2.OperationEnded.REASON_COMPLETE,
        OperationEnd.TIMEOUT: ivr_pb2.OperationEnded.REASON_TIMEOUT,
        OperationEnd.STOPPED: ivr_pb2.OperationEnded.REASON_STOPPED,
        OperationEnd.FAILED: ivr_pb2.OperationEnded.REASON_FAILED,
    }
)
OUTCOMES: Mapping[RingOutcome, ivr_pb2.LegFailed.Outcome.ValueType] = MappingProxyType(
    {
        RingOutcome.NO_ANSWER: ivr_pb2.LegFailed.OUTCOME_NO_ANSWER,
        RingOutcome.REJECT: ivr_pb2.LegFailed.OUTCOME_REJECT,
        RingOutcome.BUSY: ivr_pb2.LegFailed.OUTCOME_BUSY,
        RingOutcome.UNREACHABLE: ivr_pb2.LegFailed.OUTCOME_UNREACHABLE,
        RingOutcome.CANCELLED: ivr_pb2.LegFailed.OUTCOME_CANCELLED,
        RingOutcome.REFUSED: ivr_pb2.LegFailed.OUTCOME_REFUSED,
    }
)
CLASSES: Mapping[TerminationClass, common_pb2.TerminationClass.ValueType] = MappingProxyType(
    {
        TerminationClass.SUCCESS: common_pb2.TERMINATION_CLASS_SUCCESS,
        TerminationClass.CALLER_ERROR: common_pb2.TERMINATION_CLASS_CALLER_ERROR,
        TerminationClass.SERVER_ERROR: common_pb2.TERMINATION_CLASS_SERVER_ERROR,
        TerminationClass.CARRIER_ERROR: common_pb2.TERMINATION_CLASS_CARRIER_ERROR,
        TerminationClass.UNKNOWN: common_pb2.TERMINATION_CLASS_UNKNOWN,
    }
)
_CLASS_OF = {number: known for known, number in CLASSES.items()}
_NO_REASON = "unspecified"


def termination_to_wire(termination: Termination) -> common_pb2.Termination:
    """A termination as it travels."""
    return common_pb2.Termination(
        termination_class=CLASSES[termination.termination_class], reason=termination.reason
    )


def event_of(call: Call, report: Reported, *, gateway_address: str) -> ivr_pb2.CallEvent:
    """A report on the call's present stream."""
    event = ivr_pb2.CallEvent(
        call_id=call.call_id, epoch=call.flow.epoch, seq=report.seq, at_ms=report.at_ms
    )
    _fill(event, report.body, gateway_address)
    return event


def resumed(call: Call, now_ms: int, *, gateway_address: str) -> ivr_pb2.CallEvent:
    """All that another interpreter needs to go on with the call."""
    flow = call.flow
    return ivr_pb2.CallEvent(
        call_id=call.call_id,
        epoch=flow.epoch,
        seq=0,
        at_ms=now_ms,
        resumed=ivr_pb2.CallResumed(
            checkpoint=flow.checkpoint,
            step=flow.step,
            legs=[_leg_view(leg) for leg in call.legs],
            events=[
                event_of(call, report, gateway_address=gateway_address)
                for report in flow.unconsumed
            ],
            operation=call.operation.name if call.operation else "",
            tenant_id=flow.tenant_id,
        ),
    )


def step_of(message: ivr_pb2.Step) -> steps.Step:
    """A step as it came; BadCommand when it holds a command that is not known here."""
    return steps.Step(
        epoch=message.epoch,
        step=message.step,
        consumed_seq=message.consumed_seq,
        checkpoint=message.checkpoint,
        commands=tuple(_command_of(command) for command in message.commands),
        tenant_id=message.tenant_id,
    )


def _leg_view(leg: Leg) -> ivr_pb2.LegView:
    # A leg whose release is under way is over for the flow: it was told so.
    state = "ended" if leg.state == "ending" else leg.state.value
    return ivr_pb2.LegView(
        leg_id=leg.leg_id,
        role=ROLES[leg.role],
        ring_id=leg.ring_id,
        state=state,
        held=leg.held,
        muted=leg.muted,
    )


def _fill(event: ivr_pb2.CallEvent, body: reports.Report, gateway_address: str) -> None:
    match body:
        case reports.Invited(invitation=invitation):
            event.invited.CopyFrom(
                ivr_pb2.CallInvited(
                    **{"from": invitation.caller},
                    to=invitation.called,
                    display_name=invitation.display_name,
                    asserted_identity=invitation.asserted_identity,
                    diversion=invitation.diversion,
                    trunk=invitation.trunk,
                    headers=invitation.headers,
                    gateway_address=gateway_address,
                )
            )
        case reports.OperationEnded():
            event.operation_ended.operation = body.operation
            event.operation_ended.reason = OPERATION_ENDS[body.reason]
            event.operation_ended.digits = body.digits
        case reports.LegRinging(ring_id=ring_id, leg_id=leg_id):
            event.leg_ringing.CopyFrom(ivr_pb2.LegRinging(ring_id=ring_id, leg_id=leg_id))
        case reports.LegAnswered(ring_id=ring_id, leg_id=leg_id):
            event.leg_answered.CopyFrom(ivr_pb2.LegAnswered(ring_id=ring_id, leg_id=leg_id))
        case reports.LegFailed():
            event.leg_failed.ring_id = body.ring_id
            event.leg_failed.outcome = OUTCOMES[body.outcome]
            event.leg_failed.sip_status = body.sip_status
        case reports.Bridged(ring_id=ring_id, leg_id=leg_id):
            event.bridged.CopyFrom(ivr_pb2.Bridged(ring_id=ring_id, leg_id=leg_id))
        case reports.BridgeFailed(ring_id=ring_id, reason=reason):
            event.bridge_failed.CopyFrom(ivr_pb2.BridgeFailed(ring_id=ring_id, reason=reason))
        case reports.LegEnded():
            event.leg_ended.leg_id = body.leg_id
            event.leg_ended.role = ROLES[body.role]
            event.leg_ended.ring_id = body.ring_id
            event.leg_ended.reason = body.reason.value
        case reports.HoldChanged():
            event.hold_changed.CopyFrom(
                ivr_pb2.HoldChanged(leg_id=body.leg_id, ring_id=body.ring_id, held=body.held)
            )
        case reports.MuteChanged():
            event.mute_changed.CopyFrom(
                ivr_pb2.MuteChanged(leg_id=body.leg_id, ring_id=body.ring_id, muted=body.muted)
            )
        case reports.TransferRequested(ring_id=ring_id, transfer=transfer):
            event.transfer_requested.CopyFrom(_transfer_requested(ring_id, transfer))
        case _:
            assert_never(body)


def _transfer_requested(ring_id: str, transfer: Transfer) -> ivr_pb2.TransferRequested:
    message = ivr_pb2.TransferRequested(
        ring_id=ring_id,
        reason=transfer.reason,
        by=transfer.by,
        by_name=transfer.by_name,
        via_queue_id=transfer.via_queue_id,
    )
    match transfer.kind:
        case TransferKind.QUEUE:
            message.queue_id = transfer.target
        case TransferKind.AGENT:
            message.agent_id = transfer.target
        case TransferKind.NUMBER:
            message.number = transfer.target
    return message


def _command_of(message: ivr_pb2.Command) -> StepCommand:
    kind = message.WhichOneof("body")
    reader = _READERS.get(kind) if kind else None
    if reader is None:
        raise BadCommand("a command that this gateway does not know")
    return reader(message)


def _prompt_of(message: ivr_pb2.Prompt) -> Prompt:
    return Prompt(sha256=message.sha256, system=message.system)


def _play(message: ivr_pb2.Command) -> StepCommand:
    play = message.play
    return steps.Play(play.operation, tuple(map(_prompt_of, play.prompts)), play.loop)


def _gather(message: ivr_pb2.Command) -> StepCommand:
    gather = message.gather
    return steps.GatherKeys(
        operation=gather.operation,
        prompts=tuple(map(_prompt_of, gather.prompts)),
        max_digits=gather.max_digits,
        loop=gather.loop,
        first_digit_timeout_ms=gather.first_digit_timeout_ms,
        next_digit_timeout_ms=gather.next_digit_timeout_ms,
        end_key=gather.end_key,
        barge_in=gather.barge_in,
    )


def _ring_agent(message: ivr_pb2.Command) -> StepCommand:
    ring = message.ring_agent
    return steps.RingAgent(
        reservation_id=ring.reservation_id,
        agent_id=ring.agent_id,
        endpoint=ring.endpoint,
        timeout_ms=ring.timeout_ms,
        caller_display=ring.caller_display,
    )


def _dial(message: ivr_pb2.Command) -> StepCommand:
    dial = message.dial
    return steps.Dial(dial.ring_id, dial.target, dial.timeout_ms, dial.caller_id)


def _hangup(message: ivr_pb2.Command) -> StepCommand:
    given = message.hangup.termination
    termination = Termination(
        _CLASS_OF.get(given.termination_class, TerminationClass.UNKNOWN),
        given.reason[: steps.MAX_TEXT] or _NO_REASON,
    )
    return steps.Hangup(termination, message.hangup.sip_status)


_READERS: Mapping[str, Callable[[ivr_pb2.Command], StepCommand]] = {
    "answer": lambda _: steps.Answer(),
    "play": _play,
    "gather": _gather,
    "stop_media": lambda _: steps.StopMedia(),
    "ring_agent": _ring_agent,
    "dial": _dial,
    "stop_ringing": lambda m: steps.StopRinging(m.stop_ringing.ring_id, m.stop_ringing.reason),
    "bridge": lambda m: steps.JoinLegs(m.bridge.ring_id),
    "hangup": _hangup,
    "set_consent": lambda m: steps.SetConsent(m.set_consent.granted, m.set_consent.basis),
    "note": lambda m: steps.Note(m.note.kind, dict(m.note.values)),
}
