"""Where sealed segments are kept: the port, and its form in memory.

A stored segment is one line of JSON, which says what it is and carries its wrapped key, and after
the line's end the sealed bytes as the gateway made them. So a call's folder can be opened and
checked by anybody who has the private key, without the database.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Protocol

from services.chassis.ids import CallId, TenantId
from services.chassis.sealing import SealedKey
from services.recording.model.errors import SegmentDamaged


@dataclass(frozen=True, slots=True)
class SegmentPlace:
    """Where a segment belongs; two that differ never share a place."""

    tenant_id: TenantId
    """Whose."""
    call_id: CallId
    """The call."""
    track_id: str
    """The leg."""
    number: int
    """From 1 within the track."""
    sha256: str
    """Of its cleartext."""

    @property
    def name(self) -> str:
        """`track/number`."""
        return f"{self.track_id}/{self.number}"


@dataclass(frozen=True, slots=True)
class SealedSegment:
    """A segment as a gateway hands it over."""

    call_id: CallId
    """The call."""
    track_id: str
    """The leg."""
    number: int
    """From 1 within the track."""
    sha256: str
    """Of its cleartext."""
    incarnation: str
    """The gateway process that wrote it."""
    key: SealedKey
    """The call's key."""
    sealed: bytes
    """Nonce, ciphertext and tag."""

    def to_bytes(self) -> bytes:
        """As it is stored."""
        line = json.dumps(
            {
                "call_id": self.call_id,
                "track_id": self.track_id,
                "number": self.number,
                "sha256": self.sha256,
                "incarnation": self.incarnation,
                "key_id": self.key.key_id,
                "ephemeral_public_key": self.key.ephemeral_public_key.hex(),
                "wrapped_key": self.key.wrapped.hex(),
            }
        )
        return line.encode() + b"\n" + self.sealed

    @classmethod
    def from_bytes(cls, stored: bytes) -> SealedSegment:
        """What was stored; SegmentDamaged when it cannot be read."""
        line, _, sealed = stored.partition(b"\n")
        try:
            head = json.loads(line)
            key = SealedKey(
                key_id=head["key_id"],
                ephemeral_public_key=bytes.fromhex(head["ephemeral_public_key"]),
                wrapped=bytes.fromhex(head["wrapped_key"]),
            )
            return cls(
                call_id=CallId(head["call_id"]),
                track_id=head["track_id"],
                number=head["number"],
                sha256=head["sha256"],
                incarnation=head["incarnation"],
                key=key,
                sealed=sealed,
            )
        except (ValueError, KeyError, TypeError) as error:
            raise SegmentDamaged(f"its head cannot be read: {error}") from None


class SegmentFiles(Protocol):
    """Storage of sealed segments and of what closes a call."""

    async def put(self, place: SegmentPlace, data: bytes) -> None:
        """Keeps a segment, durable when it returns; RecordingDiskFull, SegmentsUnavailable."""

    async def get(self, place: SegmentPlace) -> bytes:
        """What is kept; SegmentDamaged when it is not there, SegmentsUnavailable."""

    async def close_call(self, tenant_id: TenantId, call_id: CallId, summary: bytes) -> None:
        """Keeps beside the segments what belongs to them, replacing what was said before."""

    async def summary(self, tenant_id: TenantId, call_id: CallId) -> bytes | None:
        """What `close_call` kept last; None: the call was never closed."""


class MemorySegments:
    """Segments for tests and simulation: gone with the process."""

    def __init__(self) -> None:
        self._kept: dict[SegmentPlace, bytes] = {}
        self._closed: dict[tuple[TenantId, CallId], bytes] = {}

    def places(self) -> list[SegmentPlace]:
        """What is kept, in the order in which it came."""
        return list(self._kept)

    async def put(self, place: SegmentPlace, data: bytes) -> None:
        """See `SegmentFiles.put`."""
        self._kept[place] = data

    async def get(self, place: SegmentPlace) -> bytes:
        """See `SegmentFiles.get`."""
        try:
            return self._kept[place]
        except KeyError:
            raise SegmentDamaged(f"{place.name} is gone") from None

    async def close_call(self, tenant_id: TenantId, call_id: CallId, summary: bytes) -> None:
        """See `SegmentFiles.close_call`."""
        self._closed[tenant_id, call_id] = summary

    async def summary(self, tenant_id: TenantId, call_id: CallId) -> bytes | None:
        """See `SegmentFiles.summary`."""
        return self._closed.get((tenant_id, call_id))
