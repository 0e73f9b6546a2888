"""Answered calls compared with stored recordings, when asked and by itself."""

from __future__ import annotations

import asyncio

from services.chassis.clock import Clock
from services.chassis.errors import CarillonError
from services.chassis.ids import TenantId
from services.chassis.log import get_logger
from services.recording.core.reconcile import counted
from services.recording.model.calls import Reconciliation
from services.recording.model.errors import TooManyCalls
from services.recording.store import RecordingStore

log = get_logger("recording")

PAGE = 1_000
MAX_PAGES = 500
DAY_MS = 86_400_000
SETTLED_MS = 300_000
"""How long after a call's end its recording should be whole."""
MAX_NAMED_IN_ALARM = 20


class Reconciler:
    """Compares, tenant by tenant."""

    def __init__(self, *, store: RecordingStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._checked_to_ms = 0
        self.differences = 0
        """That the last check found."""

    async def reconcile(self, tenant_id: TenantId, from_ms: int, to_ms: int) -> Reconciliation:
        """Calls that ended from `from_ms` up to `to_ms`, UTC; TooManyCalls."""
        result, after = Reconciliation(), ""
        for _ in range(MAX_PAGES):
            pairs = await self._store.pairs(tenant_id, from_ms, to_ms, after, PAGE)
            result = counted(result, pairs)
            if len(pairs) < PAGE:
                return result
            after = pairs[-1].call_id
        raise TooManyCalls(f"more than {PAGE * MAX_PAGES}: ask for a shorter stretch")

    async def check(self) -> int:
        """Looks at calls that ended since the last check, and alarms; how many differences.

        The first check looks back a day.
        """
        to_ms = self._clock.now_ms() - SETTLED_MS
        from_ms = self._checked_to_ms or to_ms - DAY_MS
        differences = 0
        for tenant_id in await self._store.tenants(from_ms):
            try:
                result = await self.reconcile(tenant_id, from_ms, to_ms)
            except TooManyCalls as error:
                log.error("calls cannot be compared", tenant=tenant_id, reason=str(error))
                continue
            differences += len(result.differences)
            if result.differences:
                log.error(
                    "recordings are not as they should be",
                    tenant=tenant_id,
                    expected=result.expected,
                    stored=result.stored,
                    differences=len(result.differences),
                    calls=[
                        f"{each.call_id} {each.kind}: {each.detail}"
                        for each in result.differences[:MAX_NAMED_IN_ALARM]
                    ],
                )
        self._checked_to_ms, self.differences = to_ms, differences
        return differences

    async def run(self, every_s: float) -> None:
        """Checks for ever; the database may be away."""
        while True:
            try:
                await self.check()
            except CarillonError as error:
                log.warning("reconciliation waits", code=error.code, reason=str(error))
            except Exception as error:
                log.error("reconciliation failed", exc_info=error)
            await asyncio.sleep(every_s)
