"""One call as its recording sees it: from what was decided to what the manifest will say."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from media_gateway.core import events as e
from media_gateway.core import facts as f
from media_gateway.core.state import Call
from media_gateway.model import LegRole, RecordingState
from media_gateway.recording.cutter import TrackCutter
from media_gateway.recording.markers import end_markers, note_marker
from media_gateway.recording.model import CallKey
from media_gateway.rtp.model import Heard, Tap
from protos.recording.v1 import recording_pb2
from services.chassis.ids import LegId

MAX_FRAMES_WAITING = 2_000
"""Of one leg between two writes: 40 s of a disk that stands still.

Then the oldest are lost, which the writer marks as a gap.
"""
MAX_PLAYED = 1_000
"""Entries of the log of what was played; a call that hears more has the newest left out."""
MAX_TRACKS = 1_000


@dataclass(slots=True)
class Track:
    """What one leg says."""

    track_id: str
    """The leg."""
    started_at_ms: int
    """Its time 0; UTC milliseconds."""
    cutter: TrackCutter
    """Used by the writing thread only."""
    frames: deque[Heard] = field(default_factory=lambda: deque(maxlen=MAX_FRAMES_WAITING))
    """Heard and not written yet."""
    number: int = 0
    """Of its last segment; the writing thread's."""
    missing: recording_pb2.Gap | None = None
    """A stretch that could not be written, and has not ended yet; the writing thread's."""
    noted: recording_pb2.Gap | None = None
    """The gap as the log has it; the writing thread's."""
    heard_until_ms: int = 0
    """Where the last frame that was cut ends; UTC milliseconds; the writing thread's."""

    def __post_init__(self) -> None:
        """Nothing was heard before its beginning."""
        self.heard_until_ms = self.heard_until_ms or self.started_at_ms

    def take_frames(self) -> list[Heard]:
        """What was heard since the last time."""
        taken = list(self.frames)
        self.frames.clear()
        return taken


class CallRecording:
    """Follows one call from its first decision; it records from the moment it may."""

    def __init__(self) -> None:
        self.call: CallKey | None = None
        """Set once the recording has begun."""
        self.tracks: dict[LegId, Track] = {}
        """By leg."""
        self.changed = False
        """Whether more is known of the call than the log says."""
        self.over = False
        """Whether the call has ended."""
        self._manifest = recording_pb2.Manifest()
        self._roles: dict[LegId, tuple[LegRole, str]] = {}
        self._playing: dict[LegId, recording_pb2.Played] = {}

    def begin(self, call: Call, basis: str, *, now_ms: int, incarnation: str) -> None:
        """The call may be recorded from now on."""
        self.call = CallKey(call.flow.tenant_id, call.call_id)
        made = self._manifest
        made.call_id = call.call_id
        setattr(made, "from", call.invitation.caller)
        made.to = call.invitation.called
        made.started_at_ms = now_ms
        made.consent = basis
        made.incarnation = incarnation
        self.changed = True

    def known(self) -> recording_pb2.Manifest:
        """All that is known now, for the log."""
        self.changed = False
        made = recording_pb2.Manifest()
        made.CopyFrom(self._manifest)
        return made

    def tap(self, leg_id: LegId, *, now_ms: int) -> Tap | None:
        """Where what a leg says is to be put; None when it has no room."""
        track = self.tracks.get(leg_id)
        if track is None:
            if len(self.tracks) >= MAX_TRACKS:
                return None
            role, agent_id = self._roles.get(leg_id, (LegRole.CALLER, ""))
            track = Track(leg_id, now_ms, TrackCutter(started_at_ms=now_ms))
            self.tracks[leg_id] = track
            self._manifest.tracks.add(
                track_id=leg_id, role=role.value, agent_id=agent_id, started_at_ms=now_ms
            )
            self.changed = True
        return track.frames.append

    def observe(self, event: e.Event, *, now_ms: int) -> None:
        """Learns from a decision what the manifest has to say."""
        match event:
            case e.PublishFact(body=body, at_ms=at_ms):
                self._learn(body, at_ms)
                # What happened before the recording is in no part of it.
                if self.call is not None and note_marker(self._manifest, body, at_ms=at_ms):
                    self.changed = True
            case e.LegBecame(leg=leg) if not leg.sound:
                self._stop_playing(leg.leg_id, now_ms)
            case e.CloseMedia(leg_id=leg_id):
                self._stop_playing(leg_id, now_ms)
                self._end_track(leg_id, now_ms)
            case e.StartSound():
                self._start_playing(event, now_ms)
            case _:
                pass

    def _learn(self, body: f.FactBody, at_ms: int) -> None:
        match body:
            case f.LegStarted(leg_id=leg_id, role=role, agent_id=agent_id):
                self._roles[leg_id] = (role, agent_id)
            case f.LegsBridged():
                self._manifest.answered = True
                self.changed = True
            case f.RecordingChanged():
                self._note_pause(body, at_ms)
            case f.CallEnded():
                self._end(at_ms)
            case _:
                pass

    def _note_pause(self, body: f.RecordingChanged, at_ms: int) -> None:
        pauses = self._manifest.pauses
        if pauses and not pauses[-1].to_ms:
            pauses[-1].to_ms = at_ms
        if body.state is RecordingState.PAUSED:
            pauses.add(from_ms=at_ms, reason=body.reason, by=body.by)
        self.changed = True

    def _start_playing(self, event: e.StartSound, now_ms: int) -> None:
        self._stop_playing(event.leg_id, now_ms)
        if len(self._manifest.played) >= MAX_PLAYED:
            return
        self._playing[event.leg_id] = self._manifest.played.add(
            leg_id=event.leg_id,
            from_ms=now_ms,
            prompts=[prompt.name for prompt in event.prompts],
            loop=event.loop,
        )
        self.changed = True

    def _stop_playing(self, leg_id: LegId, now_ms: int) -> None:
        if played := self._playing.pop(leg_id, None):
            played.to_ms = now_ms
            self.changed = True

    def _end_track(self, leg_id: LegId, now_ms: int) -> None:
        end_markers(self._manifest, at_ms=now_ms, leg_id=leg_id)
        for track in self._manifest.tracks:
            if track.track_id == leg_id and not track.ended_at_ms:
                track.ended_at_ms = now_ms
                self.changed = True

    def _end(self, at_ms: int) -> None:
        self.over = True
        for leg_id in list(self._playing):
            self._stop_playing(leg_id, at_ms)
        for leg_id in self.tracks:
            self._end_track(leg_id, at_ms)
        end_markers(self._manifest, at_ms=at_ms)
        self._manifest.ended_at_ms = max(at_ms, self._manifest.started_at_ms)
        self.changed = True
