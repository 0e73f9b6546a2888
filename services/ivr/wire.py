"""Between the wire's messages and the model's words: nothing is decided here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from protos.acd.v1 import acd_pb2, config_pb2
from protos.common.v1 import common_pb2
from protos.crm.v1 import crm_pb2
from protos.ivr.v1 import ivr_pb2
from services.ivr.core.limits import TRANSFER_RING_MS
from services.ivr.model import actions, call
from services.ivr.model.actions import Command, TerminationClass
from services.ivr.model.call import Event, LegRole, LegView, OperationResult, RingOutcome
from services.ivr.model.errors import Problem
from services.ivr.model.flow import Prompt
from services.ivr.store import StoredFlow, StoredNumber

Blobs = Mapping[Prompt, str]
"""The blob of every text that a step lets somebody hear."""

# A word that a later release adds is read as the failure that it most likely is.
_RESULTS = {
    ivr_pb2.OperationEnded.REASON_COMPLETE: OperationResult.COMPLETE,
    ivr_pb2.OperationEnded.REASON_TIMEOUT: OperationResult.TIMEOUT,
    ivr_pb2.OperationEnded.REASON_STOPPED: OperationResult.STOPPED,
}
_OUTCOMES = {
    ivr_pb2.LegFailed.OUTCOME_NO_ANSWER: RingOutcome.NO_ANSWER,
    ivr_pb2.LegFailed.OUTCOME_REJECT: RingOutcome.REJECT,
    ivr_pb2.LegFailed.OUTCOME_BUSY: RingOutcome.BUSY,
    ivr_pb2.LegFailed.OUTCOME_CANCELLED: RingOutcome.CANCELLED,
    ivr_pb2.LegFailed.OUTCOME_REFUSED: RingOutcome.REFUSED,
}
_ROLES = {
    ivr_pb2.LEG_ROLE_CALLER: LegRole.CALLER,
    ivr_pb2.LEG_ROLE_AGENT: LegRole.AGENT,
}
_CLASSES = {
    TerminationClass.SUCCESS: common_pb2.TERMINATION_CLASS_SUCCESS,
    TerminationClass.CALLER_ERROR: common_pb2.TERMINATION_CLASS_CALLER_ERROR,
    TerminationClass.SERVER_ERROR: common_pb2.TERMINATION_CLASS_SERVER_ERROR,
    TerminationClass.CARRIER_ERROR: common_pb2.TERMINATION_CLASS_CARRIER_ERROR,
}


# ---- gateway to ivr ----------------------------------------------------------------------------


def event_of(message: ivr_pb2.CallEvent) -> Event | None:
    """The event; None for one that this release does not know."""
    body = message.WhichOneof("body")
    if body == "invited":
        return invited_of(message.call_id, message.invited)
    read = _READERS.get(body or "")
    return read(getattr(message, body)) if read and body else None


def invited_of(call_id: str, message: ivr_pb2.CallInvited) -> call.CallInvited:
    """A new call."""
    return call.CallInvited(
        call_id=call_id,
        caller=getattr(message, "from"),
        called=message.to,
        trunk=message.trunk,
        caller_name=message.display_name,
        asserted_identity=message.asserted_identity,
        diversion=message.diversion,
        gateway_address=message.gateway_address,
        headers=tuple(sorted(message.headers.items())),
    )


_TRANSFERS = {
    "queue_id": call.TransferKind.QUEUE,
    "agent_id": call.TransferKind.AGENT,
    "number": call.TransferKind.NUMBER,
}


def _transfer_of(body: ivr_pb2.TransferRequested) -> call.TransferRequested | None:
    """What is asked for; None for a target of a sort that this release does not know."""
    target = body.WhichOneof("target")
    if target is None:
        return None
    return call.TransferRequested(
        ring_id=body.ring_id,
        kind=_TRANSFERS[target],
        target=getattr(body, target),
        reason=body.reason,
        by_name=body.by_name,
        via_queue_id=body.via_queue_id,
    )


_READERS: dict[str, Callable[[Any], Event | None]] = {
    "operation_ended": lambda body: call.OperationEnded(
        body.operation, _RESULTS.get(body.reason, OperationResult.FAILED), body.digits
    ),
    "leg_ringing": lambda body: call.LegRinging(body.ring_id, body.leg_id),
    "leg_answered": lambda body: call.LegAnswered(body.ring_id, body.leg_id),
    "leg_failed": lambda body: call.LegFailed(
        body.ring_id, _OUTCOMES.get(body.outcome, RingOutcome.UNREACHABLE), body.sip_status
    ),
    "bridged": lambda body: call.Bridged(body.ring_id),
    "bridge_failed": lambda body: call.BridgeFailed(body.ring_id, body.reason),
    "leg_ended": lambda body: call.LegEnded(
        body.leg_id, _ROLES.get(body.role, LegRole.EXTERNAL), body.ring_id, body.reason
    ),
    "hold_changed": lambda body: call.HoldChanged(body.ring_id, body.held),
    "mute_changed": lambda body: call.MuteChanged(body.ring_id, body.muted),
    "transfer_requested": _transfer_of,
}


def leg_of(message: ivr_pb2.LegView) -> LegView:
    """A leg as the gateway sees it."""
    role = _ROLES.get(message.role, LegRole.EXTERNAL)
    return LegView(message.leg_id, role, message.ring_id, message.state)


# ---- ivr to gateway ----------------------------------------------------------------------------


def command_message(command: Command, blobs: Blobs) -> ivr_pb2.Command:
    """The command as it travels, its texts replaced by their blobs."""
    match command:
        case actions.AnswerCall():
            return ivr_pb2.Command(answer=ivr_pb2.Answer())
        case actions.PlayPrompts():
            play = ivr_pb2.Play(
                operation=command.operation,
                prompts=_prompt_messages(command.prompts, blobs),
                loop=command.loop,
            )
            return ivr_pb2.Command(play=play)
        case actions.GatherDigits():
            return ivr_pb2.Command(gather=_gather_message(command, blobs))
        case actions.RingAgent():
            ring = ivr_pb2.RingAgent(
                reservation_id=command.reservation_id,
                agent_id=command.agent_id,
                endpoint=command.endpoint,
                timeout_ms=command.timeout_ms,
                caller_display=command.caller_display,
            )
            return ivr_pb2.Command(ring_agent=ring)
        case actions.DialNumber():
            dial = ivr_pb2.Dial(
                ring_id=command.ring_id,
                target=command.target,
                timeout_ms=command.timeout_ms,
                caller_id=command.caller_id,
            )
            return ivr_pb2.Command(dial=dial)
        case actions.StopRinging():
            stop = ivr_pb2.StopRinging(ring_id=command.ring_id, reason=command.reason)
            return ivr_pb2.Command(stop_ringing=stop)
        case actions.BridgeLegs():
            return ivr_pb2.Command(bridge=ivr_pb2.Bridge(ring_id=command.ring_id))
        case _:
            return _last_message(command)


def _last_message(
    command: actions.SetConsent | actions.HangUpCall | actions.Note,
) -> ivr_pb2.Command:
    if isinstance(command, actions.SetConsent):
        consent = ivr_pb2.SetConsent(granted=command.granted, basis=command.basis)
        return ivr_pb2.Command(set_consent=consent)
    if isinstance(command, actions.Note):
        note = ivr_pb2.Note(kind=command.kind, values=dict(command.values))
        return ivr_pb2.Command(note=note)
    termination = common_pb2.Termination(
        termination_class=_CLASSES[command.termination_class], reason=command.reason
    )
    hangup = ivr_pb2.Hangup(termination=termination, sip_status=command.sip_status)
    return ivr_pb2.Command(hangup=hangup)


def _gather_message(command: actions.GatherDigits, blobs: Blobs) -> ivr_pb2.Gather:
    return ivr_pb2.Gather(
        operation=command.operation,
        prompts=_prompt_messages(command.prompts, blobs),
        loop=command.loop,
        max_digits=command.max_digits,
        first_digit_timeout_ms=command.first_digit_timeout_ms,
        next_digit_timeout_ms=command.next_digit_timeout_ms,
        end_key=command.end_key,
        barge_in=command.barge_in,
    )


def _prompt_messages(prompts: tuple[Prompt, ...], blobs: Blobs) -> list[ivr_pb2.Prompt]:
    return [
        ivr_pb2.Prompt(system=prompt.system)
        if prompt.system
        else ivr_pb2.Prompt(sha256=prompt.sha256 or blobs[prompt])
        for prompt in prompts
    ]


# ---- flows and numbers -------------------------------------------------------------------------


def flow_message(flow: StoredFlow) -> ivr_pb2.FlowVersion:
    """A version of a flow."""
    return ivr_pb2.FlowVersion(
        flow_id=flow.flow_id,
        version=flow.version,
        definition_json=flow.definition_json,
        published=flow.published,
        created_at_ms=flow.created_at_ms,
        published_version=flow.published_version,
        name=flow.name,
    )


def number_message(number: StoredNumber) -> ivr_pb2.Number:
    """A number and where it leads."""
    return ivr_pb2.Number(number=number.number, trunk=number.trunk, flow_id=number.flow_id)


def problem_message(problem: Problem) -> ivr_pb2.FlowProblem:
    """One fault in a flow."""
    return ivr_pb2.FlowProblem(node=problem.node, code=problem.code, message=problem.message)


# ---- ivr and acd -------------------------------------------------------------------------------


def enqueue_message(effect: actions.JoinQueue) -> acd_pb2.EnqueueRequest:
    """What acd is asked for."""
    return acd_pb2.EnqueueRequest(
        entry_id=effect.entry_id,
        queue_id=effect.queue_id,
        call_id=effect.call_id,
        priority=effect.priority,
        plan=_plan_message(effect),
        attributes={"caller": effect.caller, **dict(effect.attributes)},
        waiting_since_ms=effect.waiting_since_ms,
        gateway=effect.gateway,
    )


def _plan_message(effect: actions.JoinQueue) -> config_pb2.Plan | None:
    """One agent and then others, or all the skills at once for as long as it takes."""
    if effect.agent_id:
        return _agent_first(effect.agent_id, effect.else_queue_id)
    if not effect.skills:
        return None
    wanted = [
        config_pb2.SkillExpr(kind="skill", name=name, comparison="ge", level=level)
        for name, level in effect.skills
    ]
    expression = config_pb2.SkillExpr(kind="and", of=wanted)
    return config_pb2.Plan(
        steps=[config_pb2.PlanStep(expr=expression, for_s=_FOR_EVER_S)], end="stay"
    )


def _agent_first(agent_id: str, else_queue_id: str) -> config_pb2.Plan:
    step = config_pb2.PlanStep(
        expr=config_pb2.SkillExpr(kind="agent", value=agent_id), for_s=TRANSFER_RING_MS // 1_000
    )
    if else_queue_id:
        return config_pb2.Plan(steps=[step], end="overflow", overflow_queue=else_queue_id)
    return config_pb2.Plan(steps=[step], end="any")


_FOR_EVER_S = 86_400
"""The last step of a plan that stays lasts on; acd wants a number all the same."""


def customer_event(card: crm_pb2.CustomerCard) -> Event:
    """What crm knows of a number."""
    if not card.known:
        return call.CustomerUnknown()
    customer = card.customer
    return call.CustomerFound(
        customer.customer_id, customer.name, customer.segment, customer.language
    )


def entry_event(update: acd_pb2.EntryUpdate) -> Event | None:
    """What became of a contact; None for news that this release does not know."""
    match update.WhichOneof("body"):
        case "position":
            place = update.position
            wait_ms = place.announced_s * 1_000 if place.HasField("announced_s") else None
            return call.PositionChanged(
                update.entry_id, place.position, wait_ms, place.enqueued_at_ms
            )
        case "reserved":
            held = update.reserved
            return call.AgentReserved(
                update.entry_id,
                held.reservation_id,
                held.agent_id,
                held.endpoint,
                held.ring_timeout_ms,
                held.waiting_since_ms,
            )
        case "released":
            return call.ReservationReleased(update.released.reservation_id, update.released.outcome)
        case "accepted":
            return call.ReservationAccepted(update.accepted.reservation_id)
        case "left":
            left = update.left
            return call.QueueLeft(update.entry_id, left.exit, left.overflow_queue_id, left.message)
        case _:
            return None
