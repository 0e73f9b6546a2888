"""What plays to a leg: at once if it is at hand and audio flows, else as soon as both are so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from media_gateway.adapters.prompts import PromptShelf, PromptUnavailable
from media_gateway.core.events import StartSound
from media_gateway.rtp.clip import AudioClip
from media_gateway.rtp.model import Codec
from media_gateway.rtp.port import MediaPort
from services.chassis.ids import LegId
from services.chassis.log import get_logger
from services.chassis.tasks import Tasks

log = get_logger("media")


class MediaEvents(Protocol):
    """Who is told what happens to a leg's audio."""

    def key_pressed(self, leg_id: LegId, key: str, how: str) -> None:
        """A key of the far end's telephone."""

    def sound_ended(self, leg_id: LegId, sound: str, *, failed: bool) -> None:
        """What played came to its end, or could not be played."""

    def media_heard(self, leg_id: LegId) -> None:
        """The first packet since the last negotiation."""

    def media_lost(self, leg_id: LegId) -> None:
        """Nothing came for too long."""


class SoundPlayer:
    """Feeds one leg's port with what it is to hear."""

    def __init__(
        self,
        leg_id: LegId,
        port: MediaPort,
        *,
        shelf: PromptShelf,
        events: MediaEvents,
        tasks: Tasks,
    ) -> None:
        self._leg_id, self._port = leg_id, port
        self._shelf, self._events, self._tasks = shelf, events, tasks
        self._codec: Codec | None = None
        self._wanted: StartSound | None = None

    def ready(self, codec: Codec) -> None:
        """Audio flows, in this codec."""
        self._codec = codec
        self._play_wanted()

    def start(self, sound: StartSound) -> None:
        """Plays something in place of whatever plays."""
        self._wanted = sound
        self._play_wanted()

    def stop(self) -> None:
        """Plays nothing."""
        self._wanted = None
        self._port.stop_play()

    def close(self) -> None:
        """Whatever is still being fetched is not played any more."""
        self._wanted = None

    def _play_wanted(self) -> None:
        sound = self._wanted
        if sound is None or self._codec is None:
            return
        clips = self._shelf.at_hand(sound.prompts)
        if clips is not None:
            self._play(sound, clips)
            return
        self._port.stop_play()
        self._tasks.start(self._fetch(sound, self._codec), "prompt-fetch")

    async def _fetch(self, sound: StartSound, codec: Codec) -> None:
        try:
            clips = await self._shelf.fetch(sound.prompts, codec)
        except PromptUnavailable as error:
            log.warning("prompt unavailable", leg=self._port.leg_id, reason=str(error))
            if self._wanted is sound:
                self._wanted = None
                self._events.sound_ended(self._leg_id, sound.sound, failed=True)
            return
        if self._wanted is sound:
            self._play(sound, clips)

    def _play(self, sound: StartSound, clips: Sequence[AudioClip]) -> None:
        self._wanted = None
        resume_key = ",".join(prompt.name for prompt in sound.prompts) if sound.loop else None
        self._port.play(sound.sound, clips, loop=sound.loop, resume_key=resume_key)
