"""The face towards whoever runs the floor: what is configured, and many agents in one step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from grpc import aio

from protos.acd.v1 import acd_pb2, config_pb2
from services.acd import model
from services.acd.shards import Shards
from services.acd.wire import as_put, fitting, shown
from services.chassis.codec import Codec
from services.chassis.ids import AgentId, QueueId
from services.chassis.paging import page_of
from services.chassis.rpc import tenant_id

Context = aio.ServicerContext[Any, Any]


class StaffCalls:
    """The part of the face that reads configuration and moves agents."""

    _shards: Shards
    _codec: Codec

    async def GetAgentConfig(
        self, request: acd_pb2.AgentRequest, _context: Context
    ) -> config_pb2.AgentConfig:
        """What an agent's skills, queues, capacity and endpoint are."""
        core = (shard := await self._shards.of(tenant_id())).core
        agent_id = AgentId(request.agent_id)
        config = await shard.query(lambda _now_ms: core.agent_config(agent_id))
        return shown(self._codec, config, config_pb2.AgentConfig)

    async def ListAgentConfigs(
        self, request: acd_pb2.ListAgentConfigsRequest, _context: Context
    ) -> acd_pb2.ListAgentConfigsResponse:
        """The same of all agents, by id."""
        core = (shard := await self._shards.of(tenant_id())).core
        rows = await shard.query(
            lambda _now_ms: [core.agent_config(each) for each in sorted(core.agent_ids())]
        )
        configs, page = page_of(rows, request.page, key=lambda config: config.agent_id)
        agents = [shown(self._codec, config, config_pb2.AgentConfig) for config in configs]
        fit = fitting(agents)
        if fit < len(agents):
            page.next_token = agents[fit - 1].agent_id
        return acd_pb2.ListAgentConfigsResponse(agents=agents[:fit], page=page)

    async def GetQueueConfig(
        self, request: acd_pb2.QueueRequest, _context: Context
    ) -> config_pb2.QueueConfig:
        """What a queue's settings are."""
        core = (shard := await self._shards.of(tenant_id())).core
        queue_id = QueueId(request.queue_id)
        config = await shard.query(lambda _now_ms: core.queue_config(queue_id))
        return as_put(self._codec, config, config_pb2.QueueConfig)

    async def ListQueueConfigs(
        self, request: acd_pb2.ListQueueConfigsRequest, _context: Context
    ) -> acd_pb2.ListQueueConfigsResponse:
        """The same of all queues, by id."""
        core = (shard := await self._shards.of(tenant_id())).core
        rows = await shard.query(
            lambda _now_ms: [core.queue_config(each) for each in sorted(core.queue_ids())]
        )
        configs, page = page_of(rows, request.page, key=lambda config: config.queue_id)
        queues = [as_put(self._codec, config, config_pb2.QueueConfig) for config in configs]
        fit = fitting(queues)
        if fit < len(queues):
            page.next_token = queues[fit - 1].queue_id
        return acd_pb2.ListQueueConfigsResponse(queues=queues[:fit], page=page)

    async def MoveAgents(
        self, request: acd_pb2.MoveAgentsRequest, _context: Context
    ) -> acd_pb2.MembershipsResponse:
        """Moves agents between queues in one step."""
        command = model.MoveAgents(
            agent_ids=tuple(map(AgentId, request.agent_ids)),
            from_queue_ids=tuple(map(QueueId, request.from_queue_ids)),
            to=tuple(self._codec.from_proto(each, model.QueueMembership) for each in request.to),
        )
        return await self._give_queues(command, command.agent_ids)

    async def SetMemberships(
        self, request: acd_pb2.SetMembershipsRequest, _context: Context
    ) -> acd_pb2.MembershipsResponse:
        """Gives agents exactly these queues."""
        wanted = tuple(self._codec.from_proto(each, model.Memberships) for each in request.agents)
        agent_ids = [each.agent_id for each in wanted]
        return await self._give_queues(model.SetMemberships(agents=wanted), agent_ids)

    async def SetSkills(
        self, request: acd_pb2.SetSkillsRequest, _context: Context
    ) -> acd_pb2.SetSkillsResponse:
        """Gives agents exactly these skills."""
        wanted = tuple(self._codec.from_proto(each, model.Skills) for each in request.agents)
        shard = await self._shards.of(tenant_id())
        await shard.submit(model.SetSkills(agents=wanted))
        return acd_pb2.SetSkillsResponse(agents=request.agents)

    async def GetTenantDefaults(
        self, _request: acd_pb2.GetTenantDefaultsRequest, _context: Context
    ) -> config_pb2.TenantDefaults:
        """What queues fall back to, as it was put."""
        core = (shard := await self._shards.of(tenant_id())).core
        defaults = await shard.query(lambda _now_ms: core.defaults())
        return as_put(self._codec, defaults, config_pb2.TenantDefaults)

    async def _give_queues(
        self, command: model.MoveAgents | model.SetMemberships, agent_ids: Sequence[AgentId]
    ) -> acd_pb2.MembershipsResponse:
        core = (shard := await self._shards.of(tenant_id())).core
        before, events = await shard.submit_seen(command, lambda: core.memberships(agent_ids))
        edited = {e.agent.agent_id: e.agent.queues for e in events if isinstance(e, model.AgentPut)}
        after = [
            model.Memberships(each.agent_id, edited.get(each.agent_id, each.queues))
            for each in before
        ]
        return acd_pb2.MembershipsResponse(
            before=[shown(self._codec, each, config_pb2.Memberships) for each in before],
            after=[shown(self._codec, each, config_pb2.Memberships) for each in after],
        )
