"""What one leg is being played, and how far it has got."""

from __future__ import annotations

from collections.abc import Sequence

from media_gateway.rtp.clip import AudioClip
from media_gateway.rtp.model import FRAME_MS, Codec


class Playlist:
    """Clips one after another, once or round and round; the codec may change on the way."""

    __slots__ = ("_clip", "_clips", "_frame", "_loop", "_total", "operation", "resume_key")

    def __init__(
        self, operation: str, clips: Sequence[AudioClip], *, loop: bool, resume_key: str | None
    ) -> None:
        self.operation = operation
        self.resume_key = resume_key
        self._clips = tuple(clip for clip in clips if clip.duration_ms)
        self._loop = loop
        self._total = sum(clip.duration_ms for clip in self._clips) // FRAME_MS
        self._clip = self._frame = 0

    @property
    def exhausted(self) -> bool:
        """Whether the last frame was taken; a loop never is, unless there is nothing in it."""
        return self._clip == len(self._clips)

    @property
    def position(self) -> int:
        """Frames taken in this round."""
        before = sum(clip.duration_ms for clip in self._clips[: self._clip]) // FRAME_MS
        return before + self._frame

    def resume(self, position: int) -> None:
        """Go on from a position of an earlier playlist, also if this one is shorter."""
        if not self._total:
            return
        self._clip, self._frame = 0, position % self._total
        while self._frame >= (frames := self._clips[self._clip].duration_ms // FRAME_MS):
            self._frame -= frames
            self._clip += 1

    def take(self, codec: Codec) -> bytes | None:
        """The next 20 ms; None once exhausted."""
        if self._clip == len(self._clips):
            return None
        frames = self._clips[self._clip].frames(codec)
        frame = frames[self._frame]
        self._frame += 1
        if self._frame == len(frames):
            self._frame = 0
            self._clip += 1
            if self._loop and self._clip == len(self._clips):
                self._clip = 0
        return frame
