"""Skill expressions: who satisfies one, how well, and how plans relax."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import eq, ge, gt, le, lt, ne
from types import MappingProxyType
from typing import Final

from services.acd.model import ANY_AGENT, AgentConfig, Comparison, ExprKind, SkillExpr

_COMPARE: Final[Mapping[Comparison, Callable[[int, int], bool]]] = MappingProxyType(
    {
        Comparison.EQ: eq,
        Comparison.NE: ne,
        Comparison.LT: lt,
        Comparison.LE: le,
        Comparison.GT: gt,
        Comparison.GE: ge,
    }
)


def satisfies(agent: AgentConfig, expr: SkillExpr) -> bool:
    """Whether an agent meets an expression. A skill that is missing meets no comparison."""
    return _MEETS[expr.kind](agent, expr)


def proficiency(agent: AgentConfig, expr: SkillExpr) -> int:
    """How well an agent who satisfies `expr` does: levels added over `and`, the best of an `or`."""
    if expr.kind is ExprKind.SKILL:
        return _level(agent, expr.name)
    if expr.kind is ExprKind.AND:
        return sum(proficiency(agent, part) for part in expr.of)
    if expr.kind is ExprKind.OR:
        return max(proficiency(agent, part) for part in expr.of if satisfies(agent, part))
    return 0


def relaxed(earlier: SkillExpr | None, step: SkillExpr) -> SkillExpr:
    """Whom a step accepts when candidates of earlier steps stay candidates."""
    if earlier is None or earlier == step:
        return step
    if ExprKind.ANY in (earlier.kind, step.kind):
        return ANY_AGENT
    return SkillExpr(kind=ExprKind.OR, of=(step, earlier))


def _level(agent: AgentConfig, skill: str) -> int:
    return next((has.level for has in agent.skills if has.name == skill), 0)


def _has_level(agent: AgentConfig, expr: SkillExpr) -> bool:
    level = _level(agent, expr.name)
    return level > 0 and _COMPARE[expr.comparison](level, expr.level)


def _has_value(agent: AgentConfig, expr: SkillExpr) -> bool:
    has = any(a.name == expr.name and a.value == expr.value for a in agent.attributes)
    return has == (expr.comparison is Comparison.EQ)


_MEETS: Final[Mapping[ExprKind, Callable[[AgentConfig, SkillExpr], bool]]] = MappingProxyType(
    {
        ExprKind.ANY: lambda _agent, _expr: True,
        ExprKind.SKILL: _has_level,
        ExprKind.ATTRIBUTE: _has_value,
        ExprKind.AGENT: lambda agent, expr: agent.agent_id == expr.value,
        ExprKind.AND: lambda agent, expr: all(satisfies(agent, part) for part in expr.of),
        ExprKind.OR: lambda agent, expr: any(satisfies(agent, part) for part in expr.of),
        ExprKind.NOT: lambda agent, expr: not satisfies(agent, expr.of[0]),
    }
)
