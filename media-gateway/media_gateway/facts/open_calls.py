"""Which calls have begun and not ended, as the facts tell; and what ends those that were lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from protos.common.v1 import common_pb2
from protos.gateway.v1.events_pb2 import CallEnded, CallFact

GATEWAY_LOST = "gateway-lost"


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call that has not ended."""

    call_id: str
    """Which call."""
    tenant_id: str
    """Whose it is; empty until that is known."""
    seq: int
    """Of its last fact."""
    started_at_ms: int
    """UTC milliseconds of its first fact."""
    at_ms: int
    """UTC milliseconds of its last fact."""


class OpenCalls:
    """Follows the facts of one gateway."""

    def __init__(self) -> None:
        self._calls: dict[str, OpenCall] = {}

    def __iter__(self) -> Iterator[OpenCall]:
        return iter(self._calls.values())

    def __len__(self) -> int:
        return len(self._calls)

    def take(self, fact: CallFact) -> None:
        """A fact happened."""
        if fact.HasField("call_ended"):
            self._calls.pop(fact.call_id, None)
            return
        known = self._calls.get(fact.call_id)
        if known is None:
            known = OpenCall(fact.call_id, "", 0, fact.at_ms, fact.at_ms)
        self._calls[fact.call_id] = replace(
            known,
            tenant_id=fact.tenant_id or known.tenant_id,
            seq=fact.seq,
            at_ms=fact.at_ms,
        )

    def to_bytes(self) -> bytes:
        """As a new file of the journal begins: so that older ones may be forgotten."""
        rows = [[c.call_id, c.tenant_id, c.seq, c.started_at_ms, c.at_ms] for c in self]
        return json.dumps(rows, separators=(",", ":")).encode()

    @classmethod
    def of_bytes(cls, data: bytes) -> OpenCalls:
        """Read back."""
        made = cls()
        for row in json.loads(data):
            call = OpenCall(*row)
            made._calls[call.call_id] = call
        return made


def lost(call: OpenCall, *, at_ms: int, new_id: Callable[[], str]) -> CallFact:
    """The end of a call whose gateway was lost at that instant."""
    ended_at_ms = max(at_ms, call.at_ms)
    return CallFact(
        event_id=new_id(),
        call_id=call.call_id,
        tenant_id=call.tenant_id,
        seq=call.seq + 1,
        at_ms=ended_at_ms,
        call_ended=CallEnded(
            termination=common_pb2.Termination(
                termination_class=common_pb2.TERMINATION_CLASS_SERVER_ERROR, reason=GATEWAY_LOST
            ),
            duration_ms=ended_at_ms - call.started_at_ms,
        ),
    )
