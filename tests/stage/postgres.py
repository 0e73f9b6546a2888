"""A PostgreSQL for tests: one server for each test process, one database for each test."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import count
from pathlib import Path

import asyncpg

from services.chassis.database import DatabaseAddress
from services.chassis.postgres.server import PostgresServer

TEMPLATE = "carillon_template"
_numbers = count(1)


@contextmanager
def running_postgres(*, fast: bool = True) -> Iterator[PostgresServer]:
    """A server in a folder of its own, which goes with it."""
    folder = Path(tempfile.mkdtemp(prefix="carillon-pg-"))
    # Its user is another one: let it through to what is its own.
    folder.chmod(0o711)
    server = PostgresServer(folder, fast=fast)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


@asynccontextmanager
async def fresh_database(server: PostgresServer) -> AsyncIterator[DatabaseAddress]:
    """A migrated database that nobody has written to."""
    await server.database(TEMPLATE)
    name = f"test_{next(_numbers)}"
    connection = await asyncpg.connect(server.admin_dsn())
    try:
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    finally:
        await connection.close()
    try:
        yield server.address(name)
    finally:
        await server.drop(name)
