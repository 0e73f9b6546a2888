"""What gateways and routing tell of calls, remembered for searching and for comparing."""

from __future__ import annotations

from collections import defaultdict

from google.protobuf.message import DecodeError

from services.chassis.bus import Batch
from services.chassis.ids import TenantId
from services.chassis.log import about, get_logger
from services.recording.model.calls import Note
from services.recording.store import RecordingStore
from services.recording.wire_events import notes_of

log = get_logger("recording")

GROUP = "recording"


class CallFeed:
    """Takes batches of events; the same again change nothing, since each note is kept once."""

    def __init__(self, store: RecordingStore) -> None:
        self._store = store

    async def handle(self, batch: Batch) -> None:
        """Remembers what the events tell; what cannot be read is said to the log and left."""
        notes: dict[TenantId, list[Note]] = defaultdict(list)
        for event in batch.events:
            try:
                notes[event.tenant_id] += notes_of(event)
            except DecodeError as error:
                with about((event.tenant_id, event.call_id)):
                    log.error("event cannot be read", topic=batch.topic, reason=str(error))
        for tenant_id in sorted(notes):
            if notes[tenant_id]:
                await self._store.note(tenant_id, notes[tenant_id])
