"""The face towards whoever asks what became of one contact."""

from __future__ import annotations

from typing import Any

from grpc import aio

from protos.analytics.v1 import analytics_pb2 as pb
from services.analytics import asked, shown
from services.analytics.core.story import roles_of, with_names
from services.analytics.model.errors import NoSuchContact
from services.analytics.store import AnalyticsStore
from services.chassis.request import present, tenant_id

Context = aio.ServicerContext[Any, Any]


class StoryCalls:
    """Stories."""

    _store: AnalyticsStore

    async def GetStory(self, request: pb.GetStoryRequest, _context: Context) -> pb.Story:
        """A contact as it went, or goes."""
        tenant = tenant_id()
        asked.ids((request.contact_id,), "contact_id")
        found = await self._store.story(tenant, request.contact_id)
        own = present().own_agent_id
        theirs = not own or any(entry.agent_id == own for entry in found.entries)
        if found.is_empty or not theirs:
            raise NoSuchContact(f"nothing is known of {request.contact_id}")
        steps = with_names(found, await self._store.directory(tenant))
        return shown.story(found, steps=steps, roles=roles_of(steps))
