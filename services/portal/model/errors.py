"""What can be wrong with people, their credentials and their requests."""

from __future__ import annotations

from typing import ClassVar

from services.chassis.errors import CarillonError, Kind


class NotAuthenticated(CarillonError):
    """The token or key is unknown, wrong, revoked, or its user may not sign in: not told which."""

    code: ClassVar[str] = "not-authenticated"
    kind: ClassVar[Kind] = Kind.UNAUTHENTICATED


class TokenExpired(CarillonError):
    """The access token was good until a moment that has passed: refresh the session."""

    code: ClassVar[str] = "token-expired"
    kind: ClassVar[Kind] = Kind.UNAUTHENTICATED


class TokenReused(CarillonError):
    """A refresh token was used a second time: the session has ended."""

    code: ClassVar[str] = "token-reused"
    kind: ClassVar[Kind] = Kind.UNAUTHENTICATED


class WrongCredentials(CarillonError):
    """Tenant, username and password do not belong together: not told which of them is wrong."""

    code: ClassVar[str] = "wrong-credentials"
    kind: ClassVar[Kind] = Kind.UNAUTHENTICATED


class LockedOut(CarillonError):
    """Too many wrong passwords for one name; the words say when to come back."""

    code: ClassVar[str] = "locked-out"
    kind: ClassVar[Kind] = Kind.EXHAUSTED


class TooManyAttempts(CarillonError):
    """Too many wrong passwords from one address; the words say when to come back."""

    code: ClassVar[str] = "too-many-attempts"
    kind: ClassVar[Kind] = Kind.EXHAUSTED


class SignInBusy(CarillonError):
    """More passwords wait to be checked than can be in good time."""

    code: ClassVar[str] = "sign-in-busy"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


class UsersOnly(CarillonError):
    """An API key asked for what only a person has."""

    code: ClassVar[str] = "users-only"
    kind: ClassVar[Kind] = Kind.DENIED


class PlatformOnly(CarillonError):
    """Somebody without the role `platform` asked for what is the platform's own."""

    code: ClassVar[str] = "platform-only"
    kind: ClassVar[Kind] = Kind.DENIED


class NoSuchTenant(CarillonError):
    """There is no such tenant."""

    code: ClassVar[str] = "no-such-tenant"
    kind: ClassVar[Kind] = Kind.NOT_FOUND


class TenantExists(CarillonError):
    """The tenant's name is in use."""

    code: ClassVar[str] = "tenant-exists"
    kind: ClassVar[Kind] = Kind.CONFLICT


class BadTenant(CarillonError):
    """A tenant's name, zone or region is not of its form."""

    code: ClassVar[str] = "bad-tenant"
    kind: ClassVar[Kind] = Kind.INVALID


class NoSuchUser(CarillonError):
    """There is no such user in this tenant."""

    code: ClassVar[str] = "no-such-user"
    kind: ClassVar[Kind] = Kind.NOT_FOUND


class UserExists(CarillonError):
    """The username is in use in this tenant."""

    code: ClassVar[str] = "user-exists"
    kind: ClassVar[Kind] = Kind.CONFLICT


class BadUser(CarillonError):
    """A user's name, e-mail or roles are not of their form."""

    code: ClassVar[str] = "bad-user"
    kind: ClassVar[Kind] = Kind.INVALID


class LastAdministrator(CarillonError):
    """The tenant would be left with nobody who can administer it."""

    code: ClassVar[str] = "last-administrator"
    kind: ClassVar[Kind] = Kind.PRECONDITION


class WeakPassword(CarillonError):
    """The password is too short, too long, or among the first that are guessed."""

    code: ClassVar[str] = "weak-password"
    kind: ClassVar[Kind] = Kind.INVALID


class NoSuchApiKey(CarillonError):
    """There is no such API key in this tenant."""

    code: ClassVar[str] = "no-such-api-key"
    kind: ClassVar[Kind] = Kind.NOT_FOUND


class BadApiKey(CarillonError):
    """An API key's name, roles or end are not of their form."""

    code: ClassVar[str] = "bad-api-key"
    kind: ClassVar[Kind] = Kind.INVALID


class TooManyApiKeys(CarillonError):
    """The tenant has as many working keys as it may."""

    code: ClassVar[str] = "too-many-api-keys"
    kind: ClassVar[Kind] = Kind.EXHAUSTED


class TooManyUsers(CarillonError):
    """The tenant has as many users as it may."""

    code: ClassVar[str] = "too-many-users"
    kind: ClassVar[Kind] = Kind.EXHAUSTED


class BadQuery(CarillonError):
    """A list was asked for by words that cannot be looked for."""

    code: ClassVar[str] = "bad-query"
    kind: ClassVar[Kind] = Kind.INVALID


class BadIdempotencyKey(CarillonError):
    """An Idempotency-Key is empty, too long, or holds more than visible ASCII characters."""

    code: ClassVar[str] = "bad-idempotency-key"
    kind: ClassVar[Kind] = Kind.INVALID


class KeyReused(CarillonError):
    """The same Idempotency-Key came with another request."""

    code: ClassVar[str] = "idempotency-key-reused"
    kind: ClassVar[Kind] = Kind.CONFLICT


class TenantSuspended(CarillonError):
    """The platform has suspended the tenant: nobody signs in, and no key works."""

    code: ClassVar[str] = "tenant-suspended"
    kind: ClassVar[Kind] = Kind.DENIED


class BadCaps(CarillonError):
    """Caps that no tenant can have."""

    code: ClassVar[str] = "bad-caps"
    kind: ClassVar[Kind] = Kind.INVALID


class NotYourself(CarillonError):
    """Somebody asked to be taken away themselves."""

    code: ClassVar[str] = "not-yourself"
    kind: ClassVar[Kind] = Kind.PRECONDITION


class AgentBusy(CarillonError):
    """A contact is with the agent: they stay until it is over."""

    code: ClassVar[str] = "agent-busy"
    kind: ClassVar[Kind] = Kind.PRECONDITION


class AgentRefused(CarillonError):
    """Routing does not take somebody as the agent that they should be; the words say why."""

    code: ClassVar[str] = "agent-refused"
    kind: ClassVar[Kind] = Kind.INVALID


class RoutingAway(CarillonError):
    """Routing can not be asked now; the same again may succeed."""

    code: ClassVar[str] = "routing-away"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


class BadImport(CarillonError):
    """No rows to import, or more than one request may have."""

    code: ClassVar[str] = "bad-import"
    kind: ClassVar[Kind] = Kind.INVALID


class BadDisposition(CarillonError):
    """A disposition's code, label or queues are not of their form."""

    code: ClassVar[str] = "bad-disposition"
    kind: ClassVar[Kind] = Kind.INVALID


class NoSuchDisposition(CarillonError):
    """There is no such disposition, or it is not offered for this queue."""

    code: ClassVar[str] = "no-such-disposition"
    kind: ClassVar[Kind] = Kind.NOT_FOUND


class TooManyDispositions(CarillonError):
    """The tenant has as many dispositions as it may."""

    code: ClassVar[str] = "too-many-dispositions"
    kind: ClassVar[Kind] = Kind.EXHAUSTED
