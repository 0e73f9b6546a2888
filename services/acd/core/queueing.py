"""Commands about contacts in queues."""

from __future__ import annotations

from typing import Final

from services.acd.core.admission import check_contact, check_text, check_urgency
from services.acd.core.draft import Draft
from services.acd.core.expected_wait import announcement
from services.acd.core.leaving import let_go
from services.acd.core.plans import first_place
from services.acd.core.ringing import fail
from services.acd.core.state import State
from services.acd.model import (
    AnnounceWait,
    AttachEntry,
    ChangePriority,
    Contact,
    ContactEnqueued,
    DetachEntry,
    EnqueueContact,
    EntryAttached,
    EntryDetached,
    EntryExitedError,
    EntryId,
    EntryRow,
    Exit,
    IllegalExitError,
    LeaveQueue,
    Outcome,
    PriorityChanged,
    QueueRow,
)

_BY_COMMAND: Final = frozenset(
    {Exit.ABANDONED, Exit.CALLBACK, Exit.OVERFLOWED, Exit.VOICEMAIL, Exit.FAILED}
)


def enqueue_contact(draft: Draft, command: EnqueueContact) -> None:
    """A contact is offered to a queue, which may turn it away. Repeated, it changes nothing."""
    state, now_ms = draft.state, draft.now_ms
    if command.entry_id in state.entries or command.entry_id in state.exits:
        return
    queue = state.queue(command.queue_id)
    check_contact(command, now_ms)
    contact = _contact(command, queue, now_ms)
    place = first_place(state, contact.plan, contact.queue_id, now_ms)
    longest_ms = queue.config.max_wait_ms
    event = ContactEnqueued(
        contact=contact,
        priority=command.priority,
        credits=command.credits,
        step=place.step,
        expr=place.expr,
        step_until_ms=place.until_ms,
        timeout_at_ms=None if longest_ms is None else now_ms + longest_ms,
        at_ms=now_ms,
    )
    draft.emit(event)
    entry = state.entries[contact.entry_id]
    refusal = _refusal(state, queue)
    if refusal is not None:
        way, reason = refusal
        let_go(draft, entry, way, reason=reason)
    elif place.overflows:
        let_go(draft, entry, Exit.OVERFLOWED, target=contact.plan.overflow_queue)


def attach_entry(draft: Draft, command: AttachEntry) -> None:
    """The contact's flow is back. Repeated, or after the exit, it changes nothing."""
    row = _still_here(draft.state, command.entry_id)
    if row is not None and row.detached_until_ms is not None:
        draft.emit(EntryAttached(entry_id=command.entry_id, at_ms=draft.now_ms))


def detach_entry(draft: Draft, command: DetachEntry) -> None:
    """The contact's flow is lost; a live reservation goes on until its own lease ends."""
    row = _still_here(draft.state, command.entry_id)
    if row is None or row.detached_until_ms is not None:
        return
    until_ms = draft.now_ms + draft.state.defaults.detach_grace_ms
    draft.emit(EntryDetached(entry_id=command.entry_id, until_ms=until_ms, at_ms=draft.now_ms))


def leave_queue(draft: Draft, command: LeaveQueue) -> None:
    """The contact leaves by its own or its flow's will; who rings is released without blame."""
    check_text("a reason", command.reason)
    if command.exit not in _BY_COMMAND:
        raise IllegalExitError(f"{command.exit} is not a way out that can be asked for")
    if (command.exit is Exit.OVERFLOWED) != bool(command.target):
        raise IllegalExitError("overflowed and its target belong together")
    row = _still_here(draft.state, command.entry_id)
    if row is None:
        return
    if row.reservation_id is not None:
        fail(draft, draft.state.reservations[row.reservation_id], Outcome.CALLER_GONE)
        row = draft.state.entries[command.entry_id]
    let_go(draft, row, command.exit, target=command.target, reason=command.reason)


def change_priority(draft: Draft, command: ChangePriority) -> None:
    """A contact's urgency changes at once."""
    row = _still_here(draft.state, command.entry_id)
    if row is None:
        raise EntryExitedError(command.entry_id)
    points = row.credits if command.credits is None else command.credits
    check_urgency(command.priority, points)
    if (row.priority, row.credits) == (command.priority, points):
        return
    event = PriorityChanged(
        entry_id=command.entry_id,
        priority=command.priority,
        credits=points,
        at_ms=draft.now_ms,
    )
    draft.emit(event)


def announce_wait(draft: Draft, command: AnnounceWait) -> None:
    """Fixes what the caller is about to hear; nothing honest to say: no event."""
    row = _still_here(draft.state, command.entry_id)
    if row is None:
        raise EntryExitedError(command.entry_id)
    event = announcement(draft.state, row, draft.now_ms)
    if event is not None:
        draft.emit(event)


def _contact(command: EnqueueContact, queue: QueueRow, now_ms: int) -> Contact:
    since_ms = command.waiting_since_ms
    return Contact(
        entry_id=command.entry_id,
        contact_id=command.contact_id,
        queue_id=command.queue_id,
        channel=command.channel,
        enqueued_at_ms=now_ms,
        waiting_since_ms=now_ms if since_ms is None else since_ms,
        plan=queue.config.plan if command.plan is None else command.plan,
        attributes=command.attributes,
        external_ref=command.external_ref,
        seed=command.seed,
        gateway=command.gateway,
    )


def _refusal(state: State, queue: QueueRow) -> tuple[Exit, str] | None:
    config = queue.config
    if queue.emergency:
        return Exit.CLOSED, "emergency"
    if not config.open:
        return Exit.CLOSED, ""
    if len(state.in_queue[config.queue_id]) > config.max_waiting:
        return Exit.REFUSED_FULL, ""
    rule = config.join_when_empty
    if rule is not None and state.staffing.is_empty(config.queue_id, rule):
        return Exit.REFUSED_NO_AGENTS, ""
    return None


def _still_here(state: State, entry_id: EntryId) -> EntryRow | None:
    """The row; None when the contact has left; NoSuchEntryError when it never came."""
    return None if entry_id in state.exits else state.entry(entry_id)
