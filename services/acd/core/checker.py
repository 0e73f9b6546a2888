"""An independent judge of receipts: everything again, by brute force, from a snapshot alone.

It shares data and limits with the rest of the core, and no code: two mistakes would have to agree.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from services.acd.core.limits import EXPLAIN_LISTED, RECEIPT_LISTED, RECEIPT_WALK
from services.acd.model import (
    AgentRow,
    Candidate,
    Channel,
    EntryRow,
    ExcludedAgent,
    Exclusion,
    ExprKind,
    Link,
    Presence,
    QueueConfig,
    QueueId,
    Receipt,
    Rival,
    SkillExpr,
    Snapshot,
)


@dataclass(frozen=True, slots=True)
class Judged:
    """All agents of a contact's queue, judged."""

    candidates: tuple[Candidate, ...]
    """Who could be reserved, best first."""
    excluded: tuple[ExcludedAgent, ...]
    """Who could not, by id."""


def check(snapshot: Snapshot, receipt: Receipt) -> tuple[str, ...]:
    """What is wrong with a receipt about the state in `snapshot`; empty: nothing."""
    entry = next((e for e in snapshot.entries if e.contact.entry_id == receipt.entry_id), None)
    if entry is None:
        return ("the contact is not in a queue",)
    config = _config(snapshot, entry.contact.queue_id)
    judged = judge(snapshot, entry, spare_last=receipt.winner is not None)
    wanted: list[tuple[str, object, object]] = [
        ("seq", receipt.seq, snapshot.seq),
        ("queue", receipt.queue_id, entry.contact.queue_id),
        ("plan step", receipt.plan_step, entry.step),
        ("expression", receipt.expr, entry.expr),
        ("strategies", receipt.strategies, config.strategies),
        ("score", receipt.score, points(snapshot, entry, receipt.at_ms)),
        ("step end", receipt.step_until_ms, entry.step_until_ms),
        ("timeout", receipt.timeout_at_ms, entry.timeout_at_ms),
        ("candidate count", receipt.candidate_count, len(judged.candidates)),
        ("excluded count", receipt.excluded_count, len(judged.excluded)),
        ("qualified count", receipt.qualified_count, _qualified_count(judged)),
    ]
    if receipt.winner is None:
        wanted += _explained(receipt, judged)
    else:
        wanted += _reserved(snapshot, receipt, entry, judged)
    return tuple(
        f"{what}: {said!r} instead of {is_!r}" for what, said, is_ in wanted if said != is_
    )


def judge(snapshot: Snapshot, entry: EntryRow, *, spare_last: bool) -> Judged:
    """Every agent of the contact's queue, by brute force."""
    queue_id = entry.contact.queue_id
    found: list[Candidate] = []
    excluded: dict[str, ExcludedAgent] = {}
    for agent in snapshot.agents:
        if all(m.queue_id != queue_id for m in agent.config.queues):
            continue
        agent_id = agent.config.agent_id
        reason = why_not(snapshot, agent, entry)
        if reason is None:
            found.append(Candidate(agent_id, _values(snapshot, agent, entry)))
        else:
            excluded[agent_id] = ExcludedAgent(agent_id, reason)
    last = entry.last_agent
    if spare_last and last is not None and len(found) > 1:
        spared = [c for c in found if c.agent_id != last]
        if len(spared) < len(found):
            excluded[last] = ExcludedAgent(last, Exclusion.LAST_RUNG)
            found = spared
    found.sort(key=lambda candidate: (candidate.values, candidate.agent_id))
    return Judged(tuple(found), tuple(excluded[key] for key in sorted(excluded)))


