"""What follows from time alone."""

from __future__ import annotations

from services.acd.core.draft import Draft
from services.acd.core.leaving import let_go
from services.acd.core.plans import next_place
from services.acd.core.ringing import fail
from services.acd.core.stages import LAPSE
from services.acd.core.talking import end_wrap_up
from services.acd.core.timers import Due, TimerKind
from services.acd.model import (
    AgentId,
    AgentRested,
    EntryId,
    EntryRow,
    ExclusionEnded,
    Exit,
    ReservationId,
    StepEntered,
    WrapUpCause,
)

DUE_AT_ONCE = 100_000
"""Deadlines handled in one tick; what is left is still due, and makes the next tick."""


def run_due(draft: Draft) -> None:
    """Handles every deadline that has come, earliest first."""
    for _ in range(DUE_AT_ONCE):
        due = draft.state.timers.first()
        if due is None or due.at_ms > draft.now_ms:
            return
        _expire(draft, due)


def _expire(draft: Draft, due: Due) -> None:
    if due.kind is TimerKind.RESERVATION:
        _reservation_due(draft, ReservationId(due.row_id))
    elif due.kind is TimerKind.ENTRY:
        _entry_due(draft, draft.state.entries[EntryId(due.row_id)])
    else:
        draft.emit(AgentRested(agent_id=AgentId(due.row_id), at_ms=draft.now_ms))


def _reservation_due(draft: Draft, reservation_id: ReservationId) -> None:
    row = draft.state.reservations[reservation_id]
    if row.wrap_up is None:
        fail(draft, row, LAPSE[row.stage])
        return
    policy = row.wrap_up.policy
    assert row.deadline_ms is not None
    longest_ms = policy.max_ms + row.wrap_up.stopped_ms
    by_code = bool(row.code) and row.deadline_ms < row.wrap_up.since_ms + longest_ms
    end_wrap_up(draft, reservation_id, WrapUpCause.CODE if by_code else WrapUpCause.TIMEOUT)


def _entry_due(draft: Draft, row: EntryRow) -> None:
    now_ms = draft.now_ms
    if row.detached_until_ms is not None and row.detached_until_ms <= now_ms:
        let_go(draft, row, Exit.FAILED, reason="flow lost")
    elif row.timeout_at_ms is not None and row.timeout_at_ms <= now_ms:
        let_go(draft, row, Exit.TIMEOUT)
    elif row.step_until_ms is not None and row.step_until_ms <= now_ms:
        _next_step(draft, row)
    else:
        ended = next(pair for pair in row.exclusions if pair.until_ms <= now_ms)
        event = ExclusionEnded(entry_id=row.contact.entry_id, agent_id=ended.agent_id, at_ms=now_ms)
        draft.emit(event)


def _next_step(draft: Draft, row: EntryRow) -> None:
    place = next_place(draft.state, row, draft.now_ms)
    if place.overflows:
        let_go(draft, row, Exit.OVERFLOWED, target=row.contact.plan.overflow_queue)
        return
    event = StepEntered(
        entry_id=row.contact.entry_id,
        step=place.step,
        expr=place.expr,
        step_until_ms=place.until_ms,
        at_ms=draft.now_ms,
    )
    draft.emit(event)
