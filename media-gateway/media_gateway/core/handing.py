"""What an agent does with a caller beyond talking: hands them on, or presses keys for them."""

from __future__ import annotations

from dataclasses import replace

from media_gateway.core import facts, reports
from media_gateway.core.events import BridgeBecame
from media_gateway.core.state import Call
from media_gateway.core.turn import Turn
from media_gateway.model import (
    Bridge,
    BridgeState,
    FlowAway,
    Leg,
    LegNotBridged,
    LegRole,
    Transfer,
    TransferKind,
    TransferUnderWay,
)
from services.chassis.ids import LegId

ASK_AGAIN_MS = 10_000
"""For the flow to hand the caller on; later an agent may ask once more."""


def ask_transfer(turn: Turn, leg_id: LegId, transfer: Transfer) -> None:
    """Asks the flow to hand the caller on.

    LegNotBridged, FlowAway, TransferUnderWay; TargetRefused for a number that is not allowed.
    """
    leg, bridge = _bridged(turn.call, leg_id)
    if transfer.kind is TransferKind.NUMBER:
        # Said to the agent, who still has the caller; the flow could only bring the caller back.
        turn.rules.policy.dial_target(transfer.target)
    if not turn.call.flow.attached:
        raise FlowAway(f"nobody interprets the flow of call {turn.call.call_id} at present")
    asked_at_ms = bridge.transfer_asked_at_ms
    if asked_at_ms is not None and turn.now_ms < asked_at_ms + ASK_AGAIN_MS:
        raise TransferUnderWay(f"the caller of {turn.call.call_id} is being handed on already")
    turn.emit(BridgeBecame(replace(bridge, transfer_asked_at_ms=turn.now_ms)))
    turn.publish(facts.TransferRequested(leg_id, transfer))
    turn.report(reports.TransferRequested(leg.ring_id, transfer))


def note_keys(turn: Turn, leg_id: LegId, count: int) -> None:
    """Puts on record that keys went to the other side."""
    turn.publish(facts.DigitsSent(leg_id, count))


def hearer_of(call: Call, leg_id: LegId) -> LegId:
    """Who hears the keys of an agent's leg; LegNotBridged."""
    _bridged(call, leg_id)
    return call.legs[0].leg_id


def _bridged(call: Call, leg_id: LegId) -> tuple[Leg, Bridge]:
    leg, bridge = call.leg(leg_id), call.bridge
    joined = bridge is not None and bridge.state is BridgeState.JOINED
    if bridge is None or not joined or bridge.leg_id != leg_id or leg.role is not LegRole.AGENT:
        raise LegNotBridged(f"leg {leg_id} of call {call.call_id} is no agent's who hears a caller")
    return leg, bridge
