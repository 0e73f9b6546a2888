"""The face towards whoever looks back: figures from stored records."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from grpc import aio

from protos.analytics.v1 import analytics_pb2 as pb
from services.analytics import asked, shown
from services.analytics.core.formulas import Formulas
from services.analytics.core.measures import Terms
from services.analytics.core.report import Report
from services.analytics.core.windows import Window, day_start_ms, next_day_ms
from services.analytics.floors import Floors
from services.analytics.model.errors import BadRange
from services.analytics.model.questions import CallQuery, EntryQuery, IntervalQuery
from services.analytics.model.records import Records
from services.analytics.model.words import Grouping
from services.analytics.store import (
    PAGE,
    AnalyticsStore,
    before_all,
    before_all_intervals,
    call_key,
    entry_key,
    interval_key,
)
from services.chassis.clock import Clock
from services.chassis.ids import TenantId
from services.chassis.request import tenant_id

R = TypeVar("R")
K = TypeVar("K")

Context = aio.ServicerContext[Any, Any]

MAX_RECORDS: Final = 100_000
"""Records of each kind that one report reads."""


@dataclass(frozen=True, slots=True)
class _Question:
    """A report as it was asked for."""

    window: Window
    grouping: Grouping
    queue_ids: tuple[str, ...]
    agent_ids: tuple[str, ...]
    formulas: Formulas


class ReportCalls:
    """Reports."""

    _store: AnalyticsStore
    _floors: Floors
    _clock: Clock
    _terms: Terms

    async def GetReport(self, request: pb.GetReportRequest, _context: Context) -> pb.Report:
        """KPIs of a stretch of time, in rows."""
        tenant = tenant_id()
        zone = await self._floors.zone(tenant)
        question = self._question(request, zone)
        directory = await self._store.directory(tenant)
        names = _names(question, directory)
        report = Report(
            grouping=question.grouping,
            window=question.window,
            zone=zone,
            formulas=question.formulas,
            queue_ids=question.queue_ids,
            keys=_rows_shown(question, directory),
        )
        await self._fill(report, tenant, question)
        return pb.Report(
            rows=[
                pb.ReportRow(
                    key=row.key,
                    name=names.get(row.key) or _when(question.grouping, row.key, zone),
                    figures=map(shown.figure, row.figures),
                )
                for row in report.rows()
            ]
        )

    def _question(self, request: pb.GetReportRequest, zone: ZoneInfo) -> _Question:
        now_ms = self._clock.now_ms()
        from_ms, to_ms = request.from_ms, request.to_ms
        if not from_ms and not to_ms:
            from_ms, to_ms = day_start_ms(now_ms, zone), next_day_ms(now_ms, zone)
        asked.check_range(from_ms, to_ms)
        grouping = asked.grouping(request.by)
        queue_ids = asked.ids(request.queue_ids, "queue_ids")
        agent_ids = asked.own_agents(request.agent_ids)
        agents = grouping is Grouping.AGENT or bool(agent_ids)
        calls = not agents and grouping is not Grouping.QUEUE and not queue_ids
        kpis = asked.kpis_for_rows(request.kpis, calls=calls, agents=agents)
        return _Question(
            window=Window(from_ms, to_ms, now_ms),
            grouping=grouping,
            queue_ids=queue_ids,
            agent_ids=agent_ids,
            formulas=Formulas(kpis, asked.terms_of(self._terms, request.threshold_s)),
        )

    async def _fill(self, report: Report, tenant: TenantId, question: _Question) -> None:
        store, window, formulas = self._store, question.window, question.formulas
        span = (window.from_ms, window.to_ms, question.queue_ids, question.agent_ids)
        if formulas.needs_entries:
            entries = EntryQuery(*span)
            async for entry in _all(
                lambda after: store.entries(tenant, entries, after=after, limit=PAGE),
                key=entry_key,
                first=before_all(newest_first=False),
            ):
                report.add_entry(entry)
        if formulas.needs_time:
            intervals = IntervalQuery(*span)
            async for interval in _all(
                lambda after: store.intervals(tenant, intervals, after=after, limit=PAGE),
                key=interval_key,
                first=before_all_intervals(newest_first=False),
            ):
                report.add_interval(interval)
        if formulas.needs_calls:
            calls = CallQuery(window.from_ms, window.to_ms)
            async for call in _all(
                lambda after: store.calls(tenant, calls, after=after, limit=PAGE),
                key=call_key,
                first=before_all(newest_first=False),
            ):
                report.add_call(call)


async def _all(
    page_after: Callable[[K], Awaitable[list[R]]], *, key: Callable[[R], K], first: K
) -> AsyncIterator[R]:
    """Every record, page by page, so that others have their turn; BadRange beyond the limit."""
    after, count = first, 0
    while page := await page_after(after):
        count += len(page)
        if count > MAX_RECORDS:
            raise BadRange(
                f"more than {MAX_RECORDS} records; ask for a shorter time, or for fewer queues"
                " or agents"
            )
        for record in page:
            yield record
        after = key(page[-1])
        await asyncio.sleep(0)


def _rows_shown(question: _Question, directory: Records) -> list[str]:
    """Rows there are even when nothing happened: of the queues or agents that there are now."""
    if question.grouping is Grouping.QUEUE:
        only = question.queue_ids
        known = [queue.queue_id for queue in directory.queues if not queue.removed]
    else:
        only = question.agent_ids
        known = [
            agent.agent_id
            for agent in directory.agents
            if not agent.removed
            and (not question.queue_ids or set(agent.queue_ids) & set(question.queue_ids))
        ]
    return [key for key in known if not only or key in only]


def _names(question: _Question, directory: Records) -> dict[str, str]:
    if question.grouping is Grouping.QUEUE:
        return {queue.queue_id: queue.name for queue in directory.queues}
    if question.grouping is Grouping.AGENT:
        return {agent.agent_id: agent.name for agent in directory.agents}
    return {}


def _when(grouping: Grouping, key: str, zone: ZoneInfo) -> str:
    """The beginning of a row by time, as people write it where the tenant is."""
    if grouping in {Grouping.TOTAL, Grouping.QUEUE, Grouping.AGENT}:
        return ""
    return datetime.fromtimestamp(int(key) / 1_000, tz=UTC).astimezone(zone).isoformat()
