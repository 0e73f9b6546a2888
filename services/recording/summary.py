"""What closes a call's folder: a recording in words that need no database to be read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from services.chassis.ids import CallId
from services.recording.core.segments import by_track
from services.recording.model.errors import SegmentDamaged
from services.recording.model.evidence import Recording, Segment


@dataclass(frozen=True, slots=True)
class Summary:
    """What a verification needs of it."""

    recording_id: CallId
    """The call."""
    sha256: str
    """Of the whole."""
    segments: tuple[Segment, ...]
    """All that belong to it."""


def summary_of(recording: Recording, segments: Sequence[Segment]) -> bytes:
    """The recording and the hash of each of its segments, as JSON."""
    value = asdict(recording)
    if not recording.markers:
        del value["markers"]  # as it was written before there were any
    value["stored"] = {
        track_id: [_entry(each) for each in stored]
        for track_id, stored in by_track(segments).items()
    }
    return json.dumps(value, indent=1, ensure_ascii=False).encode() + b"\n"


def read_summary(data: bytes) -> Summary:
    """What `summary_of` wrote; SegmentDamaged when it cannot be read."""
    try:
        value = json.loads(data)
        return Summary(
            recording_id=CallId(value["recording_id"]),
            sha256=value["sha256"],
            segments=tuple(
                Segment(track_id=track_id, **each)
                for track_id, stored in value["stored"].items()
                for each in stored
            ),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SegmentDamaged(f"recording.json cannot be read: {error}") from None


def differs(data: bytes, recording: Recording, segments: Sequence[Segment]) -> str:
    """How what was written differs from what it should be, in words; empty: it does not."""
    try:
        sha256 = read_summary(data).sha256
    except SegmentDamaged as error:
        return str(error)
    if sha256 != recording.sha256:
        return "recording.json tells another hash"
    if json.loads(data) != json.loads(summary_of(recording, segments)):
        return "recording.json is not what was written"
    return ""


def _entry(segment: Segment) -> dict[str, Any]:
    entry = asdict(segment)
    del entry["track_id"]
    return entry
