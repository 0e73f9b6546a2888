"""How each queue is staffed, kept as counts: nobody walks the roster to know it."""

from __future__ import annotations

from collections.abc import Iterator

from services.acd.core.availability import condition
from services.acd.model import AgentCondition, AgentId, AgentRow, EmptyRule, QueueId

_THERE = (AgentCondition.READY, AgentCondition.WORKING)


class Staffing:
    """Agents of each queue by condition."""

    def __init__(self) -> None:
        self.changed: set[QueueId] = set()
        self._counts: dict[QueueId, dict[AgentCondition, int]] = {}
        self._share_permille: dict[QueueId, int] = {}
        self._known: dict[AgentId, AgentCondition] = {}

    def agent_changed(self, old: AgentRow | None, new: AgentRow | None) -> None:
        """An agent's row is new or gone."""
        now = None if new is None else condition(new)
        before = None if old is None else self._known.pop(old.config.agent_id)
        if new is not None and now is not None:
            self._known[new.config.agent_id] = now
        same_config = old is not None and new is not None and old.config is new.config
        if same_config and now is before:
            return
        if old is not None and before is not None:
            self._count(old, before, -1)
        if new is not None and now is not None:
            self._count(new, now, 1)

    def count(self, queue_id: QueueId, wanted: AgentCondition) -> int:
        """Agents of a queue in a condition."""
        return self._counts.get(queue_id, {}).get(wanted, 0)

    def is_empty(self, queue_id: QueueId, rule: EmptyRule) -> bool:
        """Whether every agent of the queue is absent by the rule; true without agents."""
        counts = self._counts.get(queue_id, {})
        return not any(n for state, n in counts.items() if state not in rule.absent)

    def effective_permille(self, queue_id: QueueId) -> int:
        """Agents there for a queue, each by its share of the agent's weights, in thousandths."""
        return self._share_permille.get(queue_id, 0)

    def clear(self) -> None:
        """Forgets everything."""
        self.changed.clear()
        self._counts.clear()
        self._share_permille.clear()
        self._known.clear()

    def _count(self, agent: AgentRow, state: AgentCondition, by: int) -> None:
        for queue_id, share in _shares(agent):
            counts = self._counts.setdefault(queue_id, {})
            counts[state] = counts.get(state, 0) + by
            if state in _THERE:
                known = self._share_permille.get(queue_id, 0)
                self._share_permille[queue_id] = known + by * share
            self.changed.add(queue_id)


def _shares(agent: AgentRow) -> Iterator[tuple[QueueId, int]]:
    total = sum(m.weight for m in agent.config.queues)
    for membership in agent.config.queues:
        yield membership.queue_id, 1_000 * membership.weight // total
