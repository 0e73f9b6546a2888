"""Figures out of what processes show to Prometheus."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client.parser import text_string_to_metric_families


def samples(text: str, name: str) -> Iterator[tuple[Mapping[str, str], float]]:
    """A metric's labels and values; a counter with its `_total`."""
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == name:
                yield sample.labels, sample.value


def total(text: str, name: str) -> float:
    """Over all labels; 0 when it is not shown."""
    return sum(value for _, value in samples(text, name))
