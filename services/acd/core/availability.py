"""What is derived from an agent's axes: condition, routability, the word of the interval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from services.acd.model import (
    AgentCondition,
    AgentRow,
    AgentState,
    Channel,
    Exclusion,
    Link,
    Presence,
    TenantDefaults,
    Work,
)

RONA: Final = "rona"
"""The break of an agent whom the ACD took out of service for not answering."""

WHY: Final[Mapping[Exclusion, str]] = MappingProxyType(
    {
        Exclusion.LACKS_SKILL: "does not have what the contact asks for",
        Exclusion.SIGNED_OUT: "is signed out",
        Exclusion.ON_BREAK: "is on a break",
        Exclusion.RONA: "was taken out of service for not answering; ready again ends this",
        Exclusion.PRESENCE_PENDING: "takes a break or leaves after the present work",
        Exclusion.UNREACHABLE: "cannot be reached: no connection to the agent's endpoint",
        Exclusion.OTHER_LEG: "is on a call that did not come from a queue",
        Exclusion.CHANNEL_BLOCKED: "is busy on another channel",
        Exclusion.AT_CAPACITY: "has as much work as allowed at once",
        Exclusion.RESTING: "pauses for a moment after a call that was not answered",
        Exclusion.PAIR_EXCLUDED: "is spared this contact for a while",
        Exclusion.LAST_RUNG: "was rung last for this contact, and another agent is free",
    }
)
"""Exclusions in plain words, to follow an agent's name."""

_WORDS: Final = (
    (Work.TALKING, AgentState.TALKING),
    (Work.HOLDING, AgentState.HOLDING),
    (Work.RINGING, AgentState.RINGING),
    (Work.RESERVED, AgentState.RESERVED),
    (Work.WRAP_UP, AgentState.WRAP_UP),
)


def unavailable(agent: AgentRow) -> Exclusion | None:
    """Why an agent can be reserved on no channel at all, capacity apart."""
    if agent.presence is Presence.SIGNED_OUT:
        return Exclusion.SIGNED_OUT
    if agent.presence is Presence.BREAK:
        return Exclusion.RONA if agent.presence_reason == RONA else Exclusion.ON_BREAK
    if agent.pending is not None:
        return Exclusion.PRESENCE_PENDING
    if agent.link is not Link.REACHABLE:
        return Exclusion.UNREACHABLE
    if agent.legs:
        return Exclusion.OTHER_LEG
    return None


def exclusion(agent: AgentRow, channel: Channel, defaults: TenantDefaults) -> Exclusion | None:
    """Why an agent can not be reserved on `channel`; None: routable there."""
    reason = unavailable(agent)
    if reason is not None:
        return reason
    if agent.work:
        busy = [held.channel for held in agent.work]
        if any(channel in block.blocks and block.channel in busy for block in defaults.blocks):
            return Exclusion.CHANNEL_BLOCKED
    else:
        busy = []
    for capacity in agent.config.capacities:
        if capacity.channel is channel and busy.count(channel) < capacity.limit:
            break
    else:
        return Exclusion.AT_CAPACITY
    if agent.resting_until_ms is not None:
        return Exclusion.RESTING
    return None


def routable_channels(agent: AgentRow, defaults: TenantDefaults) -> tuple[Channel, ...]:
    """The channels on which an agent could be reserved now."""
    if unavailable(agent) is not None or agent.resting_until_ms is not None:
        return ()
    capacities = agent.config.capacities
    if not agent.work:
        return tuple(c.channel for c in capacities if c.limit)
    return tuple(c.channel for c in capacities if exclusion(agent, c.channel, defaults) is None)


def condition(agent: AgentRow) -> AgentCondition:
    """How an agent counts for the staffing of queues; a doubtful link still counts as there."""
    if agent.work or agent.legs:
        return AgentCondition.WORKING
    if agent.presence is Presence.SIGNED_OUT:
        return AgentCondition.SIGNED_OUT
    if agent.presence is Presence.BREAK:
        return AgentCondition.ON_BREAK
    if agent.link is Link.UNREACHABLE:
        return AgentCondition.UNREACHABLE
    return AgentCondition.READY


def state_word(agent: AgentRow, works: Iterable[Work]) -> tuple[AgentState, str]:
    """The word of an agent's interval and, of a break, its reason."""
    if agent.work or agent.legs:
        present = {Work.TALKING, *works} if agent.legs else set(works)
        return next(word for work, word in _WORDS if work in present), ""
    if agent.presence is Presence.SIGNED_OUT:
        return AgentState.SIGNED_OUT, ""
    if agent.presence is Presence.BREAK:
        return AgentState.BREAK, agent.presence_reason
    if agent.link is Link.UNREACHABLE:
        return AgentState.UNREACHABLE, ""
    return AgentState.READY, ""
