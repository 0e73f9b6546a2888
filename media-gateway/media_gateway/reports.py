"""Which calls this gateway carries, told to routing every few seconds, tenant by tenant.

Routing puts right what it still holds for calls that are not named any more. So a tenant is told
of for a while after its last call, and after a start for the calls that the process before left.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable

from grpc import aio

from media_gateway.core.leg import GONE
from media_gateway.core.state import Call
from protos.acd.v1 import acd_pb2, acd_pb2_grpc
from services.chassis.clock import Clock
from services.chassis.ids import TenantId
from services.chassis.log import get_logger
from services.chassis.rpc import metadata

log = get_logger("gateway")

REPORT_S = 5.0
TIMEOUT_S = 4.0
LAST_MS = 30_000
"""For so long a tenant without calls is told of: routing forgets a call that is absent twice."""


class CallReports:
    """Tells acd; where it is away, the next report says the same."""

    def __init__(
        self,
        *,
        calls: Callable[[], Iterable[Call]],
        dial: Callable[[str], aio.Channel],
        clock: Clock,
        gateway: str,
        incarnation: str,
        every_s: float = REPORT_S,
    ) -> None:
        """`gateway` is where this gateway's own face is."""
        self._every_s = every_s
        self._calls = calls
        self._dial = dial
        self._clock = clock
        self._gateway = gateway
        self._incarnation = incarnation
        self._until_ms: dict[TenantId, int] = {}
        self._told = True

    def expect(self, tenants: Iterable[str]) -> None:
        """Tenants whose calls were lost: that there are none is news to be told."""
        until_ms = self._clock.now_ms() + LAST_MS
        self._until_ms.update((TenantId(tenant), until_ms) for tenant in tenants if tenant)

    async def run(self) -> None:
        """Reports for ever."""
        while True:
            try:
                await self.report()
            except Exception as error:
                # Silence for 15 s is a gateway's death to routing: one fault must not be for ever.
                log.error("calls are not reported", exc_info=error)
            await asyncio.sleep(self._every_s)

    async def report(self) -> None:
        """Tells every tenant's list once."""
        await asyncio.gather(*(self._tell(each, calls) for each, calls in self.due().items()))

    def due(self) -> dict[TenantId, list[acd_pb2.ReportedCall]]:
        """What is to be told now, by tenant."""
        now_ms = self._clock.now_ms()
        present: dict[TenantId, list[acd_pb2.ReportedCall]] = defaultdict(list)
        for call in self._calls():
            if call.flow.tenant_id:
                present[TenantId(call.flow.tenant_id)].append(_reported(call))
        self._until_ms |= dict.fromkeys(present, now_ms + LAST_MS)
        for tenant, until_ms in list(self._until_ms.items()):
            if until_ms < now_ms:
                del self._until_ms[tenant]
        return {tenant: present.get(tenant, []) for tenant in self._until_ms}

    async def _tell(self, tenant: TenantId, calls: list[acd_pb2.ReportedCall]) -> None:
        request = acd_pb2.ReportCallsRequest(
            gateway=self._gateway, incarnation=self._incarnation, calls=calls
        )
        try:
            await acd_pb2_grpc.AcdStub(self._dial("acd")).ReportCalls(
                request, metadata=metadata(tenant_id=tenant), timeout=TIMEOUT_S
            )
        except aio.AioRpcError as error:
            if self._told:
                log.warning("calls are not reported", tenant=tenant, reason=error.details())
            self._told = False
        else:
            self._told = True


def _reported(call: Call) -> acd_pb2.ReportedCall:
    living = (leg for leg in call.legs if leg.agent_id and leg.state not in GONE)
    return acd_pb2.ReportedCall(
        call_id=call.call_id, reservation_ids=[leg.ring_id for leg in living]
    )
