"""What portal keeps of people, sessions, keys, and what was done.

Everything that a tenant owns is asked for by its `tenant_id`, and what belongs to another tenant
does not exist. What is found before a tenant is known (a tenant by its name, a token, a key) is
found by something that only its holder knows. Events travel in the transaction that causes them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from services.chassis.envelope import Envelope
from services.chassis.ids import TenantId
from services.portal.model.dispositions import Disposition
from services.portal.model.people import Account, ApiKey, Headcount, Tenant, User, UserQuery
from services.portal.model.sessions import Holder, KeyHolder, Session, Tally, Token, Verdict
from services.portal.model.trail import Answer, AnswerKey, AuditEntry, AuditQuery

TOPIC = "portal.events.v1"
"""Where the events go."""
ChangeAccount = Callable[[Account, int], Account]
"""Decides an account anew, knowing how many others rule with at least its ruling roles."""
TellUser = Callable[[User], Sequence[Envelope]]
"""The events of a change that leaves the user like this."""
ChangeTenant = Callable[[Tenant], Tenant]
"""Decides a tenant anew."""
TellTenant = Callable[[Tenant], Sequence[Envelope]]
"""The events of a change that leaves the tenant like this."""
CheckAccount = Callable[[Account, int], None]
"""Refuses what must not be done to an account; the number is as for `ChangeAccount`."""


class PeopleStore(Protocol):
    """Tenants and users."""

    async def tenant_named(self, name: str) -> Tenant | None:
        """The tenant of a name, for whoever is about to sign in."""

    async def get_tenant(self, tenant_id: TenantId) -> Tenant:
        """NoSuchTenant."""

    async def add_tenant(
        self, tenant: Tenant, administrator: Account, events: Sequence[Envelope]
    ) -> None:
        """A tenant with its first user; TenantExists when the id or the name is in use."""

    async def change_tenant(
        self, tenant_id: TenantId, change: ChangeTenant, tell: TellTenant, now_ms: int
    ) -> Tenant:
        """Changes all but its id, name and creation, one change after another; NoSuchTenant.

        At once every session in a tenant that is suspended ends.
        """

    async def list_tenants(self, after: str, size: int) -> list[Tenant]:
        """All tenants by name, from the one after `after`; for the platform."""

    async def get_account(self, tenant_id: TenantId, user_id: str) -> Account:
        """NoSuchUser."""

    async def account_named(self, tenant_id: TenantId, username: str) -> Account | None:
        """By username, in any case of its letters."""

    async def add_user(
        self, tenant_id: TenantId, account: Account, events: Sequence[Envelope]
    ) -> None:
        """UserExists when the username is in use, TooManyUsers beyond a limit or the cap."""

    async def change_account(
        self, tenant_id: TenantId, user_id: str, change: ChangeAccount, tell: TellUser, now_ms: int
    ) -> Account:
        """Changes one account while no other of the tenant changes; NoSuchUser.

        At once every session of a user who may not sign in any more ends. What `change` raises
        leaves everything as it was; so does TooManyUsers, when one more would sign in than may.
        """

    async def remove_user(
        self,
        tenant_id: TenantId,
        user_id: str,
        check: CheckAccount,
        events: Sequence[Envelope],
    ) -> None:
        """Removes a user with their sessions, unless `check` raises; NoSuchUser."""

    async def set_password(
        self,
        tenant_id: TenantId,
        user_id: str,
        password_hash: str,
        now_ms: int,
        *,
        but: str = "",
        instead_of: str = "",
    ) -> None:
        """Another password; at once every session of the user ends, all `but` one.

        NoSuchUser; WrongCredentials when the present password is another than the one whose hash
        is `instead_of`, unless that is empty.
        """

    async def touch_user(self, tenant_id: TenantId, user_id: str, now_ms: int) -> None:
        """Remembers when they were last seen; nothing happens to one who is not there."""

    async def list_users(self, tenant_id: TenantId, query: UserQuery) -> list[User]:
        """By username in lower case."""

    async def names_in_use(self, tenant_id: TenantId, usernames: Sequence[str]) -> set[str]:
        """Those of the usernames that somebody has, in lower case."""

    async def headcount(self, tenant_id: TenantId) -> Headcount:
        """How many may sign in."""


class DispositionStore(Protocol):
    """What a tenant's contacts can have been about."""

    async def put_disposition(
        self, tenant_id: TenantId, disposition: Disposition, *, most: int
    ) -> None:
        """Creates or replaces it; TooManyDispositions when the tenant has `most` others."""

    async def dispositions(self, tenant_id: TenantId) -> list[Disposition]:
        """All of a tenant's, in no order."""

    async def remove_disposition(self, tenant_id: TenantId, code: str) -> None:
        """NoSuchDisposition."""