def why_not(snapshot: Snapshot, agent: AgentRow, entry: EntryRow) -> Exclusion | None:
    """The first reason why an agent cannot be reserved for a contact."""
    channel = entry.contact.channel
    loads = {c: sum(w.channel is c for w in agent.work) for c in Channel}
    limit = sum(c.limit for c in agent.config.capacities if c.channel is channel)
    blocked = any(
        loads[block.channel] and channel in block.blocks for block in snapshot.defaults.blocks
    )
    on_break = agent.presence is Presence.BREAK
    reasons = (
        (Exclusion.LACKS_SKILL, not meets(agent, entry.expr)),
        (Exclusion.SIGNED_OUT, agent.presence is Presence.SIGNED_OUT),
        (Exclusion.RONA, on_break and agent.presence_reason == "rona"),
        (Exclusion.ON_BREAK, on_break),
        (Exclusion.PRESENCE_PENDING, agent.pending is not None),
        (Exclusion.UNREACHABLE, agent.link is not Link.REACHABLE),
        (Exclusion.OTHER_LEG, bool(agent.legs)),
        (Exclusion.CHANNEL_BLOCKED, blocked),
        (Exclusion.AT_CAPACITY, loads[channel] >= limit),
        (Exclusion.RESTING, agent.resting_until_ms is not None),
        (Exclusion.PAIR_EXCLUDED, agent.config.agent_id in {p.agent_id for p in entry.exclusions}),
    )
    return next((reason for reason, holds in reasons if holds), None)


def meets(agent: AgentRow, expr: SkillExpr) -> bool:
    """Whether an agent meets an expression."""
    levels = {skill.name: skill.level for skill in agent.config.skills}
    if expr.kind is ExprKind.SKILL:
        has = levels.get(expr.name, 0)
        relation = {"eq": has == expr.level, "ne": has != expr.level, "lt": has < expr.level}
        relation |= {"le": has <= expr.level, "gt": has > expr.level, "ge": has >= expr.level}
        return has != 0 and relation[expr.comparison]
    if expr.kind is ExprKind.ATTRIBUTE:
        has_value = (expr.name, expr.value) in {(a.name, a.value) for a in agent.config.attributes}
        return has_value if expr.comparison == "eq" else not has_value
    parts = [meets(agent, part) for part in expr.of]
    return {
        ExprKind.ANY: True,
        ExprKind.AGENT: agent.config.agent_id == expr.value,
        ExprKind.AND: False not in parts,
        ExprKind.OR: True in parts,
        ExprKind.NOT: parts[:1] == [False],
    }[expr.kind]


def points(snapshot: Snapshot, entry: EntryRow, now_ms: int) -> int:
    """A contact's score."""
    rule = _config(snapshot, entry.contact.queue_id).scoring
    waited_ms = now_ms - entry.contact.waiting_since_ms
    capped_ms = min(waited_ms, rule.wait_cap_ms)
    return entry.credits + entry.priority * rule.priority_weight + capped_ms * rule.accel


def matchable(snapshot: Snapshot) -> Iterator[tuple[EntryRow, AgentRow]]:
    """Every waiting contact with an agent who could take it: there must be none."""
    for entry in snapshot.entries:
        if entry.reservation_id is None and entry.detached_until_ms is None:
            free = {c.agent_id for c in judge(snapshot, entry, spare_last=False).candidates}
            yield from ((entry, a) for a in snapshot.agents if a.config.agent_id in free)


def _reserved(
    snapshot: Snapshot, receipt: Receipt, entry: EntryRow, judged: Judged
) -> list[tuple[str, object, object]]:
    winner = next(a for a in snapshot.agents if a.config.agent_id == receipt.winner)
    weights = {m.queue_id: m.weight for m in winner.config.queues}
    rivals = _rivals(snapshot, receipt, winner)
    mine = (-receipt.score * receipt.weight, entry.contact.enqueued_at_ms, receipt.entry_id)
    overtaken = len(set(weights.values())) == 1 and bool(rivals) and rivals[0] < mine
    best = judged.candidates[0].agent_id if judged.candidates else None
    return [
        ("winner", receipt.winner, best),
        ("weight", receipt.weight, weights[receipt.queue_id]),
        ("reserved before", entry.reservation_id, None),
        ("detached", entry.detached_until_ms, None),
        ("candidates", receipt.candidates, judged.candidates[:RECEIPT_LISTED]),
        ("exclusions", receipt.exclusions, _first_qualified(judged)),
        ("rivals", receipt.rivals, tuple(_shown(snapshot, r) for r in rivals[:RECEIPT_LISTED])),
        ("a better contact waits", overtaken, False),
        ("delivery", receipt.deadline_ms, receipt.at_ms + snapshot.defaults.delivery_ms),
        ("blocked", receipt.blocked, ""),
    ]


