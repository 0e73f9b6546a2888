"""Skill expressions: who satisfies one, how well, and how plans relax."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import eq, ge, gt, le, lt, ne
from types import MappingProxyType
from typing import Final, assert_never

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
    match expr.kind:
        case ExprKind.ANY:
            return True
        case ExprKind.SKILL:
            level = _level(agent, expr.name)
            return level > 0 and _COMPARE[expr.comparison](level, expr.level)
        case ExprKind.ATTRIBUTE:
            has = any(a.name == expr.name and a.value == expr.value for a in agent.attributes)
            return has == (expr.comparison is Comparison.EQ)
        case ExprKind.AGENT:
            return agent.agent_id == expr.value
        case ExprKind.AND:
            return all(satisfies(agent, part) for part in expr.of)
        case ExprKind.OR:
            return any(satisfies(agent, part) for part in expr.of)
        case ExprKind.NOT:
            return not satisfies(agent, expr.of[0])
        case _:
            assert_never(expr.kind)


def proficiency(agent: AgentConfig, expr: SkillExpr) -> int:
    """How well an agent who satisfies `expr` does: levels added over `and`, the best of an `or`."""
    match expr.kind:
        case ExprKind.SKILL:
            return _level(agent, expr.name)
        case ExprKind.AND:
            return sum(proficiency(agent, part) for part in expr.of)
        case ExprKind.OR:
            return max(proficiency(agent, part) for part in expr.of if satisfies(agent, part))
        case ExprKind.ANY | ExprKind.ATTRIBUTE | ExprKind.AGENT | ExprKind.NOT:
            return 0
        case _:
            assert_never(expr.kind)


def relaxed(earlier: SkillExpr | None, step: SkillExpr) -> SkillExpr:
    """Whom a step accepts when candidates of earlier steps stay candidates."""
    if earlier is None or earlier == step:
        return step
    if ExprKind.ANY in (earlier.kind, step.kind):
        return ANY_AGENT
    return SkillExpr(kind=ExprKind.OR, of=(step, earlier))


def _level(agent: AgentConfig, skill: str) -> int:
    return next((has.level for has in agent.skills if has.name == skill), 0)
