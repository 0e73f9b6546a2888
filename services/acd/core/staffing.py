"""How each queue is staffed, kept as counts: nobody walks the roster to know it."""

from __future__ import annotations

from services.acd.core.availability import condition
from services.acd.model import AgentCondition, AgentConfig, AgentId, AgentRow, EmptyRule, QueueId

_THERE = (AgentCondition.READY, AgentCondition.WORKING)


class _Staff:
    """One queue's agents."""

    __slots__ = ("counts", "share_permille")

    def __init__(self) -> None:
        self.counts = dict.fromkeys(AgentCondition, 0)
        self.share_permille = 0


class Staffing:
    """Agents of each queue by condition."""

    def __init__(self) -> None:
        self.changed: set[QueueId] = set()
        self._ruled: set[QueueId] = set()
        self._queues: dict[QueueId, _Staff] = {}
        self._known: dict[AgentId, AgentCondition] = {}
        self._parts: dict[AgentId, list[tuple[QueueId, _Staff, int]]] = {}

    def watch(self, queue_id: QueueId, *, ruled: bool) -> None:
        """Whether changes of a queue's staff matter: whether contacts leave when it is empty."""
        if ruled:
            self._ruled.add(queue_id)
            self.changed.add(queue_id)
        else:
            self._ruled.discard(queue_id)
            self.changed.discard(queue_id)

    def somebody_waits(self, queue_id: QueueId) -> None:
        """A contact waits in a queue, and might have to leave it."""
        if queue_id in self._ruled:
            self.changed.add(queue_id)

    def agent_changed(self, old: AgentRow | None, new: AgentRow | None) -> None:
        """An agent's row is new or gone."""
        now = None if new is None else condition(new)
        if old is not None and (new is None or new.config is not old.config):
            agent_id = old.config.agent_id
            self._count(agent_id, self._known.pop(agent_id), None)
            del self._parts[agent_id]
        if new is not None and now is not None:
            agent_id = new.config.agent_id
            if agent_id not in self._parts:
                self._parts[agent_id] = self._taken_part(new.config)
            before = self._known.get(agent_id)
            if now is not before:
                self._known[agent_id] = now
                self._count(agent_id, before, now)

    def count(self, queue_id: QueueId, wanted: AgentCondition) -> int:
        """Agents of a queue in a condition."""
        staff = self._queues.get(queue_id)
        return 0 if staff is None else staff.counts[wanted]

    def is_empty(self, queue_id: QueueId, rule: EmptyRule) -> bool:
        """Whether every agent of the queue is absent by the rule; true without agents."""
        staff = self._queues.get(queue_id)
        counts = {} if staff is None else staff.counts
        return not any(n for state, n in counts.items() if state not in rule.absent)

    def effective_permille(self, queue_id: QueueId) -> int:
        """Agents there for a queue, each by its share of the agent's weights, in thousandths."""
        staff = self._queues.get(queue_id)
        return 0 if staff is None else staff.share_permille

    def clear(self) -> None:
        """Forgets everything."""
        for index in (self.changed, self._ruled, self._queues, self._known, self._parts):
            index.clear()

    def _taken_part(self, config: AgentConfig) -> list[tuple[QueueId, _Staff, int]]:
        total = sum(m.weight for m in config.queues)
        return [
            (
                membership.queue_id,
                self._queues.setdefault(membership.queue_id, _Staff()),
                1_000 * membership.weight // total,
            )
            for membership in config.queues
        ]

    def _count(
        self, agent_id: AgentId, before: AgentCondition | None, now: AgentCondition | None
    ) -> None:
        gained = (now in _THERE) - (before in _THERE)
        for queue_id, staff, share in self._parts[agent_id]:
            if before is not None:
                staff.counts[before] -= 1
            if now is not None:
                staff.counts[now] += 1
            if gained:
                staff.share_permille += gained * share
            if queue_id in self._ruled:
                self.changed.add(queue_id)
