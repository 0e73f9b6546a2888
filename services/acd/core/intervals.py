"""An agent's intent and the word of its interval: every change of either becomes an event."""

from __future__ import annotations

from services.acd.core.availability import state_word
from services.acd.core.draft import Draft
from services.acd.model import AgentId, AgentRow, AgentStateChanged, Presence, PresenceChanged

BY_RULE = "acd"
"""Who changed a presence when it was one of the ACD's own rules."""


def change_presence(
    draft: Draft, row: AgentRow, presence: Presence, *, reason: str, by: str
) -> None:
    """An agent's intent holds from now on."""
    signed_in = row.presence is Presence.SIGNED_OUT and presence is not Presence.SIGNED_OUT
    back = row.presence is Presence.BREAK and presence is Presence.READY
    anew = signed_in or (back and draft.state.defaults.break_resets_idle)
    event = PresenceChanged(
        agent_id=row.config.agent_id,
        presence=presence,
        reason=reason,
        by=by,
        signed_in=signed_in,
        idle_since_ms=draft.now_ms if anew else row.idle_since_ms,
        at_ms=draft.now_ms,
    )
    draft.emit(event)


def release(draft: Draft, agent_id: AgentId) -> None:
    """A piece of work has ended: what was pending holds, unless there is other work."""
    row = draft.state.agents[agent_id]
    if row.pending is not None and not row.work:
        change_presence(draft, row, row.pending, reason=row.pending_reason, by=row.pending_by)


def close_intervals(draft: Draft) -> None:
    """Begins a new interval for every agent whose word has changed."""
    state = draft.state
    for agent_id in sorted(state.touched):
        row = state.agents.get(agent_id)
        if row is not None:
            close_interval(draft, row)


def close_interval(draft: Draft, row: AgentRow) -> None:
    """Begins a new interval for an agent whose word has changed."""
    works = (draft.state.reservations[held.reservation_id].work for held in row.work)
    word, reason = state_word(row, works)
    if row.version and (word, reason) == (row.state, row.state_reason):
        return
    event = AgentStateChanged(
        agent_id=row.config.agent_id,
        version=row.version + 1,
        state=word,
        reason=reason,
        previous=row.state,
        previous_since_ms=row.since_ms,
        at_ms=draft.now_ms,
    )
    draft.emit(event)
