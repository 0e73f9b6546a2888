"""What a contact's history becomes when something happens to it.

The events of two sources come in any order and more than once: each sets only what it alone
knows, under the id of the stay or conversation that it belongs to, so that order does not matter
and a repetition changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from services.crm.core.numbers import e164, region_of, shown
from services.crm.model import (
    Answered,
    CallBegan,
    CallOver,
    ContactEvent,
    Exited,
    PastContact,
    Queued,
    Record,
    RecordingKept,
    Stay,
    Talk,
    TalkOver,
    WrappedUp,
)

MAX_PARTS = 50
"""Stays, and conversations, that one contact's history keeps; later ones are left out."""
QUEUE = "queue"
AGENT = "agent"
Names = Mapping[tuple[str, str], str]
"""What people call a queue or an agent, by (QUEUE or AGENT, id)."""
Part = TypeVar("Part", Stay, Talk)


def begun(contact_id: str) -> Record:
    """A contact of which nothing is known yet."""
    return Record(PastContact(contact_id))


def fold(record: Record, event: ContactEvent | RecordingKept, names: Names) -> Record:
    """The history after the event; the same when it was folded in before."""
    contact = record.contact
    match event:
        case RecordingKept():
            return replace(record, contact=replace(contact, recording_id=event.recording_id))
        case CallBegan() | CallOver():
            return replace(record, contact=_of_call(contact, event))
        case Queued() | Exited():
            stays = _with_stay(record.stays, event, names)
            if isinstance(event, Queued):
                contact = _of_entry(contact, event)
            return _shown(replace(record, contact=contact, stays=stays))
        case Answered() | TalkOver() | WrappedUp():
            return _shown(replace(record, talks=_with_talk(record.talks, event, names)))


def _of_call(contact: PastContact, event: CallBegan | CallOver) -> PastContact:
    voice = replace(contact, channel="voice", direction="inbound")
    if isinstance(event, CallOver):
        started_at_ms = contact.started_at_ms or event.at_ms
        return replace(voice, started_at_ms=started_at_ms, ended_at_ms=event.at_ms)
    return replace(_from_number(voice, event.number, event.to), started_at_ms=event.at_ms or 1)


def _of_entry(contact: PastContact, event: Queued) -> PastContact:
    known = replace(
        contact,
        channel=contact.channel or event.channel,
        direction=contact.direction or "inbound",
        started_at_ms=contact.started_at_ms or event.at_ms,
    )
    # What the gateway said of its own call counts for more than what a flow says of it.
    return known if contact.number else _from_number(known, event.number, event.to or contact.to)


def _from_number(contact: PastContact, number: str, to: str) -> PastContact:
    called = e164(to) or to.strip()[:64]
    return replace(contact, number=shown(number, region_of(called)), to=called)


def _with_stay(stays: tuple[Stay, ...], event: Queued | Exited, names: Names) -> tuple[Stay, ...]:
    found = next((stay for stay in stays if stay.entry_id == event.entry_id), None)
    if found is None and isinstance(event, Exited) and len(stays) >= MAX_PARTS:
        return stays  # of a stay that was left out; without its beginning it would come first
    stay = found or Stay(event.entry_id)
    if not stay.queue_name:
        stay = replace(stay, queue_name=_name(names, QUEUE, event.queue_id))
    if isinstance(event, Queued):
        stay = replace(stay, at_ms=event.at_ms)
    else:
        stay = replace(stay, exit=event.exit, wait_ms=event.wait_ms)
    return _kept([other for other in stays if other.entry_id != event.entry_id], stay)


def _with_talk(
    talks: tuple[Talk, ...], event: Answered | TalkOver | WrappedUp, names: Names
) -> tuple[Talk, ...]:
    rest = [talk for talk in talks if talk.reservation_id != event.reservation_id]
    found = next((talk for talk in talks if talk.reservation_id == event.reservation_id), None)
    talk = found or Talk(event.reservation_id, at_ms=event.at_ms)
    if not talk.agent_id:
        talk = replace(
            talk, agent_id=event.agent_id, agent_name=_name(names, AGENT, event.agent_id)
        )
    match event:
        case Answered():
            talk = replace(talk, at_ms=event.at_ms)
        case TalkOver():
            talk = replace(talk, talk_ms=event.talk_ms)
        case WrappedUp():
            talk = replace(talk, disposition=event.code)
    return _kept(rest, talk)


def _kept(rest: list[Part], part: Part) -> tuple[Part, ...]:
    rest.append(part)
    return tuple(sorted(rest, key=_begin)[:MAX_PARTS])


def _begin(part: Stay | Talk) -> int:
    return part.at_ms


def _shown(record: Record) -> Record:
    stays, talks = record.stays, record.talks
    return replace(
        record,
        contact=replace(
            record.contact,
            outcome=stays[-1].exit if stays else record.contact.outcome,
            queue_names=_in_turn([stay.queue_name for stay in stays]),
            agent_names=tuple(talk.agent_name for talk in talks),
            agent_ids=tuple(talk.agent_id for talk in talks),
            dispositions=tuple(talk.disposition for talk in talks if talk.disposition),
            talk_ms=sum(talk.talk_ms for talk in talks),
            wait_ms=sum(stay.wait_ms for stay in stays),
        ),
    )


def _in_turn(names: list[str]) -> tuple[str, ...]:
    """Without a name that follows itself: back in the same queue is no other queue."""
    return tuple(name for at, name in enumerate(names) if not at or names[at - 1] != name)


def _name(names: Names, kind: str, known_as: str) -> str:
    return names.get((kind, known_as), known_as)
