"""Events between services: what they travel in."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from google.protobuf.message import Message

from services.chassis.ids import TenantId
from services.chassis.trace import call_of_trace, trace_id

PARTITIONS = 8
"""Of every topic. Fixed: what is ordered by a key must stay where it is."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One event on its way; see `carillon.common.v1.Envelope`."""

    event_id: str
    """Unique; consumers are idempotent by it."""
    tenant_id: TenantId
    """Whose it is."""
    at_ms: int
    """UTC milliseconds at which it happened, on its owner's clock."""
    key: str
    """Events of one key stay in order within a topic."""
    type: str
    """Full name of the payload's message."""
    payload: bytes
    """The message, serialised."""
    seq: int = 0
    """Grows within a key; 0: not known."""
    traceparent: str = ""
    """W3C trace context of what caused it."""

    @property
    def call_id(self) -> str:
        """The call that it is about, which its trace tells; empty: none, or not known."""
        return call_of_trace(self.traceparent[3:35])


def enveloped(
    message: Message,
    *,
    event_id: str,
    tenant_id: TenantId,
    at_ms: int,
    key: str,
    seq: int = 0,
    call_id: str = "",
) -> Envelope:
    """A message in its envelope; of a call's events the trace is the call's."""
    trace = trace_id(call_id) if call_id else ""
    return Envelope(
        event_id=event_id,
        tenant_id=tenant_id,
        at_ms=at_ms,
        key=key,
        type=message.DESCRIPTOR.full_name,
        payload=message.SerializeToString(deterministic=True),
        seq=seq,
        traceparent=f"00-{trace}-{trace[:16]}-01" if trace else "",
    )


def partition_of(key: str) -> int:
    """The partition of a key, the same on every machine and in every release."""
    return zlib.crc32(key.encode()) % PARTITIONS
