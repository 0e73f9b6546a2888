"""What contacts can have been about."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Disposition:
    """One answer to what a contact was about."""

    code: str
    """What is kept with the contact."""
    label: str
    """What people see."""
    queue_ids: tuple[str, ...]
    """Where it may be given; empty: in all queues."""
    position: int
    """Its place in a list, smallest first."""
    active: bool
    """False: no longer offered."""
