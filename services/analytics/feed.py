"""What comes from the bus: routing's events, gateways' facts, tenants' time zones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from services.analytics import wire, wire_facts
from services.analytics.core.calls import calls_of
from services.analytics.floors import Floors
from services.analytics.model.events import Happened
from services.analytics.model.story import Told
from services.analytics.store import AnalyticsStore
from services.chassis.bus import Batch
from services.chassis.envelope import Envelope
from services.chassis.ids import TenantId
from services.chassis.log import about, get_logger

log = get_logger("analytics.feed")

GROUP: Final = "analytics"
ROUTING: Final = "acd.events.v1"
GATEWAYS: Final = "gateway.events.v1"
PEOPLE: Final = "portal.events.v1"
TOPICS: Final = (ROUTING, GATEWAYS, PEOPLE)


class Intake:
    """Takes batches from the bus. Idempotent: what comes again changes nothing."""

    def __init__(self, *, floors: Floors, store: AnalyticsStore) -> None:
        self._floors = floors
        self._store = store
        self.not_understood = 0
        """Events whose payload could not be read; they are passed over and logged."""

    async def handle(self, batch: Batch) -> None:
        """Takes in one batch; durable on return."""
        take = {ROUTING: self._routing, GATEWAYS: self._gateways, PEOPLE: self._people}
        for tenant_id, events in _by_tenant(batch.events).items():
            await take[batch.topic](tenant_id, events)

    async def _routing(self, tenant_id: TenantId, envelopes: list[Envelope]) -> None:
        await self._floors.take(tenant_id, [self._happened(envelope) for envelope in envelopes])

    async def _gateways(self, tenant_id: TenantId, envelopes: list[Envelope]) -> None:
        told = [each for each in map(self._told, envelopes) if each is not None]
        if told:
            await self._store.put_calls(
                tenant_id,
                calls_of(each.fact for each in told),
                steps=[each.step for each in told if each.step],
                ladders=[each.ladder for each in told if each.ladder],
            )

    async def _people(self, _asking: TenantId, envelopes: list[Envelope]) -> None:
        for envelope in envelopes:
            if envelope.type != wire.TENANT_PUT:
                continue
            try:
                await self._floors.move(*wire.tenant_zone(envelope))
            except wire.NotUnderstood as error:
                self._pass_over(envelope, error)

    def _happened(self, envelope: Envelope) -> Happened:
        try:
            return wire.happened(envelope)
        except wire.NotUnderstood as error:
            self._pass_over(envelope, error)
            return Happened(wire.clean(envelope.event_id), envelope.seq, envelope.at_ms, None)

    def _told(self, envelope: Envelope) -> Told | None:
        try:
            if envelope.type == wire_facts.CALL_FACT:
                return wire_facts.told(envelope)
        except wire.NotUnderstood as error:
            self._pass_over(envelope, error)
        return None

    def _pass_over(self, envelope: Envelope, error: wire.NotUnderstood) -> None:
        # Waiting would not help: it reads the same next time, and all that follow would wait, too.
        self.not_understood += 1
        with about((envelope.tenant_id, envelope.call_id)):
            log.error("event passed over", event_id=envelope.event_id, reason=str(error))


def _by_tenant(envelopes: Iterable[Envelope]) -> dict[TenantId, list[Envelope]]:
    """In their order; without a tenant, as calls to unknown numbers, there is nothing to count."""
    found: dict[TenantId, list[Envelope]] = defaultdict(list)
    for envelope in envelopes:
        if envelope.tenant_id:
            found[envelope.tenant_id].append(envelope)
    return found
