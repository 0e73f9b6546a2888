"""What supervisors follow: all agents of a tenant, and its live figures."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Protocol

from grpc import aio

from protos.acd.v1 import acd_pb2, acd_pb2_grpc, state_pb2
from protos.analytics.v1 import analytics_pb2, analytics_pb2_grpc
from services.chassis.ids import TenantId
from services.chassis.log import get_logger
from services.chassis.request import TENANT_KEY
from services.chassis.tasks import Tasks
from services.portal.feed_topic import Fields, Topic, shown

log = get_logger("portal.boards")

RETRY_S = (0.1, 0.5, 1.0, 2.0)
"""How long a lost stream waits before it is opened again, the last for ever after."""
PAGE = 500
MAX_PAGES = 200

Dial = Callable[[str], aio.Channel]
Metadata = tuple[tuple[str, str], ...]


class Board(Protocol):
    """Something of one tenant that is followed once, for whoever looks."""

    topic: Topic
    """Its changes."""

    async def follow(self) -> None:
        """Follows until the stream is lost: raises AioRpcError, or returns."""


class AgentsBoard:
    """Every agent of a tenant as they stand."""

    def __init__(self, *, dial: Dial, tenant_id: TenantId) -> None:
        self._stub = acd_pb2_grpc.AcdStub(dial("acd"))
        self._metadata: Metadata = ((TENANT_KEY, str(tenant_id)),)
        self._agents: dict[str, Fields] | None = None
        self.topic = Topic("agents", state=self._state)

    async def follow(self) -> None:
        """Reads all of them, then every change."""
        request = acd_pb2.WatchAgentsRequest()
        stream = self._stub.WatchAgents(request, metadata=self._metadata)
        try:
            await stream.initial_metadata()  # from here on nothing is missed
            self._agents = {view.agent_id: shown(view) async for view in self._all()}
            self.topic.restart()
            async for view in stream:
                self._take(view)
        finally:
            stream.cancel()

    def _take(self, view: state_pb2.AgentView) -> None:
        fields = shown(view)
        assert self._agents is not None, "all are read first"
        # The stream begins with everybody, whom the list has told already.
        if self._agents.get(view.agent_id) != fields:
            self._agents[view.agent_id] = fields
            self.topic.change({"agent": fields})

    async def _all(self) -> AsyncIterator[state_pb2.AgentView]:
        request = acd_pb2.ListAgentsRequest()
        request.page.size = PAGE
        for _ in range(MAX_PAGES):
            answer = await self._stub.ListAgents(request, metadata=self._metadata)
            for view in answer.agents:
                yield view
            request.page.token = answer.page.next_token
            if not request.page.token:
                return

    def _state(self) -> Fields | None:
        return None if self._agents is None else {"agents": list(self._agents.values())}


class LiveBoard:
    """The live figures of a tenant."""

    def __init__(self, *, dial: Dial, tenant_id: TenantId) -> None:
        self._stub = analytics_pb2_grpc.AnalyticsStub(dial("analytics"))
        self._metadata: Metadata = ((TENANT_KEY, str(tenant_id)),)
        self._live: Fields | None = None
        self.topic = Topic("live", state=lambda: self._live)

    async def follow(self) -> None:
        """Reads them whenever they change."""
        request = analytics_pb2.GetLiveRequest()
        stream = self._stub.WatchLive(request, metadata=self._metadata)
        try:
            async for live in stream:
                self._live = {"live": shown(live)}
                self.topic.change(self._live)
        finally:
            stream.cancel()


class Boards:
    """The boards that somebody looks at in this process, each followed once."""

    def __init__(self, *, dial: Dial) -> None:
        self._dial = dial
        self._tasks = Tasks()
        self._open: dict[tuple[str, TenantId], _Followed] = {}

    @contextlib.asynccontextmanager
    async def held(self, name: str, tenant_id: TenantId) -> AsyncIterator[Topic]:
        """A board's changes, followed at least as long as the context lasts."""
        key = name, tenant_id
        followed = self._open.get(key)
        if followed is None:
            followed = self._open[key] = _Followed(self._new(name, tenant_id))
            followed.task = self._tasks.start(_keep(followed.board), f"{name} of {tenant_id}")
        followed.users += 1
        try:
            yield followed.board.topic
        finally:
            followed.users -= 1
            if not followed.users:
                del self._open[key]
                assert followed.task is not None, "started above"
                followed.task.cancel()

    async def close(self) -> None:
        """Ends all of them."""
        await self._tasks.close()

    def _new(self, name: str, tenant_id: TenantId) -> Board:
        if name == "agents":
            return AgentsBoard(dial=self._dial, tenant_id=tenant_id)
        return LiveBoard(dial=self._dial, tenant_id=tenant_id)


class _Followed:
    """A board with its followers counted."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.users = 0
        self.task: asyncio.Task[None] | None = None


async def _keep(board: Board) -> None:
    """Follows for ever, and again whenever the stream is lost."""
    failures = 0
    while True:
        before = board.topic.number
        try:
            await board.follow()
        except aio.AioRpcError as error:
            log.info("a board is not followed", why=error.details())
        except Exception as error:  # or whoever looks at it would never see it change again
            log.error("a board is not followed", exc_info=error)
        failures = 0 if board.topic.number != before else failures + 1
        await asyncio.sleep(RETRY_S[min(failures, len(RETRY_S) - 1)])
