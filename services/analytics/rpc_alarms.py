"""The face towards whoever keeps watch: thresholds, and the alarms that they raise."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any, Final

from grpc import aio

from protos.analytics.v1 import analytics_pb2 as pb
from protos.common.v1 import common_pb2
from services.analytics import asked, shown
from services.analytics.alarms import Alarms
from services.analytics.core.alarms import check, newest_first
from services.analytics.model.alarms import Alarm, AlarmQuery, Threshold
from services.analytics.model.errors import BadFilter, BadThreshold
from services.analytics.model.words import Direction, Measure, Severity
from services.analytics.store_alarms import AlarmStore
from services.chassis.paging import page_of, page_size
from services.chassis.request import present, tenant_id

Context = aio.ServicerContext[Any, Any]

MAX_NAME: Final = 100
MAX_NOTE: Final = 200
REFRESH_S: Final = 5.0
"""Without news, a watcher's alarms are compared so often all the same."""
_ID: Final = re.compile(r"[a-z0-9-]{1,64}")


class AlarmCalls:
    """Thresholds and alarms."""

    _alarms: Alarms
    _alarm_store: AlarmStore

    async def PutThreshold(
        self, request: pb.PutThresholdRequest, _context: Context
    ) -> pb.Threshold:
        """Creates or replaces a threshold."""
        threshold = _threshold(request.threshold)
        await self._alarms.put_threshold(tenant_id(), threshold)
        return shown.threshold(threshold)

    async def ListThresholds(
        self, request: pb.ListThresholdsRequest, _context: Context
    ) -> pb.ListThresholdsResponse:
        """What is watched, by id."""
        watched = await self._alarm_store.watched(tenant_id())
        rows, page = page_of(
            watched.thresholds, request.page, key=lambda threshold: threshold.threshold_id
        )
        return pb.ListThresholdsResponse(thresholds=map(shown.threshold, rows), page=page)

    async def RemoveThreshold(
        self, request: pb.RemoveThresholdRequest, _context: Context
    ) -> pb.RemoveThresholdResponse:
        """Forgets a threshold; its alarm ends."""
        _check_id(request.threshold_id)
        await self._alarms.remove_threshold(tenant_id(), request.threshold_id)
        return pb.RemoveThresholdResponse()

    async def ListAlarms(
        self, request: pb.ListAlarmsRequest, _context: Context
    ) -> pb.ListAlarmsResponse:
        """Alarms, newest first."""
        to_ms = request.to_ms or asked.LATEST_MS
        asked.check_moments(request.from_ms, to_ms)
        query = AlarmQuery(request.from_ms, to_ms, open_only=request.open)
        size = page_size(request.page)
        before = asked.place(request.page.token, newest_first=True)
        rows = await self._alarm_store.alarms(tenant_id(), query, before=before, limit=size + 1)
        page = common_pb2.PageResponse()
        if len(rows) > size:
            page.next_token = asked.token_of(rows[size - 1].raised_at_ms, rows[size - 1].alarm_id)
        return pb.ListAlarmsResponse(alarms=map(shown.alarm, rows[:size]), page=page)

    async def AcknowledgeAlarm(
        self, request: pb.AcknowledgeAlarmRequest, _context: Context
    ) -> pb.Alarm:
        """Says that somebody has seen it."""
        tenant = tenant_id()
        if len(request.note) > MAX_NOTE or "\0" in request.note:
            raise BadFilter(f"note is at most {MAX_NOTE} characters")
        asked.ids((request.alarm_id,), "alarm_id")
        who = present()
        alarm = await self._alarms.acknowledge(
            tenant, request.alarm_id, by=who.user_id, by_name=who.user_name, note=request.note
        )
        return shown.alarm(alarm)

    async def WatchAlarms(
        self, _request: pb.WatchAlarmsRequest, _context: Context
    ) -> AsyncIterator[pb.AlarmChange]:
        """Open alarms, then every change of one."""
        tenant = tenant_id()
        changed = self._alarms.next_change(tenant)
        told = await self._alarms.open(tenant)
        yield pb.AlarmChange(all=True, alarms=map(shown.alarm, newest_first(told)))
        while True:
            try:
                async with asyncio.timeout(REFRESH_S):
                    await changed.wait()
            except TimeoutError:
                pass  # whoever fell asleep is awake again
            changed = self._alarms.next_change(tenant)
            known = await self._alarms.open(tenant)
            news = {key: alarm for key, alarm in known.items() if told.get(key) != alarm}
            gone = await self._gone(told.keys() - known.keys())
            told = known
            if news or gone:
                alarms = newest_first(news | gone)
                yield pb.AlarmChange(alarms=map(shown.alarm, alarms))

    async def _gone(self, alarm_ids: set[str]) -> dict[str, Alarm]:
        """Alarms that are open no more, as they ended."""
        if not alarm_ids:
            return {}
        found = await self._alarm_store.named(tenant_id(), alarm_ids)
        return {alarm.alarm_id: alarm for alarm in found}


def _check_id(threshold_id: str) -> None:
    if not _ID.fullmatch(threshold_id):
        raise BadThreshold("threshold_id is 1 to 64 lower-case letters, digits and dashes")


def _threshold(given: pb.Threshold) -> Threshold:
    """What is to be watched; BadThreshold."""
    _check_id(given.threshold_id)
    if len(given.name) > MAX_NAME or "\0" in given.name:
        raise BadThreshold(f"name is at most {MAX_NAME} characters")
    try:
        asked.ids((given.queue_id,), "queue_id")
        threshold = Threshold(
            threshold_id=given.threshold_id,
            name=given.name,
            measure=asked.word(Measure, given.measure, "measure"),
            queue_id=given.queue_id,
            direction=asked.word(Direction, given.direction, "direction"),
            raise_at=given.raise_at,
            clear_at=given.clear_at,
            for_s=given.for_s,
            severity=asked.word(Severity, given.severity, "severity"),
            active=given.active,
        )
    except BadFilter as error:
        raise BadThreshold(str(error)) from None
    check(threshold)
    return threshold
