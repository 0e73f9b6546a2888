"""People who are to be created, many at once, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with what somebody typed."""

    field: str
    """Which part of it, for example `username`."""
    code: str
    """A stable word, for example `username-taken`."""
    message: str
    """In words, with what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One person to be created."""

    username: str
    """What they will type."""
    display_name: str
    """What others will see; empty: the username."""
    email: str
    """May be empty."""
    roles: tuple[str, ...]
    """Words for roles; none: agent."""
    password: str = field(repr=False)
    """Empty: one is made."""
    skills: Mapping[str, int]
    """Levels by skill, of an agent."""
    queue_ids: tuple[str, ...]
    """Queues that an agent serves."""


@dataclass(frozen=True, slots=True)
class Created:
    """What became of one row."""

    faults: tuple[Fault, ...] = ()
    """What is wrong with it; of a user who was created, why they are no agent yet."""
    user_id: str = ""
    """Empty: nobody was created."""
    password: str = field(default="", repr=False)
    """That was made for them."""
