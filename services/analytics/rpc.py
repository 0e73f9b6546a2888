"""analytics' gRPC face."""

from __future__ import annotations

from protos.analytics.v1 import analytics_pb2, analytics_pb2_grpc
from services.analytics.alarms import Alarms
from services.analytics.core.measures import Terms
from services.analytics.floors import Floors
from services.analytics.rpc_alarms import AlarmCalls
from services.analytics.rpc_live import LiveCalls
from services.analytics.rpc_records import RecordCalls
from services.analytics.rpc_reports import ReportCalls
from services.analytics.rpc_stories import StoryCalls
from services.analytics.store import AnalyticsStore
from services.analytics.store_alarms import AlarmStore
from services.chassis.clock import Clock
from services.chassis.rpc import Face


class Analytics(
    LiveCalls,
    ReportCalls,
    RecordCalls,
    StoryCalls,
    AlarmCalls,
    analytics_pb2_grpc.AnalyticsServicer,
):
    """The servicer of carillon.analytics.v1.Analytics."""

    def __init__(
        self,
        *,
        store: AnalyticsStore,
        alarm_store: AlarmStore,
        floors: Floors,
        alarms: Alarms,
        clock: Clock,
        terms: Terms,
    ) -> None:
        self._store = store
        self._alarm_store = alarm_store
        self._floors = floors
        self._alarms = alarms
        self._clock = clock
        self._terms = terms


def face(servicer: Analytics) -> Face:
    """The face as a server takes it."""
    return Face(
        register=lambda server: analytics_pb2_grpc.add_AnalyticsServicer_to_server(
            servicer, server
        ),
        name=analytics_pb2.DESCRIPTOR.services_by_name["Analytics"].full_name,
    )
