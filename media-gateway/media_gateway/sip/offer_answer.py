"""Offer and answer for one audio stream (RFC 3264): G.711 and telephone events over RTP/AVP.

`AudioNegotiation` is one leg's side of it: it remembers what was said, so that versions rise
only with changes and no media line, once offered, ever disappears. The functions below it are
pure. The answer names one codec, so that the far end does not change it in mid-call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from ipaddress import ip_address

from media_gateway.sip.address import HostPort
from media_gateway.sip.sdp import (
    Direction,
    Format,
    MalformedSDP,
    Media,
    Origin,
    SessionDescription,
    parse,
)

EVENT_PAYLOAD_TYPE = 101
"""Payload type under which we offer telephone events."""
DEFAULT_PTIME_MS = 20
"""Audio in one packet, when the far end has no wish of its own."""
PTIMES_MS = (10, 20, 30, 40, 60)
"""Packet lengths that we send."""

_EVENTS = "telephone-event"
_ALL_KEYS = "0-15"


class Codec(Enum):
    """An audio codec: encoding name, and its static payload type (RFC 3551)."""

    PCMU = 0
    PCMA = 8


G711 = (Codec.PCMU, Codec.PCMA)
"""What the gateway speaks, in its order of preference."""


class NoCommonCodec(ValueError):
    """No audio line that both sides can speak: 488 for an sdp_offer, BYE for an sdp_answer."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """What offer and answer come to."""

    codec: Codec
    """What we send."""

    payload_type: int
    """Under which payload type we send it."""

    receivable: tuple[tuple[int, Codec], ...]
    """Payload types that may come in, with their codecs."""

    event_payload_type: int | None
    """Payload type of telephone events, both ways; None when the far end knows none."""

    remote: HostPort
    """Where the far end receives RTP: an IP literal of our own address family."""

    remote_rtcp: HostPort
    """Where the far end receives RTCP; its host may be a name."""

    direction: Direction
    """Ours: whether we send and receive from now on."""

    ptime_ms: int
    """How much audio to put in one packet."""

    @property
    def is_held(self) -> bool:
        """Whether the far end does not want to hear us."""
        return not self.direction.sends


class AudioNegotiation:
    """Our side of one leg's negotiation. Time and sockets are elsewhere; this is only words."""

    def __init__(self, *, local: HostPort, session_id: int, codecs: Sequence[Codec] = G711) -> None:
        self._local = local
        self._origin = Origin(session_id, 1, local.host)
        self._codecs = tuple(codecs)
        self._lines: list[str] = []
        self._offered: tuple[Media, ...] = ()
        self._agreed: Agreement | None = None

    @property
    def agreed(self) -> Agreement | None:
        """The agreement in force; None before the first."""
        return self._agreed

    def offer(self, direction: Direction = Direction.SENDRECV) -> bytes:
        """Our sdp_offer; on a running call with the codec in use first and every line kept."""
        ours = _offered_media(self._local, self._codecs, direction, self._agreed)
        lines = [ours if _is_ours(line) else _refused(line) for line in self._offered] or [ours]
        self._offered = tuple(lines)
        return self._write([_line_of(media) for media in lines])

    def answer(
        self, sdp_offer: bytes, direction: Direction = Direction.SENDRECV
    ) -> tuple[Agreement, bytes]:
        """Take an sdp_offer; `MalformedSDP` or `NoCommonCodec` leave all as it was."""
        offer = parse(sdp_offer)
        agreement, media = negotiate(offer, self._codecs, local=self._local, direction=direction)
        self._agreed, self._offered = agreement, media
        return agreement, self._write([_line_of(line) for line in media])

    def complete(self, sdp_answer: bytes) -> Agreement:
        """Take the sdp_answer to our last offer; errors as with `answer`."""
        agreement = read_answer(self._offered, parse(sdp_answer))
        self._agreed = agreement
        return agreement

    def _write(self, lines: list[str]) -> bytes:
        if self._lines and lines != self._lines:
            self._origin = self._origin.next()
        self._lines = lines
        kind = _address_kind(self._origin.host)
        head = [
            "v=0",
            f"o=- {self._origin.session_id} {self._origin.version} {kind} {self._origin.host}",
            "s=-",
            f"c={kind} {self._local.host}",
            "t=0 0",
        ]
        return ("\r\n".join([*head, *lines]) + "\r\n").encode()


def negotiate(
    offer: SessionDescription,
    codecs: Sequence[Codec],
    *,
    local: HostPort,
    direction: Direction = Direction.SENDRECV,
) -> tuple[Agreement, tuple[Media, ...]]:
    """Answer an offer: the first plain audio line with a codec of ours; other lines refused.

    Our order of preference decides among the codecs that the line offers.
    """
    for index, media in enumerate(offer.media):
        chosen = _choose(media, codecs) if _is_reachable(media, local) else None
        if chosen is None:
            continue
        codec, spoken = chosen
        events = _events_of(media)
        ours = Media(
            kind="audio",
            port=local.port,
            protocol=media.protocol,
            formats=tuple(str(item.payload_type) for item in (spoken, *events)),
            host=local.host,
            direction=media.direction.reversed.narrowed(direction),
            rtpmaps=(spoken, *events),
            ptime_ms=_ptime_ms(media),
        )
        answered = tuple(
            ours if at == index else _refused(line) for at, line in enumerate(offer.media)
        )
        agreement = _agreement(
            media,
            codec=codec,
            spoken=spoken,
            receivable=((spoken.payload_type, codec),),
            events=events,
            direction=ours.direction,
        )
        return agreement, answered
    raise NoCommonCodec("no audio line in common")


