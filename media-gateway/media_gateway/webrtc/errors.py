"""What the browsers' media refuses, by name."""

from __future__ import annotations

from typing import ClassVar

from services.chassis.errors import CarillonError, Kind


class NoBrowserPort(CarillonError):
    """No port can be had for a browser."""

    code: ClassVar[str] = "no-media-ports"
    kind: ClassVar[Kind] = Kind.EXHAUSTED


class ConnectionFailed(CarillonError):
    """A browser could not be reached, or is not the one that made the offer."""

    code: ClassVar[str] = "connection-failed"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE
