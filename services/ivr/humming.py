"""A voice for simulations: hums for as long as the words would take, and starts no process."""

from __future__ import annotations

from services.ivr.speech import TELEPHONE_HZ, Speech

SAMPLES_PER_LETTER = TELEPHONE_HZ // 15
"""About fifteen letters a second, as people and engines speak."""
PERIOD = 20
"""Samples: 400 Hz."""
AMPLITUDE = 4_000


class Humming:
    """An engine whose speech depends on nothing but the text's length."""

    name = "humming 1"

    async def speak(self, text: str, voice: str) -> Speech:  # noqa: ARG002 - it hums in every voice
        """A triangle wave at 8,000 Hz."""
        half = PERIOD // 2
        period = [AMPLITUDE * (abs(at - half) - half // 2) // half for at in range(PERIOD)]
        wave = b"".join(sample.to_bytes(2, "little", signed=True) for sample in period)
        return Speech(wave * (len(text) * SAMPLES_PER_LETTER // PERIOD), TELEPHONE_HZ)

    async def close(self) -> None:
        """Nothing is held."""
