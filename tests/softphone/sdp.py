"""Session descriptions (RFC 4566) and the offer/answer rules that a phone needs (RFC 3264)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

from tests.softphone.audio import CODECS
from tests.softphone.errors import BadSDP

Address = tuple[str, int]
Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]

EVENT: Final = "telephone-event"
EVENT_PAYLOAD_TYPE: Final = 101
STATIC: Final = {0: "PCMU", 8: "PCMA"}
"""Payload types that need no rtpmap (RFC 3551)."""
MAX_LINES: Final = 500

_MIRROR: Final[dict[Direction, Direction]] = {
    "sendrecv": "sendrecv",
    "sendonly": "recvonly",
    "recvonly": "sendonly",
    "inactive": "inactive",
}


@dataclass(frozen=True, slots=True)
class Media:
    """One m= line with what stands below it."""

    kind: str
    port: int
    profile: str
    formats: tuple[str, ...]
    host: str
    """The connection address, its own or the session's."""
    attributes: tuple[str, ...]

    @property
    def direction(self) -> Direction:
        for attribute in self.attributes:
            if attribute in _MIRROR:
                return attribute
        return "sendrecv"

    def codecs(self) -> dict[int, str]:
        """Payload type to encoding name, for 8 kHz mono, in the order of preference."""
        named: dict[int, str] = dict(STATIC)
        for attribute in self.attributes:
            kind, _, rest = attribute.partition(":")
            number, _, encoding = rest.partition(" ")
            if kind == "rtpmap" and number.isdigit():
                name, _, clock = encoding.partition("/")
                named[int(number)] = name if clock in ("8000", "8000/1") else encoding
        types = [int(text) for text in self.formats if text.isdigit()]
        return {number: named.get(number, "?") for number in types}

    def rtcp_port(self) -> int:
        """RFC 3605's attribute, or the next port."""
        for attribute in self.attributes:
            if attribute.startswith("rtcp:"):
                return int(attribute[5:].split()[0])
        return self.port + 1


@dataclass(frozen=True, slots=True)
class Description:
    """A whole session description."""

    origin: tuple[str, ...]
    """The six fields of o=."""
    media: tuple[Media, ...]

    @property
    def version(self) -> int:
        return int(self.origin[2])

    def audio(self) -> Media | None:
        """The first audio stream this phone can carry, if any."""
        for media in self.media:
            if media.kind == "audio" and media.profile == "RTP/AVP" and media.port:
                return media
        return None


@dataclass(frozen=True, slots=True)
class Flow:
    """What two descriptions agreed on, from this phone's side."""

    to: Address
    """Where the peer wants RTP."""
    rtcp_to: Address
    codec: str
    payload_type: int
    """What this phone sends its codec as."""
    event_payload_type: int | None
    decodes: dict[int, str]
    """Payload type received to encoding name."""
    may_send: bool
    may_receive: bool


def parse_sdp(body: bytes) -> Description:
    """Raises BadSDP unless v, o, s, t and a connection address are there in RFC 4566's order."""
    lines = _lines(body)
    kinds = "".join(kind for kind, _ in lines)
    if not kinds.startswith("vos") or "t" not in kinds or lines[0][1] != "0":
        raise BadSDP(f"lines {kinds!r} are not a session description")
    origin = tuple(lines[1][1].split(" "))
    if len(origin) != 6 or not (origin[1].isdigit() and origin[2].isdigit()):
        raise BadSDP(f"o={lines[1][1]}")
    first = kinds.find("m") if "m" in kinds else len(lines)
    session_host = _connection(lines[:first])
    inherited = tuple(value for kind, value in lines[:first] if kind == "a" and value in _MIRROR)
    starts = [at for at, (kind, _) in enumerate(lines) if kind == "m"] + [len(lines)]
    sections = [lines[at:end] for at, end in pairwise(starts)]
    return Description(origin, tuple(_media(part, session_host, inherited) for part in sections))


def build_sdp(
    *,
    local: Address,
    version: int,
    codecs: dict[int, str],
    direction: Direction,
    rejected: str = "",
) -> bytes:
    """A description of one audio stream; `rejected` is m= lines that an answer refuses."""
    host, port = local
    types = " ".join(map(str, codecs))
    lines = [
        "v=0",
        f"o=phone {port} {version} IN IP4 {host}",
        "s=-",
        f"c=IN IP4 {host}",
        "t=0 0",
        f"m=audio {port} RTP/AVP {types}",
        *(f"a=rtpmap:{number} {name}/8000" for number, name in codecs.items()),
        *(f"a=fmtp:{number} 0-15" for number, name in codecs.items() if name == EVENT),
        "a=ptime:20",
        f"a={direction}",
    ]
    return ("\r\n".join(lines) + "\r\n" + rejected).encode()


def offer_codecs(codecs: tuple[str, ...]) -> dict[int, str]:
    """Payload types to offer for these codecs, with telephone-event."""
    numbers = {name: number for number, name in STATIC.items()}
    return {numbers[name]: name for name in codecs} | {EVENT_PAYLOAD_TYPE: EVENT}


