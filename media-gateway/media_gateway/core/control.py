"""What operators and endpoints do to an answered leg: hold, mute, hang up."""

from __future__ import annotations

from media_gateway.core import facts, reports
from media_gateway.core.ending import OVER, release_call, release_leg
from media_gateway.core.events import SendHold, SetHold, SetMute
from media_gateway.core.leg import GONE, TALKING
from media_gateway.core.termination import EndCause, refusal_status, terminated
from media_gateway.core.turn import Turn
from media_gateway.model import Leg, LegEnd, LegNotAnswered, LegRole, NoSuchLeg
from services.chassis.ids import LegId


def hold(turn: Turn, leg_id: LegId, *, held: bool) -> None:
    """Puts a leg on hold or takes it back: its peer hears music meanwhile."""
    leg = _answered(turn, leg_id)
    if leg.held_here == held:
        return
    turn.emit(SetHold(leg_id, held))
    if not leg.webrtc:
        turn.emit(SendHold(leg_id, held))
    _tell_hold(turn, leg, turn.change_leg(leg_id, held_here=held))


def hold_by_endpoint(turn: Turn, leg_id: LegId, *, held: bool) -> None:
    """The far end put us on hold or took us back."""
    leg = turn.call.leg(leg_id)
    if leg.state in TALKING and leg.held_there != held:
        _tell_hold(turn, leg, turn.change_leg(leg_id, held_there=held))


def mute(turn: Turn, leg_id: LegId, *, muted: bool) -> None:
    """Discards what a leg says, or lets it be heard again."""
    leg = _answered(turn, leg_id)
    if leg.muted == muted:
        return
    turn.change_leg(leg_id, muted=muted)
    turn.emit(SetMute(leg_id, muted))
    turn.publish(facts.LegMuteChanged(leg_id, muted))
    turn.report(reports.MuteChanged(leg_id, leg.ring_id, muted))


def hang_up(turn: Turn, leg_id: LegId) -> None:
    """Releases a leg as if its own endpoint had hung up; the flow decides what follows."""
    leg = turn.call.leg(leg_id)
    if leg.state in GONE:
        return
    if leg.role is not LegRole.CALLER:
        _answered(turn, leg_id)
        release_leg(turn, leg_id, LegEnd.HUNG_UP)
        return
    cause = EndCause.ENDED_BY_REQUEST
    release_leg(turn, leg_id, LegEnd.HUNG_UP, reason=cause.value, sip_status=refusal_status(cause))
    if turn.call.state not in OVER:
        release_call(turn, terminated(cause), sip_status=refusal_status(cause), reason=cause.value)


def _answered(turn: Turn, leg_id: LegId) -> Leg:
    leg = turn.call.leg(leg_id)
    if leg.state in GONE:
        raise NoSuchLeg(f"leg {leg_id} of call {turn.call.call_id} is gone")
    if leg.state not in TALKING:
        raise LegNotAnswered(f"leg {leg_id} of call {turn.call.call_id} is {leg.state}")
    return leg


def _tell_hold(turn: Turn, before: Leg, after: Leg) -> None:
    if before.held == after.held:
        return
    turn.publish(facts.LegHoldChanged(after.leg_id, after.held))
    turn.report(reports.HoldChanged(after.leg_id, after.ring_id, after.held))
