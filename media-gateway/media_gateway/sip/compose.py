"""Building messages: our requests, and responses to theirs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2s

from media_gateway.sip.address import URI, HostPort
from media_gateway.sip.dialog import Dialog
from media_gateway.sip.grammar import MalformedField
from media_gateway.sip.headers import HeaderFields, Headers
from media_gateway.sip.message import MAX_FORWARDS, CSeq, Request, Response
from media_gateway.sip.transactions.layer import reply_vias
from media_gateway.sip.via import MAGIC_COOKIE

ALLOWED = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO")
"""Methods that the stack serves."""
KNOWN = frozenset(
    {*ALLOWED, "MESSAGE", "NOTIFY", "PRACK", "PUBLISH", "REFER", "REGISTER", "SUBSCRIBE", "UPDATE"}
)
"""Methods that exist; one that is not served is 405, one that does not exist is 501."""
ALLOW = ("Allow", ", ".join(ALLOWED))
ACCEPT = ("Accept", "application/sdp")

_REASONS = {
    100: "Trying",
    180: "Ringing",
    181: "Call Is Being Forwarded",
    182: "Queued",
    183: "Session Progress",
    200: "OK",
    302: "Moved Temporarily",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    469: "Bad Info Package",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    484: "Address Incomplete",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    491: "Request Pending",
    500: "Server Internal Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    504: "Server Time-out",
    505: "Version Not Supported",
    600: "Busy Everywhere",
    603: "Decline",
}


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are on the wire."""

    local: HostPort
    """The address that others reach us at."""

    product: str
    """Value of User-Agent and Server."""

    def via(self, entropy: str, transport: str) -> str:
        """Our Via for a new transaction."""
        return f"SIP/2.0/{transport} {self.local};branch={MAGIC_COOKIE}{entropy};rport"

    def contact(self, user: str, transport: str = "UDP") -> str:
        """Our Contact, under a user part of the owner's choice; `MalformedField` if it is none."""
        at = f"{user}@" if user else ""
        way = ";transport=tcp" if transport == "TCP" else ""
        return f"<{URI.parse(f'sip:{at}{self.local}{way}')}>"


def reason_of(status: int) -> str:
    """The usual phrase of a status."""
    return _REASONS.get(status, "Unknown")


def build_request(
    identity: Identity,
    dialog: Dialog,
    method: str,
    *,
    via: str,
    number: int,
    uri: str,
    routes: Iterable[str] = (),
    contact: str = "",
    fields: HeaderFields = (),
    body: bytes = b"",
    max_forwards: int = MAX_FORWARDS,
) -> Request:
    """A request from our side of the dialog; a body's Content-Type stands among the fields."""
    lines = [("Via", via), ("Max-Forwards", str(max_forwards))]
    lines += [("Route", route) for route in routes]
    lines += [
        ("From", str(dialog.local)),
        ("To", str(dialog.remote)),
        ("Call-ID", dialog.call_id),
        ("CSeq", str(CSeq(number, method))),
    ]
    if contact:
        lines.append(("Contact", contact))
    if method == "INVITE":
        lines.append(ALLOW)
    lines += fields
    lines.append(("User-Agent", identity.product))
    return Request(method, uri, Headers(lines), body)


def build_cancel(identity: Identity, invite: Request, fields: HeaderFields) -> Request:
    """The CANCEL of an INVITE: the same in all that names its transaction (section 9.1)."""
    copied = {"from", "to", "call-id", "route", "max-forwards"}
    lines = [("Via", str(invite.top_via))]
    lines += [item for item in invite.headers if item[0].lower() in copied]
    lines.append(("CSeq", str(CSeq(invite.cseq.number, "CANCEL"))))
    lines += fields
    lines.append(("User-Agent", identity.product))
    return Request("CANCEL", invite.uri, Headers(lines))


def build_response(
    identity: Identity,
    request: Request,
    status: int,
    *,
    vias: Iterable[str],
    to_tag: str,
    reason: str = "",
    fields: HeaderFields = (),
    body: bytes = b"",
) -> Response:
    """A response (section 8.2.6); Record-Route is copied where it may found a dialog."""
    to = request.headers.get("to")
    if status > 100 and not _is_tagged(request):
        to = f"{to};tag={to_tag}"
    lines = [("Via", value) for value in vias]
    lines += [
        ("From", request.headers.get("from")),
        ("To", to),
        ("Call-ID", request.call_id),
        ("CSeq", request.headers.get("cseq")),
    ]
    if request.method == "INVITE" and 100 < status < 300:
        lines += [("Record-Route", value) for value in request.headers.all("record-route")]
    lines += fields
    lines.append(("Server", identity.product))
    return Response(status, reason or reason_of(status), Headers(lines), body)


def build_stateless(
    identity: Identity,
    request: Request,
    status: int,
    *,
    source: HostPort,
    reason: str = "",
    fields: HeaderFields = (),
    to_tag: str = "",
) -> Response:
    """A response that a repeat of the request would get again, tag and all (section 8.2.7)."""
    named = f"{request.headers.get('via')} {request.call_id} {request.headers.get('from')}"
    tag = blake2s(named.encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
    return build_response(
        identity,
        request,
        status,
        vias=reply_vias(request, source),
        to_tag=to_tag or tag,
        reason=reason,
        fields=fields,
    )


def made_here(request: Request, status: int, reason: str = "") -> Response:
    """What a request that got no answer is taken to have been answered (section 8.1.3.1)."""
    kept = {"via", "from", "to", "call-id", "cseq"}
    fields = [item for item in request.headers if item[0].lower() in kept]
    return Response(status, reason or reason_of(status), Headers(fields))


def _is_tagged(request: Request) -> bool:
    try:
        return request.to.tag != ""
    except MalformedField:
        return True  # A To that cannot be read is handed back as it came.
