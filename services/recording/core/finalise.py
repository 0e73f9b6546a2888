"""The end of a recording: what the manifest claims against what is stored, and what is missing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from services.recording.core.segments import begins_at_ms, by_track, ends_at_ms
from services.recording.model.calls import Leg
from services.recording.model.errors import BadManifest, SegmentDiffers, SegmentsMissing
from services.recording.model.evidence import (
    MAX_DURATION_MS,
    MAX_INSTANT_MS,
    MAX_SEGMENTS,
    Gap,
    Manifest,
    Recording,
    Segment,
    State,
    Track,
)

MAX_TRACKS = 1_000
MAX_MARKS = 10_000
"""Gaps, pauses, and things played, of each."""
MAX_MARKERS = 1_000
MAX_NAMED_IN_ERROR = 20
_SHA256 = re.compile(r"[0-9a-f]{64}")


def check_manifest(manifest: Manifest) -> None:
    """Raises BadManifest when it contradicts itself or is beyond a limit."""
    if not 0 < manifest.started_at_ms <= manifest.ended_at_ms < MAX_INSTANT_MS:
        raise BadManifest("it ends before it begins")
    if manifest.ended_at_ms - manifest.started_at_ms > MAX_DURATION_MS:
        raise BadManifest(f"it lasts longer than {MAX_DURATION_MS} ms")
    if len(manifest.tracks) > MAX_TRACKS:
        raise BadManifest(f"{len(manifest.tracks)} tracks, at most {MAX_TRACKS}")
    if len({track.track_id for track in manifest.tracks}) != len(manifest.tracks):
        raise BadManifest("it names a track twice")
    if sum(track.segment_count for track in manifest.tracks) > MAX_SEGMENTS:
        raise BadManifest(f"more than {MAX_SEGMENTS} segments")
    for marks in (manifest.gaps, manifest.pauses, manifest.played):
        if len(marks) > MAX_MARKS:
            raise BadManifest(f"{len(marks)} gaps, pauses or prompts, at most {MAX_MARKS}")
    if len(manifest.markers) > MAX_MARKERS:
        raise BadManifest(f"{len(manifest.markers)} markers, at most {MAX_MARKERS}")
    for hashes in manifest.named:
        if not all(_SHA256.fullmatch(each) for each in hashes if each):
            raise BadManifest("a segment's hash is no SHA-256 in lower-case hex")


def compare(manifest: Manifest, segments: Iterable[Segment]) -> None:
    """Raises SegmentsMissing or SegmentDiffers when it names what is not stored."""
    stored = {(each.track_id, each.number): each.sha256 for each in segments}
    missing = []
    for track, hashes in zip(manifest.tracks, manifest.named, strict=True):
        for number, sha256 in enumerate(hashes, start=1):
            found = stored.get((track.track_id, number))
            if sha256 and found is None:
                missing.append(f"{track.track_id}/{number}")
            elif sha256 and found != sha256:
                raise SegmentDiffers(f"{track.track_id}/{number} is stored with another hash")
    if missing:
        more = f" and {len(missing) - MAX_NAMED_IN_ERROR} more"
        tail = more if len(missing) > MAX_NAMED_IN_ERROR else ""
        raise SegmentsMissing(", ".join(missing[:MAX_NAMED_IN_ERROR]) + tail)


def close_by_manifest(
    recording: Recording,
    manifest: Manifest,
    segments: Sequence[Segment],
    *,
    sha256: str,
    damaged: Iterable[Segment] = (),
) -> Recording:
    """The recording as it will stay: complete, unless something of it is missing."""
    stored = by_track(segments)
    gaps = [*manifest.gaps, *(_damage(each) for each in damaged)]
    for track in manifest.tracks:
        holes = _holes(track, stored.get(track.track_id, []))
        gaps += [hole for hole in holes if not any(_touches(gap, hole) for gap in manifest.gaps)]
    return replace(
        recording,
        state=State.INCOMPLETE if gaps else State.COMPLETE,
        incarnation=manifest.incarnation,
        started_at_ms=manifest.started_at_ms,
        ended_at_ms=manifest.ended_at_ms,
        from_number=manifest.from_number,
        to_number=manifest.to_number,
        consent=manifest.consent,
        sha256=sha256,
        manifest_sha256=manifest.sha256,
        segments=len(segments),
        size_bytes=sum(each.size_bytes for each in segments),
        tracks=manifest.tracks,
        gaps=_in_order(gaps),
        pauses=manifest.pauses,
        played=manifest.played,
        markers=manifest.markers,
    )


def close_without_manifest(
    recording: Recording,
    segments: Sequence[Segment],
    *,
    sha256: str,
    lost_at_ms: int,
    legs: Mapping[str, Leg],
    damaged: Iterable[Segment] = (),
) -> Recording:
    """The recording of a lost gateway: what it shipped, and its tail marked as a gap.

    `lost_at_ms` is when the gateway, or the call, was last heard of.
    """
    gaps = [_damage(each) for each in damaged]
    tracks = tracks_of(segments, legs)
    stored = by_track(segments)
    for track in tracks:
        gaps += _holes(track, stored[track.track_id])
        until_ms = max(track.ended_at_ms, lost_at_ms)
        gaps.append(Gap(track.track_id, track.ended_at_ms, until_ms, "gateway-lost"))
    return replace(
        recording,
        state=State.INCOMPLETE,
        started_at_ms=min((track.started_at_ms for track in tracks), default=lost_at_ms),
        ended_at_ms=max((lost_at_ms, *(track.ended_at_ms for track in tracks))),
        sha256=sha256,
        segments=len(segments),
        size_bytes=sum(each.size_bytes for each in segments),
        tracks=tracks,
        gaps=_in_order(gaps),
    )


def tracks_of(segments: Iterable[Segment], legs: Mapping[str, Leg]) -> tuple[Track, ...]:
    """Tracks as their segments show them.

    Of legs that nobody told about, the first to speak is taken for the caller's if no other is.
    """
    tracks = []
    for track_id, stored in by_track(segments).items():
        leg = legs.get(track_id, Leg(role="", agent_id=""))
        tracks.append(
            Track(
                track_id=track_id,
                role=leg.role,
                agent_id=leg.agent_id,
                started_at_ms=min(each.track_started_at_ms for each in stored),
                ended_at_ms=max(ends_at_ms(each) for each in stored),
                segment_count=stored[-1].number,
            )
        )
    tracks.sort(key=lambda track: (track.started_at_ms, track.track_id))
    return tuple(_with_roles(tracks))


def _with_roles(tracks: Sequence[Track]) -> Iterable[Track]:
    caller_known = any(track.role == "caller" for track in tracks)
    for track in tracks:
        if track.role:
            yield track
            continue
        yield replace(track, role="external" if caller_known else "caller")
        caller_known = True


def _holes(track: Track, stored: Sequence[Segment]) -> list[Gap]:
    """Stretches of lost segments, from the sound before to the sound after."""
    holes = []
    last_number, last_ms = 0, track.started_at_ms
    for segment in stored:
        if segment.number > last_number + 1:
            until_ms = max(last_ms, begins_at_ms(segment))
            holes.append(Gap(track.track_id, last_ms, until_ms, "segment-lost"))
        last_number, last_ms = segment.number, ends_at_ms(segment)
    if track.segment_count > last_number:
        until_ms = max(last_ms, track.ended_at_ms)
        holes.append(Gap(track.track_id, last_ms, until_ms, "segment-lost"))
    return holes


def _damage(segment: Segment) -> Gap:
    return Gap(segment.track_id, begins_at_ms(segment), ends_at_ms(segment), "damaged")


def _touches(gap: Gap, hole: Gap) -> bool:
    return gap.track_id == hole.track_id and gap.from_ms <= hole.to_ms and hole.from_ms <= gap.to_ms


def _in_order(gaps: Iterable[Gap]) -> tuple[Gap, ...]:
    return tuple(sorted(gaps, key=lambda gap: (gap.from_ms, gap.track_id, gap.to_ms)))
