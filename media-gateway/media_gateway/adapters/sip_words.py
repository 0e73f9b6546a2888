"""Between SIP's words and the call's: who calls whom, and why a leg is let go."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from media_gateway.core.policy import parse_target, plain_number
from media_gateway.core.termination import EndCause
from media_gateway.model import Invitation, Leg, LegEnd
from media_gateway.sip import events as sip
from media_gateway.sip.address import URI, HostPort, NameAddr
from media_gateway.sip.grammar import MalformedField
from media_gateway.sip.headers import Headers

TRUNK_HEADER = "x-carillon-trunk"
OWN_HEADERS = "x-carillon-"
MAX_HEADERS = 16
MAX_TEXT = 256
LOCAL_TRUNK = "local"
_WITHHELD = frozenset({"anonymous", "unavailable", "restricted"})

_REASONS: Mapping[str, str] = MappingProxyType(
    {
        "answered-elsewhere": 'SIP;cause=200;text="Call completed elsewhere"',
        EndCause.NO_COMMON_CODEC.value: 'SIP;cause=488;text="Not acceptable here"',
        EndCause.NO_FLOW.value: 'SIP;cause=503;text="Service unavailable"',
        EndCause.DRAINING.value: 'SIP;cause=503;text="Service unavailable"',
        # ITU-T Q.850: 102 is recovery on timer expiry.
        LegEnd.MEDIA_TIMEOUT.value: 'Q.850;cause=102;text="Media timeout"',
    }
)

LEFT: Mapping[sip.EndCause, LegEnd] = MappingProxyType(
    {
        sip.EndCause.THEY_LEFT: LegEnd.HUNG_UP,
        sip.EndCause.CALLER_CANCELLED: LegEnd.CANCELLED,
        sip.EndCause.ACK_MISSING: LegEnd.SIGNALLING_LOST,
        sip.EndCause.DIALOG_LOST: LegEnd.SIGNALLING_LOST,
        sip.EndCause.TOO_LONG: LegEnd.SIGNALLING_LOST,
    }
)
"""Ends of a session that are the far end's doing, or nobody's."""


def reason_header(reason: str) -> str:
    """The value of a Reason header (RFC 3326) for a stable word; empty when nobody needs it."""
    return _REASONS.get(reason, "")


def invitation_of(event: sip.InviteReceived, *, trusted: bool) -> Invitation:
    """What an INVITE says; what only an edge may assert is believed only from one."""
    headers = event.headers
    trunk = headers.get(TRUNK_HEADER) if trusted else ""
    return Invitation(
        caller=_caller(event.from_.uri),
        called=plain_number(event.request_uri.user)[:MAX_TEXT],
        display_name=event.from_.display[:MAX_TEXT],
        asserted_identity=_user_in(headers, "p-asserted-identity") if trusted else "",
        diversion=_user_in(headers, "diversion"),
        trunk=trunk[:MAX_TEXT] or LOCAL_TRUNK,
        headers=_passed_on(headers),
    )


def parties(leg: Leg, local: HostPort) -> tuple[NameAddr, NameAddr]:
    """From and To of an INVITE of ours: the caller's number at our address, and the endpoint."""
    shown = _quoted_user(leg.shown)
    host = f"[{local.host}]" if ":" in local.host else local.host
    from_uri = URI.parse(f"sip:{shown or 'anonymous'}@{host}:{local.port}")
    return NameAddr(from_uri, display=leg.display[:MAX_TEXT]), NameAddr(URI.parse(leg.target))


def next_hop(target: str) -> HostPort:
    """Where an INVITE for a target is sent; TargetRefused for what is not a SIP URI."""
    parsed = parse_target(target)
    return HostPort(parsed.host, parsed.port, parsed.transport)


def key_in(content_type: str, body: bytes) -> str:
    """The key that an INFO tells, or nothing.

    `application/dtmf-relay` says `Signal=5` among its lines; `application/dtmf` just the key.
    """
    text = body[:MAX_TEXT].decode("ascii", "replace")
    if content_type == "application/dtmf":
        return _key(text)
    if content_type != "application/dtmf-relay":
        return ""
    for line in text.splitlines():
        name, _, value = line.partition("=")
        if name.strip().lower() == "signal":
            return _key(value)
    return ""


def _key(text: str) -> str:
    key = text.strip().upper()
    return {"10": "*", "11": "#"}.get(key, key if len(key) == 1 else "")


def _caller(uri: URI) -> str:
    user = uri.user
    if user.lower() in _WITHHELD or uri.host.lower() == "anonymous.invalid":
        return ""
    return plain_number(user)[:MAX_TEXT]


def _user_in(headers: Headers, name: str) -> str:
    try:
        values = headers.values(name)
        return plain_number(NameAddr.parse(values[0]).uri.user)[:MAX_TEXT] if values else ""
    except MalformedField:
        return ""


def _passed_on(headers: Headers) -> dict[str, str]:
    passed: dict[str, str] = {}
    for name, value in headers:
        lower = name.lower()
        if len(passed) >= MAX_HEADERS:
            break
        if lower.startswith("x-") and not lower.startswith(OWN_HEADERS) and len(name) <= MAX_TEXT:
            passed.setdefault(name, value[:MAX_TEXT])
    return passed


def _quoted_user(number: str) -> str:
    """A number as the user part of a URI; empty when it cannot stand there."""
    try:
        return URI.parse(f"sip:{number}@localhost").userinfo if number else ""
    except MalformedField:
        return ""
