"""A recording and its parts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from services.chassis.ids import CallId, TenantId

MAX_SEGMENT_BYTES = 1024 * 1024
"""Of one sealed segment."""
MAX_SEGMENTS = 200_000
"""Of one call."""
MAX_DURATION_MS = 24 * 3_600_000
"""What is rendered of one recording; a call that lasts longer has an error in its clock."""

MAX_INSTANT_MS = 1 << 48
"""No instant is as late (RFC 9562 counts as far)."""


class State(StrEnum):
    """How far a recording is."""

    RECORDING = "recording"
    COMPLETE = "complete"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True)
class Frames:
    """The cleartext of a segment: up to 2 seconds of one track."""

    codec: str
    """PCMU, PCMA or OPUS."""
    track_started_at_ms: int
    """UTC milliseconds of the track's time 0."""
    at_samples: tuple[int, ...]
    """When each frame begins, in samples of the codec's clock since the track's time 0."""
    sizes: tuple[int, ...]
    """Bytes of each frame."""
    payload: bytes
    """The frames, one after another."""


@dataclass(frozen=True, slots=True)
class Segment:
    """What is known of a stored segment without opening it."""

    track_id: str
    """The leg."""
    number: int
    """From 1 within the track."""
    sha256: str
    """Of the cleartext, lower-case hex."""
    size_bytes: int
    """Of the cleartext."""
    codec: str
    """PCMU, PCMA or OPUS."""
    track_started_at_ms: int
    """UTC milliseconds of the track's time 0."""
    from_sample: int
    """Where its first frame begins, since the track's time 0."""
    to_sample: int
    """Where its last frame ends; `from_sample` when it has no frames."""
    incarnation: str
    """The gateway process that wrote it."""

    @property
    def name(self) -> str:
        """`track/number`."""
        return f"{self.track_id}/{self.number}"


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of a track that is missing."""

    track_id: str
    """The leg."""
    from_ms: int
    """UTC milliseconds."""
    to_ms: int
    """UTC milliseconds."""
    reason: str
    """disk-full, disk-slow, no-sealing-key, gateway-lost, segment-lost or damaged."""


@dataclass(frozen=True, slots=True)
class Pause:
    """A stretch that was deliberately not recorded."""

    from_ms: int
    """UTC milliseconds."""
    to_ms: int
    """UTC milliseconds; 0: never taken up again."""
    reason: str
    """As the one who asked said."""
    by: str
    """The user who asked; empty: the flow."""


@dataclass(frozen=True, slots=True)
class Played:
    """Something that Carillon played to a leg."""

    leg_id: str
    """The leg that heard it."""
    from_ms: int
    """UTC milliseconds."""
    to_ms: int
    """UTC milliseconds."""
    prompts: tuple[str, ...]
    """SHA-256 of blobs, or names of system sounds."""
    loop: bool
    """True: over and over until `to_ms`."""


@dataclass(frozen=True, slots=True)
class Marker:
    """Something that happened during a recording and that a listener wants to find."""

    kind: str
    """hold, mute, transfer or keys."""
    from_ms: int
    """UTC milliseconds."""
    to_ms: int
    """UTC milliseconds; 0: at an instant, or to the end."""
    leg_id: str
    """Whose."""
    count: int = 0
    """Of keys: how many, one soon after another; which ones is not kept."""


@dataclass(frozen=True, slots=True)
class Track:
    """What one leg said."""

    track_id: str
    """The leg."""
    role: str
    """caller, agent or external."""
    agent_id: str
    """Of an agent's leg."""
    started_at_ms: int
    """UTC milliseconds."""
    ended_at_ms: int
    """UTC milliseconds."""
    segment_count: int
    """How many segments it has, lost ones included."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that belongs to a recording, said once by the gateway when it is over."""

    call_id: CallId
    """The call."""
    sha256: str
    """Of the manifest as it came: the same again is the same manifest."""
    from_number: str
    """Who called."""
    to_number: str
    """What was called."""
    started_at_ms: int
    """UTC milliseconds."""
    ended_at_ms: int
    """UTC milliseconds."""
    consent: str
    """announced, agreed or policy."""
    answered: bool
    """False: neither an agent nor a number outside answered."""
    incarnation: str
    """The gateway process whose clock the instants are on."""
    tracks: tuple[Track, ...]
    """One per leg."""
    named: tuple[tuple[str, ...], ...]
    """Of each track, the SHA-256 of its segments in order from 1; empty: lost."""
    gaps: tuple[Gap, ...] = ()
    """What the gateway knows to be missing."""
    pauses: tuple[Pause, ...] = ()
    """What was deliberately left out."""
    played: tuple[Played, ...] = ()
    """What Carillon played."""
    markers: tuple[Marker, ...] = ()
    """What happened, in order."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One call's recording; its id is the call's."""

    recording_id: CallId
    """The call."""
    state: State
    """How far it is."""
    incarnation: str
    """The gateway process that wrote its last segment."""
    started_at_ms: int
    """UTC milliseconds."""
    ended_at_ms: int
    """UTC milliseconds; 0 while it goes on."""
    heard_at_ms: int
    """When its last segment arrived, on this service's clock."""
    from_number: str = ""
    """Who called; empty until the manifest."""
    to_number: str = ""
    """What was called; empty until the manifest."""
    consent: str = ""
    """announced, agreed or policy; empty until the manifest."""
    sha256: str = ""
    """Over the cleartext segments in the order of track and number; empty while it goes on."""
    manifest_sha256: str = ""
    """Of the manifest; empty: none has come."""
    segments: int = 0
    """Stored."""
    size_bytes: int = 0
    """Of all segments' cleartext."""
    tracks: tuple[Track, ...] = ()
    """One per leg; known at the end."""
    gaps: tuple[Gap, ...] = ()
    """What is missing."""
    pauses: tuple[Pause, ...] = ()
    """What was deliberately left out."""
    played: tuple[Played, ...] = ()
    """What Carillon played."""
    markers: tuple[Marker, ...] = ()
    """What happened, in order."""


@dataclass(frozen=True, slots=True)
class Listening:
    """One time that somebody listened."""

    listening_id: str
    """UUIDv7."""
    recording_id: CallId
    """What they heard."""
    listener_id: str
    """The user."""
    listener_name: str
    """What people called them then."""
    at_ms: int
    """UTC milliseconds."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What a verification found."""

    recording_id: CallId
    """What was verified."""
    expected_sha256: str
    """What was computed at the end of the call."""
    computed_sha256: str
    """What is computed now."""
    segments_checked: int
    """How many segments should be there."""
    faults: tuple[str, ...]
    """What is wrong, in words, by `track/number`."""
    at_ms: int
    """UTC milliseconds."""

    @property
    def intact(self) -> bool:
        """Every segment is there and is what it was, and so is the whole."""
        return not self.faults and self.expected_sha256 == self.computed_sha256


@dataclass(frozen=True, slots=True)
class Place:
    """A recording, wherever it may be among all tenants'."""

    tenant_id: TenantId
    """Whose."""
    recording_id: CallId
    """Which."""
