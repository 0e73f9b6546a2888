"""Prompts on the shelf: fetched by hash, read once, kept while there is room."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from media_gateway.model import Prompt
from media_gateway.rtp import g711
from media_gateway.rtp.clip import AudioClip
from media_gateway.rtp.errors import BadAudio
from media_gateway.rtp.model import Codec
from services.chassis.blobs import Blobs
from services.chassis.errors import CarillonError, Kind

APOLOGY = Path(__file__).parent.parent / "sounds" / "apology.ulaw"
FETCH_TIMEOUT_S = 2.0
MAX_FETCHES = 256
"""Prompts that are fetched at once."""
_BYTES_PER_SAMPLE = 5
"""int16 samples, and the frames of both laws with what Python needs to hold them."""


class PromptUnavailable(CarillonError):
    """A prompt cannot be had, or is no audio; the reason is in the text."""

    code: ClassVar[str] = "prompt-unavailable"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


class PromptShelf:
    """Audio clips by prompt; the least recently played make room."""

    def __init__(
        self,
        *,
        blobs: Blobs,
        system: Mapping[str, AudioClip],
        max_bytes: int,
        timeout_s: float = FETCH_TIMEOUT_S,
    ) -> None:
        self._blobs = blobs
        self._system = system
        self._max_bytes = max_bytes
        self._timeout_s = timeout_s
        self._kept: OrderedDict[str, AudioClip] = OrderedDict()
        self._fetching: dict[str, asyncio.Task[AudioClip]] = {}
        self.bytes = 0
        """Memory that the kept clips take, about."""

    def at_hand(self, prompts: Sequence[Prompt]) -> list[AudioClip] | None:
        """The clips, if all of them are here; else None."""
        clips: list[AudioClip] = []
        for prompt in prompts:
            clip = self._system.get(prompt.system) if prompt.system else self._take(prompt.sha256)
            if clip is None:
                return None
            clips.append(clip)
        return clips

    async def fetch(self, prompts: Sequence[Prompt], codec: Codec) -> list[AudioClip]:
        """The clips, ready for a codec, from wherever they are; PromptUnavailable after 2 s."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return [await self._one(prompt, codec) for prompt in prompts]
        except TimeoutError:
            raise PromptUnavailable(f"not had within {self._timeout_s} s") from None

    async def _one(self, prompt: Prompt, codec: Codec) -> AudioClip:
        if prompt.system:
            clip = self._system.get(prompt.system)
            if clip is None:
                raise PromptUnavailable(f"no system sound is called {prompt.system}")
            return clip
        if kept := self._take(prompt.sha256):
            return kept
        task = self._fetching.get(prompt.sha256)
        if task is None:
            if len(self._fetching) >= MAX_FETCHES:
                raise PromptUnavailable(f"more than {MAX_FETCHES} prompts are being fetched")
            task = asyncio.ensure_future(self._read(prompt.sha256, codec))
            self._fetching[prompt.sha256] = task
            task.add_done_callback(lambda _: self._fetching.pop(prompt.sha256, None))
        # Another caller may wait for the same prompt: one who gives up takes it from nobody.
        return await asyncio.shield(task)

    async def _read(self, sha256: str, codec: Codec) -> AudioClip:
        try:
            data = await self._blobs.get(sha256)
            clip = await asyncio.to_thread(_decode, data, codec)
        except (CarillonError, BadAudio, OSError) as error:
            raise PromptUnavailable(f"{sha256}: {error}") from error
        self._keep(sha256, clip)
        return clip

    def _take(self, sha256: str) -> AudioClip | None:
        clip = self._kept.get(sha256)
        if clip is not None:
            self._kept.move_to_end(sha256)
        return clip

    def _keep(self, sha256: str, clip: AudioClip) -> None:
        self._kept[sha256] = clip
        self.bytes += _size(clip)
        while self.bytes > self._max_bytes and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self.bytes -= _size(dropped)


def apology() -> AudioClip:
    """The spoken apology that every gateway carries with it, mu-law at 8 kHz on disk."""
    return AudioClip(g711.decode(APOLOGY.read_bytes(), "PCMU"))


def _decode(data: bytes, codec: Codec) -> AudioClip:
    """Reads and encodes off the loop: ten minutes of audio take longer than a packet's time."""
    clip = AudioClip.from_wav(data)
    clip.frames(codec)
    return clip


def _size(clip: AudioClip) -> int:
    return clip.pcm.size * _BYTES_PER_SAMPLE
