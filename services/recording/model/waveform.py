"""How loud a recording is, to draw."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Waveform:
    """The loudest sample of each column, on both sides."""

    duration_ms: int
    """Of the recording's sound."""
    left: bytes
    """The caller: one byte a column, 0 (silence) to 255 (full scale), on a scale of 60 dB."""
    right: bytes
    """All others, in as many columns."""
