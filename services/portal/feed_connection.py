"""One page's WebSocket, from its hello to its end."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import assert_never

from starlette.websockets import WebSocket, WebSocketDisconnect

from services.chassis.clock import Clock
from services.chassis.errors import CarillonError, Kind
from services.chassis.ids import AgentId, TenantId
from services.chassis.log import concerns
from services.portal.access import Exposed
from services.portal.core.permission import AGENT, NotAllowed, own_agent
from services.portal.core.reachability import GRACE_MS, HEARTBEAT_MS
from services.portal.desk import Desks
from services.portal.desk_links import Links, Whose
from services.portal.edge import Identities
from services.portal.feed_boards import Boards
from services.portal.feed_topic import Topic, as_text
from services.portal.feed_words import (
    Close,
    Closed,
    DeviceChecked,
    Heartbeat,
    Hello,
    NewToken,
    Said,
    Subscribe,
    Unsubscribe,
    parse,
)
from services.portal.model.people import Principal

HELLO_LIMIT_S = 5.0
"""How long a page may take to say who it is."""
MAX_UNSENT = 256
"""Messages that a page has not read; then it is closed as too slow."""
SEND_LIMIT_S = 10.0
"""How long one message may take to leave."""
MESSAGES_PER_S = 10.0
"""What a page may say on the average; at most MESSAGE_BURST at once."""
MESSAGE_BURST = 40.0
TOKEN_CHECK_S = 10.0
"""How often it is asked whether a token still holds."""
DESK_PATIENCE_S = 2.0
"""How long the snapshot of an agent's page waits for the desk."""
_DESK = '"topic":"desk"'


@dataclass(frozen=True, slots=True)
class Parts:
    """What every connection needs."""

    people: Identities
    """Who shows a token."""
    desks: Desks
    """Agents' desks."""
    boards: Boards
    """What supervisors follow."""
    links: Links
    """Where heartbeats count."""
    clock: Clock
    """What time it is."""
    followed_by: dict[str, Exposed]
    """For boards, the RPC whose permission is needed."""
    token_check_s: float = TOKEN_CHECK_S
    """How often it is asked whether a token still holds."""
    desk_patience_s: float = DESK_PATIENCE_S
    """How long the snapshot of an agent's page waits for the desk."""


