"""Session descriptions of audio over RTP, read and written (RFC 8866, RFC 3264, RFC 4733)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from enum import Enum

from media_gateway.sip.address import HostPort

MAX_SDP_BYTES = 16_384
"""Longest description read; an audio call's is under 2 KiB."""
MAX_LINES = 512
"""Lines of one description."""
MAX_MEDIA = 16
"""Media lines of one description."""

_RTPMAP = re.compile(r"([0-9]{1,3}) +([^/\s]{1,64})/([0-9]{1,8})(?:/([0-9]{1,3}))?")
_STATIC = {"0": ("PCMU", 8_000, 1), "8": ("PCMA", 8_000, 1)}


class MalformedSDP(ValueError):
    """A session description that cannot be read; the text says why."""


class Direction(Enum):
    """Who sends, as seen by whoever wrote the description."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @classmethod
    def of(cls, *, sends: bool, receives: bool) -> Direction:
        """The direction of one who sends, receives, both or neither."""
        if sends:
            return cls.SENDRECV if receives else cls.SENDONLY
        return cls.RECVONLY if receives else cls.INACTIVE

    @property
    def sends(self) -> bool:
        """Whether its writer sends."""
        return self in {Direction.SENDRECV, Direction.SENDONLY}

    @property
    def receives(self) -> bool:
        """Whether its writer receives."""
        return self in {Direction.SENDRECV, Direction.RECVONLY}

    @property
    def reversed(self) -> Direction:
        """The same as the other side sees it."""
        return Direction.of(sends=self.receives, receives=self.sends)

    def narrowed(self, other: Direction) -> Direction:
        """What both allow."""
        return Direction.of(
            sends=self.sends and other.sends, receives=self.receives and other.receives
        )


@dataclass(frozen=True, slots=True)
class Format:
    """One payload type of a media line."""

    payload_type: int
    """0 to 127, as RTP carries it."""

    name: str
    """Encoding name, upper case; empty when neither rtpmap nor RFC 3551 names it."""

    clock_hz: int
    """RTP clock rate; 0 when unnamed."""

    channels: int = 1
    """Audio channels."""

    fmtp: str = ""
    """Format parameters, as written."""


@dataclass(frozen=True, slots=True)
class Media:
    """One media line and what belongs to it."""

    kind: str
    """audio, video, image ..."""

    port: int
    """Where it is received; 0 refuses the line."""

    protocol: str
    """RTP/AVP and its like, as written."""

    formats: tuple[str, ...]
    """The line's formats, preferred first, as written."""

    host: str = ""
    """Connection address; empty when neither the line nor the session has one."""

    rtcp: HostPort | None = None
    """Where RTCP is received; None means the next port (RFC 3605)."""

    direction: Direction = Direction.SENDRECV
    """As written, 0.0.0.0 (the hold of RFC 2543) taken into account."""

    rtpmaps: tuple[Format, ...] = ()
    """The formats that are payload types, in the line's order."""

    ptime_ms: int | None = None
    """How much audio its writer likes in one packet."""

    @property
    def is_plain_audio(self) -> bool:
        """Whether it is unencrypted audio over RTP that is not refused."""
        return self.kind == "audio" and self.port > 0 and self.protocol.upper() == "RTP/AVP"


@dataclass(frozen=True, slots=True)
class Origin:
    """The o= line: who wrote it and which version it is (RFC 8866, section 5.2)."""

    session_id: int
    """The same throughout a session."""

    version: int
    """Higher with each change."""

    host: str
    """The writer's address."""

    def next(self) -> Origin:
        """The origin of the next, changed description."""
        return replace(self, version=self.version + 1)


@dataclass(frozen=True, slots=True)
class SessionDescription:
    """A description, as far as audio calls need it."""

    origin: str
    """The o= line's value, as written."""

    media: tuple[Media, ...]
    """Media lines in order; an answer has one for each of the offer's."""


@dataclass(slots=True)
class _Section:
    """The lines of the session or of one media line, while they are read."""

    head: str = ""
    host: str = ""
    direction: Direction | None = None
    ptime_ms: int | None = None
    rtcp: str = ""
    names: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    fmtps: dict[str, str] = field(default_factory=dict)


def parse(data: bytes) -> SessionDescription:
    """Read a description; `MalformedSDP` if its version, origin or a media line is wrong."""
    if len(data) > MAX_SDP_BYTES:
        raise MalformedSDP("too long")
    lines = data.decode("utf-8", "replace").replace("\r\n", "\n").rstrip("\n").split("\n")
    if len(lines) > MAX_LINES:
        raise MalformedSDP("too many lines")
    if lines[0].strip() != "v=0":
        raise MalformedSDP("no v=0")
    session = _Section()
    origin = ""
    sections: list[_Section] = []
    current = session
    for line in lines[1:]:
        if len(line) < 2 or line[1] != "=" or "\r" in line:
            raise MalformedSDP("line without type")
        kind, value = line[0], line[2:].strip()
        if kind == "m":
            if len(sections) >= MAX_MEDIA:
                raise MalformedSDP("too many media")
            current = _Section(head=value)
            sections.append(current)
        elif kind == "o" and current is session:
            origin = value
        elif kind == "c":
            host = _connection(value)
            current.host = current.host or host
        elif kind == "a":
            _attribute(current, value)
    if len(origin.split()) != 6:
        raise MalformedSDP("bad origin")
    return SessionDescription(origin, tuple(_media(section, session) for section in sections))


def _connection(value: str) -> str:
    words = value.split()
    if len(words) != 3 or words[0] != "IN" or words[1] not in {"IP4", "IP6"}:
        raise MalformedSDP("bad connection")
    return words[2].partition("/")[0]


def _attribute(section: _Section, value: str) -> None:
    name, _, rest = value.partition(":")
    name, rest = name.strip(), rest.strip()
    match name:
        case "sendrecv" | "sendonly" | "recvonly" | "inactive":
            section.direction = Direction(name)
        case "rtpmap":
            found = _RTPMAP.fullmatch(rest)
            if found is not None:
                payload_type, encoding, clock, channels = found.groups()
                section.names[payload_type] = (encoding.upper(), int(clock), int(channels or 1))
        case "fmtp":
            payload_type, _, parameters = rest.partition(" ")
            section.fmtps[payload_type] = parameters.strip()
        case "ptime" if rest.isascii() and rest.isdigit() and len(rest) < 5:
            section.ptime_ms = int(rest)
        case "rtcp":
            section.rtcp = rest
        case _:
            pass  # Attributes unknown or unreadable are ignored (RFC 8866, section 5.13).


def _media(section: _Section, session: _Section) -> Media:
    words = section.head.split()
    if len(words) < 4:
        raise MalformedSDP("short media line")
    kind, port_text, protocol, *formats = words
    port = _port(port_text.partition("/")[0])
    host = section.host or session.host
    if port and not host:
        raise MalformedSDP("no connection address")
    direction = section.direction or session.direction or Direction.SENDRECV
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared with, not bound to
        # Nothing can be sent there, whatever the attributes say (RFC 3264, section 8.4).
        direction = direction.narrowed(Direction.SENDONLY)
    return Media(
        kind=kind.lower(),
        port=port,
        protocol=protocol,
        formats=tuple(formats),
        host=host,
        rtcp=_rtcp(section.rtcp, host),
        direction=direction,
        rtpmaps=tuple(_formats(section, formats)),
        ptime_ms=section.ptime_ms or session.ptime_ms,
    )


def _formats(section: _Section, formats: list[str]) -> list[Format]:
    known = []
    for text in dict.fromkeys(formats):
        if not (text.isascii() and text.isdigit()) or len(text) > 3 or int(text) > 127:
            continue
        name, clock_hz, channels = section.names.get(text) or _STATIC.get(text) or ("", 0, 1)
        known.append(Format(int(text), name, clock_hz, channels, section.fmtps.get(text, "")))
    return known


def _rtcp(value: str, host: str) -> HostPort | None:
    words = value.split()
    try:
        return HostPort(words[3] if len(words) == 4 else host, _port(words[0])) if words else None
    except MalformedSDP:
        return None


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 5 or int(text) > 65_535:
        raise MalformedSDP("bad port")
    return int(text)
