"""An installation whose people sit at real browsers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from services.chassis.postgres.server import PostgresServer
from tests.browser import AgentPage, Person, browsing
from tests.e2e.whole import Whole, whole
from tests.softphone import SoftPhone
from tests.softphone.outgoing import OutgoingCall
from tests.stage.tenants import PASSWORD

CALLER_HZ = 440.0
AGENT_HZ = 660.0
OTHER_HZ = 880.0
"""What a second agent's microphone hears."""

Staged = Callable[[], AbstractAsyncContextManager[Whole]]


@asynccontextmanager
async def journeys(
    folder: Path,
    postgres: PostgresServer,
    *,
    env: dict[str, str] | None = None,
    gateway_env: dict[str, str] | None = None,
) -> AsyncIterator[Whole]:
    """One installation as `make up` runs it, for all tests of a module.

    An agent in wrap-up has time to look at the page.
    """
    async with whole(folder, postgres, together=True, env=env, gateway_env=gateway_env) as everyone:
        wrap_up = {"mode": "optional", "max_ms": 60_000, "extensions": 1, "extension_ms": 30_000}
        await everyone.tenant.put_queue("sales", wrap_up=wrap_up)
        await everyone.tenant.put_queue("support", wrap_up=wrap_up)
        yield everyone


async def person(stage: Whole, username: str, folder: Path, **browser: float) -> Person:
    """Somebody of the tenant, signed in at a browser of their own until the test ends."""
    someone = await stage.stack.enter_async_context(
        browsing(stage.tenant.portal, folder, tone_hz=browser.get("tone_hz", AGENT_HZ))
    )
    await someone.sign_in(tenant=stage.tenant.name, username=username, password=PASSWORD)
    return someone


async def agent(
    stage: Whole,
    username: str,
    folder: Path,
    *,
    tone_hz: float = AGENT_HZ,
    queue: str = "sales",
    ready: bool = True,
) -> AgentPage:
    """A new agent of a queue at the desk."""
    await stage.tenant.agent(username, queues=(queue,))
    desk = AgentPage(await person(stage, username, folder, tone_hz=tone_hz))
    if ready:
        await desk.go_ready()
    return desk


async def talk(
    stage: Whole, desk: AgentPage, *, hz: float = AGENT_HZ, phone: SoftPhone | None = None
) -> OutgoingCall:
    """A caller and the agent hear each other."""
    call = await stage.in_queue(phone=phone)
    await desk.accept()
    await both_hear(call, desk, hz)
    return call


async def both_hear(call: OutgoingCall, desk: AgentPage, hz: float) -> None:
    """The caller's tone arrives at the page, and the agent's microphone at the caller."""
    call.play_tone(CALLER_HZ)
    await desk.person.hears_tone(CALLER_HZ, 8)
    await call.hears_tone(hz, 8)
