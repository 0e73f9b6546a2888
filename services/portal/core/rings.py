"""How often an agent was rung and did not take the contact."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

RINGING = "ringing"
TAKEN = frozenset({"talking", "holding"})


def unanswered(states: Iterable[tuple[int, str]]) -> int:
    """Rings that led to no conversation: declined, not answered, or the caller left meanwhile.

    `states` are an agent's states with the UTC milliseconds of their beginning, in any order; a
    ring that goes on is not counted yet.
    """
    words = [state for _, state in sorted(states)]
    return sum(now == RINGING and then not in TAKEN for now, then in pairwise(words))
