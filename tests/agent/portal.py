"""Portal as a browser sees it: REST with a session, and the one WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

HEARTBEAT_S = 1.0


class NotSeen(Exception):
    """What was waited for did not come over the WebSocket in time."""


class Problem(Exception):
    """The API refused; `code` is its stable word."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(f"{status} {body.get('code')}: {body.get('detail')}")
        self.status = status
        self.code = str(body.get("code", ""))
        self.body = body


class Session:
    """Somebody who is signed in."""

    def __init__(self, http: httpx.AsyncClient, token: str, me: dict[str, Any]) -> None:
        self.http = http
        self.token = token
        self.me = me

    async def call(
        self, method: str, path: str, body: dict[str, Any] | None = None, **query: Any
    ) -> dict[str, Any]:
        """A request's answer; Problem."""
        answer = await self.http.request(
            method,
            path,
            json=body,
            params=query or None,
            headers={"Authorization": f"Bearer {self.token}"},
        )
        said: dict[str, Any] = answer.json() if answer.content else {}
        if not answer.is_success:
            raise Problem(answer.status_code, said)
        return said

    async def get(self, path: str, **query: Any) -> dict[str, Any]:
        return await self.call("GET", path, **query)

    async def post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        return await self.call("POST", path, body or {})

    async def put(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return await self.call("PUT", path, body)


@asynccontextmanager
async def signed_in(
    address: str,
    *,
    tenant: str,
    username: str,
    password: str,
    trust: ssl.SSLContext | None = None,
) -> AsyncIterator[Session]:
    """Signs in at a portal; `trust` where it is one that the world does not vouch for."""
    async with httpx.AsyncClient(base_url=address, timeout=20, verify=trust or True) as http:
        answer = await http.post(
            "/v1/sessions", json={"tenant": tenant, "username": username, "password": password}
        )
        if not answer.is_success:
            raise Problem(answer.status_code, answer.json())
        said = answer.json()
        yield Session(http, said["access_token"], said["me"])


@dataclass(slots=True)
class Feed:
    """What the WebSocket tells: the desk as it is now, and how it became so."""

    socket: ClientConnection
    desk: dict[str, Any] = field(default_factory=dict)
    number: int = 0
    closed: str = ""
    others: list[dict[str, Any]] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(
        self, what: str, wanted: Callable[[dict[str, Any]], bool], within_s: float
    ) -> dict[str, Any]:
        """The desk, once it is as wanted."""
        try:
            async with asyncio.timeout(within_s):
                while not wanted(self.desk):
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            raise NotSeen(
                f"{what} was not seen in {within_s} s; the desk: {self._brief()}"
            ) from None
        return self.desk

    async def told(self, kind: str, within_s: float) -> dict[str, Any]:
        """The first message of a kind, past or to come."""
        async with asyncio.timeout(within_s):
            while True:
                for message in self.others:
                    if message["type"] == kind:
                        return message
                self._more.clear()
                await self._more.wait()

    async def subscribe(self, *topics: str) -> None:
        """Asks for further news."""
        await self._say({"type": "subscribe", "topics": list(topics)})

    async def read(self) -> None:
        """Takes messages until the other side closes."""
        try:
            async for text in self.socket:
                self._take(json.loads(text))
        except ConnectionClosed:
            pass  # said below
        self.closed = f"{self.socket.close_code} {self.socket.close_reason}"
        self._more.set()

    async def beat(self) -> None:
        """Says that this browser is there, for as long as it is."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                await self._say({"type": "heartbeat"})
                await asyncio.sleep(HEARTBEAT_S)

    def _take(self, message: dict[str, Any]) -> None:
        kind = message.get("type")
        if kind == "snapshot":
            self.number = message["number"]
            self.desk = message.get("desk") or {}
        elif kind == "change":
            assert message["number"] == self.number + 1, "a gap in the feed"
            self.number = message["number"]
            self.desk = message.get("desk") or self.desk
        if kind != "heartbeat":
            self.history.append(message)
            self.others.append(message)
        self._more.set()

    async def _say(self, message: dict[str, Any]) -> None:
        await self.socket.send(json.dumps(message))

    def _brief(self) -> str:
        agent = self.desk.get("agent") or {}
        work = [w.get("reservation", {}).get("stage") for w in self.desk.get("work", [])]
        return f"{agent.get('state')} ({agent.get('why')}), work {work}, closed {self.closed!r}"


@asynccontextmanager
async def feed_of(
    session: Session,
    address: str,
    *,
    device_check: str = "passed",
    trust: ssl.SSLContext | None = None,
) -> AsyncIterator[Feed]:
    """The WebSocket of somebody who is signed in, with heartbeats."""
    url = address.replace("http", "ws", 1) + "/v1/feed"
    async with connect(url, open_timeout=10, ssl=trust) as socket:
        hello = {"type": "hello", "token": session.token, "device_check": device_check}
        await socket.send(json.dumps(hello))
        feed = Feed(socket)
        tasks = [asyncio.ensure_future(feed.read()), asyncio.ensure_future(feed.beat())]
        try:
            yield feed
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
