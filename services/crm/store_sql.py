"""Customers in PostgreSQL; row-level security keeps every statement inside one tenant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import asyncpg

from services.chassis import outbox
from services.chassis.database import Connection, Database
from services.chassis.ids import TenantId
from services.crm.bodies import (
    contact_body,
    customer_body,
    parts_body,
    read_contact,
    read_customer,
    read_record,
)
from services.crm.core.checking import searched_text
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
)
from services.crm.store import (
    LATEST,
    TOPIC,
    Announcement,
    CustomerSearch,
    HistorySearch,
    with_note,
)

_OWNER = """
SELECT c.customer_id, c.body FROM customer_number n
JOIN customer c ON c.tenant_id = n.tenant_id AND c.customer_id = n.customer_id
WHERE n.number = $1
"""
# The same for a customer and for a number that nobody has: only the index differs.
_CARD = """
SELECT ARRAY(SELECT body::text FROM contact WHERE {column} = $1
             ORDER BY started_at_ms DESC, contact_id DESC LIMIT $2) AS latest,
       (SELECT count(*) FROM contact WHERE {column} = $1) AS contacts
"""
_CARD_OF = {name: _CARD.format(column=name) for name in ("customer_id", "number")}
_HISTORY = """
SELECT body FROM contact WHERE {column} = $1
AND ($2 = '' OR (started_at_ms, contact_id) < ($3::bigint, $2 COLLATE "C"))
ORDER BY started_at_ms DESC, contact_id DESC LIMIT $4
"""
_HISTORY_OF = {name: _HISTORY.format(column=name) for name in ("customer_id", "number")}
_LIST = """
SELECT body FROM customer
WHERE ($1 = '' OR segment = $1)
AND NOT EXISTS (SELECT 1 FROM unnest($2::text[]) AS word WHERE position(word IN searched) = 0)
AND ($4 = '' OR (sorted_name, customer_id COLLATE "C") > ($3 COLLATE "C", $4 COLLATE "C"))
ORDER BY sorted_name, customer_id COLLATE "C" LIMIT $5
"""
_PUT_CUSTOMER = """
INSERT INTO customer (tenant_id, customer_id, sorted_name, searched, segment, body)
VALUES (chassis.tenant(), $1, $2, $3, $4, $5)
ON CONFLICT (tenant_id, customer_id) DO UPDATE SET sorted_name = excluded.sorted_name,
  searched = excluded.searched, segment = excluded.segment, body = excluded.body
"""
_OWN = """
UPDATE contact SET customer_id = $1, body = jsonb_set(body, '{customer_id}', to_jsonb($1::text))
WHERE number = ANY($2) AND customer_id = ''
"""
_DISOWN = """
UPDATE contact SET customer_id = '', body = jsonb_set(body, '{customer_id}', '""')
WHERE customer_id = $1
"""
_PUT_CONTACT = """
INSERT INTO contact (tenant_id, contact_id, customer_id, number, started_at_ms, body, parts)
VALUES (chassis.tenant(), $1, $2, $3, $4, $5, $6)
ON CONFLICT (tenant_id, contact_id) DO UPDATE SET customer_id = excluded.customer_id,
  number = excluded.number, started_at_ms = excluded.started_at_ms, body = excluded.body,
  parts = excluded.parts
