"""The face towards whoever watches: live figures, and what there is to ask for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from grpc import aio

from protos.analytics.v1 import analytics_pb2 as pb
from services.analytics import asked, shown
from services.analytics.core.catalogue import CATALOGUE
from services.analytics.floors import Floors
from services.chassis.ids import TenantId
from services.chassis.request import present, tenant_id

Context = aio.ServicerContext[Any, Any]

EVERY_S: Final = 1.0
"""A watcher is told at most so often."""
REFRESH_S: Final = 2.0
"""Without news, figures are looked at so often: windows move on all the same."""


class LiveCalls:
    """Live figures."""

    _floors: Floors

    async def GetLive(self, request: pb.GetLiveRequest, _context: Context) -> pb.Live:
        """The figures now."""
        return await self._live(tenant_id(), asked.ids(request.queue_ids, "queue_ids"))

    async def WatchLive(
        self, request: pb.GetLiveRequest, _context: Context
    ) -> AsyncIterator[pb.Live]:
        """The figures now, then whenever they change."""
        tenant, queue_ids = tenant_id(), asked.ids(request.queue_ids, "queue_ids")
        told: list[pb.LiveRow] | None = None
        while True:
            changed = self._floors.next_change(tenant)
            live = await self._live(tenant, queue_ids)
            rows = list(live.rows)
            if rows != told:
                yield live
                told = rows
            await asyncio.sleep(EVERY_S)
            try:
                async with asyncio.timeout(REFRESH_S):
                    await changed.wait()
            except TimeoutError:
                pass  # no news: time alone may have changed the figures

    async def ListKpis(
        self, _request: pb.ListKpisRequest, _context: Context
    ) -> pb.ListKpisResponse:
        """Every KPI that can be asked for."""
        return pb.ListKpisResponse(kpis=map(shown.kpi, CATALOGUE))

    async def _live(self, tenant: TenantId, queue_ids: Sequence[str]) -> pb.Live:
        view = await self._floors.view(tenant)
        own = present().own_agent_id
        seen = set(await self._floors.queues_of(tenant, own)) if own else None
        rows = [
            shown.live_row(row)
            for row in view.rows
            if not row.queue_id
            or (
                (not queue_ids or row.queue_id in queue_ids)
                and (seen is None or row.queue_id in seen)
            )
        ]
        return pb.Live(as_of_ms=view.as_of_ms, rows=rows)
