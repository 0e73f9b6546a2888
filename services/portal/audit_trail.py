"""The audit trail: written in batches behind the request, never in its way."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from itertools import islice, takewhile

from services.chassis.database import DatabaseUnavailable
from services.chassis.ids import TenantId
from services.chassis.log import get_logger
from services.portal.model.trail import OK, AuditEntry
from services.portal.store import TrailStore
from services.portal.wire_people import Envelopes

log = get_logger("portal.audit")

MAX_WAITING = 5_000
"""Entries that wait for the store; further ones are lost, and the loss is said."""
MAX_WAITING_OF_NOBODY = 4_000
"""Of those, refusals of nobody known: a flood of them leaves room for what people do."""
MAX_BATCH = 200
SIGN_IN = "sign-in"
RETRY_MS = (100, 1_000, 5_000)
"""How long a failed write waits for the next, the last for ever after."""
FLUSH_S = 5.0
"""How long a stop waits for what is not written yet."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    tenant_id: TenantId
    """Whose trail."""
    entry: AuditEntry
    """What is to be written."""


class AuditTrail:
    """Entries on their way to the store."""

    def __init__(self, *, store: TrailStore, envelopes: Envelopes) -> None:
        self._store = store
        self._envelopes = envelopes
        self._waiting: deque[_Waiting] = deque()
        self._news = asyncio.Event()
        self._writing = asyncio.Lock()
        self.lost = 0
        """Entries that found no room."""
        self.sign_ins_refused = 0
        """Of all that came here."""

    def __len__(self) -> int:
        """Entries that wait."""
        return len(self._waiting)

    def add(self, tenant_id: TenantId, entry: AuditEntry) -> None:
        """Takes an entry; it is lost, and the loss logged, when too many wait."""
        self.sign_ins_refused += entry.action == SIGN_IN and entry.outcome != OK
        room = MAX_WAITING if entry.actor_id else MAX_WAITING_OF_NOBODY
        if len(self._waiting) >= room:
            self.lost += 1
            log.error("audit entry lost", tenant=tenant_id, action=entry.action, lost=self.lost)
            return
        self._waiting.append(_Waiting(tenant_id, entry))
        self._news.set()

    async def run(self) -> None:
        """Writes what comes, for ever; tries again as long as the store is away."""
        failures = 0
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self.flush()
                failures = 0
            except DatabaseUnavailable:
                wait_ms = RETRY_MS[min(failures, len(RETRY_MS) - 1)]
                failures += 1
                log.warning("audit entries wait", waiting=len(self._waiting))
                await asyncio.sleep(wait_ms / 1_000)
                self._news.set()

    async def flush(self) -> None:
        """Writes everything that waits now; DatabaseUnavailable, and what is left goes on waiting.

        An entry that the store refuses for what it is would hold up all others: it is lost.
        """
        async with self._writing:
            while self._waiting:
                tenant_id, entries = self._first_of_one_tenant()
                await self._write(tenant_id, entries)
                for _ in entries:
                    self._waiting.popleft()

    async def _write(self, tenant_id: TenantId, entries: list[AuditEntry]) -> None:
        """Writes entries together; when they are refused, each alone."""
        try:
            events = [self._envelopes.audited(tenant_id, entry) for entry in entries]
            await self._store.add_audit(tenant_id, entries, events)
        except DatabaseUnavailable:
            raise
        except Exception as error:
            if len(entries) == 1:
                self.lost += 1
                log.error("audit entry refused", tenant=tenant_id, exc_info=error)
                return
            for entry in entries:
                await self._write(tenant_id, [entry])

    def _first_of_one_tenant(self) -> tuple[TenantId, list[AuditEntry]]:
        tenant_id = self._waiting[0].tenant_id
        first = takewhile(lambda each: each.tenant_id == tenant_id, self._waiting)
        return tenant_id, [each.entry for each in islice(first, MAX_BATCH)]

    async def close(self) -> None:
        """Writes what waits, for a few seconds at most; what is left is lost, and said."""
        try:
            async with asyncio.timeout(FLUSH_S):
                await self.flush()
        except (DatabaseUnavailable, TimeoutError) as error:
            lost = len(self._waiting)
            log.error("audit entries lost", lost=lost, reason=type(error).__name__)
