"""Tenants with people, queues and numbers, put there through the public API alone."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from services import launcher
from tests.agent.desk import Desk, desk_of
from tests.agent.portal import Session, signed_in
from tests.stage.house import House

FLOW = Path(launcher.__file__).resolve().parent / "main-menu.json"
PASSWORD = "correct horse battery staple"
DAY_MS = 86_400_000
_AHEAD_H = 12 - time.gmtime().tm_hour
ZONE = f"Etc/GMT{-_AHEAD_H:+d}"
"""Where it was about noon when the tests began (the sign is POSIX's): no test sees a day end."""


def today() -> tuple[int, int]:
    """The day that it is for the tenants of tests, in UTC milliseconds."""
    ahead_ms = _AHEAD_H * 3_600_000
    now_ms = time.time_ns() // 1_000_000 + ahead_ms
    from_ms = now_ms - now_ms % DAY_MS - ahead_ms
    return from_ms, from_ms + DAY_MS


@dataclass(slots=True)
class Tenant:
    """One customer of the installation, and its administrator."""

    name: str
    tenant_id: str
    number: str
    portal: str
    admin: Session
    stack: AsyncExitStack
    users: dict[str, str] = field(default_factory=dict)
    """Ids by username."""

    async def person(self, username: str, *roles: str) -> str:
        """A user; their id."""
        user = {"username": username, "display_name": username.capitalize(), "roles": list(roles)}
        made = await self.admin.post("/v1/users", {"user": user, "password": PASSWORD})
        self.users[username] = made["user_id"]
        return str(made["user_id"])

    async def agent(
        self, username: str, *, endpoint: str = "webrtc:", queues: tuple[str, ...] = ("sales",)
    ) -> str:
        """An agent of queues; their id."""
        agent_id = await self.person(username, "agent")
        await self.admin.put(
            f"/v1/agents/{agent_id}",
            {
                "agent_id": agent_id,
                "name": username.capitalize(),
                "endpoint": endpoint,
                "queues": [{"queue_id": queue} for queue in queues],
            },
        )
        return agent_id

    async def desk(self, username: str) -> Desk:
        """An agent at a browser, with the desk open until the test ends."""
        return await self.stack.enter_async_context(
            desk_of(self.portal, tenant=self.name, username=username, password=PASSWORD)
        )

    async def session(self, username: str) -> Session:
        """Somebody who is signed in until the test ends."""
        return await self.stack.enter_async_context(
            signed_in(self.portal, tenant=self.name, username=username, password=PASSWORD)
        )

    async def put_queue(self, queue_id: str, **rules: Any) -> None:
        """A queue, its rules the demo's unless told."""
        usual = {
            "queue_id": queue_id,
            "name": queue_id.capitalize(),
            "ring_timeout_ms": 15_000,
            "assumed_handle_s": 45,
            "wrap_up": {"mode": "timed", "max_ms": 1_000},
        }
        await self.admin.put(f"/v1/queues/{queue_id}", usual | rules)

    async def put_flow(self, text: str | None = None, *, flow_id: str = "main-menu") -> None:
        """A published flow that the tenant's number leads to."""
        definition = text or FLOW.read_text()
        await self.admin.post(f"/v1/flows/{flow_id}/versions", {"definition_json": definition})
        await self.admin.post(f"/v1/flows/{flow_id}:publish")
        number = quote(self.number, safe="")
        await self.admin.put(f"/v1/numbers/{number}", {"number": self.number, "flow_id": flow_id})


@asynccontextmanager
async def platform(carillon: House) -> AsyncIterator[Session]:
    """The platform's own administrator."""
    root = json.loads((carillon.var / "bootstrap.json").read_text())
    async with signed_in(
        carillon.portal,
        tenant=root["tenant"],
        username=root["username"],
        password=root["password"],
    ) as session:
        yield session


@asynccontextmanager
async def tenant_of(
    carillon: House,
    name: str,
    *,
    number: str,
    queues: tuple[str, ...] = ("sales", "support"),
    flow: str | None = None,
) -> AsyncIterator[Tenant]:
    """A new tenant with queues, a menu and a number; its people come as the test needs them."""
    portal = carillon.portal
    async with AsyncExitStack() as stack:
        root = await stack.enter_async_context(platform(carillon))
        made = await root.post(
            "/v1/tenants",
            {
                "tenant": {"name": name, "display_name": name.title(), "time_zone": ZONE},
                "admin_username": "admin",
                "admin_password": PASSWORD,
            },
        )
        admin = await stack.enter_async_context(
            signed_in(portal, tenant=name, username="admin", password=PASSWORD)
        )
        tenant = Tenant(name, made["tenant_id"], number, portal, admin, stack)
        for queue_id in queues:
            await tenant.put_queue(queue_id)
        await tenant.put_flow(flow)
        yield tenant
