"""Customers and their contacts as frozen data, and what can be wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from services.chassis.errors import CarillonError, Kind


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody who calls."""

    customer_id: str
    """UUIDv7, or the id elsewhere."""
    name: str = ""
    """What people call them; at most 200 characters."""
    numbers: tuple[str, ...] = ()
    """E.164 with the plus sign; the first is the main one."""
    email: str = ""
    """An address."""
    company: str = ""
    """Where they belong."""
    segment: str = ""
    """For example `vip`; flows may route by it."""
    language: str = ""
    """A language tag (BCP 47)."""
    attributes: tuple[tuple[str, str], ...] = ()
    """Whatever else is known, sorted by key."""
    external_ref: str = ""
    """The id in the outside system that owns the customer."""
    note: str = ""
    """Free words."""
    created_at_ms: int = 0
    """UTC milliseconds."""
    changed_at_ms: int = 0
    """UTC milliseconds."""


@dataclass(frozen=True, slots=True)
class Note:
    """A note on a contact."""

    author_id: str
    """The user who wrote it."""
    author_name: str
    """What people called them then."""
    text: str
    """1 to 4,000 characters."""
    at_ms: int
    """UTC milliseconds."""


@dataclass(frozen=True, slots=True)
class PastContact:
    """One contact of the past, or one under way."""

    contact_id: str
    """For a call, its id."""
    customer_id: str = ""
    """Empty: nobody known."""
    channel: str = ""
    """voice ..."""
    direction: str = ""
    """inbound or outbound."""
    number: str = ""
    """The other side's."""
    to: str = ""
    """The number that they called."""
    started_at_ms: int = 0
    """UTC milliseconds."""
    ended_at_ms: int = 0
    """UTC milliseconds; 0: still going on."""
    outcome: str = ""
    """How its last stay in a queue ended; empty: never queued, or not yet."""
    queue_names: tuple[str, ...] = ()
    """In the order in which they had it."""
    agent_names: tuple[str, ...] = ()
    """In the order in which they had it."""
    agent_ids: tuple[str, ...] = ()
    """The same agents."""
    dispositions: tuple[str, ...] = ()
    """Codes given in wrap-up."""
    talk_ms: int = 0
    """All conversations together, without hold."""
    wait_ms: int = 0
    """All stays in queues together."""
    recording_id: str = ""
    """Empty: not recorded."""
    notes: tuple[Note, ...] = ()
    """The oldest first."""


@dataclass(frozen=True, slots=True)
class CustomerCard:
    """What an agent sees when the customer's call rings."""

    known: bool
    """False: nobody has this number."""
    customer: Customer | None
    """None: nobody has this number."""
    number: str
    """E.164 where it is a number."""
    latest: tuple[PastContact, ...]
    """The latest first, at most 10."""
    contacts: int
    """All contacts."""


