"""Recordings whose gateway is lost are closed with what it shipped."""

from __future__ import annotations

import asyncio

from services.chassis.clock import Clock
from services.chassis.database import DatabaseUnavailable
from services.chassis.errors import CarillonError
from services.chassis.log import get_logger
from services.recording.ingest import Ingest
from services.recording.model.evidence import Place
from services.recording.store import RecordingStore

log = get_logger("recording")

MAX_AT_ONCE = 100


class Sweeper:
    """Looks for recordings that go on though nothing is heard of their gateway."""

    def __init__(
        self, *, store: RecordingStore, ingest: Ingest, clock: Clock, silence_s: float
    ) -> None:
        """`silence_s` is how long a gateway may say nothing."""
        self._store = store
        self._ingest = ingest
        self._clock = clock
        self._silence_ms = round(silence_s * 1_000)
        self._listening_since_ms: int | None = None

    async def sweep(self) -> int:
        """Closes what is lost; how many.

        Nothing is lost as long as this service itself has not listened for the whole silence: a
        gateway cannot be heard while this service, or its database, is away.
        """
        now_ms = self._clock.now_ms()
        lost = await self._store.lost(now_ms - self._silence_ms, MAX_AT_ONCE)
        if self._listening_since_ms is None:
            self._listening_since_ms = now_ms
        if now_ms - self._listening_since_ms < self._silence_ms:
            return 0
        return sum([await self._close(place) for place in lost])

    async def _close(self, place: Place) -> bool:
        """Closes one; a recording that cannot be closed now must not keep others open."""
        try:
            await self._ingest.close_lost(place.tenant_id, place.recording_id)
        except DatabaseUnavailable:
            raise  # the others could not be closed either
        except Exception as error:
            log.error("lost recording not closed", call=place.recording_id, exc_info=error)
            return False
        return True

    async def run(self, every_s: float) -> None:
        """Sweeps for ever; the database or the storage may be away."""
        while True:
            try:
                await self.sweep()
            except CarillonError as error:
                self._listening_since_ms = None
                log.warning("sweep waits", code=error.code, reason=str(error))
            except Exception as error:
                self._listening_since_ms = None
                log.error("sweep failed", exc_info=error)
            await asyncio.sleep(every_s)
