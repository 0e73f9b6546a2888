"""People and what they did, in memory: for tests and simulation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from services.chassis.bus import Bus
from services.chassis.envelope import Envelope
from services.chassis.ids import TenantId
from services.portal.core.changing import changed_tenant, check_room
from services.portal.core.checking import MAX_USERS
from services.portal.core.lockout import forget_at_ms
from services.portal.core.replaying import KEEP_MS, is_free
from services.portal.core.sessions import KEEP_EXPIRED_MS, judge_refresh
from services.portal.model.errors import (
    NoSuchApiKey,
    NoSuchTenant,
    NoSuchUser,
    TenantExists,
    TooManyApiKeys,
    TooManyUsers,
    UserExists,
    WrongCredentials,
)
from services.portal.model.people import (
    Account,
    ApiKey,
    Headcount,
    Role,
    Tenant,
    User,
    UserQuery,
)
from services.portal.model.sessions import Holder, KeyHolder, Session, Tally, Token, Verdict
from services.portal.model.trail import OK, Answer, AnswerKey, AuditEntry, AuditQuery
from services.portal.store import (
    TOPIC,
    ChangeAccount,
    ChangeTenant,
    CheckAccount,
    TellTenant,
    TellUser,
)
from services.portal.store_memory_dispositions import MemoryDispositions


@dataclass(slots=True)
class _House:
    """What one tenant owns."""

    tenant: Tenant
    """Itself."""
    accounts: dict[str, Account] = field(default_factory=dict)
    """By user id."""
    sessions: dict[str, Session] = field(default_factory=dict)
    """By id."""
    tokens: dict[bytes, Token] = field(default_factory=dict)
    """By hash."""
    keys: dict[str, ApiKey] = field(default_factory=dict)
    """By id."""
    answers: dict[AnswerKey, Answer] = field(default_factory=dict)
    """By what names the request."""


class MemoryPortalStore(MemoryDispositions):
    """A `PortalStore` that ends with its process; its events go straight to the bus."""

    def __init__(self, *, bus: Bus | None = None) -> None:
        self._bus = bus
        self._houses: dict[str, _House] = {}
        self._tallies: dict[str, Tally] = {}
        self._dispositions = defaultdict(dict)
        self._audit: defaultdict[str, dict[str, AuditEntry]] = defaultdict(dict)

    # ---- tenants and users ----

    async def tenant_named(self, name: str) -> Tenant | None:
        """See `PeopleStore.tenant_named`."""
        tenants = (house.tenant for house in self._houses.values())
        return next((tenant for tenant in tenants if tenant.name == name), None)

    async def get_tenant(self, tenant_id: TenantId) -> Tenant:
        """See `PeopleStore.get_tenant`."""
        return self._house(tenant_id).tenant

    async def add_tenant(
        self, tenant: Tenant, administrator: Account, events: Sequence[Envelope]
    ) -> None:
        """See `PeopleStore.add_tenant`."""
        if tenant.tenant_id in self._houses or await self.tenant_named(tenant.name):
            raise TenantExists(tenant.name)
        accounts = {administrator.user.user_id: administrator}
        self._houses[tenant.tenant_id] = _House(tenant=tenant, accounts=accounts)
        await self._tell(events)

    async def change_tenant(
        self, tenant_id: TenantId, change: ChangeTenant, tell: TellTenant, now_ms: int
    ) -> Tenant:
        """See `PeopleStore.change_tenant`."""
        house = self._house(tenant_id)
        house.tenant = changed = changed_tenant(house.tenant, change(house.tenant))
        if changed.caps.suspended:
            for session_id in list(house.sessions):
                await self.end_session(tenant_id, session_id, now_ms)
        await self._tell(tell(changed))
        return changed

    async def list_tenants(self, after: str, size: int) -> list[Tenant]:
        """See `PeopleStore.list_tenants`."""
        tenants = [house.tenant for house in self._houses.values() if house.tenant.name > after]
        return sorted(tenants, key=lambda tenant: tenant.name)[:size]

    async def get_account(self, tenant_id: TenantId, user_id: str) -> Account:
        """See `PeopleStore.get_account`."""
        house = self._houses.get(tenant_id)
        account = house.accounts.get(user_id) if house else None
        if account is None:
            raise NoSuchUser(user_id)
        return account

    async def account_named(self, tenant_id: TenantId, username: str) -> Account | None:
        """See `PeopleStore.account_named`."""
        house = self._houses.get(tenant_id)
        accounts = house.accounts.values() if house else ()
        wanted = username.lower()
        return next((each for each in accounts if each.user.username.lower() == wanted), None)

    async def add_user(
        self, tenant_id: TenantId, account: Account, events: Sequence[Envelope]
    ) -> None:
        """See `PeopleStore.add_user`."""
        house = self._house(tenant_id)
        if len(house.accounts) >= MAX_USERS:
            raise TooManyUsers(f"at most {MAX_USERS}")
        known = await self.account_named(tenant_id, account.user.username)
        if known is not None or account.user.user_id in house.accounts:
            raise UserExists(account.user.username)
        check_room(house.tenant.caps, _active(house))
        house.accounts[account.user.user_id] = account
        await self._tell(events)

    async def change_account(
        self, tenant_id: TenantId, user_id: str, change: ChangeAccount, tell: TellUser, now_ms: int
    ) -> Account:
        """See `PeopleStore.change_account`."""
        account = await self.get_account(tenant_id, user_id)
        accounts = self._house(tenant_id).accounts
        others = _others(accounts, account)
        changed = change(account, others)
        if changed.user.active and not account.user.active:
            house = self._house(tenant_id)
            check_room(house.tenant.caps, _active(house))
        accounts[user_id] = changed
        if not changed.user.active:
            await self._end_sessions(tenant_id, user_id, now_ms)
        await self._tell(tell(changed.user))
        return changed

    async def remove_user(
        self,
        tenant_id: TenantId,
        user_id: str,
        check: CheckAccount,
        events: Sequence[Envelope],
    ) -> None:
        """See `PeopleStore.remove_user`."""
        account = await self.get_account(tenant_id, user_id)
        house = self._house(tenant_id)
        check(account, _others(house.accounts, account))
        gone = [each.session_id for each in house.sessions.values() if each.user_id == user_id]
        for session_id in gone:
            del house.sessions[session_id]
        house.tokens = {
            sha256: token for sha256, token in house.tokens.items() if token.session_id not in gone
        }
        del house.accounts[user_id]
        await self._tell(events)

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
        """See `PeopleStore.set_password`."""
        account = await self.get_account(tenant_id, user_id)
        if instead_of not in {"", account.password_hash}:
            raise WrongCredentials("the password was changed meanwhile")
        self._house(tenant_id).accounts[user_id] = replace(account, password_hash=password_hash)
        await self._end_sessions(tenant_id, user_id, now_ms, but=but)

    async def touch_user(self, tenant_id: TenantId, user_id: str, now_ms: int) -> None:
        """See `PeopleStore.touch_user`."""
        accounts = self._house(tenant_id).accounts
        if user_id in accounts:
            user = replace(accounts[user_id].user, last_seen_at_ms=now_ms)
            accounts[user_id] = replace(accounts[user_id], user=user)

    async def list_users(self, tenant_id: TenantId, query: UserQuery) -> list[User]:
        """See `PeopleStore.list_users`."""
        house = self._houses.get(tenant_id)
        users = [account.user for account in house.accounts.values()] if house else []
        part = query.search.lower()
        found = [
            user
            for user in users
            if (part in user.username.lower() or part in user.display_name.lower())
            and (not query.role or query.role in user.roles)
            and user.username.lower() > query.after
        ]
        return sorted(found, key=lambda user: user.username.lower())[: query.size]

    async def names_in_use(self, tenant_id: TenantId, usernames: Sequence[str]) -> set[str]:
        """See `PeopleStore.names_in_use`."""
        house = self._houses.get(tenant_id)
        accounts = house.accounts.values() if house else ()
        return {each.user.username.lower() for each in accounts} & {
            name.lower() for name in usernames
        }

    async def headcount(self, tenant_id: TenantId) -> Headcount:
        """See `PeopleStore.headcount`."""
        house = self._houses.get(tenant_id)
        accounts = house.accounts.values() if house else ()
        active = [each.user for each in accounts if each.user.active]
        administrators = sum(Role.ADMINISTRATOR in user.roles for user in active)
        return Headcount(len(active), administrators)

    # ---- sessions ----

    async def add_session(
        self,
        tenant_id: TenantId,
        session: Session,
        tokens: Sequence[Token],
        *,
        password_hash: str,
        most: int,
    ) -> bool:
        """See `SessionStore.add_session`."""
        house = self._house(tenant_id)
        account = house.accounts[session.user_id]
        if account.password_hash != password_hash or not account.user.active:
            return False
        live = sorted(
            (each.created_at_ms, each.session_id)
            for each in house.sessions.values()
            if each.user_id == session.user_id and not each.ended_at_ms
        )
        for _, session_id in live[: max(0, len(live) + 1 - most)]:
            await self.end_session(tenant_id, session_id, session.created_at_ms)
        house.sessions[session.session_id] = session
        house.tokens |= {token.sha256: token for token in tokens}
        return True

    async def holder_of(self, sha256: bytes) -> Holder | None:
        """See `SessionStore.holder_of`."""
        for house in self._houses.values():
            token = house.tokens.get(sha256)
            if token is not None:
                session = house.sessions[token.session_id]
                user = house.accounts[session.user_id].user
                return Holder(house.tenant, user, session, token)
        return None

    async def renew(
        self, tenant_id: TenantId, refresh_sha256: bytes, tokens: Sequence[Token], now_ms: int
    ) -> Verdict:
        """See `SessionStore.renew`."""
        house = self._houses.get(tenant_id)
        token = house.tokens.get(refresh_sha256) if house else None
        if house is None or token is None:
            return Verdict.REFUSED
        verdict = judge_refresh(token, house.sessions[token.session_id], now_ms)
        if verdict is Verdict.GRANTED:
            house.tokens[refresh_sha256] = replace(token, used_at_ms=now_ms)
            house.tokens |= {each.sha256: each for each in tokens}
        elif verdict is Verdict.REUSED:
            await self.end_session(tenant_id, token.session_id, now_ms)
        return verdict

    async def end_session(self, tenant_id: TenantId, session_id: str, now_ms: int) -> None:
        """See `SessionStore.end_session`."""
        sessions = self._house(tenant_id).sessions
        session = sessions.get(session_id)
        if session is not None and not session.ended_at_ms:
            sessions[session_id] = replace(session, ended_at_ms=now_ms)

    async def change_tally(self, key: str, change: Callable[[Tally], Tally]) -> Tally:
        """See `SessionStore.change_tally`."""
        tally = change(self._tallies.get(key, Tally()))
        self._tallies[key] = tally
        if tally == Tally():
            del self._tallies[key]
        return tally

    async def tallies(self, keys: Sequence[str]) -> dict[str, Tally]:
        """See `SessionStore.tallies`."""
        return {key: self._tallies[key] for key in keys if key in self._tallies}

    # ---- keys ----

    async def add_key(self, tenant_id: TenantId, key: ApiKey, *, most: int) -> None:
        """See `KeyStore.add_key`."""
        keys = self._house(tenant_id).keys
        if sum(each.works(key.created_at_ms) for each in keys.values()) >= most:
            raise TooManyApiKeys(f"at most {most}")
        keys[key.key_id] = key

    async def key_holder(self, key_id: str) -> KeyHolder | None:
        """See `KeyStore.key_holder`."""
        houses = (house for house in self._houses.values() if key_id in house.keys)
        house = next(houses, None)
        return KeyHolder(house.tenant, house.keys[key_id]) if house else None

    async def revoke_key(self, tenant_id: TenantId, key_id: str, now_ms: int) -> ApiKey:
        """See `KeyStore.revoke_key`."""
        keys = self._house(tenant_id).keys
        if key_id not in keys:
            raise NoSuchApiKey(key_id)
        if not keys[key_id].revoked_at_ms:
            keys[key_id] = replace(keys[key_id], revoked_at_ms=now_ms)
        return keys[key_id]

    async def touch_key(self, tenant_id: TenantId, key_id: str, now_ms: int) -> None:
        """See `KeyStore.touch_key`."""
        keys = self._house(tenant_id).keys
        if key_id in keys:
            keys[key_id] = replace(keys[key_id], last_used_at_ms=now_ms)

    async def list_keys(self, tenant_id: TenantId, after: str, size: int) -> list[ApiKey]:
        """See `KeyStore.list_keys`."""
        house = self._houses.get(tenant_id)
        keys = [key for key in house.keys.values() if key.key_id > after] if house else []
        return sorted(keys, key=lambda key: key.key_id)[:size]

    # ---- the trail, answers, and what has run out ----

    async def add_audit(
        self, tenant_id: TenantId, entries: Sequence[AuditEntry], events: Sequence[Envelope]
    ) -> None:
        """See `TrailStore.add_audit`."""
        for entry in entries:
            self._audit[tenant_id].setdefault(entry.audit_id, entry)
        await self._tell(events)

    async def list_audit(self, tenant_id: TenantId, query: AuditQuery) -> list[AuditEntry]:
        """See `TrailStore.list_audit`."""
        found = [entry for entry in self._audit[tenant_id].values() if _is_asked(entry, query)]
        return sorted(found, key=lambda entry: entry.audit_id, reverse=True)[: query.size]

    async def reserve_answer(
        self, tenant_id: TenantId, key: AnswerKey, request_hash: str, now_ms: int
    ) -> Answer | None:
        """See `TrailStore.reserve_answer`."""
        answers = self._house(tenant_id).answers
        known = answers.get(key)
        if known is not None and not is_free(known, request_hash, now_ms):
            return known
        answers[key] = Answer(request_hash, now_ms)
        return None

    async def keep_answer(self, tenant_id: TenantId, key: AnswerKey, answer: Answer) -> None:
        """See `TrailStore.keep_answer`."""
        answers = self._house(tenant_id).answers
        known = answers.get(key)
        if known is not None and known.request_hash == answer.request_hash:
            answers[key] = answer

    async def drop_answer(self, tenant_id: TenantId, key: AnswerKey, request_hash: str) -> None:
        """See `TrailStore.drop_answer`."""
        answers = self._house(tenant_id).answers
        known = answers.get(key)
        if known is not None and known.request_hash == request_hash and not known.status:
            del answers[key]

    async def sweep(self, now_ms: int) -> int:
        """See `TrailStore.sweep`."""
        over = [key for key, tally in self._tallies.items() if forget_at_ms(tally) <= now_ms]
        for key in over:
            del self._tallies[key]
        return len(over) + sum(_sweep(house, now_ms) for house in self._houses.values())

    async def _end_sessions(
        self, tenant_id: TenantId, user_id: str, now_ms: int, but: str = ""
    ) -> None:
        for session in list(self._house(tenant_id).sessions.values()):
            if session.user_id == user_id and session.session_id != but:
                await self.end_session(tenant_id, session.session_id, now_ms)

    def _house(self, tenant_id: str) -> _House:
        house = self._houses.get(tenant_id)
        if house is None:
            raise NoSuchTenant(tenant_id)
        return house

    async def _tell(self, events: Sequence[Envelope]) -> None:
        if self._bus is not None and events:
            await self._bus.publish(TOPIC, events)


def _active(house: _House) -> int:
    return sum(each.user.active for each in house.accounts.values())


def _others(accounts: Mapping[str, Account], account: Account) -> int:
    """How many others rule with at least the roles that this one rules with."""
    user = account.user
    return sum(
        user.ruling <= each.user.ruling
        for user_id, each in accounts.items()
        if user_id != user.user_id
    )


def _is_asked(entry: AuditEntry, query: AuditQuery) -> bool:
    return (
        query.from_ms <= entry.at_ms
        and (not query.to_ms or entry.at_ms < query.to_ms)
        and (not query.actor_id or entry.actor_id == query.actor_id)
        and entry.action.startswith(query.action)
        and (not query.refused or entry.outcome != OK)
        and (not query.before or entry.audit_id < query.before)
    )


def _sweep(house: _House, now_ms: int) -> int:
    answers = [k for k, each in house.answers.items() if each.reserved_at_ms <= now_ms - KEEP_MS]
    for key in answers:
        del house.answers[key]
    over_ms = now_ms - KEEP_EXPIRED_MS
    tokens = [token.sha256 for token in house.tokens.values() if token.expires_at_ms <= over_ms]
    for sha256 in tokens:
        del house.tokens[sha256]
    alive = {token.session_id for token in house.tokens.values()}
    sessions = [session_id for session_id in house.sessions if session_id not in alive]
    for session_id in sessions:
        del house.sessions[session_id]
    return len(answers) + len(tokens) + len(sessions)
