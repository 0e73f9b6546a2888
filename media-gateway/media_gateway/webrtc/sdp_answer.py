"""The answer to a browser: one audio section taken, the rest declined, nothing left to guess."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from media_gateway.webrtc.sdp import (
    EVENT,
    BrowserOffer,
    Codec,
    Fingerprint,
    Section,
)


@dataclass(frozen=True, slots=True)
class LocalMedia:
    """What the gateway says of itself to one browser."""

    session_id: int
    """Names the description (RFC 8866, 5.2)."""
    codec: Codec
    """The one codec of the leg."""
    username: str
    """Our ICE user fragment."""
    password: str
    """Our ICE password."""
    fingerprint: Fingerprint
    """Our certificate's."""
    candidates: Sequence[str]
    """Candidate lines without `candidate:`, the best first; at least one."""
    host: str
    """The address of the best."""
    port: int
    """Its port."""
    ssrc: int
    """The source that the browser will hear."""
    cname: str
    """Its canonical name (RFC 7022)."""


def build_answer(offer: BrowserOffer, local: LocalMedia) -> str:
    """An sdp_answer with every section of the offer, all candidates, and their end."""
    lines = [
        "v=0",
        f"o=- {local.session_id} 1 IN {_family(local.host)} {local.host}",
        "s=-",
        "t=0 0",
    ]
    if offer.bundled:
        lines.append(f"a=group:BUNDLE {offer.sections[offer.audio].mid}")
    lines.append("a=msid-semantic: WMS *")
    for index, section in enumerate(offer.sections):
        lines += _audio(offer, section, local) if index == offer.audio else _declined(section)
    return "\r\n".join(lines) + "\r\n"


def _declined(section: Section) -> Iterator[str]:
    yield f"m={section.media} 0 {section.protocol} {' '.join(section.formats)}"
    yield "c=IN IP4 0.0.0.0"
    yield "a=inactive"
    if section.mid:
        yield f"a=mid:{section.mid}"


def _audio(offer: BrowserOffer, section: Section, local: LocalMedia) -> Iterator[str]:
    payload_type, event_type = offer.payload_types[local.codec], offer.event_type
    formats = [payload_type] if event_type is None else [payload_type, event_type]
    yield f"m=audio {local.port} {section.protocol} {' '.join(map(str, formats))}"
    yield f"c=IN {_family(local.host)} {local.host}"
    if section.mid:
        yield f"a=mid:{section.mid}"
    yield f"a={_answered_direction(offer)}"
    yield "a=rtcp-mux"
    yield f"a=ice-ufrag:{local.username}"
    yield f"a=ice-pwd:{local.password}"
    yield f"a=fingerprint:{local.fingerprint.algorithm} {local.fingerprint.value}"
    yield f"a=setup:{offer.setup}"
    yield f"a=rtpmap:{payload_type} {local.codec}/8000"
    if event_type is not None:
        yield f"a=rtpmap:{event_type} {EVENT}/8000"
        yield f"a=fmtp:{event_type} 0-15"
    yield "a=ptime:20"
    if offer.receives:
        yield "a=msid:carillon audio"
        yield f"a=ssrc:{local.ssrc} cname:{local.cname}"
    for candidate in local.candidates:
        yield f"a=candidate:{candidate}"
    yield "a=end-of-candidates"


def _answered_direction(offer: BrowserOffer) -> str:
    return {
        (True, True): "sendrecv",
        (True, False): "recvonly",
        (False, True): "sendonly",
        (False, False): "inactive",
    }[offer.sends, offer.receives]


def _family(host: str) -> str:
    return "IP6" if ":" in host else "IP4"
