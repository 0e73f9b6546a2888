"""ivr's part of a call's trace: one step for each step of its flow."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from services.chassis import spans
from services.ivr.core.turn import Outcome
from services.ivr.model import actions

SERVICE = "ivr"
_WORDS: Mapping[type, str] = MappingProxyType(
    {
        actions.HangUpCall: "hang up",
        actions.BridgeLegs: "bridge",
        actions.RingAgent: "ring",
        actions.DialNumber: "dial",
        actions.JoinQueue: "enqueue",
        actions.LeaveQueue: "leave queue",
        actions.CompleteContact: "complete",
        actions.StopRinging: "stop ringing",
        actions.GatherDigits: "gather",
        actions.PlayPrompts: "play",
        actions.AnswerCall: "answer",
        actions.SetConsent: "consent",
        actions.AcceptReservation: "accept",
        actions.EndReservation: "end ring",
        actions.ConfirmRing: "confirm ring",
        actions.ConfirmBridged: "confirm bridge",
        actions.TellHold: "tell hold",
    }
)
"""What a step does, in a word; the first of these that it does is its name."""


def tell_step(outcome: Outcome, *, cause: str, from_ms: int, to_ms: int) -> None:
    """Tells a step: from the event that led to it, `cause`, until it was on its way."""
    asked = {type(each) for each in (*outcome.commands, *outcome.effects)}
    did = [word for kind, word in _WORDS.items() if kind in asked]
    spans.step(
        SERVICE,
        f"step {did[0]}" if did else "step",
        call_id=outcome.checkpoint.call.call_id,
        from_ms=from_ms,
        to_ms=to_ms,
        attributes={"event": cause, "did": ", ".join(did)},
    )
