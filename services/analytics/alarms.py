"""Watches every tenant's thresholds: one replica judges, all of them know what stands.

Thresholds and alarms are stored; a replica's memory follows them by their revision. The replica
that holds the lease judges each tenant once a second, and soon after its figures have changed. What
it finds is stored only if nothing has changed since, so that two that both believe to hold the
lease never raise one alarm twice.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from services.analytics.core.alarms import Lookout
from services.analytics.floors import Floors
from services.analytics.model.alarms import Acknowledgement, Alarm, Threshold
from services.analytics.model.errors import NoSuchAlarm, NoSuchThreshold
from services.analytics.store_alarms import MAX_TENANTS, AlarmStore, StaleAlarms
from services.chassis.clock import Clock
from services.chassis.errors import CarillonError, Kind
from services.chassis.ids import TenantId
from services.chassis.log import get_logger

log = get_logger("analytics.alarms")

EVERY_S: Final = 1.0
"""How often every tenant is judged, and changes by other replicas are looked for."""
GAP_S: Final = 0.2
"""Between two looks at tenants whose figures have changed."""
LEASE_MS: Final = 6_000
TRUSTED_MS: Final = 4_000
"""For so long a lease is acted upon, counted from before it was asked for."""


@dataclass(slots=True)
class _Held:
    """One tenant's lookout, if it is in memory."""

    lookout: Lookout | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class Alarms:
    """The alarms of this process's tenants. What is stored is the truth."""

    def __init__(self, *, store: AlarmStore, floors: Floors, clock: Clock, holder: str) -> None:
        """`holder` names this process among the replicas."""
        self._store = store
        self._floors = floors
        self._clock = clock
        self._holder = holder
        self._held: OrderedDict[TenantId, _Held] = OrderedDict()
        self._looked_ms = float("-inf")
        self._leads_until_ms = float("-inf")
        self._away = False

    @property
    def leads(self) -> bool:
        """Whether this is the replica that judges."""
        return self._clock.monotonic_ms() < self._leads_until_ms

    @property
    def standing(self) -> int:
        """Alarms that stand, of the tenants in memory."""
        lookouts = (held.lookout for held in self._held.values() if held.lookout)
        return sum(alarm.stands for lookout in lookouts for alarm in lookout.alarms.values())

    async def run(self) -> None:
        """Watches until it is cancelled; the database may be away."""
        while True:
            try:
                await self._look()
                self._away = False
            except Exception as error:  # noqa: BLE001 (no failure may end the watch for good)
                self._tell_of(error)
                self._away = True
            await asyncio.sleep(GAP_S)
            try:
                async with asyncio.timeout(EVERY_S - GAP_S):
                    await self._floors.news.wait()
            except TimeoutError:
                pass  # no news: time alone may have changed the figures

    async def leave(self) -> None:
        """Lets another replica judge at once."""
        self._leads_until_ms = float("-inf")
        await self._store.leave(self._holder)

    async def open(self, tenant_id: TenantId) -> dict[str, Alarm]:
        """The tenant's alarms that stand, or that nobody has seen, by id."""
        held = self._holding(tenant_id)
        async with held.lock:
            return dict((held.lookout or await self._load(tenant_id, held)).alarms)

    def next_change(self, tenant_id: TenantId) -> asyncio.Event:
        """Set when the tenant's alarms have changed."""
        return self._holding(tenant_id).changed

    async def put_threshold(self, tenant_id: TenantId, threshold: Threshold) -> None:
        """Watches a threshold from now on; TooManyThresholds."""
        await self._store.put_threshold(tenant_id, threshold, now_ms=self._clock.now_ms())
        await self._renew(tenant_id)

    async def remove_threshold(self, tenant_id: TenantId, threshold_id: str) -> None:
        """Watches a threshold no longer; NoSuchThreshold."""
        now_ms = self._clock.now_ms()
        if not await self._store.remove_threshold(tenant_id, threshold_id, now_ms=now_ms):
            raise NoSuchThreshold(f"no threshold {threshold_id}")
        await self._renew(tenant_id)

    async def acknowledge(
        self, tenant_id: TenantId, alarm_id: str, *, by: str, by_name: str, note: str
    ) -> Alarm:
        """Notes that somebody has seen an alarm; the first counts. NoSuchAlarm."""
        seen = Acknowledgement(self._clock.now_ms(), by, by_name, note)
        alarm = await self._store.acknowledge(tenant_id, alarm_id, seen)
        if alarm is None:
            raise NoSuchAlarm(f"no alarm {alarm_id}")
        await self._renew(tenant_id)
        return alarm

    async def _look(self) -> None:
        """Judges those whose figures have changed, and once a second everybody."""
        stirred = self._floors.take_stirred()
        now_ms = self._clock.monotonic_ms()
        if now_ms - self._looked_ms >= 1_000 * EVERY_S:
            self._looked_ms = now_ms
            await self._lead_on(now_ms)
            stirred = await self._follow()
        if self.leads:
            for tenant_id in sorted(stirred):
                await self._judge(tenant_id)

    async def _lead_on(self, now_ms: float) -> None:
        led = self.leads
        if await self._store.lead(self._holder, lease_ms=LEASE_MS):
            self._leads_until_ms = now_ms + TRUSTED_MS
        else:
            self._leads_until_ms = float("-inf")
        if self.leads != led:
            log.info("watching thresholds" if self.leads else "another replica watches")

    async def _follow(self) -> set[TenantId]:
        """Catches up with what was changed elsewhere; who watches anything."""
        revisions = await self._store.revisions()
        for tenant_id, revision in revisions.items():
            held = self._held.get(tenant_id)
            lookout = held.lookout if held else None
            if lookout is None and not self.leads:
                continue
            if lookout is None or lookout.revision != revision:
                await self._renew(tenant_id)
        return set(revisions)

    async def _judge(self, tenant_id: TenantId) -> None:
        held = self._held.get(tenant_id)
        if held is None or held.lookout is None or held.lookout.is_idle:
            return
        view = await self._floors.view(tenant_id, only=held.lookout.queue_ids)
        async with held.lock:
            lookout = held.lookout
            found = lookout.judge(view.rows, self._clock.now_ms())
            if not found:
                return
            try:
                await self._store.change(tenant_id, before=lookout.revision, alarms=found)
            except StaleAlarms as error:
                log.debug("judged by what is no more", tenant=tenant_id, reason=str(error))
                await self._load(tenant_id, held)
            else:
                lookout.accept(found)
        self._tell(held)

    async def _renew(self, tenant_id: TenantId) -> None:
        held = self._holding(tenant_id)
        async with held.lock:
            await self._load(tenant_id, held)
        self._tell(held)

    async def _load(self, tenant_id: TenantId, held: _Held) -> Lookout:
        watched = await self._store.watched(tenant_id)
        if held.lookout is None:
            held.lookout = Lookout(watched)
        else:
            held.lookout.renew(watched)
        return held.lookout

    def _holding(self, tenant_id: TenantId) -> _Held:
        held = self._held.setdefault(tenant_id, _Held())
        self._held.move_to_end(tenant_id)
        if len(self._held) > 2 * MAX_TENANTS:
            oldest = next(iter(self._held))
            if not self._held[oldest].lock.locked():
                del self._held[oldest]
        return held

    def _tell_of(self, error: Exception) -> None:
        if not isinstance(error, CarillonError) or error.kind is not Kind.UNAVAILABLE:
            log.error("watching thresholds fails", exc_info=error)
        elif not self._away:
            log.warning("thresholds are not watched", code=error.code, reason=str(error))

    @staticmethod
    def _tell(held: _Held) -> None:
        changed, held.changed = held.changed, asyncio.Event()
        changed.set()
