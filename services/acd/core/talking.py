"""Commands about answered contacts: hold, the end of the conversation, wrap-up."""

from __future__ import annotations

from services.acd.core.admission import check_text
from services.acd.core.apply_reservations import spent
from services.acd.core.draft import Draft
from services.acd.core.intervals import release
from services.acd.core.state import State
from services.acd.core.work import WorkStep, next_work
from services.acd.model import (
    CodeRequiredError,
    CompleteContact,
    ContactCompleted,
    EntryId,
    ExtendWrapUp,
    FinishWrapUp,
    HoldChanged,
    IllegalTransitionError,
    InvalidTextError,
    NoExtensionLeftError,
    ReservationId,
    ReservationRow,
    SetHold,
    SetWrapUpCode,
    Work,
    WrapUp,
    WrapUpCause,
    WrapUpCodeSet,
    WrapUpEnded,
    WrapUpExtended,
    WrapUpMode,
    WrapUpPolicy,
    WrapUpTooEarlyError,
)


def set_hold(draft: Draft, command: SetHold) -> None:
    """The caller waits with music, or talks again. Repeated, it changes nothing."""
    row = draft.state.reservation(command.reservation_id)
    if row.work is (Work.HOLDING if command.holding else Work.TALKING):
        return
    next_work(row.work, WorkStep.HOLD if command.holding else WorkStep.RESUME)
    event = HoldChanged(
        reservation_id=row.reservation_id,
        agent_id=row.agent_id,
        holding=command.holding,
        at_ms=draft.now_ms,
    )
    draft.emit(event)


def complete_contact(draft: Draft, command: CompleteContact) -> None:
    """The conversation is over: wrap-up begins, or the agent is free. Repeated: no change."""
    check_text("a reason", command.reason)
    if _is_over(draft.state, command.reservation_id):
        return
    row = draft.state.reservation(command.reservation_id)
    if row.work is Work.WRAP_UP:
        return
    next_work(row.work, WorkStep.COMPLETE)
    policy = wrap_up_policy(draft.state, row)
    lasts_ms = 0 if policy.mode is WrapUpMode.NONE else policy.max_ms
    talk_ms, hold_ms = spent(row, draft.now_ms)
    event = ContactCompleted(
        reservation_id=row.reservation_id,
        entry_id=row.entry_id,
        contact_id=row.contact_id,
        queue_id=row.queue_id,
        agent_id=row.agent_id,
        ended_by=command.ended_by,
        reason=command.reason,
        talk_ms=talk_ms,
        hold_ms=hold_ms,
        wrap_up=WrapUp(policy=policy, since_ms=draft.now_ms),
        deadline_ms=draft.now_ms + lasts_ms,
        at_ms=draft.now_ms,
    )
    draft.emit(event)
    if policy.mode is WrapUpMode.NONE:
        end_wrap_up(draft, row.reservation_id, WrapUpCause.SKIPPED)


def set_wrap_up_code(draft: Draft, command: SetWrapUpCode) -> None:
    """What the contact was about; where the policy says so, this leaves wrap-up."""
    _check_code(command.code)
    row = draft.state.reservation(command.reservation_id)
    if row.work not in (Work.TALKING, Work.HOLDING, Work.WRAP_UP):
        raise IllegalTransitionError(f"work that is {row.work} takes no code")
    wrap_up = row.wrap_up
    leaves = wrap_up is not None and wrap_up.policy.code_ends and _may_leave_early(wrap_up.policy)
    deadline_ms = row.deadline_ms
    if leaves and wrap_up is not None and deadline_ms is not None:
        deadline_ms = min(deadline_ms, max(_earliest_ms(wrap_up), draft.now_ms))
    _record_code(draft, row, command.code, deadline_ms)
    if leaves and deadline_ms == draft.now_ms:
        end_wrap_up(draft, row.reservation_id, WrapUpCause.CODE)


