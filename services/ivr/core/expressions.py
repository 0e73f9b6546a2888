"""CEL in flows: checked when a flow is published, bounded when it is evaluated.

The language has no loops but its comprehension macros, which have no limit of cost; so those are
refused, and what is left is bounded by the length of the expression and of its values.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import cel

from services.ivr.core.names import CUSTOMER_FIELDS
from services.ivr.model.errors import BadExpression
from services.ivr.model.flow import Value

MAX_EXPRESSION_BYTES = 1_024
MACROS = ("all", "exists", "exists_one", "map", "filter")
FUNCTIONS = frozenset(
    [
        "size",
        "contains",
        "startsWith",
        "endsWith",
        "matches",
        "int",
        "uint",
        "double",
        "string",
        "type",
        "has",
    ]
)

_OPAQUE = re.compile(
    r"""
    //[^\n]*                                                  # a comment
    | \b[bB]?[rR][bB]?(?:\"{3}.*?\"{3}|'{3}.*?'{3}|"[^"]*"|'[^']*')    # raw: nothing escapes
    | (?:\"{3}(?:[^\\]|\\.)*?\"{3}|'{3}(?:[^\\]|\\.)*?'{3})
    | "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*'
    """,
    re.DOTALL | re.VERBOSE,
)
_MACRO = re.compile(rf"\b({'|'.join(MACROS)})\s*\(")
_CUSTOMER = re.compile(r"\bcustomer\s*\.\s*([A-Za-z_]\w*)")
_NAMED = re.compile(r"[A-Za-z]\w*")


@lru_cache(maxsize=4_096)
def _compiled(expression: str) -> cel.Program:
    if len(expression.encode()) > MAX_EXPRESSION_BYTES:
        raise BadExpression(f"longer than {MAX_EXPRESSION_BYTES} bytes")
    try:
        return cel.compile(expression)
    except Exception as error:
        raise BadExpression(f"does not parse: {_first_line(error)}") from error


def check_expression(expression: str, declared: frozenset[str]) -> frozenset[str]:
    """The names that an expression uses; BadExpression when it must not be published."""
    program = _compiled(expression)
    macro = _MACRO.search(_OPAQUE.sub(" ", expression))
    if macro:
        raise BadExpression(f"the macro `{macro[1]}` is not allowed: it has no limit of cost")
    for function in program.functions():
        if _NAMED.fullmatch(function) and function not in FUNCTIONS:
            raise BadExpression(f"there is no function `{function}`")
    used = frozenset(program.variables())
    for field in _CUSTOMER.findall(_OPAQUE.sub(" ", expression)):
        if field not in CUSTOMER_FIELDS:
            known = ", ".join(sorted(CUSTOMER_FIELDS))
            raise BadExpression(f"`customer.{field}` is not known; there are {known}")
    undeclared = sorted(used - declared)
    if undeclared:
        raise BadExpression(f"`{undeclared[0]}` is not declared in the flow's variables")
    return used


def names_in(expression: str) -> frozenset[str]:
    """The names that an expression uses; BadExpression when it does not parse."""
    return frozenset(_compiled(expression).variables())


def evaluate(expression: str, values: Mapping[str, Any]) -> Value:
    """What an expression gives: text, a number or a truth. BadExpression when it cannot be had."""
    program = _compiled(expression)
    try:
        result = program.execute(dict(values))
    except Exception as error:
        raise BadExpression(f"{expression[:80]}: {_first_line(error)}") from error
    if isinstance(result, float) and not math.isfinite(result):
        raise BadExpression(f"{expression[:80]}: not a finite number")
    if not isinstance(result, (str, int, float, bool)):
        raise BadExpression(f"{expression[:80]}: gives {type(result).__name__}, not a plain value")
    return result


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)[:200]
