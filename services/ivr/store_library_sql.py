"""Prompts and calendars in PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import asyncpg

from services.chassis.database import Connection, Database
from services.chassis.ids import TenantId
from services.ivr.model.calendars import Calendar, Opening, SpecialDay
from services.ivr.model.library import LibraryPrompt, Sound, Source, Uses
from services.ivr.store_library import (
    MAX_CALENDARS_PER_TENANT,
    MAX_PROMPTS_PER_TENANT,
    CalendarInUse,
    LibraryFull,
    NoSuchCalendar,
    NoSuchPrompt,
    PromptInUse,
    named_by,
)

_PROMPTS = """
SELECT p.*, ARRAY(SELECT u.flow_id FROM flow_prompt u WHERE u.tenant_id = p.tenant_id
                  AND u.prompt_id = p.prompt_id ORDER BY u.flow_id) AS used_by
FROM library_prompt p
"""
_LIST_PROMPTS = f"""{_PROMPTS}
WHERE p.prompt_id > $2 AND ($1 = '' OR p.prompt_id ILIKE $1 OR p.name ILIKE $1 OR p.text ILIKE $1)
ORDER BY p.prompt_id LIMIT $3
"""
_PUT_PROMPT = """
INSERT INTO library_prompt (tenant_id, prompt_id, name, text, language, changed_at_ms)
VALUES (chassis.tenant(), $1, $2, $3, $4, $5)
ON CONFLICT (tenant_id, prompt_id) DO UPDATE SET name = excluded.name, text = excluded.text,
  language = excluded.language, changed_at_ms = excluded.changed_at_ms
"""
_PUT_SOUND = """
UPDATE library_prompt SET source = $2, sha256 = $3, duration_ms = $4, changed_at_ms = $5
WHERE prompt_id = $1
"""
_CALENDARS = """
SELECT c.*, ARRAY(SELECT u.flow_id FROM flow_calendar u WHERE u.tenant_id = c.tenant_id
                  AND u.calendar_id = c.calendar_id ORDER BY u.flow_id) AS used_by
FROM calendar c
"""
_PUT_CALENDAR = """
INSERT INTO calendar (tenant_id, calendar_id, name, time_zone, hours_json, changed_at_ms)
VALUES (chassis.tenant(), $1, $2, $3, $4, $5)
ON CONFLICT (tenant_id, calendar_id) DO UPDATE SET name = excluded.name,
  time_zone = excluded.time_zone, hours_json = excluded.hours_json,
  changed_at_ms = excluded.changed_at_ms
