"""Facts of calls that never were."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from protos.common.v1 import common_pb2
from protos.gateway.v1 import events_pb2

SUCCESS = common_pb2.Termination(
    termination_class=common_pb2.TERMINATION_CLASS_SUCCESS, reason="handled"
)


def counted(prefix: str = "id") -> Callable[[], str]:
    numbers = itertools.count(1)
    return lambda: f"{prefix}{next(numbers):06d}"


def started(
    call: str, seq: int = 1, *, tenant: str = "", at_ms: int = 1_000
) -> events_pb2.CallFact:
    fact = events_pb2.CallFact(
        event_id=f"{call}-{seq}", call_id=call, tenant_id=tenant, seq=seq, at_ms=at_ms
    )
    fact.call_started.to = "+12025550100"
    return fact


def noted(call: str, seq: int, *, tenant: str = "acme", at_ms: int = 2_000) -> events_pb2.CallFact:
    fact = events_pb2.CallFact(
        event_id=f"{call}-{seq}", call_id=call, tenant_id=tenant, seq=seq, at_ms=at_ms
    )
    fact.flow_noted.kind = "node-entered"
    return fact


def ended(call: str, seq: int, *, tenant: str = "acme", at_ms: int = 3_000) -> events_pb2.CallFact:
    return events_pb2.CallFact(
        event_id=f"{call}-{seq}",
        call_id=call,
        tenant_id=tenant,
        seq=seq,
        at_ms=at_ms,
        call_ended=events_pb2.CallEnded(termination=SUCCESS, duration_ms=at_ms - 1_000),
    )
