"""How calls end, and what is done when a flow fails: never silence, always a reason."""

from __future__ import annotations

from services.ivr.core.hearing import apologise
from services.ivr.core.turn import Turn
from services.ivr.model.actions import (
    CompleteContact,
    HangUpCall,
    LeaveQueue,
    StopRinging,
    TerminationClass,
)
from services.ivr.model.call import LegEnded
from services.ivr.model.checkpoint import WAITING, Purpose, Stage
from services.ivr.model.flow import TREATMENT

SIP_SERVER_ERROR = 500


def hang_up(turn: Turn, laid_to: TerminationClass, reason: str, sip_status: int = 0) -> None:
    """Ends the call."""
    turn.command(HangUpCall(laid_to, reason, 0 if turn.at.answered else sip_status))
    turn.change(
        stage=Stage.ENDED,
        operation="",
        purpose=Purpose.NONE,
        stay=None,
        ring=None,
        ended_class=laid_to.value,
        ended_reason=reason,
    )


def fail(turn: Turn, reason: str, *, leave_queue: bool = True) -> None:
    """Begins the default treatment; when it fails itself, apologises and ends the call."""
    turn.note("flow-failed", node=turn.at.node, reason=reason)
    if turn.at.ring is not None:
        turn.command(StopRinging(turn.at.ring.ring_id, reason))
    if turn.at.stay is not None and leave_queue:
        turn.effect(LeaveQueue(turn.at.stay.entry_id, "failed", reason))
    turn.change(stay=None, ring=None)
    if not turn.at.treated:
        turn.change(treated=reason, failed_in_a_row=0)
        turn.target = TREATMENT
        return
    turn.target = None
    if turn.at.answered:
        turn.change(ended_class=TerminationClass.SERVER_ERROR.value, ended_reason=reason)
        apologise(turn)
    else:
        hang_up(turn, TerminationClass.SERVER_ERROR, reason, SIP_SERVER_ERROR)


def complete(turn: Turn, *, ended_by: str, reason: str) -> None:
    """Tells acd that the conversation with an agent is over, and remembers that it must know."""
    ring_id = turn.ring.ring_id
    turn.effect(CompleteContact(ring_id, ended_by, reason))
    turn.change(completed=ring_id, completed_by=ended_by, completed_reason=reason)


def end_failed_call(turn: Turn) -> None:
    """Ends a call once its apology was heard."""
    hang_up(turn, TerminationClass(turn.at.ended_class), turn.at.ended_reason)


def end_for_caller(turn: Turn, event: LegEnded) -> None:
    """The caller's leg is gone: whoever rings stops, whoever talks is told."""
    at = turn.at
    laid_to, reason = _laid_to(event.reason)
    if at.stage is Stage.APOLOGISING:
        laid_to, reason = TerminationClass(at.ended_class), at.ended_reason
    if at.stage is Stage.TALKING and at.ring is not None and at.ring.agent:
        complete(turn, ended_by="caller", reason=reason)
    elif at.stay is not None and (at.stage in WAITING or at.stage is Stage.BRIDGING):
        turn.effect(LeaveQueue(at.stay.entry_id, "abandoned", reason))
        turn.note("queue-left", queue=at.stay.queue_id, exit="abandoned")
    hang_up(turn, laid_to, reason)


def _laid_to(reason: str) -> tuple[TerminationClass, str]:
    if reason in {"media-timeout", "signalling-lost"}:
        return TerminationClass.CARRIER_ERROR, f"caller-{reason}"
    return TerminationClass.SUCCESS, "caller-hung-up"
