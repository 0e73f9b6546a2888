"""Which records count, and what of them: the words that formulas are written in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from services.analytics.model.records import Call, Entry
from services.analytics.model.words import AgentState, Exit


@dataclass(frozen=True, slots=True)
class Terms:
    """What formulas leave open."""

    threshold_ms: int = 20_000
    """T: how long a contact may wait for the service to count as good."""
    inclusive: bool = False
    """True: answered within T means after at most T; false: after less than T."""
    short_ms: int = 5_000
    """s: an abandonment after at most so long is a short one."""


Members: TypeAlias = Callable[[Entry, Terms], bool]
"""Whether a stay in a queue is in a set."""
Amount: TypeAlias = Callable[[Entry], int]
"""What a stay in a queue adds; milliseconds, or 1 to count it."""


@dataclass(frozen=True, slots=True)
class OfEntries:
    """A sum over stays in queues."""

    members: Members
    """Which of them."""
    amount: Amount
    """What each adds."""


@dataclass(frozen=True, slots=True)
class OfCalls:
    """A number of calls."""

    members: Callable[[Call], bool]
    """Which of them."""


@dataclass(frozen=True, slots=True)
class OfTime:
    """A sum of agents' time, in milliseconds."""

    states: frozenset[AgentState]
    """Time in any of these."""


Part: TypeAlias = OfEntries | OfCalls | OfTime
"""What stands above or below a formula's line."""

FLOW_OUTS: Final = frozenset({Exit.CALLBACK, Exit.OVERFLOWED, Exit.VOICEMAIL, Exit.TIMEOUT})
"""F: exits by a promise, a rule or a message."""
TURNED_AWAY: Final = frozenset({Exit.CLOSED, Exit.REFUSED, Exit.FAILED})
"""X: exits of contacts that were not served at all."""

TALKING: Final = frozenset({AgentState.TALKING, AgentState.HOLDING})
"""An agent with a customer."""
IDLE: Final = frozenset({AgentState.READY, AgentState.RESERVED, AgentState.RINGING})
"""An agent in service without a customer."""
SIGNED_IN: Final = frozenset(AgentState) - {AgentState.SIGNED_OUT}
"""An agent at work, breaks included."""


def one(_entry: Entry) -> int:
    """Counts a stay once."""
    return 1


def wait(entry: Entry) -> int:
    """How long it waited."""
    return entry.wait_ms


def everybody(_entry: Entry, _terms: Terms) -> bool:
    """Offered: all stays."""
    return True


def answered(entry: Entry, _terms: Terms) -> bool:
    """A."""
    return entry.exit is Exit.ANSWERED


def answered_in_time(entry: Entry, terms: Terms) -> bool:
    """A_T: answered after less than T, or after at most T where the terms say so."""
    if entry.exit is not Exit.ANSWERED:
        return False
    return entry.wait_ms < terms.threshold_ms + terms.inclusive


def abandoned(entry: Entry, _terms: Terms) -> bool:
    """B."""
    return entry.exit is Exit.ABANDONED


def abandoned_in_time(entry: Entry, terms: Terms) -> bool:
    """B_T: abandoned after at most T."""
    return entry.exit is Exit.ABANDONED and entry.wait_ms <= terms.threshold_ms


def abandoned_short(entry: Entry, terms: Terms) -> bool:
    """B_s: abandoned after at most s."""
    return entry.exit is Exit.ABANDONED and entry.wait_ms <= terms.short_ms


def flowed_out(entry: Entry, _terms: Terms) -> bool:
    """F."""
    return entry.exit in FLOW_OUTS


def turned_away(entry: Entry, _terms: Terms) -> bool:
    """X."""
    return entry.exit in TURNED_AWAY


def waiting(entry: Entry, _terms: Terms) -> bool:
    """Has not left its queue."""
    return entry.exit is Exit.WAITING


def queued(entry: Entry, _terms: Terms) -> bool:
    """Was let into its queue: everybody but those turned away."""
    return entry.exit not in TURNED_AWAY


def waited(entry: Entry, _terms: Terms) -> bool:
    """Was let into its queue and has left it: A + B + F."""
    return entry.exit is not Exit.WAITING and entry.exit not in TURNED_AWAY


def talked(entry: Entry, _terms: Terms) -> bool:
    """Its conversation is over."""
    return entry.talked


def held(entry: Entry, _terms: Terms) -> bool:
    """Its conversation is over and was put on hold."""
    return entry.talked and entry.hold_ms > 0


def handled(entry: Entry, _terms: Terms) -> bool:
    """Its conversation and the work after it are over."""
    return entry.handled


def either(*sets: Members) -> Members:
    """In any of the sets; nobody counts twice."""
    first, *rest = sets
    if not rest:
        return first
    others = either(*rest)
    return lambda entry, terms: first(entry, terms) or others(entry, terms)


def without(members: Members, *others: Members) -> Members:
    """In the set, and in none of the others."""
    outside = either(*others)
    return lambda entry, terms: members(entry, terms) and not outside(entry, terms)


def count(members: Members) -> OfEntries:
    """How many stays are in the set."""
    return OfEntries(members, one)


def total(amount: Amount, members: Members) -> OfEntries:
    """The sum of an amount over the set."""
    return OfEntries(members, amount)
