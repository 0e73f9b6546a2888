"""The port of speech: what an engine is, what it gives, and how it fails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

from services.chassis.errors import CarillonError, Kind

TELEPHONE_HZ = 8_000
"""Samples per second on the telephone."""


class NoSuchVoice(CarillonError):
    """The engine has no voice of that name."""

    code: ClassVar[str] = "no-such-voice"
    kind: ClassVar[Kind] = Kind.INVALID


class VoiceFailed(CarillonError):
    """The engine did not speak."""

    code: ClassVar[str] = "voice-failed"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


@dataclass(frozen=True, slots=True)
class Speech:
    """What an engine said."""

    samples: bytes
    """Mono, 16-bit little-endian."""
    rate_hz: int
    """Samples per second."""


class Engine(Protocol):
    """Something that speaks."""

    name: str
    """Name and version: prompts of another engine are not mistaken for its own."""

    async def speak(self, text: str, voice: str) -> Speech:
        """The text in that voice; NoSuchVoice, or VoiceFailed when it cannot now."""

    async def close(self) -> None:
        """Releases what it holds."""
