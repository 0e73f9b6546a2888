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
        actions.AnswerCall: "answer",
        actions.PlayPrompts: "play",
        actions.GatherDigits: "gather",
        actions.RingAgent: "ring",
        actions.DialNumber: "dial",
        actions.StopRinging: "stop ringing",
        actions.BridgeLegs: "bridge",
        actions.SetConsent: "consent",
        actions.HangUpCall: "hang up",
        actions.JoinQueue: "enqueue",
        actions.LeaveQueue: "leave queue",
        actions.CompleteContact: "complete",
    }
)
"""What a step does, in one word; what is only noted, or told acd on the way, is none."""


def tell_step(outcome: Outcome, *, cause: str, from_ms: int, to_ms: int) -> None:
    """Tells a step: from the event that led to it, `cause`, until it was on its way."""
    did = [_WORDS[type(each)] for each in _asked(outcome) if type(each) in _WORDS]
    spans.step(
        SERVICE,
        f"step {did[0]}" if did else "step",
        call_id=outcome.checkpoint.call.call_id,
        from_ms=from_ms,
        to_ms=to_ms,
        attributes={"event": cause, "did": ", ".join(did)},
    )


def _asked(outcome: Outcome) -> tuple[actions.Command | actions.Effect, ...]:
    return (*outcome.commands, *outcome.effects)
