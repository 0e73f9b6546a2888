"""G.711 by table: PCM to and from mu-law (PCMU) and A-law (PCMA), and from one law to the other.

Linear samples are 16 bits wide: the 14 bits of mu-law and 13 of A-law stand at the top.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from media_gateway.rtp.model import Codec

Pcm = npt.NDArray[np.int16]
_Codes = npt.NDArray[np.uint8]

_BIAS: Final = 132
"""Mu-law adds 33 (14-bit scale) before it looks for the segment."""
_MU_CLIP: Final = 32_635
"""The largest magnitude that still fits its last segment with the bias added."""


def _segment(magnitude: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The chord, 0-7: how many doublings above 256 the magnitude lies."""
    edges = np.array([256 << n for n in range(7)])
    return np.searchsorted(edges, magnitude, side="right")


def _mu_law_encoder() -> _Codes:
    linear = np.arange(65_536).astype(np.uint16).view(np.int16).astype(np.int64)
    magnitude = np.minimum(np.abs(linear), _MU_CLIP) + _BIAS
    segment = _segment(magnitude)
    code = (segment << 4) | ((magnitude >> (segment + 3)) & 0x0F)
    encoder: _Codes = (~(code | np.where(linear < 0, 0x80, 0)) & 0xFF).astype(np.uint8)
    return encoder


def _a_law_encoder() -> _Codes:
    linear = np.arange(65_536).astype(np.uint16).view(np.int16).astype(np.int64)
    magnitude = np.where(linear < 0, ~linear, linear)
    segment = _segment(magnitude)
    # The first two chords have the same step, so chord 0 shifts as chord 1 does.
    code = (segment << 4) | ((magnitude >> (np.maximum(segment, 1) + 3)) & 0x0F)
    encoder: _Codes = ((code | np.where(linear < 0, 0, 0x80)) ^ 0x55).astype(np.uint8)
    return encoder


def _mu_law_decoder() -> Pcm:
    code = ~np.arange(256) & 0xFF
    magnitude = ((((code & 0x0F) << 3) + _BIAS) << ((code >> 4) & 7)) - _BIAS
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _a_law_decoder() -> Pcm:
    code = np.arange(256) ^ 0x55
    segment, mantissa = (code >> 4) & 7, (code & 0x0F) << 4
    magnitude = np.where(
        segment == 0, mantissa + 8, (mantissa + 0x108) << np.maximum(segment - 1, 0)
    )
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


_ENCODER: Final[dict[Codec, _Codes]] = {"PCMU": _mu_law_encoder(), "PCMA": _a_law_encoder()}
_DECODER: Final[dict[Codec, Pcm]] = {"PCMU": _mu_law_decoder(), "PCMA": _a_law_decoder()}

SILENCE: Final[dict[Codec, bytes]] = {
    codec: bytes([int(_ENCODER[codec][0])]) for codec in ("PCMU", "PCMA")
}
"""The one byte that is silence in each law."""


def encode(pcm: Pcm, codec: Codec) -> bytes:
    """One byte per 16-bit sample."""
    return _ENCODER[codec][pcm.view(np.uint16)].tobytes()


def decode(payload: bytes, codec: Codec) -> Pcm:
    """One 16-bit sample per byte."""
    return _DECODER[codec][np.frombuffer(payload, dtype=np.uint8)]


def translation(source: Codec, target: Codec) -> bytes | None:
    """A table for `bytes.translate` from one law to the other; None where nothing changes."""
    return None if source == target else _TRANSLATION[source]


_TRANSLATION: Final[dict[Codec, bytes]] = {
    "PCMU": encode(_DECODER["PCMU"], "PCMA"),
    "PCMA": encode(_DECODER["PCMA"], "PCMU"),
}
