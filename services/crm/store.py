"""Where customers and their history are kept: the port, and one in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from services.chassis.bus import Bus
from services.chassis.envelope import Envelope
from services.chassis.ids import TenantId
from services.crm.core.checking import MAX_NOTES, searched_text
from services.crm.core.history import AGENT, QUEUE, begun, fold
from services.crm.model import (
    AgentNamed,
    Customer,
    CustomerCard,
    Happening,
    NoSuchContact,
    NoSuchCustomer,
    Note,
    NumberTaken,
    PastContact,
    QueueNamed,
    Record,
    TooManyNotes,
)

TOPIC = "crm.events.v1"
LATEST = 10
"""Contacts on a card."""

Place = tuple[str, str]
"""After which row a page begins: what it is sorted by, and the row's id; empty texts: the first."""


@dataclass(frozen=True, slots=True)
class CustomerSearch:
    """Which customers are asked for."""

    words: tuple[str, ...] = ()
    """All must be found, in lower case."""
    segment: str = ""
    """Empty: every segment."""
    after: Place = ("", "")
    """(name in lower case, id) of the row before the page."""
    size: int = 100
    """At most so many."""


@dataclass(frozen=True, slots=True)
class HistorySearch:
    """Whose contacts are asked for: a customer's, or a number's."""

    customer_id: str = ""
    """Empty: by number."""
    number: str = ""
    """E.164 where it is a number."""
    before: tuple[int, str] = (0, "")
    """(start, id) of the row before the page; (0, ""): the first page."""
    size: int = 100
    """At most so many."""


class CrmStore(Protocol):
    """What crm keeps. Every method sees one tenant alone."""

    async def look_up(self, tenant_id: TenantId, number: str) -> CustomerCard:
        """Who has the number, and the latest contacts."""

    async def put_customer(self, tenant_id: TenantId, customer: Customer, now_ms: int) -> Customer:
        """Creates or replaces; contacts of its numbers that were nobody's become its own.

        NumberTaken.
        """

    async def get_customer(self, tenant_id: TenantId, customer_id: str) -> Customer:
        """One customer; NoSuchCustomer."""

    async def remove_customer(self, tenant_id: TenantId, customer_id: str, now_ms: int) -> None:
        """Forgets a customer; the contacts stay, nobody's. NoSuchCustomer."""

    async def list_customers(self, tenant_id: TenantId, search: CustomerSearch) -> list[Customer]:
        """Customers by name."""

    async def list_history(self, tenant_id: TenantId, search: HistorySearch) -> list[PastContact]:
        """Contacts, the newest first; NoSuchCustomer."""

    async def get_contact(self, tenant_id: TenantId, contact_id: str) -> PastContact:
        """One contact; NoSuchContact."""

    async def put_contact(self, tenant_id: TenantId, contact: PastContact) -> PastContact:
        """Adds or replaces a past contact; NoSuchCustomer when it names one that is not there."""

    async def add_note(self, tenant_id: TenantId, contact_id: str, note: Note) -> PastContact:
        """Writes a note at the end; NoSuchContact, TooManyNotes."""

    async def record(self, tenant_id: TenantId, happenings: Sequence[Happening]) -> None:
        """Folds what happened into the histories, all or nothing; harmless when repeated."""


Announcement = Callable[[TenantId, str, Customer | None, int], Envelope]
"""The event that a customer was put, or with None removed, at a time in UTC milliseconds."""


