"""Users as agents: what routing is told of those who take contacts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from grpc import aio

from protos.acd.v1 import acd_pb2, acd_pb2_grpc, config_pb2
from protos.common.v1 import common_pb2
from services.chassis.errors import Kind
from services.chassis.request import metadata
from services.chassis.status import remote_error
from services.portal.model.errors import AgentBusy, AgentRefused, RoutingAway

if TYPE_CHECKING:  # the stubs know this name, the generated module does not
    from protos.acd.v1.acd_pb2_grpc import AcdAsyncStub

ASK_LIMIT_S = 10.0
PAGE = 500
MAX_PAGES = 20
"""Of a tenant's queues: 10,000 in all."""
ENDPOINT = "webrtc:"
"""Agents answer in their browsers unless somebody says otherwise."""
VOICE = "voice"
NO_SUCH_AGENT = "no-such-agent"
_AWAY = frozenset({Kind.UNAVAILABLE, Kind.DEADLINE, Kind.INTERNAL})


class Agents:
    """Routing, asked on behalf of whoever asks portal."""

    def __init__(self, *, dial: Callable[[str], aio.Channel]) -> None:
        self._dial = dial

    async def put(
        self, user_id: str, name: str, *, skills: Mapping[str, int], queue_ids: Sequence[str]
    ) -> None:
        """Makes a user an agent of one call at a time; AgentRefused, RoutingAway."""
        config = config_pb2.AgentConfig(
            agent_id=user_id,
            name=name,
            endpoint=ENDPOINT,
            skills=[
                config_pb2.SkillLevel(name=skill, level=skills[skill]) for skill in sorted(skills)
            ],
            queues=[config_pb2.QueueMembership(queue_id=each) for each in queue_ids],
            capacities=[config_pb2.Capacity(channel=VOICE, limit=1)],
        )
        with _named():
            await self._acd.PutAgent(
                acd_pb2.PutAgentRequest(agent=config), metadata=metadata(), timeout=ASK_LIMIT_S
            )

    async def remove(self, user_id: str) -> None:
        """They are no agent any more, if they were one; AgentBusy, RoutingAway."""
        with _named(but=NO_SUCH_AGENT):
            await self._acd.RemoveAgent(
                acd_pb2.AgentRequest(agent_id=user_id), metadata=metadata(), timeout=ASK_LIMIT_S
            )

    async def queue_ids(self) -> set[str]:
        """The tenant's queues; RoutingAway."""
        found: set[str] = set()
        token = ""
        for _ in range(MAX_PAGES):
            page = common_pb2.PageRequest(size=PAGE, token=token)
            with _named():
                answer = await self._acd.ListQueues(
                    acd_pb2.ListQueuesRequest(page=page), metadata=metadata(), timeout=ASK_LIMIT_S
                )
            found |= {queue.queue_id for queue in answer.queues}
            token = answer.page.next_token
            if not token:
                break
        return found

    @property
    def _acd(self) -> AcdAsyncStub:
        return acd_pb2_grpc.AcdStub(self._dial("acd"))


@contextmanager
def _named(*, but: str = "") -> Iterator[None]:
    """What routing refuses, by name; a refusal `but` for this code."""
    try:
        yield
    except aio.AioRpcError as error:
        remote = remote_error(error)
        if but and remote.code == but:
            return
        if remote.code == AgentBusy.code:
            raise AgentBusy("a contact is with them: wait until it is over") from error
        if remote.kind in _AWAY:
            raise RoutingAway("routing does not answer: try again in a moment") from error
        raise AgentRefused(remote.message) from error
