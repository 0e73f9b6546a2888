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

SUSPENDED = HangUpCall(TerminationClass.CALLER_ERROR, "tenant-suspended", 480)
BUSY = HangUpCall(TerminationClass.CALLER_ERROR, "too-many-calls", 486)


@dataclass(frozen=True, slots=True)
class _Known:
    terms: Terms
    asked_at_ms: float
    """On the monotonic clock."""


class Tenants:
    """The terms of all tenants, and how many of their calls are here."""

    def __init__(self, *, store: TenantStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known: OrderedDict[TenantId, _Known] = OrderedDict()
        self._calls: Counter[TenantId] = Counter()

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

        Counted are the calls whose flows this replica interprets: with several, each lets in as
        many as the cap says.
        """
        terms = await self.terms(tenant_id)
        if terms.suspended:
            return SUSPENDED
        if terms.max_calls and self._calls[tenant_id] >= terms.max_calls:
            return BUSY
        return None

    @contextlib.contextmanager
    def counted(self, tenant_id: TenantId) -> Iterator[None]:
        """A call of the tenant, while its flow is interpreted here."""
        self._calls[tenant_id] += 1
        try:
            yield
        finally:
            self._calls[tenant_id] -= 1
            if not self._calls[tenant_id]:
                del self._calls[tenant_id]
