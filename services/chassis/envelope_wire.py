"""The envelope as a message: what travels where the bus does not keep its parts apart."""

from __future__ import annotations

from google.protobuf.message import DecodeError

from protos.common.v1 import envelope_pb2
from services.chassis.envelope import Envelope
from services.chassis.ids import TenantId


def message_of(event: Envelope) -> envelope_pb2.Envelope:
    """An event as a message."""
    return envelope_pb2.Envelope(
        event_id=event.event_id,
        tenant_id=event.tenant_id,
        at_ms=event.at_ms,
        traceparent=event.traceparent,
        key=event.key,
        type=event.type,
        payload=event.payload,
        seq=event.seq,
    )


def event_of(message: envelope_pb2.Envelope) -> Envelope:
    """A message as the event that it tells of."""
    return Envelope(
        event_id=message.event_id,
        tenant_id=TenantId(message.tenant_id),
        at_ms=message.at_ms,
        key=message.key,
        type=message.type,
        payload=message.payload,
        seq=message.seq,
        traceparent=message.traceparent,
    )


def read(value: bytes) -> Envelope | None:
    """The event that was serialised; None when it is none."""
    try:
        message = envelope_pb2.Envelope.FromString(value)
    except DecodeError:
        return None
    return event_of(message) if message.event_id and message.type else None
