"""What records are asked for."""

from __future__ import annotations

from dataclasses import dataclass

from services.analytics.model.words import AgentState, Exit


@dataclass(frozen=True, slots=True)
class EntryQuery:
    """Stays offered within a stretch of time."""

    from_ms: int
    """UTC milliseconds, included."""
    to_ms: int
    """UTC milliseconds, not included."""
    queue_ids: tuple[str, ...] = ()
    """Of any of these queues; empty: all."""
    agent_ids: tuple[str, ...] = ()
    """Answered by any of these agents; empty: whoever, or nobody."""
    exits: tuple[Exit, ...] = ()
    """With any of these exits; empty: all."""
    newest_first: bool = False
    """Else the oldest."""


@dataclass(frozen=True, slots=True)
class IntervalQuery:
    """Intervals that touch a stretch of time."""

    from_ms: int
    """UTC milliseconds, included."""
    to_ms: int
    """UTC milliseconds, not included."""
    queue_ids: tuple[str, ...] = ()
    """Of agents who served any of these queues; empty: of all."""
    agent_ids: tuple[str, ...] = ()
    """Of any of these agents; empty: of all."""
    states: tuple[AgentState, ...] = ()
    """In any of these states; empty: all."""
    newest_first: bool = False
    """Else the oldest."""


@dataclass(frozen=True, slots=True)
class CallQuery:
    """Calls that began within a stretch of time."""

    from_ms: int
    """UTC milliseconds, included."""
    to_ms: int
    """UTC milliseconds, not included."""
    newest_first: bool = False
    """Else the oldest."""
