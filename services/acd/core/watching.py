"""The watchdog: it looks at the rows themselves, trusting no index."""

from __future__ import annotations

from collections import Counter, defaultdict

from services.acd.core.availability import exclusion, routable_channels
from services.acd.core.lane import kept_apart
from services.acd.core.skills import satisfies
from services.acd.core.state import State
from services.acd.model import AgentRow, AgentState, Channel, EntryRow, QueueId, SkillExpr

_Demand = tuple[QueueId, Channel, SkillExpr]


def oldest_matchable_ms(state: State, now_ms: int) -> int | None:
    """How long the oldest contact has waited that a free agent could take; None: there is none."""
    waiting = [
        row
        for row in state.entries.values()
        if row.reservation_id is None and row.detached_until_ms is None
    ]
    if not waiting:
        return None
    free = _free_by_queue(state)
    # Contacts that ask for the same are many, and what they ask for is little.
    able: dict[_Demand, list[AgentRow]] = {}
    matchable: list[int] = []
    for row in waiting:
        demand = (row.contact.queue_id, row.contact.channel, row.expr)
        if demand not in able:
            able[demand] = [a for a in free[demand[0]] if _could_take(state, a, row)]
        if any(not kept_apart(row, agent.config.agent_id) for agent in able[demand]):
            matchable.append(row.contact.enqueued_at_ms)
    return now_ms - min(matchable) if matchable else None


def agents_by_state(state: State) -> Counter[AgentState]:
    """How many agents are in each state."""
    return Counter(row.state for row in state.agents.values())


def _free_by_queue(state: State) -> defaultdict[QueueId, list[AgentRow]]:
    found: defaultdict[QueueId, list[AgentRow]] = defaultdict(list)
    for agent in state.agents.values():
        if routable_channels(agent, state.defaults):
            for membership in agent.config.queues:
                found[membership.queue_id].append(agent)
    return found


def _could_take(state: State, agent: AgentRow, entry: EntryRow) -> bool:
    return exclusion(agent, entry.contact.channel, state.defaults) is None and satisfies(
        agent.config, entry.expr
    )
