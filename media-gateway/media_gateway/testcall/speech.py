"""What the test caller says, spoken once and carried by every gateway."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from media_gateway.rtp import g711
from media_gateway.rtp.clip import AudioClip

SENTENCE: Final = (
    "Hello! This is a test call from Carillon. If you can hear me, callers can reach you, and your "
    "line works. You may hang up now, or listen on: I say this again."
)
_SPOKEN: Final = Path(__file__).parent.parent / "sounds" / "test_call.ulaw"


def sentence() -> AudioClip:
    """The sentence with the pause after it, mu-law at 8 kHz on disk."""
    return AudioClip(g711.decode(_SPOKEN.read_bytes(), "PCMU"))
