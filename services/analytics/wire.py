"""Between events on the bus and what figures are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Final, TypeVar

from google.protobuf.message import DecodeError, Message

from protos.acd.v1 import events_pb2 as acd
from protos.portal.v1 import events_pb2 as portal
from services.analytics.model import events as e
from services.analytics.model.words import AgentState, Exit, Outcome
from services.chassis.envelope import Envelope
from services.chassis.errors import CarillonError, Kind
from services.chassis.ids import TenantId

M = TypeVar("M", bound=Message)

_EXITS: Final = {"refused_full": Exit.REFUSED, "refused_no_agents": Exit.REFUSED}
TENANT_PUT: Final = portal.TenantPut.DESCRIPTOR.full_name


class NotUnderstood(CarillonError):
    """An event's payload is not what its type says."""

    code: ClassVar[str] = "event-not-understood"
    kind: ClassVar[Kind] = Kind.INVALID


def happened(envelope: Envelope) -> e.Happened:
    """An event of routing; NotUnderstood."""
    known = _READERS.get(envelope.type)
    event = None
    if known is not None:
        message, read = known
        try:
            event = read(parsed(message, envelope))
        except ValueError as error:
            raise NotUnderstood(f"{envelope.type} {envelope.event_id}: {error}") from None
    return e.Happened(clean(envelope.event_id), envelope.seq, envelope.at_ms, event)


def tenant_zone(envelope: Envelope) -> tuple[TenantId, str]:
    """A tenant that portal tells about, and its IANA zone; NotUnderstood."""
    tenant = parsed(portal.TenantPut, envelope).tenant
    return TenantId(tenant.tenant_id), tenant.time_zone


def clean(text: str) -> str:
    """A text as it can be stored: PostgreSQL takes every character but one."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def parsed(message: type[M], envelope: Envelope) -> M:
    """An event's payload; NotUnderstood."""
    try:
        return message.FromString(envelope.payload)
    except DecodeError as error:
        raise NotUnderstood(f"{envelope.type} {envelope.event_id}: {error}") from None


def _entry_of(reservation_id: str) -> str:
    """Of `entry_id.attempt`."""
    return clean(reservation_id.rpartition(".")[0])


def _queue_put(event: acd.QueuePut) -> e.QueuePut:
    return e.QueuePut(clean(event.queue.queue_id), clean(event.queue.name))


def _queue_removed(event: acd.QueueRemoved) -> e.QueueRemoved:
    return e.QueueRemoved(clean(event.queue_id))


def _agent_put(event: acd.AgentPut) -> e.AgentPut:
    queue_ids = tuple(clean(membership.queue_id) for membership in event.agent.queues)
    agent_id, name = clean(event.agent.agent_id), clean(event.agent.name)
    return e.AgentPut(agent_id, name, queue_ids, event.at_ms)


def _agent_removed(event: acd.AgentRemoved) -> e.AgentRemoved:
    return e.AgentRemoved(clean(event.agent_id), event.at_ms)


def _agent_state_changed(event: acd.AgentStateChanged) -> e.AgentStateChanged:
    agent_id, reason = clean(event.agent_id), clean(event.reason)
    return e.AgentStateChanged(agent_id, AgentState(event.state), reason, event.at_ms)


def _contact_enqueued(event: acd.ContactEnqueued) -> e.ContactEnqueued:
    contact = event.contact
    return e.ContactEnqueued(
        entry_id=clean(contact.entry_id),
        contact_id=clean(contact.contact_id),
        queue_id=clean(contact.queue_id),
        channel=contact.channel,
        attributes=tuple((clean(each.name), clean(each.value)) for each in contact.attributes),
        external_ref=clean(contact.external_ref),
        at_ms=event.at_ms,
        priority=event.priority,
    )


def _contact_exited(event: acd.ContactExited) -> e.ContactExited:
    return e.ContactExited(
        entry_id=clean(event.entry_id),
        exit=_EXITS.get(event.exit) or Exit(event.exit),
        agent_id=clean(event.agent_id),
        wait_ms=event.wait_ms,
        at_ms=event.at_ms,
        target=clean(event.target),
        reason=clean(event.reason),
    )


def _contact_reserved(event: acd.ContactReserved) -> e.ContactReserved:
    return e.ContactReserved(clean(event.entry_id), clean(event.agent_id), event.attempt)


def _wait_announced(event: acd.WaitAnnounced) -> e.WaitAnnounced:
    return e.WaitAnnounced(clean(event.entry_id), event.wait_s, clean(event.basis))


def _ring_confirmed(event: acd.RingConfirmed) -> e.RingConfirmed:
    entry_id = _entry_of(event.reservation_id)
    return e.RingConfirmed(entry_id, event.at_ms, clean(event.agent_id))


def _reservation_accepted(event: acd.ReservationAccepted) -> e.ReservationAccepted:
    return e.ReservationAccepted(clean(event.entry_id), event.at_ms, clean(event.agent_id))


def _reservation_ended(event: acd.ReservationEnded) -> e.ReservationEnded:
    entry_id, outcome = clean(event.entry_id), Outcome(event.outcome)
    return e.ReservationEnded(entry_id, outcome, event.at_ms, clean(event.agent_id))


def _contact_completed(event: acd.ContactCompleted) -> e.ContactCompleted:
    return e.ContactCompleted(
        entry_id=clean(event.entry_id),
        talk_ms=event.talk_ms,
        hold_ms=event.hold_ms,
        agent_id=clean(event.agent_id),
        ended_by=clean(event.ended_by),
        reason=clean(event.reason),
    )


def _wrap_up_code_set(event: acd.WrapUpCodeSet) -> e.WrapUpCodeSet:
    entry_id = _entry_of(event.reservation_id)
    return e.WrapUpCodeSet(entry_id, clean(event.code), clean(event.agent_id))


def _wrap_up_ended(event: acd.WrapUpEnded) -> e.WrapUpEnded:
    return e.WrapUpEnded(
        entry_id=clean(event.entry_id),
        code=clean(event.code),
        wrap_up_ms=event.wrap_up_ms,
        agent_id=clean(event.agent_id),
        cause=clean(event.cause),
    )


_READERS: Final[Mapping[str, tuple[type[Message], Callable[[Any], e.Event]]]] = MappingProxyType(
    {
        message.DESCRIPTOR.full_name: (message, read)
        for message, read in (
            (acd.QueuePut, _queue_put),
            (acd.QueueRemoved, _queue_removed),
            (acd.AgentPut, _agent_put),
            (acd.AgentRemoved, _agent_removed),
            (acd.AgentStateChanged, _agent_state_changed),
            (acd.ContactEnqueued, _contact_enqueued),
            (acd.ContactExited, _contact_exited),
            (acd.ContactReserved, _contact_reserved),
            (acd.WaitAnnounced, _wait_announced),
            (acd.RingConfirmed, _ring_confirmed),
            (acd.ReservationAccepted, _reservation_accepted),
            (acd.ReservationEnded, _reservation_ended),
            (acd.ContactCompleted, _contact_completed),
            (acd.WrapUpCodeSet, _wrap_up_code_set),
            (acd.WrapUpEnded, _wrap_up_ended),
        )
    }
)
"""How each of routing's events is read; others say nothing that figures or stories are made of."""
