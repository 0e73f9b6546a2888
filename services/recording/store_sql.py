"""Recordings in PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from itertools import chain

import asyncpg

from services.chassis import outbox
from services.chassis.database import Connection, Database
from services.chassis.envelope import Envelope
from services.chassis.ids import CallId, TenantId
from services.recording.core.calls import noted
from services.recording.model.calls import Call, Found, Named, Note, Pair, Search
from services.recording.model.errors import RecordingChanged
from services.recording.model.evidence import MAX_SEGMENTS, Listening, Place, Recording, Segment
from services.recording.store import TOPIC, Names, calls_of, check_same, grown
from services.recording.store_rows import (
    CALL,
    LISTENING,
    RECORDING,
    SEGMENT,
    call_of,
    call_values,
    listening_of,
    recording_of,
    recording_values,
    segment_of,
    segment_values,
)
from services.recording.store_sql_shown import SqlPolicies, SqlWaveforms

# Rows are selected by the present tenant's policy; the tenant stands in each query all the same,
# so that its index is used.
_RECORDING = f"SELECT {RECORDING} FROM recording WHERE tenant_id = $1 AND recording_id = $2"  # noqa: S608  # no input
_CALL = f"SELECT {CALL} FROM call WHERE tenant_id = $1 AND call_id = $2"  # noqa: S608  # no input
_ADD_RECORDING = (
    f"INSERT INTO recording (tenant_id, {RECORDING})"  # noqa: S608  # no input
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
)
_SET_RECORDING = (
    f"UPDATE recording SET (tenant_id, {RECORDING})"  # noqa: S608  # no input
    " = ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
    " WHERE tenant_id = $1 AND recording_id = $2"
)
_ADD_SEGMENT = (
    f"INSERT INTO segment (tenant_id, recording_id, {SEGMENT})"  # noqa: S608  # no input
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
)
# The usual case in one round trip: a recording goes on, and the segment is new.
_GROW = (
    "WITH grown AS (UPDATE recording SET"  # noqa: S608  # no input
    " segments = segments + 1, size_bytes = size_bytes + $6, incarnation = $11,"
    " started_at_ms = least(started_at_ms, $12), heard_at_ms = $13"
    " WHERE tenant_id = $1 AND recording_id = $2 AND state = 'recording' AND segments < $14"
    " AND NOT EXISTS (SELECT 1 FROM segment s WHERE s.tenant_id = $1 AND s.recording_id = $2"
    " AND s.track_id = $3 AND s.number = $4) RETURNING true)"
    f" INSERT INTO segment (tenant_id, recording_id, {SEGMENT})"
    " SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 FROM grown RETURNING true"
)
_PUT_CALL = (
    f"INSERT INTO call (tenant_id, {CALL})"  # noqa: S608  # no input
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
    f" ON CONFLICT (tenant_id, call_id) DO UPDATE SET ({CALL})"
    " = ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
)
_SEARCH = f"""
  SELECT {", ".join("r." + each.strip() for each in RECORDING.split(","))}
  FROM recording r LEFT JOIN call c ON c.tenant_id = r.tenant_id AND c.call_id = r.recording_id
  WHERE r.tenant_id = $1
    AND ($2::bigint IS NULL OR (r.started_at_ms, r.recording_id) < ($2, $3))
    AND ($4 = '' OR $4 = ANY (c.agent_ids)) AND ($5 = '' OR $5 = ANY (c.agent_ids))
    AND ($6 = '' OR $6 = ANY (c.queue_ids))
    AND ($7 = '' OR $7 IN (r.from_number, r.to_number)
         OR (length($7) >= 4 AND $7 IN (right(r.from_number, length($7)),
                                        right(r.to_number, length($7)))))
    AND r.started_at_ms >= $8 AND ($9::bigint = 0 OR r.started_at_ms < $9)
    AND ($10::jsonb = '{{}}' OR c.attributes @> $10)
    AND ($11 = '' OR c.external_ref = $11)
    AND ($12 = '' OR r.state = $12)
  ORDER BY r.started_at_ms DESC, r.recording_id DESC LIMIT $13
