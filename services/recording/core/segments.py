"""Segments: whether one contradicts itself, and which stretch of its track it covers."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from services.recording.model.errors import BadSegment
from services.recording.model.evidence import MAX_INSTANT_MS, Frames, Segment

SAMPLES_PER_MS = {"PCMU": 8, "PCMA": 8, "OPUS": 48}
"""Of each codec's clock (RFC 3551, RFC 7587)."""
RENDERED = frozenset({"PCMU", "PCMA"})
"""Codecs that can be turned into sound."""
MAX_FRAMES = 10_000
"""Of one segment: far more than 2 seconds have."""
OPUS_FRAME_SAMPLES = 960
"""How long an Opus frame is taken to be: 20 ms."""


def check_frames(frames: Frames) -> None:
    """Raises BadSegment when what a segment says of itself does not fit together."""
    if frames.codec not in SAMPLES_PER_MS:
        raise BadSegment(f"codec {frames.codec[:40]!r} is none of {', '.join(SAMPLES_PER_MS)}")
    if not 0 < frames.track_started_at_ms < MAX_INSTANT_MS:
        raise BadSegment("the track has no beginning")
    if len(frames.at_samples) != len(frames.sizes):
        raise BadSegment(f"{len(frames.at_samples)} times for {len(frames.sizes)} frames")
    if len(frames.sizes) > MAX_FRAMES:
        raise BadSegment(f"{len(frames.sizes)} frames, at most {MAX_FRAMES}")
    if sum(frames.sizes) != len(frames.payload):
        raise BadSegment(f"frames of {sum(frames.sizes)} bytes in {len(frames.payload)} bytes")
    if any(later < earlier for earlier, later in pairwise(frames.at_samples)):
        raise BadSegment("its frames are not in the order of time")


def extent(frames: Frames) -> tuple[int, int]:
    """Where the first frame begins and the last one ends, in samples of the codec's clock."""
    if not frames.sizes:
        return 0, 0
    last = OPUS_FRAME_SAMPLES if frames.codec == "OPUS" else frames.sizes[-1]
    return frames.at_samples[0], frames.at_samples[-1] + last


def begins_at_ms(segment: Segment) -> int:
    """UTC milliseconds of its first frame."""
    return segment.track_started_at_ms + segment.from_sample // SAMPLES_PER_MS[segment.codec]


def ends_at_ms(segment: Segment) -> int:
    """UTC milliseconds after its last frame, rounded up."""
    rate = SAMPLES_PER_MS[segment.codec]
    return segment.track_started_at_ms - (-segment.to_sample // rate)


def by_track(segments: Iterable[Segment]) -> dict[str, list[Segment]]:
    """Each track's segments by number; tracks in the order of their ids."""
    tracks: dict[str, list[Segment]] = {}
    for segment in sorted(segments, key=lambda each: (each.track_id, each.number)):
        tracks.setdefault(segment.track_id, []).append(segment)
    return tracks
