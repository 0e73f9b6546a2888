"""How long failures last: seconds, or, where CARILLON_FAULTS=long, as long as they may at work."""

from __future__ import annotations

import os
from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Scale:
    """What a failure is tried at."""

    outage_s: float
    """How long a part is away."""
    slow_s: float
    """How long it is slow afterwards."""
    calls: int
    """That talk at once."""
    kills: int
    """Of a part, one after another."""


@pytest.fixture(scope="session")
def scale() -> Scale:
    form = os.environ.get("CARILLON_FAULTS", "short")
    scales = {
        "short": Scale(outage_s=2.0, slow_s=1.0, calls=4, kills=3),
        "long": Scale(outage_s=300.0, slow_s=60.0, calls=8, kills=20),
    }
    assert form in scales, f"CARILLON_FAULTS={form}: write short or long"
    return scales[form]