"""  # noqa: S608  # no input
_PAIRS = """
  SELECT id FROM (
    SELECT c.call_id AS id FROM call c
    WHERE c.tenant_id = $1 AND c.ended_at_ms >= $2 AND c.ended_at_ms < $3 AND c.ended_at_ms > 0
    UNION ALL
    SELECT r.recording_id FROM recording r
    LEFT JOIN call c ON c.tenant_id = r.tenant_id AND c.call_id = r.recording_id
    WHERE r.tenant_id = $1 AND r.ended_at_ms >= $2 AND r.ended_at_ms < $3
      AND r.state <> 'recording' AND coalesce(c.ended_at_ms, 0) = 0) either
  WHERE id > $4 COLLATE "C" ORDER BY id LIMIT $5
"""


class SqlRecordingStore(SqlPolicies, SqlWaveforms):
    """Recordings in the schema `recording`; events leave by its outbox."""

    def __init__(self, database: Database, *, written: Callable[[], None]) -> None:
        """`written` is called after something was written to the outbox."""
        self._database = database
        self._written = written

    async def add_segment(
        self, tenant_id: TenantId, begun: Recording, segment: Segment, events: Sequence[Envelope]
    ) -> None:
        """See `RecordingStore.add_segment`."""
        if await self._grow(tenant_id, begun, segment):
            return
        async with self._database.transaction(tenant_id) as connection:
            first = await connection.fetchval(
                _ADD_RECORDING + " ON CONFLICT DO NOTHING RETURNING true",
                *recording_values(tenant_id, grown(None, begun, segment)),
            )
            before = await _locked(connection, tenant_id, begun.recording_id)
            assert before is not None, "it was just added, or was there"
            if not first:
                known = await _segment(
                    connection, tenant_id, begun.recording_id, segment.track_id, segment.number
                )
                if known is not None:
                    check_same(known, segment)
                    return
                after = grown(before, begun, segment)
                await connection.execute(_SET_RECORDING, *recording_values(tenant_id, after))
            await connection.execute(
                _ADD_SEGMENT, *segment_values(tenant_id, begun.recording_id, segment)
            )
            if first:
                await outbox.add(connection, TOPIC, events)
        if first:
            self._written()

    async def _grow(self, tenant_id: TenantId, begun: Recording, segment: Segment) -> bool:
        try:
            async with self._database.transaction(tenant_id) as connection:
                grown_at_all = await connection.fetchval(
                    _GROW,
                    *segment_values(tenant_id, begun.recording_id, segment),
                    begun.started_at_ms,
                    begun.heard_at_ms,
                    MAX_SEGMENTS,
                )
        except asyncpg.UniqueViolationError:
            return False  # the same segment came twice at once, and the other one was first
        return bool(grown_at_all)

    async def segments(self, tenant_id: TenantId, recording_id: CallId) -> list[Segment]:
        """See `RecordingStore.segments`."""
        async with self._database.transaction(tenant_id) as connection:
            rows = await connection.fetch(
                f"SELECT {SEGMENT} FROM segment"  # noqa: S608  # no input
                " WHERE tenant_id = $1 AND recording_id = $2 ORDER BY track_id, number",
                tenant_id,
                recording_id,
            )
        return [segment_of(row) for row in rows]

    async def recording(self, tenant_id: TenantId, recording_id: CallId) -> Recording | None:
        """See `RecordingStore.recording`."""
        async with self._database.transaction(tenant_id) as connection:
            row = await connection.fetchrow(_RECORDING, tenant_id, recording_id)
        return recording_of(row) if row else None

    async def close_recording(
        self,
        tenant_id: TenantId,
        before: Recording | None,
        after: Recording,
        notes: Sequence[Note],
        events: Sequence[Envelope],
    ) -> None:
        """See `RecordingStore.close_recording`."""
        values = recording_values(tenant_id, after)
        async with self._database.transaction(tenant_id) as connection:
            if before is None:
                added = await connection.fetchval(
                    _ADD_RECORDING + " ON CONFLICT DO NOTHING RETURNING true", *values
                )
                if not added:
                    raise RecordingChanged(after.recording_id)
            else:
                if await _locked(connection, tenant_id, after.recording_id) != before:
                    raise RecordingChanged(after.recording_id)
                await connection.execute(_SET_RECORDING, *values)
            await _note(connection, tenant_id, notes)
            await outbox.add(connection, TOPIC, events)
        self._written()

    async def found(self, tenant_id: TenantId, recording_id: CallId) -> Found | None:
        """See `RecordingStore.found`."""
        async with self._database.transaction(tenant_id) as connection:
            row = await connection.fetchrow(_RECORDING, tenant_id, recording_id)
            found = await _with_calls(connection, tenant_id, [recording_of(row)] if row else [])
        return found[0] if found else None

    async def search(
        self, tenant_id: TenantId, search: Search, after: tuple[int, str] | None, size: int
    ) -> list[Found]:
        """See `RecordingStore.search`."""
        begun_ms, last_id = after if after is not None else (None, "")
        async with self._database.transaction(tenant_id) as connection:
            rows = await connection.fetch(
                _SEARCH,
                tenant_id,
                begun_ms,
                last_id,
                search.agent_id,
                search.own_agent_id,
                search.queue_id,
                search.number,
                search.from_ms,
                search.to_ms,
                json.dumps(dict(search.attributes)),
                search.external_ref,
                search.state,
                size,
            )
            return await _with_calls(connection, tenant_id, [recording_of(row) for row in rows])

    async def note(self, tenant_id: TenantId, notes: Sequence[Note]) -> None:
        """See `RecordingStore.note`."""
        async with self._database.transaction(tenant_id) as connection:
            await _note(connection, tenant_id, notes)

    async def call(self, tenant_id: TenantId, call_id: CallId) -> Call:
        """See `RecordingStore.call`."""
        async with self._database.transaction(tenant_id) as connection:
            row = await connection.fetchrow(_CALL, tenant_id, call_id)
        return call_of(row) if row else Call(call_id)

    async def pairs(
        self, tenant_id: TenantId, from_ms: int, to_ms: int, after: str, size: int
    ) -> list[Pair]:
        """See `RecordingStore.pairs`."""
        async with self._database.transaction(tenant_id) as connection:
            rows = await connection.fetch(_PAIRS, tenant_id, from_ms, to_ms, after, size)
            ids = [row["id"] for row in rows]
            calls = await _calls(connection, tenant_id, ids)
            recordings = await connection.fetch(
                f"SELECT {RECORDING} FROM recording"  # noqa: S608  # no input
                " WHERE tenant_id = $1 AND recording_id = ANY ($2)",
                tenant_id,
                ids,
            )
        stored = {row["recording_id"]: recording_of(row) for row in recordings}
        return [Pair(calls.get(each), stored.get(each)) for each in ids]

    async def add_listening(
        self, tenant_id: TenantId, listening: Listening, events: Sequence[Envelope]
    ) -> None:
        """See `RecordingStore.add_listening`."""
        async with self._database.transaction(tenant_id) as connection:
            await connection.execute(
                f"INSERT INTO listening (tenant_id, {LISTENING})"  # noqa: S608  # no input
                " VALUES ($1, $2, $3, $4, $5, $6)",
                tenant_id,
                listening.recording_id,
                listening.listening_id,
                listening.listener_id,
                listening.listener_name,
                listening.at_ms,
            )
            await outbox.add(connection, TOPIC, events)
        self._written()

    async def last_listened(
        self, tenant_id: TenantId, recording_id: CallId, listener_id: str
    ) -> int:
        """See `RecordingStore.last_listened`."""
        async with self._database.transaction(tenant_id) as connection:
            at_ms: int = await connection.fetchval(
                "SELECT coalesce(max(at_ms), 0) FROM listening"
                " WHERE tenant_id = $1 AND recording_id = $2 AND listener_id = $3",
                tenant_id,
                recording_id,
                listener_id,
            )
        return at_ms

    async def listenings(
        self, tenant_id: TenantId, recording_id: CallId, before: str, size: int
    ) -> list[Listening]:
        """See `RecordingStore.listenings`."""
        async with self._database.transaction(tenant_id) as connection:
            rows = await connection.fetch(
                f"SELECT {LISTENING} FROM listening"  # noqa: S608  # no input
                " WHERE tenant_id = $1 AND recording_id = $2 AND ($3 = '' OR listening_id < $3)"
                " ORDER BY listening_id DESC LIMIT $4",
                tenant_id,
                recording_id,
                before,
                size,
            )
        return [listening_of(row) for row in rows]

    async def hear_gateway(self, incarnation: str, at_ms: int) -> None:
        """See `RecordingStore.hear_gateway`."""
        async with self._database.untenanted() as connection:
            await connection.execute(
                "INSERT INTO gateway AS known VALUES ($1, $2) ON CONFLICT (incarnation)"
                " DO UPDATE SET heard_at_ms = greatest(known.heard_at_ms, $2)",
                incarnation,
                at_ms,
            )

    async def heard_gateway(self, incarnation: str) -> int:
        """See `RecordingStore.heard_gateway`."""
        async with self._database.untenanted() as connection:
            at_ms = await connection.fetchval(
                "SELECT heard_at_ms FROM gateway WHERE incarnation = $1", incarnation
            )
        return int(at_ms or 0)

    async def lost(self, before_ms: int, size: int) -> list[Place]:
        """See `RecordingStore.lost`."""
        async with self._database.untenanted() as connection:
            rows = await connection.fetch(
                "SELECT tenant_id, recording_id FROM lost_recordings($1, $2)", before_ms, size
            )
        return [Place(TenantId(row["tenant_id"]), CallId(row["recording_id"])) for row in rows]

    async def tenants(self, since_ms: int) -> list[TenantId]:
        """See `RecordingStore.tenants`."""
        async with self._database.untenanted() as connection:
            rows = await connection.fetch("SELECT * FROM tenants_with_calls($1)", since_ms)
        return [TenantId(row[0]) for row in rows]


async def _locked(
    connection: Connection, tenant_id: TenantId, recording_id: CallId
) -> Recording | None:
    row = await connection.fetchrow(_RECORDING + " FOR UPDATE", tenant_id, recording_id)
    return recording_of(row) if row else None


async def _segment(
    connection: Connection, tenant_id: TenantId, recording_id: CallId, track_id: str, number: int
) -> Segment | None:
    row = await connection.fetchrow(
        f"SELECT {SEGMENT} FROM segment WHERE tenant_id = $1 AND recording_id = $2"  # noqa: S608  # no input
        " AND track_id = $3 AND number = $4",
        tenant_id,
        recording_id,
        track_id,
        number,
    )
    return segment_of(row) if row else None


async def _note(connection: Connection, tenant_id: TenantId, notes: Sequence[Note]) -> None:
    """Two batches with the same calls take turns: each locks them in the order of their ids."""
    ids = calls_of(notes)
    await connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended($1 || ' ' || id, 4))"
        " FROM unnest($2::text[]) AS id",
        tenant_id,
        ids,
    )
    known = await _calls(connection, tenant_id, ids)
    calls = {each: known.get(each) or Call(each) for each in ids}
    names: dict[tuple[str, str], str] = {}
    for note in notes:
        if isinstance(note, Named):
            names[note.kind, note.id] = note.name
        else:
            calls[note.call_id] = noted(calls[note.call_id], note)
    await connection.executemany(
        _PUT_CALL, [call_values(tenant_id, each) for each in calls.values()]
    )
    await connection.executemany(
        "INSERT INTO name (tenant_id, kind, id, name) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (tenant_id, kind, id) DO UPDATE SET name = $4",
        [(tenant_id, kind, each, names[kind, each]) for kind, each in sorted(names)],
    )


async def _calls(
    connection: Connection, tenant_id: TenantId, ids: Iterable[CallId]
) -> dict[CallId, Call]:
    rows = await connection.fetch(
        f"SELECT {CALL} FROM call WHERE tenant_id = $1 AND call_id = ANY ($2)",  # noqa: S608  # no input
        tenant_id,
        list(ids),
    )
    return {CallId(row["call_id"]): call_of(row) for row in rows}


async def _with_calls(
    connection: Connection, tenant_id: TenantId, recordings: Sequence[Recording]
) -> list[Found]:
    calls = await _calls(connection, tenant_id, (each.recording_id for each in recordings))
    names = await _names(connection, tenant_id, calls.values())
    return [
        Found(each, calls.get(each.recording_id) or Call(each.recording_id), names)
        for each in recordings
    ]


async def _names(connection: Connection, tenant_id: TenantId, calls: Iterable[Call]) -> Names:
    ids = set(chain.from_iterable((*call.agent_ids, *call.queue_ids) for call in calls))
    rows = await connection.fetch(
        "SELECT kind, id, name FROM name WHERE tenant_id = $1 AND id = ANY ($2)",
        tenant_id,
        sorted(ids),
    )
    return {(row["kind"], row["id"]): row["name"] for row in rows}
