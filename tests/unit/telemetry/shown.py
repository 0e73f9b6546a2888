"""What Prometheus would be shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from services.chassis.metrics import Metrics, Reading

TURNS = 1_000


async def until(condition: Callable[[], bool]) -> None:
    """Until the condition holds, at most some 10 seconds."""
    for _ in range(TURNS):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never happened")


def shown(metrics: Metrics) -> dict[str, float]:
    """Values by name; of those with labels, the labels' values follow the name."""
    return {
        " ".join((sample.name, *sample.labels.values())): sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
    }


def read(readings: Iterable[Reading]) -> dict[str, float]:
    """The same of one service's readings."""
    metrics = Metrics()
    metrics.add(lambda: readings)
    return shown(metrics)
