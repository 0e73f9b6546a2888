"""A whole installation, service by service a process, with a tenant made through the public API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TypeAlias

from services.chassis.postgres.server import PostgresServer
from tests.stage.installation import Installation
from tests.stage.players import Players
from tests.stage.tenants import tenant_of
from tests.stage.watching import watching

NUMBER = "+12025550100"
Whole: TypeAlias = Players[Installation]


@asynccontextmanager
async def whole(
    var: Path,
    postgres: PostgresServer | None = None,
    *,
    together: bool = False,
    env: dict[str, str] | None = None,
    gateway_env: dict[str, str] | None = None,
) -> AsyncIterator[Whole]:
    """An installation with one tenant on it; no phone may find fault with what it was sent."""
    installation = Installation(
        var=var, together=together, postgres=postgres, env=env, gateway_env=gateway_env
    )
    async with (
        installation as carillon,
        tenant_of(carillon, "acme", number=NUMBER) as tenant,
        watching(carillon, tenant.tenant_id) as (facts, agents),
        AsyncExitStack() as stack,
    ):
        everyone = Whole(carillon, tenant, facts, agents, stack)
        try:
            yield everyone
            assert [fault for phone in everyone.phones for fault in phone.faults] == []
        except BaseException as error:
            error.add_note(carillon.logs())
            raise
