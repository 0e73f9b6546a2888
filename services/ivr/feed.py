"""What comes from the bus: tenants, with their time zones and caps, from portal."""

from __future__ import annotations

from typing import Final

from google.protobuf.message import DecodeError

from protos.portal.v1 import events_pb2
from services.chassis.bus import Batch
from services.chassis.envelope import Envelope
from services.chassis.ids import TenantId
from services.chassis.log import get_logger
from services.ivr.store_tenants import Terms
from services.ivr.tenants import Tenants

log = get_logger("ivr.feed")

GROUP: Final = "ivr"
TOPICS: Final = ("portal.events.v1",)
TENANT_PUT: Final = events_pb2.TenantPut.DESCRIPTOR.full_name


class Intake:
    """Takes batches from the bus. Idempotent: what comes again changes nothing."""

    def __init__(self, *, tenants: Tenants) -> None:
        self._tenants = tenants

    async def handle(self, batch: Batch) -> None:
        """Takes in one batch; durable on return."""
        for envelope in batch.events:
            if envelope.type == TENANT_PUT:
                await self._tenant_put(envelope)

    async def _tenant_put(self, envelope: Envelope) -> None:
        try:
            tenant = events_pb2.TenantPut.FromString(envelope.payload).tenant
        except DecodeError as error:
            # Waiting would not help: it reads the same next time, and all that follow would wait.
            log.error("event passed over", event_id=envelope.event_id, reason=str(error))
            return
        terms = Terms(
            time_zone=tenant.time_zone or "UTC",
            max_calls=tenant.caps.max_calls,
            suspended=tenant.caps.suspended,
            told_at_ms=envelope.at_ms,
        )
        await self._tenants.put(TenantId(tenant.tenant_id), terms)