class Connection:
    """Reads what the page says and sends what it follows, until either ends."""

    def __init__(self, *, socket: WebSocket, parts: Parts) -> None:
        self._socket = socket
        self._parts = parts
        self._unsent: deque[str] = deque()
        self._wake = asyncio.Event()
        self._end: Closed | None = None
        self._followed: dict[str, contextlib.AsyncExitStack] = {}
        self._allowance = MESSAGE_BURST
        self._allowed_at_ms = parts.clock.monotonic_ms()
        self._token = ""
        self._number = 0
        self._held: list[str] | None = []
        self.principal: Principal | None = None
        self.is_softphone = False

    @property
    def address(self) -> str:
        """Where the page is."""
        return self._socket.client.host if self._socket.client else ""

    @property
    def whose(self) -> Whose:
        """The agent whose page it is."""
        assert self.principal is not None, "after the hello"
        return TenantId(self.principal.tenant_id), AgentId(self.principal.id)

    def put(self, text: str) -> None:
        """Adds a message for the page; one that reads too slowly is closed."""
        if len(self._unsent) >= MAX_UNSENT:
            self.close(Closed(Close.TOO_SLOW, f"{MAX_UNSENT} messages were not read"))
            return
        self._unsent.append(text)
        self._wake.set()

    def tell(self, inside: str) -> None:
        """Adds news of a topic, with the next number.

        The first that an agent's page is told is the snapshot with the desk; what comes before
        the desk is known waits for it.
        """
        if self._held is None:
            self._number += 1
            self.put(f'{{"type":"change","number":{self._number},{inside}}}')
        elif inside.startswith(_DESK):
            self._open(f",{inside}")
        elif len(self._held) < MAX_UNSENT:
            self._held.append(inside)
        else:
            self.close(Closed(Close.TOO_SLOW, "too much came before the desk"))

    def close(self, why: Closed) -> None:
        """Ends the connection, after what is to be sent already unless the reader is too slow."""
        self._end = self._end or why
        self._wake.set()

    def replaced(self) -> None:
        """Another page is the softphone now."""
        self.put(as_text({"type": "replaced"}))
        self.close(Closed(Close.REPLACED, "another page is the softphone now"))

    async def greet(self) -> Hello:
        """Waits for the hello and finds out who it is; Closed."""
        try:
            async with asyncio.timeout(HELLO_LIMIT_S):
                said = parse(await self._text())
        except TimeoutError:
            raise Closed(Close.SILENT, "no hello") from None
        if not isinstance(said, Hello):
            raise Closed(Close.BAD_MESSAGE, "the first message is hello")
        self.principal = await self._authenticated(said.token)
        concerns((self.principal.tenant_id, ""))
        self._token = said.token
        self.is_softphone = said.device_check is not None and self._has_desk()
        return said

    async def run(self, hello: Hello) -> None:
        """Goes on until the page leaves; Closed when portal ends it."""
        assert self.principal is not None, "greeted first"
        me = {"id": self.principal.id, "name": self.principal.name}
        self.put(as_text({"type": "welcome", "heartbeat_ms": HEARTBEAT_MS, "me": me}))
        if self.is_softphone:
            self._parts.links.heard(self.whose, passed=hello.device_check)
        topics = (("desk",) if self._has_desk() else ()) + hello.topics
        if not self._has_desk():
            self._open("")
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._send(), name="feed sends")
                group.create_task(self._watch_token(), name="feed watches its token")
                group.create_task(self._open_in_time(), name="feed opens")
                await self._follow(topics)
                async for said in self._said():
                    await self._hear(said)
        except ExceptionGroup as ended:
            raise _most_telling(ended) from None
        finally:
            for stack in self._followed.values():
                await stack.aclose()

    def _open(self, inside: str) -> None:
        """Sends the snapshot, and what waited for it."""
        held, self._held = self._held or [], None
        self.put(f'{{"type":"snapshot","number":{self._number}{inside}}}')
        for each in held:
            self.tell(each)

    async def _open_in_time(self) -> None:
        """Routing may be away: then the desk comes as a change, later."""
        await asyncio.sleep(self._parts.desk_patience_s)
        if self._held is not None:
            self._open("")

    async def _said(self) -> AsyncIterator[Said]:
        while True:
            try:
                async with asyncio.timeout(GRACE_MS / 1_000):
                    text = await self._text()
            except TimeoutError:
                raise Closed(Close.SILENT, "no heartbeat") from None
            self._spend()
            if self._end is None:  # whoever was replaced is heard no more
                yield parse(text)

    async def _text(self) -> str:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        text = message.get("text")
        if text is None:
            raise Closed(Close.BAD_MESSAGE, "only text is understood")
        return str(text)

    def _spend(self) -> None:
        now_ms = self._parts.clock.monotonic_ms()
        earned = (now_ms - self._allowed_at_ms) / 1_000 * MESSAGES_PER_S
        self._allowance = min(MESSAGE_BURST, self._allowance + earned) - 1
        self._allowed_at_ms = now_ms
        if self._allowance < 0:
            raise Closed(Close.TOO_MANY, "too many messages")

    async def _hear(self, said: Said) -> None:
        match said:
            case Heartbeat():
                if self.is_softphone:
                    self._parts.links.heard(self.whose)
                self.put(as_text({"type": "heartbeat", "at_ms": self._parts.clock.now_ms()}))
            case DeviceChecked():
                if not self.is_softphone:
                    raise Closed(Close.BAD_MESSAGE, "this page is no softphone")
                self._parts.links.heard(self.whose, passed=said.passed)
            case NewToken():
                await self._renew(said.token)
            case Subscribe():
                await self._follow(said.topics)
            case Unsubscribe():
                for topic in said.topics:
                    stack = self._followed.pop(topic, None)
                    if stack is not None:
                        await stack.aclose()
            case Hello():
                raise Closed(Close.BAD_MESSAGE, "hello was said already")
            case _:
                assert_never(said)

    async def _renew(self, token: str) -> None:
        principal = await self._authenticated(token)
        assert self.principal is not None, "greeted first"
        if (principal.tenant_id, principal.id) != (self.principal.tenant_id, self.principal.id):
            raise Closed(Close.NOT_ALLOWED, "the token is somebody else's")
        self._token = token
        self._is_still(principal)

    async def _authenticated(self, token: str) -> Principal:
        try:
            return await self._parts.people.authenticate(token)
        except CarillonError as error:
            if error.kind is Kind.UNAVAILABLE:
                raise Closed(Close.FAULT, error.code) from error
            raise Closed(Close.NOT_AUTHENTICATED, error.code) from error

    async def _watch_token(self) -> None:
        """A token that ends, or is revoked, ends the feed unless the page has sent another."""
        while True:
            await asyncio.sleep(self._parts.token_check_s)
            token = self._token
            try:
                principal = await self._parts.people.authenticate(token)
            except CarillonError as error:
                if error.kind is not Kind.UNAVAILABLE and token == self._token:
                    raise Closed(Close.NOT_AUTHENTICATED, error.code) from error
            else:
                self._is_still(principal)

    def _is_still(self, principal: Principal) -> None:
        """Somebody whose roles have changed sees no more of what they may not see now."""
        self.principal = principal
        for name in (*self._followed, *(("desk",) if self.is_softphone else ())):
            self._allow(name)

    def _has_desk(self) -> bool:
        principal = self.principal
        return principal is not None and principal.kind == "user" and AGENT in principal.roles

    async def _follow(self, topics: tuple[str, ...]) -> None:
        for name in topics:
            if name in self._followed:
                continue
            stack = contextlib.AsyncExitStack()
            topic = await stack.enter_async_context(self._topic(name))
            topic.follow(self.tell)
            stack.callback(topic.unfollow, self.tell)
            self._followed[name] = stack

    @contextlib.asynccontextmanager
    async def _topic(self, name: str) -> AsyncIterator[Topic]:
        principal = self._allow(name)
        if name == "desk":
            async with self._parts.desks.held(*self.whose) as desk:
                yield desk.topic
            return
        async with self._parts.boards.held(name, principal.tenant_id) as topic:
            yield topic

    def _allow(self, name: str) -> Principal:
        """Who follows a topic; Closed when they may not."""
        principal = self.principal
        assert principal is not None, "greeted first"
        if name == "desk":
            if not self._has_desk():
                raise Closed(Close.NOT_ALLOWED, "only agents have a desk")
            return principal
        rule = self._parts.followed_by[name].rule
        try:
            own_agent(rule, roles=principal.roles, user_id=principal.id)
        except NotAllowed as error:
            raise Closed(Close.NOT_ALLOWED, str(error)) from None
        return principal

    async def _send(self) -> None:
        while True:
            while self._unsent and not self._is_too_slow():
                text = self._unsent.popleft()
                try:
                    async with asyncio.timeout(SEND_LIMIT_S):
                        await self._socket.send_text(text)
                except TimeoutError:
                    slow = Closed(Close.TOO_SLOW, "a message was not read in time")
                    raise self._end or slow from None
            if self._end is not None:
                raise self._end
            self._wake.clear()
            await self._wake.wait()

    def _is_too_slow(self) -> bool:
        return self._end is not None and self._end.code is Close.TOO_SLOW


def _most_telling(group: ExceptionGroup[Exception]) -> Exception:
    """Why the connection ended, of all that ended at once: that the page left says least."""
    leaves: list[Exception] = []
    waiting: list[Exception] = [group]
    while waiting:
        error = waiting.pop()
        if isinstance(error, ExceptionGroup):
            waiting += error.exceptions
        else:
            leaves.append(error)
    order = (Closed, WebSocketDisconnect)
    for error in leaves:
        if not isinstance(error, order):
            return error
    return min(leaves, key=lambda error: isinstance(error, WebSocketDisconnect))
