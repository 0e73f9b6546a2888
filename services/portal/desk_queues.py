"""What queues are called."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grpc import aio

from protos.acd.v1 import acd_pb2, acd_pb2_grpc
from services.chassis.clock import Clock
from services.chassis.ids import TenantId
from services.chassis.request import TENANT_KEY

if TYPE_CHECKING:  # the stubs know this name, the generated module does not
    from protos.acd.v1.acd_pb2_grpc import AcdAsyncStub

FRESH_MS = 10_000
MAX_KEPT = 10_000
ASK_LIMIT_S = 0.5


@dataclass(frozen=True, slots=True)
class _Known:
    name: str
    """What people call it."""
    at_ms: int
    """When that was read."""


class QueueNames:
    """Names of queues, asked for again after ten seconds."""

    def __init__(self, *, dial: Callable[[str], aio.Channel], clock: Clock) -> None:
        self._dial = dial
        self._clock = clock
        self._known: dict[tuple[TenantId, str], _Known] = {}

    async def names(self, tenant_id: TenantId, queue_ids: Iterable[str]) -> dict[str, str]:
        """The names by id; of a queue that can not be asked for now, its old name or its id."""
        return {queue_id: await self._name(tenant_id, queue_id) for queue_id in set(queue_ids)}

    async def _name(self, tenant_id: TenantId, queue_id: str) -> str:
        key, now_ms = (tenant_id, queue_id), self._clock.now_ms()
        known = self._known.get(key)
        if known is not None and now_ms - known.at_ms < FRESH_MS:
            return known.name
        stub: AcdAsyncStub = acd_pb2_grpc.AcdStub(self._dial("acd"))
        try:
            queue = await stub.GetQueue(
                acd_pb2.QueueRequest(queue_id=queue_id),
                metadata=((TENANT_KEY, str(tenant_id)),),
                timeout=ASK_LIMIT_S,
            )
        except aio.AioRpcError:
            return known.name if known is not None else queue_id
        if len(self._known) >= MAX_KEPT:
            self._known.pop(next(iter(self._known)))
        name = queue.name or queue_id
        self._known[key] = _Known(name, now_ms)
        return name
