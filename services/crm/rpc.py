"""crm's gRPC face."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from grpc import aio

from protos.common.v1 import common_pb2
from protos.crm.v1 import crm_pb2, crm_pb2_grpc
from services.chassis.clock import Clock
from services.chassis.log import get_logger
from services.chassis.paging import page_size
from services.chassis.rpc import MAX_MESSAGE_BYTES, Face, present, tenant_id
from services.crm.core.checking import (
    checked_contact,
    checked_customer,
    checked_note,
    search_words,
)
from services.crm.core.numbers import shown
from services.crm.figures import Figures
from services.crm.model import Customer, InvalidContact, InvalidSearch, Note, PastContact
from services.crm.store import CrmStore, CustomerSearch, HistorySearch
from services.crm.wire import CODEC

log = get_logger("crm")

Context = aio.ServicerContext[Any, Any]
MAX_ASKED_CHARS = 256
"""Of an id, a number or a segment that is asked for; longer ones cannot exist."""
MAX_TOKEN_CHARS = 1_000
MAX_ANSWER_BYTES = MAX_MESSAGE_BYTES - 1024 * 1024
"""Of what is listed: contacts with many notes make a shorter page, and a shorter card."""
MAX_TIME_DIGITS = 15


class Crm(crm_pb2_grpc.CrmServicer):
    """The servicer of carillon.crm.v1.Crm."""

    def __init__(
        self,
        *,
        store: CrmStore,
        clock: Clock,
        new_id: Callable[[], str],
        changed: Callable[[], None],
        figures: Figures,
    ) -> None:
        """`changed` is called after a write, so that its event leaves at once."""
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._changed = changed
        self._figures = figures

    async def LookUp(self, request: crm_pb2.LookUpRequest, _context: Context) -> Any:
        """Who a number belongs to, with the latest contacts."""
        number = shown(_asked(request.number), _asked(request.region))
        began_ms = self._clock.monotonic_ms()
        self._figures.look_ups += 1
        try:
            card = await self._store.look_up(tenant_id(), number)
        finally:
            self._figures.look_up_ms += self._clock.monotonic_ms() - began_ms
        self._figures.known += card.known
        message: Any = CODEC.to_proto(card)
        del message.latest[len(_fitting(message.latest)) :]
        return message

    async def PutCustomer(self, request: crm_pb2.PutCustomerRequest, _context: Context) -> Any:
        """Creates a customer or replaces one."""
        return await self._put(CODEC.from_proto(request.customer, Customer))

    async def CreateCustomer(
        self, request: crm_pb2.CreateCustomerRequest, _context: Context
    ) -> Any:
        """Creates a customer and gives it an id."""
        request.customer.customer_id = self._new_id()
        return await self._put(CODEC.from_proto(request.customer, Customer))

    async def GetCustomer(self, request: crm_pb2.GetCustomerRequest, _context: Context) -> Any:
        """One customer."""
        customer = await self._store.get_customer(tenant_id(), _asked(request.customer_id))
        return CODEC.to_proto(customer)

    async def RemoveCustomer(
        self, request: crm_pb2.GetCustomerRequest, _context: Context
    ) -> crm_pb2.RemoveCustomerResponse:
        """Forgets a customer."""
        tenant, customer_id = tenant_id(), _asked(request.customer_id)
        await self._store.remove_customer(tenant, customer_id, self._clock.now_ms())
        self._changed()
        log.info("customer forgotten", tenant=tenant, customer=customer_id)
        return crm_pb2.RemoveCustomerResponse()

    async def ListCustomers(
        self, request: crm_pb2.ListCustomersRequest, _context: Context
    ) -> crm_pb2.ListCustomersResponse:
        """Customers that contain the words, by name."""
        size = page_size(request.page)
        name, _, customer_id = _asked(request.page.token, MAX_TOKEN_CHARS).rpartition("\n")
        search = CustomerSearch(
            words=search_words(request.search),
            segment=_asked(request.segment),
            after=(name, customer_id),
            size=size + 1,
        )
        rows = await self._store.list_customers(tenant_id(), search)
        listed = _fitting(map(_message, rows[:size]))
        last = rows[len(listed) - 1] if len(rows) > len(listed) else None
        token = f"{last.name.lower()}\n{last.customer_id}" if last is not None else ""
        return crm_pb2.ListCustomersResponse(
            customers=listed,
            page=common_pb2.PageResponse(next_token=token),
        )

    async def ListHistory(
        self, request: crm_pb2.ListHistoryRequest, _context: Context
    ) -> crm_pb2.ListHistoryResponse:
        """The contacts of a customer or a number, the newest first."""
        size = page_size(request.page)
        number = shown(_asked(request.number))
        if bool(request.customer_id) == bool(number):
            raise InvalidSearch("name a customer or a number")
        search = HistorySearch(
            customer_id=_asked(request.customer_id),
            number=number,
            before=_before(_asked(request.page.token, MAX_TOKEN_CHARS)),
            size=size + 1,
        )
        rows = await self._store.list_history(tenant_id(), search)
        listed = _fitting(map(_message, rows[:size]))
        last = rows[len(listed) - 1] if len(rows) > len(listed) else None
        token = f"{last.started_at_ms} {last.contact_id}" if last is not None else ""
        return crm_pb2.ListHistoryResponse(
            contacts=listed,
            page=common_pb2.PageResponse(next_token=token),
        )

    async def GetContact(self, request: crm_pb2.GetContactRequest, _context: Context) -> Any:
        """One contact with its notes."""
        contact = await self._store.get_contact(tenant_id(), _asked(request.contact_id))
        return CODEC.to_proto(contact)

    async def PutContact(self, request: crm_pb2.PutContactRequest, _context: Context) -> Any:
        """Adds or replaces a past contact."""
        contact = checked_contact(CODEC.from_proto(request.contact, PastContact))
        return CODEC.to_proto(await self._store.put_contact(tenant_id(), contact))

    async def AddNote(self, request: crm_pb2.AddNoteRequest, _context: Context) -> Any:
        """Writes a note under the name of whoever asks."""
        asker = present()
        note = checked_note(
            Note(
                author_id=asker.user_id,
                author_name=asker.user_name[:200],
                text=request.text,
                at_ms=self._clock.now_ms(),
            )
        )
        contact_id = _asked(request.contact_id)
        if not contact_id:
            raise InvalidContact("`contact_id` is missing")
        return CODEC.to_proto(await self._store.add_note(tenant_id(), contact_id, note))

    async def _put(self, given: Customer) -> Any:
        tenant = tenant_id()
        customer = await self._store.put_customer(
            tenant, checked_customer(given), self._clock.now_ms()
        )
        self._changed()
        log.info("customer put", tenant=tenant, customer=customer.customer_id)
        return CODEC.to_proto(customer)


def _message(value: Customer | PastContact) -> Any:
    return CODEC.to_proto(value)


def _fitting(messages: Iterable[Any]) -> list[Any]:
    """The first ones, as many as one answer takes; at least one."""
    fitting: list[Any] = []
    room = MAX_ANSWER_BYTES
    for message in messages:
        room -= message.ByteSize()
        if fitting and room < 0:
            break
        fitting.append(message)
    return fitting


def _asked(text: str, most: int = MAX_ASKED_CHARS) -> str:
    if len(text) > most or "\0" in text:
        raise InvalidSearch(f"at most {most} characters, none of them NUL")
    return text


def _before(token: str) -> tuple[int, str]:
    if not token:
        return (0, "")
    started_at_ms, _, contact_id = token.partition(" ")
    plain = started_at_ms.isascii() and started_at_ms.isdecimal()
    if not contact_id or not plain or len(started_at_ms) > MAX_TIME_DIGITS:
        raise InvalidSearch("the page's token is none of this list")
    return int(started_at_ms), contact_id


def face(servicer: Crm) -> Face:
    """The face as a server takes it."""
    return Face(
        register=lambda server: crm_pb2_grpc.add_CrmServicer_to_server(servicer, server),
        name=crm_pb2.DESCRIPTOR.services_by_name["Crm"].full_name,
    )
