"""Why an agent was reserved for a contact, or why nobody is."""

from __future__ import annotations

from dataclasses import dataclass

from services.acd.model.configuration import SkillExpr
from services.acd.model.words import AgentId, EntryId, Exclusion, QueueId, Waker


@dataclass(frozen=True, slots=True)
class Candidate:
    """An agent who could be reserved."""

    agent_id: AgentId
    """The agent."""
    values: tuple[int, ...]
    """What each of the queue's strategies says, in order; smaller is sooner."""


@dataclass(frozen=True, slots=True)
class ExcludedAgent:
    """An agent of the queue who could not be reserved."""

    agent_id: AgentId
    """The agent."""
    reason: Exclusion
    """The first reason that holds."""


@dataclass(frozen=True, slots=True)
class Rival:
    """Another waiting contact that the agent could have taken."""

    entry_id: EntryId
    """Its stay."""
    queue_id: QueueId
    """Its queue."""
    score: int
    """Its score for this agent, the queue's weight included."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """One decision, with what it rested on.

    A reservation's receipt lists at most 5 candidates, best first; at most 5 exclusions, found
    among the first 10 qualified agents by id; and at most 5 rivals. An explanation lists up to 50
    candidates and up to 50 exclusions, the qualified first. The counts are always complete.
    """

    seq: int
    """Events applied before this decision: the state that it was made on."""
    at_ms: int
    """UTC ms of the decision."""
    entry_id: EntryId
    """The contact's stay."""
    queue_id: QueueId
    """Its queue."""
    winner: AgentId | None
    """Who was reserved; None: an explanation of why nobody is."""
    waker: Waker
    """Which side's change led to it."""
    plan_step: int
    """Step of the contact's plan, from 0; the number of steps when the plan has ended."""
    expr: SkillExpr
    """Whom the contact accepts now, earlier steps included."""
    strategies: tuple[str, ...]
    """The comparators, most important first."""
    score: int
    """The contact's score in its queue."""
    weight: int
    """The winner's weight for the queue; 0 without a winner."""
    candidates: tuple[Candidate, ...]
    """Who could be reserved, best first."""
    candidate_count: int
    """All of them."""
    exclusions: tuple[ExcludedAgent, ...]
    """Who could not."""
    excluded_count: int
    """All others of the queue."""
    qualified_count: int
    """Agents of the queue whom the contact accepts, free or not."""
    rivals: tuple[Rival, ...]
    """Other contacts that the winner could have taken, best first: the first of each demand."""
    deadline_ms: int | None
    """UTC ms by which the endpoint must confirm that it rings."""
    step_until_ms: int | None
    """UTC ms at which the plan's step ends."""
    timeout_at_ms: int | None
    """UTC ms at which the contact leaves as `timeout`."""
    blocked: str = ""
    """Why no agent at all can be reserved now (detached, reserved); empty: nothing blocks."""
