"""The watchdog: it looks at every pair, trusting no index."""

from __future__ import annotations

from services.acd.core.availability import exclusion
from services.acd.core.lane import kept_apart
from services.acd.core.skills import satisfies
from services.acd.core.state import State
from services.acd.model import AgentRow, EntryRow


def oldest_matchable_ms(state: State, now_ms: int) -> int | None:
    """How long the oldest contact has waited that a free agent could take; None: there is none."""
    matchable = (
        row.contact.enqueued_at_ms
        for row in state.entries.values()
        if row.reservation_id is None
        and row.detached_until_ms is None
        and any(_could_take(state, agent, row) for agent in state.agents.values())
    )
    oldest_ms = min(matchable, default=None)
    return None if oldest_ms is None else now_ms - oldest_ms


def _could_take(state: State, agent: AgentRow, entry: EntryRow) -> bool:
    return (
        any(m.queue_id == entry.contact.queue_id for m in agent.config.queues)
        and exclusion(agent, entry.contact.channel, state.defaults) is None
        and not kept_apart(entry, agent.config.agent_id)
        and satisfies(agent.config, entry.expr)
    )
