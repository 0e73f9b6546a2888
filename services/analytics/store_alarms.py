"""Where thresholds and alarms are kept: the port, and an adapter in memory for simulation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Final, Protocol

from services.analytics.core.alarms import MAX_THRESHOLDS, ends_alarm, newest_first
from services.analytics.model.alarms import Acknowledgement, Alarm, AlarmQuery, Threshold, Watched
from services.analytics.model.errors import TooManyThresholds
from services.chassis.errors import CarillonError, Kind
from services.chassis.ids import TenantId

MAX_UNSEEN: Final = 800
"""Alarms that are over and nobody has seen, of one tenant, that are watched on."""
MAX_TENANTS: Final = 1_000
"""Tenants whose thresholds are judged."""


class StaleAlarms(CarillonError):
    """Thresholds or alarms have changed since: judge again by what they are now."""

    code: ClassVar[str] = "stale-alarms"
    kind: ClassVar[Kind] = Kind.ABORTED


class AlarmStore(Protocol):
    """Thresholds and alarms. Each change of a tenant's makes the next revision of them."""

    async def lead(self, holder: str, *, lease_ms: int) -> bool:
        """Whether this holder is the one who judges, for so long from now."""

    async def leave(self, holder: str) -> None:
        """Lets another one judge at once."""

    async def revisions(self) -> dict[TenantId, int]:
        """The revision of each tenant that has ever watched anything; at most MAX_TENANTS."""

    async def watched(self, tenant_id: TenantId) -> Watched:
        """A tenant's thresholds and open alarms."""

    async def put_threshold(
        self, tenant_id: TenantId, threshold: Threshold, *, now_ms: int
    ) -> None:
        """Keeps a threshold, clearing its alarm where that is over by it; TooManyThresholds."""

    async def remove_threshold(
        self, tenant_id: TenantId, threshold_id: str, *, now_ms: int
    ) -> bool:
        """Forgets a threshold and clears its alarm; False when there was none."""

    async def change(self, tenant_id: TenantId, *, before: int, alarms: Sequence[Alarm]) -> None:
        """Keeps alarms that were judged by a revision; StaleAlarms, and none is."""

    async def alarms(
        self, tenant_id: TenantId, query: AlarmQuery, *, before: tuple[int, str], limit: int
    ) -> list[Alarm]:
        """Alarms from the newest on, in falling order of (raised_at_ms, alarm_id)."""

    async def named(self, tenant_id: TenantId, alarm_ids: Collection[str]) -> list[Alarm]:
        """Those of these alarms that there are."""

    async def acknowledge(
        self, tenant_id: TenantId, alarm_id: str, seen: Acknowledgement
    ) -> Alarm | None:
        """Notes that somebody has seen an alarm; the first counts. None: there is no such."""


@dataclass(slots=True)
class _Kept:
    revision: int = 0
    thresholds: dict[str, Threshold] = field(default_factory=dict)
    alarms: dict[str, Alarm] = field(default_factory=dict)

    def clear(self, threshold_id: str, now_ms: int) -> None:
        """Ends the alarm of a threshold that is over."""
        for key, alarm in self.alarms.items():
            if alarm.stands and alarm.threshold.threshold_id == threshold_id:
                self.alarms[key] = replace(alarm, cleared_at_ms=now_ms)


