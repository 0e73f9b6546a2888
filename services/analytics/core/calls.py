"""What gateways tell about calls, as one record for each call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from services.analytics.model.events import CallFact
from services.analytics.model.records import Call


def calls_of(facts: Iterable[CallFact]) -> tuple[Call, ...]:
    """The calls that facts tell of, by id; facts of a call are in their order."""
    first: dict[str, CallFact] = {}
    newest: dict[str, CallFact] = {}
    ended: dict[str, CallFact] = {}
    for fact in facts:
        known = newest.get(fact.call_id)
        if known is None:
            first[fact.call_id] = fact
        elif fact.seq <= known.seq:
            continue
        newest[fact.call_id] = fact
        if fact.termination:
            ended[fact.call_id] = fact
    return tuple(
        _call(first[call_id], newest[call_id].seq, ended.get(call_id)) for call_id in sorted(first)
    )


def _call(first: CallFact, seq: int, ended: CallFact | None) -> Call:
    return Call(
        call_id=first.call_id,
        started_at_ms=first.at_ms - first.duration_ms,
        seq=seq,
        ended_at_ms=None if ended is None else ended.at_ms,
        termination="" if ended is None else ended.termination,
    )


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
