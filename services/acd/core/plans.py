"""Where a contact stands in its plan, and whom it accepts there."""

from __future__ import annotations

from typing import NamedTuple

from services.acd.core.skills import relaxed, satisfies
from services.acd.core.state import State
from services.acd.model import (
    ANY_AGENT,
    AgentRow,
    EntryRow,
    Link,
    Plan,
    PlanEnd,
    PlanStep,
    Presence,
    QueueId,
    SkillExpr,
    SkipIf,
)


class Place(NamedTuple):
    """A place in a plan."""

    step: int
    """The step; the number of steps when the plan has ended."""
    expr: SkillExpr
    """Whom the contact accepts."""
    until_ms: int | None
    """When the place is left; None: never."""
    overflows: bool = False
    """True: the contact leaves for another queue."""


def first_place(state: State, plan: Plan, queue_id: QueueId, now_ms: int) -> Place:
    """Where a contact begins."""
    return _enter(state, plan, queue_id, now_ms, step=0, before=None)


def next_place(state: State, entry: EntryRow, now_ms: int) -> Place:
    """Where a contact goes when its step ends."""
    plan, queue_id = entry.contact.plan, entry.contact.queue_id
    before = Place(entry.step, entry.expr, None)
    return _enter(state, plan, queue_id, now_ms, step=entry.step + 1, before=before)


def _enter(
    state: State, plan: Plan, queue_id: QueueId, now_ms: int, *, step: int, before: Place | None
) -> Place:
    for i in range(step, len(plan.steps)):
        if not _skipped(state, plan.steps[i], queue_id):
            return _place(plan, i, before, now_ms)
    if plan.end is PlanEnd.ANY:
        return Place(len(plan.steps), ANY_AGENT, None)
    if plan.end is PlanEnd.OVERFLOW:
        expr = ANY_AGENT if before is None else before.expr
        return Place(len(plan.steps), expr, None, overflows=True)
    if before is not None:
        return before
    # every step would be passed over: the last one holds all the same
    return _place(plan, len(plan.steps) - 1, None, now_ms)


def _place(plan: Plan, step: int, before: Place | None, now_ms: int) -> Place:
    rule = plan.steps[step]
    earlier = None if before is None or rule.replaces else before.expr
    stays = plan.end is PlanEnd.STAY and step == len(plan.steps) - 1
    until_ms = None if stays else now_ms + 1_000 * rule.for_s
    return Place(step, relaxed(earlier, rule.expr), until_ms)


def _skipped(state: State, step: PlanStep, queue_id: QueueId) -> bool:
    if step.skip_if is SkipIf.NEVER:
        return False
    counts = _signed_in if step.skip_if is SkipIf.NOBODY_SIGNED_IN else _ready
    agents = (state.agents[agent_id] for agent_id in state.lanes.rosters.get(queue_id, ()))
    return not any(counts(agent) and satisfies(agent.config, step.expr) for agent in agents)


def _signed_in(agent: AgentRow) -> bool:
    return agent.presence is not Presence.SIGNED_OUT


def _ready(agent: AgentRow) -> bool:
    return agent.presence is Presence.READY and agent.link is Link.REACHABLE