"""


class SqlLibraryStore:
    """A library with row-level security between the tenants."""

    def __init__(self, database: Database) -> None:
        """`database` is of the schema `ivr`."""
        self._database = database

    async def put_prompt(
        self, tenant_id: TenantId, prompt: LibraryPrompt, now_ms: int
    ) -> LibraryPrompt:
        """See `LibraryStore.put_prompt`."""
        async with self._database.transaction(tenant_id) as connection:
            count = await connection.fetchval(
                "SELECT count(*) FROM library_prompt WHERE prompt_id <> $1", prompt.prompt_id
            )
            if count >= MAX_PROMPTS_PER_TENANT:
                raise LibraryFull(f"{MAX_PROMPTS_PER_TENANT} prompts")
            await connection.execute(
                _PUT_PROMPT, prompt.prompt_id, prompt.name, prompt.text, prompt.language, now_ms
            )
            return await _one_prompt(connection, prompt.prompt_id)

    async def put_sound(
        self, tenant_id: TenantId, prompt_id: str, sound: Sound, now_ms: int
    ) -> LibraryPrompt:
        """See `LibraryStore.put_sound`."""
        async with self._database.transaction(tenant_id) as connection:
            await connection.execute(
                _PUT_SOUND, prompt_id, sound.source, sound.sha256, sound.duration_ms, now_ms
            )
            return await _one_prompt(connection, prompt_id)

    async def get_prompt(self, tenant_id: TenantId, prompt_id: str) -> LibraryPrompt:
        """See `LibraryStore.get_prompt`."""
        async with self._database.transaction(tenant_id) as connection:
            return await _one_prompt(connection, prompt_id)

    async def list_prompts(
        self, tenant_id: TenantId, search: str, after: str, size: int
    ) -> list[LibraryPrompt]:
        """See `LibraryStore.list_prompts`."""
        async with self._database.transaction(tenant_id) as connection:
            rows = await connection.fetch(_LIST_PROMPTS, _containing(search), after, size)
        return [_prompt(row) for row in rows]

    async def remove_prompt(self, tenant_id: TenantId, prompt_id: str) -> None:
        """See `LibraryStore.remove_prompt`."""
        async with self._database.transaction(tenant_id) as connection:
            known = await _one_prompt(connection, prompt_id)
            if known.used_by:
                raise PromptInUse(named_by(prompt_id, known.used_by))
            try:
                await connection.execute(
                    "DELETE FROM library_prompt WHERE prompt_id = $1", prompt_id
                )
            except asyncpg.ForeignKeyViolationError:  # a flow was published meanwhile
                raise PromptInUse(prompt_id) from None

    async def sounds(self, tenant_id: TenantId, prompt_ids: Iterable[str]) -> dict[str, Sound]:
        """See `LibraryStore.sounds`."""
        async with self._database.transaction(tenant_id) as connection:
            rows = await connection.fetch(
                "SELECT prompt_id, source, sha256, duration_ms FROM library_prompt"
                " WHERE prompt_id = ANY($1)",
                sorted(prompt_ids),
            )
        return {row["prompt_id"]: _sound(row) for row in rows}

    async def put_calendar(self, tenant_id: TenantId, calendar: Calendar, now_ms: int) -> Calendar:
        """See `LibraryStore.put_calendar`."""
        async with self._database.transaction(tenant_id) as connection:
            count = await connection.fetchval(
                "SELECT count(*) FROM calendar WHERE calendar_id <> $1", calendar.calendar_id
            )
            if count >= MAX_CALENDARS_PER_TENANT:
                raise LibraryFull(f"{MAX_CALENDARS_PER_TENANT} calendars")
            await connection.execute(
                _PUT_CALENDAR,
                calendar.calendar_id,
                calendar.name,
                calendar.time_zone,
                _hours_json(calendar),
                now_ms,
            )
            return await _one_calendar(connection, calendar.calendar_id)

    async def list_calendars(self, tenant_id: TenantId, after: str, size: int) -> list[Calendar]:
        """See `LibraryStore.list_calendars`."""
        async with self._database.transaction(tenant_id) as connection:
            rows = await connection.fetch(
                f"{_CALENDARS} WHERE c.calendar_id > $1 ORDER BY c.calendar_id LIMIT $2",
                after,
                size,
            )
        return [_calendar(row) for row in rows]

    async def remove_calendar(self, tenant_id: TenantId, calendar_id: str) -> None:
        """See `LibraryStore.remove_calendar`."""
        async with self._database.transaction(tenant_id) as connection:
            known = await _one_calendar(connection, calendar_id)
            if known.used_by:
                raise CalendarInUse(named_by(calendar_id, known.used_by))
            try:
                await connection.execute("DELETE FROM calendar WHERE calendar_id = $1", calendar_id)
            except asyncpg.ForeignKeyViolationError:  # a flow was published meanwhile
                raise CalendarInUse(calendar_id) from None

    async def calendars(
        self, tenant_id: TenantId, calendar_ids: Iterable[str]
    ) -> dict[str, Calendar]:
        """See `LibraryStore.calendars`."""
        async with self._database.transaction(tenant_id) as connection:
            rows = await connection.fetch(
                f"{_CALENDARS} WHERE c.calendar_id = ANY($1)", sorted(calendar_ids)
            )
        return {row["calendar_id"]: _calendar(row) for row in rows}


async def replace_uses(connection: Connection, flow_id: str, uses: Uses) -> None:
    """Notes what a flow's published version names; NoSuchPrompt, NoSuchCalendar."""
    await connection.execute("DELETE FROM flow_prompt WHERE flow_id = $1", flow_id)
    await connection.execute("DELETE FROM flow_calendar WHERE flow_id = $1", flow_id)
    try:
        await connection.execute(
            "INSERT INTO flow_prompt (tenant_id, flow_id, prompt_id)"
            " SELECT chassis.tenant(), $1, unnest($2::text[])",
            flow_id,
            sorted(uses.prompts),
        )
    except asyncpg.ForeignKeyViolationError:
        raise NoSuchPrompt(f"of those that {flow_id} names") from None
    try:
        await connection.execute(
            "INSERT INTO flow_calendar (tenant_id, flow_id, calendar_id)"
            " SELECT chassis.tenant(), $1, unnest($2::text[])",
            flow_id,
            sorted(uses.calendars),
        )
    except asyncpg.ForeignKeyViolationError:
        raise NoSuchCalendar(f"of those that {flow_id} names") from None


async def _one_prompt(connection: Connection, prompt_id: str) -> LibraryPrompt:
    row = await connection.fetchrow(f"{_PROMPTS} WHERE p.prompt_id = $1", prompt_id)
    if row is None:
        raise NoSuchPrompt(prompt_id)
    return _prompt(row)


async def _one_calendar(connection: Connection, calendar_id: str) -> Calendar:
    row = await connection.fetchrow(f"{_CALENDARS} WHERE c.calendar_id = $1", calendar_id)
    if row is None:
        raise NoSuchCalendar(calendar_id)
    return _calendar(row)


def _prompt(row: asyncpg.Record) -> LibraryPrompt:
    return LibraryPrompt(
        prompt_id=row["prompt_id"],
        name=row["name"],
        text=row["text"],
        language=row["language"],
        sound=_sound(row),
        changed_at_ms=row["changed_at_ms"],
        used_by=tuple(row["used_by"]),
    )


def _sound(row: asyncpg.Record) -> Sound:
    return Sound(Source(row["source"]), row["sha256"], row["duration_ms"])


def _hours_json(calendar: Calendar) -> str:
    return json.dumps(
        {
            "week": [asdict(opening) for opening in calendar.week],
            "special_days": [asdict(special) for special in calendar.special_days],
        }
    )


def _calendar(row: asyncpg.Record) -> Calendar:
    hours: dict[str, Any] = json.loads(row["hours_json"])
    return Calendar(
        calendar_id=row["calendar_id"],
        name=row["name"],
        time_zone=row["time_zone"],
        week=tuple(Opening(**opening) for opening in hours["week"]),
        special_days=tuple(
            SpecialDay(
                date=special["date"],
                name=special["name"],
                hours=tuple((begin, end) for begin, end in special["hours"]),
            )
            for special in hours["special_days"]
        ),
        used_by=tuple(row["used_by"]),
    )


def _containing(search: str) -> str:
    """The pattern of texts that hold what is searched for; empty: all do."""
    if not search:
        return ""
    plain = search.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    return f"%{plain}%"
