"""What a customer, a past contact and a note must look like."""

from __future__ import annotations

import re
from dataclasses import replace

from services.crm.core.numbers import e164
from services.crm.model import (
    Customer,
    InvalidContact,
    InvalidCustomer,
    InvalidSearch,
    Note,
    PastContact,
)

MAX_NUMBERS = 16
MAX_ATTRIBUTES = 32
MAX_ATTRIBUTE_BYTES = 4 * 1024
MAX_NOTE_CHARS = 4_000
MAX_NOTES = 100
MAX_LISTED = 50
"""Queues, agents, dispositions of one contact."""
MAX_WORDS = 8
MAX_SEARCH_CHARS = 200
MAX_TIME_MS = 1 << 47
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_CONTACT_ID = re.compile(r"[A-Za-z0-9._:@-]{1,128}")
_EMAIL = re.compile(r"[^\s@\0]{1,64}@[^\s@\0]{1,190}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,6}")
_LENGTHS = {"name": 200, "company": 200, "segment": 64, "external_ref": 256, "note": MAX_NOTE_CHARS}
_WORDS = {"channel": 32, "direction": 16, "number": 64, "to": 64, "outcome": 32}


def checked_customer(customer: Customer) -> Customer:
    """The customer with numbers in E.164, each once; InvalidCustomer."""
    if not _ID.fullmatch(customer.customer_id):
        raise InvalidCustomer("`customer_id`: 1 to 64 letters, digits, dots, dashes, underscores")
    for name, most in _LENGTHS.items():
        _text(name, getattr(customer, name), most, InvalidCustomer)
    if customer.email and not _EMAIL.fullmatch(customer.email):
        raise InvalidCustomer("`email` is no address")
    if customer.language and not _LANGUAGE.fullmatch(customer.language):
        raise InvalidCustomer("`language` is no language tag, for example `en` or `ro`")
    _attributes(customer.attributes)
    return replace(customer, numbers=_numbers(customer.numbers))


def checked_contact(contact: PastContact) -> PastContact:
    """The contact, its numbers in E.164 where they are numbers; InvalidContact."""
    if not _CONTACT_ID.fullmatch(contact.contact_id):
        raise InvalidContact("`contact_id`: 1 to 128 letters, digits and .-_:@")
    if contact.customer_id and not _ID.fullmatch(contact.customer_id):
        raise InvalidContact("`customer_id`: 1 to 64 letters, digits, dots, dashes, underscores")
    for name, most in _WORDS.items():
        _text(name, getattr(contact, name), most, InvalidContact)
    for name in ("queue_names", "agent_names", "agent_ids", "dispositions"):
        values = getattr(contact, name)
        if len(values) > MAX_LISTED:
            raise InvalidContact(f"`{name}`: at most {MAX_LISTED}")
        for value in values:
            _text(name, value, 200, InvalidContact)
    for name in ("started_at_ms", "ended_at_ms", "talk_ms", "wait_ms"):
        if not 0 <= getattr(contact, name) < MAX_TIME_MS:
            raise InvalidContact(f"`{name}` is no time in milliseconds")
    _text("recording_id", contact.recording_id, 128, InvalidContact)
    if len(contact.notes) > MAX_NOTES:
        raise InvalidContact(f"`notes`: at most {MAX_NOTES}")
    notes = tuple(checked_note(note) for note in contact.notes)
    number = e164(contact.number) or contact.number
    return replace(contact, number=number, to=e164(contact.to) or contact.to, notes=notes)


def checked_note(note: Note) -> Note:
    """The note; InvalidContact."""
    if not note.text.strip():
        raise InvalidContact("a note has 1 to 4,000 characters")
    _text("text", note.text, MAX_NOTE_CHARS, InvalidContact)
    _text("author_id", note.author_id, 128, InvalidContact)
    _text("author_name", note.author_name, 200, InvalidContact)
    if not 0 <= note.at_ms < MAX_TIME_MS:
        raise InvalidContact("`at_ms` is no time in milliseconds")
    return note


def search_words(search: str) -> tuple[str, ...]:
    """The words that must all be found, in lower case; InvalidSearch."""
    if len(search) > MAX_SEARCH_CHARS or "\0" in search:
        raise InvalidSearch(f"at most {MAX_SEARCH_CHARS} characters")
    words = tuple(dict.fromkeys(search.lower().split()))
    if len(words) > MAX_WORDS:
        raise InvalidSearch(f"at most {MAX_WORDS} words")
    return words


def searched_text(customer: Customer) -> str:
    """What a search looks at, in lower case."""
    parts = (customer.name, *customer.numbers, customer.email, customer.external_ref)
    return "\n".join(parts).lower()


def _text(name: str, value: str, most: int, error: type[InvalidCustomer | InvalidContact]) -> None:
    if len(value) > most:
        raise error(f"`{name}`: at most {most} characters")
    if "\0" in value:
        raise error(f"`{name}`: a text has no NUL")


def _attributes(attributes: tuple[tuple[str, str], ...]) -> None:
    if len(attributes) > MAX_ATTRIBUTES:
        raise InvalidCustomer(f"`attributes`: at most {MAX_ATTRIBUTES}")
    if sum(len(part.encode()) for pair in attributes for part in pair) > MAX_ATTRIBUTE_BYTES:
        raise InvalidCustomer("`attributes`: at most 4 KiB together")
    for pair in attributes:
        for part in pair:
            _text("attributes", part, MAX_ATTRIBUTE_BYTES, InvalidCustomer)


def _numbers(numbers: tuple[str, ...]) -> tuple[str, ...]:
    if len(numbers) > MAX_NUMBERS:
        raise InvalidCustomer(f"`numbers`: at most {MAX_NUMBERS}")
    made = []
    for number in numbers:
        plain = e164(number) if number.strip().startswith("+") else ""
        if not plain:
            raise InvalidCustomer(f"`{number[:32]}` is not E.164 with its plus sign")
        made.append(plain)
    return tuple(dict.fromkeys(made))
