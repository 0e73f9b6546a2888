"""acd's part of a call's trace, told as waiting and ringing end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from services.acd.model import (
    Channel,
    ContactAnswered,
    ContactEnqueued,
    ContactExited,
    ContactReserved,
    EntryId,
    Event,
    ReservationEnded,
)
from services.chassis import spans

SERVICE = "acd"
MAX_STAYS = 10_000
"""Contacts that are followed at once; further ones have no spans of acd's."""


@dataclass(slots=True)
class _Stay:
    """A call in a queue: since when it waits or rings."""

    call_id: str
    since_ms: int
    ringing: bool = False


class Story:
    """Sees every committed event of a shard, and tells what took how long."""

    def __init__(self) -> None:
        self._stays: dict[EntryId, _Stay] = {}

    def see(self, events: Iterable[Event]) -> None:
        """Takes events in order; a wait or a ring that ends with one becomes a span."""
        for event in events:
            if isinstance(event, ContactEnqueued):
                self._begin(event)
            elif isinstance(
                event, ContactReserved | ContactAnswered | ReservationEnded | ContactExited
            ):
                stay = self._stays.get(event.entry_id)
                if stay is not None:
                    self._go_on(stay, event)

    def _begin(self, event: ContactEnqueued) -> None:
        contact = event.contact
        if contact.channel is Channel.VOICE and len(self._stays) < MAX_STAYS:
            self._stays[contact.entry_id] = _Stay(str(contact.contact_id), event.at_ms)

    def _go_on(
        self,
        stay: _Stay,
        event: ContactReserved | ContactAnswered | ReservationEnded | ContactExited,
    ) -> None:
        match event:
            case ContactReserved():
                _tell("wait", stay, event.at_ms, "reserved")
                stay.ringing = True
            case ReservationEnded():
                _tell("ring", stay, event.at_ms, event.outcome.value)
                stay.ringing = False
            case ContactAnswered():
                _tell("ring", stay, event.at_ms, "answered")
                del self._stays[event.entry_id]
            case ContactExited():
                _tell("ring" if stay.ringing else "wait", stay, event.at_ms, event.exit.value)
                del self._stays[event.entry_id]
        stay.since_ms = event.at_ms


def _tell(name: str, stay: _Stay, at_ms: int, outcome: str) -> None:
    spans.step(
        SERVICE,
        name,
        call_id=stay.call_id,
        from_ms=stay.since_ms,
        to_ms=at_ms,
        attributes={"outcome": outcome},
    )
