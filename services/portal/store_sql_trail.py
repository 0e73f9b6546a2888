"""The audit trail, answers to repeated requests, and what has run out, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from typing import Any

from services.chassis import outbox
from services.chassis.database import Connection, Database
from services.chassis.envelope import Envelope
from services.chassis.ids import TenantId, uuid7
from services.portal.core.replaying import KEEP_MS, is_free
from services.portal.core.sessions import KEEP_EXPIRED_MS
from services.portal.model.trail import Answer, AnswerKey, AuditEntry, AuditQuery
from services.portal.store import TOPIC

SWEEP_TENANTS = 20
SWEEP_ROWS = 1_000
"""Of one kind and tenant, in one transaction."""
SLACK_MS = 60_000
"""An entry's id and its time are taken one after the other, and a clock may be set between."""
_LAST_MS = 2**48 - 1
"""What a UUIDv7 holds."""
_AFTER_ALL = "~"
"""Sorts after every id."""
_AUDIT_COLUMNS = (
    "audit_id, at_ms, actor_id, actor_name, actor_kind, action, subject, outcome, address,"
    " detail_json"
)


class SqlTrail:
    """See `TrailStore`."""

    _database: Database

    async def add_audit(
        self, tenant_id: TenantId, entries: Sequence[AuditEntry], events: Sequence[Envelope]
    ) -> None:
        """See `TrailStore.add_audit`."""
        async with self._database.transaction(tenant_id) as connection:
            await connection.executemany(
                f"INSERT INTO audit (tenant_id, {_AUDIT_COLUMNS})"  # noqa: S608  # constants
                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING",
                [(tenant_id, *astuple(entry)) for entry in entries],
            )
            await outbox.add(connection, TOPIC, events)

    async def list_audit(self, tenant_id: TenantId, query: AuditQuery) -> list[AuditEntry]:
        """See `TrailStore.list_audit`."""
        async with self._database.transaction(tenant_id) as connection:
            rows = await connection.fetch(
                f"SELECT {_AUDIT_COLUMNS} FROM audit"  # noqa: S608  # constants
                " WHERE at_ms >= $1 AND ($2::bigint = 0 OR at_ms < $2)"
                " AND ($3 = '' OR actor_id = $3) AND starts_with(action, $4)"
                " AND (NOT $5 OR outcome <> 'ok') AND audit_id >= $6 AND audit_id < $7"
                " ORDER BY audit_id DESC LIMIT $8",
                query.from_ms,
                query.to_ms,
                query.actor_id,
                query.action,
                query.refused,
                *_ids_between(query),
                query.size,
            )
        return [AuditEntry(**dict(row)) for row in rows]

    async def reserve_answer(
        self, tenant_id: TenantId, key: AnswerKey, request_hash: str, now_ms: int
    ) -> Answer | None:
        """See `TrailStore.reserve_answer`."""
        async with self._database.transaction(tenant_id) as connection:
            await _lock(connection, tenant_id, key)
            known = await _answer(connection, key)
            if known is not None and not is_free(known, request_hash, now_ms):
                return known
            await _put(connection, tenant_id, key, Answer(request_hash, now_ms))
        return None

    async def keep_answer(self, tenant_id: TenantId, key: AnswerKey, answer: Answer) -> None:
        """See `TrailStore.keep_answer`."""
        async with self._database.transaction(tenant_id) as connection:
            await _lock(connection, tenant_id, key)
            known = await _answer(connection, key)
            if known is not None and known.request_hash == answer.request_hash:
                await _put(connection, tenant_id, key, answer)

    async def drop_answer(self, tenant_id: TenantId, key: AnswerKey, request_hash: str) -> None:
        """See `TrailStore.drop_answer`."""
        async with self._database.transaction(tenant_id) as connection:
            await connection.execute(
                "DELETE FROM answer WHERE principal_id = $1 AND key = $2"
                " AND request_hash = $3 AND status = 0",
                key.principal_id,
                key.key,
                request_hash,
            )

    async def sweep(self, now_ms: int) -> int:
        """See `TrailStore.sweep`."""
        tokens_ms, answers_ms = now_ms - KEEP_EXPIRED_MS, now_ms - KEEP_MS
        async with self._database.untenanted() as connection:
            removed = await _delete(connection, "tally", "forget_at_ms <= $1", now_ms)
            tenants = await connection.fetch(
                "SELECT portal.tenants_to_sweep($1, $2, $3) AS tenant_id",
                tokens_ms,
                answers_ms,
                SWEEP_TENANTS,
            )
        for row in tenants:
            async with self._database.transaction(TenantId(row["tenant_id"])) as connection:
                removed += await _delete_tokens(connection, row["tenant_id"], tokens_ms)
                removed += await _delete(connection, "answer", "reserved_at_ms <= $1", answers_ms)
        return removed


