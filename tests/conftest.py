"""What tests of any room may ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from services.chassis.database import DatabaseAddress
from services.chassis.postgres.server import PostgresServer
from tests.stage.postgres import fresh_database, running_postgres


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A real PostgreSQL on loopback, for as long as the tests run."""
    with running_postgres() as server:
        yield server


@pytest.fixture
async def database_address(postgres_server: PostgresServer) -> AsyncIterator[DatabaseAddress]:
    """A migrated database of this test's own."""
    async with fresh_database(postgres_server) as address:
        yield address
