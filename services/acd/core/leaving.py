"""How contacts leave a queue."""

from __future__ import annotations

from services.acd.core.draft import Draft
from services.acd.model import ContactExited, EntryRow, Exit, QueueId


def let_go(
    draft: Draft, entry: EntryRow, way: Exit, *, target: QueueId | None = None, reason: str = ""
) -> None:
    """A contact without a reservation leaves its queue."""
    contact = entry.contact
    event = ContactExited(
        entry_id=contact.entry_id,
        contact_id=contact.contact_id,
        queue_id=contact.queue_id,
        exit=way,
        target=target,
        agent_id=None,
        reservation_id=None,
        reason=reason,
        wait_ms=draft.now_ms - contact.enqueued_at_ms,
        at_ms=draft.now_ms,
    )
    draft.emit(event)


def let_all_go(draft: Draft, queue_id: QueueId, way: Exit, *, reason: str) -> None:
    """All contacts of a queue that have no reservation leave it."""
    for entry_id in sorted(draft.state.in_queue.get(queue_id, ())):
        entry = draft.state.entries[entry_id]
        if entry.reservation_id is None:
            let_go(draft, entry, way, reason=reason)


def empty_queues(draft: Draft) -> None:
    """Contacts leave queues that are empty, where that is the rule."""
    state = draft.state
    for queue_id in sorted(state.staffing.changed):
        queue = state.queues.get(queue_id)
        rule = None if queue is None else queue.config.leave_when_empty
        if rule is not None and state.staffing.is_empty(queue_id, rule):
            let_all_go(draft, queue_id, Exit.REFUSED_NO_AGENTS, reason="no agents left")
