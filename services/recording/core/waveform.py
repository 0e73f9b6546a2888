"""The loudest sample of each column of a recording, on a scale that shows quiet speech too."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from services.recording.core.render import Sound
from services.recording.model.errors import BadColumns

MIN_COLUMNS = 100
MAX_COLUMNS = 4_000
DEFAULT_COLUMNS = 1_000
FINE_COLUMNS = 8_000
"""That are drawn and kept: any number that is asked for is made of them."""
SCALE_DB = 60.0
"""From the quietest that shows to full scale."""
_FULL_SCALE = 32_767.0

Peaks: TypeAlias = npt.NDArray[np.int32]


def columns_of(wanted: int) -> int:
    """How many columns are asked for; 0: the usual number. BadColumns."""
    if wanted and not MIN_COLUMNS <= wanted <= MAX_COLUMNS:
        raise BadColumns(f"columns: {MIN_COLUMNS} to {MAX_COLUMNS}, or 0 for {DEFAULT_COLUMNS}")
    return wanted or DEFAULT_COLUMNS


def silence(samples: int) -> Peaks:
    """The columns of a recording of so many samples in which nothing was heard yet."""
    return np.zeros(min(samples, FINE_COLUMNS), dtype=np.int32)


def draw(peaks: Peaks, sound: Sound, *, samples: int) -> None:
    """Raises each column to the loudest of its samples; `samples` is the recording's length."""
    inside = (sound.at >= 0) & (sound.at < samples)
    if not inside.any():
        return
    columns = sound.at[inside] * len(peaks) // samples
    # Samples of one column stand together, so each run needs to be looked for only once.
    begins = np.flatnonzero(np.diff(columns, prepend=-1))
    loudest = np.maximum.reduceat(np.abs(sound.pcm[inside].astype(np.int32)), begins)
    np.maximum.at(peaks, columns[begins], loudest)


def scaled(peaks: Peaks) -> bytes:
    """One byte a column: 0 at 60 dB below full scale or quieter, 255 at full scale."""
    level_db = 20 * np.log10(np.maximum(peaks, 1) / _FULL_SCALE)
    return np.clip(np.round(255 * (1 + level_db / SCALE_DB)), 0, 255).astype(np.uint8).tobytes()


def narrowed(fine: bytes, columns: int) -> bytes:
    """The same in so many columns: each is the loudest of those that it covers."""
    if not fine:
        return bytes(columns)
    return bytes(
        max(fine[len(fine) * n // columns : -(-len(fine) * (n + 1) // columns)])
        for n in range(columns)
    )
