"""Commands that give many agents queues or skills in one step: all of them, or nobody.

Present work goes on: an agent who leaves a queue in the middle of its contact finishes it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from services.acd.core.admission import check_agent, check_listed
from services.acd.core.draft import Draft
from services.acd.core.evolve import evolve
from services.acd.core.limits import AGENT_QUEUES, AGENTS_AT_ONCE, MEMBERSHIPS_AT_ONCE
from services.acd.core.state import State
from services.acd.model import (
    AgentConfig,
    AgentId,
    AgentPut,
    InvalidConfigurationError,
    Memberships,
    MoveAgents,
    QueueId,
    QueueMembership,
    SetMemberships,
    SetSkills,
)


def move_agents(draft: Draft, command: MoveAgents) -> None:
    """Agents leave the queues named and join the others; the rest of theirs stays as it is."""
    state, leaves = draft.state, command.from_queue_ids
    joins = {membership.queue_id: membership for membership in command.to}
    check_listed("agent", command.agent_ids, 1, AGENTS_AT_ONCE)
    check_listed("queue", [*leaves, *(m.queue_id for m in command.to)], 0, 2 * AGENT_QUEUES)
    configs = [state.agent(agent_id).config for agent_id in command.agent_ids]
    _check_queues(state, joins, known=())
    # A queue that is gone may still be left by those who served it.
    _check_queues(state, leaves, known=_served(configs))
    _put(draft, configs, [_moved(config, leaves, joins) for config in configs])


def set_memberships(draft: Draft, command: SetMemberships) -> None:
    """Agents serve exactly these queues."""
    check_listed("agent", [each.agent_id for each in command.agents], 1, AGENTS_AT_ONCE)
    configs = [draft.state.agent(each.agent_id).config for each in command.agents]
    for config, wanted in zip(configs, command.agents, strict=True):
        named = {membership.queue_id: None for membership in wanted.queues}
        _check_queues(draft.state, named, known=_served([config]))
    wanted_queues = [each.queues for each in command.agents]
    _put(draft, configs, map(_with_queues, configs, wanted_queues))


def set_skills(draft: Draft, command: SetSkills) -> None:
    """Agents can do exactly this."""
    check_listed("agent", [each.agent_id for each in command.agents], 1, AGENTS_AT_ONCE)
    configs = [draft.state.agent(each.agent_id).config for each in command.agents]
    edited = [
        evolve(config, skills=each.skills)
        for config, each in zip(configs, command.agents, strict=True)
    ]
    _put(draft, configs, edited)


def memberships(state: State, agent_ids: Iterable[AgentId]) -> tuple[Memberships, ...]:
    """The queues of agents, in the order asked for; NoSuchAgentError."""
    return tuple(Memberships(each, state.agent(each).config.queues) for each in agent_ids)


def _put(draft: Draft, before: list[AgentConfig], after: Iterable[AgentConfig]) -> None:
    after = list(after)
    if sum(len(config.queues) for config in (*before, *after)) > MEMBERSHIPS_AT_ONCE:
        raise InvalidConfigurationError(
            f"more than {MEMBERSHIPS_AT_ONCE} memberships before and after; name fewer agents"
        )
    for config in after:
        check_agent(config)
    for known, edited in zip(before, after, strict=True):
        if edited != known:
            draft.emit(AgentPut(agent=edited, at_ms=draft.now_ms))


def _moved(
    config: AgentConfig,
    leaves: Collection[QueueId],
    joins: Mapping[QueueId, QueueMembership],
) -> AgentConfig:
    kept = [joins.get(m.queue_id, m) for m in config.queues if m.queue_id not in leaves]
    served = {membership.queue_id for membership in kept}
    return _with_queues(config, (*kept, *(joins[q] for q in joins if q not in served)))


def _with_queues(config: AgentConfig, queues: tuple[QueueMembership, ...]) -> AgentConfig:
    return evolve(config, queues=queues)


def _served(configs: Iterable[AgentConfig]) -> frozenset[QueueId]:
    return frozenset(m.queue_id for config in configs for m in config.queues)


def _check_queues(state: State, named: Iterable[QueueId], *, known: Collection[QueueId]) -> None:
    for queue_id in named:
        if queue_id not in known:
            state.queue(queue_id)
