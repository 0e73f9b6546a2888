"""The signalling of a crowd: callers and agents' phones behind one socket, over UDP.

As little of RFC 3261 as calls need on loopback; tests/softphone is the phone that judges.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol, cast

from tests.bench.crowd_voice import HOST, Voice
from tests.softphone.message import (
    Headers,
    Request,
    Response,
    parse_message,
    parse_name_addr,
    parse_uri,
)
from tests.softphone.sdp import (
    Address,
    answer_sdp,
    build_sdp,
    offer_codecs,
    parse_sdp,
)

CODECS: Final = ("PCMU",)
AGAIN_S: Final = 0.5
TRIES: Final = 10
RING_S: Final = 0.05


class People(Protocol):
    """Whose legs these are."""

    def voice(self, *, agent: bool, first: Callable[[], None]) -> Voice:
        """Audio for a new leg."""

    def talking(self, leg: Leg) -> None:
        """It was answered."""

    def over(self, leg: Leg, status: int) -> None:
        """It has ended: 200, or the status that it was refused with; 408 for no answer."""


@dataclass(slots=True, kw_only=True, eq=False)
class Leg:
    """One end of a dialog."""

    call_id: str
    local: str
    remote: str
    target: str
    voice: Voice
    agent: bool = False
    routes: list[str] = field(default_factory=list)
    cseq: int = 1
    description: bytes = b""
    """Ours."""
    invite: Request | None = None
    reply: Response | None = None
    """The last that an INVITE was answered with."""
    up: bool = False
    leaving: bool = False
    gone: bool = False
    waits_for: tuple[int, str] | None = None
    """The request that is sent until it is answered."""
    began_s: float = 0.0
    answered_s: float = 0.0
    heard_s: float = 0.0


class Switchboard(asyncio.DatagramProtocol):
    """One socket, and the legs behind it."""

    def __init__(self, people: People) -> None:
        self._people = people
        self._loop = asyncio.get_running_loop()
        self._legs: dict[str, Leg] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's is one by what it does, not by its class.
        self._transport = cast("asyncio.DatagramTransport", transport)
        self.port: int = transport.get_extra_info("sockname")[1]

    @property
    def legs(self) -> list[Leg]:
        """Those that are not over."""
        return list(self._legs.values())

    def call(self, caller: str, number: str, port: int) -> Leg:
        """Somebody calls a number."""
        call_id = secrets.token_hex(12)
        uri = f"sip:{number}@{HOST}:{port}"
        leg = Leg(
            call_id=call_id,
            local=f"<sip:{caller}@{HOST}:{self.port}>;tag={secrets.token_hex(4)}",
            remote=f"<{uri}>",
            target=uri,
            voice=self._people.voice(agent=False, first=lambda: self._hears(call_id)),
            began_s=self._loop.time(),
        )
        leg.description = build_sdp(
            local=leg.voice.address, version=1, codecs=offer_codecs(CODECS), direction="sendrecv"
        )
        self._legs[call_id] = leg
        self._ask(leg, "INVITE", leg.description)
        return leg

    def hang_up(self, leg: Leg) -> None:
        """Ends it by BYE, or forgets it when it was not answered."""
        if leg.gone or leg.leaving:
            return
        leg.leaving = True
        if not leg.up:
            self._end(leg, 408)
            return
        leg.cseq += 1
        self._ask(leg, "BYE")

    def datagram_received(self, data: bytes, addr: Address) -> None:
        if not data.strip():
            return  # somebody keeps a way open
        message = parse_message(data)
        if isinstance(message, Request):
            self._asked(message, addr)
        else:
            self._answered(message)

    def _hears(self, call_id: str) -> None:
        leg = self._legs.get(call_id)
        if leg is not None:
            leg.heard_s = self._loop.time()

    # Requests of ours.

    def _ask(self, leg: Leg, method: str, body: bytes = b"") -> None:
        request = self._request(leg, method, leg.cseq, body)
        leg.waits_for = (leg.cseq, method)
        self._send_until(leg, request, leg.waits_for, TRIES)

    def _send_until(self, leg: Leg, request: Request, what: tuple[int, str], tries: int) -> None:
        if leg.waits_for != what or leg.gone:
            return
        if not tries:
            self._end(leg, 408)
            return
        self._send(request, _next_hop(leg))
        self._loop.call_later(AGAIN_S, self._send_until, leg, request, what, tries - 1)

    def _request(self, leg: Leg, method: str, cseq: int, body: bytes = b"") -> Request:
        headers = [
            ("Via", f"SIP/2.0/UDP {HOST}:{self.port};branch=z9hG4bK{secrets.token_hex(8)};rport"),
            *(("Route", route) for route in leg.routes),
            ("Max-Forwards", "70"),
            ("From", leg.local),
            ("To", leg.remote),
            ("Call-ID", leg.call_id),
            ("CSeq", f"{cseq} {method}"),
            ("Contact", f"<sip:crowd@{HOST}:{self.port}>"),
        ]
        if body:
            headers.append(("Content-Type", "application/sdp"))
        return Request(method=method, uri=leg.target, headers=tuple(headers), body=body)

    def _answered(self, response: Response) -> None:
        leg = self._legs.get(response.call_id)
        if leg is None:
            return
        number, method = response.cseq
        if response.status < 200:
            if leg.waits_for == (number, method):
                leg.waits_for = None  # it has arrived
            return
        if method == "INVITE":
            self._invite_answered(leg, response, number)
        elif method == "BYE" and leg.leaving:
            self._end(leg, 200)

    def _invite_answered(self, leg: Leg, response: Response, number: int) -> None:
        leg.waits_for = None
        if response.status >= 300:
            leg.remote = response.header("To") or leg.remote
            self._send(self._request(leg, "ACK", number), _next_hop(leg))
            self._end(leg, response.status)
            return
        leg.remote = response.header("To") or leg.remote
        leg.target = parse_name_addr(response.listed("Contact")[0]).uri
        leg.routes = list(reversed(response.listed("Record-Route")))
        self._send(self._request(leg, "ACK", number), _next_hop(leg))
        if not leg.up:
            leg.up, leg.answered_s = True, self._loop.time()
            leg.voice.speak_to(parse_sdp(response.body))
            self._people.talking(leg)

    # Requests of theirs.

    def _asked(self, request: Request, addr: Address) -> None:
        leg = self._legs.get(request.call_id)
        match request.method:
            case "INVITE" if leg is None:
                self._invited(request, addr)
            case "INVITE" if leg is not None:
                leg.invite = request
                if leg.reply is not None or leg.up:
                    self._accept(leg, addr)
            case "ACK" if leg is not None and not leg.up:
                leg.up = True
                self._people.talking(leg)
            case "ACK":
                pass
            case "BYE":
                self._reply(request, addr, 200)
                if leg is not None:
                    self._end(leg, 200)
            case "CANCEL":
                self._reply(request, addr, 200)
                if leg is not None and leg.invite is not None and not leg.up:
                    self._reply(leg.invite, addr, 487, leg)
                    self._end(leg, 487)
            case _:
                self._reply(request, addr, 200)

    def _invited(self, request: Request, addr: Address) -> None:
        """An agent's phone: it rings for a moment, then it is answered."""
        offer = parse_sdp(request.body)
        voice = self._people.voice(agent=True, first=lambda: None)
        leg = Leg(
            call_id=request.call_id,
            local=f"{request.header('To')};tag={secrets.token_hex(4)}",
            remote=request.header("From") or "",
            target=parse_name_addr(request.listed("Contact")[0]).uri,
            routes=list(request.listed("Record-Route")),
            voice=voice,
            agent=True,
            invite=request,
            began_s=self._loop.time(),
        )
        leg.description = answer_sdp(
            offer, local=voice.address, version=1, codecs=CODECS, holding=False
        )
        voice.speak_to(offer)
        self._legs[leg.call_id] = leg
        self._reply(request, addr, 180, leg)
        self._loop.call_later(RING_S, self._accept, leg, addr)

    def _accept(self, leg: Leg, addr: Address) -> None:
        if leg.gone or leg.invite is None:
            return
        leg.reply = self._reply(leg.invite, addr, 200, leg, leg.description)

    def _reply(
        self,
        request: Request,
        addr: Address,
        status: int,
        leg: Leg | None = None,
        body: bytes = b"",
    ) -> Response:
        to = request.header("To") or ""
        headers: Headers = (
            *(("Via", via) for via in request.all("Via")),
            *(("Record-Route", route) for route in request.all("Record-Route")),
            ("From", request.header("From") or ""),
            ("To", leg.local if leg is not None and leg.agent else to),
            ("Call-ID", request.call_id),
            ("CSeq", request.header("CSeq") or ""),
            ("Contact", f"<sip:crowd@{HOST}:{self.port}>"),
            *((("Content-Type", "application/sdp"),) if body else ()),
        )
        response = Response(status=status, reason="Crowd", headers=headers, body=body)
        self._send(response, addr)
        return response

    def _end(self, leg: Leg, status: int) -> None:
        if leg.gone:
            return
        leg.gone, leg.waits_for = True, None
        self._legs.pop(leg.call_id, None)
        leg.voice.close()
        self._people.over(leg, status)

    def _send(self, message: Request | Response, to: Address) -> None:
        self._transport.sendto(message.encode(), to)


def _next_hop(leg: Leg) -> Address:
    uri = parse_uri(parse_name_addr(leg.routes[0]).uri if leg.routes else leg.target)
    return uri.host, uri.port
