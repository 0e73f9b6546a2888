"""Records in PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import fields, replace
from operator import attrgetter

import asyncpg

from services.analytics.core.calls import outcome_of
from services.analytics.core.story import in_order
from services.analytics.model.questions import CallQuery, EntryQuery, IntervalQuery
from services.analytics.model.records import (
    Agent,
    Call,
    Entry,
    Interval,
    Position,
    Queue,
    Records,
)
from services.analytics.model.story import Ladder, Step, Story
from services.analytics.model.words import AgentState, Exit
from services.analytics.store import PAGE, StalePosition, with_entries
from services.analytics.store_sql_story import ladder_of, put_ladders, put_steps, steps_of
from services.chassis.database import Connection, Database
from services.chassis.ids import TenantId


def _upsert(table: str, key: Sequence[str], columns: Sequence[str]) -> str:
    """A statement that writes one row, new or changed."""
    names = ("tenant_id", *columns, "revision")
    marks = ", ".join(f"${number}" for number in range(1, len(names) + 1))
    changes = ", ".join(
        f"{name} = excluded.{name}" for name in names if name not in {"tenant_id", *key}
    )
    return (
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608 (no input)
        f" ON CONFLICT (tenant_id, {', '.join(key)}) DO UPDATE SET {changes}"
    )


def _columns(cls: type) -> tuple[str, ...]:
    """A record's fields, which are a table's columns."""
    return tuple(each.name for each in fields(cls))


_ENTRY = _columns(Entry)
_INTERVAL = _columns(Interval)
_QUEUE = _columns(Queue)
_AGENT = _columns(Agent)
_CALL = ("call_id", "started_at_ms", "seq", "ended_at_ms", "termination", "caller", "called")

_PUT_QUEUE = _upsert("queue", ("queue_id",), _QUEUE)
_PUT_AGENT = _upsert("agent", ("agent_id",), _AGENT)
_PUT_ENTRY = _upsert("entry", ("entry_id",), _ENTRY)
_PUT_INTERVAL = _upsert("agent_interval", ("agent_id", "version"), _INTERVAL)
_PUT_CALL = """
INSERT INTO call
  (tenant_id, call_id, started_at_ms, seq, ended_at_ms, termination, caller, called)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (tenant_id, call_id) DO UPDATE SET seq = excluded.seq,
  ended_at_ms = coalesce(excluded.ended_at_ms, call.ended_at_ms),
  termination = CASE WHEN excluded.ended_at_ms IS NULL
    THEN call.termination ELSE excluded.termination END,
  caller = coalesce(nullif(excluded.caller, ''), call.caller),
  called = coalesce(nullif(excluded.called, ''), call.called)
WHERE call.seq < excluded.seq
"""
_PUT_PROGRESS = """
INSERT INTO progress (tenant_id, seq, event_ids, as_of_ms, revision) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (tenant_id) DO UPDATE SET seq = excluded.seq, event_ids = excluded.event_ids,
  as_of_ms = excluded.as_of_ms, revision = excluded.revision
WHERE progress.revision = $6
"""
_GET_PROGRESS = "SELECT seq, event_ids, as_of_ms, revision FROM progress"

_REMEMBERED_ENTRIES = f"""
SELECT {", ".join(_ENTRY)} FROM entry
WHERE offered_at_ms >= $1 OR (NOT handled AND exit IN ('waiting', 'answered'))
ORDER BY offered_at_ms, entry_id
"""  # noqa: S608 (no input)
_REMEMBERED_INTERVALS = f"""
SELECT {", ".join(_INTERVAL)} FROM agent_interval
WHERE to_ms >= $1 OR to_ms IS NULL ORDER BY from_ms, agent_id, version
"""  # noqa: S608 (no input)
_NEWER_ENTRIES = f"""
SELECT {", ".join(_ENTRY)} FROM entry WHERE revision > $1 ORDER BY offered_at_ms, entry_id
"""  # noqa: S608 (no input)
_NEWER_INTERVALS = f"""
SELECT {", ".join(_INTERVAL)} FROM agent_interval WHERE revision > $1
ORDER BY from_ms, agent_id, version
"""  # noqa: S608 (no input)

_ORDERS = {False: (">", "ASC"), True: ("<", "DESC")}
"""By whether the newest come first: what is behind a place, and in which order."""
_LIST_ENTRIES = {
    newest_first: f"""
