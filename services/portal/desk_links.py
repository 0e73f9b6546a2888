"""Tells routing who can be reached, as the softphones' heartbeats say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import grpc
from grpc import aio

from protos.acd.v1 import acd_pb2, acd_pb2_grpc
from services.chassis.clock import Clock
from services.chassis.ids import AgentId, TenantId
from services.chassis.log import get_logger
from services.chassis.request import TENANT_KEY
from services.chassis.tasks import Tasks
from services.portal.core.reachability import UNREACHABLE, VALID_MS, Reachability

if TYPE_CHECKING:  # the stubs know this name, the generated module does not
    from protos.acd.v1.acd_pb2_grpc import AcdAsyncStub

log = get_logger("portal.links")

STEP_S = 0.5
"""How often a silence is noticed."""

Whose = tuple[TenantId, AgentId]


class Links:
    """The softphones of this process, each with a task that lives until routing knows its end."""

    def __init__(self, *, dial: Callable[[str], aio.Channel], clock: Clock) -> None:
        self._dial = dial
        self._clock = clock
        self._tasks = Tasks()
        self._kept: dict[Whose, Reachability] = {}
        self._news: dict[Whose, asyncio.Event] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def heard(self, whose: Whose, *, passed: bool | None = None) -> None:
        """A softphone gave a sign of life, and perhaps the result of a device check."""
        reach = self._kept.get(whose)
        if reach is None:
            reach = self._kept[whose] = Reachability()
            self._news[whose] = asyncio.Event()
            self._tasks.start(self._tell(whose, reach), f"link of {whose[1]}")
        reach.heard(self._clock.now_ms())
        if passed is not None:
            reach.checked(passed=passed)
        self._news[whose].set()

    def leave(self, whose: Whose) -> None:
        """The softphone is at another replica now, which tells routing from here on."""
        reach = self._kept.get(whose)
        if reach is not None:
            reach.leave()
            self._news[whose].set()

    async def close(self) -> None:
        """Stops telling; what was told ends by itself."""
        await self._tasks.close()

    async def _tell(self, whose: Whose, reach: Reachability) -> None:
        news = self._news[whose]
        try:
            while not reach.is_over(self._clock.now_ms()):
                link = reach.due(self._clock.now_ms())
                if link is not None:
                    await self._report(whose, reach, link)
                news.clear()
                try:
                    async with asyncio.timeout(STEP_S):
                        await news.wait()
                except TimeoutError:
                    pass  # silence is news, too
        finally:
            del self._kept[whose], self._news[whose]

    async def _report(self, whose: Whose, reach: Reachability, link: str) -> None:
        tenant_id, agent_id = whose
        stub: AcdAsyncStub = acd_pb2_grpc.AcdStub(self._dial("acd"))
        request = acd_pb2.ReportLinkRequest(
            agent_id=agent_id, link=link, valid_ms=0 if link == UNREACHABLE else VALID_MS
        )
        try:
            await stub.ReportLink(request, metadata=((TENANT_KEY, tenant_id),))
        except aio.AioRpcError as error:
            log.info("routing did not take a link", agent=agent_id, link=link, why=error.details())
            if error.code() is not grpc.StatusCode.NOT_FOUND:
                reach.failed(self._clock.now_ms())
                return
            # Routing does not know the agent, or not yet: asking every second changes nothing.
        except Exception as error:  # or nobody would tell it any more
            log.error("a link could not be told", agent=agent_id, exc_info=error)
            reach.failed(self._clock.now_ms())
            return
        reach.told(link, self._clock.now_ms())
