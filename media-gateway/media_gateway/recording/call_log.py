"""A recording's log in the spool, and the manifest that follows from it.

Appended to while the call runs: what is known of the call (the last word counts), each segment
with its hash and stretch, each gap, each segment that was refused later. So whoever finds the log,
the gateway that wrote it or its successor, makes the same manifest of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from media_gateway.recording.markers import end_markers
from media_gateway.recording.model import GATEWAY_LOST, SEGMENT_LOST
from media_gateway.records import framed
from protos.recording.v1 import recording_pb2

ADJACENT_MS = 100
"""Stretches that lie so close to each other are one."""
_KNOWN, _SEGMENT, _GAP, _LOST = b"K", b"S", b"G", b"L"


def known(manifest: recording_pb2.Manifest) -> bytes:
    """What is known of the call now, without hashes and gaps."""
    return framed(_KNOWN + manifest.SerializeToString())


def segment(track_id: str, sha256: str, *, from_ms: int, to_ms: int) -> bytes:
    """The next segment of a track."""
    return framed(
        _SEGMENT
        + recording_pb2.Track(
            track_id=track_id,
            started_at_ms=from_ms,
            ended_at_ms=to_ms,
            segment_sha256=[sha256],
        ).SerializeToString()
    )


def gap(missing: recording_pb2.Gap) -> bytes:
    """A stretch that is missing."""
    return framed(_GAP + missing.SerializeToString())


def lost(track_id: str, number: int) -> bytes:
    """A segment that was written and will never be stored."""
    return framed(_LOST + f"{number} {track_id}".encode())


@dataclass(slots=True)
class _Track:
    segments: list[recording_pb2.Track] = field(default_factory=list)
    lost: set[int] = field(default_factory=set)


class CallLog:
    """A log read back."""

    def __init__(self, records: Iterable[bytes]) -> None:
        self._known = recording_pb2.Manifest()
        self._tracks: dict[str, _Track] = {}
        self._gaps: list[recording_pb2.Gap] = []
        for record in records:
            self._take(record[:1], record[1:])

    @property
    def incarnation(self) -> str:
        """The gateway process that wrote it; empty when nothing of it is whole."""
        return self._known.incarnation

    @property
    def heard_until_ms(self) -> int:
        """Where the last segment or gap ends; UTC milliseconds."""
        ends = [each.ended_at_ms for track in self._tracks.values() for each in track.segments]
        return max((*ends, *(each.to_ms for each in self._gaps)), default=self._known.started_at_ms)

    def manifest(self) -> recording_pb2.Manifest:
        """The manifest as it follows."""
        made = recording_pb2.Manifest()
        made.CopyFrom(self._known)
        made.gaps.extend(self._gaps)
        for track in made.tracks:
            self._fill(track, made)
        return made

    def closing(self, *, at_ms: int) -> list[bytes]:
        """Records that end what nobody ended, since its gateway died at that instant.

        Each track that was open misses what came after its last segment, or its last gap.
        """
        made = recording_pb2.Manifest()
        made.CopyFrom(self._known)
        at_ms = max(at_ms, self.heard_until_ms)
        made.ended_at_ms = made.ended_at_ms or at_ms
        gaps = []
        for track in made.tracks:
            if track.ended_at_ms:
                continue
            track.ended_at_ms = at_ms
            from_ms = self._accounted_until_ms(track)
            missing = recording_pb2.Gap(track_id=track.track_id, from_ms=from_ms, to_ms=at_ms)
            missing.reason = GATEWAY_LOST
            gaps.append(gap(missing))
        for pause in made.pauses:
            pause.to_ms = pause.to_ms or at_ms
        for played in made.played:
            played.to_ms = played.to_ms or at_ms
        end_markers(made, at_ms=at_ms)
        # Gaps first: a track whose end is known misses nothing, to whoever reads half of this.
        return [*gaps, known(made)]

    def _accounted_until_ms(self, track: recording_pb2.Track) -> int:
        """Where the last segment or gap of a track ends."""
        written = self._tracks.get(track.track_id, _Track()).segments
        gaps = [each.to_ms for each in self._gaps if each.track_id == track.track_id]
        ends = [each.ended_at_ms for each in written]
        return max((track.started_at_ms, *ends, *gaps))

    def _take(self, kind: bytes, data: bytes) -> None:
        if kind == _KNOWN:
            self._known = recording_pb2.Manifest.FromString(data)
        elif kind == _SEGMENT:
            each = recording_pb2.Track.FromString(data)
            self._tracks.setdefault(each.track_id, _Track()).segments.append(each)
        elif kind == _GAP:
            self._add_gap(recording_pb2.Gap.FromString(data))
        elif kind == _LOST:
            number, _, track_id = data.decode().partition(" ")
            self._tracks.setdefault(track_id, _Track()).lost.add(int(number))

    def _add_gap(self, more: recording_pb2.Gap) -> None:
        """A disk that stays full makes one gap, however often it was tried meanwhile."""
        for earlier in self._gaps:
            same = (earlier.track_id, earlier.reason) == (more.track_id, more.reason)
            if same and more.from_ms <= earlier.to_ms + ADJACENT_MS:
                earlier.to_ms = max(earlier.to_ms, more.to_ms)
                return
        self._gaps.append(more)

    def _fill(self, track: recording_pb2.Track, made: recording_pb2.Manifest) -> None:
        written = self._tracks.get(track.track_id, _Track())
        for number, each in enumerate(written.segments, start=1):
            if number not in written.lost:
                track.segment_sha256.append(each.segment_sha256[0])
                continue
            track.segment_sha256.append("")
            made.gaps.add(
                track_id=track.track_id,
                from_ms=each.started_at_ms,
                to_ms=each.ended_at_ms,
                reason=SEGMENT_LOST,
            )
