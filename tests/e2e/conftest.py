"""One installation for the tests of a module; each test brings its own callers and agents."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from services.chassis.postgres.server import PostgresServer
from tests.e2e.cast import Cast, playing, staged
from tests.stage.installation import Installation


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def carillon(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer
) -> AsyncIterator[Installation]:
    var = tmp_path_factory.mktemp("carillon")
    async with staged(var, postgres=postgres_server) as installation:
        yield installation


@pytest_asyncio.fixture(loop_scope="module")
async def cast(carillon: Installation) -> AsyncIterator[Cast]:
    async with playing(carillon) as everyone:
        yield everyone
