"""Customers and contacts as the JSON that is kept of them.

Fields that a later release adds are left out by this one when it reads, and have their defaults
where an earlier one wrote.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import Any, TypeVar

from services.crm.model import Customer, Note, PastContact, Record, Stay, Talk

T = TypeVar("T", Customer, Note, PastContact, Stay, Talk)


def customer_body(customer: Customer) -> str:
    """A customer as JSON."""
    return _json({**asdict(customer), "attributes": dict(customer.attributes)})


def read_customer(body: str) -> Customer:
    """The customer in JSON."""
    given = json.loads(body)
    given["attributes"] = tuple(sorted(given.get("attributes", {}).items()))
    return _read(Customer, given)


def contact_body(contact: PastContact) -> str:
    """A contact as JSON."""
    return _json(asdict(contact))


def read_contact(body: str) -> PastContact:
    """The contact in JSON."""
    given = json.loads(body)
    given["notes"] = tuple(_read(Note, note) for note in given.get("notes", ()))
    return _read(PastContact, given)


def parts_body(record: Record) -> str:
    """What a contact's history was made from, as JSON."""
    return _json(
        {
            "stays": [asdict(stay) for stay in record.stays],
            "talks": [asdict(talk) for talk in record.talks],
        }
    )


def read_record(body: str, parts: str) -> Record:
    """A contact with what its history was made from."""
    given = json.loads(parts)
    return Record(
        contact=read_contact(body),
        stays=tuple(_read(Stay, stay) for stay in given.get("stays", ())),
        talks=tuple(_read(Talk, talk) for talk in given.get("talks", ())),
    )


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _read(kind: type[T], given: dict[str, Any]) -> T:
    values: dict[str, Any] = {
        field.name: tuple(value) if isinstance(value, list) else value
        for field in fields(kind)
        if (value := given.get(field.name)) is not None
    }
    return kind(**values)
