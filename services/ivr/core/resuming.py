"""Going on where another replica stopped: events it had not accounted for, then what is missing.

Everything asked of acd again is idempotent there, so asking once too often does no harm; what the
gateway was told it has kept, so nothing is told to it twice but a prompt that nobody plays.
"""

from __future__ import annotations

from services.ivr.core.customers import look_up_for
from services.ivr.core.entering import run, seek_consent
from services.ivr.core.hearing import (
    apologise,
    ask,
    play_music,
    play_ringback,
    say_farewell,
    speak,
)
from services.ivr.core.interpreter import advance
from services.ivr.core.turn import Outcome, Turn
from services.ivr.core.waiting import queue_node, request_for
from services.ivr.model.actions import (
    AcceptReservation,
    CompleteContact,
    ConfirmBridged,
    ConfirmRing,
    Effect,
)
from services.ivr.model.call import (
    Bridged,
    Event,
    LegAnswered,
    LegEnded,
    LegFailed,
    LegRole,
    LegView,
    RingOutcome,
)
from services.ivr.model.checkpoint import WAITING, Checkpoint, Purpose, Stage
from services.ivr.model.flow import Consent, Flow, Gather, Menu, Speak

_GONE = "ended"


def resume(
    flow: Flow,
    at: Checkpoint,
    *,
    legs: tuple[LegView, ...],
    events: tuple[Event, ...],
    operation: str,
    now_ms: int,
) -> Outcome:
    """Where the call stands once everything that happened meanwhile is accounted for."""
    begun = at.operations
    outcomes = []
    for event in events:
        outcomes.append(advance(flow, at, event, now_ms))
        at = outcomes[-1].checkpoint
    for event in _unseen(at, legs):
        outcomes.append(advance(flow, at, event, now_ms))
        at = outcomes[-1].checkpoint
    if at.operation and at.operations == begun and at.operation != operation:
        outcomes.append(_hear_again(flow, at, now_ms))
        at = outcomes[-1].checkpoint
    decided = tuple(effect for outcome in outcomes for effect in outcome.effects)
    completed = {effect.reservation_id for effect in decided if isinstance(effect, CompleteContact)}
    again = tuple(
        effect
        for effect in owed(flow, at)
        if effect not in decided
        and not (isinstance(effect, CompleteContact) and effect.reservation_id in completed)
    )
    return Outcome(
        at,
        tuple(command for outcome in outcomes for command in outcome.commands),
        decided + again,
    )


def owed(flow: Flow, at: Checkpoint) -> tuple[Effect, ...]:
    """What acd must know for the call to stand where it stands, in order."""
    effects: list[Effect] = []
    ring = at.ring
    if at.customer_until_ms and at.stage is not Stage.ENDED:
        effects.append(look_up_for(at))
    if at.completed and at.stage is not Stage.TALKING:
        ended_by, reason = at.completed_by or "system", at.completed_reason or "resumed"
        effects.append(CompleteContact(at.completed, ended_by, reason))
    if at.stay is not None and (at.stage in WAITING or at.stage is Stage.BRIDGING):
        effects.append(request_for(flow, at))
    if ring is not None and ring.agent:
        if at.stage is Stage.RINGING and ring.rang:
            effects.append(ConfirmRing(ring.ring_id, ring.agent_id))
        elif at.stage is Stage.ANSWERED:
            effects.append(AcceptReservation(ring.ring_id, ring.agent_id))
        elif at.stage is Stage.TALKING:
            effects.append(ConfirmBridged(ring.ring_id))
    return tuple(effects)


def _unseen(at: Checkpoint, legs: tuple[LegView, ...]) -> tuple[Event, ...]:
    """What the legs' states say beyond the events: a far end or a caller that is gone."""
    if at.stage is Stage.ENDED:
        return ()
    caller = next((leg for leg in legs if leg.role is LegRole.CALLER), None)
    if caller is None or caller.state == _GONE:
        leg_id = caller.leg_id if caller is not None else ""
        return (LegEnded(leg_id, LegRole.CALLER),)
    ring = at.ring
    if ring is None:
        return ()
    leg = next((leg for leg in legs if leg.ring_id == ring.ring_id), None)
    if leg is None or leg.state == _GONE:
        if at.stage is Stage.TALKING:
            leg_id = leg.leg_id if leg is not None else ""
            return (LegEnded(leg_id, LegRole.AGENT, ring.ring_id, "signalling-lost"),)
        return (LegFailed(ring.ring_id, RingOutcome.UNREACHABLE),)
    if leg.state == "bridged" and at.stage is Stage.BRIDGING:
        return (Bridged(ring.ring_id),)
    # That a browser is connected is no acceptance: acd tells that.
    awaited = at.stage in {Stage.RINGING, Stage.DIALLING, Stage.ACCEPTED} and not ring.browser
    if leg.state == "answered" and awaited:
        return (LegAnswered(ring.ring_id, leg.leg_id),)
    return ()


def _hear_again(flow: Flow, at: Checkpoint, now_ms: int) -> Outcome:
    turn = Turn(flow=flow, at=at, now_ms=now_ms)
    match at.stage:
        case Stage.IN_NODE:
            _say_again(turn)
        case Stage.DIALLING:
            play_ringback(turn)
        case Stage.APOLOGISING:
            apologise(turn)
        case stage if stage in WAITING:
            play_music(turn, queue_node(turn))
        case _:
            # The bridge stopped what was heard, and its end is still to be reported.
            turn.change(operation="", purpose=Purpose.NONE)
    run(turn)
    return turn.outcome()


def _say_again(turn: Turn) -> None:
    if turn.at.purpose is Purpose.FAREWELL:
        say_farewell(turn, turn.stay.message)
        return
    node = turn.node
    if isinstance(node, (Menu, Gather)):
        ask(turn, node)
        return
    if isinstance(node, Consent):
        seek_consent(turn, node)
        return
    assert isinstance(node, Speak), f"nothing is said in {node.id}"
    if not speak(turn, node.spoken):
        turn.target = node.next
