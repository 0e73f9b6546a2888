"""What is known of how a tenant is doing."""

from __future__ import annotations

from dataclasses import dataclass

from services.portal.model.people import Headcount, Tenant


@dataclass(frozen=True, slots=True)
class Waiting:
    """Who waits, as routing knows it."""

    callers: int
    """Without an agent."""
    longest_ms: int
    """Of those."""


@dataclass(frozen=True, slots=True)
class Floor:
    """Agents now, and contacts since the start of the tenant's day."""

    signed_in: int
    """Agents who are not signed out."""
    ready: int
    """Of those, who could take a call."""
    offered: int
    """Contacts."""
    answered: int
    """Contacts."""
    abandoned: int
    """Contacts."""


@dataclass(frozen=True, slots=True)
class Vitals:
    """What could be found out in time; None: it could not."""

    tenant: Tenant
    """Whose."""
    people: Headcount
    """Who may sign in."""
    waiting: Waiting | None = None
    """From routing."""
    floor: Floor | None = None
    """From analytics."""
    calls: int | None = None
    """That are going on, from the gateway."""
    has_number: bool | None = None
    """Whether anybody can call it, from the flows."""