class SessionStore(Protocol):
    """Sessions, tokens, and the tallies of wrong passwords."""

    async def add_session(
        self,
        tenant_id: TenantId,
        session: Session,
        tokens: Sequence[Token],
        *,
        password_hash: str,
        most: int,
    ) -> bool:
        """Begins a session; the user's oldest end, so that at most `most` go on.

        False, and nothing begins, when the user has another password meanwhile, or may not sign in.
        """

    async def holder_of(self, sha256: bytes) -> Holder | None:
        """Whose a token is, whether it still works or not."""

    async def renew(
        self, tenant_id: TenantId, refresh_sha256: bytes, tokens: Sequence[Token], now_ms: int
    ) -> Verdict:
        """Changes a refresh token for the given tokens, once; used again, its session ends."""

    async def end_session(self, tenant_id: TenantId, session_id: str, now_ms: int) -> None:
        """Ends it at once; one that ended stays as it is."""

    async def change_tally(self, key: str, change: Callable[[Tally], Tally]) -> Tally:
        """Changes one tally alone; what `change` raises leaves it as it was."""

    async def tallies(self, keys: Sequence[str]) -> dict[str, Tally]:
        """Those that are known."""


class KeyStore(Protocol):
    """API keys."""

    async def add_key(self, tenant_id: TenantId, key: ApiKey, *, most: int) -> None:
        """TooManyApiKeys when the tenant has `most` that work."""

    async def key_holder(self, key_id: str) -> KeyHolder | None:
        """Whose a key is, whether it still works or not; the secret is for the caller to check."""

    async def revoke_key(self, tenant_id: TenantId, key_id: str, now_ms: int) -> ApiKey:
        """Ends it; one that was ended stays as it is. NoSuchApiKey."""

    async def touch_key(self, tenant_id: TenantId, key_id: str, now_ms: int) -> None:
        """Remembers when it was last used."""

    async def list_keys(self, tenant_id: TenantId, after: str, size: int) -> list[ApiKey]:
        """By id, which is by age."""


class TrailStore(Protocol):
    """The audit trail, the answers kept for repeated requests, and what has run out."""

    async def add_audit(
        self, tenant_id: TenantId, entries: Sequence[AuditEntry], events: Sequence[Envelope]
    ) -> None:
        """Appends; an entry that is there already is left alone."""

    async def list_audit(self, tenant_id: TenantId, query: AuditQuery) -> list[AuditEntry]:
        """Newest first."""

    async def reserve_answer(
        self, tenant_id: TenantId, key: AnswerKey, request_hash: str, now_ms: int
    ) -> Answer | None:
        """Takes a key that is free, or that time has freed: None. Otherwise what is known of it."""

    async def keep_answer(self, tenant_id: TenantId, key: AnswerKey, answer: Answer) -> None:
        """Keeps what was answered, if the key is still reserved for the same request."""

    async def drop_answer(self, tenant_id: TenantId, key: AnswerKey, request_hash: str) -> None:
        """Frees a key that was reserved for this request and not answered."""

    async def sweep(self, now_ms: int) -> int:
        """Removes some of what has run out, of every tenant; how many rows. 0: all is done."""


class PortalStore(PeopleStore, SessionStore, KeyStore, DispositionStore, TrailStore, Protocol):
    """All of it."""
