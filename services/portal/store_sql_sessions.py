"""Sessions, tokens and tallies in PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from services.chassis.database import Connection, Database
from services.chassis.ids import TenantId
from services.portal.core.lockout import forget_at_ms
from services.portal.core.sessions import judge_refresh
from services.portal.model.sessions import Holder, Session, Tally, Token, TokenKind, Verdict
from services.portal.store_sql_accounts import user_of
from services.portal.store_sql_tenants import TENANT_COLUMNS, tenant_of

_END = "UPDATE session SET ended_at_ms = $2 WHERE ended_at_ms = 0 AND"
_END_OLDEST = f"""{_END} session_id IN (
  SELECT session_id FROM session WHERE user_id = $1 AND ended_at_ms = 0
  ORDER BY created_at_ms DESC, session_id DESC OFFSET $3)"""  # noqa: S608  # constants
_HOLDER = """
SELECT n.tenant_id, n.name, n.display_name AS tenant_display_name, n.time_zone, n.region,
  n.created_at_ms AS tenant_created_at_ms, n.language, n.max_users, n.max_calls, n.suspended,
  a.user_id, a.username, a.display_name, a.email, a.roles, a.active, a.created_at_ms,
  a.last_seen_at_ms,
  s.session_id, s.created_at_ms AS session_created_at_ms, s.ended_at_ms,
  t.sha256, t.kind, t.expires_at_ms, t.used_at_ms
FROM token t
JOIN session s USING (tenant_id, session_id)
JOIN account a USING (tenant_id, user_id)
JOIN tenant n USING (tenant_id)
WHERE t.sha256 = $1
"""


class SqlSessions:
    """See `SessionStore`."""

    _database: Database

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
        async with self._database.transaction(tenant_id) as connection:
            may = await connection.fetchval(
                "SELECT 1 FROM account WHERE user_id = $1 AND password_hash = $2 AND active"
                " FOR NO KEY UPDATE",
                session.user_id,
                password_hash,
            )
            if may is None:
                return False
            await connection.execute(
                _END_OLDEST,
                session.user_id,
                session.created_at_ms,
                most - 1,
            )
            await connection.execute(
                "INSERT INTO session (tenant_id, session_id, user_id, created_at_ms)"
                " VALUES ($1, $2, $3, $4)",
                tenant_id,
                session.session_id,
                session.user_id,
                session.created_at_ms,
            )
            await _insert(connection, tenant_id, tokens)
        return True

    async def holder_of(self, sha256: bytes) -> Holder | None:
        """See `SessionStore.holder_of`."""
        async with self._database.untenanted() as connection:
            tenant_id = await connection.fetchval("SELECT portal.tenant_of_token($1)", sha256)
        if tenant_id is None:
            return None
        async with self._database.transaction(TenantId(tenant_id)) as connection:
            row = await connection.fetchrow(_HOLDER, sha256)
        return None if row is None else _holder_of(row)

    async def renew(
        self, tenant_id: TenantId, refresh_sha256: bytes, tokens: Sequence[Token], now_ms: int
    ) -> Verdict:
        """See `SessionStore.renew`."""
        async with self._database.transaction(tenant_id) as connection:
            row = await connection.fetchrow(
                "SELECT sha256, kind, session_id, user_id, expires_at_ms, used_at_ms,"
                " created_at_ms AS session_created_at_ms, ended_at_ms"
                " FROM token JOIN session USING (tenant_id, session_id)"
                " WHERE sha256 = $1 FOR UPDATE",
                refresh_sha256,
            )
            if row is None:
                return Verdict.REFUSED
            verdict = judge_refresh(_token_of(row), _session_of(row), now_ms)
            if verdict is Verdict.GRANTED:
                await connection.execute(
                    "UPDATE token SET used_at_ms = $2 WHERE sha256 = $1", refresh_sha256, now_ms
                )
                await _insert(connection, tenant_id, tokens)
            elif verdict is Verdict.REUSED:
                await connection.execute(f"{_END} session_id = $1", row["session_id"], now_ms)
        return verdict

    async def end_session(self, tenant_id: TenantId, session_id: str, now_ms: int) -> None:
        """See `SessionStore.end_session`."""
        async with self._database.transaction(tenant_id) as connection:
            await connection.execute(f"{_END} session_id = $1", session_id, now_ms)

    async def change_tally(self, key: str, change: Callable[[Tally], Tally]) -> Tally:
        """See `SessionStore.change_tally`."""
        async with self._database.untenanted() as connection:
            # There is no row to lock before the first wrong password.
            await connection.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended('carillon.tally.' || $1, 0))", key
            )
            row = await connection.fetchrow("SELECT * FROM tally WHERE key = $1", key)
            tally = change(Tally() if row is None else _tally_of(row))
            if tally == Tally():
                await connection.execute("DELETE FROM tally WHERE key = $1", key)
            else:
                await connection.execute(
                    "INSERT INTO tally (key, failed_at_ms, locked_until_ms, forget_at_ms)"
                    " VALUES ($1, $2, $3, $4) ON CONFLICT (key) DO UPDATE"
                    " SET failed_at_ms = $2, locked_until_ms = $3, forget_at_ms = $4",
                    key,
                    tally.failed_at_ms,
                    tally.locked_until_ms,
                    forget_at_ms(tally),
                )
        return tally

    async def tallies(self, keys: Sequence[str]) -> dict[str, Tally]:
        """See `SessionStore.tallies`."""
        async with self._database.untenanted() as connection:
            rows = await connection.fetch("SELECT * FROM tally WHERE key = ANY($1)", list(keys))
        return {row["key"]: _tally_of(row) for row in rows}


async def _insert(connection: Connection, tenant_id: TenantId, tokens: Sequence[Token]) -> None:
    await connection.executemany(
        "INSERT INTO token (tenant_id, sha256, kind, session_id, expires_at_ms)"
        " VALUES ($1, $2, $3, $4, $5)",
        [
            (tenant_id, token.sha256, token.kind, token.session_id, token.expires_at_ms)
            for token in tokens
        ],
    )


def _holder_of(row: Any) -> Holder:
    names = {"display_name", "created_at_ms"}
    tenant = {name: row[f"tenant_{name}" if name in names else name] for name in TENANT_COLUMNS}
    return Holder(tenant_of(tenant), user_of(row), _session_of(row), _token_of(row))


def _session_of(row: Any) -> Session:
    return Session(
        session_id=row["session_id"],
        user_id=row["user_id"],
        created_at_ms=row["session_created_at_ms"],
        ended_at_ms=row["ended_at_ms"],
    )


def _token_of(row: Any) -> Token:
    return Token(
        sha256=row["sha256"],
        kind=TokenKind(row["kind"]),
        session_id=row["session_id"],
        expires_at_ms=row["expires_at_ms"],
        used_at_ms=row["used_at_ms"],
    )


def _tally_of(row: Any) -> Tally:
    return Tally(tuple(row["failed_at_ms"]), row["locked_until_ms"])
