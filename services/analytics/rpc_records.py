"""The face towards whoever asks what is behind a figure: the records themselves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from google.protobuf.message import Message
from grpc import aio

from protos.analytics.v1 import analytics_pb2 as pb
from protos.common.v1 import common_pb2
from services.analytics import asked, shown
from services.analytics.core.measures import OfCalls, OfEntries, OfTime, Terms
from services.analytics.model.questions import CallQuery, EntryQuery, IntervalQuery
from services.analytics.model.records import Call
from services.analytics.model.words import AgentState, CallOutcome, Exit
from services.analytics.store import (
    PAGE,
    AnalyticsStore,
    call_key,
    entry_key,
    interval_key,
)
from services.chassis.paging import page_size
from services.chassis.request import tenant_id
from services.chassis.rpc import MAX_MESSAGE_BYTES

R = TypeVar("R")
K = TypeVar("K")
M = TypeVar("M", bound=Message)

Context = aio.ServicerContext[Any, Any]

MAX_SCANNED: Final = 20_000
"""Records looked at for one page; a page of rare ones may be short and still not be the last."""
MAX_ANSWER_BYTES: Final = MAX_MESSAGE_BYTES - 1024 * 1024
"""Of one page; beyond it, it is short, too."""


class RecordCalls:
    """Lists of records."""

    _store: AnalyticsStore
    _terms: Terms

    async def ListEntries(
        self, request: pb.ListEntriesRequest, _context: Context
    ) -> pb.ListEntriesResponse:
        """Stays in queues."""
        tenant = tenant_id()
        asked.check_range(request.from_ms, request.to_ms)
        terms = asked.terms_of(self._terms, request.threshold_s)
        part = asked.part_behind(request.behind, denominator=request.denominator, kind=OfEntries)
        query = EntryQuery(
            from_ms=request.from_ms,
            to_ms=request.to_ms,
            queue_ids=asked.ids((request.queue_id, *request.queue_ids), "queue_ids"),
            agent_ids=asked.own_agents((request.agent_id, *request.agent_ids)),
            exits=asked.words(Exit, request.exits, "exits"),
            newest_first=request.newest_first,
        )
        rows, page = await _page(
            request.page,
            lambda after, limit: self._store.entries(tenant, query, after=after, limit=limit),
            key=entry_key,
            start=asked.place(request.page.token, newest_first=request.newest_first),
            token=lambda entry: asked.token_of(*entry_key(entry)),
            keep=None if part is None else lambda entry: part.members(entry, terms),
            show=shown.entry,
        )
        return pb.ListEntriesResponse(entries=rows, page=page)

    async def ListIntervals(
        self, request: pb.ListIntervalsRequest, _context: Context
    ) -> pb.ListIntervalsResponse:
        """Agents' time."""
        tenant = tenant_id()
        asked.check_range(request.from_ms, request.to_ms)
        part = asked.part_behind(request.behind, denominator=request.denominator, kind=OfTime)
        states = asked.words(AgentState, (request.state,), "state")
        query = IntervalQuery(
            from_ms=request.from_ms,
            to_ms=request.to_ms,
            queue_ids=asked.ids((request.queue_id, *request.queue_ids), "queue_ids"),
            agent_ids=asked.own_agents((request.agent_id, *request.agent_ids)),
            states=states,
            newest_first=request.newest_first,
        )
        rows, page = await _page(
            request.page,
            lambda after, limit: self._store.intervals(tenant, query, after=after, limit=limit),
            key=interval_key,
            start=asked.interval_place(request.page.token, newest_first=request.newest_first),
            token=lambda each: asked.token_of(each.from_ms, each.version, each.agent_id),
            keep=None if part is None else lambda each: each.state in part.states,
            show=shown.interval,
        )
        return pb.ListIntervalsResponse(intervals=rows, page=page)

    async def ListCalls(
        self, request: pb.ListCallsRequest, _context: Context
    ) -> pb.ListCallsResponse:
        """Calls."""
        tenant = tenant_id()
        asked.check_range(request.from_ms, request.to_ms)
        part = asked.part_behind(request.behind, denominator=request.denominator, kind=OfCalls)
        outcomes = asked.words(CallOutcome, request.outcomes, "outcomes")
        query = CallQuery(request.from_ms, request.to_ms, newest_first=request.newest_first)

        def wanted(call: Call) -> bool:
            behind = part is None or part.members(call)
            return behind and (not outcomes or call.outcome in outcomes)

        rows, page = await _page(
            request.page,
            lambda after, limit: self._store.calls(tenant, query, after=after, limit=limit),
            key=call_key,
            start=asked.place(request.page.token, newest_first=request.newest_first),
            token=lambda call: asked.token_of(*call_key(call)),
            keep=wanted if part or outcomes else None,
            show=shown.call,
        )
        return pb.ListCallsResponse(calls=rows, page=page)


async def _page(
    page: common_pb2.PageRequest,
    page_after: Callable[[K, int], Awaitable[list[R]]],
    *,
    key: Callable[[R], K],
    start: K,
    token: Callable[[R], str],
    keep: Callable[[R], bool] | None,
    show: Callable[[R], M],
) -> tuple[list[M], common_pb2.PageResponse]:
    """The records of one page that are to be kept, and where the next page begins; BadPage.

    `keep`: which of them; None: all, so that no more are read than the page and one.
    """
    size, room = page_size(page), MAX_ANSWER_BYTES
    limit = PAGE if keep else size + 1
    rows: list[M] = []
    last = ""
    after, scanned = start, 0
    while found := await page_after(after, limit):
        for record in found:
            if keep and not keep(record):
                continue
            row = show(record)
            room -= row.ByteSize()
            if len(rows) == size or (rows and room < 0):
                return rows, common_pb2.PageResponse(next_token=last)
            rows.append(row)
            last = token(record)
        after, scanned = key(found[-1]), scanned + len(found)
        if scanned >= MAX_SCANNED:
            return rows, common_pb2.PageResponse(next_token=token(found[-1]))
    return rows, common_pb2.PageResponse()
