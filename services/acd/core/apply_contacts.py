"""How events about contacts in queues change rows."""

from __future__ import annotations

from services.acd.core.evolve import evolve
from services.acd.core.state import State
from services.acd.model import (
    ContactEnqueued,
    ContactExited,
    EntryAttached,
    EntryDetached,
    EntryRow,
    ExclusionEnded,
    Exit,
    ExitRow,
    PriorityChanged,
    QueueTally,
    StepEntered,
    WaitAnnounced,
)


def contact_enqueued(state: State, event: ContactEnqueued) -> None:
    """A contact is in its queue."""
    contact = event.contact
    row = EntryRow(
        contact=contact,
        priority=event.priority,
        credits=event.credits,
        step=event.step,
        expr=event.expr,
        step_until_ms=event.step_until_ms,
        timeout_at_ms=event.timeout_at_ms,
    )
    tally = state.tallies[contact.queue_id]
    state.put_tally(contact.queue_id, evolve(tally, offered=tally.offered + 1))
    state.put_entry(contact.entry_id, row)


def step_entered(state: State, event: StepEntered) -> None:
    """A contact's place in its plan."""
    row = evolve(
        state.entries[event.entry_id],
        step=event.step,
        expr=event.expr,
        step_until_ms=event.step_until_ms,
    )
    state.put_entry(event.entry_id, row)


def entry_detached(state: State, event: EntryDetached) -> None:
    """A contact without its flow."""
    row = state.entries[event.entry_id]
    state.put_entry(event.entry_id, evolve(row, detached_until_ms=event.until_ms))


def entry_attached(state: State, event: EntryAttached) -> None:
    """A contact with its flow again."""
    row = state.entries[event.entry_id]
    state.put_entry(event.entry_id, evolve(row, detached_until_ms=None))


def priority_changed(state: State, event: PriorityChanged) -> None:
    """A contact's urgency."""
    row = state.entries[event.entry_id]
    state.put_entry(event.entry_id, evolve(row, priority=event.priority, credits=event.credits))


def wait_announced(state: State, event: WaitAnnounced) -> None:
    """What a caller was told."""
    row = evolve(
        state.entries[event.entry_id], announced_s=event.wait_s, announced_at_ms=event.at_ms
    )
    state.put_entry(event.entry_id, row)


def exclusion_ended(state: State, event: ExclusionEnded) -> None:
    """An agent whom the contact may come back to."""
    row = state.entries[event.entry_id]
    left = tuple(pair for pair in row.exclusions if pair.agent_id != event.agent_id)
    state.put_entry(event.entry_id, evolve(row, exclusions=left))


def contact_exited(state: State, event: ContactExited) -> None:
    """A contact is out of its queue, counted and remembered."""
    entry = state.entries[event.entry_id]
    state.put_tally(event.queue_id, _counted(state.tallies[event.queue_id], entry, event))
    state.put_entry(event.entry_id, None)
    state.put_exit(
        ExitRow(
            order=state.exit_order + 1,
            entry_id=event.entry_id,
            contact_id=event.contact_id,
            queue_id=event.queue_id,
            exit=event.exit,
            target=event.target,
            agent_id=event.agent_id,
            reservation_id=event.reservation_id,
            reason=event.reason,
            at_ms=event.at_ms,
        )
    )


def _counted(tally: QueueTally, entry: EntryRow, event: ContactExited) -> QueueTally:
    name = event.exit.value  # the tally's fields are called as the exits are
    tally = evolve(tally, **{name: getattr(tally, name) + 1})
    told_s, told_at_ms = entry.announced_s, entry.announced_at_ms
    if event.exit is not Exit.ANSWERED or told_s is None or told_at_ms is None:
        return tally
    covered = event.at_ms - told_at_ms <= told_s * 1_000
    return evolve(tally, announced=tally.announced + 1, covered=tally.covered + covered)
