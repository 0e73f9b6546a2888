"""ivr as crm's client: who calls, within a limit, or nobody known."""

from __future__ import annotations

from collections.abc import Callable

import phonenumbers
from grpc import aio

from protos.crm.v1 import crm_pb2, crm_pb2_grpc
from services.chassis import spans
from services.chassis.clock import Clock
from services.chassis.ids import TenantId
from services.chassis.log import get_logger
from services.chassis.rpc import metadata, remote_error
from services.ivr.core.limits import LOOK_UP_LIMIT_MS
from services.ivr.figures import Figures
from services.ivr.model.actions import LookUpCustomer
from services.ivr.model.call import CustomerUnknown, Event
from services.ivr.wire import customer_event

log = get_logger("ivr.customers")


class Customers:
    """crm, as the calls of all tenants need it."""

    def __init__(
        self, *, dial: Callable[[str], aio.Channel], clock: Clock, figures: Figures
    ) -> None:
        self._dial = dial
        self._clock = clock
        self._figures = figures

    async def look_up(self, tenant_id: TenantId, call_id: str, asked: LookUpCustomer) -> Event:
        """Who has the number; unknown when crm does not say so in time."""
        request = crm_pb2.LookUpRequest(number=asked.number, region=region_of(asked.called))
        began_ms = self._clock.monotonic_ms()
        self._figures.look_ups += 1
        try:
            with spans.span("ivr", "look up customer", call_id=call_id):
                card = await crm_pb2_grpc.CrmStub(self._dial("crm")).LookUp(
                    request,
                    metadata=metadata(tenant_id=tenant_id, call_id=call_id),
                    timeout=LOOK_UP_LIMIT_MS / 1_000,
                )
        except aio.AioRpcError as failure:
            self._figures.look_ups_failed += 1
            log.info("customer not looked up", call=call_id, code=remote_error(failure).code)
            return CustomerUnknown()
        finally:
            self._figures.look_up_ms += self._clock.monotonic_ms() - began_ms
        return customer_event(card)


def region_of(called: str) -> str:
    """The country whose callers reach the number, two letters; empty when it cannot be told."""
    try:
        number = phonenumbers.parse(called, None)
    except phonenumbers.NumberParseException:
        return ""
    region = phonenumbers.region_code_for_country_code(number.country_code or 0)
    return "" if region in {"ZZ", "001"} else str(region)