def answer_sdp(
    offer: Description, *, local: Address, version: int, codecs: tuple[str, ...], holding: bool
) -> bytes:
    """The answer: the offer's own payload types and order, as far as this phone speaks them.

    Raises BadSDP if no codec is common or no audio stream is usable (for a 488).
    """
    audio = offer.audio()
    if audio is None:
        raise BadSDP("no RTP/AVP audio in the offer")
    shared = {pt: name for pt, name in audio.codecs().items() if name in (*codecs, EVENT)}
    if not set(shared.values()) - {EVENT}:
        raise BadSDP(f"no common codec in {audio.formats}")
    direction = _MIRROR[audio.direction]
    if holding:
        direction = "sendonly" if direction in ("sendrecv", "sendonly") else "inactive"
    if offer.media[0] is not audio:
        raise BadSDP("audio is not the first stream")
    rejected = "".join(
        f"m={media.kind} 0 {media.profile} {' '.join(media.formats)}\r\n"
        for media in offer.media[1:]
    )
    return build_sdp(
        local=local, version=version, codecs=shared, direction=direction, rejected=rejected
    )


def agree(local: Description, remote: Description, *, offered: bool) -> Flow:
    """The flow that both descriptions make; `offered` says whether `local` is the offer.

    Raises BadSDP if nothing can be sent or received on it.
    """
    ours, theirs = local.audio(), remote.audio()
    if ours is None or theirs is None:
        raise BadSDP("the audio stream was refused")
    known, named = ours.codecs(), theirs.codecs()
    usable = set(known.values())
    answer = named if offered else known
    chosen = next((name for name in answer.values() if name in usable and name in CODECS), None)
    sends = {name: number for number, name in reversed(named.items())}
    if chosen is None or chosen not in sends:
        raise BadSDP(f"no codec of {theirs.formats} was agreed")
    away = theirs.host == "0.0.0.0"  # RFC 2543's way to say hold
    return Flow(
        to=(theirs.host, theirs.port),
        rtcp_to=(theirs.host, theirs.rtcp_port()),
        codec=chosen,
        payload_type=sends[chosen],
        event_payload_type=sends.get(EVENT),
        decodes={pt: name for pt, name in known.items() if name in answer.values()},
        may_send=_sends(ours) and _receives(theirs) and not away,
        may_receive=_receives(ours) and _sends(theirs),
    )


def answer_faults(offer: Description, answer: Description) -> list[str]:
    """How an answer breaks RFC 3264 section 6, given the offer it answers."""
    faults = []
    if len(offer.media) != len(answer.media):
        faults.append(f"{len(answer.media)} streams answer {len(offer.media)}")
    for asked, given in zip(offer.media, answer.media, strict=False):
        if (asked.kind, asked.profile) != (given.kind, given.profile):
            faults.append(f"{given.kind} {given.profile} answers {asked.kind} {asked.profile}")
        if not given.port:
            continue
        if not asked.port:
            faults.append("a stream offered with port 0 was accepted")
        if not set(given.codecs().values()) & set(asked.codecs().values()):
            faults.append(f"formats {given.formats} answer {asked.formats}")
        if _sends(given) and not _receives(asked):
            faults.append(f"{given.direction} answers {asked.direction}")
        if _receives(given) and not _sends(asked):
            faults.append(f"{given.direction} answers {asked.direction}")
    return faults


def revision_faults(before: Description, after: Description) -> list[str]:
    """How a later description of the same side breaks RFC 3264 section 8."""
    faults = []
    if before.origin[:2] + before.origin[3:] != after.origin[:2] + after.origin[3:]:
        faults.append(f"origin {before.origin} became {after.origin}")
    elif before.media != after.media and after.version != before.version + 1:
        faults.append(f"changed, but version {before.version} became {after.version}")
    elif before.media == after.media and after.version not in (before.version, before.version + 1):
        faults.append(f"version {before.version} became {after.version}")
    if len(after.media) < len(before.media):
        faults.append("a stream disappeared")
    return faults


def _lines(body: bytes) -> list[tuple[str, str]]:
    try:
        rows = body.decode().removesuffix("\r\n").split("\r\n")
    except UnicodeDecodeError as error:
        raise BadSDP("not UTF-8") from error
    if len(rows) > MAX_LINES or any(row[1:2] != "=" for row in rows):
        raise BadSDP("not lines of type=value, ended by CRLF")
    return [(row[0], row[2:]) for row in rows]


def _connection(lines: list[tuple[str, str]]) -> str:
    for kind, value in lines:
        if kind == "c":
            fields = value.split(" ")
            if len(fields) != 3 or fields[:2] != ["IN", "IP4"]:
                raise BadSDP(f"c={value}")
            return fields[2]
    return ""


def _media(lines: list[tuple[str, str]], session_host: str, inherited: tuple[str, ...]) -> Media:
    fields = lines[0][1].split(" ")
    if len(fields) < 4 or not fields[1].split("/")[0].isdigit():
        raise BadSDP(f"m={lines[0][1]}")
    kind, port, profile, *formats = fields
    host = _connection(lines) or session_host
    if not host:
        raise BadSDP("a stream without a connection address")
    own = tuple(value for name, value in lines if name == "a")
    attributes = own + inherited
    return Media(kind, int(port.split("/")[0]), profile, tuple(formats), host, attributes)


def _sends(media: Media) -> bool:
    return media.direction in ("sendrecv", "sendonly")


def _receives(media: Media) -> bool:
    return media.direction in ("sendrecv", "recvonly")
