"""What supervisors follow of one tenant: agents, who waits, live figures, alarms."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Protocol

from grpc import aio

from protos.acd.v1 import acd_pb2, acd_pb2_grpc, state_pb2
from protos.analytics.v1 import analytics_pb2, analytics_pb2_grpc
from services.chassis.ids import TenantId
from services.chassis.request import TENANT_KEY
from services.portal.feed_topic import Fields, Topic, shown

PAGE = 500
MAX_PAGES = 200
TOLD_EVERY_S = 0.1
"""Agents' changes are told together, at most so often: hundreds of agents change each second."""
CLEARED = "cleared"

Dial = Callable[[str], aio.Channel]


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
        self._metadata = ((TENANT_KEY, str(tenant_id)),)
        self._agents: dict[str, Fields] | None = None
        self._changed: dict[str, state_pb2.AgentView] = {}
        self._due: asyncio.TimerHandle | None = None
        self._told_s = 0.0
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
            self._forget()

    def _take(self, view: state_pb2.AgentView) -> None:
        self._changed[view.agent_id] = view
        if self._due is None:
            loop = asyncio.get_running_loop()
            early_s = self._told_s + TOLD_EVERY_S - loop.time()
            self._due = loop.call_later(max(0.0, early_s), self._tell)

    def _tell(self) -> None:
        """Tells who has changed, each once, as they are now."""
        assert self._agents is not None, "all are read first"
        self._due, self._told_s = None, asyncio.get_running_loop().time()
        changed, self._changed = self._changed, {}
        news: list[Fields] = []
        for agent_id, view in changed.items():
            fields, known = shown(view), self._agents.get(agent_id)
            # The stream begins with everybody, whom the list has told already.
            if fields == known or (view.removed and known is None):
                continue
            if view.removed:
                del self._agents[agent_id]
            else:
                self._agents[agent_id] = fields
            news.append(fields)
        if news:
            self.topic.change({"agents_changed": news})

    def _forget(self) -> None:
        """What was not told yet is in the list that is read next."""
        self._changed.clear()
        if self._due is not None:
            self._due.cancel()
            self._due = None

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


class WaitingBoard:
    """Everybody who waits for a tenant's agents."""

    def __init__(self, *, dial: Dial, tenant_id: TenantId) -> None:
        self._stub = acd_pb2_grpc.AcdStub(dial("acd"))
        self._metadata = ((TENANT_KEY, str(tenant_id)),)
        self._rows: dict[str, Fields] | None = None
        self._queues: dict[str, Fields] = {}
        self._waiting = 0
        self.topic = Topic("waiting", state=self._state)

    async def follow(self) -> None:
        """Reads all of them, then every change; routing says them seldom enough."""
        request = acd_pb2.WatchWaitingRequest()
        stream = self._stub.WatchWaiting(request, metadata=self._metadata)
        try:
            async for change in stream:
                self._take(change)
        finally:
            stream.cancel()

    def _take(self, change: acd_pb2.WaitingChange) -> None:
        if change.all or self._rows is None:
            self._rows, self._queues = {}, {}
        fields = shown(change)
        self._queues |= {door["queue_id"]: door for door in fields["queues"]}
        for door in change.queues:
            if door.removed:
                del self._queues[door.queue_id]
        self._rows |= {row["entry_id"]: row for row in fields["rows"]}
        for gone in change.gone_entry_ids:
            self._rows.pop(gone, None)
        self._waiting = change.waiting
        if change.all:
            self.topic.restart()
        else:
            self.topic.change({"waiting": fields})

    def _state(self) -> Fields | None:
        if self._rows is None:
            return None
        rows = list(self._rows.values())
        everybody = {
            "all": True,
            "rows": rows,
            "gone_entry_ids": [],
            "waiting": self._waiting,
            "queues": list(self._queues.values()),
        }
        return {"waiting": everybody}


class AlarmsBoard:
    """The alarms of a tenant that stand, or that nobody has acknowledged."""

    def __init__(self, *, dial: Dial, tenant_id: TenantId) -> None:
        self._stub = analytics_pb2_grpc.AnalyticsStub(dial("analytics"))
        self._metadata = ((TENANT_KEY, str(tenant_id)),)
        self._alarms: dict[str, Fields] | None = None
        self.topic = Topic("alarms", state=self._state)

    async def follow(self) -> None:
        """Reads all of them, then every change."""
        request = analytics_pb2.WatchAlarmsRequest()
        stream = self._stub.WatchAlarms(request, metadata=self._metadata)
        try:
            async for change in stream:
                self._take(change)
        finally:
            stream.cancel()

    def _take(self, change: analytics_pb2.AlarmChange) -> None:
        if change.all or self._alarms is None:
            self._alarms = {}
        for alarm in change.alarms:
            if alarm.state == CLEARED and alarm.acknowledged_at_ms:
                self._alarms.pop(alarm.alarm_id, None)
            else:
                self._alarms[alarm.alarm_id] = shown(alarm)
        if change.all:
            self.topic.restart()
        else:
            self.topic.change({"alarms": shown(change)})

    def _state(self) -> Fields | None:
        if self._alarms is None:
            return None
        return {"alarms": {"all": True, "alarms": list(self._alarms.values())}}


class LiveBoard:
    """The live figures of a tenant."""

    def __init__(self, *, dial: Dial, tenant_id: TenantId) -> None:
        self._stub = analytics_pb2_grpc.AnalyticsStub(dial("analytics"))
        self._metadata = ((TENANT_KEY, str(tenant_id)),)
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
