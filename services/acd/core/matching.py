"""Who gets whom.

Before a decision nobody who could be matched is left, so a new pair has at least one side that the
decision woke. Woken agents and woken contacts are taken in the order of the best contact each can
have; the contact then gets the best of all agents free for it. With equal weights that leaves no
agent with a contact while a better one that it could take still waits.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import NamedTuple

from services.acd.core.draft import Draft
from services.acd.core.lane import Lane, kept_apart
from services.acd.core.receipts import Head, heads_for, reservation_receipt
from services.acd.core.scoring import ContactOrder, contact_order
from services.acd.core.state import State
from services.acd.model import (
    AgentId,
    ContactReserved,
    EntryId,
    EntryRow,
    Receipt,
    ReservationId,
    Waker,
)

_ITSELF = AgentId("")


class Woken(NamedTuple):
    """One side that woke; the smallest comes first."""

    order: ContactOrder
    """Of the contact itself, or of the best one that the agent can have."""
    agent_id: AgentId
    """The agent who woke; no id: the contact woke."""
    made: int
    """Reservations made when this was found out."""
    heads: list[Head]
    """What the agent can have, best first."""


def match(draft: Draft) -> None:
    """Makes every reservation that can be made."""
    state, now_ms = draft.state, draft.now_ms
    woken = [_contact_woken(state, entry_id, now_ms) for entry_id in state.lanes.woken_entries]
    woken += [_agent_woken(state, agent_id, 0, now_ms) for agent_id in state.lanes.woken_agents]
    heap = [found for found in woken if found is not None]
    state.lanes.settle()
    heapify(heap)
    made = 0
    while heap:
        first = heappop(heap)
        if first.agent_id == _ITSELF:
            made += _place(draft, first, Waker.CONTACT)
            continue
        if first.made == made:
            made += _place(draft, first, Waker.AGENT)
        again = _agent_woken(state, first.agent_id, made, now_ms)
        if again is not None:
            heappush(heap, again)


def _contact_woken(state: State, entry_id: EntryId, now_ms: int) -> Woken | None:
    entry = state.entries.get(entry_id)
    if entry is None:
        return None
    scoring = state.queues[entry.contact.queue_id].config.scoring
    return Woken(contact_order(entry, scoring, now_ms), _ITSELF, 0, [])


def _agent_woken(state: State, agent_id: AgentId, made: int, now_ms: int) -> Woken | None:
    heads = heads_for(state, agent_id, now_ms)
    if not heads:
        return None
    (_, enqueued_at_ms, entry_id), _, points = heads[0]
    return Woken((-points, enqueued_at_ms, EntryId(entry_id)), agent_id, made, heads)


def _place(draft: Draft, woken: Woken, waker: Waker) -> bool:
    """Reserves the best free agent for a contact that waits, if there is one.

    It does wait: a contact that woke comes before every agent that would take it.
    """
    entry = draft.state.entries[woken.order[2]]
    lane = draft.state.lanes.of_entry(entry.contact.entry_id)
    winner = _best_agent(lane, entry)
    if winner is None:
        return False
    known = woken.agent_id == winner
    heads = woken.heads if known else heads_for(draft.state, winner, draft.now_ms)
    receipt = reservation_receipt(
        draft.state, lane, entry, winner, heads=heads, waker=waker, now_ms=draft.now_ms
    )
    _reserve(draft, entry, winner, receipt)
    return True


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


def _reserve(draft: Draft, entry: EntryRow, winner: AgentId, receipt: Receipt) -> None:
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
        receipt=receipt,
        at_ms=draft.now_ms,
    )
    draft.emit(event)
