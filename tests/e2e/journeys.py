"""An installation whose people sit at real browsers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from services.chassis.postgres.server import PostgresServer
from tests.browser import AgentPage, Person, browsing
from tests.e2e.whole import Whole, whole
from tests.stage.tenants import PASSWORD

Staged = Callable[[], AbstractAsyncContextManager[Whole]]


@asynccontextmanager
async def journeys(folder: Path, postgres: PostgresServer) -> AsyncIterator[Whole]:
    """One installation as `make up` runs it, for all tests of a module.

    An agent in wrap-up has time to look at the page.
    """
    async with whole(folder, postgres, together=True) as everyone:
        wrap_up = {"mode": "optional", "max_ms": 60_000, "extensions": 1, "extension_ms": 30_000}
        await everyone.tenant.put_queue("sales", wrap_up=wrap_up)
        await everyone.tenant.put_queue("support", wrap_up=wrap_up)
        yield everyone


async def person(stage: Whole, username: str, folder: Path, **browser: float) -> Person:
    """Somebody of the tenant, signed in at a browser of their own until the test ends."""
    someone = await stage.stack.enter_async_context(
        browsing(stage.tenant.portal, folder, tone_hz=browser.get("tone_hz", 660.0))
    )
    await someone.sign_in(tenant=stage.tenant.name, username=username, password=PASSWORD)
    return someone


async def agent(
    stage: Whole, username: str, folder: Path, *, tone_hz: float = 660.0, ready: bool = True
) -> AgentPage:
    """A new agent of queue sales at the desk."""
    await stage.tenant.agent(username)
    desk = AgentPage(await person(stage, username, folder, tone_hz=tone_hz))
    if ready:
        await desk.go_ready()
    return desk
