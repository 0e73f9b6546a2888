"""Rows as others see them: pure reads."""

from __future__ import annotations

from collections.abc import Collection

from services.acd.core.availability import WHY, exclusion, routable_channels, unavailable
from services.acd.core.expected_wait import expected_wait, position
from services.acd.core.scoring import base_points
from services.acd.core.state import State
from services.acd.model import (
    AgentCondition,
    AgentId,
    AgentRow,
    AgentState,
    AgentView,
    ConditionCount,
    Contact,
    ContactStage,
    EntryId,
    EntryRow,
    EntryView,
    Exclusion,
    ExitRow,
    Link,
    Presence,
    QueueDoor,
    QueueId,
    QueueView,
    Stage,
    WaitingRow,
)

_STAGES = {
    Stage.RESERVED: ContactStage.RESERVED,
    Stage.RINGING: ContactStage.RINGING,
    Stage.CONNECTING: ContactStage.CONNECTING,
}


def entry_view(state: State, entry_id: EntryId, now_ms: int) -> EntryView:
    """A stay in a queue, present or remembered; NoSuchEntryError."""
    gone = state.exits.get(entry_id)
    return _gone(state, gone) if gone is not None else _here(state, state.entry(entry_id), now_ms)


def agent_view(state: State, agent_id: AgentId) -> AgentView:
    """An agent; NoSuchAgentError."""
    row = state.agent(agent_id)
    why_not = _why_not(state, row)
    return AgentView(
        agent_id=agent_id,
        name=row.config.name,
        state=row.state,
        reason=row.state_reason,
        since_ms=row.since_ms,
        version=row.version,
        presence=row.presence,
        pending=row.pending,
        link=row.link,
        work=tuple(state.reservations[held.reservation_id] for held in row.work),
        legs=row.legs,
        routable=why_not is None,
        why_not=why_not,
        why="" if why_not is None else WHY[why_not],
        routable_at_ms=row.resting_until_ms if why_not is Exclusion.RESTING else None,
        removed=False,
        queue_ids=tuple(membership.queue_id for membership in row.config.queues),
    )


def removed_agent(agent_id: AgentId, at_ms: int) -> AgentView:
    """The last that is said of an agent."""
    return AgentView(
        agent_id=agent_id,
        name="",
        state=AgentState.SIGNED_OUT,
        reason="",
        since_ms=at_ms,
        version=0,
        presence=Presence.SIGNED_OUT,
        pending=None,
        link=Link.UNREACHABLE,
        work=(),
        legs=(),
        routable=False,
        why_not=Exclusion.SIGNED_OUT,
        why=WHY[Exclusion.SIGNED_OUT],
        routable_at_ms=None,
        removed=True,
        queue_ids=(),
    )


def waiting(state: State, queue_ids: Collection[QueueId]) -> list[Contact]:
    """Contacts in these queues, reserved or not, the longest waiting first; none named: of all."""
    named = (entry_id for queue_id in queue_ids for entry_id in state.in_queue.get(queue_id, ()))
    found = [state.entries[each].contact for each in (named if queue_ids else state.entries)]
    return sorted(found, key=lambda contact: (contact.enqueued_at_ms, contact.entry_id))


def count_waiting(state: State, queue_ids: Collection[QueueId]) -> int:
    """How many wait in these queues, reserved or not; none named: in all of them."""
    if not queue_ids:
        return len(state.entries)
    return sum(len(state.in_queue.get(queue_id, ())) for queue_id in queue_ids)


def waiting_row(state: State, entry_id: EntryId) -> WaitingRow | None:
    """Somebody who waits; None once they have left."""
    row = state.entries.get(entry_id)
    if row is None:
        return None
    held = None if row.reservation_id is None else state.reservations[row.reservation_id]
    return WaitingRow(
        contact=row.contact,
        stage=_stage(row, None if held is None else held.stage),
        priority=row.priority,
        agent_id=None if held is None else held.agent_id,
    )


def queue_view(state: State, queue_id: QueueId, now_ms: int) -> QueueView:
    """A queue; NoSuchQueueError."""
    row = state.queue(queue_id)
    rows = [state.entries[entry_id] for entry_id in state.in_queue.get(queue_id, ())]
    waiting = [entry for entry in rows if entry.reservation_id is None]
    oldest_ms = min((entry.contact.enqueued_at_ms for entry in waiting), default=now_ms)
    scoring = row.config.scoring
    ahead = sum(base_points(e, scoring) >= 0 for e in waiting) if scoring.accel else len(waiting)
    return QueueView(
        queue_id=queue_id,
        name=row.config.name,
        open=row.is_open,
        emergency=row.emergency,
        emergency_message=row.emergency_message,
        waiting=len(waiting),
        reserved=len(rows) - len(waiting),
        longest_wait_ms=now_ms - oldest_ms,
        agents=tuple(
            ConditionCount(condition=state_, agents=state.staffing.count(queue_id, state_))
            for state_ in AgentCondition
        ),
        next_wait=expected_wait(state, queue_id, ahead + 1),
        tally=state.tallies[queue_id],
        service_level_percent=(
            row.config.service_level_percent or state.defaults.service_level_percent
        ),
    )


def queue_door(state: State, queue_id: QueueId) -> QueueDoor:
    """Whether a queue lets arrivals in; of one that is gone, that it is."""
    row = state.queues.get(queue_id)
    if row is None:
        return QueueDoor(queue_id, open=False, removed=True)
    return QueueDoor(queue_id, open=row.is_open, emergency=row.emergency)


def _here(state: State, row: EntryRow, now_ms: int) -> EntryView:
    contact = row.contact
    reservation = None if row.reservation_id is None else state.reservations[row.reservation_id]
    place = None if reservation is not None else position(state, row, now_ms)
    return EntryView(
        entry_id=contact.entry_id,
        queue_id=contact.queue_id,
        stage=_stage(row, None if reservation is None else reservation.stage),
        contact=contact,
        position=place,
        wait_ms=now_ms - contact.enqueued_at_ms,
        expected=None if place is None else expected_wait(state, contact.queue_id, place),
        announced_s=row.announced_s,
        reservation=reservation,
        reservation_id=row.reservation_id,
        agent_id=None if reservation is None else reservation.agent_id,
        exit=None,
        target=None,
        reason="",
    )


def _stage(row: EntryRow, stage: Stage | None) -> ContactStage:
    if stage is not None:
        return _STAGES[stage]
    return ContactStage.WAITING if row.detached_until_ms is None else ContactStage.DETACHED


def _gone(state: State, row: ExitRow) -> EntryView:
    reservation_id = row.reservation_id
    return EntryView(
        entry_id=row.entry_id,
        queue_id=row.queue_id,
        stage=ContactStage.EXITED,
        contact=None,
        position=None,
        wait_ms=0,
        expected=None,
        announced_s=None,
        reservation=None if reservation_id is None else state.reservations.get(reservation_id),
        reservation_id=reservation_id,
        agent_id=row.agent_id,
        exit=row.exit,
        target=row.target,
        reason=row.reason,
    )


def _why_not(state: State, row: AgentRow) -> Exclusion | None:
    if routable_channels(row, state.defaults):
        return None
    reasons = (exclusion(row, c.channel, state.defaults) for c in row.config.capacities)
    return unavailable(row) or next(reasons, None) or Exclusion.AT_CAPACITY
