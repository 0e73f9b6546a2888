"""What is asked for has limits; within them nothing is left out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from protos.analytics.v1 import analytics_pb2 as pb
from protos.analytics.v1.analytics_pb2_grpc import AnalyticsStub
from protos.common.v1.common_pb2 import PageRequest
from services.analytics import rpc
from services.analytics.alarms import Alarms
from services.analytics.core.measures import Terms
from services.analytics.floors import Floors
from services.analytics.model.questions import EntryQuery
from services.analytics.model.records import Entry, Interval, Position, Records
from services.analytics.model.words import AgentState, Exit
from services.analytics.rpc_records import MAX_SCANNED
from services.analytics.rpc_reports import MAX_RECORDS
from services.analytics.store import MemoryStore
from services.analytics.store_alarms import MemoryAlarms
from services.chassis.errors import RemoteError
from services.chassis.ids import TenantId
from services.chassis.rpc import remote_errors
from services.chassis.simulated import SimulatedWorld, simulate
from tests.unit.analytics.scene import DEMO

if TYPE_CHECKING:  # the stubs know this name, the generated module does not
    from protos.analytics.v1.analytics_pb2_grpc import AnalyticsAsyncStub


class LongStore(MemoryStore):
    """As many entries as there are milliseconds, of which one in a great many was abandoned."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self._length = length

    async def entries(
        self,
        tenant_id: TenantId,
        query: EntryQuery,
        *,
        after: tuple[int, str],
        limit: int,
    ) -> list[Entry]:
        first = after[0] + 1
        last = min(first + limit, self._length, query.to_ms)
        return [self._entry(number) for number in range(first, last)]

    @staticmethod
    def _entry(number: int) -> Entry:
        way = Exit.ABANDONED if number % 15_000 == 14_999 else Exit.ANSWERED
        return Entry(f"e{number}", "c", "q", "", "voice", number, way)


async def stub_over(world: SimulatedWorld, store: MemoryStore) -> AnalyticsAsyncStub:
    floors = Floors(store=store, clock=world.clock, terms=Terms())
    alarm_store = MemoryAlarms()
    alarms = Alarms(store=alarm_store, floors=floors, clock=world.clock, holder="here")
    servicer = rpc.Analytics(
        store=store,
        alarm_store=alarm_store,
        floors=floors,
        alarms=alarms,
        clock=world.clock,
        terms=Terms(),
    )
    world.exchange.serve("analytics", [rpc.face(servicer)])
    return AnalyticsStub(world.dial("analytics"))


def test_a_page_of_rare_records_is_short_and_the_next_goes_on(tmp_path: Path) -> None:
    length = 50_000

    async def story(world: SimulatedWorld) -> None:
        stub = await stub_over(world, LongStore(length))
        request = pb.ListEntriesRequest(from_ms=0, to_ms=10**6, behind="abandoned")
        seen: list[int] = []
        pages = 0
        while True:
            page = await stub.ListEntries(request, metadata=DEMO)
            seen += [each.offered_at_ms for each in page.entries]
            pages += 1
            if not page.page.next_token:
                break
            request.page.token = page.page.next_token
        assert seen == [14_999, 29_999, 44_999]
        assert pages == length // MAX_SCANNED + 1

    simulate(story, seed=1, folder=tmp_path)


def test_a_page_that_one_message_cannot_carry_is_short_and_the_next_goes_on(
    tmp_path: Path,
) -> None:
    """Agents of as many queues as there may be."""
    queue_ids = tuple(f"{number:0200}" for number in range(200))
    intervals = tuple(
        Interval("anna", "Anna", queue_ids, version, AgentState.READY, "", version, version + 1)
        for version in range(1, 201)
    )

    async def story(world: SimulatedWorld) -> None:
        store = MemoryStore()
        await store.write(
            TenantId("demo"),
            before=Position(),
            after=Position(),
            records=Records(intervals=intervals),
        )
        stub = await stub_over(world, store)
        request = pb.ListIntervalsRequest(from_ms=0, to_ms=1_000, page=PageRequest(size=500))
        seen: list[int] = []
        while True:
            page = await stub.ListIntervals(request, metadata=DEMO)
            seen += [each.version for each in page.intervals]
            if not page.page.next_token:
                break
            request.page.token = page.page.next_token
        assert seen == list(range(1, 201))

    simulate(story, seed=1, folder=tmp_path)


def test_a_report_of_too_many_records_is_refused_with_a_way_out(tmp_path: Path) -> None:
    async def story(world: SimulatedWorld) -> None:
        stub = await stub_over(world, LongStore(MAX_RECORDS + 1))
        request = pb.GetReportRequest(from_ms=0, to_ms=MAX_RECORDS, kpis=["abandoned"])
        report = await stub.GetReport(request, metadata=DEMO)
        assert report.rows[0].figures[0].value == MAX_RECORDS // 15_000
        request.to_ms += 1
        with pytest.raises(RemoteError, match="shorter time") as caught, remote_errors():
            await stub.GetReport(request, metadata=DEMO)
        assert caught.value.code == "bad-range"

    simulate(story, seed=1, folder=tmp_path)
