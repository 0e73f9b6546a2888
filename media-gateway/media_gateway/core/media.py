"""What a call's media does: operations and keys of the caller, the bridge, and silence."""

from __future__ import annotations

from dataclasses import replace

from media_gateway.core import facts, gather, reports
from media_gateway.core.bridge import BRIDGE, BridgeHappening
from media_gateway.core.ending import OVER, end_call, part_bridge, release_call, release_leg
from media_gateway.core.events import BridgeBecame, ConnectMedia, OperationBecame
from media_gateway.core.gather import KEYS, MAX_DIGITS, Progress
from media_gateway.core.leg import GONE, LegHappening
from media_gateway.core.sounds import APOLOGY, MUSIC
from media_gateway.core.termination import EndCause, terminated
from media_gateway.core.turn import Turn
from media_gateway.model import (
    CALLER_LEG,
    BadCommand,
    Bridge,
    BridgeState,
    LegEnd,
    LegRole,
    LegState,
    Operation,
    OperationEnd,
)
from services.chassis.ids import LegId


def begin_operation(turn: Turn, operation: Operation) -> None:
    """Lets the caller hear and key something in place of whatever there was."""
    end_operation(turn, OperationEnd.STOPPED)
    if operation.gather:
        begun = gather.begin(operation.gather, prompts=bool(operation.prompts), now_ms=turn.now_ms)
        operation = replace(operation, gather=begun)
    turn.emit(OperationBecame(operation))
    if operation.gather or operation.loop:
        _use_typed_ahead(turn, operation)


def _use_typed_ahead(turn: Turn, operation: Operation) -> None:
    """Keys pressed ahead answer a question; music asks none, and a queue's keys are its own."""
    keys = turn.call.typed_ahead
    if not keys:
        return
    turn.change_call(typed_ahead="")
    if operation.loop or not (operation.gather and operation.gather.barge_in):
        return
    for index, key in enumerate(keys):
        present = turn.call.operation
        if present is None or present.gather is None:
            # What the question did not take is there for the next.
            turn.change_call(typed_ahead=keys[index:])
            return
        take_progress(turn, gather.press(present.gather, key, turn.now_ms))


def end_operation(turn: Turn, reason: OperationEnd) -> None:
    """Ends the present operation, if there is one, and tells the flow."""
    operation = turn.call.operation
    if not operation:
        return
    turn.emit(OperationBecame(None))
    digits = operation.gather.digits if operation.gather else ""
    turn.report(reports.OperationEnded(operation.name, reason, digits))


def press_key(turn: Turn, leg_id: LegId, key: str, how: str) -> None:
    """A key was pressed on a leg; only a gather listens, and only to the caller.

    What a caller presses during an announcement is kept for the question that follows it.
    """
    if key not in KEYS:
        raise BadCommand(f"no key of a telephone: {key!r}")
    leg = turn.call.leg(leg_id)
    if leg.state in GONE:
        return
    turn.publish(facts.DigitsReceived(leg_id, 1, how))
    if leg.role is not LegRole.CALLER or turn.call.bridge:
        return
    operation = turn.call.operation
    if operation and operation.gather:
        take_progress(turn, gather.press(operation.gather, key, turn.now_ms))
    elif not (operation and operation.loop) and len(turn.call.typed_ahead) < MAX_DIGITS:
        turn.change_call(typed_ahead=turn.call.typed_ahead + key)


def end_sound(turn: Turn, leg_id: LegId, sound: str, *, failed: bool) -> None:
    """What played to a leg came to its end."""
    leg = turn.call.leg(leg_id)
    if leg.sound != sound:
        return  # it was replaced meanwhile, and its end was told then
    if sound == APOLOGY.key:
        end_apology(turn)
        return
    if sound == MUSIC.key:
        return  # looped: ends only by failing, and starting it again would fail again
    operation = turn.call.operation
    assert operation is not None, "what plays is the operation's, or the gateway's own"
    turn.change_leg(leg_id, sound="")
    if failed:
        end_operation(turn, OperationEnd.FAILED)
    elif operation.gather:
        take_progress(turn, gather.prompts_end(operation.gather, turn.now_ms))
    else:
        end_operation(turn, OperationEnd.COMPLETE)