class MemoryCrmStore:
    """Customers for tests and simulation: gone with the process."""

    def __init__(self, *, bus: Bus, announcement: Announcement) -> None:
        self._bus = bus
        self._announcement = announcement
        self._customers: dict[tuple[TenantId, str], Customer] = {}
        self._owners: dict[tuple[TenantId, str], str] = {}
        self._records: dict[tuple[TenantId, str], Record] = {}
        self._names: dict[TenantId, dict[tuple[str, str], str]] = {}

    async def look_up(self, tenant_id: TenantId, number: str) -> CustomerCard:
        """See `CrmStore.look_up`."""
        customer_id = self._owners.get((tenant_id, number), "")
        customer = self._customers.get((tenant_id, customer_id))
        contacts = self._contacts(tenant_id, customer_id, number)
        return CustomerCard(
            known=customer is not None,
            customer=customer,
            number=number,
            latest=tuple(contacts[:LATEST]),
            contacts=len(contacts),
        )

    async def put_customer(self, tenant_id: TenantId, customer: Customer, now_ms: int) -> Customer:
        """See `CrmStore.put_customer`."""
        key = (tenant_id, customer.customer_id)
        for number in customer.numbers:
            if self._owners.get((tenant_id, number), customer.customer_id) != customer.customer_id:
                raise NumberTaken(number)
        before = self._customers.get(key)
        put = replace(
            customer,
            created_at_ms=before.created_at_ms if before else now_ms,
            changed_at_ms=now_ms,
        )
        self._drop_numbers(tenant_id, customer.customer_id)
        self._customers[key] = put
        for number in put.numbers:
            self._owners[tenant_id, number] = put.customer_id
        for place, record in self._records.items():
            contact = record.contact
            if place[0] == tenant_id and not contact.customer_id and contact.number in put.numbers:
                owned = replace(contact, customer_id=put.customer_id)
                self._records[place] = replace(record, contact=owned)
        await self._announce(tenant_id, put.customer_id, put, now_ms)
        return put

    async def get_customer(self, tenant_id: TenantId, customer_id: str) -> Customer:
        """See `CrmStore.get_customer`."""
        try:
            return self._customers[tenant_id, customer_id]
        except KeyError:
            raise NoSuchCustomer(customer_id) from None

    async def remove_customer(self, tenant_id: TenantId, customer_id: str, now_ms: int) -> None:
        """See `CrmStore.remove_customer`."""
        if self._customers.pop((tenant_id, customer_id), None) is None:
            raise NoSuchCustomer(customer_id)
        self._drop_numbers(tenant_id, customer_id)
        for place, record in self._records.items():
            if place[0] == tenant_id and record.contact.customer_id == customer_id:
                nobodys = replace(record.contact, customer_id="")
                self._records[place] = replace(record, contact=nobodys)
        await self._announce(tenant_id, customer_id, None, now_ms)

    async def list_customers(self, tenant_id: TenantId, search: CustomerSearch) -> list[Customer]:
        """See `CrmStore.list_customers`."""
        found = sorted(
            ((customer.name.lower(), customer.customer_id), customer)
            for (owner, _), customer in self._customers.items()
            if owner == tenant_id
            and search.segment in {"", customer.segment}
            and all(word in searched_text(customer) for word in search.words)
        )
        after = [customer for place, customer in found if place > search.after]
        return after[: search.size]

    async def list_history(self, tenant_id: TenantId, search: HistorySearch) -> list[PastContact]:
        """See `CrmStore.list_history`."""
        if search.customer_id:
            await self.get_customer(tenant_id, search.customer_id)
        contacts = self._contacts(tenant_id, search.customer_id, search.number)
        if search.before != (0, ""):
            contacts = [
                contact
                for contact in contacts
                if (contact.started_at_ms, contact.contact_id) < search.before
            ]
        return contacts[: search.size]

    async def get_contact(self, tenant_id: TenantId, contact_id: str) -> PastContact:
        """See `CrmStore.get_contact`."""
        return self._record_of(tenant_id, contact_id).contact

    async def put_contact(self, tenant_id: TenantId, contact: PastContact) -> PastContact:
        """See `CrmStore.put_contact`."""
        if contact.customer_id:
            await self.get_customer(tenant_id, contact.customer_id)
        put = self._owned(tenant_id, Record(contact))
        self._records[tenant_id, contact.contact_id] = put
        return put.contact

    async def add_note(self, tenant_id: TenantId, contact_id: str, note: Note) -> PastContact:
        """See `CrmStore.add_note`."""
        noted = with_note(self._record_of(tenant_id, contact_id), note)
        self._records[tenant_id, contact_id] = noted
        return noted.contact

    async def record(self, tenant_id: TenantId, happenings: Sequence[Happening]) -> None:
        """See `CrmStore.record`."""
        names = self._names.setdefault(tenant_id, {})
        for happening in happenings:
            match happening:
                case QueueNamed():
                    names[QUEUE, happening.queue_id] = happening.name
                case AgentNamed():
                    names[AGENT, happening.agent_id] = happening.name
                case _:
                    key = (tenant_id, happening.contact_id)
                    before = self._records.get(key) or begun(happening.contact_id)
                    self._records[key] = self._owned(tenant_id, fold(before, happening, names))

    def _record_of(self, tenant_id: TenantId, contact_id: str) -> Record:
        try:
            return self._records[tenant_id, contact_id]
        except KeyError:
            raise NoSuchContact(contact_id) from None

    async def _announce(
        self, tenant_id: TenantId, customer_id: str, customer: Customer | None, now_ms: int
    ) -> None:
        event = self._announcement(tenant_id, customer_id, customer, now_ms)
        await self._bus.publish(TOPIC, [event])

    def _owned(self, tenant_id: TenantId, record: Record) -> Record:
        contact = record.contact
        owner = self._owners.get((tenant_id, contact.number), "")
        if contact.customer_id or not owner:
            return record
        return replace(record, contact=replace(contact, customer_id=owner))

    def _contacts(self, tenant_id: TenantId, customer_id: str, number: str) -> list[PastContact]:
        """A customer's contacts, or a number's, the newest first."""
        found = [
            record.contact
            for (owner, _), record in self._records.items()
            if owner == tenant_id
            and (
                record.contact.customer_id == customer_id
                if customer_id
                else number and record.contact.number == number
            )
        ]
        return sorted(found, key=lambda each: (each.started_at_ms, each.contact_id), reverse=True)

    def _drop_numbers(self, tenant_id: TenantId, customer_id: str) -> None:
        for place, owner in list(self._owners.items()):
            if place[0] == tenant_id and owner == customer_id:
                del self._owners[place]


def with_note(record: Record, note: Note) -> Record:
    """The record with one note more; TooManyNotes."""
    contact = record.contact
    if len(contact.notes) >= MAX_NOTES:
        raise TooManyNotes(f"{contact.contact_id} has {MAX_NOTES} notes")
    return replace(record, contact=replace(contact, notes=(*contact.notes, note)))
