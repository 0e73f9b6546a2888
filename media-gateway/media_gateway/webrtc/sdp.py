"""What a browser's sdp_offer says of its audio (RFC 8866, 8829, 8839, 8842), read without mercy.

Of all that browsers offer, a call takes one audio section with G.711, ICE, DTLS and RTCP on the
same port. What is missing is refused in words; what is there besides is declined in the answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal

from media_gateway.model import BadSdpOffer

MAX_OFFER_CHARS = 64 * 1024
MAX_LINES = 2_000
MAX_SECTIONS = 16
MAX_CANDIDATES = 32
MAX_FORMATS = 128
"""As many payload types as there are; each is compared with each line that maps one."""
EVENT = "telephone-event"

Codec = Literal["PCMU", "PCMA"]
Setup = Literal["active", "passive"]

STATIC_TYPES: Mapping[Codec, int] = {"PCMU": 0, "PCMA": 8}
_NAMED_TYPES = {str(number): f"{codec}/8000" for codec, number in STATIC_TYPES.items()}
_PROTOCOLS = frozenset({"UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP"})
_CANDIDATE_KINDS = frozenset({"host", "srflx", "prflx", "relay"})
_DIGEST_BYTES = {"sha-256": 32, "sha-384": 48, "sha-512": 64}
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~/-]{1,64}")
_ICE_CHARS = re.compile(r"[A-Za-z0-9+/]{4,256}")
_HEX_PAIRS = re.compile(r"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2})*")
_OUR_SETUP: Mapping[str, Setup] = {"actpass": "active", "active": "passive", "passive": "active"}
_MIN_PASSWORD = 22


@dataclass(frozen=True, slots=True)
class RemoteCandidate:
    """An address that the browser may be reached at (RFC 8839, 5.1)."""

    foundation: str
    """What it shares with others of the same origin."""
    priority: int
    """The browser's preference."""
    host: str
    """A numeric address."""
    port: int
    """Its UDP port."""
    kind: str
    """host, srflx, prflx or relay."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The digest of a certificate (RFC 8122)."""

    algorithm: str
    """sha-256, sha-384 or sha-512."""
    value: str
    """Hexadecimal pairs with colons, upper case."""


@dataclass(frozen=True, slots=True)
class Section:
    """A media section as far as an answer must repeat it."""

    media: str
    """audio, video or application."""
    protocol: str
    """The transport it names."""
    formats: tuple[str, ...]
    """Its payload types."""
    mid: str
    """Its name in the bundle (RFC 5888); empty: none."""


@dataclass(frozen=True, slots=True)
class BrowserOffer:
    """One browser's audio, and how to reach it."""

    sections: tuple[Section, ...]
    """All sections in order; the answer has as many."""
    audio: int
    """Which of them is taken."""
    bundled: bool
    """Whether that one is in a BUNDLE group (RFC 9143)."""
    username: str
    """Its ICE user fragment."""
    password: str
    """Its ICE password."""
    ice_lite: bool
    """Whether it only answers checks."""
    fingerprints: tuple[Fingerprint, ...]
    """One of them must be its certificate's."""
    setup: Setup
    """Our own part in DTLS: `active` says hello first."""
    payload_types: Mapping[Codec, int]
    """The numbers it gives the codecs that we speak; not empty."""
    event_type: int | None
    """The number of telephone-event/8000."""
    sends: bool
    """It has a microphone to hear."""
    receives: bool
    """It wants audio."""
    candidates: tuple[RemoteCandidate, ...]
    """Where it may be; names and TCP are left out. None: its own checks must show."""

    def choose_codec(self, preferred: str) -> Codec:
        """The preferred codec if it is offered, so that nothing is transcoded; else the other."""
        codecs = sorted(self.payload_types, key=lambda codec: codec != preferred)
        return codecs[0]


@dataclass(frozen=True, slots=True)
class _Lines:
    """One section, taken apart."""

    head: str
    attributes: tuple[tuple[str, str], ...]

    def all(self, name: str) -> list[str]:
        return [value for known, value in self.attributes if known == name]

    def first(self, name: str) -> str | None:
        return next(iter(self.all(name)), None)


def parse_offer(text: str) -> BrowserOffer:
    """Reads an sdp_offer; BadSdpOffer says what a call lacks in it."""
    session, parts = _split(text)
    sections = tuple(_section(part) for part in parts)
    index = next((n for n, part in enumerate(parts) if _is_audio(part)), None)
    if index is None:
        raise BadSdpOffer("it offers no audio over UDP/TLS/RTP/SAVPF")
    part, section = parts[index], sections[index]
    if part.first("rtcp-mux") is None:
        raise BadSdpOffer("its audio lacks a=rtcp-mux: reports and audio must share a port")
    username, password = _ice_credentials(session, part)
    payload_types, event_type = _codecs(part, section)
    sends, receives = _direction(session, part)
    return BrowserOffer(
        sections=sections,
        audio=index,
        bundled=any(
            section.mid in group.split()[1:]
            for group in session.all("group")
            if group.startswith("BUNDLE ")
        ),
        username=username,
        password=password,
        ice_lite=session.first("ice-lite") is not None,
        fingerprints=_fingerprints(session, part),
        setup=_setup(session, part),
        payload_types=payload_types,
        event_type=event_type,
        sends=sends,
        receives=receives,
        candidates=tuple(_candidates(part)),
    )


