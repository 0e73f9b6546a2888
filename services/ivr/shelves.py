"""What flows need of their tenant besides themselves, read when a call begins."""

from __future__ import annotations

from services.chassis.ids import TenantId
from services.ivr.core.joining import uses_of
from services.ivr.model.flow import OFF, Flow
from services.ivr.model.library import Shelf
from services.ivr.policies import Policies
from services.ivr.store_library import LibraryStore
from services.ivr.tenants import Tenants


class Shelves:
    """The libraries and the rules of all tenants, as their flows need them."""

    def __init__(self, *, library: LibraryStore, tenants: Tenants, policies: Policies) -> None:
        self._library = library
        self._tenants = tenants
        self._policies = policies

    async def shelf(self, tenant_id: TenantId, flow: Flow) -> Shelf:
        """What this flow needs, as it is now."""
        uses = uses_of(flow)
        sounds = await self._library.sounds(tenant_id, uses.prompts) if uses.prompts else {}
        calendars = (
            await self._library.calendars(tenant_id, uses.calendars) if uses.calendars else {}
        )
        time_zone = "UTC"
        if any(not calendar.time_zone for calendar in calendars.values()):
            time_zone = (await self._tenants.terms(tenant_id)).time_zone
        may_record = flow.recording == OFF or await self._policies.may_record(tenant_id)
        return Shelf(sounds, calendars, time_zone, may_record)
