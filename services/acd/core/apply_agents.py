"""How events about configuration and agents change rows."""

from __future__ import annotations

from services.acd.core.evolve import evolve
from services.acd.core.state import State
from services.acd.model import (
    AgentLegEnded,
    AgentLegStarted,
    AgentPut,
    AgentRemoved,
    AgentRested,
    AgentRow,
    AgentStateChanged,
    EmergencySet,
    LinkChanged,
    Presence,
    PresenceChanged,
    PresencePended,
    QueuePut,
    QueueRemoved,
    QueueRow,
    QueueTally,
    TenantDefaultsSet,
)


def tenant_defaults_set(state: State, event: TenantDefaultsSet) -> None:
    """The tenant's defaults."""
    state.put_defaults(event.defaults)


def queue_put(state: State, event: QueuePut) -> None:
    """A queue's rules; its counts and switches stay."""
    queue_id = event.queue.queue_id
    known = state.queues.get(queue_id)
    if known is None:
        state.put_tally(queue_id, QueueTally(queue_id=queue_id))
        state.put_queue(queue_id, QueueRow(config=event.queue))
    else:
        state.put_queue(queue_id, evolve(known, config=event.queue))


def queue_removed(state: State, event: QueueRemoved) -> None:
    """A queue with its counts."""
    state.put_queue(event.queue_id, None)
    state.put_tally(event.queue_id, None)


def emergency_set(state: State, event: EmergencySet) -> None:
    """A queue's switch."""
    row = state.queues[event.queue_id]
    state.put_queue(
        event.queue_id, evolve(row, emergency=event.active, emergency_message=event.message)
    )


def agent_put(state: State, event: AgentPut) -> None:
    """An agent's configuration; axes, work and counters stay."""
    agent_id = event.agent.agent_id
    known = state.agents.get(agent_id)
    if known is None:
        row = AgentRow(config=event.agent, idle_since_ms=event.at_ms, since_ms=event.at_ms)
    else:
        row = evolve(known, config=event.agent)
    state.put_agent(agent_id, row)


def agent_removed(state: State, event: AgentRemoved) -> None:
    """An agent."""
    state.put_agent(event.agent_id, None)


def presence_changed(state: State, event: PresenceChanged) -> None:
    """An agent's intent; whatever was pending is over."""
    row = state.agents[event.agent_id]
    ready = event.presence is Presence.READY
    row = evolve(
        row,
        presence=event.presence,
        presence_reason=event.reason,
        pending=None,
        pending_reason="",
        pending_by="",
        idle_since_ms=event.idle_since_ms,
        talk_ms=0 if event.signed_in else row.talk_ms,
        contacts=0 if event.signed_in else row.contacts,
        strikes_at_ms=() if ready else row.strikes_at_ms,
        resting_until_ms=None if ready else row.resting_until_ms,
    )
    state.put_agent(event.agent_id, row)


def presence_pended(state: State, event: PresencePended) -> None:
    """What holds after present work."""
    row = state.agents[event.agent_id]
    state.put_agent(
        event.agent_id,
        evolve(row, pending=event.presence, pending_reason=event.reason, pending_by=event.by),
    )


def link_changed(state: State, event: LinkChanged) -> None:
    """An agent's link."""
    state.put_agent(
        event.agent_id,
        evolve(state.agents[event.agent_id], link=event.link, link_valid_ms=event.valid_ms),
    )


def agent_leg_started(state: State, event: AgentLegStarted) -> None:
    """A leg outside the ACD."""
    row = state.agents[event.agent_id]
    state.put_agent(event.agent_id, evolve(row, legs=(*row.legs, event.leg_id)))


def agent_leg_ended(state: State, event: AgentLegEnded) -> None:
    """Such a leg is gone."""
    row = state.agents[event.agent_id]
    legs = tuple(leg for leg in row.legs if leg != event.leg_id)
    state.put_agent(event.agent_id, evolve(row, legs=legs))


def agent_rested(state: State, event: AgentRested) -> None:
    """An agent's pause."""
    row = state.agents[event.agent_id]
    state.put_agent(event.agent_id, evolve(row, resting_until_ms=None))


def agent_state_changed(state: State, event: AgentStateChanged) -> None:
    """The agent's open interval."""
    row = evolve(
        state.agents[event.agent_id],
        state=event.state,
        state_reason=event.reason,
        since_ms=event.at_ms,
        version=event.version,
    )
    state.put_interval(row)
