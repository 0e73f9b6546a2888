"""Events as Kafka's records: the envelope as the value, its key as the record's."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import DecodeError

from protos.common.v1 import envelope_pb2
from services.chassis.envelope import Envelope
from services.chassis.ids import TenantId

TRACEPARENT = "traceparent"
"""The header that other programs look for a W3C trace context in."""


def value_of(event: Envelope) -> bytes:
    """An event as a record's value."""
    return envelope_pb2.Envelope(
        event_id=event.event_id,
        tenant_id=event.tenant_id,
        at_ms=event.at_ms,
        traceparent=event.traceparent,
        key=event.key,
        type=event.type,
        payload=event.payload,
        seq=event.seq,
    ).SerializeToString()


def headers_of(event: Envelope) -> list[tuple[str, bytes]]:
    """What goes beside the value."""
    return [(TRACEPARENT, event.traceparent.encode())] if event.traceparent else []


def envelope_of(record: Any) -> Envelope | None:
    """The event of a record; None when it is none of ours."""
    try:
        read = envelope_pb2.Envelope.FromString(record.value or b"")
    except DecodeError:
        return None
    if not read.event_id or not read.type:
        return None
    return Envelope(
        event_id=read.event_id,
        tenant_id=TenantId(read.tenant_id),
        at_ms=read.at_ms,
        key=read.key,
        type=read.type,
        payload=read.payload,
        seq=read.seq,
        traceparent=read.traceparent,
    )
