"""What time alone makes of a call: every limit of every machine, the earliest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from media_gateway.core import flow
from media_gateway.core.bridge import MEDIA_PATIENCE_MS, BridgeHappening
from media_gateway.core.browser import give_up_join, give_up_rejoin
from media_gateway.core.ending import end_call, fail_ring, leg_ends
from media_gateway.core.events import BreakFlow
from media_gateway.core.leg import GONE, HEARING, RINGABLE, TALKING
from media_gateway.core.media import end_apology, end_patience, join_bridge
from media_gateway.core.state import Call, Limits
from media_gateway.core.termination import EndCause
from media_gateway.core.turn import Turn
from media_gateway.model import (
    BridgeState,
    CallState,
    Leg,
    LegEnd,
    LegRole,
    RingOutcome,
)

Alarm = tuple[int, Callable[[Turn], None]]
"""When, in UTC milliseconds, and what follows."""


def alarms(call: Call, limits: Limits) -> Iterator[Alarm]:
    """Every alarm that is set."""
    match call.state:
        case CallState.INVITED:
            yield from _of_invited(call, limits)
        case CallState.ACTIVE:
            yield from _of_active(call, limits)
        case CallState.ENDING:
            yield from _of_ending(call)
        case CallState.ENDED:
            return
    for leg in call.legs:
        yield from _of_leg(leg)


def _of_invited(call: Call, limits: Limits) -> Iterator[Alarm]:
    yield call.invited_at_ms + limits.invited_ms, _give_up
    current = call.flow
    if not current.attached:
        yield max(current.since_ms, call.invited_at_ms) + limits.no_flow_ms, _give_up
    else:
        yield current.since_ms + limits.silent_flow_ms, _break_flow


def _of_active(call: Call, limits: Limits) -> Iterator[Alarm]:
    operation, bridge, caller, current = call.operation, call.bridge, call.caller, call.flow
    if operation and operation.gather and operation.gather.deadline_ms is not None:
        yield operation.gather.deadline_ms, end_patience
    if bridge and bridge.state is BridgeState.CONNECTING:
        joined_at_ms = bridge.began_at_ms + MEDIA_PATIENCE_MS
        yield joined_at_ms, partial(join_bridge, happening=BridgeHappening.WAITED)
    if current.attached and current.unconsumed and _is_idle(call):
        asked_at_ms = max(current.unconsumed[-1].at_ms, current.since_ms)
        yield asked_at_ms + limits.idle_flow_ms, _break_flow
    if call.unattended_since_ms is not None:
        yield call.unattended_since_ms + limits.unattended_ms, _apologise
        if caller and caller.state in HEARING and not caller.sound and not operation:
            yield call.unattended_since_ms + limits.music_after_ms, _notice


def _is_idle(call: Call) -> bool:
    """Whether nothing at all is under way: then it is the flow's turn."""
    return call.operation is None and call.bridge is None and len(call.legs) == 1


def _of_ending(call: Call) -> Iterator[Alarm]:
    if call.apology_deadline_ms is not None:
        yield call.apology_deadline_ms, end_apology
    if call.farewell_deadline_ms is not None and not call.flow.closed:
        yield call.farewell_deadline_ms, flow.close


def _of_leg(leg: Leg) -> Iterator[Alarm]:
    if leg.response_deadline_ms is not None:
        yield leg.response_deadline_ms, partial(_no_response, leg=leg)
    if leg.ring_deadline_ms is not None and leg.state in RINGABLE:
        yield leg.ring_deadline_ms, partial(_no_answer, leg=leg)
    if leg.join_deadline_ms is not None and leg.state in RINGABLE:
        yield leg.join_deadline_ms, partial(give_up_join, leg=leg)
    if leg.rejoin_deadline_ms is not None and leg.state in TALKING:
        yield leg.rejoin_deadline_ms, partial(give_up_rejoin, leg=leg)
    if leg.release_deadline_ms is not None and leg.state in GONE:
        yield leg.release_deadline_ms, partial(_not_confirmed, leg=leg)


def _give_up(turn: Turn) -> None:
    flow.close(turn)
    end_call(turn, EndCause.NO_FLOW)


def _break_flow(turn: Turn) -> None:
    """The stream lives, and whoever is at its other end does not answer."""
    epoch = turn.call.flow.epoch
    flow.detach(turn, epoch, "silent")
    turn.emit(BreakFlow(epoch))


def _notice(turn: Turn) -> None:
    """Time has passed; what the caller ought to hear is derived anew after every decision."""
    assert turn.call.caller is not None, "the alarm is set for a caller who is there"


def _apologise(turn: Turn) -> None:
    """The caller has waited long enough for an interpreter: the call is ended in words."""
    caller = turn.call.caller
    heard = caller is not None and caller.state in HEARING
    if heard:
        turn.change_call(apology_deadline_ms=turn.now_ms + turn.rules.limits.apology_ms)
    end_call(turn, EndCause.NO_FLOW)


def _no_response(turn: Turn, leg: Leg) -> None:
    fail_ring(turn, leg, RingOutcome.UNREACHABLE)


def _no_answer(turn: Turn, leg: Leg) -> None:
    # Whether a browser showed the ring, routing knows: it ends a delivery that failed before this.
    rang = leg.rang or leg.webrtc or leg.role is LegRole.EXTERNAL
    fail_ring(turn, leg, RingOutcome.NO_ANSWER if rang else RingOutcome.UNREACHABLE)


def _not_confirmed(turn: Turn, leg: Leg) -> None:
    leg_ends(turn, leg.leg_id, LegEnd.SIGNALLING_LOST)
