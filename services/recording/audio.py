"""The sound of a recording as a WAV, any part of it, rendered as it is read."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass

from services.chassis.blobs import Blobs
from services.chassis.errors import CarillonError
from services.chassis.ids import CallId, TenantId
from services.chassis.log import get_logger
from services.recording.core.g711 import Pcm
from services.recording.core.prompts import Playing, clip_of, heard
from services.recording.core.render import Sound, interleave, mix, sound_of
from services.recording.core.timeline import Timeline, TrackLine
from services.recording.core.wav import HEADER_BYTES, Piece, header, pieces, total_bytes
from services.recording.examining import Examiner
from services.recording.model.errors import SegmentDamaged
from services.recording.model.evidence import Segment
from services.recording.wire import clear_frames

log = get_logger("recording")

MAX_CLIPS = 32
"""Prompts that are kept for one listener at once."""
MAX_PROMPTS = 100
"""That are rendered of what was played in one go."""


@dataclass(frozen=True, slots=True)
class Source:
    """Which recording is rendered."""

    tenant_id: TenantId
    """Whose."""
    recording_id: CallId
    """Which."""
    timeline: Timeline
    """Where its segments lie."""

    @property
    def total_bytes(self) -> int:
        """Of the whole WAV."""
        return total_bytes(self.timeline.samples)


class Clips:
    """Prompts as sound, for one who hears or draws a recording; the last few are kept."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._kept: OrderedDict[str, Pcm | None] = OrderedDict()

    async def of(self, playing: Playing) -> list[Pcm | None]:
        """The samples of what was played, one after another; None: see `_clip`."""
        return [await self._clip(each) for each in playing.prompts[:MAX_PROMPTS]]

    async def _clip(self, prompt: str) -> Pcm | None:
        """A prompt's samples; None for system sounds, which only gateways have, and what is gone.

        What is beyond the number that is kept at once is fetched again.
        """
        if prompt in self._kept:
            return self._kept[prompt]
        try:
            clip = clip_of(await self._blobs.get(prompt))
        except CarillonError:
            clip = None
        self._kept[prompt] = clip
        if len(self._kept) > MAX_CLIPS:
            self._kept.popitem(last=False)
        return clip


class Renderer:
    """Renders one listener's range; keeps the segments that the next piece needs, too."""

    def __init__(self, *, examiner: Examiner, blobs: Blobs, source: Source) -> None:
        """`blobs` has the prompts that were played."""
        self._examiner = examiner
        self._source = source
        self._kept: dict[Segment, Sound] = {}
        self._clips = Clips(blobs)

    async def read(self, first: int, end: int) -> AsyncIterator[bytes]:
        """The bytes of the WAV from `first` up to `end`, at most 64 KiB at a time."""
        if first < HEADER_BYTES and first < end:
            yield header(self._source.timeline.samples)[first:end]
        for piece in pieces(max(0, first - HEADER_BYTES), end - HEADER_BYTES):
            yield await self._render(piece)

    async def _render(self, piece: Piece) -> bytes:
        sides: dict[bool, list[list[Sound]]] = {True: [], False: []}
        used: dict[Segment, Sound] = {}
        for line in self._source.timeline.lines:
            sounds = await self._sounds(line, piece)
            used.update(sounds)
            sides[line.caller].append(list(sounds.values()))
        self._kept = used
        sides[False].append(await self._prompts(piece))
        left, right = (
            mix(sides[side], first=piece.first, count=piece.count) for side in (True, False)
        )
        return interleave(left, right)[piece.skip : piece.skip + piece.take]

    async def _sounds(self, line: TrackLine, piece: Piece) -> dict[Segment, Sound]:
        sounds = {}
        for segment in line.between(piece.first, piece.first + piece.count):
            sound = self._kept.get(segment) or await self._open(segment)
            if sound is not None:
                sounds[segment] = sound
        return sounds

    async def _prompts(self, piece: Piece) -> list[Sound]:
        """What Carillon played to the caller meanwhile; one after another, never at once."""
        end = piece.first + piece.count
        return [
            heard(
                playing,
                await self._clips.of(playing),
                first=piece.first,
                count=piece.count,
            )
            for playing in self._source.timeline.playings
            if playing.first < end and piece.first < playing.end
        ]

    async def _open(self, segment: Segment) -> Sound | None:
        """A segment as sound; what is damaged is silence, and said to the log."""
        source = self._source
        try:
            clear = await self._examiner.open(source.tenant_id, source.recording_id, segment)
        except SegmentDamaged as error:
            log.error(
                "stored segment is damaged",
                call=source.recording_id,
                segment=segment.name,
                why=str(error),
            )
            return None
        return sound_of(clear_frames(clear), t0_ms=source.timeline.t0_ms)
