"""Where a number leads, remembered, so that calls go on while the database is away.

A version of a flow never changes, so it is kept once it was read. Whose a number is and which
version is published are believed for a second; after that they are asked for again, and when that
cannot be had in time, what was last known still holds: a caller who hears yesterday's menu is
better served than one who is turned away. A number that was never asked for is DatabaseUnavailable
or TimeoutError then.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, replace

from services.chassis.clock import Clock
from services.chassis.errors import CarillonError, Kind
from services.chassis.ids import TenantId
from services.chassis.log import get_logger
from services.ivr.flows import Flows
from services.ivr.model.flow import Flow
from services.ivr.store import FlowStore, NoSuchFlow, NoSuchNumber, Route

log = get_logger("ivr.destinations")

BELIEVED_MS = 1_000
"""How long another replica's change may go unnoticed."""
ASK_LIMIT_S = 1.5
"""For a number that is not known: a gateway gives up a call after two seconds."""
ASK_AGAIN_LIMIT_S = 0.3
"""For a number that is known by any of its spellings: its caller waits no longer."""
MAX_KNOWN = 10_000


@dataclass(frozen=True, slots=True)
class Destination:
    """What a number leads to."""

    route: Route
    """Whose it is, and which flow."""
    version: int
    """The flow's published version."""
    flow: Flow
    """That version."""


@dataclass(frozen=True, slots=True)
class _Known:
    destination: Destination
    asked_at_ms: float
    """When it was last looked for, on the monotonic clock."""


class Destinations:
    """The numbers of all tenants, as calls need them."""

    def __init__(self, *, store: FlowStore, flows: Flows, clock: Clock) -> None:
        self._store = store
        self._flows = flows
        self._clock = clock
        self._known: OrderedDict[tuple[str, str], _Known] = OrderedDict()

    async def find(self, trunk: str, *spellings: str) -> Destination:
        """Where a number leads, by the first of its spellings that is somebody's.

        NoSuchNumber; NoSuchFlow or BadFlow when it leads nowhere; the store's own error, or
        TimeoutError, when that cannot be told now.
        """
        known = {number for number in spellings if (trunk, number) in self._known}
        limit_s = ASK_AGAIN_LIMIT_S if known else ASK_LIMIT_S
        away: CarillonError | TimeoutError | None = None
        for number in spellings:
            if away is not None and number not in known:
                continue  # it cannot be told either
            try:
                return await self._find(trunk, number, limit_s)
            except NoSuchNumber:
                continue
            except (CarillonError, TimeoutError) as error:
                if not _is_passing(error):
                    raise
                away = away or error
        raise away or NoSuchNumber(f"{spellings[0]} on {trunk}")

    async def _find(self, trunk: str, number: str, limit_s: float) -> Destination:
        key, now_ms = (trunk, number), self._clock.monotonic_ms()
        known = self._known.get(key)
        if known is not None and now_ms - known.asked_at_ms < BELIEVED_MS:
            self._known.move_to_end(key)
            return known.destination
        try:
            async with asyncio.timeout(limit_s):
                destination = await self._ask(trunk, number)
        except (NoSuchNumber, NoSuchFlow):
            self._known.pop(key, None)
            raise
        except (CarillonError, TimeoutError) as error:
            if known is None or not _is_passing(error):
                raise
            log.warning("old destination used", number=number, reason=repr(error))
            # Not asked for by every call while it is away: each would wait for nothing.
            self._known[key] = replace(known, asked_at_ms=self._clock.monotonic_ms())
            return known.destination
        self._remember(key, _Known(destination, self._clock.monotonic_ms()))
        return destination

    def number_changed(self, trunk: str, number: str) -> None:
        """Forgets a number that was changed here: the next call sees it."""
        self._known.pop((trunk, number), None)

    def flow_changed(self, tenant_id: TenantId, flow_id: str) -> None:
        """Asks again, at the next call, for every number that leads to a flow changed here."""
        for key, known in self._known.items():
            if known.destination.route == Route(tenant_id, flow_id):
                self._known[key] = replace(known, asked_at_ms=-BELIEVED_MS)

    def library_changed(self, tenant_id: TenantId) -> None:
        """Asks again, at the next call, for every number of a tenant whose library changed here."""
        for key, known in self._known.items():
            if known.destination.route.tenant_id == tenant_id:
                self._known[key] = replace(known, asked_at_ms=-BELIEVED_MS)

    async def _ask(self, trunk: str, number: str) -> Destination:
        route = await self._store.resolve_number(trunk, number)
        version = await self._store.published_version(route.tenant_id, route.flow_id)
        flow = await self._flows.pinned(route.tenant_id, route.flow_id, version)
        return Destination(route, version, flow)

    def _remember(self, key: tuple[str, str], known: _Known) -> None:
        self._known[key] = known
        self._known.move_to_end(key)
        while len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)


def _is_passing(error: CarillonError | TimeoutError) -> bool:
    return isinstance(error, TimeoutError) or error.kind is Kind.UNAVAILABLE
