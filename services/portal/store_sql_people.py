"""Tenants and users in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg

from services.chassis import outbox
from services.chassis.database import Connection, Database
from services.chassis.envelope import Envelope
from services.chassis.ids import TenantId
from services.portal.core.checking import MAX_USERS
from services.portal.model.errors import (
    NoSuchTenant,
    NoSuchUser,
    TenantExists,
    TooManyUsers,
    UserExists,
    WrongCredentials,
)
from services.portal.model.people import Account, Role, Tenant, User, UserQuery
from services.portal.store import TOPIC, ChangeAccount, TellUser

USER_COLUMNS = (
    "user_id, username, display_name, email, roles, active, created_at_ms, last_seen_at_ms"
)
_ACCOUNT = f"SELECT {USER_COLUMNS}, password_hash FROM account"  # noqa: S608  # constants


class SqlPeople:
    """See `PeopleStore`."""

    _database: Database

    async def tenant_named(self, name: str) -> Tenant | None:
        """See `PeopleStore.tenant_named`."""
        async with self._database.untenanted() as connection:
            row = await connection.fetchrow("SELECT * FROM portal.tenant_named($1)", name)
        return None if row is None else tenant_of(row)

    async def get_tenant(self, tenant_id: TenantId) -> Tenant:
        """See `PeopleStore.get_tenant`."""
        async with self._database.transaction(tenant_id) as connection:
            row = await connection.fetchrow("SELECT * FROM tenant WHERE tenant_id = $1", tenant_id)
        if row is None:
            raise NoSuchTenant(tenant_id)
        return tenant_of(row)

    async def add_tenant(
        self, tenant: Tenant, administrator: Account, events: Sequence[Envelope]
    ) -> None:
        """See `PeopleStore.add_tenant`."""
        try:
            async with self._database.transaction(tenant.tenant_id) as connection:
                await connection.execute(
                    "INSERT INTO tenant (tenant_id, name, display_name, time_zone, region,"
                    " created_at_ms) VALUES ($1, $2, $3, $4, $5, $6)",
                    tenant.tenant_id,
                    tenant.name,
                    tenant.display_name,
                    tenant.time_zone,
                    tenant.region,
                    tenant.created_at_ms,
                )
                await _insert(connection, tenant.tenant_id, administrator)
                await outbox.add(connection, TOPIC, events)
        except asyncpg.UniqueViolationError:
            raise TenantExists(tenant.name) from None

    async def put_tenant(self, tenant: Tenant, events: Sequence[Envelope]) -> None:
        """See `PeopleStore.put_tenant`."""
        async with self._database.transaction(tenant.tenant_id) as connection:
            there = await connection.fetchval(
                "UPDATE tenant SET display_name = $2, time_zone = $3, region = $4"
                " WHERE tenant_id = $1 RETURNING 1",
                tenant.tenant_id,
                tenant.display_name,
                tenant.time_zone,
                tenant.region,
            )
            if there is None:
                raise NoSuchTenant(tenant.tenant_id)
            await outbox.add(connection, TOPIC, events)

    async def list_tenants(self, after: str, size: int) -> list[Tenant]:
        """See `PeopleStore.list_tenants`."""
        async with self._database.untenanted() as connection:
            rows = await connection.fetch("SELECT * FROM portal.tenants_after($1, $2)", after, size)
        return [tenant_of(row) for row in rows]

    async def get_account(self, tenant_id: TenantId, user_id: str) -> Account:
        """See `PeopleStore.get_account`."""
        async with self._database.transaction(tenant_id) as connection:
            row = await connection.fetchrow(f"{_ACCOUNT} WHERE user_id = $1", user_id)
        if row is None:
            raise NoSuchUser(user_id)
        return _account_of(row)

    async def account_named(self, tenant_id: TenantId, username: str) -> Account | None:
        """See `PeopleStore.account_named`."""
        async with self._database.transaction(tenant_id) as connection:
            row = await connection.fetchrow(f"{_ACCOUNT} WHERE username_key = $1", username.lower())
        return None if row is None else _account_of(row)

    async def add_user(
        self, tenant_id: TenantId, account: Account, events: Sequence[Envelope]
    ) -> None:
        """See `PeopleStore.add_user`."""
        try:
            async with self._database.transaction(tenant_id) as connection:
                if not await _lock(connection, tenant_id):
                    raise NoSuchTenant(tenant_id)
                if await connection.fetchval("SELECT count(*) FROM account") >= MAX_USERS:
                    raise TooManyUsers(f"at most {MAX_USERS}")
                await _insert(connection, tenant_id, account)
                await outbox.add(connection, TOPIC, events)
        except asyncpg.UniqueViolationError:
            raise UserExists(account.user.username) from None

    async def change_account(
        self, tenant_id: TenantId, user_id: str, change: ChangeAccount, tell: TellUser, now_ms: int
    ) -> Account:
        """See `PeopleStore.change_account`."""
        async with self._database.transaction(tenant_id) as connection:
            # Two administrators who demote each other at once must not both succeed.
            await _lock(connection, tenant_id)
            # Nor must a password that is set meanwhile be overwritten by the one read here.
            row = await connection.fetchrow(
                f"{_ACCOUNT} WHERE user_id = $1 FOR NO KEY UPDATE", user_id
            )
            if row is None:
                raise NoSuchUser(user_id)
            account = _account_of(row)
            others = await connection.fetchval(
                "SELECT count(*) FROM account WHERE user_id <> $1 AND active AND roles @> $2",
                user_id,
                sorted(account.user.ruling),
            )
            changed = change(account, others)
            await _update(connection, changed)
            if not changed.user.active:
                await _end_sessions(connection, user_id, now_ms)
            await outbox.add(connection, TOPIC, tell(changed.user))
        return changed

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
        async with self._database.transaction(tenant_id) as connection:
            present = await connection.fetchval(
                "SELECT password_hash FROM account WHERE user_id = $1 FOR NO KEY UPDATE", user_id
            )
            if present is None:
                raise NoSuchUser(user_id)
            if instead_of not in {"", present}:
                raise WrongCredentials("the password was changed meanwhile")
            await connection.execute(
                "UPDATE account SET password_hash = $2 WHERE user_id = $1", user_id, password_hash
            )
            await _end_sessions(connection, user_id, now_ms, but=but)

    async def touch_user(self, tenant_id: TenantId, user_id: str, now_ms: int) -> None:
        """See `PeopleStore.touch_user`."""
        async with self._database.transaction(tenant_id) as connection:
            await connection.execute(
                "UPDATE account SET last_seen_at_ms = $2 WHERE user_id = $1", user_id, now_ms
            )

    async def list_users(self, tenant_id: TenantId, query: UserQuery) -> list[User]:
        """See `PeopleStore.list_users`."""
        async with self._database.transaction(tenant_id) as connection:
            rows = await connection.fetch(
                f"SELECT {USER_COLUMNS} FROM account"  # noqa: S608  # constants
                " WHERE strpos(search, $1) > 0 AND ($2 = '' OR $2 = ANY(roles))"
                " AND username_key > $3 ORDER BY username_key LIMIT $4",
                query.search.lower(),
                query.role,
                query.after,
                query.size,
            )
        return [user_of(row) for row in rows]


def tenant_of(row: Any) -> Tenant:
    """A row of `tenant`."""
    return Tenant(
        tenant_id=TenantId(row["tenant_id"]),
        name=row["name"],
        display_name=row["display_name"],
        time_zone=row["time_zone"],
        region=row["region"],
        created_at_ms=row["created_at_ms"],
    )


def user_of(row: Any) -> User:
    """A row with `USER_COLUMNS`."""
    return User(
        user_id=row["user_id"],
        username=row["username"],
        display_name=row["display_name"],
        email=row["email"],
        roles=frozenset(Role(each) for each in row["roles"]),
        active=row["active"],
        created_at_ms=row["created_at_ms"],
        last_seen_at_ms=row["last_seen_at_ms"],
    )


def _account_of(row: Any) -> Account:
    return Account(user=user_of(row), password_hash=row["password_hash"])


def _search(user: User) -> str:
    return f"{user.username}\n{user.display_name}".lower()


async def _lock(connection: Connection, tenant_id: TenantId) -> bool:
    """Nobody else changes the tenant's users until the transaction ends; False: no tenant."""
    there = await connection.fetchval(
        "SELECT 1 FROM tenant WHERE tenant_id = $1 FOR UPDATE", tenant_id
    )
    return there is not None