def end_patience(turn: Turn) -> None:
    """Nothing was keyed in time."""
    operation = turn.call.operation
    if operation and operation.gather:
        take_progress(turn, gather.patience_ends(operation.gather))


def take_progress(turn: Turn, progress: Progress) -> None:
    """Takes over what became of the present gather."""
    operation = turn.call.operation
    assert operation is not None, "progress is made by the present operation"
    turn.emit(OperationBecame(replace(operation, gather=progress.gather)))
    if progress.ended:
        end_operation(turn, progress.ended)


def end_apology(turn: Turn) -> None:
    """The apology was heard, or took too long: the caller is let go."""
    turn.change_call(apology_deadline_ms=None)
    caller = turn.call.caller
    if caller:
        release_leg(
            turn,
            caller.leg_id,
            LegEnd.BY_COMMAND,
            reason=EndCause.NO_FLOW.value,
            sip_status=503,
        )


def begin_bridge(turn: Turn, leg_id: LegId) -> None:
    """Lets the caller and an answered leg hear each other."""
    end_operation(turn, OperationEnd.STOPPED)
    part_bridge(turn)
    turn.change_call(typed_ahead="")
    turn.emit(BridgeBecame(Bridge(leg_id, turn.now_ms)))
    turn.emit(ConnectMedia(CALLER_LEG, leg_id))
    join_if_heard(turn)


def join_if_heard(turn: Turn) -> None:
    """Calls the bridge joined when a packet came from both sides."""
    caller, peer = turn.call.caller, turn.call.peer
    if caller and peer and caller.heard and peer.heard:
        join_bridge(turn, BridgeHappening.HEARD)


def join_bridge(turn: Turn, happening: BridgeHappening) -> None:
    """The two hear each other, as far as can be known; the flow is told."""
    bridge = turn.call.bridge
    if not bridge or bridge.state is not BridgeState.CONNECTING:
        return
    turn.emit(BridgeBecame(replace(bridge, state=BRIDGE.next(bridge.state, happening))))
    legs = [turn.move_leg(leg, LegHappening.JOINS) for leg in (CALLER_LEG, bridge.leg_id)]
    for leg in legs:
        turn.publish(facts.LegStateChanged(leg.leg_id, LegState.BRIDGED, leg.codec))
    turn.publish(
        facts.LegsBridged(
            CALLER_LEG,
            bridge.leg_id,
            turn.now_ms - bridge.began_at_ms,
            tuple(leg.leg_id for leg in legs if not leg.heard),
        )
    )
    turn.report(reports.Bridged(legs[1].ring_id, bridge.leg_id))


def hear_media(turn: Turn, leg_id: LegId) -> None:
    """The first packet of a leg came."""
    if turn.call.leg(leg_id).state in GONE:
        return
    turn.change_leg(leg_id, heard=True)
    join_if_heard(turn)


def lose_media(turn: Turn, leg_id: LegId) -> None:
    """A leg has been silent for longer than is believable: it is released."""
    leg = turn.call.leg(leg_id)
    if leg.state in GONE:
        return
    release_leg(turn, leg_id, LegEnd.MEDIA_TIMEOUT, reason=LegEnd.MEDIA_TIMEOUT.value)
    if leg.role is LegRole.CALLER:
        release_call(
            turn,
            terminated(EndCause.MEDIA_TIMEOUT),
            sip_status=480,
            reason=EndCause.MEDIA_TIMEOUT.value,
        )


def refuse_media(turn: Turn, leg_id: LegId) -> None:
    """No port could be had for a leg."""
    leg = turn.call.leg(leg_id)
    if leg.role is LegRole.CALLER and turn.call.state not in OVER:
        end_call(turn, EndCause.NO_MEDIA_PORTS)
