"""The strategies: each turns an agent into an integer, and the smallest is reserved first."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from services.acd.core.skills import proficiency
from services.acd.model import (
    AgentId,
    AgentRow,
    EntryRow,
    QueueId,
    SkillExpr,
    Strategy,
    UnknownStrategyError,
)

Comparator = Callable[[AgentRow, QueueId, SkillExpr], int]


def _longest_idle(agent: AgentRow, _queue: QueueId, _expr: SkillExpr) -> int:
    return agent.idle_since_ms


def _most_skilled(agent: AgentRow, _queue: QueueId, expr: SkillExpr) -> int:
    return -proficiency(agent.config, expr)


def _least_talk_time(agent: AgentRow, _queue: QueueId, _expr: SkillExpr) -> int:
    return agent.talk_ms


def _fewest_contacts(agent: AgentRow, _queue: QueueId, _expr: SkillExpr) -> int:
    return agent.contacts


def _round_robin(agent: AgentRow, queue: QueueId, _expr: SkillExpr) -> int:
    return next((taken.turn for taken in agent.turns if taken.queue_id == queue), 0)


def _top_down(agent: AgentRow, queue: QueueId, _expr: SkillExpr) -> int:
    return next(m.position for m in agent.config.queues if m.queue_id == queue)


def _least_flexible(agent: AgentRow, _queue: QueueId, _expr: SkillExpr) -> int:
    return len(agent.config.queues)


COMPARATORS: Final[Mapping[str, Comparator]] = MappingProxyType(
    {
        Strategy.LONGEST_IDLE: _longest_idle,
        Strategy.MOST_SKILLED: _most_skilled,
        Strategy.LEAST_TALK_TIME: _least_talk_time,
        Strategy.FEWEST_CONTACTS: _fewest_contacts,
        Strategy.ROUND_ROBIN: _round_robin,
        Strategy.TOP_DOWN: _top_down,
        Strategy.LEAST_FLEXIBLE: _least_flexible,
    }
)
"""`random` is not among them: it depends on the contact, and orders what they leave equal."""


def check_strategies(strategies: Sequence[str]) -> None:
    """UnknownStrategyError for a name that is not a strategy, a repeated or a misplaced one."""
    if not strategies:
        raise UnknownStrategyError("a queue needs a strategy")
    for i, name in enumerate(strategies):
        if name in strategies[:i]:
            raise UnknownStrategyError(f"strategy {name!r} stands twice")
        if name == Strategy.RANDOM:
            if i != len(strategies) - 1:
                raise UnknownStrategyError("nothing can follow the strategy 'random'")
        elif name not in COMPARATORS:
            raise UnknownStrategyError(f"no strategy is called {name!r}")


def takes_turns(strategies: Sequence[str]) -> bool:
    """Whether reservations of a queue move its `round_robin` on."""
    return Strategy.ROUND_ROBIN in strategies


def draw(entry: EntryRow, agent_id: AgentId) -> int:
    """An agent's lot for one attempt to place one contact: the same wherever it is drawn."""
    return zlib.crc32(f"{entry.contact.seed}:{entry.attempts}:{agent_id}".encode())
