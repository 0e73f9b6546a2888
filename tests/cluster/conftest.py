"""One cluster for all tests; each brings a tenant of its own, and leaves everything running."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import count
from typing import TypeAlias

import pytest
import pytest_asyncio

from services.__main__ import NAMES
from services.launcher.cluster import Cluster
from tests.cluster.stage import Stage
from tests.stage.players import Players
from tests.stage.tenants import tenant_of
from tests.stage.watching import watching

Everyone: TypeAlias = Players[Stage]
_numbers = count(1)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def carillon(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    cluster = Cluster(
        var=tmp_path_factory.mktemp("cluster"),
        services=NAMES,
        tell=lambda _: None,
        usual_ports=False,
        keep=False,
        # A ring, and a caller's patience, last longer than a service is away on a busy machine.
        service_env={
            "gateway": {
                "CARILLON_GATEWAY_FLOW_PATIENCE_MS": "30000",
                "CARILLON_GATEWAY_DRAIN_LIMIT_S": "120",
            }
        },
    )
    try:
        yield Stage(cluster, await cluster.start())
    finally:
        await cluster.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def stage(carillon: Stage) -> AsyncIterator[Everyone]:
    """A tenant's callers and agents; no phone may find fault with what it was sent."""
    number = next(_numbers)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(carillon.mend)
        tenant = await stack.enter_async_context(
            tenant_of(carillon, f"acme-{number}", number=f"+1202555{9_000 + number}")
        )
        facts, agents = await stack.enter_async_context(watching(carillon, tenant.tenant_id))
        phones = await stack.enter_async_context(AsyncExitStack())
        everyone = Players(carillon, tenant, facts, agents, phones)
        try:
            yield everyone
            assert [fault for phone in everyone.phones for fault in phone.faults] == []
        except BaseException as error:
            error.add_note(carillon.logs())
            raise
