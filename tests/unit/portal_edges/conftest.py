from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.unit.portal_edges.stage import Stage, staged


@pytest_asyncio.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged() as made:
        yield made
