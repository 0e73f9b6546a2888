from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.unit.portal_people.stage import Stage, staged


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """Portal's people in memory, with two tenants."""
    async with staged() as made:
        yield made
