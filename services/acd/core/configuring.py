"""Commands about configuration: live, and without loss of runtime state."""

from __future__ import annotations

from services.acd.core.admission import check_agent, check_defaults, check_queue, check_text
from services.acd.core.draft import Draft
from services.acd.core.intervals import BY_RULE, change_presence, close_interval
from services.acd.core.leaving import let_all_go
from services.acd.core.limits import MESSAGE
from services.acd.model import (
    AgentAtWorkError,
    AgentPut,
    AgentRemoved,
    EmergencySet,
    Exit,
    Presence,
    PutAgent,
    PutQueue,
    QueueNotEmptyError,
    QueuePut,
    QueueRemoved,
    RemoveAgent,
    RemoveQueue,
    SetEmergency,
    SetTenantDefaults,
    TenantDefaultsSet,
)


def set_tenant_defaults(draft: Draft, command: SetTenantDefaults) -> None:
    """New defaults; running leases and wrap-ups keep theirs."""
    check_defaults(command.defaults)
    if command.defaults != draft.state.defaults:
        draft.emit(TenantDefaultsSet(defaults=command.defaults, at_ms=draft.now_ms))


def put_queue(draft: Draft, command: PutQueue) -> None:
    """A queue, new or edited; contacts in it keep their plans and deadlines."""
    check_queue(command.queue)
    known = draft.state.queues.get(command.queue.queue_id)
    if known is None or known.config != command.queue:
        draft.emit(QueuePut(queue=command.queue, at_ms=draft.now_ms))


def remove_queue(draft: Draft, command: RemoveQueue) -> None:
    """A queue goes once nobody is in it."""
    draft.state.queue(command.queue_id)
    if draft.state.in_queue.get(command.queue_id):
        raise QueueNotEmptyError(command.queue_id)
    draft.emit(QueueRemoved(queue_id=command.queue_id, at_ms=draft.now_ms))


def set_emergency(draft: Draft, command: SetEmergency) -> None:
    """A queue is closed at once, or opens again."""
    check_text("a message", command.message, MESSAGE)
    row = draft.state.queue(command.queue_id)
    message = command.message if command.active else ""
    if (row.emergency, row.emergency_message) != (command.active, message):
        event = EmergencySet(
            queue_id=command.queue_id,
            active=command.active,
            message=message,
            at_ms=draft.now_ms,
        )
        draft.emit(event)
    if command.active and command.release_waiting:
        let_all_go(draft, command.queue_id, Exit.CLOSED, reason="emergency")


def put_agent(draft: Draft, command: PutAgent) -> None:
    """An agent, new or edited; present work goes on."""
    check_agent(command.agent)
    known = draft.state.agents.get(command.agent.agent_id)
    if known is None or known.config != command.agent:
        draft.emit(AgentPut(agent=command.agent, at_ms=draft.now_ms))


def remove_agent(draft: Draft, command: RemoveAgent) -> None:
    """An agent without work goes, signed out so that the last interval has an end."""
    row = draft.state.agent(command.agent_id)
    if row.work or row.legs:
        raise AgentAtWorkError(command.agent_id)
    if row.presence is not Presence.SIGNED_OUT:
        change_presence(draft, row, Presence.SIGNED_OUT, reason="", by=BY_RULE)
        close_interval(draft, draft.state.agents[command.agent_id])
    draft.emit(AgentRemoved(agent_id=command.agent_id, at_ms=draft.now_ms))
