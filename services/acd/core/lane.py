"""One demand of one queue: who waits with it, and which free agents meet it, both in order.

A freed agent looks only at the heads of the lanes it qualifies for; an arriving contact only at
the head of its own. Points that grow with waiting do not change the order of those that still
gain them, nor of those past the cap, so each kind keeps one sorted list.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping
from heapq import heapify, heappop, heappush, merge
from typing import NamedTuple

from services.acd.core.comparators import COMPARATORS, draw
from services.acd.core.scoring import ContactOrder, base_points, cap_at_ms, contact_order, score
from services.acd.model import (
    AgentId,
    AgentRow,
    Candidate,
    Channel,
    EntryId,
    EntryRow,
    QueueConfig,
    QueueId,
    SkillExpr,
    Strategy,
)

AgentKey = tuple[tuple[int, ...], AgentId]
WaitKey = tuple[int, int, EntryId]

_STALE = 64
"""Forgotten cap times tolerated beyond one for each contact waiting."""


class LaneKey(NamedTuple):
    """What makes a demand."""

    queue_id: QueueId
    """The queue."""
    channel: Channel
    """The channel."""
    expr: SkillExpr
    """Whom the contacts accept."""


class Lane:
    """The contacts that wait with one demand, and the agents who meet it."""

    def __init__(
        self, key: LaneKey, config: QueueConfig, entries: Mapping[EntryId, EntryRow]
    ) -> None:
        self.key = key
        self.scoring = config.scoring
        self.strategies = config.strategies
        self.qualified: list[AgentId] = []
        self.free: list[AgentKey] = []
        self.free_key: dict[AgentId, AgentKey] = {}
        self.waiting: dict[EntryId, tuple[list[WaitKey], WaitKey]] = {}
        self._entries = entries
        self._at_random = config.strategies[-1] == Strategy.RANDOM
        self._compare = [COMPARATORS[s] for s in config.strategies if s != Strategy.RANDOM]
        self._rising: list[WaitKey] = []
        self._capped: list[WaitKey] = []
        self._reaches_cap: list[tuple[int, WaitKey]] = []

    def qualify(self, agent_id: AgentId) -> None:
        """Takes in an agent who meets the demand, free or not."""
        insort(self.qualified, agent_id)

    def disqualify(self, agent_id: AgentId) -> None:
        """Forgets an agent."""
        self.withdraw(agent_id)
        del self.qualified[bisect_left(self.qualified, agent_id)]

    def present(self, agent: AgentRow) -> None:
        """A qualified agent is free, or compares differently from before."""
        agent_id = agent.config.agent_id
        queue_id, _, expr = self.key
        key = (tuple([rule(agent, queue_id, expr) for rule in self._compare]), agent_id)
        known = self.free_key.get(agent_id)
        if known == key:
            return
        if known is not None:
            del self.free[bisect_left(self.free, known)]
        self.free_key[agent_id] = key
        insort(self.free, key)

    def withdraw(self, agent_id: AgentId) -> None:
        """A qualified agent is not free."""
        known = self.free_key.pop(agent_id, None)
        if known is not None:
            del self.free[bisect_left(self.free, known)]

    def join(self, entry: EntryRow) -> None:
        """A contact waits with this demand."""
        contact, base = entry.contact, base_points(entry, self.scoring)
        rank = self.scoring.accel * contact.waiting_since_ms - base
        key = (rank, contact.enqueued_at_ms, contact.entry_id)
        self.waiting[contact.entry_id] = (self._rising, key)
        insort(self._rising, key)
        if len(self._reaches_cap) > 2 * len(self.waiting) + _STALE:
            self._reaches_cap = list({at for at in self._reaches_cap if self._rises(at[1])})
            heapify(self._reaches_cap)
        heappush(self._reaches_cap, (cap_at_ms(entry, self.scoring), key))

    def leave(self, entry_id: EntryId) -> None:
        """A contact no longer waits with this demand."""
        keys, key = self.waiting.pop(entry_id)
        del keys[bisect_left(keys, key)]

    def first_for(self, agent_id: AgentId, now_ms: int) -> tuple[int, EntryRow] | None:
        """The best contact here that does come back to an agent, with its score."""
        self._cap(now_ms)
        if not self._capped:
            for key in self._rising:
                entry = self._entries[key[2]]
                if not kept_apart(entry, agent_id):
                    return self.scoring.accel * now_ms - key[0], entry
            return None
        for entry in self._both_kinds(now_ms):
            if not kept_apart(entry, agent_id):
                return score(entry, self.scoring, now_ms), entry
        return None

    def ahead_of(self, order: ContactOrder, now_ms: int) -> int:
        """How many here come before a contact of the same queue."""
        self._cap(now_ms)
        points, enqueued_at_ms, entry_id = order
        accel, cap_ms = self.scoring.accel, self.scoring.wait_cap_ms
        rising = (accel * now_ms + points, enqueued_at_ms, entry_id)
        capped = (accel * cap_ms + points, enqueued_at_ms, entry_id)
        return bisect_left(self._rising, rising) + bisect_left(self._capped, capped)

    def candidates(self, entry: EntryRow) -> Iterable[Candidate]:
        """Free agents for a contact, best first, those it is kept away from included."""
        if not self._at_random:
            return (Candidate(agent_id, values) for values, agent_id in self.free)
        drawn = sorted(((*values, draw(entry, agent)), agent) for values, agent in self.free)
        return (Candidate(agent_id, values) for values, agent_id in drawn)

    def _both_kinds(self, now_ms: int) -> Iterator[EntryRow]:
        return merge(
            (self._entries[key[2]] for key in self._capped),
            (self._entries[key[2]] for key in self._rising),
            key=lambda entry: contact_order(entry, self.scoring, now_ms),
        )

    def _cap(self, now_ms: int) -> None:
        """Moves those whose score no longer grows; each at most once."""
        reaches = self._reaches_cap
        while reaches and reaches[0][0] <= now_ms:
            _, key = heappop(reaches)
            if self._rises(key):
                entry_id = key[2]
                del self._rising[bisect_left(self._rising, key)]
                capped = (-base_points(self._entries[entry_id], self.scoring), *key[1:])
                self.waiting[entry_id] = (self._capped, capped)
                insort(self._capped, capped)

    def _rises(self, key: WaitKey) -> bool:
        keys, current = self.waiting.get(key[2], (self._capped, key))
        return keys is self._rising and current == key


def kept_apart(entry: EntryRow, agent_id: AgentId) -> bool:
    """Whether a contact does not come back to an agent yet."""
    return bool(entry.exclusions) and any(pair.agent_id == agent_id for pair in entry.exclusions)
