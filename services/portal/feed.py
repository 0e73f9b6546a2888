"""The WebSocket `/v1/feed`: one softphone per agent, and an orderly end for all."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Iterator

from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from services.chassis.log import get_logger
from services.portal.access import Exposed, Registry
from services.portal.desk_links import Whose
from services.portal.feed_connection import Connection, Parts
from services.portal.feed_softphones import Softphones
from services.portal.feed_topic import as_text
from services.portal.feed_words import Close, Closed
from services.portal.model.people import PLATFORM_TENANT
from services.portal.strangers import Strangers

log = get_logger("portal.feed")

MAX_CONNECTIONS = 20_000
MAX_PER_USER = 16
RECONNECT_WITHIN_MS = 5_000
"""Pages come back spread over so long after a drain, or they would all come at once."""
CLOSE_LIMIT_S = 2.0
FOLLOWED_BY = {
    "agents": "/carillon.acd.v1.Acd/WatchAgents",
    "waiting": "/carillon.acd.v1.Acd/WatchWaiting",
    "live": "/carillon.analytics.v1.Analytics/WatchLive",
    "alarms": "/carillon.analytics.v1.Analytics/WatchAlarms",
}
"""Following a board needs what the RPC of the same content needs."""


class Feed:
    """All WebSockets of this process, as an ASGI application."""

    def __init__(
        self, *, parts: Parts, random_bits: Callable[[int], int], softphones: Softphones
    ) -> None:
        self._parts = parts
        self._random_bits = random_bits
        self._open: set[Connection] = set()
        self._pages: Counter[Whose] = Counter()
        self._softphones = softphones
        self._strangers = Strangers(clock=parts.clock)
        self._leaving = False
        self._left = asyncio.Event()

    def __len__(self) -> int:
        return len(self._open)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        socket = WebSocket(scope, receive, send)
        try:
            await socket.accept()
            await self._serve(Connection(socket=socket, parts=self._parts))
        except WebSocketDisconnect:
            return
        except Closed as closed:
            await _close(socket, closed.code, closed.reason)
        except Exception as error:  # the page learns nothing about the inside; the log does
            log.error("feed failed", exc_info=error)
            await _close(socket, Close.FAULT, "internal error")

    async def drain(self) -> None:
        """Sends every page elsewhere, at a moment of its own, and waits until all have left."""
        self._leaving = True
        for connection in tuple(self._open):
            after_ms = self._random_bits(32) % RECONNECT_WITHIN_MS
            connection.put(as_text({"type": "reconnect", "after_ms": after_ms}))
            connection.close(Closed(Close.LEAVING, "this server is leaving"))
        while self._open:
            self._left.clear()
            await self._left.wait()

    async def _serve(self, connection: Connection) -> None:
        if self._leaving or len(self._open) >= MAX_CONNECTIONS:
            raise Closed(Close.LEAVING, "ask again later")
        self._open.add(connection)
        try:
            hello = await connection.greet()
            with self._counted(connection.whose):
                if connection.is_softphone:
                    self._softphones.claim(connection.whose, connection)
                await connection.run(hello)
        except Closed as closed:
            await self._refused(connection, closed)
            raise
        finally:
            self._open.discard(connection)
            self._left.set()
            if connection.is_softphone:
                self._softphones.give_up(connection.whose, connection)

    @contextlib.contextmanager
    def _counted(self, whose: Whose) -> Iterator[None]:
        if self._pages[whose] >= MAX_PER_USER:
            raise Closed(Close.TOO_MANY, f"more than {MAX_PER_USER} pages of one user")
        self._pages[whose] += 1
        try:
            yield
        finally:
            self._pages[whose] -= 1
            if not self._pages[whose]:
                del self._pages[whose]

    async def _refused(self, connection: Connection, closed: Closed) -> None:
        principal = connection.principal
        # That a token has ended in the course of a feed is no refusal.
        stranger = closed.code is Close.NOT_AUTHENTICATED and principal is None
        if not stranger and closed.code is not Close.NOT_ALLOWED:
            return
        if stranger and not self._strangers.may_be_written():
            return
        await self._parts.people.audit(
            principal=principal,
            tenant_id=principal.tenant_id if principal else PLATFORM_TENANT,
            action="feed",
            subject="",
            outcome=closed.reason if stranger else "not-allowed",
            address=connection.address,
            detail_json="{}",
        )


def followed_by(registry: Registry) -> dict[str, Exposed]:
    """For each board, the RPC whose permission is needed."""
    found = {name: registry.find(path) for name, path in FOLLOWED_BY.items()}
    return {name: exposed for name, exposed in found.items() if exposed is not None}


async def _close(socket: WebSocket, code: Close, reason: str) -> None:
    try:
        async with asyncio.timeout(CLOSE_LIMIT_S):
            await socket.close(int(code), reason[:100])
    except (TimeoutError, RuntimeError, OSError):
        log.debug("a page was gone already")
