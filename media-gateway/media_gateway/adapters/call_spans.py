"""The gateway's part of a call's trace, told from its facts as steps end."""

from __future__ import annotations

from dataclasses import dataclass, field

from protos.gateway.v1.events_pb2 import CallFact
from services.chassis import spans

SERVICE = "gateway"
MAX_CALLS = 10_000
"""Calls that are followed at once; further ones have no spans of the gateway's."""


@dataclass(slots=True)
class _Open:
    """A call that goes on: since when, and its legs that ring or are not connected yet."""

    began_ms: int
    ringing_ms: dict[str, int] = field(default_factory=dict)
    detached_ms: int = 0


class CallSpans:
    """Sees every fact, and tells what took how long."""

    def __init__(self) -> None:
        self._open: dict[str, _Open] = {}

    def see(self, fact: CallFact) -> None:
        """Takes a fact; a step that ends with it becomes a span."""
        call = self._open.get(fact.call_id)
        if fact.HasField("call_started"):
            if len(self._open) < MAX_CALLS:
                self._open[fact.call_id] = _Open(began_ms=fact.at_ms)
        elif call is not None:
            self._step(call, fact)

    def _step(self, call: _Open, fact: CallFact) -> None:
        call_id, now_ms = fact.call_id, fact.at_ms
        match fact.WhichOneof("body"):
            case "leg_started" if fact.leg_started.role != "caller":
                call.ringing_ms[fact.leg_started.leg_id] = now_ms
            case "leg_state_changed" if fact.leg_state_changed.state == "answered":
                self._answered(call, fact)
            case "leg_connection_changed" if fact.leg_connection_changed.state == "connected":
                took_ms = round(fact.leg_connection_changed.took_ms)
                _told("connect browser", call_id, now_ms - took_ms, now_ms)
            case "legs_bridged":
                _told("bridge", call_id, now_ms - round(fact.legs_bridged.took_ms), now_ms)
            case "flow_detached":
                call.detached_ms = now_ms
            case "flow_attached" if call.detached_ms:
                _told("without interpreter", call_id, call.detached_ms, now_ms)
                call.detached_ms = 0
            case "leg_ended":
                began_ms = call.ringing_ms.pop(fact.leg_ended.leg_id, None)
                if began_ms is not None:
                    _told("ring", call_id, began_ms, now_ms, outcome=fact.leg_ended.reason)
            case "call_ended":
                del self._open[call_id]
                ended = fact.call_ended.termination
                spans.step(
                    SERVICE,
                    "call",
                    call_id=call_id,
                    from_ms=call.began_ms,
                    to_ms=now_ms,
                    root=True,
                    attributes={"tenant": fact.tenant_id, "termination": ended.reason},
                )
            case _:
                pass  # an instant, or nothing that took time

    def _answered(self, call: _Open, fact: CallFact) -> None:
        leg_id = fact.leg_state_changed.leg_id
        began_ms = call.ringing_ms.pop(leg_id, None)
        if began_ms is not None:
            _told("ring", fact.call_id, began_ms, fact.at_ms, outcome="answered")
        else:
            _told("answer", fact.call_id, call.began_ms, fact.at_ms)


def _told(name: str, call_id: str, from_ms: int, to_ms: int, **attributes: str) -> None:
    spans.step(SERVICE, name, call_id=call_id, from_ms=from_ms, to_ms=to_ms, attributes=attributes)
