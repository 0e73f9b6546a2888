"""Every tenant's floor: fed from the bus, built anew from records, asked for figures."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.analytics.core.floor import Floor
from services.analytics.core.live import LiveRow
from services.analytics.core.measures import Terms
from services.analytics.model.events import Happened
from services.analytics.store import AnalyticsStore, StalePosition
from services.chassis.clock import Clock
from services.chassis.database import DatabaseUnavailable
from services.chassis.ids import TenantId
from services.chassis.log import get_logger

log = get_logger("analytics")

MAX_TENANTS = 1_000
"""Floors held in memory; the one that was not needed longest goes first, and can come back."""
CHECK_EVERY_MS = 1_000
"""How often a floor that is asked for figures looks whether another replica feeds it."""
UTC = "UTC"


@dataclass(frozen=True, slots=True)
class LiveView:
    """A tenant's live figures."""

    as_of_ms: int
    """UTC milliseconds of the newest event in them; 0: there was none."""
    rows: tuple[LiveRow, ...]
    """The tenant's first."""


@dataclass(slots=True)
class _Held:
    """One tenant's floor, if it is in memory."""

    floor: Floor | None = None
    checked_ms: float = float("-inf")
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class Floors:
    """The floors of this process. Records are the truth: what is in memory follows from them."""

    def __init__(self, *, store: AnalyticsStore, clock: Clock, terms: Terms) -> None:
        self._store = store
        self._clock = clock
        self._terms = terms
        self._held: OrderedDict[TenantId, _Held] = OrderedDict()
        self.lag_ms = 0
        """How old the newest event was when it was taken in last: the freshness of figures."""
        self.news = asyncio.Event()
        """Set while there are tenants whose figures have changed and nobody has asked which."""
        self._stirred: set[TenantId] = set()

    def __len__(self) -> int:
        return sum(held.floor is not None for held in self._held.values())

    @property
    def unfinished(self) -> int:
        """Entries and intervals that go on, of the tenants in memory."""
        return sum(held.floor.unfinished for held in self._held.values() if held.floor)

    async def take(self, tenant_id: TenantId, events: Sequence[Happened]) -> None:
        """Takes events in, in order, those that are in already once only; durable on return."""
        held = self._holding(tenant_id)
        async with held.lock:
            try:
                await self._take(tenant_id, held, events)
            except StalePosition as error:
                # Another replica fed the tenant meanwhile: go on from what it has stored.
                log.info("floor rebuilt", tenant=tenant_id, reason=str(error))
                await self._take(tenant_id, held, events)
        self.lag_ms = max(0, self._clock.now_ms() - events[-1].at_ms)
        self._stirred.add(tenant_id)
        self.news.set()
        self._tell(held)

    def take_stirred(self) -> set[TenantId]:
        """The tenants whose figures events have changed since this was last asked."""
        stirred, self._stirred = self._stirred, set()
        self.news.clear()
        return stirred

    async def view(self, tenant_id: TenantId, *, only: Collection[str] | None = None) -> LiveView:
        """The tenant's figures now; events under way to the store are waited for.

        `only`: of these queues, empty for the tenant itself; None: all.
        """
        floor = await self._fresh(tenant_id)
        return LiveView(floor.position.as_of_ms, floor.rows(self._clock.now_ms(), only=only))

    async def queues_of(self, tenant_id: TenantId, agent_id: str) -> tuple[str, ...]:
        """The queues that an agent serves now."""
        return (await self._fresh(tenant_id)).queues_of(agent_id)

    async def zone(self, tenant_id: TenantId) -> ZoneInfo:
        """Where the tenant's days begin."""
        return zone_of(await self._store.zone(tenant_id))

    async def move(self, tenant_id: TenantId, time_zone: str) -> None:
        """The tenant's days begin elsewhere from now on."""
        if zone_of(time_zone).key != time_zone:
            log.warning("time zone not known", tenant=tenant_id, time_zone=time_zone)
            return
        held = self._holding(tenant_id)
        async with held.lock:
            if await self._store.zone(tenant_id) != time_zone:
                await self._store.put_zone(tenant_id, time_zone)
                held.floor = None
        self._tell(held)

    def next_change(self, tenant_id: TenantId) -> asyncio.Event:
        """Set when the tenant's figures have changed."""
        return self._holding(tenant_id).changed

    async def _take(self, tenant_id: TenantId, held: _Held, events: Sequence[Happened]) -> None:
        floor = held.floor or await self._load(tenant_id)
        # Until its events are stored the floor is ahead of its records: a failure forgets it.
        held.floor = None
        before = floor.position
        applied = [event for event in events if floor.apply(event)]
        if applied:
            await self._store.write(
                tenant_id,
                before=before,
                after=floor.position,
                records=floor.changes(),
                steps=floor.steps(),
            )
            floor.stand_at(floor.position.stored())
        held.floor = floor

    async def _fresh(self, tenant_id: TenantId) -> Floor:
        held = self._holding(tenant_id)
        async with held.lock:
            if held.floor is None:
                held.floor = await self._load(tenant_id)
            elif self._clock.monotonic_ms() - held.checked_ms >= CHECK_EVERY_MS:
                await self._catch_up(tenant_id, held, held.floor)
            held.checked_ms = self._clock.monotonic_ms()
            return held.floor

    async def _catch_up(self, tenant_id: TenantId, held: _Held, floor: Floor) -> None:
        """Takes in what another replica has stored; without the store, figures stay as they are."""
        try:
            stored = await self._store.position(tenant_id)
            zone = await self.zone(tenant_id)
        except DatabaseUnavailable as error:
            log.debug("figures may be behind", tenant=tenant_id, reason=str(error))
            return
        revision = floor.position.revision
        moved = zone.key != floor.zone.key
        if stored.revision == revision and not moved:
            return
        held.floor = None
        if moved or not revision:
            # Other days, or nothing to go on from: what is held may be in what is read.
            held.floor = await self._load(tenant_id)
            return
        floor.stand_at(
            await self._store.load(
                tenant_id, from_ms=0, after_revision=revision, take=floor.remember
            )
        )
        held.floor = floor

    async def _load(self, tenant_id: TenantId) -> Floor:
        zone = await self.zone(tenant_id)
        floor = Floor(zone=zone, now_ms=self._clock.now_ms(), terms=self._terms)
        position = await self._store.load(
            tenant_id, from_ms=floor.remembered_from_ms, after_revision=0, take=floor.remember
        )
        floor.stand_at(position)
        return floor

    def _holding(self, tenant_id: TenantId) -> _Held:
        held = self._held.setdefault(tenant_id, _Held())
        self._held.move_to_end(tenant_id)
        if len(self._held) > MAX_TENANTS:
            oldest = next(iter(self._held))
            if not self._held[oldest].lock.locked():
                del self._held[oldest]
        return held

    @staticmethod
    def _tell(held: _Held) -> None:
        changed, held.changed = held.changed, asyncio.Event()
        changed.set()


def zone_of(time_zone: str) -> ZoneInfo:
    """An IANA zone; UTC when there is none of this name."""
    try:
        return ZoneInfo(time_zone or UTC)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo(UTC)
