"""The part of recording's face about a tenant's policy, and what it forbids."""

from __future__ import annotations

from typing import Any

from grpc import aio

from protos.recording.v1 import recording_pb2
from services.chassis.log import get_logger
from services.chassis.request import present
from services.chassis.rpc import tenant_id
from services.recording.model.errors import ListeningNotAllowed
from services.recording.store import RecordingStore
from services.recording.wire import policy_message, policy_of

log = get_logger("recording")

Context = aio.ServicerContext[Any, Any]


class PolicyCalls:
    """What holds for the tenant's recordings; services ask for it as people do."""

    _store: RecordingStore

    async def GetPolicy(
        self, _request: recording_pb2.GetPolicyRequest, _context: Context
    ) -> recording_pb2.Policy:
        """What holds now."""
        return policy_message(await self._store.policy(tenant_id()))

    async def PutPolicy(
        self, request: recording_pb2.PutPolicyRequest, _context: Context
    ) -> recording_pb2.Policy:
        """Holds from now on; BadPolicy."""
        policy = policy_of(request.policy)
        await self._store.put_policy(tenant_id(), policy)
        log.info(
            "policy changed",
            tenant=tenant_id(),
            record=policy.record.value,
            agents_may_listen=policy.agents_may_listen,
            agents_may_pause=policy.agents_may_pause,
        )
        return policy_message(policy)


async def check_may_listen(store: RecordingStore) -> None:
    """ListeningNotAllowed for an agent whose tenant lets agents hear nothing."""
    if present().own_agent_id and not (await store.policy(tenant_id())).agents_may_listen:
        raise ListeningNotAllowed("agents do not hear recordings here: ask a supervisor")