SELECT {", ".join(_ENTRY)} FROM entry
WHERE offered_at_ms >= $1 AND offered_at_ms < $2
  AND (cardinality($3::text[]) = 0 OR queue_id = ANY($3))
  AND (cardinality($4::text[]) = 0 OR agent_id = ANY($4))
  AND (cardinality($5::text[]) = 0 OR exit = ANY($5))
  AND (offered_at_ms, entry_id) {behind} ($6, $7)
ORDER BY offered_at_ms {way}, entry_id {way} LIMIT $8
"""  # noqa: S608 (no input)
    for newest_first, (behind, way) in _ORDERS.items()
}
_INTERVALS_ASKED_FOR = {
    newest_first: f"""
    (cardinality($3::text[]) = 0 OR queue_ids && $3)
  AND (cardinality($4::text[]) = 0 OR agent_id = ANY($4))
  AND (cardinality($5::text[]) = 0 OR state = ANY($5))
  AND (from_ms, agent_id, version) {behind} ($6, $7, $8)
ORDER BY from_ms {way}, agent_id {way}, version {way} LIMIT $9
"""
    for newest_first, (behind, way) in _ORDERS.items()
}
# An agent's time has no gaps: of all that began before, only the last can reach into the span.
_REACHING_IN = f"""
SELECT {", ".join(_INTERVAL)} FROM (
  SELECT last.* FROM agent a CROSS JOIN LATERAL (
    SELECT i.* FROM agent_interval i
    WHERE i.tenant_id = a.tenant_id AND i.agent_id = a.agent_id AND i.from_ms < $1
    ORDER BY i.from_ms DESC, i.version DESC LIMIT 1) last
  WHERE (last.to_ms > $1 OR last.to_ms IS NULL) AND last.from_ms < $2) reaching
WHERE """  # noqa: S608 (no input)
_BEGINNING_IN = f"""
SELECT {", ".join(_INTERVAL)} FROM agent_interval
WHERE from_ms >= $1 AND from_ms < $2 AND """  # noqa: S608 (no input)
_LIST_CALLS = {
    newest_first: f"""
SELECT {", ".join(f"c.{name}" for name in _CALL)}, e.exits FROM call c
CROSS JOIN LATERAL (
  SELECT array_agg(exit) AS exits
  FROM entry WHERE entry.tenant_id = c.tenant_id AND entry.contact_id = c.call_id) e
WHERE c.started_at_ms >= $1 AND c.started_at_ms < $2
  AND (c.started_at_ms, c.call_id) {behind} ($3, $4)
