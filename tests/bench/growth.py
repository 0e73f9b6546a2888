"""Whether something grows: a straight line through samples, and how sure its slope is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import Final

SIGMAS: Final = 3.0
"""A slope of so many of its errors is none by chance."""
LEAST: Final = 0.03
"""Of the mean: what a window may bring without being called growth."""


@dataclass(frozen=True, slots=True)
class Line:
    """Through samples, by least squares."""

    mean: float
    """Of the samples."""
    grown: float
    """From the first sample to the last, by the line."""
    error: float
    """The standard error of that, neighbouring samples' likeness considered."""

    @property
    def grows(self) -> bool:
        """Whether it is more than noise, and more than a small part of the whole."""
        return self.grown > max(SIGMAS * self.error, LEAST * abs(self.mean))


def line(samples: Sequence[tuple[float, float]]) -> Line:
    """Through (time, value) samples, three at least."""
    count = len(samples)
    assert count > 2, "a line needs three samples"
    times, values = zip(*samples, strict=True)
    mean_time, mean = sum(times) / count, sum(values) / count
    spread = sum((time - mean_time) ** 2 for time in times)
    slope = sum((t - mean_time) * (v - mean) for t, v in samples) / spread
    rest = [value - mean - slope * (time - mean_time) for time, value in samples]
    square = sum(each * each for each in rest)
    # Neighbours that are alike tell less than strangers: so many samples count for fewer.
    alike = sum(a * b for a, b in pairwise(rest)) / square if square else 0.0
    alike = min(0.9, max(0.0, alike))
    error = sqrt(square / (count - 2) / spread * (1 + alike) / (1 - alike))
    window = times[-1] - times[0]
    return Line(mean, slope * window, error * window)
