"""Everyone who plays in the demo, and what of them is asked over the public API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from grpc import aio

from protos.gateway.v1 import gateway_pb2
from protos.gateway.v1.gateway_pb2_grpc import GatewayStub
from services.chassis.rpc import PLATFORM, metadata
from services.launcher.folder import Running
from tests.agent.desk import Desk, desk_of
from tests.agent.portal import Session, signed_in
from tests.demo.story import Story
from tests.softphone import SoftPhone
from tests.stage.asking import eventually
from tests.stage.route import own_address
from tests.stage.watching import Facts

CALLER = "+12025550147"
LIVE = ("offered", "answered", "abandoned", "service_level", "asa", "abandon_rate", "occupancy")


@dataclass(frozen=True, slots=True)
class Scene:
    """Everyone who plays a part."""

    story: Story
    running: Running
    phone: SoftPhone
    desk: Desk
    supervisor: Session
    facts: Facts


@asynccontextmanager
async def everyone(
    story: Story, running: Running, gateways: Sequence[aio.Channel]
) -> AsyncIterator[Scene]:
    """A caller with a phone, an agent with a browser, a supervisor who looks on."""
    passwords = running.seeded.passwords
    host = own_address(running.sip)
    async with AsyncExitStack() as stack:
        with story.step("agent", "signs in at the portal and opens the desk (WebSocket)") as step:
            desk = await stack.enter_async_context(
                desk_of(
                    running.portal,
                    tenant="demo",
                    username="anna",
                    password=passwords["anna"],
                    host=host,
                )
            )
            await desk.presence("break", "coffee")
            step.detail = f"{desk.session.me['name']}, device check passed, on a break"
        with story.step("supervisor", "signs in and looks on") as step:
            supervisor = await stack.enter_async_context(
                signed_in(
                    running.portal, tenant="demo", username="sara", password=passwords["sara"]
                )
            )
            facts = await stack.enter_async_context(watching_calls(gateways))
            step.detail = f"{supervisor.me['name']}; gateways tell what happens in calls"
        phone = await stack.enter_async_context(
            SoftPhone(user=CALLER, display="Carol Caller", host=host)
        )
        yield Scene(story, running, phone, desk, supervisor, facts)


@asynccontextmanager
async def watching_calls(gateways: Sequence[aio.Channel]) -> AsyncIterator[Facts]:
    """What gateways tell of their calls, for as long as the block lasts."""
    facts = Facts()
    calls = [
        GatewayStub(channel).WatchCalls(
            gateway_pb2.WatchCallsRequest(), metadata=metadata(tenant_id=PLATFORM)
        )
        for channel in gateways
    ]
    readers = [asyncio.ensure_future(facts.read(each)) for each in calls]
    try:
        for each in calls:
            await each.wait_for_connection()
        yield facts
    finally:
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)


async def kpis(supervisor: Session) -> dict[str, float | None]:
    """Today's figures of the tenant, live; None where there is no value."""
    live = await supervisor.get("/v1/live")
    today: list[dict[str, Any]] = live["rows"][0].get("today", [])
    return {figure["kpi"]: figure.get("value") for figure in today if figure["kpi"] in LIVE}


async def kpis_until(supervisor: Session, answered: float, within_s: float) -> dict[str, Any]:
    """The figures, once so many contacts count as answered."""
    return await eventually(
        lambda: kpis(supervisor),
        lambda now: (now.get("answered") or 0) >= answered,
        within_s,
        f"a count of {answered:.0f} answered calls",
    )


async def recording_until_complete(
    supervisor: Session, call_id: str, within_s: float
) -> dict[str, Any]:
    """A call's recording, once all of it is stored."""

    async def ask() -> dict[str, Any]:
        found = await supervisor.get("/v1/recordings", **{"page.size": 50})
        by_id = {each["recording_id"]: each for each in found.get("recordings", [])}
        return dict(by_id.get(call_id, {}))

    return await eventually(
        ask,
        lambda recording: recording.get("state", "recording") != "recording",
        within_s,
        "the recording",
    )