def read_answer(offered: tuple[Media, ...], answer: SessionDescription) -> Agreement:
    """Read the answer to our offer: its first codec is what we send."""
    if len(answer.media) != len(offered):
        raise MalformedSDP("an answer has as many media lines as its offer")
    for ours, theirs in zip(offered, answer.media, strict=True):
        if not _is_ours(ours):
            continue
        if not _is_reachable(theirs, HostPort(ours.host, ours.port)):
            raise NoCommonCodec("our audio line was refused")
        spoken = [
            (item, codec) for item in theirs.rtpmaps if (codec := _codec_of(item)) is not None
        ]
        if not spoken:
            raise NoCommonCodec("the answer has no codec of ours")
        first, codec = spoken[0]
        # What we offered may come in under the number that we gave it.
        receivable = tuple(
            (item.payload_type, known)
            for item in ours.rtpmaps
            if (known := _codec_of(item)) is not None
        )
        direction = ours.direction.narrowed(theirs.direction.reversed)
        return _agreement(
            theirs,
            codec=codec,
            spoken=first,
            receivable=receivable,
            events=_events_of(theirs),
            direction=direction,
        )
    raise NoCommonCodec("no audio line was offered")


def _agreement(
    theirs: Media,
    *,
    codec: Codec,
    spoken: Format,
    receivable: tuple[tuple[int, Codec], ...],
    events: tuple[Format, ...],
    direction: Direction,
) -> Agreement:
    remote = HostPort(theirs.host, theirs.port)
    # RFC 3605 aside, RTCP is on the next port (RFC 3550, section 11).
    beside = HostPort(theirs.host, min(theirs.port + 1, 65_535))
    return Agreement(
        codec=codec,
        payload_type=spoken.payload_type,
        receivable=receivable,
        event_payload_type=events[0].payload_type if events else None,
        remote=remote,
        remote_rtcp=theirs.rtcp or beside,
        direction=direction,
        ptime_ms=_ptime_ms(theirs),
    )


def _is_reachable(theirs: Media, local: HostPort) -> bool:
    """Whether it is plain audio at an address that our socket can send to."""
    if not theirs.is_plain_audio or "%" in theirs.host:
        return False  # The zone of an address (RFC 4007) is the sender's own affair.
    try:
        return ip_address(theirs.host).version == ip_address(local.host).version
    except ValueError:
        return False  # A name: resolving it would make media wait for DNS.


def _choose(media: Media, codecs: Sequence[Codec]) -> tuple[Codec, Format] | None:
    for codec in codecs:
        for item in media.rtpmaps:
            if _codec_of(item) is codec:
                return codec, item
    return None


def _codec_of(item: Format) -> Codec | None:
    if item.clock_hz != 8_000 or item.channels != 1:
        return None
    return Codec.__members__.get(item.name)


def _events_of(media: Media) -> tuple[Format, ...]:
    """The line's telephone events on G.711's clock, at most one format."""
    for item in media.rtpmaps:
        if item.name == _EVENTS.upper() and item.clock_hz == 8_000:
            return (Format(item.payload_type, item.name, 8_000, 1, _ALL_KEYS),)
    return ()


def _ptime_ms(media: Media) -> int:
    return media.ptime_ms if media.ptime_ms in PTIMES_MS else DEFAULT_PTIME_MS


def _is_ours(media: Media) -> bool:
    return media.port > 0


def _refused(media: Media) -> Media:
    """The line with port 0: there must be one for each of the offer's (RFC 3264, section 6)."""
    return Media(media.kind, 0, media.protocol, media.formats)


def _offered_media(
    local: HostPort, codecs: Sequence[Codec], direction: Direction, agreed: Agreement | None
) -> Media:
    formats = [Format(codec.value, codec.name, 8_000) for codec in codecs]
    event_type = EVENT_PAYLOAD_TYPE
    if agreed is not None:
        # A payload type keeps its meaning for as long as the session lasts (section 8.3.2).
        formats = [Format(agreed.payload_type, agreed.codec.name, 8_000)]
        event_type = agreed.event_payload_type or EVENT_PAYLOAD_TYPE
    if not any(item.payload_type == event_type for item in formats):
        formats.append(Format(event_type, _EVENTS.upper(), 8_000, 1, _ALL_KEYS))
    return Media(
        kind="audio",
        port=local.port,
        protocol="RTP/AVP",
        formats=tuple(str(item.payload_type) for item in formats),
        host=local.host,
        direction=direction,
        rtpmaps=tuple(formats),
        ptime_ms=DEFAULT_PTIME_MS if agreed is None else agreed.ptime_ms,
    )


def _line_of(media: Media) -> str:
    lines = [f"m={media.kind} {media.port} {media.protocol} {' '.join(media.formats)}"]
    if media.port == 0:
        return lines[0]
    for item in media.rtpmaps:
        name = _EVENTS if item.name == _EVENTS.upper() else item.name
        lines.append(f"a=rtpmap:{item.payload_type} {name}/{item.clock_hz}")
        if item.fmtp:
            lines.append(f"a=fmtp:{item.payload_type} {item.fmtp}")
    lines += [f"a=ptime:{media.ptime_ms}", f"a={media.direction.value}"]
    return "\r\n".join(lines)


def _address_kind(host: str) -> str:
    try:
        return "IN IP6" if ip_address(host).version == 6 else "IN IP4"
    except ValueError:
        return "IN IP4"