class MemoryAlarms:
    """Thresholds and alarms in this process; see `AlarmStore`."""

    def __init__(self) -> None:
        self._kept: dict[TenantId, _Kept] = defaultdict(_Kept)
        self._holder = ""

    async def lead(self, holder: str, *, lease_ms: int) -> bool:  # noqa: ARG002 (see the port)
        """See `AlarmStore.lead`: without a clock, a lease lasts until it is given back."""
        self._holder = self._holder or holder
        return self._holder == holder

    async def leave(self, holder: str) -> None:
        """See `AlarmStore.leave`."""
        if self._holder == holder:
            self._holder = ""

    async def revisions(self) -> dict[TenantId, int]:
        """See `AlarmStore.revisions`."""
        known = sorted(tenant_id for tenant_id, kept in self._kept.items() if kept.revision)
        return {tenant_id: self._kept[tenant_id].revision for tenant_id in known[:MAX_TENANTS]}

    async def watched(self, tenant_id: TenantId) -> Watched:
        """See `AlarmStore.watched`."""
        kept = self._kept[tenant_id]
        ordered = newest_first(kept.alarms)
        unseen = [each for each in ordered if each.is_open and not each.stands][:MAX_UNSEEN]
        alarms = {each.alarm_id: each for each in (*unseen, *filter(_stands, ordered))}
        thresholds = tuple(kept.thresholds[key] for key in sorted(kept.thresholds))
        return Watched(kept.revision, thresholds, tuple(newest_first(alarms)))

    async def put_threshold(
        self, tenant_id: TenantId, threshold: Threshold, *, now_ms: int
    ) -> None:
        """See `AlarmStore.put_threshold`."""
        kept = self._kept[tenant_id]
        before = kept.thresholds.get(threshold.threshold_id)
        if before is None and len(kept.thresholds) >= MAX_THRESHOLDS:
            raise TooManyThresholds(f"a tenant has at most {MAX_THRESHOLDS}")
        kept.revision += 1
        kept.thresholds[threshold.threshold_id] = threshold
        if ends_alarm(before, threshold):
            kept.clear(threshold.threshold_id, now_ms)

    async def remove_threshold(
        self, tenant_id: TenantId, threshold_id: str, *, now_ms: int
    ) -> bool:
        """See `AlarmStore.remove_threshold`."""
        kept = self._kept[tenant_id]
        if kept.thresholds.pop(threshold_id, None) is None:
            return False
        kept.revision += 1
        kept.clear(threshold_id, now_ms)
        return True

    async def change(self, tenant_id: TenantId, *, before: int, alarms: Sequence[Alarm]) -> None:
        """See `AlarmStore.change`."""
        kept = self._kept[tenant_id]
        if kept.revision != before:
            raise StaleAlarms(f"{tenant_id}: {kept.revision}, not {before}")
        kept.revision += 1
        kept.alarms |= {alarm.alarm_id: alarm for alarm in alarms}

    async def alarms(
        self, tenant_id: TenantId, query: AlarmQuery, *, before: tuple[int, str], limit: int
    ) -> list[Alarm]:
        """See `AlarmStore.alarms`."""
        found = [
            each
            for each in newest_first(self._kept[tenant_id].alarms)
            if query.from_ms <= each.raised_at_ms < query.to_ms
            and (each.is_open or not query.open_only)
            and (each.raised_at_ms, each.alarm_id) < before
        ]
        return found[:limit]

    async def named(self, tenant_id: TenantId, alarm_ids: Collection[str]) -> list[Alarm]:
        """See `AlarmStore.named`."""
        kept = self._kept[tenant_id].alarms
        return [kept[alarm_id] for alarm_id in sorted(alarm_ids) if alarm_id in kept]

    async def acknowledge(
        self, tenant_id: TenantId, alarm_id: str, seen: Acknowledgement
    ) -> Alarm | None:
        """See `AlarmStore.acknowledge`."""
        kept = self._kept[tenant_id]
        alarm = kept.alarms.get(alarm_id)
        if alarm is None or alarm.acknowledged_at_ms is not None:
            return alarm
        kept.revision += 1
        kept.alarms[alarm_id] = replace(
            alarm,
            acknowledged_at_ms=seen.at_ms,
            acknowledged_by=seen.by,
            acknowledged_by_name=seen.by_name,
            note=seen.note,
        )
        return kept.alarms[alarm_id]


def _stands(alarm: Alarm) -> bool:
    return alarm.stands
