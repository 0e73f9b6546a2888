"""The tenants' shards that this process decides for."""

from __future__ import annotations

import asyncio

from services.acd.following import Leaving
from services.acd.shard import Parts, Shard
from services.chassis.ids import TenantId
from services.chassis.journal import JournalUnavailable, OwnedElsewhere
from services.chassis.log import get_logger

log = get_logger("acd.shards")

ASK_AGAIN_MS = 500
"""How long another owner is believed to be one without asking the journal again."""
LOOK_EVERY_S = 0.5
"""How often shards without an owner are looked for."""
MAX_BELIEFS = 10_000
TAKEN_AT_ONCE = 50
"""Shards without an owner taken over in one look."""


class Shards:
    """Every tenant's shard that is decided for here, opened when it is first asked for."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._open: dict[TenantId, asyncio.Task[Shard]] = {}
        self._elsewhere: dict[TenantId, tuple[str, int]] = {}
        self._leaving = False

    async def of(self, tenant_id: TenantId) -> Shard:
        """The tenant's shard.

        Raises OwnedElsewhere, JournalUnavailable, or Leaving once this process drains.
        """
        if self._leaving:
            raise Leaving("this process drains")
        opening = self._open.get(tenant_id)
        if opening is None or _is_over(opening):
            self._believe(tenant_id)
            opening = asyncio.ensure_future(self._start(tenant_id, opening))
            self._open[tenant_id] = opening
        # Whoever asked first may go away; the others still want the shard.
        return await asyncio.shield(opening)

    def live(self) -> list[Shard]:
        """The shards that are decided for here now."""
        started = [opening for opening in self._open.values() if opening.done()]
        return [opening.result() for opening in started if not _is_over(opening)]

    def doubt(self, tenant_id: TenantId) -> None:
        """Whoever is believed to own the shard does not answer: the journal is asked next time."""
        self._elsewhere.pop(tenant_id, None)

    async def look_after(self) -> None:
        """Takes over shards whose owner is gone, for ever: their time must go on."""
        while self._parts.journal.lease_ms is not None:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                for shard in await self._parts.journal.unowned(TAKEN_AT_ONCE):
                    await self._adopt(TenantId(shard))
            except JournalUnavailable as error:
                log.debug("cannot look after shards", reason=str(error))

    async def close(self) -> None:
        """Closes every shard."""
        self._leaving = True
        opened = await asyncio.gather(*self._open.values(), return_exceptions=True)
        live = [shard for shard in opened if isinstance(shard, Shard)]
        await asyncio.gather(*(shard.close() for shard in live))
        self._open.clear()

    async def _adopt(self, tenant_id: TenantId) -> None:
        try:
            await self.of(tenant_id)
            log.info("took a shard over", shard=tenant_id)
        except (OwnedElsewhere, Leaving) as error:
            log.debug("not taken over", shard=tenant_id, reason=str(error))
        except JournalUnavailable:
            raise  # it is away for all of them
        except Exception as error:  # one tenant's trouble is not the others'
            log.error("cannot take a shard over", shard=tenant_id, exc_info=error)

    def _believe(self, tenant_id: TenantId) -> None:
        """OwnedElsewhere, when that was so a moment ago."""
        address, until_ms = self._elsewhere.get(tenant_id, ("", 0))
        if self._parts.clock.now_ms() < until_ms:
            raise OwnedElsewhere(address)

    async def _start(self, tenant_id: TenantId, earlier: asyncio.Task[Shard] | None) -> Shard:
        if earlier is not None and not earlier.cancelled() and earlier.exception() is None:
            await earlier.result().close()
        shard = Shard(tenant_id=tenant_id, parts=self._parts)
        try:
            await shard.start()
        except OwnedElsewhere as owner:
            if len(self._elsewhere) >= MAX_BELIEFS:
                self._elsewhere.clear()
            until_ms = self._parts.clock.now_ms() + ASK_AGAIN_MS
            self._elsewhere[tenant_id] = (owner.address, until_ms)
            raise
        self._elsewhere.pop(tenant_id, None)
        return shard


def _is_over(opening: asyncio.Task[Shard]) -> bool:
    """Whether it could not be opened, or has been lost since."""
    if not opening.done():
        return False
    return opening.cancelled() or opening.exception() is not None or opening.result().closed
