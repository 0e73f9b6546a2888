"""What gateways tell about calls, as one record for each call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from services.analytics.model.events import CallFact
from services.analytics.model.records import Call


def calls_of(facts: Iterable[CallFact]) -> tuple[Call, ...]:
    """The calls that facts tell of, by id; facts of a call are in their order."""
    calls: dict[str, Call] = {}
    for fact in facts:
        told = Call(
            call_id=fact.call_id,
            started_at_ms=fact.at_ms - fact.duration_ms,
            seq=fact.seq,
            ended_at_ms=fact.at_ms if fact.termination else None,
            termination=fact.termination,
        )
        calls[fact.call_id] = merged(calls.get(fact.call_id), told)
    return tuple(calls[call_id] for call_id in sorted(calls))


def merged(known: Call | None, told: Call) -> Call:
    """A call with what is told about it now; what was told before changes nothing."""
    if known is None:
        return told
    if told.seq <= known.seq:
        return known
    ended = told.ended_at_ms is not None
    return replace(
        known,
        seq=told.seq,
        ended_at_ms=told.ended_at_ms if ended else known.ended_at_ms,
        termination=told.termination if ended else known.termination,
    )
