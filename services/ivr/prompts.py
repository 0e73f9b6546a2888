"""Spoken prompts as blobs: each text is rendered once and found again by its hash."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict

from services.chassis.blobs import Blobs
from services.chassis.errors import CarillonError
from services.chassis.log import get_logger
from services.chassis.tasks import Tasks
from services.ivr.speech import VoiceFailed
from services.ivr.store import FlowStore
from services.ivr.voice import Voice

log = get_logger("ivr.prompts")

INDEX_LIMIT_S = 0.5
"""For the index to answer while somebody waits for the words."""
THERE_LIMIT_S = 0.3
"""For the storage to say whether it has the words that the index names."""
BELIEVED_S = 10.0
"""How long the index alone is believed, before the storage is asked again."""
MAX_REMEMBERED = 10_000
MAX_WAITING = 1_000
"""Texts that wait for the voice at once; more are refused, so that callers are not kept."""


class Prompts:
    """Gives the blob of a text, from memory, from the index, or from the voice."""

    def __init__(self, *, voice: Voice, blobs: Blobs, store: FlowStore) -> None:
        self._voice = voice
        self._blobs = blobs
        self._store = store
        self._known: OrderedDict[str, str] = OrderedDict()
        self._rendering: dict[str, asyncio.Future[str]] = {}
        self._tasks = Tasks(limit=MAX_WAITING)

    async def blob(self, text: str, language: str, voice: str = "") -> str:
        """The SHA-256 of the text's WAV; NoSuchVoice or VoiceFailed.

        A text asked for by several at once is rendered once, and goes on being rendered when
        those who asked lose patience: the next caller finds it.
        """
        key = self._key(text, language, voice)
        known = self._known.get(key)
        if known is not None:
            self._known.move_to_end(key)
            return known
        rendering = self._rendering.get(key)
        if rendering is None:
            if len(self._rendering) >= MAX_WAITING:
                raise VoiceFailed("too many texts wait for the voice")
            rendering = asyncio.get_running_loop().create_future()
            self._rendering[key] = rendering
            self._tasks.start(self._find(key, text, language, voice, rendering), "prompt")
        return await asyncio.shield(rendering)

    async def close(self) -> None:
        """Stops rendering and releases the voice."""
        await self._tasks.close()
        for rendering in self._rendering.values():
            rendering.cancel()  # of tasks that were cancelled before they began
        await self._voice.close()

    async def _find(
        self, key: str, text: str, language: str, voice: str, found: asyncio.Future[str]
    ) -> None:
        try:
            sha256 = await self._indexed(key)
            if not sha256 or not await self._is_there(key, sha256):
                sha256 = await self._blobs.put(await self._voice.render(text, language, voice))
                await self._index(key, sha256)
        except asyncio.CancelledError:
            found.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - it is handed on to everyone who waits for it
            found.set_exception(error)
            found.exception()  # those who asked may be gone; nobody else needs to hear of it
        else:
            self._known[key] = sha256
            while len(self._known) > MAX_REMEMBERED:
                self._known.popitem(last=False)
            found.set_result(sha256)
        finally:
            del self._rendering[key]

    async def _indexed(self, key: str) -> str:
        try:
            async with asyncio.timeout(INDEX_LIMIT_S):
                return await self._store.prompt(key)
        except (CarillonError, TimeoutError) as error:
            # The index saves work; a voice that speaks again serves the caller all the same.
            log.warning("prompt index away", reason=repr(error))
            return ""

    async def _is_there(self, key: str, sha256: str) -> bool:
        """Whether the storage has it; while it is away, whoever plays it may have it near."""
        try:
            async with asyncio.timeout(THERE_LIMIT_S):
                return await self._blobs.has(sha256)
        except (CarillonError, OSError, TimeoutError) as error:
            log.warning("prompt index believed", reason=repr(error))
        loop = asyncio.get_running_loop()
        loop.call_later(BELIEVED_S, self._known.pop, key, None)
        return True

    async def _index(self, key: str, sha256: str) -> None:
        try:
            async with asyncio.timeout(INDEX_LIMIT_S):
                await self._store.keep_prompt(key, sha256)
        except (CarillonError, TimeoutError) as error:
            log.warning("prompt not indexed", reason=repr(error))

    def _key(self, text: str, language: str, voice: str) -> str:
        parts = f"{self._voice.name}\0{voice}\0{language}\0{text}"
        return hashlib.sha256(parts.encode()).hexdigest()
