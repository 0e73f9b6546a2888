"""What this process has done so far, counted for metrics."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Figures:
    """Counts that only grow."""

    look_ups: int = 0
    """Numbers asked for."""
    known: int = 0
    """Of those, somebody's."""
    look_up_ms: float = 0.0
    """What they took together, in milliseconds."""
