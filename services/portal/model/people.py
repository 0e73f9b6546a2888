"""Tenants, the people in them, and the keys of their programs."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from services.chassis.ids import TenantId

PLATFORM_TENANT = TenantId("platform")
"""The tenant, and its name, in which the platform's own administrators live."""


class Role(StrEnum):
    """What somebody may do."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"
    PLATFORM = "platform"


RULING = frozenset({Role.ADMINISTRATOR, Role.PLATFORM})
"""Somebody in the tenant must always have each of these that anybody has."""


@dataclass(frozen=True, slots=True)
class Caps:
    """What the platform lets a tenant use; 0: as much as it likes."""

    max_users: int = 0
    """Who may sign in."""
    max_calls: int = 0
    """At a time; whoever runs the flows keeps to it."""
    suspended: bool = False
    """True: nobody signs in, and callers are turned away."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """One organisation that uses this installation."""

    tenant_id: TenantId
    """Given when it is created."""
    name: str
    """What people type when they sign in; unique."""
    display_name: str
    """What it is called in writing."""
    time_zone: str
    """IANA name."""
    region: str
    """Two letters, or empty: only international numbers are read."""
    created_at_ms: int
    """UTC milliseconds."""
    language: str = ""
    """A language tag for people who have not chosen; empty: their browser's."""
    caps: Caps = Caps()
    """Set by the platform alone."""


@dataclass(frozen=True, slots=True)
class Headcount:
    """How many of a tenant's users may sign in."""

    users: int
    """All of them."""
    administrators: int
    """Those who can administer it."""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may sign in; the id is also the agent's id in routing."""

    user_id: str
    """Given when they are created."""
    username: str
    """What they type; unique in the tenant, whatever the case of its letters."""
    display_name: str
    """What others see."""
    email: str
    """May be empty."""
    roles: frozenset[Role]
    """At least one."""
    active: bool
    """False: cannot sign in."""
    created_at_ms: int
    """UTC milliseconds."""
    last_seen_at_ms: int = 0
    """UTC milliseconds, to the minute; 0: never."""

    @property
    def ruling(self) -> frozenset[Role]:
        """With which roles they can rule their tenant, or the platform, now."""
        return self.roles & RULING if self.active else frozenset()


@dataclass(frozen=True, slots=True)
class Account:
    """A user with what proves that they are it."""

    user: User
    """Who."""
    password_hash: str = field(repr=False)
    """Argon2id, with its parameters and salt."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What a program signs in with."""

    key_id: str
    """Given when it is created; part of the key itself."""
    name: str
    """What it is for."""
    roles: frozenset[Role]
    """At least one."""
    created_at_ms: int
    """UTC milliseconds."""
    expires_at_ms: int
    """UTC milliseconds; 0: does not end by itself."""
    prefix: str
    """The first characters of its secret, to recognise it by."""
    sha256: bytes = field(repr=False)
    """Of the whole key."""
    revoked_at_ms: int = 0
    """UTC milliseconds; 0: it was not."""
    last_used_at_ms: int = 0
    """UTC milliseconds, to the minute; 0: never."""

    def works(self, now_ms: int) -> bool:
        """Whether it may be used now."""
        return not self.revoked_at_ms and (not self.expires_at_ms or now_ms < self.expires_at_ms)


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who has been authenticated."""

    id: str
    """A user's or an API key's id."""
    name: str
    """What others see."""
    roles: frozenset[str]
    """Any of agent, supervisor, administrator, platform."""
    tenant_id: TenantId
    """Whose data they may reach."""
    tenant_name: str
    """What the tenant is called when signing in."""
    kind: Literal["user", "api-key"]
    """Which sort of id it is."""
    session_id: str
    """Empty for an API key."""
    time_zone: str
    """IANA name, of the tenant."""


@dataclass(frozen=True, slots=True)
class UserQuery:
    """Which users are asked for, by username."""

    search: str = ""
    """Part of a name or username, in any case."""
    role: str = ""
    """Only those who have it; empty: all."""
    after: str = ""
    """The username after which the page begins, in lower case."""
    size: int = 100
    """At most so many."""
