"""What RFC 3261 demands of a message that arrives, beyond being readable.

Each function returns faults in words; none of them stops the phone, which goes on as a lenient
phone would. A test that expects a flawless far end asserts that the phone found none.
"""

from __future__ import annotations

from typing import Final

from tests.softphone.errors import NotSip
from tests.softphone.message import (
    Message,
    NameAddr,
    Request,
    Response,
    parse_name_addr,
    parse_uri,
)

_ONCE: Final = ("From", "To", "Call-ID", "CSeq")
_DEMANDS: Final = {
    401: "WWW-Authenticate",
    405: "Allow",
    407: "Proxy-Authenticate",
    415: "Accept",
    420: "Unsupported",
    421: "Require",
    423: "Min-Expires",
}
"""The header without which a status tells its receiver nothing (RFC 3261 section 21)."""
_NEEDS_CONTACT: Final = ("INVITE",)


def request_faults(request: Request) -> list[str]:
    """How a received request breaks RFC 3261 section 8.1.1."""
    faults = _shape_faults(request)
    if faults:
        return faults
    if request.cseq[1] != request.method:
        faults.append(f"CSeq names {request.cseq[1]}")
    if not request.via.branch.startswith("z9hG4bK"):
        faults.append(f"branch {request.via.branch!r} lacks the magic cookie")
    hops = request.all("Max-Forwards")
    if len(hops) != 1 or not hops[0].isdigit() or int(hops[0]) > 255:
        faults.append(f"Max-Forwards: {hops}")
    if not request.from_tag:
        faults.append("no From tag")
    if request.method in _NEEDS_CONTACT:
        faults += _contact_faults(request)
    return faults


def response_faults(response: Response, request: Request) -> list[str]:
    """How a received response breaks RFC 3261 section 8.2.6, given the request it answers."""
    faults = _shape_faults(response)
    if faults:
        return faults
    if response.call_id != request.call_id or response.cseq != request.cseq:
        faults.append("Call-ID or CSeq differ from the request's")
    if _party(response, "From") != _party(request, "From"):
        faults.append("From differs from the request's")
    if _party(response, "To").uri != _party(request, "To").uri:
        faults.append("To differs from the request's")
    if request.to_tag not in ("", response.to_tag):
        faults.append("To tag differs from the request's")
    if response.status > 100 and not response.to_tag:
        faults.append("no To tag")
    faults += _via_faults(response, request)
    needed = _DEMANDS.get(response.status)
    if needed and not response.all(needed):
        faults.append(f"no {needed}")
    if request.method in _NEEDS_CONTACT and 200 <= response.status < 300:
        faults += _contact_faults(response)
        if response.listed("Record-Route") != request.listed("Record-Route"):
            faults += _route_faults(response)
    return faults


def _shape_faults(message: Message) -> list[str]:
    """Whether the headers that every message carries are there, once, and readable."""
    faults = [f"{len(message.all(name))} {name}" for name in _ONCE if len(message.all(name)) != 1]
    if message.body and not message.all("Content-Type"):
        faults.append("a body without Content-Type")
    if message.body and not message.all("Content-Length"):
        faults.append("a body without Content-Length")
    try:
        _ = message.via, message.cseq, message.from_tag, message.to_tag
        for name in ("Contact", "Route", "Record-Route"):
            for value in message.listed(name):
                if value != "*":
                    parse_name_addr(value)
    except NotSip as error:
        faults.append(str(error))
    return faults


def _contact_faults(message: Message) -> list[str]:
    contacts = message.listed("Contact")
    if len(contacts) != 1:
        return [f"{len(contacts)} Contacts"]
    try:
        parse_uri(parse_name_addr(contacts[0]).uri)
    except NotSip as error:
        return [f"Contact: {error}"]
    return []


def _route_faults(response: Response) -> list[str]:
    """Proxies add Record-Route on the way; each must route loosely."""
    routes = [parse_name_addr(value) for value in response.listed("Record-Route")]
    return [f"strict route {route.uri}" for route in routes if ";lr" not in route.uri]


def _via_faults(response: Response, request: Request) -> list[str]:
    """The Vias come back as sent; ours asks for `rport` (RFC 3581 section 4)."""
    sent, back = request.listed("Via"), response.listed("Via")
    if len(sent) != len(back):
        return [f"{len(back)} Vias for {len(sent)}"]
    ours, theirs = request.via, response.via
    if (theirs.host, theirs.port, theirs.branch) != (ours.host, ours.port, ours.branch):
        return ["the Via differs from the request's"]
    asked = "rport" in ours.parameters
    if asked and not (theirs.parameters.get("rport") and theirs.parameters.get("received")):
        return ["rport was asked for and not filled, or came without received"]
    return []


def _party(message: Message, name: str) -> NameAddr:
    return parse_name_addr(message.header(name) or "")
