"""Thresholds and alarms in PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, fields
from operator import attrgetter

import asyncpg

from services.analytics.core.alarms import MAX_THRESHOLDS, ends_alarm, newest_first
from services.analytics.model.alarms import Acknowledgement, Alarm, AlarmQuery, Threshold, Watched
from services.analytics.model.errors import TooManyThresholds
from services.analytics.model.words import Direction, Measure, Severity
from services.analytics.store_alarms import MAX_TENANTS, MAX_UNSEEN, StaleAlarms
from services.chassis.database import Connection, Database
from services.chassis.ids import TenantId

_THRESHOLD = tuple(each.name for each in fields(Threshold))
_ALARM = tuple(each.name for each in fields(Alarm))

_LEAD = """
INSERT INTO alarm_lease (holder, until)
VALUES ($1, clock_timestamp() + $2 * interval '1 millisecond')
ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, until = excluded.until
WHERE alarm_lease.holder = excluded.holder OR alarm_lease.until < clock_timestamp()
"""
_LEAVE = "UPDATE alarm_lease SET until = '-infinity' WHERE holder = $1"
_NEXT_REVISION = """
INSERT INTO alarm_progress AS kept (tenant_id, revision) VALUES ($1, 1)
ON CONFLICT (tenant_id) DO UPDATE SET revision = kept.revision + 1
"""
_JUDGED_BY = """
UPDATE alarm_progress SET revision = revision + 1 WHERE tenant_id = $1 AND revision = $2
"""
_GET_THRESHOLDS = f"SELECT {', '.join(_THRESHOLD)} FROM threshold"  # noqa: S608 (no input)
_PUT_THRESHOLD = f"""
INSERT INTO threshold (tenant_id, {", ".join(_THRESHOLD)})
VALUES ($1, {", ".join(f"${place}" for place in range(2, len(_THRESHOLD) + 2))})
ON CONFLICT (tenant_id, threshold_id) DO UPDATE
SET {", ".join(f"{name} = excluded.{name}" for name in _THRESHOLD[1:])}
"""  # noqa: S608 (no input)
_CLEAR = "UPDATE alarm SET cleared_at_ms = $2 WHERE threshold_id = $1 AND cleared_at_ms IS NULL"
_GET_ALARMS = f"SELECT {', '.join(_ALARM)} FROM alarm"  # noqa: S608 (no input)
_STANDING = f"{_GET_ALARMS} WHERE cleared_at_ms IS NULL LIMIT {MAX_THRESHOLDS}"
_UNSEEN = f"""
{_GET_ALARMS} WHERE cleared_at_ms IS NOT NULL AND acknowledged_at_ms IS NULL
ORDER BY raised_at_ms DESC, alarm_id DESC LIMIT {MAX_UNSEEN}
"""
_PUT_ALARM = f"""
INSERT INTO alarm (tenant_id, threshold_id, {", ".join(_ALARM)})
VALUES ($1, $2, {", ".join(f"${place}" for place in range(3, len(_ALARM) + 3))})
ON CONFLICT (tenant_id, alarm_id) DO UPDATE
SET worst = excluded.worst, cleared_at_ms = excluded.cleared_at_ms
"""  # noqa: S608 (no input)
_LIST_ALARMS = f"""
{_GET_ALARMS} WHERE raised_at_ms >= $1 AND raised_at_ms < $2
  AND (NOT $3 OR cleared_at_ms IS NULL OR acknowledged_at_ms IS NULL)
  AND (raised_at_ms, alarm_id) < ($4, $5)
ORDER BY raised_at_ms DESC, alarm_id DESC LIMIT $6
"""
_ACKNOWLEDGE = """
UPDATE alarm SET acknowledged_at_ms = $2, acknowledged_by = $3, acknowledged_by_name = $4,
  note = $5
