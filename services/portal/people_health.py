"""How tenants are doing: the services that know are asked, and none of them is waited for long."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from grpc import aio

from protos.acd.v1 import acd_pb2, acd_pb2_grpc
from protos.analytics.v1 import analytics_pb2, analytics_pb2_grpc
from protos.common.v1 import common_pb2
from protos.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from protos.ivr.v1 import ivr_pb2, ivr_pb2_grpc
from services.chassis.request import Metadata, metadata
from services.portal.model.health import Floor, Vitals, Waiting
from services.portal.model.people import Tenant
from services.portal.store import PeopleStore

T = TypeVar("T")

ASK_LIMIT_S = 1.0
"""For all that is asked of one service about one tenant."""
AT_ONCE = 8
"""Tenants that are looked at at the same time."""
PAGE = 500
MAX_PAGES = 20
SIGNED_OUT, READY = "signed_out", "ready"


class Health:
    """Looks at tenants for the platform, which may name any of them."""

    def __init__(self, *, dial: Callable[[str], aio.Channel], store: PeopleStore) -> None:
        self._dial = dial
        self._store = store
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def look(self, tenants: Sequence[Tenant]) -> list[Vitals]:
        """What can be found out of each, in the same order."""
        async with asyncio.TaskGroup() as group:
            looking = [group.create_task(self._look(tenant)) for tenant in tenants]
        return [each.result() for each in looking]

    async def _look(self, tenant: Tenant) -> Vitals:
        async with self._turns:
            people = await self._store.headcount(tenant.tenant_id)
            whose = metadata(tenant_id=tenant.tenant_id)
            waiting, floor, calls, has_number = await asyncio.gather(
                _in_time(self._waiting(whose)),
                _in_time(self._floor(whose)),
                _in_time(self._calls(whose)),
                _in_time(self._has_number(whose)),
            )
        return Vitals(tenant, people, waiting, floor, calls, has_number)

    async def _waiting(self, whose: Metadata) -> Waiting:
        stub, token = acd_pb2_grpc.AcdStub(self._dial("acd")), ""
        callers, longest_ms = 0, 0
        for _ in range(MAX_PAGES):
            request = acd_pb2.ListQueuesRequest(page=_page(token))
            answer = await stub.ListQueues(request, metadata=whose)
            callers += sum(queue.waiting for queue in answer.queues)
            longest_ms = max((longest_ms, *(queue.longest_wait_ms for queue in answer.queues)))
            token = answer.page.next_token
            if not token:
                break
        return Waiting(callers, longest_ms)

    async def _floor(self, whose: Metadata) -> Floor:
        stub = analytics_pb2_grpc.AnalyticsStub(self._dial("analytics"))
        live = await stub.GetLive(analytics_pb2.GetLiveRequest(), metadata=whose)
        row = live.rows[0] if live.rows else analytics_pb2.LiveRow()
        agents = {each.state: each.agents for each in row.agents}
        today = {each.kpi: round(each.value) for each in row.today if each.HasField("value")}
        return Floor(
            signed_in=sum(agents.values()) - agents.get(SIGNED_OUT, 0),
            ready=agents.get(READY, 0),
            offered=today.get("offered", 0),
            answered=today.get("answered", 0),
            abandoned=today.get("abandoned", 0),
        )

    async def _calls(self, whose: Metadata) -> int:
        stub, token, calls = gateway_pb2_grpc.GatewayStub(self._dial("gateway")), "", 0
        for _ in range(MAX_PAGES):
            request = gateway_pb2.ListCallsRequest(page=_page(token))
            answer = await stub.ListCalls(request, metadata=whose)
            calls += len(answer.calls)
            token = answer.page.next_token
            if not token:
                break
        return calls

    async def _has_number(self, whose: Metadata) -> bool:
        stub = ivr_pb2_grpc.IvrStub(self._dial("ivr"))
        page = common_pb2.PageRequest(size=1)
        request = ivr_pb2.ListNumbersRequest(page=page)
        return bool((await stub.ListNumbers(request, metadata=whose)).numbers)


async def _in_time(asking: Awaitable[T]) -> T | None:
    """What is answered in time; None when nothing is."""
    try:
        async with asyncio.timeout(ASK_LIMIT_S):
            return await asking
    except (aio.AioRpcError, TimeoutError):
        return None


def _page(token: str) -> common_pb2.PageRequest:
    return common_pb2.PageRequest(size=PAGE, token=token)