"""
# Rows are made before they are locked, so that two writers of a new contact take turns.
_BEGIN_CONTACTS = """
INSERT INTO contact (tenant_id, contact_id, body)
SELECT chassis.tenant(), id, jsonb_build_object('contact_id', id)
FROM unnest($1::text[]) AS id ORDER BY id ON CONFLICT DO NOTHING
"""
_LOCK_CONTACTS = """
SELECT contact_id, body, parts FROM contact WHERE contact_id = ANY($1)
ORDER BY contact_id FOR UPDATE
"""
_NAME = """
INSERT INTO name (tenant_id, kind, id, name) VALUES (chassis.tenant(), $1, $2, $3)
ON CONFLICT (tenant_id, kind, id) DO UPDATE SET name = excluded.name
"""


class SqlCrmStore:
    """Customers, their history, and the outbox that tells of them."""

    def __init__(self, *, database: Database, announcement: Announcement) -> None:
        """`database` is of the schema `crm`."""
        self._database = database
        self._announcement = announcement

    async def look_up(self, tenant_id: TenantId, number: str) -> CustomerCard:
        """See `CrmStore.look_up`."""
        if not number:
            return CustomerCard(known=False, customer=None, number="", latest=(), contacts=0)
        async with self._database.transaction(tenant_id) as connection:
            owner = await connection.fetchrow(_OWNER, number)
            column, value = ("customer_id", owner["customer_id"]) if owner else ("number", number)
            row = await connection.fetchrow(_CARD_OF[column], value, LATEST)
        assert row is not None  # an aggregate always has one
        return CustomerCard(
            known=owner is not None,
            customer=read_customer(owner["body"]) if owner else None,
            number=number,
            latest=tuple(read_contact(body) for body in row["latest"]),
            contacts=row["contacts"],
        )

    async def put_customer(self, tenant_id: TenantId, customer: Customer, now_ms: int) -> Customer:
        """See `CrmStore.put_customer`."""
        async with self._database.transaction(tenant_id) as connection:
            before = await connection.fetchval(
                "SELECT body FROM customer WHERE customer_id = $1 FOR UPDATE", customer.customer_id
            )
            created_at_ms = read_customer(before).created_at_ms if before else now_ms
            put = replace(customer, created_at_ms=created_at_ms, changed_at_ms=now_ms)
            await connection.execute(
                _PUT_CUSTOMER,
                put.customer_id,
                put.name.lower(),
                searched_text(put),
                put.segment,
                customer_body(put),
            )
            await self._give_numbers(connection, put)
            await connection.execute(_OWN, put.customer_id, put.numbers)
            await self._tell(connection, tenant_id, put.customer_id, put, now_ms)
        return put

    async def get_customer(self, tenant_id: TenantId, customer_id: str) -> Customer:
        """See `CrmStore.get_customer`."""
        async with self._database.transaction(tenant_id) as connection:
            return await self._customer(connection, customer_id)

    async def remove_customer(self, tenant_id: TenantId, customer_id: str, now_ms: int) -> None:
        """See `CrmStore.remove_customer`."""
        async with self._database.transaction(tenant_id) as connection:
            removed = await connection.fetchval(
                "DELETE FROM customer WHERE customer_id = $1 RETURNING customer_id", customer_id
            )
            if removed is None:
                raise NoSuchCustomer(customer_id)
            await connection.execute(_DISOWN, customer_id)
            await self._tell(connection, tenant_id, customer_id, None, now_ms)

    async def list_customers(self, tenant_id: TenantId, search: CustomerSearch) -> list[Customer]:
        """See `CrmStore.list_customers`."""
        async with self._database.transaction(tenant_id) as connection:
            rows = await connection.fetch(
                _LIST, search.segment, search.words, *search.after, search.size
            )
        return [read_customer(row["body"]) for row in rows]

    async def list_history(self, tenant_id: TenantId, search: HistorySearch) -> list[PastContact]:
        """See `CrmStore.list_history`."""
        column = "customer_id" if search.customer_id else "number"
        whose = search.customer_id or search.number
        started_at_ms, contact_id = search.before
        async with self._database.transaction(tenant_id) as connection:
            if search.customer_id:
                await self._customer(connection, search.customer_id)
            rows = await connection.fetch(
                _HISTORY_OF[column], whose, contact_id, started_at_ms, search.size
            )
        return [read_contact(row["body"]) for row in rows] if whose else []

    async def get_contact(self, tenant_id: TenantId, contact_id: str) -> PastContact:
        """See `CrmStore.get_contact`."""
        async with self._database.transaction(tenant_id) as connection:
            body = await connection.fetchval(
                "SELECT body FROM contact WHERE contact_id = $1", contact_id
            )
        if body is None:
            raise NoSuchContact(contact_id)
        return read_contact(body)

    async def put_contact(self, tenant_id: TenantId, contact: PastContact) -> PastContact:
        """See `CrmStore.put_contact`."""
        async with self._database.transaction(tenant_id) as connection:
            if contact.customer_id:
                await self._customer(connection, contact.customer_id)
            owners = await _owners(connection, (contact.number,))
            record = _owned(Record(contact), owners)
            await connection.execute(_PUT_CONTACT, *_row(record))
        return record.contact

    async def add_note(self, tenant_id: TenantId, contact_id: str, note: Note) -> PastContact:
        """See `CrmStore.add_note`."""
        async with self._database.transaction(tenant_id) as connection:
            records = await _locked(connection, (contact_id,))
            if contact_id not in records:
                raise NoSuchContact(contact_id)
            noted = with_note(records[contact_id], note)
            await connection.execute(_PUT_CONTACT, *_row(noted))
        return noted.contact

    async def record(self, tenant_id: TenantId, happenings: Sequence[Happening]) -> None:
        """See `CrmStore.record`."""
        async with self._database.transaction(tenant_id) as connection:
            ids = sorted(
                {
                    happening.contact_id
                    for happening in happenings
                    if not isinstance(happening, (QueueNamed, AgentNamed))
                }
            )
            await connection.execute(_BEGIN_CONTACTS, ids)
            records = await _locked(connection, ids)
            names = await _names(connection, happenings)
            named: dict[tuple[str, str], str] = {}
            for happening in happenings:
                match happening:
                    case QueueNamed():
                        named[QUEUE, happening.queue_id] = happening.name
                    case AgentNamed():
                        named[AGENT, happening.agent_id] = happening.name
                    case _:
                        before = records.get(happening.contact_id, begun(happening.contact_id))
                        records[happening.contact_id] = fold(before, happening, names | named)
            await connection.executemany(
                _NAME, [(*known_as, name) for known_as, name in sorted(named.items())]
            )
            owners = await _owners(connection, [each.contact.number for each in records.values()])
            rows = [_row(_owned(record, owners)) for record in records.values()]
            await connection.executemany(_PUT_CONTACT, rows)

    async def _customer(self, connection: Connection, customer_id: str) -> Customer:
        body = await connection.fetchval(
            "SELECT body FROM customer WHERE customer_id = $1", customer_id
        )
        if body is None:
            raise NoSuchCustomer(customer_id)
        return read_customer(body)

    async def _give_numbers(self, connection: Connection, customer: Customer) -> None:
        await connection.execute(
            "DELETE FROM customer_number WHERE customer_id = $1 AND number <> ALL($2)",
            customer.customer_id,
            customer.numbers,
        )
        # In one order, so that two customers who swap numbers do not wait for each other.
        await connection.execute(
            "INSERT INTO customer_number (tenant_id, number, customer_id)"
            " SELECT chassis.tenant(), number, $1 FROM unnest($2::text[]) AS number"
            " ORDER BY number ON CONFLICT DO NOTHING",
            customer.customer_id,
            customer.numbers,
        )
        taken = await connection.fetchval(
            "SELECT min(number) FROM customer_number WHERE number = ANY($1) AND customer_id <> $2",
            customer.numbers,
            customer.customer_id,
        )
        if taken is not None:
            raise NumberTaken(taken)

    async def _tell(
        self,
        connection: Connection,
        tenant_id: TenantId,
        customer_id: str,
        customer: Customer | None,
        now_ms: int,
    ) -> None:
        event = self._announcement(tenant_id, customer_id, customer, now_ms)
        await outbox.add(connection, TOPIC, [event])


async def _locked(connection: Connection, contact_ids: Sequence[str]) -> dict[str, Record]:
    rows: list[asyncpg.Record] = await connection.fetch(_LOCK_CONTACTS, contact_ids)
    return {row["contact_id"]: read_record(row["body"], row["parts"]) for row in rows}


async def _names(
    connection: Connection, happenings: Sequence[Happening]
) -> dict[tuple[str, str], str]:
    wanted = {
        getattr(happening, field, "")
        for happening in happenings
        for field in ("queue_id", "agent_id")
    }
    rows = await connection.fetch(
        "SELECT kind, id, name FROM name WHERE kind = ANY($1) AND id = ANY($2)",
        (QUEUE, AGENT),
        sorted(wanted - {""}),
    )
    return {(row["kind"], row["id"]): row["name"] for row in rows}


async def _owners(connection: Connection, numbers: Iterable[str]) -> dict[str, str]:
    wanted = sorted({number for number in numbers if number})
    rows = await connection.fetch(
        "SELECT number, customer_id FROM customer_number WHERE number = ANY($1)", wanted
    )
    return {row["number"]: row["customer_id"] for row in rows}


def _owned(record: Record, owners: dict[str, str]) -> Record:
    contact = record.contact
    owner = owners.get(contact.number, "")
    if contact.customer_id or not owner:
        return record
    return replace(record, contact=replace(contact, customer_id=owner))


def _row(record: Record) -> tuple[str, str, str, int, str, str]:
    contact = record.contact
    return (
        contact.contact_id,
        contact.customer_id,
        contact.number,
        contact.started_at_ms,
        contact_body(contact),
        parts_body(record),
    )
