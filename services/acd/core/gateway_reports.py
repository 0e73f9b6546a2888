"""What gateways say about their calls, against what routing holds for them.

A call that is absent from two reports has ended, and so has a leg; a gateway that says nothing is
dead. Nothing of this is state of the shard: what follows from it are commands like any other, and
a new owner begins to listen anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from services.acd.core.limits import GATEWAYS
from services.acd.core.state import State
from services.acd.model import (
    BridgeEnder,
    CompleteContact,
    ContactId,
    EntryId,
    Exit,
    LeaveQueue,
    ReservationId,
    Work,
)

SILENT_MS = 12_000
"""A gateway that was not heard of for so long is dead: its agents are free within 15 seconds."""
APART_MS = 2_000
"""Two reports that come closer together are one: they waited somewhere."""
ABSENT = "gateway-report"
"""Why a contact ended: its gateway no longer has its call."""
LOST = "gateway-lost"
"""Why a contact ended: its gateway is gone."""

End = LeaveQueue | CompleteContact


class Held(NamedTuple):
    """A contact in a queue, or a conversation, that lives by a gateway's call."""

    gateway: str
    """Where that gateway listens."""
    contact_id: ContactId
    """The call."""
    entry_id: EntryId
    """The stay in a queue."""
    reservation_id: ReservationId | None
    """The conversation; None: it is in the queue."""
    since_ms: int
    """UTC ms from which the gateway had it."""


@dataclass(slots=True)
class _Gateway:
    """What is known of one gateway."""

    incarnation: str
    heard_ms: int
    held: set[Held] = field(default_factory=set)
    missing: dict[Held, int] = field(default_factory=dict)
    with_leg: set[ReservationId] = field(default_factory=set)


class GatewayReports:
    """Listens to the gateways of one shard."""

    def __init__(self) -> None:
        self._known: dict[str, _Gateway] = {}
        self._since_ms = 0
        self._look_at_ms: int | None = None

    def report(
        self,
        *,
        gateway: str,
        incarnation: str,
        calls: Mapping[ContactId, frozenset[ReservationId]],
        held: Iterable[Held],
        now_ms: int,
    ) -> list[End]:
        """A gateway's calls, with the reservations that have a leg: what has ended."""
        mine = {work for work in held if work.gateway == gateway}
        known = self._known.get(gateway)
        ends: list[End] = []
        if known is not None and known.incarnation != incarnation:
            lost = {work for work in known.held & mine if work.contact_id not in calls}
            ends += [_end(work, LOST) for work in _in_order(lost)]
            mine -= lost
            known = None
        if known is None:
            known = self._known[gateway] = _Gateway(incarnation, now_ms)
            self._forget_the_oldest()
        ended = _absent_twice(known, mine, calls, now_ms)
        known.heard_ms, known.held = now_ms, mine - ended
        self._look(now_ms)
        return ends + [_end(work, ABSENT) for work in _in_order(ended)]

    def heard(self, gateway: str, incarnation: str, now_ms: int) -> None:
        """A gateway gave a sign of life; what it said is still to be compared."""
        known = self._known.get(gateway)
        if known is not None and known.incarnation == incarnation:
            known.heard_ms = max(known.heard_ms, now_ms)

    def expect(self, now_ms: int) -> None:
        """A contact came in by a gateway, which has to report from now on."""
        self._look(now_ms)

    def fresh(self, now_ms: int) -> None:
        """Nobody could be heard for a while: every gateway has its whole time again."""
        self._since_ms = now_ms
        for known in self._known.values():
            known.missing.clear()
        self._look_at_ms = now_ms + SILENT_MS

    def overdue(self, held: Iterable[Held], now_ms: int) -> list[End]:
        """What has ended with gateways that are silent; call it at `next_ms`."""
        ends: list[End] = []
        looks: list[int] = []
        for work in _in_order(held):
            known = self._known.get(work.gateway)
            heard_ms = 0 if known is None else known.heard_ms
            dead_at_ms = max(heard_ms, self._since_ms, work.since_ms) + SILENT_MS
            if dead_at_ms <= now_ms:
                ends.append(_end(work, LOST))
            else:
                looks.append(dead_at_ms)
        self._look_at_ms = min(looks, default=None)
        silent = [name for name, g in self._known.items() if g.heard_ms + SILENT_MS <= now_ms]
        for name in silent:
            del self._known[name]
        return ends

    def next_ms(self) -> int | None:
        """When silence should be looked for; None: nobody has to report."""
        return self._look_at_ms

    def _look(self, now_ms: int) -> None:
        if self._look_at_ms is None:
            self._look_at_ms = now_ms + SILENT_MS

    def _forget_the_oldest(self) -> None:
        if len(self._known) > GATEWAYS:
            del self._known[min(self._known, key=lambda name: self._known[name].heard_ms)]


def held_by_gateways(state: State) -> list[Held]:
    """All that lives by some gateway's call."""
    waiting = [
        Held(c.gateway, c.contact_id, c.entry_id, None, c.enqueued_at_ms)
        for c in (entry.contact for entry in state.entries.values())
        if c.gateway
    ]
    talking = [
        Held(
            row.contact.gateway,
            row.contact_id,
            row.entry_id,
            row.reservation_id,
            row.reserved_at_ms,
        )
        for row in state.reservations.values()
        if row.contact.gateway and row.work in (Work.TALKING, Work.HOLDING)
    ]
    return waiting + talking


def _absent_twice(
    known: _Gateway,
    mine: set[Held],
    calls: Mapping[ContactId, frozenset[ReservationId]],
    now_ms: int,
) -> set[Held]:
    """Takes note of what is absent now; what was so before has ended."""
    absent = {work for work in mine if not _is_there(known, work, calls)}
    ended = {work for work in absent if now_ms - known.missing.get(work, now_ms) >= APART_MS}
    known.missing = {work: known.missing.get(work, now_ms) for work in absent - ended}
    talking = {work.reservation_id for work in mine if work.reservation_id is not None}
    listed = frozenset[ReservationId]().union(*calls.values())
    known.with_leg = (known.with_leg | listed) & talking
    return ended


def _is_there(
    known: _Gateway, work: Held, calls: Mapping[ContactId, frozenset[ReservationId]]
) -> bool:
    legs = calls.get(work.contact_id)
    if legs is None:
        return False
    # A leg can only be missed once it was seen.
    return work.reservation_id not in known.with_leg or work.reservation_id in legs


def _end(work: Held, reason: str) -> End:
    if work.reservation_id is None:
        return LeaveQueue(entry_id=work.entry_id, exit=Exit.ABANDONED, reason=reason)
    return CompleteContact(
        reservation_id=work.reservation_id, ended_by=BridgeEnder.SYSTEM, reason=reason
    )


def _in_order(some: Iterable[Held]) -> list[Held]:
    return sorted(some, key=lambda work: (work.since_ms, work.entry_id))