ORDER BY c.started_at_ms {way}, c.call_id {way} LIMIT $5
"""  # noqa: S608 (no input)
    for newest_first, (behind, way) in _ORDERS.items()
}
_GET_CALL = f"SELECT {', '.join(_CALL)} FROM call WHERE call_id = $1"  # noqa: S608 (no input)
_ENTRIES_OF = f"""
SELECT {", ".join(_ENTRY)} FROM entry WHERE contact_id = $1 ORDER BY offered_at_ms, entry_id
"""  # noqa: S608 (no input)


class SqlStore:
    """Records in the service's own schema; see `AnalyticsStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def position(self, tenant_id: TenantId) -> Position:
        """See `AnalyticsStore.position`."""
        async with self._database.transaction(tenant_id) as connection:
            return _position(await connection.fetchrow(_GET_PROGRESS))

    async def load(
        self,
        tenant_id: TenantId,
        *,
        from_ms: int,
        after_revision: int,
        take: Callable[[Records], None],
    ) -> Position:
        """See `AnalyticsStore.load`."""
        async with self._database.transaction(tenant_id) as connection:
            # Whoever stores waits meanwhile, so that all that is read belongs together.
            position = _position(await connection.fetchrow(f"{_GET_PROGRESS} FOR SHARE"))
            take(await _directory(connection, after_revision))
            entries, intervals = _NEWER_ENTRIES, _NEWER_INTERVALS
            since = after_revision
            if not after_revision:
                entries, intervals = _REMEMBERED_ENTRIES, _REMEMBERED_INTERVALS
                since = from_ms
            async for page in _pages(connection, entries, since):
                take(Records(entries=tuple(map(_entry, page))))
            async for page in _pages(connection, intervals, since):
                take(Records(intervals=tuple(map(_interval, page))))
            return position

    async def write(
        self,
        tenant_id: TenantId,
        *,
        before: Position,
        after: Position,
        records: Records,
        steps: Sequence[Step] = (),
    ) -> None:
        """See `AnalyticsStore.write`."""
        revision = before.revision + 1
        async with self._database.transaction(tenant_id) as connection:
            done = await connection.execute(
                _PUT_PROGRESS,
                tenant_id,
                after.seq,
                sorted(after.event_ids),
                after.as_of_ms,
                revision,
                before.revision,
            )
            if not done.endswith(" 1"):
                raise StalePosition(f"{tenant_id}: no longer {before.revision}")
            for statement, rows in (
                (_PUT_QUEUE, map(attrgetter(*_QUEUE), records.queues)),
                (_PUT_AGENT, map(attrgetter(*_AGENT), records.agents)),
                (_PUT_ENTRY, map(_entry_row, records.entries)),
                (_PUT_INTERVAL, map(attrgetter(*_INTERVAL), records.intervals)),
            ):
                changed = [(tenant_id, *row, revision) for row in rows]
                if changed:
                    await connection.executemany(statement, changed)
            await put_steps(connection, tenant_id, steps)

    async def put_calls(
        self,
        tenant_id: TenantId,
        calls: Sequence[Call],
        *,
        steps: Sequence[Step] = (),
        ladders: Sequence[Ladder] = (),
    ) -> None:
        """See `AnalyticsStore.put_calls`."""
        rows = [(tenant_id, *(getattr(call, name) for name in _CALL)) for call in calls]
        async with self._database.transaction(tenant_id) as connection:
            await connection.executemany(_PUT_CALL, rows)
            await put_steps(connection, tenant_id, steps)
            await put_ladders(connection, tenant_id, ladders)

    async def story(self, tenant_id: TenantId, contact_id: str) -> Story:
        """See `AnalyticsStore.story`."""
        async with self._database.transaction(tenant_id) as connection:
            call = await connection.fetchrow(_GET_CALL, contact_id)
            rows = await connection.fetch(_ENTRIES_OF, contact_id)
            steps = await steps_of(connection, contact_id)
            ladder = await ladder_of(connection, contact_id)
        entries = tuple(map(_entry, rows))
        return Story(
            contact_id=contact_id,
            call=None if call is None else with_entries(Call(**call), entries),
            entries=entries,
            steps=in_order(steps),
            ladder=ladder,
        )

    async def put_zone(self, tenant_id: TenantId, time_zone: str) -> None:
        """See `AnalyticsStore.put_zone`."""
        async with self._database.transaction(tenant_id) as connection:
            await connection.execute(
                "INSERT INTO zone (tenant_id, time_zone) VALUES ($1, $2)"
                " ON CONFLICT (tenant_id) DO UPDATE SET time_zone = excluded.time_zone",
                tenant_id,
                time_zone,
            )

    async def zone(self, tenant_id: TenantId) -> str:
        """See `AnalyticsStore.zone`."""
        async with self._database.transaction(tenant_id) as connection:
            return await connection.fetchval("SELECT time_zone FROM zone") or ""

    async def directory(self, tenant_id: TenantId) -> Records:
        """See `AnalyticsStore.directory`."""
        async with self._database.transaction(tenant_id) as connection:
            return await _directory(connection, 0)

    async def entries(
        self, tenant_id: TenantId, query: EntryQuery, *, after: tuple[int, str], limit: int
    ) -> list[Entry]:
        """See `AnalyticsStore.entries`."""
        async with self._database.transaction(tenant_id) as connection:
            rows = await connection.fetch(
                _LIST_ENTRIES[query.newest_first],
                query.from_ms,
                query.to_ms,
                list(query.queue_ids),
                list(query.agent_ids),
                list(query.exits),
                *after,
                limit,
            )
        return [_entry(row) for row in rows]

    async def intervals(
        self, tenant_id: TenantId, query: IntervalQuery, *, after: tuple[int, str, int], limit: int
    ) -> list[Interval]:
        """See `AnalyticsStore.intervals`."""
        asked = (
            query.from_ms,
            query.to_ms,
            list(query.queue_ids),
            list(query.agent_ids),
            list(query.states),
            *after,
        )
        rows: list[asyncpg.Record] = []
        # What reaches in began before whatever begins in it.
        parts: tuple[str, ...] = (_REACHING_IN, _BEGINNING_IN)
        if query.newest_first:
            parts = (_BEGINNING_IN, _REACHING_IN)
        elif after[0] >= query.from_ms:
            parts = (_BEGINNING_IN,)
        async with self._database.transaction(tenant_id) as connection:
            for part in parts:
                if len(rows) < limit:
                    statement = part + _INTERVALS_ASKED_FOR[query.newest_first]
                    rows += await connection.fetch(statement, *asked, limit - len(rows))
        return [_interval(row) for row in rows]

    async def calls(
        self, tenant_id: TenantId, query: CallQuery, *, after: tuple[int, str], limit: int
    ) -> list[Call]:
        """See `AnalyticsStore.calls`."""
        async with self._database.transaction(tenant_id) as connection:
            rows = await connection.fetch(
                _LIST_CALLS[query.newest_first], query.from_ms, query.to_ms, *after, limit
            )
        return [_call(row) for row in rows]


