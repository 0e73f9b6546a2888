"""What a call's endpoints do: ring, answer, refuse, hold and leave."""

from __future__ import annotations

from media_gateway.core import facts, reports
from media_gateway.core.ending import OVER, end_call, fail_ring, leg_ends, release_call
from media_gateway.core.events import LegBecame, OpenFlow, OpenMedia, SendBye, SendInvite
from media_gateway.core.leg import GONE, RINGABLE, LegHappening
from media_gateway.core.media import refuse_media
from media_gateway.core.termination import EndCause, terminated
from media_gateway.core.turn import Turn
from media_gateway.model import (
    CALLER_LEG,
    CallState,
    IllegalTransition,
    Leg,
    LegEnd,
    LegRole,
    LegState,
    RingOutcome,
)
from services.chassis.ids import LegId

_REJECTING = frozenset({603, 607, 608})
_BUSY = frozenset({486, 600})
_CAUSES = {
    LegEnd.HUNG_UP: EndCause.CALLER_HUNG_UP,
    LegEnd.CANCELLED: EndCause.CALLER_CANCELLED,
    LegEnd.SIGNALLING_LOST: EndCause.SIGNALLING_LOST,
}


def open_call(turn: Turn, codec: str) -> None:
    """Begins the call with its caller's leg."""
    _start_call(turn)
    add_leg(turn, Leg(CALLER_LEG, LegRole.CALLER, codec=codec, signalled=True))


def refuse_call(turn: Turn, cause: EndCause) -> None:
    """Begins the call and refuses it, without media."""
    _start_call(turn)
    _put_leg(turn, Leg(CALLER_LEG, LegRole.CALLER, signalled=True))
    end_call(turn, cause)


def add_leg(turn: Turn, leg: Leg) -> None:
    """Adds a leg and asks for its media."""
    _put_leg(turn, leg)
    turn.emit(OpenMedia(leg.leg_id))


def open_media(turn: Turn, leg_id: LegId) -> None:
    """A leg has its media: the caller's flow is asked for, another's endpoint is rung."""
    leg = turn.call.leg(leg_id)
    if leg.role is LegRole.CALLER:
        if turn.call.state is CallState.INVITED:
            turn.emit(OpenFlow())
        return
    if leg.signalled or leg.webrtc or leg.state in GONE:
        return
    limits = turn.rules.limits
    patience_ms = (
        limits.agent_response_ms if leg.role is LegRole.AGENT else limits.external_response_ms
    )
    leg = turn.change_leg(leg_id, signalled=True, response_deadline_ms=turn.now_ms + patience_ms)
    caller = turn.call.caller
    turn.emit(SendInvite(leg, caller.codec if caller else ""))


def deny_media(turn: Turn, leg_id: LegId) -> None:
    """A leg can have no media port, or its endpoint's address cannot be found."""
    leg = turn.call.leg(leg_id)
    if leg.role is LegRole.CALLER:
        refuse_media(turn, leg_id)
    elif leg.state in RINGABLE:
        fail_ring(turn, leg, RingOutcome.UNREACHABLE)


def respond(turn: Turn, leg_id: LegId) -> None:
    """A sign of life of an endpoint that is rung; an agent's must ring, for any proxy says 100."""
    leg = turn.call.leg(leg_id)
    if leg.role is LegRole.EXTERNAL and leg.state in RINGABLE:
        turn.change_leg(leg_id, response_deadline_ms=None)


def ring(turn: Turn, leg_id: LegId) -> None:
    """The endpoint rings."""
    leg = turn.call.leg(leg_id)
    if leg.state in GONE:
        return  # the CANCEL was under way
    first = not leg.rang
    turn.move_leg(leg_id, LegHappening.RINGS, rang=True, response_deadline_ms=None)
    if first:
        turn.publish(facts.LegStateChanged(leg_id, LegState.RINGING, ""))
        turn.report(reports.LegRinging(leg.ring_id, leg_id))


def answer(turn: Turn, leg_id: LegId, codec: str) -> None:
    """The endpoint answered. Nobody hears it until the flow bridges it."""
    leg = turn.call.leg(leg_id)
    if leg.state in GONE:
        return  # the CANCEL came too late; what answered is released
    turn.move_leg(
        leg_id,
        LegHappening.ANSWERS,
        codec=codec,
        answered=True,
        response_deadline_ms=None,
        ring_deadline_ms=None,
    )
    turn.publish(facts.LegStateChanged(leg_id, LegState.ANSWERED, codec))
    turn.report(reports.LegAnswered(leg.ring_id, leg_id))


def change_codec(turn: Turn, leg_id: LegId, codec: str) -> None:
    """An answered leg's codec became known, or is another from now on."""
    if turn.call.leg(leg_id).codec != codec:
        turn.change_leg(leg_id, codec=codec)


def answer_unusable(turn: Turn, leg_id: LegId) -> None:
    """The far end answered our offer with media that nobody here can use: it is let go."""
    leg = turn.call.leg(leg_id)
    if leg.role is LegRole.CALLER:
        end_call(turn, EndCause.NO_COMMON_CODEC)
    elif leg.state in RINGABLE:
        turn.emit(SendBye(leg_id, EndCause.NO_COMMON_CODEC.value))
        fail_ring(turn, leg, RingOutcome.UNREACHABLE, sip_status=488)


def refuse(turn: Turn, leg_id: LegId, sip_status: int) -> None:
    """The endpoint will not answer, or nothing answers at its address."""
    leg = turn.call.leg(leg_id)
    if leg.state in GONE:
        leg_ends(turn, leg_id, LegEnd.CANCELLED)
        return
    if leg.state not in RINGABLE:
        raise IllegalTransition(f"leg: refuses while {leg.state}")
    outcome = outcome_of(sip_status, rang=leg.rang)
    fail_ring(turn, leg, outcome, sip_status=sip_status or 408)


def outcome_of(sip_status: int, *, rang: bool) -> RingOutcome:
    """What a final status of an endpoint that was rung means."""
    if sip_status in _BUSY:
        return RingOutcome.BUSY
    if sip_status in _REJECTING or (sip_status == 480 and rang):
        return RingOutcome.REJECT
    return RingOutcome.UNREACHABLE


def confirm_release(turn: Turn, leg_id: LegId) -> None:
    """The signalling of a leg is over: as asked for, or, if nobody asked, by a loss."""
    if turn.call.leg(leg_id).state in GONE:
        leg_ends(turn, leg_id, LegEnd.BY_COMMAND)
    else:
        leave(turn, leg_id, LegEnd.SIGNALLING_LOST, unacknowledged=False)


def leave(turn: Turn, leg_id: LegId, end: LegEnd, *, unacknowledged: bool) -> None:
    """The far end hung up or cancelled, or its signalling was lost."""
    leg = turn.call.leg(leg_id)
    if leg.role is not LegRole.CALLER or turn.call.state in OVER:
        leg_ends(turn, leg_id, end)
        return
    cause = _CAUSES[end]
    if unacknowledged:
        cause = EndCause.NO_ACK
    release_call(turn, terminated(cause), sip_status=480, reason=cause.value, caller_end=end)


def _start_call(turn: Turn) -> None:
    invitation = turn.call.invitation
    turn.publish(facts.CallStarted(invitation.caller, invitation.called, invitation.trunk))


def _put_leg(turn: Turn, leg: Leg) -> None:
    turn.change_call(legs_ever=turn.call.legs_ever + 1)
    turn.emit(LegBecame(leg))
    turn.publish(facts.LegStarted(leg.leg_id, leg.role, leg.agent_id, leg.ring_id))
