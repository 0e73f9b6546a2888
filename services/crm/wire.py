"""Between the wire's messages and the model's words: nothing is decided here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from protos.acd.v1 import events_pb2 as acd
from protos.crm.v1 import crm_pb2
from protos.crm.v1 import events_pb2 as crm
from protos.gateway.v1 import events_pb2 as gateway
from protos.recording.v1 import events_pb2 as recording
from services.chassis.codec import Codec
from services.chassis.envelope import Envelope, enveloped
from services.chassis.ids import TenantId
from services.crm import model
from services.crm.model import Customer, Happening
from services.crm.store import Announcement

MAX_TEXT_CHARS = 256
"""Of a name or an id in an event."""

CODEC = Codec((crm_pb2,), (model.Customer, model.Note, model.PastContact, model.CustomerCard))


def announcement(new_id: Callable[[], str]) -> Announcement:
    """Makes the events that tell of customers."""

    def announce(
        tenant_id: TenantId, customer_id: str, customer: Customer | None, now_ms: int
    ) -> Envelope:
        put: Any = CODEC.to_proto(customer) if customer is not None else None
        message = (
            crm.CustomerRemoved(customer_id=customer_id)
            if put is None
            else crm.CustomerPut(customer=put)
        )
        return enveloped(
            message, event_id=new_id(), tenant_id=tenant_id, at_ms=now_ms, key=customer_id
        )

    return announce


# ---- events of other services -----------------------------------------------------------------


def happening(event: Envelope) -> Happening | None:
    """What an event means for a contact's history; None when nothing.

    Raises google's DecodeError for bytes that are not what the envelope says.
    """
    read = _READERS.get(event.type)
    return read(event) if read else None


def _text(text: str) -> str:
    # What is kept as JSON cannot hold a NUL, and a feed must not stop at one.
    return text.replace("\0", "")[:MAX_TEXT_CHARS]


def _of_call(event: Envelope) -> Happening | None:
    fact = gateway.CallFact.FromString(event.payload)
    call_id, at_ms = _text(fact.call_id), fact.at_ms
    match fact.WhichOneof("body"):
        case "call_started":
            began = fact.call_started
            number = _text(getattr(began, "from"))
            return model.CallBegan(call_id, number, _text(began.to), at_ms)
        case "call_ended":
            return model.CallOver(call_id, at_ms)
        case _:
            return None


def _queued(body: acd.ContactEnqueued) -> Happening:
    contact = body.contact
    said = {attribute.name: attribute.value for attribute in contact.attributes}
    return model.Queued(
        contact_id=_text(contact.contact_id),
        entry_id=_text(contact.entry_id),
        queue_id=_text(contact.queue_id),
        channel=_text(contact.channel),
        number=_text(str(said.get("from") or said.get("caller") or "")),
        to=_text(str(said.get("to") or "")),
        at_ms=body.at_ms,
    )


def _exited(body: acd.ContactExited) -> Happening:
    return model.Exited(
        contact_id=_text(body.contact_id),
        entry_id=_text(body.entry_id),
        queue_id=_text(body.queue_id),
        exit=_text(body.exit),
        wait_ms=body.wait_ms,
    )


def _answered(body: acd.ContactAnswered) -> Happening:
    return model.Answered(
        contact_id=_text(body.contact_id),
        reservation_id=_text(body.reservation_id),
        agent_id=_text(body.agent_id),
        at_ms=body.accepted_at_ms,
    )


def _talk_over(body: acd.ContactCompleted) -> Happening:
    return model.TalkOver(
        contact_id=_text(body.contact_id),
        reservation_id=_text(body.reservation_id),
        agent_id=_text(body.agent_id),
        talk_ms=body.talk_ms,
        at_ms=body.at_ms,
    )


def _wrapped_up(body: acd.WrapUpEnded) -> Happening:
    return model.WrappedUp(
        contact_id=_text(body.contact_id),
        reservation_id=_text(body.reservation_id),
        agent_id=_text(body.agent_id),
        code=_text(body.code),
        at_ms=body.at_ms,
    )


def _queue_named(body: acd.QueuePut) -> Happening:
    queue = body.queue
    return model.QueueNamed(_text(queue.queue_id), _text(queue.name or queue.queue_id))


def _agent_named(body: acd.AgentPut) -> Happening:
    agent = body.agent
    return model.AgentNamed(_text(agent.agent_id), _text(agent.name or agent.agent_id))


def _kept(event: Envelope) -> Happening:
    begun = recording.RecordingBegun.FromString(event.payload)
    return model.RecordingKept(_text(event.key), _text(begun.recording_id))


def _by_body(message: Any, read: Callable[[Any], Happening]) -> Callable[[Envelope], Happening]:
    return lambda event: read(message.FromString(event.payload))


_Reader = Callable[[Envelope], Happening | None]
_READERS: dict[str, _Reader] = {
    gateway.CallFact.DESCRIPTOR.full_name: _of_call,
    recording.RecordingBegun.DESCRIPTOR.full_name: _kept,
} | {
    message.DESCRIPTOR.full_name: _by_body(message, read)
    for message, read in (
        (acd.ContactEnqueued, _queued),
        (acd.ContactExited, _exited),
        (acd.ContactAnswered, _answered),
        (acd.ContactCompleted, _talk_over),
        (acd.WrapUpEnded, _wrapped_up),
        (acd.QueuePut, _queue_named),
        (acd.AgentPut, _agent_named),
    )
}
