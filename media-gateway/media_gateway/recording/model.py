"""What a recording is made of on its way from the wire to the spool."""

from __future__ import annotations

from dataclasses import dataclass

SAMPLES_PER_MS = 8
"""PCMU and PCMA (RFC 3551)."""
FRAME_MS = 20
"""How long a packet is taken to be when nothing else is known of it."""
DISK_FULL = "disk-full"
DISK_SLOW = "disk-slow"
GATEWAY_LOST = "gateway-lost"
SEGMENT_LOST = "segment-lost"
NO_SEALING_KEY = "no-sealing-key"


@dataclass(frozen=True, slots=True)
class CallKey:
    """Whose recording it is."""

    tenant_id: str
    """The tenant's."""
    call_id: str
    """The call's."""

    @property
    def subject(self) -> tuple[str, str]:
        """What lines of the log name."""
        return self.tenant_id, self.call_id


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one track, at most 2 seconds long, of one codec."""

    codec: str
    """PCMU or PCMA."""
    at_samples: tuple[int, ...]
    """When each frame begins, in samples since the track's time 0, never falling."""
    frames: tuple[bytes, ...]
    """The frames as they were received."""

    @property
    def end_samples(self) -> int:
        """Where the last frame ends."""
        return self.at_samples[-1] + len(self.frames[-1])
