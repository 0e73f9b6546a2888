"""Routing's events into records: names and memberships as they were then.

It holds what is not finished; whatever is finished it has handed out and forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from services.analytics.model import events as e
from services.analytics.model.records import Agent, Entry, Interval, Queue, Records
from services.analytics.model.words import AgentState, Outcome

_NOT_TAKEN: Final = frozenset({Outcome.NO_ANSWER, Outcome.REJECT, Outcome.BUSY})
"""The agent was rung and did not answer."""
_NOTHING: Final = Records()


class Projection:
    """One tenant's records under way."""

    def __init__(self) -> None:
        self.queues: dict[str, Queue] = {}
        self.agents: dict[str, Agent] = {}
        self._entries: dict[str, Entry] = {}
        self._intervals: dict[str, Interval] = {}
        self._changed: list[Queue | Agent | Entry | Interval] = []

    @property
    def unfinished(self) -> int:
        """Entries and intervals that go on."""
        return len(self._entries) + len(self._intervals)

    def entry(self, entry_id: str) -> Entry | None:
        """A stay that goes on, the work after it included; None: there is none."""
        return self._entries.get(entry_id)

    def queue_name(self, queue_id: str) -> str:
        """What people call a queue now."""
        known = self.queues.get(queue_id)
        return "" if known is None else known.name

    def agent_name(self, agent_id: str) -> str:
        """What people call an agent now."""
        known = self.agents.get(agent_id)
        return "" if known is None else known.name

    def remember(self, records: Records) -> None:
        """Takes records in as they were handed out before."""
        self.queues |= {queue.queue_id: queue for queue in records.queues}
        self.agents |= {agent.agent_id: agent for agent in records.agents}
        for entry in records.entries:
            self._keep_entry(entry)
        for interval in records.intervals:
            self._keep_interval(interval)

    def apply(self, event: e.Event) -> Records:
        """Takes an event in; the records that it changed, oldest first."""
        _APPLIES[type(event)](self, event)
        changed, self._changed = self._changed, []
        if not changed:
            return _NOTHING
        if isinstance(changed[0], Entry):  # the usual case: one stay, and nothing else
            return Records(entries=tuple(each for each in changed if isinstance(each, Entry)))
        return Records(
            queues=tuple(each for each in changed if isinstance(each, Queue)),
            agents=tuple(each for each in changed if isinstance(each, Agent)),
            intervals=tuple(each for each in changed if isinstance(each, Interval)),
        )

    def queue_put(self, event: e.QueuePut) -> None:
        """A queue's name."""
        self._put_queue(Queue(event.queue_id, event.name))

    def queue_removed(self, event: e.QueueRemoved) -> None:
        """A queue is gone; its records stay."""
        self._put_queue(Queue(event.queue_id, self.queue_name(event.queue_id), removed=True))

    def agent_put(self, event: e.AgentPut) -> None:
        """An agent's name and memberships; a change of either begins a new interval."""
        known = self.agents.get(event.agent_id) or Agent(event.agent_id, event.name)
        agent = replace(
            known, name=event.name, queue_ids=tuple(sorted(event.queue_ids)), removed=False
        )
        self._put_agent(agent)
        current = self._intervals.get(event.agent_id)
        if current is not None and (current.agent_name, current.queue_ids) != (
            agent.name,
            agent.queue_ids,
        ):
            self._begin(agent, current.state, current.reason, event.at_ms)

    def agent_removed(self, event: e.AgentRemoved) -> None:
        """An agent is gone: the last interval has an end."""
        self._end(event.agent_id, event.at_ms)
        known = self.agents.get(event.agent_id) or Agent(event.agent_id, "")
        self._put_agent(replace(known, removed=True))

    def agent_state_changed(self, event: e.AgentStateChanged) -> None:
        """One interval ends and the next begins."""
        known = self.agents.get(event.agent_id) or Agent(event.agent_id, "")
        self._begin(known, event.state, event.reason, event.at_ms)

    def contact_enqueued(self, event: e.ContactEnqueued) -> None:
        """A stay begins."""
        entry = Entry(
            entry_id=event.entry_id,
            contact_id=event.contact_id,
            queue_id=event.queue_id,
            queue_name=self.queue_name(event.queue_id),
            channel=event.channel,
            offered_at_ms=event.at_ms,
            attributes=tuple(sorted(event.attributes)),
            external_ref=event.external_ref,
        )
        self._put_entry(entry)

    def contact_exited(self, event: e.ContactExited) -> None:
        """A stay ends: exactly once."""
        self._change_entry(
            event.entry_id,
            exit=event.exit,
            left_at_ms=event.at_ms,
            wait_ms=event.wait_ms,
            agent_id=event.agent_id,
            agent_name=self.agent_name(event.agent_id),
            ringing_since_ms=None,
        )

    def told(self, _event: e.ContactReserved | e.WaitAnnounced) -> None:
        """Part of a story; no record changes by it."""

    def ring_confirmed(self, event: e.RingConfirmed) -> None:
        """An agent's endpoint begins to ring."""
        self._change_entry(event.entry_id, ringing_since_ms=event.at_ms)

    def reservation_accepted(self, event: e.ReservationAccepted) -> None:
        """It rings no more."""
        entry = self._entries.get(event.entry_id)
        if entry is not None:
            self._change_entry(
                event.entry_id, ringing_since_ms=None, ring_ms=_rung_ms(entry, event.at_ms)
            )

    def reservation_ended(self, event: e.ReservationEnded) -> None:
        """It rings no more, and whether an agent let it ring."""
        entry = self._entries.get(event.entry_id)
        if entry is None:
            return
        lost = event.outcome is Outcome.UNREACHABLE and entry.ringing_since_ms is not None
        failed = lost or event.outcome in _NOT_TAKEN
        self._change_entry(
            event.entry_id,
            ringing_since_ms=None,
            ring_ms=_rung_ms(entry, event.at_ms),
            ring_failures=entry.ring_failures + failed,
        )

    def contact_completed(self, event: e.ContactCompleted) -> None:
        """The conversation is over."""
        self._change_entry(
            event.entry_id, talked=True, talk_ms=event.talk_ms, hold_ms=event.hold_ms
        )

    def wrap_up_code_set(self, event: e.WrapUpCodeSet) -> None:
        """What it was about."""
        self._change_entry(event.entry_id, disposition=event.code)

    def wrap_up_ended(self, event: e.WrapUpEnded) -> None:
        """The work after it is over."""
        self._change_entry(
            event.entry_id, handled=True, wrap_up_ms=event.wrap_up_ms, disposition=event.code
        )

    def _begin(self, agent: Agent, state: AgentState, reason: str, at_ms: int) -> None:
        self._end(agent.agent_id, at_ms)
        agent = replace(agent, version=agent.version + 1)
        self._put_agent(agent)
        interval = Interval(
            agent_id=agent.agent_id,
            agent_name=agent.name,
            queue_ids=agent.queue_ids,
            version=agent.version,
            state=state,
            reason=reason,
            from_ms=at_ms,
        )
        self._keep_interval(interval)
        self._changed.append(interval)

    def _end(self, agent_id: str, at_ms: int) -> None:
        current = self._intervals.get(agent_id)
        if current is not None:
            ended = replace(current, to_ms=at_ms)
            self._keep_interval(ended)
            self._changed.append(ended)

    def _change_entry(self, entry_id: str, **changes: Any) -> None:
        entry = self._entries.get(entry_id)
        if entry is not None:  # else it began before the events that are kept
            self._put_entry(replace(entry, **changes))

    def _put_entry(self, entry: Entry) -> None:
        self._keep_entry(entry)
        self._changed.append(entry)

    def _put_queue(self, queue: Queue) -> None:
        self.queues[queue.queue_id] = queue
        self._changed.append(queue)

    def _put_agent(self, agent: Agent) -> None:
        self.agents[agent.agent_id] = agent
        self._changed.append(agent)

    def _keep_entry(self, entry: Entry) -> None:
        if entry.is_finished:
            self._entries.pop(entry.entry_id, None)
        else:
            self._entries[entry.entry_id] = entry

    def _keep_interval(self, interval: Interval) -> None:
        if interval.to_ms is None:
            self._intervals[interval.agent_id] = interval
        elif self._has_open(interval):
            del self._intervals[interval.agent_id]

    def _has_open(self, interval: Interval) -> bool:
        current = self._intervals.get(interval.agent_id)
        return current is not None and current.version == interval.version


def _rung_ms(entry: Entry, now_ms: int) -> int:
    since_ms = entry.ringing_since_ms
    return entry.ring_ms + (0 if since_ms is None else now_ms - since_ms)


_APPLIES: Final[Mapping[type, Callable[[Projection, Any], None]]] = MappingProxyType(
    {
        e.QueuePut: Projection.queue_put,
        e.QueueRemoved: Projection.queue_removed,
        e.AgentPut: Projection.agent_put,
        e.AgentRemoved: Projection.agent_removed,
        e.AgentStateChanged: Projection.agent_state_changed,
        e.ContactEnqueued: Projection.contact_enqueued,
        e.ContactExited: Projection.contact_exited,
        e.ContactReserved: Projection.told,
        e.WaitAnnounced: Projection.told,
        e.RingConfirmed: Projection.ring_confirmed,
        e.ReservationAccepted: Projection.reservation_accepted,
        e.ReservationEnded: Projection.reservation_ended,
        e.ContactCompleted: Projection.contact_completed,
        e.WrapUpCodeSet: Projection.wrap_up_code_set,
        e.WrapUpEnded: Projection.wrap_up_ended,
    }
)
"""Every event, once."""
