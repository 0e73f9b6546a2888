"""What this process has done so far, counted for metrics."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Figures:
    """Counts that only grow."""

    calls: int = 0
    """Streams of calls that began or were taken over."""
    steps: int = 0
    """Steps that gateways were told."""
    prompts_failed: int = 0
    """Prompts that could not be spoken in time."""
    look_ups: int = 0
    """Customers asked for."""
    look_ups_failed: int = 0
    """Of those, without an answer in time."""
    look_up_ms: float = 0.0
    """What they took together, in milliseconds."""
    queue_losses: int = 0
    """Times that a queue's stream from acd broke."""
    queue_refusals: int = 0
    """Contacts that acd did not take."""
    acd_disagreements: int = 0
    """Things told to acd that it did not take, or not in time."""
