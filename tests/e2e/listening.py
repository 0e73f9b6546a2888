"""What a phone has heard so far: for sounds that end by themselves, sooner than a test may look."""

from __future__ import annotations

from tests.softphone.audio import RATE_HZ, tone_level_dbm0
from tests.softphone.hearing import TONE_DBM0, Audible

WINDOW = RATE_HZ // 5
"""Samples: a tone that was there for this long was heard."""


def has_heard(call: Audible, freq_hz: float, since_s: float = 0.0) -> bool:
    """Whether a tone was there at any time since `since_s` on the call's timeline (`heard_s`)."""
    pcm = call.received_pcm(since_s)
    begins = range(0, len(pcm) - WINDOW + 1, WINDOW // 4)
    return any(tone_level_dbm0(pcm[at : at + WINDOW], freq_hz) > TONE_DBM0 for at in begins)
