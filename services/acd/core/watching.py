"""The watchdog: it looks at the rows themselves, trusting no index."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from services.acd.core.availability import exclusion, routable_channels
from services.acd.core.lane import kept_apart
from services.acd.core.skills import satisfies
from services.acd.core.state import State
from services.acd.model import (
    AgentRow,
    AgentState,
    Channel,
    EntryRow,
    QueueId,
    QueueTally,
    SkillExpr,
)


@dataclass(frozen=True, slots=True)
class QueueLine:
    """How a queue stands, in numbers."""

    queue_id: QueueId
    """The queue."""
    waiting: int
    """Contacts that nobody is held for."""
    oldest_ms: int
    """How long the first of them has waited; 0 when nobody does."""
    offered: int
    """Contacts that ever came."""
    answered: int
    """Of those, bridged with an agent."""
    abandoned: int
    """Of those, hung up before."""


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


def queue_lines(state: State, now_ms: int) -> list[QueueLine]:
    """Every queue, in numbers."""
    found = []
    for queue_id in state.queues:
        came = [
            row.contact.enqueued_at_ms
            for row in map(state.entries.__getitem__, state.in_queue.get(queue_id, ()))
            if row.reservation_id is None
        ]
        tally = state.tallies.get(queue_id) or QueueTally(queue_id)
        found.append(
            QueueLine(
                queue_id=queue_id,
                waiting=len(came),
                oldest_ms=max(0, now_ms - min(came, default=now_ms)),
                offered=tally.offered,
                answered=tally.answered,
                abandoned=tally.abandoned,
            )
        )
    return found


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
