"""Skill expressions and plans within their limits."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from services.acd.core.limits import EXPR_DEPTH, EXPR_NODES, PLAN_STEPS, STEP_S, TEXT
from services.acd.model import (
    Comparison,
    ExprKind,
    InvalidConfigurationError,
    InvalidExpressionError,
    Plan,
    PlanEnd,
    SkillExpr,
)

_PARTS: Final = MappingProxyType(
    {ExprKind.AND: (1, EXPR_NODES), ExprKind.OR: (1, EXPR_NODES), ExprKind.NOT: (1, 1)}
)
"""Least and most parts of a node; others have none."""
_EQUALITY: Final = (Comparison.EQ, Comparison.NE)


def check_plan(plan: Plan) -> None:
    """InvalidConfigurationError, or InvalidExpressionError for one of its expressions."""
    if len(plan.steps) > PLAN_STEPS:
        raise InvalidConfigurationError(f"a plan has at most {PLAN_STEPS} steps")
    if plan.end is not PlanEnd.ANY and not plan.steps:
        raise InvalidConfigurationError(f"a plan that ends with {plan.end} needs a step")
    if (plan.end is PlanEnd.OVERFLOW) != bool(plan.overflow_queue):
        raise InvalidConfigurationError("overflow and its queue belong together")
    for step in plan.steps:
        if not 0 < step.for_s <= STEP_S:
            raise InvalidConfigurationError(f"a step lasts 1 to {STEP_S} seconds")
        check_expr(step.expr)


def check_expr(expr: SkillExpr) -> None:
    """InvalidExpressionError when it is malformed or too large."""
    if _nodes(expr, depth=1) > EXPR_NODES:
        raise InvalidExpressionError(f"an expression has at most {EXPR_NODES} parts")


def _nodes(expr: SkillExpr, *, depth: int) -> int:
    if depth > EXPR_DEPTH:
        raise InvalidExpressionError(f"an expression has at most {EXPR_DEPTH} levels")
    _check_node(expr)
    return 1 + sum(_nodes(part, depth=depth + 1) for part in expr.of)


def _check_node(expr: SkillExpr) -> None:
    if max(len(expr.name), len(expr.value)) > TEXT:
        raise InvalidExpressionError(f"names and values have at most {TEXT} characters")
    least, most = _PARTS.get(expr.kind, (0, 0))
    if not least <= len(expr.of) <= most:
        raise InvalidExpressionError(f"{expr.kind.value!r} has {least} to {most} parts")
    match expr.kind:
        case ExprKind.SKILL if not expr.name or not 1 <= expr.level <= 10:
            raise InvalidExpressionError("a skill condition needs a name and a level 1-10")
        case ExprKind.ATTRIBUTE if not expr.name or expr.comparison not in _EQUALITY:
            raise InvalidExpressionError("an attribute condition needs a name, and eq or ne")
        case ExprKind.AGENT if not expr.value:
            raise InvalidExpressionError("an agent condition needs an agent id")
        case _:
            pass
