"""What gateways tell about calls, as one record for each call."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from services.analytics.model.events import CallFact
from services.analytics.model.records import Call
from services.analytics.model.words import CallOutcome, Exit


def calls_of(facts: Iterable[CallFact]) -> tuple[Call, ...]:
    """The calls that facts tell of, by id; facts of a call are in their order."""
    first: dict[str, CallFact] = {}
    newest: dict[str, CallFact] = {}
    ended: dict[str, CallFact] = {}
    begun: dict[str, CallFact] = {}
    for fact in facts:
        known = newest.get(fact.call_id)
        if known is None:
            first[fact.call_id] = fact
        elif fact.seq <= known.seq:
            continue
        newest[fact.call_id] = fact
        if fact.termination:
            ended[fact.call_id] = fact
        if fact.caller or fact.called:
            begun[fact.call_id] = fact
    return tuple(
        _call(
            first[call_id],
            seq=newest[call_id].seq,
            begun=begun.get(call_id, first[call_id]),
            ended=ended.get(call_id),
        )
        for call_id in sorted(first)
    )


def _call(first: CallFact, *, seq: int, begun: CallFact, ended: CallFact | None) -> Call:
    return Call(
        call_id=first.call_id,
        started_at_ms=first.at_ms - first.duration_ms,
        seq=seq,
        ended_at_ms=None if ended is None else ended.at_ms,
        termination="" if ended is None else ended.termination,
        caller=begun.caller,
        called=begun.called,
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
        caller=told.caller or known.caller,
        called=told.called or known.called,
    )


def outcome_of(exits: Collection[Exit]) -> CallOutcome:
    """What became of a call whose stays in queues ended, or go on, like this."""
    if not exits:
        return CallOutcome.NEVER_QUEUED
    if Exit.ANSWERED in exits:
        return CallOutcome.ANSWERED
    if Exit.WAITING in exits:
        return CallOutcome.WAITING
    return CallOutcome.ABANDONED if Exit.ABANDONED in exits else CallOutcome.UNANSWERED
