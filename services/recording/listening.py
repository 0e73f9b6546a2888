"""Who listens is on the trail before the first sound leaves."""

from __future__ import annotations

from collections.abc import Callable

from services.chassis.clock import Clock
from services.chassis.ids import CallId, TenantId
from services.recording.model.errors import MissingListener
from services.recording.model.evidence import Listening
from services.recording.store import RecordingStore
from services.recording.wire_events import heard_event

SAME_LISTENING_MS = 600_000
"""Parts that a player fetches within this time of the last entry are the same listening."""


class Trail:
    """Writes down who listens."""

    def __init__(self, *, store: RecordingStore, clock: Clock, new_id: Callable[[], str]) -> None:
        self._store = store
        self._clock = clock
        self._new_id = new_id

    async def heard(
        self,
        tenant_id: TenantId,
        recording_id: CallId,
        *,
        listener_id: str,
        listener_name: str,
        from_start: bool,
    ) -> None:
        """Somebody is about to hear a recording, from its start or a part; MissingListener."""
        if not listener_id:
            raise MissingListener("a recording is not played to nobody")
        now_ms = self._clock.now_ms()
        if not from_start:
            last_ms = await self._store.last_listened(tenant_id, recording_id, listener_id)
            if now_ms - last_ms < SAME_LISTENING_MS:
                return
        listening = Listening(
            listening_id=self._new_id(),
            recording_id=recording_id,
            listener_id=listener_id,
            listener_name=listener_name,
            at_ms=now_ms,
        )
        event = heard_event(tenant_id, listening, event_id=self._new_id())
        await self._store.add_listening(tenant_id, listening, [event])