# ---- what a contact consists of ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stay:
    """A contact's stay in one queue."""

    entry_id: str
    """Which."""
    queue_name: str = ""
    """The queue's name then."""
    at_ms: int = 0
    """UTC milliseconds of its beginning; 0: only its end is known."""
    exit: str = ""
    """How it ended; empty: it has not."""
    wait_ms: int = 0
    """How long it took."""


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation with one agent."""

    reservation_id: str
    """Which."""
    agent_id: str = ""
    """Who."""
    agent_name: str = ""
    """What people called them then."""
    at_ms: int = 0
    """UTC milliseconds of the acceptance, or of what was first heard of it."""
    talk_ms: int = 0
    """How long, without hold."""
    disposition: str = ""
    """The code given in wrap-up."""


@dataclass(frozen=True, slots=True)
class Record:
    """A contact with the parts that its history was made from."""

    contact: PastContact
    """As it is shown."""
    stays: tuple[Stay, ...] = ()
    """By their beginning."""
    talks: tuple[Talk, ...] = ()
    """By their beginning."""


# ---- what happens to contacts -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CallBegan:
    """A call came in."""

    contact_id: str
    """The call."""
    number: str
    """Who calls, as it came."""
    to: str
    """The number called."""
    at_ms: int
    """UTC milliseconds."""


@dataclass(frozen=True, slots=True)
class CallOver:
    """The last leg of a call is gone."""

    contact_id: str
    """The call."""
    at_ms: int
    """UTC milliseconds."""


@dataclass(frozen=True, slots=True)
class Queued:
    """A contact came to a queue."""

    contact_id: str
    """Which."""
    entry_id: str
    """The stay."""
    queue_id: str
    """Where."""
    channel: str
    """voice ..."""
    number: str
    """Who, as the flow says; empty: it does not."""
    to: str
    """The number called, as the flow says."""
    at_ms: int
    """UTC milliseconds."""


@dataclass(frozen=True, slots=True)
class Exited:
    """A contact left a queue."""

    contact_id: str
    """Which."""
    entry_id: str
    """The stay."""
    queue_id: str
    """Where."""
    exit: str
    """How."""
    wait_ms: int
    """How long it had waited."""


@dataclass(frozen=True, slots=True)
class Answered:
    """An agent and the customer hear each other."""

    contact_id: str
    """Which."""
    reservation_id: str
    """The conversation."""
    agent_id: str
    """Who."""
    at_ms: int
    """UTC milliseconds of the acceptance."""


@dataclass(frozen=True, slots=True)
class TalkOver:
    """A conversation ended."""

    contact_id: str
    """Which."""
    reservation_id: str
    """The conversation."""
    agent_id: str
    """Who."""
    talk_ms: int
    """How long, without hold."""
    at_ms: int
    """UTC milliseconds."""


@dataclass(frozen=True, slots=True)
class WrappedUp:
    """An agent is done with a contact."""

    contact_id: str
    """Which."""
    reservation_id: str
    """The conversation."""
    agent_id: str
    """Who."""
    code: str
    """The disposition; empty: none was given."""
    at_ms: int
    """UTC milliseconds."""


ContactEvent = CallBegan | CallOver | Queued | Exited | Answered | TalkOver | WrappedUp


@dataclass(frozen=True, slots=True)
class QueueNamed:
    """What people call a queue from now on."""

    queue_id: str
    """Which."""
    name: str
    """Its name."""


@dataclass(frozen=True, slots=True)
class AgentNamed:
    """What people call an agent from now on."""

    agent_id: str
    """Who."""
    name: str
    """Their name."""


@dataclass(frozen=True, slots=True)
class RecordingKept:
    """A recording of a contact is there."""

    contact_id: str
    """Which."""
    recording_id: str
    """The recording."""


Happening = ContactEvent | QueueNamed | AgentNamed | RecordingKept


# ---- errors -----------------------------------------------------------------------------------


class NoSuchCustomer(CarillonError):
    """The tenant has no such customer."""

    code: ClassVar[str] = "no-such-customer"
    kind: ClassVar[Kind] = Kind.NOT_FOUND


class NoSuchContact(CarillonError):
    """The tenant has had no such contact."""

    code: ClassVar[str] = "no-such-contact"
    kind: ClassVar[Kind] = Kind.NOT_FOUND


class NumberTaken(CarillonError):
    """Another customer has this number."""

    code: ClassVar[str] = "number-taken"
    kind: ClassVar[Kind] = Kind.CONFLICT


class InvalidCustomer(CarillonError):
    """Something about a customer is not of its form."""

    code: ClassVar[str] = "invalid-customer"
    kind: ClassVar[Kind] = Kind.INVALID


class InvalidContact(CarillonError):
    """Something about a contact or a note is not of its form."""

    code: ClassVar[str] = "invalid-contact"
    kind: ClassVar[Kind] = Kind.INVALID


class InvalidSearch(CarillonError):
    """What is asked for cannot be looked for."""

    code: ClassVar[str] = "invalid-search"
    kind: ClassVar[Kind] = Kind.INVALID


class TooManyNotes(CarillonError):
    """The contact has all the notes that it can have."""

    code: ClassVar[str] = "too-many-notes"
    kind: ClassVar[Kind] = Kind.EXHAUSTED
