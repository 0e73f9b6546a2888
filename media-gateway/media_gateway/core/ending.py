"""How legs and calls end: each once, each with one reason, and nothing of them goes on."""

from __future__ import annotations

from media_gateway.core import facts, reports
from media_gateway.core.bridge import BRIDGE, BridgeHappening
from media_gateway.core.events import (
    BridgeBecame,
    CloseMedia,
    DisconnectMedia,
    LegGone,
    OperationBecame,
    SendBye,
    SendCancel,
    SendRefusal,
)
from media_gateway.core.leg import GONE, RINGABLE, LegHappening
from media_gateway.core.state import CallHappening
from media_gateway.core.termination import EndCause, refusal_status, terminated
from media_gateway.core.turn import Turn
from media_gateway.model import (
    CALLER_LEG,
    BridgeState,
    CallState,
    Leg,
    LegEnd,
    LegRole,
    RingOutcome,
    Termination,
)
from services.chassis.ids import LegId

OVER = frozenset({CallState.ENDING, CallState.ENDED})
"""States in which nothing new is begun."""


def end_call(turn: Turn, cause: EndCause) -> None:
    """Ends the call for a reason of the gateway's own."""
    release_call(
        turn,
        terminated(cause),
        sip_status=refusal_status(cause),
        reason=cause.value,
    )


def release_call(
    turn: Turn,
    termination: Termination,
    *,
    sip_status: int,
    reason: str,
    caller_end: LegEnd | None = None,
) -> None:
    """Releases every leg; the first cause is the one that counts.

    `caller_end` says how the caller left, when it is the caller who left.
    """
    if turn.call.state in OVER:
        return
    turn.move_call(CallHappening.RELEASED, termination=termination)
    if turn.call.operation:
        turn.emit(OperationBecame(None))
    for leg in turn.call.legs:
        if leg.role is LegRole.CALLER and turn.call.apology_deadline_ms is not None:
            continue  # hears the apology first
        if leg.role is LegRole.CALLER and caller_end:
            leg_ends(turn, leg.leg_id, caller_end)
        elif leg.state not in GONE:
            release_leg(turn, leg.leg_id, LegEnd.BY_COMMAND, sip_status=sip_status, reason=reason)


def release_leg(
    turn: Turn, leg_id: LegId, end: LegEnd, *, reason: str = "", sip_status: int = 480
) -> None:
    """Releases one leg by BYE, CANCEL or refusal, whichever its state asks for."""
    leg = turn.call.leg(leg_id)
    if leg.state in GONE:
        return
    if leg.role is not LegRole.CALLER and not leg.signalled:
        leg_ends(turn, leg_id, end if leg.answered else LegEnd.CANCELLED)
        return
    refused = leg.state in RINGABLE and leg.role is LegRole.CALLER
    cancelled = leg.state in RINGABLE and not refused
    reason_of_leg = LegEnd.REFUSED if refused else LegEnd.CANCELLED if cancelled else end
    _part(turn, leg)
    turn.emit(CloseMedia(leg_id))
    turn.move_leg(
        leg_id,
        LegHappening.RELEASES,
        end=reason_of_leg,
        sip_status=sip_status if refused else leg.sip_status,
        ring_deadline_ms=None,
        response_deadline_ms=None,
        release_deadline_ms=turn.now_ms + turn.rules.limits.release_ms,
        sound="",
    )
    _tell_flow(turn, leg, reason_of_leg)
    if refused:
        turn.emit(SendRefusal(sip_status, reason))
    elif cancelled:
        turn.emit(SendCancel(leg_id, reason))
    else:
        turn.emit(SendBye(leg_id, reason))


def leg_ends(turn: Turn, leg_id: LegId, end: LegEnd, *, sip_status: int = 0) -> None:
    """A leg is over: its far end left, or confirmed its release."""
    leg = turn.call.leg(leg_id)
    released = leg.state in GONE
    if not released:
        _part(turn, leg)
        turn.emit(CloseMedia(leg_id))
    leg = turn.move_leg(
        leg_id,
        LegHappening.ENDS,
        end=leg.end or end,
        sip_status=leg.sip_status or sip_status,
        sound="",
    )
    if not released:
        _tell_flow(turn, leg, end)
    turn.publish(facts.LegEnded(leg_id, leg.role, leg.end or end, leg.sip_status))
    turn.emit(LegGone(leg_id))
    if not turn.call.legs:
        turn.change_call(quiet_at_ms=turn.now_ms)


def fail_ring(
    turn: Turn, leg: Leg, outcome: RingOutcome, *, sip_status: int = 0, reason: str = ""
) -> None:
    """A leg that was rung will not answer; the flow hears why, and the caller's is untouched."""
    turn.report(reports.LegFailed(leg.ring_id, outcome, sip_status))
    if sip_status:
        leg_ends(turn, leg.leg_id, LegEnd.REFUSED, sip_status=sip_status)
    else:
        release_leg(turn, leg.leg_id, LegEnd.CANCELLED, reason=reason)


def part_bridge(turn: Turn) -> None:
    """Ends the bridge, if there is one; its legs stay answered and hear nothing."""
    bridge = turn.call.bridge
    if not bridge:
        return
    BRIDGE.next(bridge.state, BridgeHappening.PARTS)
    turn.emit(DisconnectMedia(CALLER_LEG, bridge.leg_id))
    turn.emit(BridgeBecame(None))
    if bridge.state is BridgeState.JOINED:
        for leg_id in (CALLER_LEG, bridge.leg_id):
            turn.move_leg(leg_id, LegHappening.PARTS)


def finish(turn: Turn) -> None:
    """Ends the call once its last leg is gone and its flow has said its last word."""
    call = turn.call
    if call.state is not CallState.ENDING or call.legs:
        return
    if not call.flow.closed and call.flow.epoch:
        return
    assert call.termination is not None, "an ending call has its cause"
    assert call.quiet_at_ms is not None, "a call without legs knows since when"
    turn.publish(facts.LadderNoted())
    turn.publish(facts.CallEnded(call.termination, max(0, call.quiet_at_ms - call.invited_at_ms)))
    turn.move_call(CallHappening.FINISHED, farewell_deadline_ms=None)


def _part(turn: Turn, leg: Leg) -> None:
    bridge = turn.call.bridge
    if bridge and leg.leg_id in {CALLER_LEG, bridge.leg_id}:
        part_bridge(turn)


def _tell_flow(turn: Turn, leg: Leg, end: LegEnd) -> None:
    """The flow hears of answered legs and of the caller's; of a failed ring it heard before."""
    if leg.role is LegRole.CALLER:
        turn.report(reports.LegEnded(leg.leg_id, leg.role, "", end))
        turn.change_call(farewell_deadline_ms=turn.now_ms + turn.rules.limits.farewell_ms)
    elif leg.answered:
        turn.report(reports.LegEnded(leg.leg_id, leg.role, leg.ring_id, end))
