"""Receipts: what a decision rested on, in bounded size."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from services.acd.core.availability import exclusion
from services.acd.core.comparators import COMPARATORS, draw
from services.acd.core.lane import Lane, kept_apart
from services.acd.core.limits import EXPLAIN_LISTED, RECEIPT_LISTED, RECEIPT_WALK
from services.acd.core.scoring import score
from services.acd.core.skills import satisfies
from services.acd.core.state import State
from services.acd.model import (
    AgentId,
    AgentRow,
    Candidate,
    EntryRow,
    ExcludedAgent,
    Exclusion,
    QueueConfig,
    Receipt,
    Rival,
    Strategy,
    Waker,
)


class Head(NamedTuple):
    """The first contact of a lane that an agent could take; the smallest comes first."""

    order: tuple[int, int, str]
    """Minus the weighted score, the time of enqueueing, the id."""
    entry: EntryRow
    """The contact."""
    score: int
    """Its score, not weighted."""


def heads_for(state: State, agent_id: AgentId, now_ms: int) -> list[Head]:
    """The first contact of each demand that a free agent could take now, best first."""
    heads: list[Head] = []
    for lane, weight in state.lanes.of_agent(agent_id):
        if lane.waiting and agent_id in lane.free_key:
            found = lane.first_for(agent_id, now_ms)
            if found is not None:
                points, entry = found
                contact = entry.contact
                order = (-points * weight, contact.enqueued_at_ms, contact.entry_id)
                heads.append(Head(order, entry, points))
    heads.sort()
    return heads


def _weight(agent: AgentRow, entry: EntryRow) -> int:
    """What a contact's score is multiplied with for an agent."""
    queue_id = entry.contact.queue_id
    return next(m.weight for m in agent.config.queues if m.queue_id == queue_id)


def reservation_receipt(
    state: State,
    lane: Lane,
    entry: EntryRow,
    winner: AgentId,
    *,
    heads: list[Head],
    waker: Waker,
    now_ms: int,
) -> Receipt:
    """Why `winner` is reserved for a contact; `heads` are what the winner could take instead."""
    agent = state.agents[winner]
    spared = _spared(lane, entry, winner)
    free = (found for found in lane.candidates(entry) if found.agent_id not in spared)
    rivals = [head for head in heads if head.entry is not entry][:RECEIPT_LISTED]
    candidates = len(lane.free) - len(spared)
    return Receipt(
        seq=state.seq,
        at_ms=now_ms,
        entry_id=entry.contact.entry_id,
        queue_id=entry.contact.queue_id,
        winner=winner,
        waker=waker,
        plan_step=entry.step,
        expr=entry.expr,
        strategies=lane.strategies,
        score=score(entry, lane.scoring, now_ms),
        weight=_weight(agent, entry),
        candidates=tuple(islice(free, RECEIPT_LISTED)),
        candidate_count=candidates,
        exclusions=tuple(islice(_excluded(state, lane, spared), RECEIPT_LISTED)),
        excluded_count=len(state.lanes.rosters[lane.key.queue_id]) - candidates,
        qualified_count=len(lane.qualified),
        rivals=tuple(_rival(head) for head in rivals),
        deadline_ms=now_ms + state.defaults.delivery_ms,
        step_until_ms=entry.step_until_ms,
        timeout_at_ms=entry.timeout_at_ms,
    )


def explanation(state: State, entry: EntryRow, now_ms: int) -> Receipt:
    """Why nobody is reserved for a contact now, agent by agent."""
    contact = entry.contact
    config = state.queues[contact.queue_id].config
    found: list[Candidate] = []
    qualified: list[ExcludedAgent] = []
    unqualified: list[ExcludedAgent] = []
    for agent_id in state.lanes.rosters.get(contact.queue_id, ()):
        agent = state.agents[agent_id]
        reason = _why_not(state, agent, entry)
        if reason is None:
            found.append(Candidate(agent_id, _values(agent, entry, config)))
        elif reason is Exclusion.LACKS_SKILL:
            unqualified.append(ExcludedAgent(agent_id, reason))
        else:
            qualified.append(ExcludedAgent(agent_id, reason))
    found.sort(key=lambda candidate: (candidate.values, candidate.agent_id))
    return Receipt(
        seq=state.seq,
        at_ms=now_ms,
        entry_id=contact.entry_id,
        queue_id=contact.queue_id,
        winner=None,
        waker=Waker.CONTACT,
        plan_step=entry.step,
        expr=entry.expr,
        strategies=config.strategies,
        score=score(entry, config.scoring, now_ms),
        weight=0,
        candidates=tuple(found[:EXPLAIN_LISTED]),
        candidate_count=len(found),
        exclusions=tuple((qualified + unqualified)[:EXPLAIN_LISTED]),
        excluded_count=len(qualified) + len(unqualified),
        qualified_count=len(found) + len(qualified),
        rivals=(),
        deadline_ms=None,
        step_until_ms=entry.step_until_ms,
        timeout_at_ms=entry.timeout_at_ms,
        blocked=_blocked(entry),
    )


def _spared(lane: Lane, entry: EntryRow, winner: AgentId) -> dict[AgentId, Exclusion]:
    """Free and qualified agents whom this contact passes over."""
    spared = {
        pair.agent_id: Exclusion.PAIR_EXCLUDED
        for pair in entry.exclusions
        if pair.agent_id in lane.free_key
    }
    last = entry.last_agent
    if last is not None and last != winner and last in lane.free_key:
        spared.setdefault(last, Exclusion.LAST_RUNG)
    return spared


def _excluded(
    state: State, lane: Lane, spared: dict[AgentId, Exclusion]
) -> Iterator[ExcludedAgent]:
    for agent_id in lane.qualified[:RECEIPT_WALK]:
        reason = spared.get(agent_id)
        if reason is None and agent_id not in lane.free_key:
            reason = exclusion(state.agents[agent_id], lane.key.channel, state.defaults)
        if reason is not None:
            yield ExcludedAgent(agent_id, reason)


def _rival(head: Head) -> Rival:
    contact = head.entry.contact
    return Rival(contact.entry_id, contact.queue_id, -head.order[0])


def _why_not(state: State, agent: AgentRow, entry: EntryRow) -> Exclusion | None:
    if not satisfies(agent.config, entry.expr):
        return Exclusion.LACKS_SKILL
    reason = exclusion(agent, entry.contact.channel, state.defaults)
    if reason is None and kept_apart(entry, agent.config.agent_id):
        return Exclusion.PAIR_EXCLUDED
    return reason


def _values(agent: AgentRow, entry: EntryRow, config: QueueConfig) -> tuple[int, ...]:
    return tuple(
        draw(entry, agent.config.agent_id)
        if name == Strategy.RANDOM
        else COMPARATORS[name](agent, config.queue_id, entry.expr)
        for name in config.strategies
    )


def _blocked(entry: EntryRow) -> str:
    if entry.reservation_id is not None:
        return "reserved"
    return "detached" if entry.detached_until_ms is not None else ""
