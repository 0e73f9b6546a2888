"""What cannot be answered is refused, clearly."""

from __future__ import annotations

from typing import Any

import pytest

from protos.analytics.v1 import analytics_pb2 as pb
from protos.common.v1 import common_pb2
from services.chassis.errors import Kind
from tests.unit.analytics.scene import (
    DEMO,
    HOUR_MS,
    Play,
    Scene,
    refused,
)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (pb.GetReportRequest(from_ms=2, to_ms=1), "bad-range"),
        (pb.GetReportRequest(from_ms=5), "bad-range"),
        (pb.GetReportRequest(from_ms=-1, to_ms=1), "bad-range"),
        (pb.GetReportRequest(from_ms=1, to_ms=1 << 62), "bad-range"),
        (pb.GetReportRequest(from_ms=0, to_ms=401 * 24 * HOUR_MS), "bad-range"),
        (pb.GetReportRequest(from_ms=0, to_ms=99 * 24 * HOUR_MS, by="interval"), "bad-range"),
        (pb.GetReportRequest(to_ms=1, by="week"), "bad-filter"),
        (pb.GetReportRequest(to_ms=1, kpis=["nonsense"]), "no-such-kpi"),
        (pb.GetReportRequest(to_ms=1, kpis=["asa"] * 101), "bad-filter"),
        (pb.GetReportRequest(to_ms=1, kpis=["queued_rate"], by="queue"), "kpi-not-for-this"),
        (pb.GetReportRequest(to_ms=1, kpis=["offered"], agent_ids=["a"]), "kpi-not-for-this"),
        (pb.GetReportRequest(to_ms=1, threshold_s=86_401), "bad-filter"),
        (pb.GetReportRequest(to_ms=1, queue_ids=["a\0"]), "bad-filter"),
        (pb.GetReportRequest(to_ms=1, agent_ids=[f"{n}" for n in range(201)]), "bad-filter"),
        (pb.ListEntriesRequest(), "bad-range"),
        (pb.ListEntriesRequest(to_ms=1, exits=["gone"]), "bad-filter"),
        (pb.ListEntriesRequest(to_ms=1, behind="nonsense"), "no-such-kpi"),
        (pb.ListEntriesRequest(to_ms=1, behind="occupancy"), "kpi-not-for-this"),
        (pb.ListEntriesRequest(to_ms=1, behind="queued_rate"), "kpi-not-for-this"),
        (pb.ListEntriesRequest(to_ms=1, behind="offered", denominator=True), "kpi-not-for-this"),
        (pb.ListEntriesRequest(to_ms=1, page=common_pb2.PageRequest(size=501)), "bad-page"),
        (pb.ListEntriesRequest(to_ms=1, page=common_pb2.PageRequest(token="x")), "bad-filter"),
        (pb.ListEntriesRequest(to_ms=1, queue_id="x" * 257), "bad-filter"),
        (pb.ListIntervalsRequest(), "bad-range"),
        (pb.ListIntervalsRequest(to_ms=1, state="asleep"), "bad-filter"),
        (pb.ListIntervalsRequest(to_ms=1, behind="asa"), "kpi-not-for-this"),
        (
            pb.ListIntervalsRequest(to_ms=1, page=common_pb2.PageRequest(token="1 x a")),
            "bad-filter",
        ),
        (pb.ListCallsRequest(), "bad-range"),
        (pb.ListCallsRequest(to_ms=1, outcomes=["gone"]), "bad-filter"),
        (pb.ListCallsRequest(to_ms=1, behind="asa"), "kpi-not-for-this"),
        (pb.ListCallsRequest(to_ms=1, page=common_pb2.PageRequest(token="1 \0")), "bad-filter"),
        (pb.GetLiveRequest(queue_ids=["\0"]), "bad-filter"),
    ],
    ids=lambda value: value if isinstance(value, str) else str(value).replace("\n", " ")[:40],
)
def test_what_cannot_be_answered_is_refused_by_name(play: Play, request_: Any, code: str) -> None:
    async def story(scene: Scene) -> None:
        calls: dict[type, Any] = {
            pb.GetReportRequest: scene.stub.GetReport,
            pb.ListEntriesRequest: scene.stub.ListEntries,
            pb.ListIntervalsRequest: scene.stub.ListIntervals,
            pb.ListCallsRequest: scene.stub.ListCalls,
            pb.GetLiveRequest: scene.stub.GetLive,
        }
        error = await refused(calls[type(request_)](request_, metadata=DEMO))
        assert (error.code, error.kind) == (code, Kind.INVALID)
        assert error.message

    play(story)
