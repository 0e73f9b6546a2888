"""When a menu has fallen silent, so that a key may be pressed as a polite caller would."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from media_gateway.rtp import g711
from media_gateway.rtp.model import Codec, Heard

LOUD_DBFS: Final = -45.0
"""The root mean square of a packet at which somebody speaks."""
SILENT_MS: Final = 700
"""Longer than the pauses between a menu's sentences."""
PATIENCE_MS: Final = 4_000
"""A menu that never falls silent, such as music, is not waited for longer."""
_FULL_SCALE: Final = 32_768.0
_LOUD: Final = (_FULL_SCALE * 10 ** (LOUD_DBFS / 20)) ** 2
_ALL_BYTES: Final = bytes(range(256))
_CODECS: Final[tuple[Codec, ...]] = ("PCMU", "PCMA")
_POWERS: Final[dict[str, npt.NDArray[np.float64]]] = {
    codec: g711.decode(_ALL_BYTES, codec).astype(np.float64) ** 2 for codec in _CODECS
}


class Menu:
    """Follows what a caller hears; times are the media engine's milliseconds."""

    def __init__(self, now_ms: float) -> None:
        self._loud_ms = self._since_ms = now_ms

    def hear(self, heard: Heard) -> None:
        """A packet of what is played to the caller."""
        _, _, codec, payload, at_ms = heard
        if payload and loudness(payload, codec) >= _LOUD:
            self._loud_ms = at_ms

    def pressed(self, now_ms: float) -> None:
        """A key was pressed: what comes next is another menu."""
        self._loud_ms = self._since_ms = now_ms

    @property
    def press_at_ms(self) -> float:
        """When the next key is due, unless something more is heard before."""
        return min(self._loud_ms + SILENT_MS, self._since_ms + PATIENCE_MS)


def loudness(payload: bytes, codec: str) -> float:
    """The mean power of a packet, in squares of a 16-bit sample."""
    return float(_POWERS[codec][np.frombuffer(payload, dtype=np.uint8)].mean())
