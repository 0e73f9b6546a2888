"""Users as rows of PostgreSQL."""

from __future__ import annotations

from typing import Any

from services.chassis.database import Connection
from services.chassis.ids import TenantId
from services.portal.model.people import Account, Role, User

USER_COLUMNS = (
    "user_id, username, display_name, email, roles, active, created_at_ms, last_seen_at_ms"
)
ACCOUNT = f"SELECT {USER_COLUMNS}, password_hash FROM account"  # noqa: S608  # constants


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


def account_of(row: Any) -> Account:
    """A row of `ACCOUNT`."""
    return Account(user=user_of(row), password_hash=row["password_hash"])


async def insert_account(connection: Connection, tenant_id: TenantId, account: Account) -> None:
    """A new user of a tenant; asyncpg.UniqueViolationError when the username is in use."""
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


async def update_account(connection: Connection, account: Account) -> None:
    """All that can change of a user."""
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


def _search(user: User) -> str:
    return f"{user.username}\n{user.display_name}".lower()