async def _insert(connection: Connection, tenant_id: TenantId, account: Account) -> None:
    user = account.user
    await connection.execute(
        "INSERT INTO account (tenant_id, user_id, username, username_key, search, display_name,"
        " email, roles, active, password_hash, created_at_ms, last_seen_at_ms)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        tenant_id,
        user.user_id,
        user.username,
        user.username.lower(),
        _search(user),
        user.display_name,
        user.email,
        sorted(user.roles),
        user.active,
        account.password_hash,
        user.created_at_ms,
        user.last_seen_at_ms,
    )


async def _update(connection: Connection, account: Account) -> None:
    user = account.user
    await connection.execute(
        "UPDATE account SET search = $2, display_name = $3, email = $4, roles = $5, active = $6,"
        " password_hash = $7 WHERE user_id = $1",
        user.user_id,
        _search(user),
        user.display_name,
        user.email,
        sorted(user.roles),
        user.active,
        account.password_hash,
    )


async def _end_sessions(
    connection: Connection, user_id: str, now_ms: int, *, but: str = ""
) -> None:
    await connection.execute(
        "UPDATE session SET ended_at_ms = $2"
        " WHERE user_id = $1 AND ended_at_ms = 0 AND session_id <> $3",
        user_id,
        now_ms,
        but,
    )
