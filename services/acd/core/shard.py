"""One tenant's routing: the core that the shell drives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, KeysView, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from services.acd import model
from services.acd.core import attending, configuring, moving, queueing, resuming, ringing, talking
from services.acd.core.apply import apply_event
from services.acd.core.draft import Draft
from services.acd.core.due import run_due
from services.acd.core.expected_wait import announcement
from services.acd.core.gateway_reports import Held, held_by_gateways
from services.acd.core.intervals import close_intervals
from services.acd.core.leaving import empty_queues
from services.acd.core.matching import match
from services.acd.core.receipts import explanation
from services.acd.core.state import State
from services.acd.core.viewing import (
    agent_view,
    count_waiting,
    entry_view,
    queue_door,
    queue_view,
    waiting,
    waiting_row,
)
from services.acd.core.watching import (
    QueueLine,
    agents_by_state,
    oldest_matchable_ms,
    queue_lines,
)
from services.acd.model import (
    AgentConfig,
    AgentId,
    AgentState,
    AgentView,
    Command,
    Contact,
    EntryId,
    EntryView,
    Event,
    Memberships,
    QueueConfig,
    QueueDoor,
    QueueId,
    QueueView,
    Receipt,
    ReservationId,
    ReservationRow,
    Snapshot,
    TenantDefaults,
    WaitingRow,
)

HANDLERS: Final[Mapping[type, Callable[[Draft, Any], None]]] = MappingProxyType(
    {
        model.SetTenantDefaults: configuring.set_tenant_defaults,
        model.PutQueue: configuring.put_queue,
        model.RemoveQueue: configuring.remove_queue,
        model.SetEmergency: configuring.set_emergency,
        model.PutAgent: configuring.put_agent,
        model.RemoveAgent: configuring.remove_agent,
        model.MoveAgents: moving.move_agents,
        model.SetMemberships: moving.set_memberships,
        model.SetSkills: moving.set_skills,
        model.SetPresence: attending.set_presence,
        model.ReportLink: attending.report_link,
        model.StartAgentLeg: attending.start_agent_leg,
        model.EndAgentLeg: attending.end_agent_leg,
        model.EnqueueContact: queueing.enqueue_contact,
        model.AttachEntry: queueing.attach_entry,
        model.DetachEntry: queueing.detach_entry,
        model.LeaveQueue: queueing.leave_queue,
        model.ChangePriority: queueing.change_priority,
        model.AnnounceWait: queueing.announce_wait,
        model.ConfirmRing: ringing.confirm_ring,
        model.AcceptReservation: ringing.accept_reservation,
        model.ConfirmBridged: ringing.confirm_bridged,
        model.EndReservation: ringing.end_reservation,
        model.CompleteContact: talking.complete_contact,
        model.SetHold: talking.set_hold,
        model.SetWrapUpCode: talking.set_wrap_up_code,
        model.FinishWrapUp: talking.finish_wrap_up,
        model.ExtendWrapUp: talking.extend_wrap_up,
        model.ResumeClock: resuming.resume_clock,
    }
)
"""Every command, once; a test proves it total."""


class Ring(NamedTuple):
    """Whom a reservation rings."""

    agent_id: AgentId
    """The agent."""
    agent_name: str
    """What people call them."""
    endpoint: str
    """URI of what they answer on."""
    timeout_ms: int
    """How long it rings."""


class ShardCore:
    """Queues, agents and contacts of one tenant.

    `handle` and `tick` decide on a draft: each event is tried on the state, so that the next one
    is decided on it. Applying the events in turn makes the draft true without doing the work
    twice; any other call first takes back what has not become true. So only `apply` changes what
    can be seen from outside.
    """

    def __init__(self) -> None:
        self._state = State()
        self._draft: Draft | None = None

    def handle(self, command: Command, now_ms: int) -> list[Event]:
        """What follows from a command; a RoutingError changes nothing."""
        return self._decide(now_ms, lambda draft: HANDLERS[type(command)](draft, command))

    def tick(self, now_ms: int) -> list[Event]:
        """What follows from time alone."""
        return self._decide(now_ms, run_due)

    def apply(self, event: Event) -> None:
        """Takes an event into the state."""
        if self._draft is not None and self._draft.confirm(event):
            return
        state = self._settled()
        apply_event(state, event)
        state.commit()
        state.settle()

    def deadline_ms(self) -> int | None:
        """When `tick` should be called next; None: not before another command."""
        first = self._settled().timers.first()
        return None if first is None else first.at_ms

    def snapshot(self) -> Snapshot:
        """The whole state as frozen rows."""
        return self._settled().snapshot()

    def restore(self, snapshot: Snapshot) -> None:
        """Replaces the state by a snapshot's."""
        self._settled().restore(snapshot)

    def entry(self, entry_id: EntryId, now_ms: int) -> EntryView:
        """A stay in a queue, the last 2,000 that ended included; NoSuchEntryError."""
        return entry_view(self._settled(), entry_id, now_ms)

    def announceable_s(self, entry_id: EntryId, now_ms: int) -> int | None:
        """The wait that a contact may be told now, in seconds; None: tell it none."""
        state = self._settled()
        row = state.entries.get(entry_id)
        told = None if row is None else announcement(state, row, now_ms)
        return None if told is None else told.wait_s

    def agent(self, agent_id: AgentId, now_ms: int) -> AgentView:
        """An agent; NoSuchAgentError."""
        del now_ms  # an agent's view holds instants only; every read takes the time all the same
        return agent_view(self._settled(), agent_id)

    def queue(self, queue_id: QueueId, now_ms: int) -> QueueView:
        """A queue with its statistics; NoSuchQueueError."""
        return queue_view(self._settled(), queue_id, now_ms)

    def queue_door(self, queue_id: QueueId) -> QueueDoor:
        """Whether a queue lets arrivals in; of one that is gone, that it is."""
        return queue_door(self._settled(), queue_id)

    def agent_config(self, agent_id: AgentId) -> AgentConfig:
        """An agent's configuration; NoSuchAgentError."""
        return self._settled().agent(agent_id).config

    def queue_config(self, queue_id: QueueId) -> QueueConfig:
        """A queue's configuration; NoSuchQueueError."""
        return self._settled().queue(queue_id).config

    def defaults(self) -> TenantDefaults:
        """What queues fall back to."""
        return self._settled().defaults

    def memberships(self, agent_ids: Iterable[AgentId]) -> tuple[Memberships, ...]:
        """The queues of agents, in the order asked for; NoSuchAgentError."""
        return moving.memberships(self._settled(), agent_ids)

    def waiting(self, queue_ids: Collection[QueueId]) -> list[Contact]:
        """Who waits in these queues, the longest first; none named: in all of them."""
        return waiting(self._settled(), queue_ids)

    def count_waiting(self, queue_ids: Collection[QueueId]) -> int:
        """How many wait in these queues; none named: in all of them."""
        return count_waiting(self._settled(), queue_ids)

    def waiting_row(self, entry_id: EntryId) -> WaitingRow | None:
        """Somebody who waits; None once they have left."""
        return waiting_row(self._settled(), entry_id)

    def explain(self, entry_id: EntryId, now_ms: int) -> Receipt:
        """Why a contact in a queue has no agent now; NoSuchEntryError once it has left."""
        state = self._settled()
        return explanation(state, state.entry(entry_id), now_ms)

    def agent_ids(self) -> KeysView[AgentId]:
        """All agents; valid until the next call."""
        return self._settled().agents.keys()

    def leased_links(self) -> list[tuple[AgentId, int]]:
        """Agents whose link holds only while it is measured again, with the period in ms."""
        rows = self._settled().agents.items()
        return [(agent_id, row.link_valid_ms) for agent_id, row in rows if row.link_valid_ms]

    def held_by_gateways(self) -> list[Held]:
        """Contacts and conversations that live by a gateway's call."""
        return held_by_gateways(self._settled())

    def in_queues(self) -> int:
        """Contacts in queues, reserved or not."""
        return len(self._settled().entries)

    def reserved(self) -> int:
        """Of those, the ones that an agent is held for."""
        return sum(row.reservation_id is not None for row in self._settled().entries.values())

    def queue_lines(self, now_ms: int) -> list[QueueLine]:
        """Every queue, in numbers."""
        return queue_lines(self._settled(), now_ms)

    def agents_by_state(self) -> Counter[AgentState]:
        """How many agents are in each state."""
        return agents_by_state(self._settled())

    def without_flow(self) -> list[EntryId]:
        """Contacts in queues whose flow is not known to be lost."""
        rows = self._settled().entries.items()
        return sorted(entry_id for entry_id, row in rows if row.detached_until_ms is None)

    def is_detached(self, entry_id: EntryId) -> bool:
        """Whether a contact is in a queue and its flow is lost, an agent held for it or not."""
        row = self._settled().entries.get(entry_id)
        return row is not None and row.detached_until_ms is not None

    def ring(self, reservation_id: ReservationId) -> Ring | None:
        """What is rung for a reservation, and for how long; None when it is over."""
        state = self._settled()
        row = state.reservations.get(reservation_id)
        queue = None if row is None else state.queues.get(row.queue_id)
        if row is None or queue is None:
            return None
        agent = state.agents[row.agent_id].config
        return Ring(agent.agent_id, agent.name, agent.endpoint, queue.config.ring_timeout_ms)

    def reservation(self, reservation_id: ReservationId) -> ReservationRow | None:
        """An agent held for a contact, or with it until the wrap-up ends; None when it is over."""
        return self._settled().reservations.get(reservation_id)

    def waiting_since_ms(self, reservation_id: ReservationId) -> int:
        """From when a reserved contact's waiting counts; 0 once nobody is held for it."""
        row = self._settled().reservations.get(reservation_id)
        return 0 if row is None else row.contact.waiting_since_ms

    def agent_name(self, agent_id: AgentId) -> str:
        """What people call an agent; NoSuchAgentError."""
        return self._settled().agent(agent_id).config.name

    def queue_ids(self) -> KeysView[QueueId]:
        """All queues; valid until the next call."""
        return self._settled().queues.keys()

    def oldest_matchable_ms(self, now_ms: int) -> int | None:
        """How long the oldest pair that could be matched has waited; None, or liveness fails."""
        return oldest_matchable_ms(self._settled(), now_ms)

    def _decide(self, now_ms: int, decide: Callable[[Draft], None]) -> list[Event]:
        draft = Draft(self._settled(), now_ms)
        try:
            decide(draft)
            empty_queues(draft)
            match(draft)
            empty_queues(draft)
            close_intervals(draft)
        except BaseException:
            draft.take_back()
            raise
        self._draft = draft
        return list(draft.events)

    def _settled(self) -> State:
        """The state without anything that has not become true."""
        if self._draft is not None:
            self._draft.take_back()
            self._draft = None
        return self._state
