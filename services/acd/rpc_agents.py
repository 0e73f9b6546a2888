"""The face towards agents and administrators: presence, wrap-up, queues and skills."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from grpc import aio

from protos.acd.v1 import acd_pb2, config_pb2, state_pb2
from services.acd import model
from services.acd.shard import Shard
from services.acd.shards import Shards
from services.acd.wire import agent_config, queue_config, shown, word
from services.chassis.codec import Codec
from services.chassis.ids import AgentId, LegId, QueueId, ReservationId
from services.chassis.paging import page_of
from services.chassis.rpc import tenant_id

Context = aio.ServicerContext[Any, Any]
AgentCommand = model.SetPresence | model.StartAgentLeg | model.EndAgentLeg
WorkCommand = model.FinishWrapUp | model.SetWrapUpCode | model.ExtendWrapUp
WORK_EVENTS = (model.WrapUpEnded, model.WrapUpCodeSet, model.WrapUpExtended)


class AgentCalls:
    """The half of the face that agents' desks and administrators call."""

    _shards: Shards
    _codec: Codec

    async def SetPresence(
        self, request: acd_pb2.SetPresenceRequest, _context: Context
    ) -> state_pb2.AgentView:
        """The human's intent."""
        return await self._on_agent(
            model.SetPresence(
                agent_id=AgentId(request.agent_id),
                presence=word(model.Presence, request.presence, "presence"),
                reason=request.reason,
                by=request.by,
            )
        )

    async def ReportLink(
        self, request: acd_pb2.ReportLinkRequest, _context: Context
    ) -> state_pb2.AgentView:
        """What was measured about the way to the agent's endpoint."""
        command = model.ReportLink(
            agent_id=AgentId(request.agent_id),
            link=word(model.Link, request.link, "link"),
            valid_ms=request.valid_ms,
        )
        shard = await self._shards.of(tenant_id())
        await shard.care.link_said(command)
        return await self._agent_view(shard, command.agent_id)

    async def FinishWrapUp(
        self, request: acd_pb2.FinishWrapUpRequest, _context: Context
    ) -> state_pb2.AgentView:
        """Ends wrap-up."""
        return await self._on_work(
            model.FinishWrapUp(
                reservation_id=ReservationId(request.reservation_id), code=request.code
            )
        )

    async def SetWrapUpCode(
        self, request: acd_pb2.SetWrapUpCodeRequest, _context: Context
    ) -> state_pb2.AgentView:
        """Records what the contact was about."""
        return await self._on_work(
            model.SetWrapUpCode(
                reservation_id=ReservationId(request.reservation_id), code=request.code
            )
        )

    async def ExtendWrapUp(
        self, request: acd_pb2.ReservationRequest, _context: Context
    ) -> state_pb2.AgentView:
        """Prolongs wrap-up."""
        return await self._on_work(
            model.ExtendWrapUp(reservation_id=ReservationId(request.reservation_id))
        )

    async def GetAgent(
        self, request: acd_pb2.AgentRequest, _context: Context
    ) -> state_pb2.AgentView:
        """One agent as they stand."""
        shard = await self._shards.of(tenant_id())
        return await self._agent_view(shard, AgentId(request.agent_id))

    async def ListAgents(
        self, request: acd_pb2.ListAgentsRequest, _context: Context
    ) -> acd_pb2.ListAgentsResponse:
        """All agents of the tenant, by id."""
        shard = await self._shards.of(tenant_id())
        ids, page = page_of(
            await shard.query(lambda _now_ms: sorted(shard.core.agent_ids())),
            request.page,
            key=str,
        )
        views = await shard.query(
            lambda now_ms: [
                shard.core.agent(agent_id, now_ms)
                for agent_id in ids
                if agent_id in shard.core.agent_ids()
            ]
        )
        return acd_pb2.ListAgentsResponse(
            agents=[shown(self._codec, view, state_pb2.AgentView) for view in views], page=page
        )

    async def WatchAgents(
        self, request: acd_pb2.WatchAgentsRequest, context: Context
    ) -> AsyncIterator[state_pb2.AgentView]:
        """The named agents now, then every change of theirs."""
        shard = await self._shards.of(tenant_id())
        wanted = frozenset(AgentId(agent_id) for agent_id in request.agent_ids)
        with shard.watch(wanted) as reader:
            # From here on nothing is missed, and whoever waits for the stream may know it.
            await context.send_initial_metadata(())
            views = await shard.query(
                lambda now_ms: [
                    shard.core.agent(agent_id, now_ms)
                    for agent_id in sorted(shard.core.agent_ids())
                    if not wanted or agent_id in wanted
                ],
                patient=True,
            )
            for view in views:
                yield shown(self._codec, view, state_pb2.AgentView)
            async for view in reader.items():
                yield shown(self._codec, view, state_pb2.AgentView)

    async def StartAgentLeg(
        self, request: acd_pb2.AgentLegRequest, _context: Context
    ) -> state_pb2.AgentView:
        """A leg that routing did not bring occupies the agent."""
        return await self._on_agent(
            model.StartAgentLeg(agent_id=AgentId(request.agent_id), leg_id=LegId(request.leg_id))
        )

    async def EndAgentLeg(
        self, request: acd_pb2.AgentLegRequest, _context: Context
    ) -> state_pb2.AgentView:
        """Such a leg is gone."""
        return await self._on_agent(
            model.EndAgentLeg(agent_id=AgentId(request.agent_id), leg_id=LegId(request.leg_id))
        )

    async def PutQueue(
        self, request: acd_pb2.PutQueueRequest, _context: Context
    ) -> state_pb2.QueueView:
        """Creates a queue or replaces its settings."""
        shard = await self._shards.of(tenant_id())
        queue = queue_config(self._codec, request.queue)
        await shard.submit(model.PutQueue(queue=queue))
        return await self._queue_view(shard, queue.queue_id)

    async def RemoveQueue(
        self, request: acd_pb2.QueueRequest, _context: Context
    ) -> acd_pb2.RemoveQueueResponse:
        """Removes a queue in which nobody waits."""
        shard = await self._shards.of(tenant_id())
        await shard.submit(model.RemoveQueue(queue_id=QueueId(request.queue_id)))
        return acd_pb2.RemoveQueueResponse()

    async def GetQueue(
        self, request: acd_pb2.QueueRequest, _context: Context
    ) -> state_pb2.QueueView:
        """One queue with who waits and how long."""
        return await self._queue_view(await self._shards.of(tenant_id()), QueueId(request.queue_id))

    async def ListQueues(
        self, request: acd_pb2.ListQueuesRequest, _context: Context
    ) -> acd_pb2.ListQueuesResponse:
        """The tenant's queues, by id."""
        shard = await self._shards.of(tenant_id())
        views = await shard.query(
            lambda now_ms: [
                shard.core.queue(queue_id, now_ms) for queue_id in sorted(shard.core.queue_ids())
            ]
        )
        rows, page = page_of(views, request.page, key=lambda view: view.queue_id)
        return acd_pb2.ListQueuesResponse(
            queues=[shown(self._codec, view, state_pb2.QueueView) for view in rows], page=page
        )

    async def SetEmergency(
        self, request: acd_pb2.SetEmergencyRequest, _context: Context
    ) -> state_pb2.QueueView:
        """Closes a queue at once with a message, or ends that."""
        shard = await self._shards.of(tenant_id())
        queue_id = QueueId(request.queue_id)
        await shard.submit(
            model.SetEmergency(
                queue_id=queue_id,
                active=request.active,
                message=request.message,
                release_waiting=request.release_waiting,
            )
        )
        return await self._queue_view(shard, queue_id)

    async def PutAgent(
        self, request: acd_pb2.PutAgentRequest, _context: Context
    ) -> state_pb2.AgentView:
        """Creates an agent or replaces their skills, queues, capacity and endpoint."""
        shard = await self._shards.of(tenant_id())
        agent = agent_config(self._codec, request.agent)
        await shard.submit(model.PutAgent(agent=agent))
        return await self._agent_view(shard, agent.agent_id)

    async def RemoveAgent(
        self, request: acd_pb2.AgentRequest, _context: Context
    ) -> acd_pb2.RemoveAgentResponse:
        """Removes an agent without work."""
        shard = await self._shards.of(tenant_id())
        await shard.submit(model.RemoveAgent(agent_id=AgentId(request.agent_id)))
        return acd_pb2.RemoveAgentResponse()

    async def PutTenantDefaults(
        self, request: acd_pb2.PutTenantDefaultsRequest, _context: Context
    ) -> config_pb2.TenantDefaults:
        """What queues fall back to."""
        shard = await self._shards.of(tenant_id())
        defaults = self._codec.from_proto(request.defaults, model.TenantDefaults)
        await shard.submit(model.SetTenantDefaults(defaults=defaults))
        return shown(self._codec, defaults, config_pb2.TenantDefaults)

    async def _on_agent(self, command: AgentCommand) -> state_pb2.AgentView:
        shard = await self._shards.of(tenant_id())
        await shard.submit(command)
        return await self._agent_view(shard, command.agent_id)

    async def _on_work(self, command: WorkCommand) -> state_pb2.AgentView:
        shard = await self._shards.of(tenant_id())
        events = await shard.submit(command)
        # Each of these commands does something; the contact's stay may be forgotten by now.
        agent_id = next(event.agent_id for event in events if isinstance(event, WORK_EVENTS))
        return await self._agent_view(shard, agent_id)

    async def _agent_view(self, shard: Shard, agent_id: AgentId) -> state_pb2.AgentView:
        return shown(self._codec, await shard.agent(agent_id), state_pb2.AgentView)

    async def _queue_view(self, shard: Shard, queue_id: QueueId) -> state_pb2.QueueView:
        view = await shard.query(lambda now_ms: shard.core.queue(queue_id, now_ms))
        return shown(self._codec, view, state_pb2.QueueView)
