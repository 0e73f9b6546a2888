"""All lanes of a shard: kept true row by row, and built only for demands that somebody has.

Everything here can be forgotten and built again from the rows; it never changes a decision, only
what a decision costs.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping

from services.acd.core.availability import routable_channels
from services.acd.core.lane import Lane, LaneKey
from services.acd.core.limits import LANES_PER_QUEUE
from services.acd.core.skills import satisfies
from services.acd.model import (
    AgentConfig,
    AgentId,
    AgentRow,
    Channel,
    EntryId,
    EntryRow,
    QueueId,
    QueueRow,
    TenantDefaults,
)


class Lanes:
    """Which agents and contacts could meet."""

    def __init__(
        self,
        *,
        queues: Mapping[QueueId, QueueRow],
        agents: Mapping[AgentId, AgentRow],
        entries: Mapping[EntryId, EntryRow],
    ) -> None:
        self.rosters: dict[QueueId, list[AgentId]] = {}
        self.woken_agents: set[AgentId] = set()
        self.woken_entries: set[EntryId] = set()
        self._queues = queues
        self._agents = agents
        self._entries = entries
        self._lanes: dict[QueueId, dict[LaneKey, Lane]] = {}
        self._of_agent: dict[AgentId, list[tuple[Lane, int]]] = {}
        self._of_entry: dict[EntryId, Lane] = {}
        self._routable: dict[AgentId, tuple[Channel, ...]] = {}

    def of_agent(self, agent_id: AgentId) -> list[tuple[Lane, int]]:
        """The lanes whose demand an agent meets, with the agent's weight; none when not free."""
        return self._of_agent[agent_id] if self._routable.get(agent_id) else []

    def of_entry(self, entry_id: EntryId) -> Lane:
        """The lane in which a contact waits; KeyError when it does not wait."""
        return self._of_entry[entry_id]

    def of_queue(self, queue_id: QueueId) -> Iterable[Lane]:
        """The lanes of a queue."""
        return self._lanes.get(queue_id, {}).values()

    def lane_for(self, entry: EntryRow) -> Lane:
        """The lane of a contact's demand, built when nobody had it before."""
        contact = entry.contact
        key = LaneKey(contact.queue_id, contact.channel, entry.expr)
        lanes = self._lanes.setdefault(contact.queue_id, {})
        lane = lanes.get(key)
        if lane is None:
            lane = lanes[key] = self._built(key)
            self._forget_unused(lanes, but=key)
        return lane

    def agent_changed(
        self, old: AgentRow | None, new: AgentRow | None, defaults: TenantDefaults
    ) -> None:
        """An agent's row is new, gone, or judged by new defaults."""
        if old is not None and (new is None or new.config is not old.config):
            self._forget_agent(old.config)
        if new is None:
            return
        agent_id = new.config.agent_id
        edited = old is None or old.config is not new.config
        if edited:
            self._qualify(new.config)
        channels = routable_channels(new, defaults)
        before = self._routable.get(agent_id, ())
        self._routable[agent_id] = channels
        if not edited and channels == before and (not channels or _ranks_alike(old, new)):
            return
        for lane, _ in self._of_agent[agent_id]:
            if lane.key.channel in channels:
                lane.present(new)
            else:
                lane.withdraw(agent_id)
        if channels and (edited or len(channels) > len(before) or set(channels) - set(before)):
            self.woken_agents.add(agent_id)

    def entry_changed(self, entry_id: EntryId, new: EntryRow | None) -> None:
        """A contact's row is new or gone."""
        known = self._of_entry.pop(entry_id, None)
        if known is not None:
            known.leave(entry_id)
        if new is None or new.reservation_id is not None or new.detached_until_ms is not None:
            return
        lane = self.lane_for(new)
        lane.join(new)
        self._of_entry[entry_id] = lane
        self.woken_entries.add(entry_id)

    def queue_changed(self, queue_id: QueueId) -> None:
        """A queue's rules are new, or it is gone: its lanes are built again."""
        for lane in self._lanes.pop(queue_id, {}).values():
            self._detach(lane)
            for entry_id in lane.waiting:
                del self._of_entry[entry_id]
                self.entry_changed(entry_id, self._entries[entry_id])

    def settle(self) -> None:
        """Nothing is woken any more."""
        self.woken_agents.clear()
        self.woken_entries.clear()

    def clear(self) -> None:
        """Forgets everything."""
        self.settle()
        for index in (
            self.rosters,
            self._lanes,
            self._of_agent,
            self._of_entry,
            self._routable,
        ):
            index.clear()

    def _built(self, key: LaneKey) -> Lane:
        lane = Lane(key, self._queues[key.queue_id].config, self._entries)
        for agent_id in self.rosters.get(key.queue_id, ()):
            agent = self._agents[agent_id]
            if satisfies(agent.config, key.expr):
                lane.qualified.append(agent_id)  # the roster is sorted
                self._of_agent[agent_id].append((lane, _weight(agent.config, key.queue_id)))
                if key.channel in self._routable[agent_id]:
                    lane.present(agent)
        return lane

    def _forget_unused(self, lanes: dict[LaneKey, Lane], *, but: LaneKey) -> None:
        """Keeps the newest lanes and those in which somebody waits."""
        if len(lanes) <= LANES_PER_QUEUE:
            return
        unused = next((k for k, lane in lanes.items() if k != but and not lane.waiting), None)
        if unused is not None:
            self._detach(lanes.pop(unused))

    def _detach(self, lane: Lane) -> None:
        for agent_id in lane.qualified:
            mine = self._of_agent[agent_id]
            mine[:] = [held for held in mine if held[0] is not lane]

    def _qualify(self, config: AgentConfig) -> None:
        mine = self._of_agent[config.agent_id] = []
        for membership in config.queues:
            insort(self.rosters.setdefault(membership.queue_id, []), config.agent_id)
            for lane in self.of_queue(membership.queue_id):
                if satisfies(config, lane.key.expr):
                    lane.qualify(config.agent_id)
                    mine.append((lane, membership.weight))

    def _forget_agent(self, config: AgentConfig) -> None:
        agent_id = config.agent_id
        for lane, _ in self._of_agent.pop(agent_id):
            lane.disqualify(agent_id)
        del self._routable[agent_id]
        for membership in config.queues:
            roster = self.rosters[membership.queue_id]
            del roster[bisect_left(roster, agent_id)]


def _weight(config: AgentConfig, queue_id: QueueId) -> int:
    return next(m.weight for m in config.queues if m.queue_id == queue_id)


def _ranks_alike(old: AgentRow | None, new: AgentRow) -> bool:
    """Whether no comparator can tell two versions of an agent apart, configuration apart."""
    return old is not None and (
        old.idle_since_ms == new.idle_since_ms
        and old.talk_ms == new.talk_ms
        and old.contacts == new.contacts
        and old.turns is new.turns
    )
