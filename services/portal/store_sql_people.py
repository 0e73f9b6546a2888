"""Users in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from services.chassis import outbox
from services.chassis.database import Connection, Database
from services.chassis.envelope import Envelope
from services.chassis.ids import TenantId
from services.portal.core.changing import check_room
from services.portal.core.checking import MAX_USERS
from services.portal.model.errors import (
    NoSuchTenant,
    NoSuchUser,
    TooManyUsers,
    UserExists,
    WrongCredentials,
)
from services.portal.model.people import Account, Headcount, Role, Tenant, User, UserQuery
from services.portal.store import TOPIC, ChangeAccount, CheckAccount, TellUser
from services.portal.store_sql_accounts import (
    ACCOUNT,
    USER_COLUMNS,
    account_of,
    insert_account,
    update_account,
    user_of,
)
from services.portal.store_sql_tenants import locked_tenant


class SqlPeople:
    """The part of `PeopleStore` about users."""

    _database: Database

    async def get_account(self, tenant_id: TenantId, user_id: str) -> Account:
        """See `PeopleStore.get_account`."""
        async with self._database.transaction(tenant_id) as connection:
            row = await connection.fetchrow(f"{ACCOUNT} WHERE user_id = $1", user_id)
        if row is None:
            raise NoSuchUser(user_id)
        return account_of(row)

    async def account_named(self, tenant_id: TenantId, username: str) -> Account | None:
        """See `PeopleStore.account_named`."""
        async with self._database.transaction(tenant_id) as connection:
            row = await connection.fetchrow(f"{ACCOUNT} WHERE username_key = $1", username.lower())
        return None if row is None else account_of(row)

    async def add_user(
        self, tenant_id: TenantId, account: Account, events: Sequence[Envelope]
    ) -> None:
        """See `PeopleStore.add_user`."""
        try:
            async with self._database.transaction(tenant_id) as connection:
                tenant = await locked_tenant(connection, tenant_id)
                if await connection.fetchval("SELECT count(*) FROM account") >= MAX_USERS:
                    raise TooManyUsers(f"at most {MAX_USERS}")
                check_room(tenant.caps, await _active(connection))
                await insert_account(connection, tenant_id, account)
                await outbox.add(connection, TOPIC, events)
        except asyncpg.UniqueViolationError:
            raise UserExists(account.user.username) from None

    async def change_account(
        self, tenant_id: TenantId, user_id: str, change: ChangeAccount, tell: TellUser, now_ms: int
    ) -> Account:
        """See `PeopleStore.change_account`."""
        async with self._database.transaction(tenant_id) as connection:
            # Two administrators who demote each other at once must not both succeed.
            tenant = await _tenant_of_user(connection, tenant_id, user_id)
            # Nor must a password that is set meanwhile be overwritten by the one read here.
            account, others = await _account_among_others(connection, user_id)
            changed = change(account, others)
            if changed.user.active and not account.user.active:
                check_room(tenant.caps, await _active(connection))
            await update_account(connection, changed)
            if not changed.user.active:
                await _end_sessions(connection, user_id, now_ms)
            await outbox.add(connection, TOPIC, tell(changed.user))
        return changed

    async def remove_user(
        self,
        tenant_id: TenantId,
        user_id: str,
        check: CheckAccount,
        events: Sequence[Envelope],
    ) -> None:
        """See `PeopleStore.remove_user`."""
        async with self._database.transaction(tenant_id) as connection:
            await _tenant_of_user(connection, tenant_id, user_id)
            check(*await _account_among_others(connection, user_id))
            sessions = "SELECT session_id FROM session WHERE user_id = $1"
            for statement in (
                f"DELETE FROM token WHERE session_id IN ({sessions})",  # noqa: S608  # constants
                "DELETE FROM session WHERE user_id = $1",
                "DELETE FROM account WHERE user_id = $1",
            ):
                await connection.execute(statement, user_id)
            await outbox.add(connection, TOPIC, events)

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

    async def names_in_use(self, tenant_id: TenantId, usernames: Sequence[str]) -> set[str]:
        """See `PeopleStore.names_in_use`."""
        async with self._database.transaction(tenant_id) as connection:
            rows = await connection.fetch(
                "SELECT username_key FROM account WHERE username_key = ANY ($1)",
                [name.lower() for name in usernames],
            )
        return {row["username_key"] for row in rows}

    async def headcount(self, tenant_id: TenantId) -> Headcount:
        """See `PeopleStore.headcount`."""
        async with self._database.transaction(tenant_id) as connection:
            row = await connection.fetchrow(
                "SELECT count(*) AS users, count(*) FILTER (WHERE $1 = ANY (roles)) AS ruling"
                " FROM account WHERE active",
                Role.ADMINISTRATOR,
            )
        assert row is not None, "counting gives one row"
        return Headcount(row["users"], row["ruling"])


async def _tenant_of_user(connection: Connection, tenant_id: TenantId, user_id: str) -> Tenant:
    """See `locked_tenant`; a tenant that is not there has no user: NoSuchUser."""
    try:
        return await locked_tenant(connection, tenant_id)
    except NoSuchTenant:
        raise NoSuchUser(user_id) from None


async def _account_among_others(connection: Connection, user_id: str) -> tuple[Account, int]:
    """A user, who changes no more meanwhile, and how many others rule as they do; NoSuchUser."""
    row = await connection.fetchrow(f"{ACCOUNT} WHERE user_id = $1 FOR NO KEY UPDATE", user_id)
    if row is None:
        raise NoSuchUser(user_id)
    account = account_of(row)
    others = await connection.fetchval(
        "SELECT count(*) FROM account WHERE user_id <> $1 AND active AND roles @> $2",
        user_id,
        sorted(account.user.ruling),
    )
    return account, others


async def _active(connection: Connection) -> int:
    count: int = await connection.fetchval("SELECT count(*) FROM account WHERE active")
    return count


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
