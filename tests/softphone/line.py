"""The phone's line: one UDP socket, its transactions, its ladder and its judgements."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections import deque
from collections.abc import Callable
from typing import Final, TypeVar

from tests.softphone.errors import NoResponse, NotSip, PhoneError
from tests.softphone.judge import request_faults, response_faults
from tests.softphone.ladder import Ladder, Step, Way
from tests.softphone.message import (
    Headers,
    Message,
    Request,
    Response,
    parse_message,
    parse_uri,
)
from tests.softphone.sdp import Address
from tests.softphone.transaction import ClientTransaction, Repeats, ServerTransaction, Timers

_Key = TypeVar("_Key")
_Kept = TypeVar("_Kept")

ALLOW: Final = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO"
USER_AGENT: Final = "softphone"
MAX_TRANSACTIONS: Final = 20_000
MAX_FAULTS: Final = 1_000
REASONS: Final = {
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
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    415: "Unsupported Media Type",
    420: "Bad Extension",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    491: "Request Pending",
    500: "Server Internal Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    603: "Decline",
}


class Line(asyncio.DatagramProtocol):
    """Sends and receives SIP. Whoever owns it sets the three `on_` callbacks."""

    def __init__(self, *, user: str, timers: Timers) -> None:
        self.user = user
        self.timers = timers
        self.ladder = Ladder()
        self.repeats = Repeats()
        self.faults: deque[str] = deque(maxlen=MAX_FAULTS)
        self.lose_inbound: Callable[[str], bool] = _lose_nothing
        self.lose_outbound: Callable[[str], bool] = _lose_nothing
        self.on_request: Callable[[ServerTransaction], None] | None = None
        self.on_ack: Callable[[Request], None] | None = None
        self.on_stray_response: Callable[[Response], None] | None = None
        self.loop = asyncio.get_running_loop()
        self.started_at_s = self.loop.time()
        self._transport: asyncio.DatagramTransport | None = None
        self._clients: dict[tuple[str, str], ClientTransaction] = {}
        self._servers: dict[tuple[str, str, int, str], ServerTransaction] = {}

    async def open(self, host: str, port: int) -> None:
        """Take the port; raises OSError if it is not to be had."""
        self._transport, _ = await self.loop.create_datagram_endpoint(
            lambda: self, local_addr=(host, port)
        )

    def close(self) -> None:
        transactions: list[ClientTransaction | ServerTransaction]
        transactions = [*self._clients.values(), *self._servers.values()]
        for transaction in transactions:
            transaction.stop()
        self._clients.clear()
        self._servers.clear()
        if self._transport is not None:
            self._transport.close()

    @property
    def address(self) -> Address:
        assert self._transport is not None, "the line is not open"
        host, port = self._transport.get_extra_info("sockname")[:2]
        return host, port

    @property
    def contact(self) -> str:
        host, port = self.address
        return f"<sip:{self.user}@{host}:{port}>"

    def new_via(self) -> str:
        host, port = self.address
        return f"SIP/2.0/UDP {host}:{port};branch=z9hG4bK{secrets.token_hex(8)};rport"

    def fault(self, where: str, texts: list[str]) -> None:
        self.faults.extend(f"{where}: {text}" for text in texts)

    def send(self, message: Message, to: Address) -> None:
        self.send_raw(message.encode(), to, first_line=message.first_line, call_id=message.call_id)

    def send_raw(
        self, data: bytes, to: Address, *, first_line: str = "", call_id: str = ""
    ) -> None:
        line = first_line or data[:80].partition(b"\r\n")[0].decode(errors="replace")
        lost = self.lose_outbound(line)
        self._note("-x" if lost else "->", line, call_id)
        if not lost and self._transport is not None:
            self._transport.sendto(data, to)

    def request(
        self,
        request: Request,
        to: Address,
        *,
        heard: Callable[[Response], None],
        expired: Callable[[], None],
    ) -> ClientTransaction:
        """Send a request in a transaction of its own."""
        if len(self._clients) >= MAX_TRANSACTIONS:
            raise PhoneError(f"more than {MAX_TRANSACTIONS} requests at once")
        key = (request.via.branch, request.method)
        transaction = ClientTransaction(
            request,
            timers=self.timers,
            repeats=self.repeats,
            send=lambda message: self.send(message, to),
            heard=heard,
            expired=expired,
            forget=lambda: _discard(self._clients, key),
        )
        self._clients[key] = transaction
        return transaction

    async def ask(
        self, request: Request, to: Address, *, heard: Callable[[Response], None] | None = None
    ) -> Response:
        """Send a request and await its final response; raises NoResponse after 64*T1."""
        final: asyncio.Future[Response] = self.loop.create_future()

        def hear(response: Response) -> None:
            if heard is not None:
                heard(response)
            if response.status >= 200 and not final.done():
                final.set_result(response)

        def expire() -> None:
            if not final.done():
                story = self.ladder.text(request.call_id)
                final.set_exception(NoResponse(f"{request.first_line}\n{story}"))

        self.request(request, to, heard=hear, expired=expire)
        return await final

    def response(
        self,
        request: Request,
        status: int,
        *,
        reason: str | None = None,
        to_tag: str = "",
        headers: Headers = (),
        body: bytes = b"",
    ) -> Response:
        """A response to a request (RFC 3261 section 8.2.6), ready for its transaction."""
        copied = [("Via", value) for value in request.all("Via")]
        if status < 300 and request.method == "INVITE":
            copied += [("Record-Route", value) for value in request.all("Record-Route")]
        to = request.header("To") or ""
        if to_tag and not request.to_tag:
            to += f";tag={to_tag}"
        copied += [
            ("From", request.header("From") or ""),
            ("To", to),
            ("Call-ID", request.call_id),
            ("CSeq", request.header("CSeq") or ""),
            ("User-Agent", USER_AGENT),
        ]
        if body:
            copied.append(("Content-Type", "application/sdp"))
        text = REASONS.get(status, "") if reason is None else reason
        return Response(status=status, reason=text, headers=(*copied, *headers), body=body)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        if not data.strip(b"\r\n\x00"):
            return
        try:
            message = parse_message(data)
            call_id = message.call_id
            lost = self.lose_inbound(message.first_line)
            self._note("x-" if lost else "<-", message.first_line, call_id)
            if lost:
                return
            if isinstance(message, Response):
                self._receive_response(message)
            else:
                self._receive_request(message, addr)
        except NotSip as error:
            self.fault(data[:60].partition(b"\r\n")[0].decode(errors="replace"), [str(error)])

    def server_transaction(self, request: Request, method: str) -> ServerTransaction | None:
        """The transaction that a CANCEL or an ACK speaks of, by its branch."""
        via = request.via
        return self._servers.get((via.branch, via.host, via.port, method))

    def _receive_response(self, response: Response) -> None:
        transaction = self._clients.get((response.via.branch, response.cseq[1]))
        if transaction is None:
            if self.on_stray_response is not None:
                self.on_stray_response(response)
            return
        self.fault(response.first_line, response_faults(response, transaction.request))
        transaction.receive(response)

    def _receive_request(self, request: Request, source: Address) -> None:
        faults = request_faults(request)
        self.fault(request.first_line, faults)
        if request.method == "ACK":
            self._receive_ack(request)
            return
        known = self.server_transaction(request, request.method)
        if known is not None:
            known.receive_again()
            return
        if len(self._servers) >= MAX_TRANSACTIONS or self.on_request is None:
            return
        self.on_request(self._new_server_transaction(_received(request, source), source))

    def _receive_ack(self, ack: Request) -> None:
        transaction = self.server_transaction(ack, "INVITE")
        if transaction is not None and not transaction.accepted:
            transaction.acknowledge()
            return
        if transaction is not None:
            self.fault(ack.first_line, ["the ACK to a 2xx reuses the INVITE's branch"])
        if self.on_ack is not None:
            self.on_ack(ack)

    def _new_server_transaction(self, request: Request, source: Address) -> ServerTransaction:
        via = request.via
        key = (via.branch, via.host, via.port, request.method)
        to = source if "rport" in via.parameters else (source[0], via.port)
        transaction = ServerTransaction(
            request,
            timers=self.timers,
            repeats=self.repeats,
            send=lambda message: self.send(message, to),
            forget=lambda: _discard(self._servers, key),
        )
        self._servers[key] = transaction
        return transaction

    def _note(self, way: Way, first_line: str, call_id: str) -> None:
        t_ms = round((self.loop.time() - self.started_at_s) * 1000)
        self.ladder.add(Step(t_ms, way, first_line, call_id))


def destination(uri: str) -> Address:
    """Where a sip: URI is, if its host is an address on this machine's terms."""
    parsed = parse_uri(uri)
    return ("127.0.0.1" if parsed.host == "localhost" else parsed.host), parsed.port


def _received(request: Request, source: Address) -> Request:
    """The request with its top Via filled in as RFC 3581 section 4 asks."""
    values = request.listed("Via")
    via, top = request.via, values[0]
    if "rport" in via.parameters:
        filled = f";rport={source[1]};received={source[0]}"
        top = re.sub(r";[ \t]*rport(?=[ \t]*(?:;|$))", filled, top, count=1)
    elif via.host != source[0]:
        top += f";received={source[0]}"
    vias = [("Via", value) for value in (top, *values[1:])]
    others = [pair for pair in request.headers if pair[0].lower() not in ("via", "v")]
    return Request(
        method=request.method, uri=request.uri, headers=(*vias, *others), body=request.body
    )


def _discard(table: dict[_Key, _Kept], key: _Key) -> None:
    table.pop(key, None)


def _lose_nothing(_first_line: str) -> bool:
    return False
