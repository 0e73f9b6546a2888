"""Where each segment lies in a recording's sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.recording.core.finalise import tracks_of
from services.recording.core.prompts import Playing, playings_of
from services.recording.core.segments import RENDERED, SAMPLES_PER_MS, by_track, ends_at_ms
from services.recording.model.calls import Call
from services.recording.model.errors import CodecNotRendered
from services.recording.model.evidence import MAX_DURATION_MS, Recording, Segment

_RATE = 8
"""Samples of sound per millisecond."""

Indices = npt.NDArray[np.int64]


class TrackLine:
    """One track's segments along the sound, found by time."""

    def __init__(self, segments: Sequence[Segment], *, t0_ms: int, caller: bool) -> None:
        """`segments` by number, all of codecs that can be rendered."""
        self.caller = caller
        """True: it is heard on the left."""
        self._segments = tuple(segments)
        origins = [(each.track_started_at_ms - t0_ms) * _RATE for each in segments]
        starts = [at + each.from_sample for at, each in zip(origins, segments, strict=True)]
        ends = [at + each.to_sample for at, each in zip(origins, segments, strict=True)]
        # Frames may overlap by a sender's clock, so the bounds are those of all before, or after.
        self._ends: Indices = np.maximum.accumulate(np.array(ends, dtype=np.int64))
        backwards = np.minimum.accumulate(np.array(starts[::-1], dtype=np.int64))
        self._starts: Indices = backwards[::-1]

    def between(self, first: int, end: int) -> Sequence[Segment]:
        """Segments that may have sound from sample `first` up to `end`, by number."""
        low = int(np.searchsorted(self._ends, first, side="right"))
        high = int(np.searchsorted(self._starts, end, side="left"))
        return self._segments[low:high]


@dataclass(frozen=True, slots=True)
class Timeline:
    """A recording's sound: how long it is, and which segments make it."""

    t0_ms: int
    """UTC milliseconds of its first sample."""
    samples: int
    """How many samples each side has, at 8,000 Hz."""
    lines: tuple[TrackLine, ...]
    """One per track."""
    playings: tuple[Playing, ...]
    """What the caller was played."""


def timeline_of(recording: Recording, call: Call, segments: Sequence[Segment]) -> Timeline:
    """The sound of a recording, finished or as far as it is; CodecNotRendered.

    It begins with the recording, or with the first track where that is earlier.
    """
    voiced = [each for each in segments if each.to_sample > each.from_sample]
    for segment in voiced:
        if segment.codec not in RENDERED:
            raise CodecNotRendered(
                f"track {segment.track_id} is kept as {segment.codec}, which is not rendered"
            )
    t0_ms = min((recording.started_at_ms, *(each.track_started_at_ms for each in voiced)))
    end_ms = max((recording.ended_at_ms, t0_ms, *(ends_at_ms(each) for each in voiced)))
    tracks = recording.tracks or tracks_of(segments, call.legs)
    callers = {track.track_id for track in tracks if track.role == "caller"}
    samples = min(end_ms - t0_ms, MAX_DURATION_MS) * _RATE
    return Timeline(
        t0_ms=t0_ms,
        samples=samples,
        lines=tuple(
            TrackLine(stored, t0_ms=t0_ms, caller=track_id in callers)
            for track_id, stored in by_track(voiced).items()
        ),
        playings=playings_of(recording, callers, t0_ms=t0_ms, samples=samples),
    )


assert {SAMPLES_PER_MS[codec] for codec in RENDERED} == {_RATE}
