"""What can go wrong with recordings, by name."""

from __future__ import annotations

from typing import ClassVar

from services.chassis.errors import CarillonError, Kind


class NoSuchRecording(CarillonError):
    """There is no recording of this call, or the one who asks may not know of it."""

    code: ClassVar[str] = "no-such-recording"
    kind: ClassVar[Kind] = Kind.NOT_FOUND


class BadSegment(CarillonError):
    """A segment that contradicts itself; asking again will not help."""

    code: ClassVar[str] = "bad-segment"
    kind: ClassVar[Kind] = Kind.INVALID


class SegmentDiffers(CarillonError):
    """Another segment is stored, or named, under the same call, track and number."""

    code: ClassVar[str] = "segment-differs"
    kind: ClassVar[Kind] = Kind.CONFLICT


class TooManySegments(CarillonError):
    """A call has more segments than one recording may have."""

    code: ClassVar[str] = "too-many-segments"
    kind: ClassVar[Kind] = Kind.PRECONDITION


class RecordingClosed(CarillonError):
    """The manifest has said what belongs to the recording; nothing is added after it."""

    code: ClassVar[str] = "recording-closed"
    kind: ClassVar[Kind] = Kind.PRECONDITION


class RecordingChanged(CarillonError):
    """The recording changed while it was being finalised; the same again may succeed."""

    code: ClassVar[str] = "recording-changed"
    kind: ClassVar[Kind] = Kind.ABORTED


class BadManifest(CarillonError):
    """A manifest that contradicts itself or is too long."""

    code: ClassVar[str] = "bad-manifest"
    kind: ClassVar[Kind] = Kind.INVALID


class ManifestDiffers(CarillonError):
    """The recording was closed by another manifest."""

    code: ClassVar[str] = "manifest-differs"
    kind: ClassVar[Kind] = Kind.CONFLICT


class SegmentsMissing(CarillonError):
    """Segments that the manifest names never came."""

    code: ClassVar[str] = "segments-missing"
    kind: ClassVar[Kind] = Kind.PRECONDITION


class SegmentDamaged(CarillonError):
    """A stored segment is gone, or is not what was stored."""

    code: ClassVar[str] = "segment-damaged"
    kind: ClassVar[Kind] = Kind.INTERNAL


class RecordingDiskFull(CarillonError):
    """There is no room for another segment; the gateway keeps it and asks again."""

    code: ClassVar[str] = "recording-disk-full"
    kind: ClassVar[Kind] = Kind.EXHAUSTED


class SegmentsUnavailable(CarillonError):
    """The storage of segments cannot be reached now."""

    code: ClassVar[str] = "segments-unavailable"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


class NoSuchSealingKey(CarillonError):
    """A segment was sealed for a key that this service does not have now.

    The gateway keeps it and asks again: the key may only be missing from the file.
    """

    code: ClassVar[str] = "no-such-sealing-key"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


class CodecNotRendered(CarillonError):
    """The recording has a track in a codec that is kept but not rendered as sound."""

    code: ClassVar[str] = "codec-not-rendered"
    kind: ClassVar[Kind] = Kind.PRECONDITION


class MissingListener(CarillonError):
    """The request does not say who listens."""

    code: ClassVar[str] = "missing-listener"
    kind: ClassVar[Kind] = Kind.UNAUTHENTICATED


class BadRange(CarillonError):
    """The part of the sound that is asked for begins after its end."""

    code: ClassVar[str] = "bad-range"
    kind: ClassVar[Kind] = Kind.INVALID


class BadSearch(CarillonError):
    """A search in terms that mean nothing."""

    code: ClassVar[str] = "bad-search"
    kind: ClassVar[Kind] = Kind.INVALID


class TooManyCalls(CarillonError):
    """More calls ended in the stretch than one answer compares."""

    code: ClassVar[str] = "too-many-calls"
    kind: ClassVar[Kind] = Kind.INVALID


class BadColumns(CarillonError):
    """A waveform of fewer or more columns than can be drawn was asked for."""

    code: ClassVar[str] = "bad-columns"
    kind: ClassVar[Kind] = Kind.INVALID


class WaveformsBusy(CarillonError):
    """More waveforms are being drawn than one process draws at once."""

    code: ClassVar[str] = "waveforms-busy"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


class ListeningNotAllowed(CarillonError):
    """The tenant's policy lets agents hear no recordings, not even of their own calls."""

    code: ClassVar[str] = "listening-not-allowed"
    kind: ClassVar[Kind] = Kind.DENIED


class BadPolicy(CarillonError):
    """A policy that says neither `flow` nor `never`."""

    code: ClassVar[str] = "bad-policy"
    kind: ClassVar[Kind] = Kind.INVALID
