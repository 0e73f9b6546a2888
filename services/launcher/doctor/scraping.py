"""What processes show of themselves, read as Prometheus reads it."""

from __future__ import annotations

import asyncio
import re
import time
import urllib.error
import urllib.request
from dataclasses import dataclass

LIMIT_S = 5.0
MAX_BYTES = 8 * 1024 * 1024
_LINE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{.*\})? (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Shown:
    """One process's metrics."""

    at_ms: float
    """When it was asked, in the middle of question and answer, on this machine's clock."""
    within_ms: float
    """How far from there it may have been."""
    text: str
    """All that it showed."""

    def of(self, metric: str) -> float | None:
        """The first value of a metric; None when it is not shown."""
        for line in _LINE.finditer(self.text):
            if line[1] == metric:
                return float(line[2])
        return None


async def read(address: str) -> Shown | None:
    """What is shown at `http://host:port`; None when nobody answers."""
    return await asyncio.to_thread(_read, f"{address.rstrip('/')}/metrics")


def _read(url: str) -> Shown | None:
    if not url.startswith(("http://", "https://")):
        return None
    began = time.time_ns()
    try:
        with urllib.request.urlopen(url, timeout=LIMIT_S) as answer:  # noqa: S310 (checked above)
            text: bytes = answer.read(MAX_BYTES)
    except (OSError, ValueError, urllib.error.URLError):
        return None
    ended = time.time_ns()
    return Shown((began + ended) / 2e6, (ended - began) / 2e6, text.decode(errors="replace"))
