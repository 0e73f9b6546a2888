"""What the media engine refuses, by name; `code` is stable for logs and call records."""

from __future__ import annotations

from typing import ClassVar


class MediaError(Exception):
    """Anything the media engine refuses to do."""

    code: ClassVar[str] = "media-error"


class NoPortsLeft(MediaError):
    """Every RTP port pair is carrying media, draining, or taken by another process."""

    code = "no-ports-left"


class LegAlreadyOpen(MediaError):
    """The engine already holds a port for this leg."""

    code = "leg-already-open"


class PortClosed(MediaError):
    """The leg's port was closed; it takes no more commands."""

    code = "port-closed"


class BadRemote(MediaError):
    """The negotiated far end cannot be sent to: not a unicast address, port or payload type."""

    code = "bad-remote"


class BadPeer(MediaError):
    """A leg cannot be bridged with itself."""

    code = "bad-peer"


class BadDigits(MediaError):
    """Digits to send are not 0-9, *, #, A-D, or there are too many of them."""

    code = "bad-digits"


class NoTelephoneEvent(MediaError):
    """The far end did not negotiate telephone-event, so RFC 4733 digits cannot be sent."""

    code = "no-telephone-event"


class BadAudio(MediaError):
    """Audio that is not mono 16-bit 8 kHz PCM within the length limit."""

    code = "bad-audio"


class MalformedRtcp(MediaError):
    """An RTCP datagram that RFC 3550 A.2 says to discard."""

    code = "malformed-rtcp"