def _split(text: str) -> tuple[_Lines, list[_Lines]]:
    if len(text) > MAX_OFFER_CHARS:
        raise BadSdpOffer(f"it has {len(text)} characters, more than {MAX_OFFER_CHARS}")
    lines = text.split("\n")
    if len(lines) > MAX_LINES:
        raise BadSdpOffer(f"it has {len(lines)} lines, more than {MAX_LINES}")
    if lines[0].strip() != "v=0":
        raise BadSdpOffer("it does not begin with v=0: not SDP")
    heads, attributes = ["session"], [list[tuple[str, str]]()]
    for line in lines:
        kind, _, value = line.strip().partition("=")
        if kind == "m":
            heads.append(value)
            attributes.append([])
        elif kind == "a":
            name, _, rest = value.partition(":")
            attributes[-1].append((name, rest.strip()))
    if len(heads) - 1 > MAX_SECTIONS:
        raise BadSdpOffer(f"it has {len(heads) - 1} media sections, more than {MAX_SECTIONS}")
    parts = [_Lines(head, tuple(found)) for head, found in zip(heads, attributes, strict=True)]
    return parts[0], parts[1:]


def _section(part: _Lines) -> Section:
    words = part.head.split()
    mid = part.first("mid") or ""
    tokens = [*words, mid] if mid else words
    if len(words) < 4 or not all(_TOKEN.fullmatch(word) for word in tokens):
        raise BadSdpOffer("a media section's first line or mid is malformed")
    if len(words) > 3 + MAX_FORMATS:
        raise BadSdpOffer(f"a media section names more than {MAX_FORMATS} formats")
    return Section(words[0], words[2], tuple(words[3:]), mid)


def _is_audio(part: _Lines) -> bool:
    words = part.head.split()
    offered = words[1] != "0" or part.first("bundle-only") is not None
    return words[0] == "audio" and offered and words[2] in _PROTOCOLS


def _ice_credentials(session: _Lines, part: _Lines) -> tuple[str, str]:
    username = part.first("ice-ufrag") or session.first("ice-ufrag") or ""
    password = part.first("ice-pwd") or session.first("ice-pwd") or ""
    if not _ICE_CHARS.fullmatch(username):
        raise BadSdpOffer("its a=ice-ufrag is missing or malformed")
    if not _ICE_CHARS.fullmatch(password) or len(password) < _MIN_PASSWORD:
        raise BadSdpOffer("its a=ice-pwd is missing or malformed")
    return username, password


def _fingerprints(session: _Lines, part: _Lines) -> tuple[Fingerprint, ...]:
    found = []
    for value in part.all("fingerprint") or session.all("fingerprint"):
        algorithm, _, digest = value.partition(" ")
        size = _DIGEST_BYTES.get(algorithm.lower())
        if size and _HEX_PAIRS.fullmatch(digest) and len(digest) == 3 * size - 1:
            found.append(Fingerprint(algorithm.lower(), digest.upper()))
    if not found:
        raise BadSdpOffer("it has no a=fingerprint by SHA-256, SHA-384 or SHA-512")
    return tuple(found[: len(_DIGEST_BYTES)])


def _setup(session: _Lines, part: _Lines) -> Setup:
    offered = part.first("setup") or session.first("setup")
    setup = _OUR_SETUP.get(offered or "")
    if setup is None:
        raise BadSdpOffer("its a=setup is neither actpass nor active nor passive")
    return setup


def _codecs(part: _Lines, section: Section) -> tuple[Mapping[Codec, int], int | None]:
    named = {number: _NAMED_TYPES[number] for number in section.formats if number in _NAMED_TYPES}
    for value in part.all("rtpmap"):
        number, _, encoding = value.partition(" ")
        if number in section.formats and number.isdecimal() and int(number) < 128:
            named[number] = encoding.strip()
    codecs: dict[Codec, int] = {}
    event_type = None
    for number in section.formats:
        name, _, rate = named.get(number, "").partition("/")
        if rate not in {"8000", "8000/1"}:
            continue
        if name.lower() == EVENT:
            event_type = int(number) if event_type is None else event_type
        for codec in STATIC_TYPES:
            if name.upper() == codec:
                codecs.setdefault(codec, int(number))
    if not codecs:
        raise BadSdpOffer("it offers neither PCMU nor PCMA")
    return codecs, event_type


def _direction(session: _Lines, part: _Lines) -> tuple[bool, bool]:
    for lines in (part, session):
        for name, _ in lines.attributes:
            match name:
                case "sendrecv":
                    return True, True
                case "sendonly":
                    return True, False
                case "recvonly":
                    return False, True
                case "inactive":
                    return False, False
    return True, True


def _candidates(part: _Lines) -> Iterator[RemoteCandidate]:
    """The candidates that can be sent to; a `.local` name would cost a second to look up."""
    for value in part.all("candidate")[:MAX_CANDIDATES]:
        words = value.split()
        if len(words) < 8 or words[1] != "1" or words[2].lower() != "udp" or words[6] != "typ":
            continue
        _, _, _, priority, host, port, _, kind, *_ = words
        if not (priority.isdecimal() and port.isdecimal() and kind in _CANDIDATE_KINDS):
            continue
        if not (0 < int(port) < 65_536 and len(priority) <= 10 and _is_unicast(host)):
            continue
        yield RemoteCandidate(words[0][:32], int(priority), host, int(port), kind)


def _is_unicast(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    # A zone (RFC 4007) means nothing here, and sending to some raises.
    elsewhere = str(address) == "255.255.255.255" or "%" in host
    return not (address.is_multicast or address.is_unspecified or elsewhere)
