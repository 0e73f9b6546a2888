"""Stored segments opened again: each against its hash, and all of them as a whole."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from services.chassis.ids import CallId, TenantId
from services.chassis.sealing import SealBroken
from services.recording.keys import KeyRing
from services.recording.model.errors import BadSegment, NoSuchSealingKey, SegmentDamaged
from services.recording.model.evidence import Segment
from services.recording.segments import SealedSegment, SegmentFiles, SegmentPlace

AT_ONCE = 16
"""Segments that are read at once: storage on the network would make a long call's take minutes."""


@dataclass(frozen=True, slots=True)
class Examined:
    """What reading every segment again showed."""

    sha256: str
    """Over the cleartext of those that are intact, in the order of track and number."""
    damaged: tuple[tuple[Segment, str], ...]
    """Those that are not, and why."""


class Examiner:
    """Reads stored segments with the keys of this service."""

    def __init__(self, *, files: SegmentFiles, keys: KeyRing) -> None:
        self._files = files
        self._keys = keys

    async def open(self, tenant_id: TenantId, recording_id: CallId, segment: Segment) -> bytes:
        """The serialised cleartext of a stored segment.

        SegmentDamaged when it is gone, was changed, or is another; SegmentsUnavailable.
        """
        place = SegmentPlace(
            tenant_id, recording_id, segment.track_id, segment.number, segment.sha256
        )
        stored = SealedSegment.from_bytes(await self._files.get(place))
        says = (stored.call_id, stored.track_id, stored.number, stored.sha256)
        if says != (place.call_id, place.track_id, place.number, place.sha256):
            raise SegmentDamaged("another segment stands in its place")
        try:
            return self._keys.open(stored)
        except (SealBroken, BadSegment, NoSuchSealingKey) as error:
            raise SegmentDamaged(str(error)) from None

    async def examine(
        self, tenant_id: TenantId, recording_id: CallId, segments: Sequence[Segment]
    ) -> Examined:
        """Opens all segments; SegmentsUnavailable."""
        digest = hashlib.sha256()
        damaged = []
        ordered = sorted(segments, key=lambda each: (each.track_id, each.number))
        for first in range(0, len(ordered), AT_ONCE):
            batch = ordered[first : first + AT_ONCE]
            found = await asyncio.gather(
                *(self._opened(tenant_id, recording_id, each) for each in batch)
            )
            for segment, clear in zip(batch, found, strict=True):
                if isinstance(clear, SegmentDamaged):
                    damaged.append((segment, str(clear)))
                else:
                    digest.update(clear)
        return Examined(digest.hexdigest(), tuple(damaged))

    async def _opened(
        self, tenant_id: TenantId, recording_id: CallId, segment: Segment
    ) -> bytes | SegmentDamaged:
        try:
            return await self.open(tenant_id, recording_id, segment)
        except SegmentDamaged as error:
            return error
