"""Who gets whom.

Before a decision nobody who could be matched is left, so a new pair has at least one side that the
decision woke. Woken agents and woken contacts are taken in the order of the best contact each can
have; the contact then gets the best of all agents free for it. With equal weights that leaves no
agent with a contact while a better one that it could take still waits.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush

from services.acd.core.draft import Draft
from services.acd.core.lane import Lane
from services.acd.core.receipts import heads_for, kept_apart, reservation_receipt
from services.acd.core.scoring import ContactOrder, contact_order
from services.acd.core.state import State
from services.acd.model import (
    AgentId,
    ContactReserved,
    EntryId,
    EntryRow,
    ReservationId,
    Waker,
)

_ITSELF = AgentId("")
Woken = tuple[ContactOrder, AgentId]
"""The order of a contact, and the agent who woke; no agent's id: the contact itself woke."""


def match(draft: Draft) -> None:
    """Makes every reservation that can be made."""
    state, now_ms = draft.state, draft.now_ms
    woken = [_contact_woken(state, entry_id, now_ms) for entry_id in state.lanes.woken_entries]
    woken += [_agent_woken(state, agent_id, now_ms) for agent_id in state.lanes.woken_agents]
    state.lanes.settle()
    heap = [found for found in woken if found is not None]
    heapify(heap)
    while heap:
        order, agent_id = heappop(heap)
        if agent_id == _ITSELF:
            _place(draft, order[2], Waker.CONTACT)
            continue
        again = _agent_woken(state, agent_id, now_ms)
        if again == (order, agent_id):
            _place(draft, order[2], Waker.AGENT)
            again = _agent_woken(state, agent_id, now_ms)
        if again is not None:
            heappush(heap, again)


def _contact_woken(state: State, entry_id: EntryId, now_ms: int) -> Woken | None:
    entry = state.entries.get(entry_id)
    if entry is None:
        return None
    scoring = state.queues[entry.contact.queue_id].config.scoring
    return contact_order(entry, scoring, now_ms), _ITSELF


def _agent_woken(state: State, agent_id: AgentId, now_ms: int) -> Woken | None:
    agent = state.agents.get(agent_id)
    heads = [] if agent is None else heads_for(state, agent, now_ms)
    if not heads:
        return None
    entry = min(heads).entry
    scoring = state.queues[entry.contact.queue_id].config.scoring
    return contact_order(entry, scoring, now_ms), agent_id


def _place(draft: Draft, entry_id: EntryId, waker: Waker) -> None:
    """Reserves the best free agent for a contact, if it waits and there is one."""
    entry = draft.state.entries[entry_id]
    if entry.reservation_id is not None or entry.detached_until_ms is not None:
        return
    lane = draft.state.lanes.of_entry(entry_id)
    winner = _best_agent(lane, entry)
    if winner is not None:
        _reserve(draft, lane, entry, winner, waker)


def _best_agent(lane: Lane, entry: EntryRow) -> AgentId | None:
    """The first candidate; the agent rung last only when there is no other."""
    fallback = None
    for candidate in lane.candidates(entry):
        if kept_apart(entry, candidate.agent_id):
            continue
        if candidate.agent_id != entry.last_agent:
            return candidate.agent_id
        fallback = candidate.agent_id
    return fallback


def _reserve(draft: Draft, lane: Lane, entry: EntryRow, winner: AgentId, waker: Waker) -> None:
    state, contact = draft.state, entry.contact
    queue = state.queues[contact.queue_id]
    attempt = entry.attempts + 1
    event = ContactReserved(
        reservation_id=ReservationId(f"{contact.entry_id}.{attempt}"),
        entry_id=contact.entry_id,
        contact_id=contact.contact_id,
        queue_id=contact.queue_id,
        agent_id=winner,
        channel=contact.channel,
        endpoint=state.agents[winner].config.endpoint,
        attempt=attempt,
        turn=queue.turn + 1,
        ring_timeout_ms=queue.config.ring_timeout_ms,
        deadline_ms=draft.now_ms + state.defaults.delivery_ms,
        receipt=reservation_receipt(state, lane, entry, winner, waker=waker, now_ms=draft.now_ms),
        at_ms=draft.now_ms,
    )
    draft.emit(event)