def _explained(receipt: Receipt, judged: Judged) -> list[tuple[str, object, object]]:
    ordered = sorted(judged.excluded, key=lambda e: e.reason is Exclusion.LACKS_SKILL)
    return [
        ("candidates", receipt.candidates, judged.candidates[:EXPLAIN_LISTED]),
        ("exclusions", receipt.exclusions, tuple(ordered[:EXPLAIN_LISTED])),
    ]


def _first_qualified(judged: Judged) -> tuple[ExcludedAgent, ...]:
    reasons = {e.agent_id: e for e in judged.excluded if e.reason is not Exclusion.LACKS_SKILL}
    looked_at = sorted([*reasons, *(c.agent_id for c in judged.candidates)])[:RECEIPT_WALK]
    return tuple(reasons[agent_id] for agent_id in looked_at if agent_id in reasons)[
        :RECEIPT_LISTED
    ]


def _qualified_count(judged: Judged) -> int:
    unqualified = sum(e.reason is Exclusion.LACKS_SKILL for e in judged.excluded)
    return len(judged.candidates) + len(judged.excluded) - unqualified


def _rivals(snapshot: Snapshot, receipt: Receipt, winner: AgentRow) -> list[tuple[int, int, str]]:
    weights = {m.queue_id: m.weight for m in winner.config.queues}
    heads: dict[tuple[object, ...], tuple[int, int, str]] = {}
    for entry in snapshot.entries:
        contact = entry.contact
        waits = entry.reservation_id is None and entry.detached_until_ms is None
        if not waits or contact.queue_id not in weights or why_not(snapshot, winner, entry):
            continue
        score = points(snapshot, entry, receipt.at_ms) * weights[contact.queue_id]
        order = (-score, contact.enqueued_at_ms, contact.entry_id)
        demand = (contact.queue_id, contact.channel, entry.expr)
        heads[demand] = min(order, heads.get(demand, order))
    return sorted(order for order in heads.values() if order[2] != receipt.entry_id)


def _shown(snapshot: Snapshot, order: tuple[int, int, str]) -> Rival:
    contact = next(e.contact for e in snapshot.entries if e.contact.entry_id == order[2])
    return Rival(contact.entry_id, contact.queue_id, -order[0])


def _values(snapshot: Snapshot, agent: AgentRow, entry: EntryRow) -> tuple[int, ...]:
    config = _config(snapshot, entry.contact.queue_id)
    return tuple(_value(name, agent, entry) for name in config.strategies)


def _value(strategy: str, agent: AgentRow, entry: EntryRow) -> int:
    queue_id, agent_id = entry.contact.queue_id, agent.config.agent_id
    lot = f"{entry.contact.seed}:{entry.attempts}:{agent_id}".encode()
    return {
        "longest_idle": agent.idle_since_ms,
        "most_skilled": -_skill(agent, entry.expr),
        "least_talk_time": agent.talk_ms,
        "fewest_contacts": agent.contacts,
        "round_robin": max((t.turn for t in agent.turns if t.queue_id == queue_id), default=0),
        "top_down": sum(m.position for m in agent.config.queues if m.queue_id == queue_id),
        "least_flexible": len(agent.config.queues),
        "random": zlib.crc32(lot),
    }[strategy]


def _skill(agent: AgentRow, expr: SkillExpr) -> int:
    if expr.kind is ExprKind.SKILL:
        return sum(s.level for s in agent.config.skills if s.name == expr.name)
    if expr.kind is ExprKind.AND:
        return sum(_skill(agent, part) for part in expr.of)
    if expr.kind is ExprKind.OR:
        return max((_skill(agent, part) for part in expr.of if meets(agent, part)), default=0)
    return 0


def _config(snapshot: Snapshot, queue_id: QueueId) -> QueueConfig:
    return next(q.config for q in snapshot.queues if q.config.queue_id == queue_id)
