"""ivr as recording's client: whether a tenant's calls are recorded at all."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from grpc import aio

from protos.recording.v1 import recording_pb2, recording_pb2_grpc
from services.chassis.clock import Clock
from services.chassis.ids import TenantId
from services.chassis.log import get_logger
from services.chassis.rpc import metadata, remote_error
from services.chassis.tasks import Tasks

log = get_logger("ivr.policies")

ASK_LIMIT_S = 0.3
"""A caller may be waiting for the answer."""
BELIEVED_MS = 30_000
"""How long a change of the policy may go unnoticed."""
BELIEVED_FAILED_MS = 1_000
"""How long recording is not asked again after it did not answer."""
MAX_KNOWN = 10_000
NEVER: Final = "never"


@dataclass(frozen=True, slots=True)
class _Known:
    may_record: bool
    until_ms: float
    """On the monotonic clock."""


class Policies:
    """The recording policies of all tenants, as calls need them."""

    def __init__(self, *, dial: Callable[[str], aio.Channel], clock: Clock) -> None:
        self._dial = dial
        self._clock = clock
        self._known: OrderedDict[TenantId, _Known] = OrderedDict()
        self._asking: dict[TenantId, asyncio.Task[None]] = {}
        self._tasks = Tasks()

    async def may_record(self, tenant_id: TenantId) -> bool:
        """Whether the tenant's calls are recorded as their flows say.

        While recording is away, what was last known counts; what was never known counts as yes.
        """
        known = self._known.get(tenant_id)
        if known is None or known.until_ms <= self._clock.monotonic_ms():
            await asyncio.shield(self._asked(tenant_id))
        known = self._known.get(tenant_id)
        return known is None or known.may_record

    async def close(self) -> None:
        """Asks nothing any more."""
        await self._tasks.close()

    def _asked(self, tenant_id: TenantId) -> asyncio.Task[None]:
        """Asked for by several calls at once, it is asked once."""
        asking = self._asking.get(tenant_id)
        if asking is None:
            asking = self._tasks.start(
                self._ask(tenant_id), f"policy of {tenant_id}", about=(tenant_id, "")
            )
            self._asking[tenant_id] = asking
        return asking

    async def _ask(self, tenant_id: TenantId) -> None:
        try:
            policy = await recording_pb2_grpc.RecordingStub(self._dial("recording")).GetPolicy(
                recording_pb2.GetPolicyRequest(),
                metadata=metadata(tenant_id=tenant_id),
                timeout=ASK_LIMIT_S,
            )
            may_record, believed_ms = policy.record != NEVER, BELIEVED_MS
        except aio.AioRpcError as failure:
            log.info("policy not learnt", tenant=tenant_id, code=remote_error(failure).code)
            known = self._known.get(tenant_id)
            may_record = known is None or known.may_record
            believed_ms = BELIEVED_FAILED_MS
        finally:
            del self._asking[tenant_id]
        self._known[tenant_id] = _Known(may_record, self._clock.monotonic_ms() + believed_ms)
        self._known.move_to_end(tenant_id)
        while len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
