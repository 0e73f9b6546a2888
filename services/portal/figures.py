"""What this process has done so far, counted for metrics."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Figures:
    """Counts that only grow."""

    answered: Counter[str] = field(default_factory=Counter)
    """HTTP requests by the class of their answer: `2xx`, `4xx` ..."""
    replayed: int = 0
    """Requests answered as before, by their Idempotency-Key."""
    busy: int = 0
    """Requests refused because their user or key had too many at once."""

    def answer(self, status: int) -> None:
        """An HTTP request was answered."""
        self.answered[f"{status // 100}xx"] += 1
