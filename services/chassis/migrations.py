"""Schemas, roles and tables, brought up to date by files of SQL.

Each service keeps its files in `services/<name>/migrations/NNNN_<words>.sql`, in order and never
changed once released; each runs in one transaction with the service's schema first on the search
path. A row per file remembers its hash. Only one process migrates at a time.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import asyncpg

from services.chassis.database import role_of
from services.chassis.errors import CarillonError, Kind

SERVICES = Path(__file__).resolve().parent.parent
LOCK = 0x43_41_52_49_4C
"""Advisory lock of whoever migrates a database."""
ROLE_ATTEMPTS = 10
ROLE_PAUSE_S = 0.1
CLIENTS = ("bus",)
"""Roles without a schema of their own: this one is every process's way to the bus."""
_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")


class MigrationChanged(CarillonError):
    """A file that was applied before reads differently now."""

    code: ClassVar[str] = "migration-changed"
    kind: ClassVar[Kind] = Kind.CONFLICT


@dataclass(frozen=True, slots=True)
class Migration:
    """One file."""

    schema: str
    """Whose."""
    version: int
    """From 1, without holes."""
    name: str
    """Of the file."""
    sql: str
    """What it does."""

    @property
    def sha256(self) -> str:
        """Of the text."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def schemas() -> tuple[str, ...]:
    """Every schema there is, the chassis's first."""
    found = sorted(path.parent.name for path in SERVICES.glob("*/migrations"))
    return ("chassis", *(name for name in found if name != "chassis"))


def migrations_of(schema: str) -> list[Migration]:
    """A schema's files in order."""
    found = []
    for path in sorted((SERVICES / schema / "migrations").glob("*.sql")):
        match = _NAME.fullmatch(path.name)
        assert match is not None, f"{path.name}: name it NNNN_words.sql"
        found.append(Migration(schema, int(match.group(1)), path.name, path.read_text()))
    assert [m.version for m in found] == list(range(1, len(found) + 1)), schema
    return found


async def migrate(dsn: str, passwords: Mapping[str, str]) -> list[str]:
    """Brings a database up to date as its administrator; returns the files that were applied.

    `passwords` by role, for every schema and client; a role that is there gets its password anew.
    """
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK)
        try:
            await _make_roles(connection, passwords)
            return await _apply_all(connection)
        finally:
            await connection.execute("SELECT pg_advisory_unlock($1)", LOCK)
    finally:
        await connection.close()


def roles() -> list[str]:
    """Every role that logs in."""
    return [role_of(name) for name in (*schemas()[1:], *CLIENTS)]


async def _make_roles(
    connection: asyncpg.Connection[asyncpg.Record], passwords: Mapping[str, str]
) -> None:
    # Roles belong to the server, and advisory locks to a database: the migration of another
    # database may make the same roles now. Whoever is second is refused, and finds them made.
    for left in reversed(range(ROLE_ATTEMPTS)):
        try:
            await _make_roles_once(connection, passwords)
            break
        except (
            asyncpg.DuplicateObjectError,
            asyncpg.UniqueViolationError,
            asyncpg.InternalServerError,  # "tuple concurrently updated"
        ):
            if not left:
                raise
            await asyncio.sleep(ROLE_PAUSE_S)


async def _make_roles_once(
    connection: asyncpg.Connection[asyncpg.Record], passwords: Mapping[str, str]
) -> None:
    async with connection.transaction():
        there = {row["rolname"] for row in await connection.fetch("SELECT rolname FROM pg_roles")}
        if "carillon_definer" not in there:
            await connection.execute("CREATE ROLE carillon_definer NOLOGIN NOBYPASSRLS")
        for role in roles():
            if role not in there:
                await connection.execute(f"CREATE ROLE {role} LOGIN NOBYPASSRLS NOINHERIT")
            secret = await connection.fetchval("SELECT quote_literal($1::text)", passwords[role])
            await connection.execute(f"ALTER ROLE {role} PASSWORD {secret}")


async def _apply_all(connection: asyncpg.Connection[asyncpg.Record]) -> list[str]:
    await connection.execute("CREATE SCHEMA IF NOT EXISTS chassis")
    await connection.execute(
        """CREATE TABLE IF NOT EXISTS chassis.migration (
             schema text, version int, name text NOT NULL, sha256 text NOT NULL,
             applied_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (schema, version))"""
    )
    # Whoever looks after an installation may ask what was applied.
    await connection.execute("GRANT SELECT ON chassis.migration TO PUBLIC")
    applied: list[str] = []
    for schema in schemas():
        if schema != "chassis":
            await _make_schema(connection, schema)
        applied += await _apply(connection, schema, migrations_of(schema))
    return applied


async def _make_schema(connection: asyncpg.Connection[asyncpg.Record], schema: str) -> None:
    role = role_of(schema)
    await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    await connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO {role}, carillon_definer")
    await connection.execute(
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema}"
        f" GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}"
    )
    await connection.execute(
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT USAGE ON SEQUENCES TO {role}"
    )


async def _apply(
    connection: asyncpg.Connection[asyncpg.Record], schema: str, files: Sequence[Migration]
) -> list[str]:
    rows = await connection.fetch(
        "SELECT version, sha256 FROM chassis.migration WHERE schema = $1", schema
    )
    done = {row["version"]: row["sha256"] for row in rows}
    applied: list[str] = []
    for file in files:
        if file.version in done:
            if done[file.version] != file.sha256:
                raise MigrationChanged(f"{schema}/{file.name} was applied with other text")
            continue
        async with connection.transaction():
            await connection.execute(f"SET LOCAL search_path = {schema}, chassis")
            await connection.execute(file.sql)
            await connection.execute(
                "INSERT INTO chassis.migration (schema, version, name, sha256)"
                " VALUES ($1, $2, $3, $4)",
                schema,
                file.version,
                file.name,
                file.sha256,
            )
        applied.append(f"{schema}/{file.name}")
    return applied
