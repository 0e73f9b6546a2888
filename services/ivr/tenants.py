"""What holds for a tenant's calls: its time zone, and whether one more is let in."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from services.chassis.clock import Clock
from services.chassis.errors import CarillonError, Kind
from services.chassis.ids import TenantId
from services.chassis.log import get_logger
from services.ivr.model.actions import HangUpCall, TerminationClass
from services.ivr.store_tenants import TenantStore, Terms

log = get_logger("ivr.tenants")

BELIEVED_MS = 1_000
"""How long another replica's news may go unnoticed."""
ASK_LIMIT_S = 0.3
"""A caller is waiting; what was last known counts afterwards."""
MAX_KNOWN = 10_000
TELL_EVERY_S = 1.0
"""How soon the other replicas know of calls that have ended here."""
TELL_AGAIN_MS = 3_000
"""How often they are told of what has not changed; they believe it for SILENT_S."""

SUSPENDED = HangUpCall(TerminationClass.CALLER_ERROR, "tenant-suspended", 480)
BUSY = HangUpCall(TerminationClass.CALLER_ERROR, "too-many-calls", 486)


@dataclass(frozen=True, slots=True)
class _Known:
    terms: Terms
    asked_at_ms: float
    """On the monotonic clock."""


@dataclass(frozen=True, slots=True)
class _Told:
    calls: int
    """What the other replicas believe to be here."""
    elsewhere: int
    """What they carry themselves."""
    at_ms: float
    """On the monotonic clock."""


class Tenants:
    """The terms of all tenants, and how many of their calls are here."""

    def __init__(self, *, store: TenantStore, clock: Clock, replica: str = "") -> None:
        """`replica` names this process among others; after a restart it is the same."""
        self._store = store
        self._clock = clock
        self._replica = replica
        self._known: OrderedDict[TenantId, _Known] = OrderedDict()
        self._calls: Counter[TenantId] = Counter()
        self._told: dict[TenantId, _Told] = {}
        self._unasked: set[TenantId] = set()

    async def run(self) -> None:
        """Tells other replicas how many calls are here, of tenants with a cap, for ever."""
        while True:
            await asyncio.sleep(TELL_EVERY_S)
            try:
                await self._tell_all()
            except Exception as error:  # the next round may fare better
                log.error("calls of tenants not told", exc_info=error)

    async def leave(self) -> None:
        """Tells other replicas that no calls are here any more."""
        self._calls.clear()
        for tenant_id, told in tuple(self._told.items()):
            await self._tell_again(tenant_id, told)

    async def terms(self, tenant_id: TenantId) -> Terms:
        """What holds; what was last known, or plain terms, when that cannot be told now."""
        now_ms = self._clock.monotonic_ms()
        known = self._known.get(tenant_id)
        if known is not None and now_ms - known.asked_at_ms < BELIEVED_MS:
            return known.terms
        try:
            async with asyncio.timeout(ASK_LIMIT_S):
                terms = await self._store.terms(tenant_id)
        except (CarillonError, TimeoutError) as error:
            if isinstance(error, CarillonError) and error.kind is not Kind.UNAVAILABLE:
                raise
            log.warning("old terms used", tenant=tenant_id, reason=repr(error))
            terms = known.terms if known is not None else Terms()
        self._known[tenant_id] = _Known(terms, self._clock.monotonic_ms())
        self._known.move_to_end(tenant_id)
        while len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
        return terms

    async def put(self, tenant_id: TenantId, terms: Terms) -> None:
        """Keeps what portal says of a tenant; the next call goes by it."""
        await self._store.put_terms(tenant_id, terms)
        self._known.pop(tenant_id, None)

    async def refusal(self, tenant_id: TenantId) -> HangUpCall | None:
        """How a new call of the tenant is ended; None: it is let in.

        Counted are the calls whose flows all replicas interpret. Calls that come in the same
        moment to several may be more than the cap, by one at each.
        """
        terms = await self.terms(tenant_id)
        if terms.suspended:
            return SUSPENDED
        here = self._calls[tenant_id]
        if not terms.max_calls:
            return None
        if here >= terms.max_calls:
            return BUSY
        # The others know of this call before it is let in; if it is not, they hear so in a moment.
        elsewhere = await self._tell(tenant_id, here + 1)
        return BUSY if here + elsewhere >= terms.max_calls else None

    @contextlib.contextmanager
    def counted(self, tenant_id: TenantId) -> Iterator[None]:
        """A call of the tenant, while its flow is interpreted here."""
        self._calls[tenant_id] += 1
        if tenant_id not in self._told:
            self._unasked.add(tenant_id)
        try:
            yield
        finally:
            self._calls[tenant_id] -= 1
            if self._calls[tenant_id] <= 0:
                del self._calls[tenant_id]

    async def _tell_all(self) -> None:
        while self._unasked:
            tenant_id = self._unasked.pop()
            if (await self.terms(tenant_id)).max_calls:
                self._told.setdefault(tenant_id, _Told(0, 0, float("-inf")))
        for tenant_id, told in tuple(self._told.items()):
            await self._tell_again(tenant_id, told)

    async def _tell_again(self, tenant_id: TenantId, told: _Told) -> None:
        here = self._calls[tenant_id]
        if not here and not told.calls:
            self._told.pop(tenant_id, None)
        elif here != told.calls or self._clock.monotonic_ms() - told.at_ms >= TELL_AGAIN_MS:
            await self._tell(tenant_id, here)

    async def _tell(self, tenant_id: TenantId, calls: int) -> int:
        """How many calls are elsewhere; what was last known, when that cannot be told now."""
        known = self._told.get(tenant_id)
        elsewhere = known.elsewhere if known is not None else 0
        try:
            async with asyncio.timeout(ASK_LIMIT_S):
                elsewhere = await self._store.tell_calls(tenant_id, self._replica, calls)
        except (CarillonError, TimeoutError) as error:
            log.warning("other replicas' calls not known", tenant=tenant_id, reason=repr(error))
            return elsewhere
        self._told[tenant_id] = _Told(calls, elsewhere, self._clock.monotonic_ms())
        return elsewhere
