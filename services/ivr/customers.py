"""ivr as crm's client: who calls, within a limit, or nobody known.

No call's set-up depends on how crm fares: while it does not answer, answers late, fails or talks
nonsense, a breaker opens, and callers are nobody known at once. Now and then one more request asks
how crm fares; it is made beside a call, which does not wait for its answer either.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any

import phonenumbers
from grpc import aio

from protos.crm.v1 import crm_pb2, crm_pb2_grpc
from services.chassis import spans
from services.chassis.breaker import Breaker, Limits, State, Ticket
from services.chassis.clock import Clock
from services.chassis.errors import CarillonError, Kind
from services.chassis.ids import TenantId
from services.chassis.log import get_logger
from services.chassis.metrics import Reading
from services.chassis.rpc import metadata, remote_error
from services.chassis.tasks import Tasks
from services.ivr.core.limits import LOOK_UP_LIMIT_MS
from services.ivr.figures import Figures
from services.ivr.model.actions import LookUpCustomer
from services.ivr.model.call import CustomerUnknown, Event
from services.ivr.wire import customer_event

log = get_logger("ivr.customers")

LIMITS = Limits(slow_ms=LOOK_UP_LIMIT_MS)
_ILL = {Kind.UNAVAILABLE, Kind.DEADLINE, Kind.INTERNAL, Kind.EXHAUSTED, Kind.ABORTED}
"""What says that crm is ill; with anything else it is well, and will not do as it is asked."""


@dataclass(frozen=True, slots=True)
class _Answer:
    event: Event = field(default_factory=CustomerUnknown)
    """What the call is told."""
    failure: str = ""
    """Why that is nothing, as a code."""
    ill: bool = False
    """Whether crm would fail others, too."""


class Customers:
    """crm, as the calls of all tenants need it."""

    def __init__(
        self,
        *,
        dial: Callable[[str], aio.Channel],
        clock: Clock,
        figures: Figures,
        tasks: Tasks,
        random_bits: Callable[[int], int],
    ) -> None:
        """`tasks` carries on what no call waits for."""
        self._dial = dial
        self._clock = clock
        self._figures = figures
        self._tasks = tasks
        self._breaker = Breaker("crm", LIMITS, random=lambda: random_bits(53) / 2**53)

    async def look_up(self, tenant_id: TenantId, call_id: str, asked: LookUpCustomer) -> Event:
        """Who has the number; unknown when crm does not say so in time, or is ill."""
        ticket = self._breaker.admit(self._clock.monotonic_ms())
        if ticket is None:
            return CustomerUnknown()
        asking = self._ask(ticket, tenant_id, call_id, asked)
        if ticket.probe:
            # It will most likely find what the last one found: this caller does not wait for that.
            self._tasks.start(_unheard(asking), f"probe crm for {call_id}")
            return CustomerUnknown()
        return await asking

    def readings(self) -> Iterator[Reading]:
        """How crm fares, by its breaker."""
        return self._breaker.readings("ivr")

    async def _ask(
        self, ticket: Ticket, tenant_id: TenantId, call_id: str, asked: LookUpCustomer
    ) -> Event:
        self._figures.look_ups += 1
        try:
            answer = await self._answer(tenant_id, call_id, asked)
        except BaseException:
            self._breaker.withdrawn(ticket)
            raise
        now_ms = self._clock.monotonic_ms()
        self._figures.look_up_ms += now_ms - ticket.began_ms
        if answer.failure:
            self._figures.look_ups_failed += 1
            log.info("customer not looked up", call=call_id, code=answer.failure)
        changed = self._breaker.ended(ticket, now_ms, failed=answer.ill)
        if changed is State.CLOSED:
            log.info("crm is asked again")
        elif changed is State.OPEN and not ticket.probe:
            log.warning("crm is not asked for now", last=answer.failure or "slow")
        return answer.event

    async def _answer(self, tenant_id: TenantId, call_id: str, asked: LookUpCustomer) -> _Answer:
        request = crm_pb2.LookUpRequest(number=asked.number, region=region_of(asked.called))
        try:
            with spans.span("ivr", "look up customer", call_id=call_id):
                card: object = await crm_pb2_grpc.CrmStub(self._dial("crm")).LookUp(
                    request,
                    metadata=metadata(tenant_id=tenant_id, call_id=call_id),
                    timeout=LOOK_UP_LIMIT_MS / 1_000,
                )
        except aio.AioRpcError as failure:
            told = remote_error(failure)
            return _Answer(failure=told.code, ill=told.kind in _ILL)
        except CarillonError as failure:
            return _Answer(failure=failure.code, ill=True)  # there is no way to it
        # What cannot be read as a card comes as None; a customer who is known has an id.
        if not isinstance(card, crm_pb2.CustomerCard) or card.known > bool(
            card.customer.customer_id
        ):
            return _Answer(failure="garbled", ill=True)
        return _Answer(customer_event(card))


async def _unheard(asking: Coroutine[Any, Any, Event]) -> None:
    await asking


def region_of(called: str) -> str:
    """The country whose callers reach the number, two letters; empty when it cannot be told."""
    try:
        number = phonenumbers.parse(called, None)
    except phonenumbers.NumberParseException:
        return ""
    region = phonenumbers.region_code_for_country_code(number.country_code or 0)
    return "" if region in {"ZZ", "001"} else str(region)
