"""Sessions, their tokens, and the count of wrong passwords."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from services.portal.model.people import ApiKey, Tenant, User


class TokenKind(StrEnum):
    """What a token is good for."""

    ACCESS = "access"
    REFRESH = "refresh"


@dataclass(frozen=True, slots=True)
class Token:
    """What is kept of a token: never the token itself."""

    sha256: bytes = field(repr=False)
    """Of the token."""
    kind: TokenKind
    """What it is good for."""
    session_id: str
    """Of whose session."""
    expires_at_ms: int
    """UTC milliseconds."""
    used_at_ms: int = 0
    """When a refresh token was changed for a new pair; 0: it was not."""


@dataclass(frozen=True, slots=True)
class Session:
    """From signing in to signing out."""

    session_id: str
    """Given when it begins."""
    user_id: str
    """Whose."""
    created_at_ms: int
    """UTC milliseconds."""
    ended_at_ms: int = 0
    """UTC milliseconds; 0: it goes on while it is refreshed."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A token with whom it belongs to."""

    tenant: Tenant
    """Where."""
    user: User
    """Who."""
    session: Session
    """In which session."""
    token: Token
    """What was shown."""


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """An API key with its tenant."""

    tenant: Tenant
    """Where."""
    key: ApiKey
    """Which."""


class Verdict(StrEnum):
    """What becomes of a refresh token that somebody shows."""

    GRANTED = "granted"
    EXPIRED = "expired"
    REUSED = "reused"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Tally:
    """Wrong passwords of late, for one name or one address."""

    failed_at_ms: tuple[int, ...] = ()
    """UTC milliseconds, oldest first."""
    locked_until_ms: int = 0
    """UTC milliseconds; 0: not locked."""