async def _pages(
    connection: Connection, statement: str, since: int
) -> AsyncIterator[list[asyncpg.Record]]:
    cursor = await connection.cursor(statement, since)
    while page := await cursor.fetch(PAGE):
        yield page


async def _directory(connection: Connection, after_revision: int) -> Records:
    queues = await connection.fetch(
        f"SELECT {', '.join(_QUEUE)} FROM queue WHERE revision > $1"  # noqa: S608 (no input)
        " ORDER BY queue_id",
        after_revision,
    )
    agents = await connection.fetch(
        f"SELECT {', '.join(_AGENT)} FROM agent WHERE revision > $1"  # noqa: S608 (no input)
        " ORDER BY agent_id",
        after_revision,
    )
    return Records(
        queues=tuple(Queue(**row) for row in queues),
        agents=tuple(Agent(**{**row, "queue_ids": tuple(row["queue_ids"])}) for row in agents),
    )


def _position(row: asyncpg.Record | None) -> Position:
    if row is None:
        return Position()
    return Position(**{**row, "event_ids": frozenset(row["event_ids"])})


def _entry_row(entry: Entry) -> tuple[object, ...]:
    return tuple(
        json.dumps(dict(entry.attributes)) if name == "attributes" else getattr(entry, name)
        for name in _ENTRY
    )


def _entry(row: asyncpg.Record) -> Entry:
    attributes = tuple(sorted(json.loads(row["attributes"]).items()))
    return Entry(**{**row, "attributes": attributes, "exit": Exit(row["exit"])})


def _call(row: asyncpg.Record) -> Call:
    exits = [Exit(word) for word in row["exits"] or ()]
    return replace(Call(*(row[name] for name in _CALL)), outcome=outcome_of(exits))


def _interval(row: asyncpg.Record) -> Interval:
    queue_ids = tuple(row["queue_ids"])
    return Interval(**{**row, "queue_ids": queue_ids, "state": AgentState(row["state"])})
