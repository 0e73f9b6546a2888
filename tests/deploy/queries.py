"""Queries in Prometheus's language: what they name, and what they come to on made-up series.

Prometheus's own grammar reads them (`promql-parser`). What is computed here is the part of the
language that Carillon's alerts use; anything else is refused, so that nothing is left untested.
"""

from __future__ import annotations

import operator
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import promql_parser as promql

Labels = tuple[tuple[str, str], ...]
Vector = dict[Labels, float]
STEP_S = 30
"""Between two points of a made-up series."""


class NotUnderstood(Exception):
    """A query has a part that this small evaluator does not know: teach it."""


@dataclass(frozen=True, slots=True)
class Named:
    """A metric in a query, with every label that the query asks of it."""

    metric: str
    labels: frozenset[str]


@dataclass(frozen=True, slots=True)
class Series:
    """A made-up series: a value each STEP_S seconds."""

    metric: str
    labels: Mapping[str, str]
    values: tuple[float, ...]


def parse(query: str) -> Any:
    """The query's tree; ValueError when Prometheus would not take it."""
    return promql.parse(re.sub(r"\$__rate_interval", "5m", query))


def named(tree: Any, above: frozenset[str] = frozenset()) -> Iterator[Named]:
    """Every metric, with the labels that it is chosen and grouped by."""
    if isinstance(tree, promql.VectorSelector):
        chosen = {each.name for each in tree.matchers.matchers}
        yield Named(str(tree.name), frozenset(above | chosen))
    elif isinstance(tree, promql.MatrixSelector):
        yield from named(tree.vector_selector, above)
    elif isinstance(tree, promql.AggregateExpr):
        yield from named(tree.expr, above | frozenset(_by(tree)))
    elif isinstance(tree, promql.BinaryExpr):
        yield from named(tree.lhs, above)
        yield from named(tree.rhs, above)
    elif isinstance(tree, promql.ParenExpr):
        yield from named(tree.expr, above)
    elif isinstance(tree, promql.Call):
        for part in tree.args:
            yield from named(part, above)
    elif not isinstance(tree, promql.NumberLiteral):
        raise NotUnderstood(type(tree).__name__)


@dataclass(frozen=True, slots=True)
class Instant:
    """All series, at one point of their time."""

    series: tuple[Series, ...]
    at: int

    def value(self, tree: Any) -> Vector | float:
        """What a query comes to."""
        if isinstance(tree, promql.NumberLiteral):
            return float(tree.val)
        if isinstance(tree, promql.ParenExpr):
            return self.value(tree.expr)
        if isinstance(tree, promql.VectorSelector):
            return {_labels(each): each.values[self.at] for each in self._chosen(tree)}
        if isinstance(tree, promql.Call):
            return self._call(tree)
        if isinstance(tree, promql.AggregateExpr):
            return self._aggregate(tree)
        if isinstance(tree, promql.BinaryExpr):
            return self._binary(tree)
        raise NotUnderstood(type(tree).__name__)

    def _vector(self, tree: Any) -> Vector:
        found = self.value(tree)
        assert isinstance(found, dict), tree
        return found

    def _chosen(self, tree: Any) -> list[Series]:
        matchers = tree.matchers.matchers
        assert all(str(each.op) == "MatchOp.Equal" for each in matchers), tree
        wanted = {each.name: each.value for each in matchers}
        return [
            each
            for each in self.series
            if each.metric == tree.name
            and all(each.labels.get(name) == value for name, value in wanted.items())
        ]

    def _call(self, tree: Any) -> Vector:
        name = tree.func.name
        if name == "absent":
            return {} if self._vector(tree.args[0]) else {(): 1.0}
        if name == "increase":
            (matrix,) = tree.args
            steps = round(matrix.range.total_seconds() / STEP_S)
            return {
                _labels(each): _grown(each.values[max(0, self.at - steps) : self.at + 1])
                for each in self._chosen(matrix.vector_selector)
            }
        if name == "histogram_quantile":
            part, buckets = tree.args
            return _quantiles(float(part.val), self._vector(buckets))
        raise NotUnderstood(name)

    def _aggregate(self, tree: Any) -> Vector:
        by = _by(tree)
        groups: defaultdict[Labels, list[float]] = defaultdict(list)
        for labels, value in self._vector(tree.expr).items():
            groups[tuple(each for each in labels if each[0] in by)].append(value)
        folds: dict[str, Callable[[list[float]], float]] = {"sum": sum, "max": max, "min": min}
        fold = folds[str(tree.op)]
        return {labels: float(fold(values)) for labels, values in groups.items()}

    def _binary(self, tree: Any) -> Vector | float:
        left, right, sign = self.value(tree.lhs), self.value(tree.rhs), str(tree.op)
        assert isinstance(left, dict), tree
        if sign == "or":
            assert isinstance(right, dict)
            return {**right, **left}
        if sign == "and":
            assert isinstance(right, dict)
            return {labels: value for labels, value in left.items() if labels in right}
        other = right if isinstance(right, dict) else dict.fromkeys(left, right)
        both = {labels: (left[labels], other[labels]) for labels in left if labels in other}
        if sign == "/":
            return {labels: one / two for labels, (one, two) in both.items() if two}
        holds = {">": operator.gt, "<": operator.lt, "==": operator.eq}[sign]
        return {labels: one for labels, (one, two) in both.items() if holds(one, two)}


def firing(query: str, for_s: int, series: tuple[Series, ...]) -> Labels | None:
    """The labels with which an alert fires somewhere in the series; None: it never does."""
    tree, needed = parse(query), -(-for_s // STEP_S)
    since: dict[Labels, int] = {}
    for at in range(min((len(each.values) for each in series), default=20)):
        found = Instant(series, at).value(tree)
        assert isinstance(found, dict)
        since = {labels: since.get(labels, at) for labels in found}
        for labels, began in since.items():
            if at - began >= needed:
                return labels
    return None


def _by(tree: Any) -> tuple[str, ...]:
    modifier = tree.modifier
    if modifier is None:
        return ()
    assert "By" in str(modifier.type), "group by labels, not without some"
    return tuple(modifier.labels)


def _labels(series: Series) -> Labels:
    return tuple(sorted(series.labels.items()))


def _grown(values: tuple[float, ...]) -> float:
    """By how much a counter grew, a restart counted as one from nothing."""
    return sum(now - before if now >= before else now for before, now in pairwise(values))


def _quantiles(part: float, buckets: Vector) -> Vector:
    groups: defaultdict[Labels, list[tuple[float, float]]] = defaultdict(list)
    for labels, count in buckets.items():
        bound = float(dict(labels)["le"])
        groups[tuple(each for each in labels if each[0] != "le")].append((bound, count))
    return {
        labels: _quantile(part, sorted(counts))
        for labels, counts in groups.items()
        if max(count for _, count in counts) > 0
    }


def _quantile(part: float, counts: list[tuple[float, float]]) -> float:
    wanted, below, seen = part * counts[-1][1], 0.0, 0.0
    for bound, count in counts:
        if count >= wanted:
            if bound == float("inf"):
                return below
            return below + (bound - below) * (wanted - seen) / max(count - seen, 1e-9)
        below, seen = bound, count
    return below