WHERE alarm_id = $1 AND acknowledged_at_ms IS NULL
"""


class SqlAlarms:
    """Thresholds and alarms in the service's own schema; see `AlarmStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def lead(self, holder: str, *, lease_ms: int) -> bool:
        """See `AlarmStore.lead`."""
        async with self._database.untenanted() as connection:
            return (await connection.execute(_LEAD, holder, lease_ms)).endswith(" 1")

    async def leave(self, holder: str) -> None:
        """See `AlarmStore.leave`."""
        async with self._database.untenanted() as connection:
            await connection.execute(_LEAVE, holder)

    async def revisions(self) -> dict[TenantId, int]:
        """See `AlarmStore.revisions`."""
        async with self._database.untenanted() as connection:
            rows = await connection.fetch("SELECT * FROM alarm_revisions($1)", MAX_TENANTS)
        return {TenantId(row["tenant_id"]): row["revision"] for row in rows}

    async def watched(self, tenant_id: TenantId) -> Watched:
        """See `AlarmStore.watched`."""
        async with self._database.transaction(tenant_id) as connection:
            # Whoever changes anything waits meanwhile, so that all that is read belongs together.
            revision = await connection.fetchval("SELECT revision FROM alarm_progress FOR SHARE")
            thresholds = await connection.fetch(f"{_GET_THRESHOLDS} ORDER BY threshold_id")
            rows = [*await connection.fetch(_STANDING), *await connection.fetch(_UNSEEN)]
        alarms = {row["alarm_id"]: _alarm(row) for row in rows}
        return Watched(
            revision=revision or 0,
            thresholds=tuple(_threshold(dict(row)) for row in thresholds),
            alarms=tuple(newest_first(alarms)),
        )

    async def put_threshold(
        self, tenant_id: TenantId, threshold: Threshold, *, now_ms: int
    ) -> None:
        """See `AlarmStore.put_threshold`."""
        async with self._database.transaction(tenant_id) as connection:
            # First of all, so that whoever puts one more waits before the others are counted.
            await connection.execute(_NEXT_REVISION, tenant_id)
            row = await connection.fetchrow(
                f"{_GET_THRESHOLDS} WHERE threshold_id = $1", threshold.threshold_id
            )
            if row is None:
                await _check_room(connection)
            values = attrgetter(*_THRESHOLD)(threshold)
            await connection.execute(_PUT_THRESHOLD, tenant_id, *values)
            if ends_alarm(None if row is None else _threshold(dict(row)), threshold):
                await connection.execute(_CLEAR, threshold.threshold_id, now_ms)

    async def remove_threshold(
        self, tenant_id: TenantId, threshold_id: str, *, now_ms: int
    ) -> bool:
        """See `AlarmStore.remove_threshold`."""
        async with self._database.transaction(tenant_id) as connection:
            await connection.execute(_NEXT_REVISION, tenant_id)
            done = await connection.execute(
                "DELETE FROM threshold WHERE threshold_id = $1", threshold_id
            )
            await connection.execute(_CLEAR, threshold_id, now_ms)
        return done.endswith(" 1")

    async def change(self, tenant_id: TenantId, *, before: int, alarms: Sequence[Alarm]) -> None:
        """See `AlarmStore.change`."""
        async with self._database.transaction(tenant_id) as connection:
            done = await connection.execute(_JUDGED_BY, tenant_id, before)
            if not done.endswith(" 1"):
                raise StaleAlarms(f"{tenant_id}: no longer {before}")
            rows = [(tenant_id, each.threshold.threshold_id, *_row(each)) for each in alarms]
            await connection.executemany(_PUT_ALARM, rows)

    async def alarms(
        self, tenant_id: TenantId, query: AlarmQuery, *, before: tuple[int, str], limit: int
    ) -> list[Alarm]:
        """See `AlarmStore.alarms`."""
        asked = (query.from_ms, query.to_ms, query.open_only, *before, limit)
        async with self._database.transaction(tenant_id) as connection:
            return [_alarm(row) for row in await connection.fetch(_LIST_ALARMS, *asked)]

    async def named(self, tenant_id: TenantId, alarm_ids: Collection[str]) -> list[Alarm]:
        """See `AlarmStore.named`."""
        async with self._database.transaction(tenant_id) as connection:
            rows = await connection.fetch(
                f"{_GET_ALARMS} WHERE alarm_id = ANY($1) ORDER BY alarm_id", list(alarm_ids)
            )
        return [_alarm(row) for row in rows]

    async def acknowledge(
        self, tenant_id: TenantId, alarm_id: str, seen: Acknowledgement
    ) -> Alarm | None:
        """See `AlarmStore.acknowledge`."""
        async with self._database.transaction(tenant_id) as connection:
            # Revisions first, as everywhere, so that two writers never wait for one another.
            await connection.execute(_NEXT_REVISION, tenant_id)
            await connection.execute(
                _ACKNOWLEDGE, alarm_id, seen.at_ms, seen.by, seen.by_name, seen.note
            )
            row = await connection.fetchrow(f"{_GET_ALARMS} WHERE alarm_id = $1", alarm_id)
        return None if row is None else _alarm(row)


async def _check_room(connection: Connection) -> None:
    if await connection.fetchval("SELECT count(*) FROM threshold") >= MAX_THRESHOLDS:
        raise TooManyThresholds(f"a tenant has at most {MAX_THRESHOLDS}")


def _row(alarm: Alarm) -> tuple[object, ...]:
    return tuple(
        json.dumps(asdict(alarm.threshold)) if name == "threshold" else getattr(alarm, name)
        for name in _ALARM
    )


def _alarm(row: asyncpg.Record) -> Alarm:
    return Alarm(**{**row, "threshold": _threshold(json.loads(row["threshold"]))})


def _threshold(values: dict[str, object]) -> Threshold:
    words = {"measure": Measure, "direction": Direction, "severity": Severity}
    return Threshold(**{**values, **{name: word(values[name]) for name, word in words.items()}})  # type: ignore[arg-type]  # a row's
