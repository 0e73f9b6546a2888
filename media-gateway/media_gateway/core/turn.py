"""One decision in the making: the call as it would become, and the events that say so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from media_gateway.core.events import (
    BridgeBecame,
    CallBecame,
    Event,
    FlowBecame,
    LegBecame,
    LegGone,
    OperationBecame,
    PublishFact,
    ReportToFlow,
)
from media_gateway.core.facts import FactBody
from media_gateway.core.leg import LEG, LegHappening
from media_gateway.core.policy import OutboundPolicy
from media_gateway.core.reports import Report, Reported
from media_gateway.core.state import CALL, Call, CallHappening, Limits
from media_gateway.model import Leg
from services.chassis.ids import LegId


@dataclass(frozen=True, slots=True)
class Rules:
    """What every call of a gateway is decided by."""

    limits: Limits
    """How long it waits for what."""
    policy: OutboundPolicy
    """Whom it may ring."""


def evolve(call: Call, event: Event) -> Call:
    """The call after an event; the same call when the event only tells the shell what to do."""
    match event:
        case CallBecame():
            call = event.call
        case LegBecame(leg=leg):
            call = replace(call, legs=_with_leg(call.legs, leg))
        case LegGone(leg_id=leg_id):
            call = replace(call, legs=tuple(leg for leg in call.legs if leg.leg_id != leg_id))
        case OperationBecame(operation=operation):
            call = replace(call, operation=operation)
        case BridgeBecame(bridge=bridge):
            call = replace(call, bridge=bridge)
        case FlowBecame(flow=flow):
            call = replace(call, flow=flow)
        case PublishFact(seq=seq):
            call = replace(call, facts=seq)
        case ReportToFlow(report=report):
            waiting = (*call.flow.unconsumed, report)
            flow = replace(call.flow, unconsumed=waiting, next_seq=report.seq + 1)
            call = replace(call, flow=flow)
    return call


class Turn:
    """Collects the events of one decision, each seeing what those before it made of the call."""

    def __init__(self, call: Call, rules: Rules, now_ms: int) -> None:
        self.call = call
        """The call as it would be."""
        self.rules = rules
        """What it is decided by."""
        self.now_ms = now_ms
        """UTC milliseconds."""
        self.events: list[Event] = []
        """What was decided so far, in order."""

    def emit(self, event: Event) -> None:
        """Decides something."""
        self.call = evolve(self.call, event)
        self.events.append(event)

    def publish(self, body: FactBody) -> None:
        """Puts something on the record."""
        self.emit(PublishFact(self.call.facts + 1, self.now_ms, body))

    def report(self, body: Report) -> None:
        """Tells the flow, unless it has said its last word."""
        flow = self.call.flow
        if not flow.closed:
            self.emit(ReportToFlow(Reported(flow.next_seq, self.now_ms, body)))

    def change_call(self, **fields: Any) -> None:
        """Changes fields of the call."""
        self.emit(CallBecame(replace(self.call, **fields)))

    def move_call(self, happening: CallHappening, **fields: Any) -> None:
        """Moves the call along its table, changing fields with it."""
        self.change_call(state=CALL.next(self.call.state, happening), **fields)

    def change_flow(self, **fields: Any) -> None:
        """Changes fields of the flow."""
        self.emit(FlowBecame(replace(self.call.flow, **fields)))

    def change_leg(self, leg_id: LegId, **fields: Any) -> Leg:
        """Changes fields of a leg."""
        leg: Leg = replace(self.call.leg(leg_id), **fields)
        self.emit(LegBecame(leg))
        return leg

    def move_leg(self, leg_id: LegId, happening: LegHappening, **fields: Any) -> Leg:
        """Moves a leg along its table, changing fields with it."""
        state = LEG.next(self.call.leg(leg_id).state, happening)
        return self.change_leg(leg_id, state=state, **fields)


def _with_leg(legs: tuple[Leg, ...], changed: Leg) -> tuple[Leg, ...]:
    if any(leg.leg_id == changed.leg_id for leg in legs):
        return tuple(changed if leg.leg_id == changed.leg_id else leg for leg in legs)
    return (*legs, changed)
