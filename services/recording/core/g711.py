"""G.711 (ITU-T) by table: each byte of mu-law or A-law is one 16-bit sample."""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Pcm: TypeAlias = npt.NDArray[np.int16]


def _mu_law() -> Pcm:
    code = ~np.arange(256) & 0xFF
    exponent, mantissa = (code >> 4) & 7, code & 0x0F
    magnitude = (((mantissa << 3) + 132) << exponent) - 132
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _a_law() -> Pcm:
    code = np.arange(256) ^ 0x55
    exponent, mantissa = (code >> 4) & 7, code & 0x0F
    linear = (mantissa << 4) + 8
    magnitude = np.where(exponent == 0, linear, (linear + 256) << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


_TABLES: Final[dict[str, Pcm]] = {"PCMU": _mu_law(), "PCMA": _a_law()}


def decode(payload: bytes, codec: str) -> Pcm:
    """One sample per byte; the codec is PCMU or PCMA."""
    return _TABLES[codec][np.frombuffer(payload, dtype=np.uint8)]
