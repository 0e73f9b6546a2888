"""Events out, and what events of others tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from google.protobuf.message import DecodeError, Message

from protos.acd.v1 import events_pb2 as acd_events
from protos.gateway.v1 import events_pb2 as gateway_events
from protos.recording.v1 import events_pb2
from services.chassis.envelope import Envelope, enveloped
from services.chassis.ids import CallId, TenantId
from services.recording.model.calls import (
    AgentTookPart,
    CallOver,
    ContactKnown,
    DispositionGiven,
    Leg,
    LegKnown,
    LegsHeard,
    Named,
    Note,
    RecordingAllowed,
    RecordingFailed,
)
from services.recording.model.evidence import Listening, Recording
from services.recording.wire import bounded, cleaned

ACD_TOPIC = "acd.events.v1"
GATEWAY_TOPIC = "gateway.events.v1"


# ---- out ---------------------------------------------------------------------------------------


def begun_event(
    tenant_id: TenantId, recording_id: CallId, *, event_id: str, at_ms: int
) -> Envelope:
    """The first segment of a call is durable."""
    message = events_pb2.RecordingBegun(recording_id=recording_id)
    return _about(message, tenant_id, recording_id, event_id, at_ms)


def finalised_event(
    tenant_id: TenantId, recording: Recording, *, event_id: str, at_ms: int
) -> Envelope:
    """A recording is complete, or as complete as it will be."""
    message = events_pb2.RecordingFinalised(
        recording_id=recording.recording_id,
        state=recording.state.value,
        sha256=recording.sha256,
        segments=recording.segments,
        duration_ms=recording.ended_at_ms - recording.started_at_ms,
        gaps=len(recording.gaps),
    )
    return _about(message, tenant_id, recording.recording_id, event_id, at_ms)


def heard_event(tenant_id: TenantId, listening: Listening, *, event_id: str) -> Envelope:
    """Somebody listened."""
    message = events_pb2.RecordingHeard(
        recording_id=listening.recording_id, listener_id=listening.listener_id
    )
    return _about(message, tenant_id, listening.recording_id, event_id, listening.at_ms)


def _about(
    message: Message, tenant_id: TenantId, recording_id: CallId, event_id: str, at_ms: int
) -> Envelope:
    return enveloped(
        message,
        event_id=event_id,
        tenant_id=tenant_id,
        at_ms=at_ms,
        key=recording_id,
        call_id=recording_id,
    )


# ---- in ----------------------------------------------------------------------------------------


def notes_of(event: Envelope) -> list[Note]:
    """What an event tells of calls and names; nothing for events that tell neither.

    Raises DecodeError when it is damaged.
    """
    reader = _READERS.get(event.type)
    if reader is None or not event.tenant_id:
        return []
    message_class, notes = reader
    message = message_class()
    try:
        message.ParseFromString(event.payload)
    except DecodeError as error:
        raise DecodeError(f"{event.type} {event.event_id}: {error}") from error
    return [note for note in notes(message) if isinstance(note, Named) or note.call_id]


def _contact(message: acd_events.ContactEnqueued) -> list[Note]:
    contact = message.contact
    attributes = bounded({each.name: each.value for each in contact.attributes})
    reference = cleaned(contact.external_ref)
    return [ContactKnown(_call(contact.contact_id), attributes, reference)]


def _answered(message: acd_events.ContactAnswered) -> list[Note]:
    call_id = _call(message.contact_id)
    return [AgentTookPart(call_id, cleaned(message.agent_id), cleaned(message.queue_id))]


def _wrapped_up(message: acd_events.WrapUpEnded) -> list[Note]:
    if not message.code:
        return []
    return [DispositionGiven(_call(message.contact_id), cleaned(message.code))]


def _named(kind: str, each: str, name: str) -> Note:
    return Named(kind, cleaned(each), cleaned(name))


def _fact(message: gateway_events.CallFact) -> list[Note]:
    call_id = _call(message.call_id)
    match message.WhichOneof("body"):
        case "leg_started":
            leg = message.leg_started
            known = Leg(cleaned(leg.role), cleaned(leg.agent_id))
            return [LegKnown(call_id, cleaned(leg.leg_id), known)]
        case "legs_bridged":
            legs = message.legs_bridged
            return [LegsHeard(call_id, (cleaned(legs.leg_id), cleaned(legs.peer_leg_id)))]
        case "recording_changed":
            changed = message.recording_changed
            if changed.state == "on":
                return [RecordingAllowed(call_id, cleaned(changed.reason))]
            if changed.state == "failed":
                return [RecordingFailed(call_id, cleaned(changed.reason))]
            return []
        case "call_ended":
            return [CallOver(call_id, message.at_ms)]
        case _:
            return []


def _call(text: str) -> CallId:
    return CallId(cleaned(text))


_KINDS: tuple[tuple[type[Message], Callable[[Any], list[Note]]], ...] = (
    (acd_events.ContactEnqueued, _contact),
    (acd_events.ContactAnswered, _answered),
    (acd_events.WrapUpEnded, _wrapped_up),
    (acd_events.QueuePut, lambda put: [_named("queue", put.queue.queue_id, put.queue.name)]),
    (acd_events.AgentPut, lambda put: [_named("agent", put.agent.agent_id, put.agent.name)]),
    (gateway_events.CallFact, _fact),
)
_READERS = {kind.DESCRIPTOR.full_name: (kind, reader) for kind, reader in _KINDS}