def finish_wrap_up(draft: Draft, command: FinishWrapUp) -> None:
    """The agent is done, if the policy lets go."""
    row, wrap_up = _wrapping_up(draft.state, command.reservation_id)
    if not _may_leave_early(wrap_up.policy) or draft.now_ms < _earliest_ms(wrap_up):
        raise WrapUpTooEarlyError(row.reservation_id)
    if wrap_up.policy.code_required and not (command.code or row.code):
        raise CodeRequiredError(row.reservation_id)
    if command.code:
        _check_code(command.code)
        _record_code(draft, row, command.code, row.deadline_ms)
    end_wrap_up(draft, row.reservation_id, WrapUpCause.FINISHED)


def extend_wrap_up(draft: Draft, command: ExtendWrapUp) -> None:
    """More time, as often as the policy allows."""
    row, wrap_up = _wrapping_up(draft.state, command.reservation_id)
    assert row.deadline_ms is not None
    if wrap_up.extensions_used >= wrap_up.policy.extensions:
        raise NoExtensionLeftError(row.reservation_id)
    event = WrapUpExtended(
        reservation_id=row.reservation_id,
        agent_id=row.agent_id,
        extensions_used=wrap_up.extensions_used + 1,
        deadline_ms=row.deadline_ms + wrap_up.policy.extension_ms,
        at_ms=draft.now_ms,
    )
    draft.emit(event)


def end_wrap_up(draft: Draft, reservation_id: ReservationId, cause: WrapUpCause) -> None:
    """The agent is free of the contact; time running out records the default code."""
    row, wrap_up = _wrapping_up(draft.state, reservation_id)
    wrap_up_ms = draft.now_ms - wrap_up.since_ms
    timed_out = cause is WrapUpCause.TIMEOUT
    event = WrapUpEnded(
        reservation_id=row.reservation_id,
        entry_id=row.entry_id,
        contact_id=row.contact_id,
        queue_id=row.queue_id,
        agent_id=row.agent_id,
        cause=cause,
        code=row.code or (wrap_up.policy.default_code if timed_out else ""),
        wrap_up_ms=wrap_up_ms,
        handle_ms=row.talk_ms + row.hold_ms + wrap_up_ms,
        at_ms=draft.now_ms,
    )
    draft.emit(event)
    release(draft, row.agent_id)


def wrap_up_policy(state: State, row: ReservationRow) -> WrapUpPolicy:
    """The queue's policy, else the tenant's."""
    queue = state.queues.get(row.queue_id)
    own = None if queue is None else queue.config.wrap_up
    return state.defaults.wrap_up if own is None else own


def _is_over(state: State, reservation_id: ReservationId) -> bool:
    """Whether a conversation's wrap-up has ended, too, as long as its contact is remembered."""
    gone = state.exits.get(EntryId(reservation_id.rpartition(".")[0]))
    answered = gone is not None and gone.reservation_id == reservation_id
    return answered and reservation_id not in state.reservations


def _wrapping_up(state: State, reservation_id: ReservationId) -> tuple[ReservationRow, WrapUp]:
    row = state.reservation(reservation_id)
    if row.wrap_up is None:
        raise IllegalTransitionError(f"work that is {row.work} is not in wrap-up")
    return row, row.wrap_up


def _may_leave_early(policy: WrapUpPolicy) -> bool:
    return policy.mode is not WrapUpMode.FORCED


def _earliest_ms(wrap_up: WrapUp) -> int:
    waits = wrap_up.policy.mode is WrapUpMode.TIMED
    return wrap_up.since_ms + (wrap_up.policy.min_ms if waits else 0)


def _record_code(draft: Draft, row: ReservationRow, code: str, deadline_ms: int | None) -> None:
    event = WrapUpCodeSet(
        reservation_id=row.reservation_id,
        agent_id=row.agent_id,
        code=code,
        deadline_ms=deadline_ms,
        at_ms=draft.now_ms,
    )
    draft.emit(event)


def _check_code(code: str) -> None:
    if not code:
        raise InvalidTextError("a code is empty")
    check_text("a code", code)
