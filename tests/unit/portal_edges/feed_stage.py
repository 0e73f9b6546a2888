"""A server with the feed alone, over scripted services, and a browser's end."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from services.chassis.database import Database
from services.portal.desk_links import Links
from services.portal.feed import Feed, followed_by
from services.portal.feed_boards import Boards
from services.portal.feed_connection import Parts
from services.portal.feed_softphones import Softphones
from services.portal.http_server import HttpServer, bound
from tests.unit.portal_edges.desk_stage import PATIENCE_S, DeskStage
from tests.unit.portal_edges.stage import REGISTRY, Identities, person


@dataclass
class FeedStage:
    """A server with the feed alone, over scripted services."""

    desk: DeskStage
    people: Identities = field(default_factory=Identities)
    database: Database | None = None
    """Portal's, where there are other replicas."""

    def __post_init__(self) -> None:
        self.people.by_token |= {
            "ada": person("agent", who="ada"),
            "ada-2": person("agent", who="ada"),
            "sam": person("supervisor", who="sam"),
        }
        self.links = Links(dial=self.desk.dial, clock=self.desk.clock)
        self.boards = Boards(dial=self.desk.dial)
        parts = Parts(
            people=self.people,
            desks=self.desk.desks,
            boards=self.boards,
            links=self.links,
            clock=self.desk.clock,
            followed_by=followed_by(REGISTRY),
            token_check_s=0.02,
            desk_patience_s=0.2,
        )
        self.softphones = Softphones(
            links=self.links, database=self.database, new_id=lambda: str(uuid4())
        )
        self.softphones.start()
        self.feed = Feed(
            parts=parts, random_bits=lambda bits: (1 << bits) - 1, softphones=self.softphones
        )
        listening = bound(host="127.0.0.1", port=0, setting="", fallback=False)
        self.port = listening.getsockname()[1]
        app = Starlette(routes=[WebSocketRoute("/v1/feed", self.feed)])
        self.server = HttpServer(app=app, listening=[listening])
        self.server.start()

    @contextlib.asynccontextmanager
    async def page(self, **hello: Any) -> AsyncIterator[Page]:
        async with connect(f"ws://127.0.0.1:{self.port}/v1/feed") as socket:
            page = Page(socket)
            if hello:
                await page.say(type="hello", **hello)
            yield page

    async def close(self) -> None:
        await self.server.stop()
        await self.softphones.close()
        await self.links.close()
        await self.boards.close()


class Page:
    """A browser's end."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self._passed_over: list[dict[str, Any]] = []

    async def say(self, **fields: Any) -> None:
        await self.socket.send(json.dumps(fields))

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S):
            told: dict[str, Any] = json.loads(await self.socket.recv())
            return told

    async def until(self, kind: str, topic: str = "") -> dict[str, Any]:
        """The next message of a kind; others are kept, for topics come in any order."""
        for place, told in enumerate(self._passed_over):
            if (told["type"], told.get("topic", "")) == (kind, topic):
                return self._passed_over.pop(place)
        while True:
            told = await self.next()
            if (told["type"], told.get("topic", "")) == (kind, topic):
                return told
            self._passed_over.append(told)

    async def closed(self) -> tuple[int, str]:
        """Why it was closed, after whatever was told before."""
        async with asyncio.timeout(PATIENCE_S):
            with contextlib.suppress(ConnectionClosed):
                while True:
                    await self.socket.recv()
        return self.socket.close_code or 0, self.socket.close_reason or ""