def _ids_between(query: AuditQuery) -> tuple[str, str]:
    """The first id that can be asked for, and one after the last.

    Ids sort by time, so that a window of long ago is found without reading all that came after.
    """
    first = _id_at(query.from_ms - SLACK_MS) if query.from_ms > 0 else ""
    last = _id_at(query.to_ms + SLACK_MS) if query.to_ms else _AFTER_ALL
    return first, min(last, query.before or _AFTER_ALL)


def _id_at(at_ms: int) -> str:
    return uuid7(min(max(at_ms, 0), _LAST_MS), 0)


async def _lock(connection: Connection, tenant_id: TenantId, key: AnswerKey) -> None:
    """Until the end of the transaction, nobody else decides about the key, known or not."""
    await connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))",
        f"carillon.answer.{tenant_id} {key.principal_id} {key.key}",
    )


async def _answer(connection: Connection, key: AnswerKey) -> Answer | None:
    row = await connection.fetchrow(
        "SELECT request_hash, reserved_at_ms, status, content_type, body FROM answer"
        " WHERE principal_id = $1 AND key = $2",
        key.principal_id,
        key.key,
    )
    return None if row is None else Answer(**dict(row))


async def _put(connection: Connection, tenant_id: TenantId, key: AnswerKey, answer: Answer) -> None:
    await connection.execute(
        "INSERT INTO answer (tenant_id, principal_id, key, request_hash, reserved_at_ms, status,"
        " content_type, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
        " ON CONFLICT (tenant_id, principal_id, key) DO UPDATE SET request_hash = $4,"
        " reserved_at_ms = $5, status = $6, content_type = $7, body = $8",
        tenant_id,
        key.principal_id,
        key.key,
        answer.request_hash,
        answer.reserved_at_ms,
        answer.status,
        answer.content_type,
        answer.body,
    )


async def _delete_tokens(connection: Connection, tenant_id: str, before_ms: int) -> int:
    """Removes at most `SWEEP_ROWS` tokens, and sessions of which none is left; how many tokens."""
    # Two that removed the last tokens of one session at once would both leave the session.
    await connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('carillon.sweep.' || $1, 0))", tenant_id
    )
    rows = await connection.fetch(
        "DELETE FROM token WHERE ctid IN (SELECT ctid FROM token WHERE expires_at_ms <= $1"
        " LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING session_id",
        before_ms,
        SWEEP_ROWS,
    )
    await connection.execute(
        "DELETE FROM session s WHERE session_id = ANY($1) AND NOT EXISTS"
        " (SELECT 1 FROM token t WHERE t.session_id = s.session_id)",
        list({row["session_id"] for row in rows}),
    )
    return len(rows)


async def _delete(connection: Connection, table: str, over: str, at_ms: Any) -> int:
    """Removes at most `SWEEP_ROWS` rows; how many."""
    words = await connection.execute(
        f"DELETE FROM {table} WHERE ctid IN"  # noqa: S608  # constants
        f" (SELECT ctid FROM {table} WHERE {over} LIMIT {SWEEP_ROWS} FOR UPDATE SKIP LOCKED)",
        at_ms,
    )
    return int(words.rpartition(" ")[2])
