"""Gateways' facts as calls, and as steps of their stories."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from protos.common.v1 import common_pb2
from protos.gateway.v1 import events_pb2 as gateway
from services.analytics.model.events import CallFact
from services.analytics.model.story import Ladder, LadderStep, Step, Told
from services.analytics.model.words import Source
from services.analytics.wire import clean, parsed
from services.chassis.envelope import Envelope

Words: TypeAlias = "tuple[str, dict[str, str]]"

CALL_FACT: Final = gateway.CallFact.DESCRIPTOR.full_name
MAX_VALUE: Final = 512
"""Characters of one value."""
MAX_VALUES: Final = 16
_CLASSES: Final = {number: name for name, number in common_pb2.TerminationClass.items()}
_TOLD_BY_ROUTING: Final = frozenset({"queue-joined", "queue-left"})
_SECRET: Final = frozenset({"digits", "key"})
"""Values that could say which keys were pressed."""


def told(envelope: Envelope) -> Told:
    """What a gateway tells; NotUnderstood."""
    fact = parsed(gateway.CallFact, envelope)
    call_id, body = clean(fact.call_id), fact.WhichOneof("body")
    about = _fact(call_id, fact)
    if body == "ladder_noted":
        return Told(about, ladder=_ladder(call_id, fact))
    words = _WORDS.get(body) if body else None
    found = words(getattr(fact, body)) if body and words else None
    if found is None:
        return Told(about)
    kind, values = found
    step = Step(
        contact_id=call_id,
        event_id=clean(fact.event_id) or clean(envelope.event_id),
        seq=fact.seq,
        at_ms=fact.at_ms,
        kind=kind,
        source=Source.FLOW if body == "flow_noted" else Source.GATEWAY,
        # As they are: JSON can say every character.
        values={name: text[:MAX_VALUE] for name, text in values.items() if text},
    )
    return Told(about, step)


def _fact(call_id: str, fact: gateway.CallFact) -> CallFact:
    if fact.HasField("call_started"):
        began = _invited(fact.call_started)[1]
        caller, called = (clean(began[name])[:MAX_VALUE] for name in ("from", "to"))
        return CallFact(call_id, fact.seq, fact.at_ms, caller=caller, called=called)
    if not fact.HasField("call_ended"):
        return CallFact(call_id, fact.seq, fact.at_ms)
    ended = fact.call_ended
    return CallFact(
        call_id=call_id,
        seq=fact.seq,
        at_ms=fact.at_ms,
        duration_ms=ended.duration_ms,
        termination=clean(_termination(ended)),
    )


def _termination(ended: gateway.CallEnded) -> str:
    named = _CLASSES.get(ended.termination.termination_class, "UNSPECIFIED")
    word = named.removeprefix("TERMINATION_CLASS_").lower()
    return f"{word}/{ended.termination.reason}"


def _ladder(call_id: str, fact: gateway.CallFact) -> Ladder:
    steps = (
        LadderStep(
            at_ms=step.at_ms,
            leg_id=step.leg_id,
            sent=step.sent,
            peer=step.peer,
            line=step.line,
            cseq=step.cseq,
            times=step.times,
        )
        for step in fact.ladder_noted.steps
    )
    return Ladder(call_id, tuple(steps))


def _invited(body: gateway.CallStarted) -> Words:
    return "invited", {"from": getattr(body, "from"), "to": body.to, "trunk": body.trunk}


def _leg_started(body: gateway.LegStarted) -> Words:
    return "leg", {
        "leg": body.leg_id,
        "state": "started",
        "role": body.role,
        "agent_id": body.agent_id,
    }


def _leg_changed(body: gateway.LegStateChanged) -> Words:
    return "leg", {"leg": body.leg_id, "state": body.state, "codec": body.codec}


def _noted(body: gateway.FlowNoted) -> Words | None:
    values = {name: body.values[name] for name in sorted(body.values)[:MAX_VALUES]}
    open_values = {
        "queue_id" if name == "queue" else name: text
        for name, text in values.items()
        if name not in _SECRET
    }
    match body.kind:
        case "node-entered":
            return "node", open_values
        case "digits":
            return "keyed", {**open_values, "count": str(len(values.get("digits", "")))}
        case "queue-message":
            return "position", open_values
        case kind if kind in _TOLD_BY_ROUTING:
            return None
        case kind:
            return "flow", {**open_values, "note": kind}


def _keyed(body: gateway.DigitsReceived) -> Words:
    return "keyed", {"leg": body.leg_id, "count": str(body.count), "how": body.how}


def _said(body: gateway.PlayStarted) -> Words:
    prompts = " ".join(body.prompts)
    return "said", {"leg": body.leg_id, "prompts": prompts, "loop": "yes" if body.loop else ""}


def _bridged(body: gateway.LegsBridged) -> Words:
    return "bridged", {
        "leg": body.leg_id,
        "peer_leg": body.peer_leg_id,
        "took_ms": str(round(body.took_ms)),
        "silent_legs": " ".join(body.silent_leg_ids),
    }


def _hold(body: gateway.LegHoldChanged) -> Words:
    return "hold" if body.held else "unhold", {"leg": body.leg_id}


def _mute(body: gateway.LegMuteChanged) -> Words:
    return "mute" if body.muted else "unmute", {"leg": body.leg_id}


def _leg_ended(body: gateway.LegEnded) -> Words:
    return "leg", {
        "leg": body.leg_id,
        "state": "ended",
        "role": body.role,
        "reason": body.reason,
        "sip_status": str(body.sip_status or ""),
        "packets_received": str(body.packets_received),
        "packets_lost": str(body.packets_lost),
        "jitter_ms": f"{body.jitter_ms:.1f}",
    }


def _ended(body: gateway.CallEnded) -> Words:
    return "ended", {"termination": _termination(body), "duration_ms": str(body.duration_ms)}


def _detached(body: gateway.FlowDetached) -> Words:
    return "flow", {"note": "detached", "reason": body.reason}


def _attached(body: gateway.FlowAttached) -> Words:
    return "flow", {"note": "attached", "epoch": str(body.epoch)}


def _recording(body: gateway.RecordingChanged) -> Words:
    return "recording", {"state": body.state, "reason": body.reason, "by": body.by}


def _connection(body: gateway.LegConnectionChanged) -> Words:
    return "connection", {
        "leg": body.leg_id,
        "state": body.state,
        "took_ms": str(round(body.took_ms)),
    }


def _transfer(body: gateway.TransferRequested) -> Words:
    return "transfer", {
        "leg": body.leg_id,
        "to": body.kind,
        "target": body.target,
        "reason": body.reason,
        "by": body.by,
    }


def _keypad(body: gateway.DigitsSent) -> Words:
    return "keypad", {"leg": body.leg_id, "count": str(body.count)}


_WORDS: Final[Mapping[str, Callable[[Any], Words | None]]] = MappingProxyType(
    {
        "call_started": _invited,
        "leg_started": _leg_started,
        "leg_state_changed": _leg_changed,
        "flow_noted": _noted,
        "digits_received": _keyed,
        "play_started": _said,
        "legs_bridged": _bridged,
        "leg_hold_changed": _hold,
        "leg_mute_changed": _mute,
        "leg_ended": _leg_ended,
        "call_ended": _ended,
        "flow_detached": _detached,
        "flow_attached": _attached,
        "recording_changed": _recording,
        "leg_connection_changed": _connection,
        "transfer_requested": _transfer,
        "digits_sent": _keypad,
    }
)
"""What each fact says, in the words of a step."""
