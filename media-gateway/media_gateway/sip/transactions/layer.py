"""The transaction layer: finds a message's transaction, runs its machine, keeps its timers.

It hands upward what its user must see and absorbs everything else: repeated requests, repeated
answers, acknowledgements of failures. It knows nothing of calls.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace

from media_gateway.sip.address import HostPort
from media_gateway.sip.headers import Headers
from media_gateway.sip.message import CSeq, Request, Response
from media_gateway.sip.timers import Timers
from media_gateway.sip.transactions.client import CLIENT
from media_gateway.sip.transactions.invite_client import INVITE_CLIENT
from media_gateway.sip.transactions.invite_server import INVITE_SERVER
from media_gateway.sip.transactions.machine import (
    PATIENCE_MS,
    Action,
    Input,
    Machine,
    Rule,
    State,
    Timer,
)
from media_gateway.sip.transactions.server import SERVER

Key = tuple[Hashable, ...]
"""What a transaction is found by (RFC 3261, sections 17.1.3 and 17.2.3)."""

MAX_UDP_REQUEST_BYTES = 1_300
"""A longer request goes by TCP where that is to be had (RFC 3261, section 18.1.1)."""
MAX_HELD_BYTES = 64 * 1024 * 1024
"""Of requests from outside, while their transactions absorb repeats."""

_UPWARD = frozenset({Action.TELL, Action.TELL_TIMEOUT, Action.TELL_UNREACHABLE})
_COPIED_INTO_ACK = frozenset({"from", "call-id", "max-forwards", "route"})


@dataclass(frozen=True, slots=True)
class Datagram:
    """Bytes for the owner to send."""

    data: bytes
    """One whole SIP message."""

    destination: HostPort
    """Where to, and by which transport; a host that is no IP literal is resolved by the owner."""


@dataclass(slots=True, eq=False)
class Transaction:
    """One request and its answers."""

    machine: Machine
    """Which of the four it is."""

    key: Key
    """What it is found by."""

    request: Request
    """The request that opened it."""

    destination: HostPort
    """Where what it sends goes."""

    owner: object = None
    """What its user attached to it, to know it again."""

    vias: tuple[str, ...] = ()
    """Via values for responses, the top one stamped with where the request came from."""

    to_tag: str = ""
    """Our tag on every response of a server transaction."""

    state: State = field(init=False)
    """Where its machine stands."""

    wire: bytes = b""
    """The last message sent, for sending again."""

    interval_ms: int = 0
    """The present interval between retransmissions."""

    by_udp: Request | None = None
    """The request as it goes by UDP after all, should TCP fail for which it is too long."""

    def __post_init__(self) -> None:
        self.state = self.machine.first


class TransactionLayer:
    """Every transaction of one stack, at most `limit` of them."""

    def __init__(
        self, *, timers: Timers[Hashable], send: Callable[[Datagram], None], limit: int
    ) -> None:
        self._timers = timers
        self._send = send
        self._limit = limit
        self._clients: dict[Key, Transaction] = {}
        self._servers: dict[Key, Transaction] = {}
        self._seen: dict[Key, Key] = {}
        self._buried: deque[tuple[int, Key]] = deque()
        self._held_bytes = 0

    def __len__(self) -> int:
        return len(self._clients) + len(self._servers)

    @property
    def is_full(self) -> bool:
        """Whether no further request from outside should be taken."""
        return len(self) >= self._limit or self._held_bytes >= MAX_HELD_BYTES

    def open_client(
        self, request: Request, destination: HostPort, *, owner: object, now_ms: int
    ) -> Transaction:
        """Send a request (any but ACK) and follow it."""
        machine = INVITE_CLIENT if request.method == "INVITE" else CLIENT
        key = (request.top_via.branch, request.method)
        transaction = Transaction(machine, key, request, destination, owner)
        transaction.wire = request.encode()
        if not destination.is_reliable and len(transaction.wire) > MAX_UDP_REQUEST_BYTES:
            transaction.by_udp = request
            _redirect(transaction, request.by("TCP"))
        self._clients[key] = transaction
        self._follow(transaction, machine.on_start, now_ms, None)
        return transaction

    def open_server(
        self, request: Request, source: HostPort, *, to_tag: str, now_ms: int
    ) -> Transaction:
        """Take in a new request; it stays until it is answered and its repeats are over."""
        machine = INVITE_SERVER if request.method == "INVITE" else SERVER
        transaction = Transaction(
            machine,
            server_key(request),
            request,
            request.top_via.reply_address(source),
            vias=reply_vias(request, source),
            to_tag=to_tag,
        )
        self._servers[transaction.key] = transaction
        self._held_bytes += _size(request)
        if request.method == "INVITE":
            self._seen[_identity(request)] = transaction.key
        self._follow(transaction, machine.on_start, now_ms, None)
        return transaction

    def find_server(self, request: Request, method: str | None = None) -> Transaction | None:
        """The transaction that the request repeats, acknowledges or (by method) cancels."""
        return self._servers.get(server_key(request, method))

    def find_client(self, message: Request | Response) -> Transaction | None:
        """The transaction of a response, or of a request of ours that could not be sent."""
        return self._clients.get((message.top_via.branch, message.cseq.method))

    def seen_before(self, request: Request, now_ms: int) -> Key | None:
        """Key of the transaction that had this very INVITE, alive or over for less than 32 s.

        The same key means a straggler; another means that it came by two ways (section 8.2.2.2).
        """
        while self._buried and (self._buried[0][0] <= now_ms or len(self._buried) > self._limit):
            self._seen.pop(self._buried.popleft()[1], None)
        return self._seen.get(_identity(request))

    def respond(self, transaction: Transaction, response: Response, now_ms: int) -> None:
        """Send a response, if the machine still has room for one."""
        given = (
            Input.SEND_1XX
            if response.status < 200
            else Input.SEND_2XX
            if response.status < 300
            else Input.SEND_FAILURE
        )
        if transaction.machine.rule(transaction.state, given) is not None:
            transaction.wire = response.encode()
        self.feed(transaction, given, now_ms)

    def feed(
        self,
        transaction: Transaction,
        given: Input,
        now_ms: int,
        response: Response | None = None,
    ) -> Action | None:
        """Run one input through the machine; what its user has to be told, if anything."""
        rule = transaction.machine.rule(transaction.state, given)
        return None if rule is None else self._follow(transaction, rule, now_ms, response)

    def cannot_send(self, transaction: Transaction, now_ms: int) -> Action | None:
        """What a client transaction sent cannot be delivered; what its user has to be told."""
        by_udp, transaction.by_udp = transaction.by_udp, None
        if by_udp is None or transaction.state is not transaction.machine.first:
            return self.feed(transaction, Input.UNREACHABLE, now_ms)
        _redirect(transaction, by_udp)
        return self._follow(transaction, transaction.machine.on_start, now_ms, None)

    def fire(self, transaction: Transaction, timer: Timer, now_ms: int) -> Action | None:
        """One of the transaction's timers has run out."""
        return self.feed(transaction, timer.value, now_ms)

    def _follow(
        self, transaction: Transaction, rule: Rule, now_ms: int, response: Response | None
    ) -> Action | None:
        transaction.state = rule.state
        upward = None
        for action in rule.actions:
            if action is Action.SEND and transaction.wire:
                self._send(Datagram(transaction.wire, transaction.destination))
            elif action is Action.ACK and response is not None:
                ack = ack_of_failure(transaction.request, response)
                self._send(Datagram(ack.encode(), transaction.destination))
            elif action in _UPWARD:
                upward = action
        if rule.stop:
            self._timers.stop(transaction, *rule.stop)
        for timer, after_ms in rule.start:
            self._start(transaction, timer, after_ms, now_ms)
        if rule.again:
            longest = transaction.machine.longest_interval_ms
            doubled = 2 * transaction.interval_ms
            transaction.interval_ms = doubled if longest is None else min(doubled, longest)
            self._timers.start(transaction, Timer.RETRANSMIT, now_ms + transaction.interval_ms)
        if rule.state is State.TERMINATED:
            self._forget(transaction, now_ms)
        return upward

    def _start(self, transaction: Transaction, timer: Timer, after_ms: int, now_ms: int) -> None:
        if transaction.destination.is_reliable:
            if timer is Timer.RETRANSMIT:
                return  # A, E and G are for transports that lose messages.
            if timer is Timer.LINGER and transaction.state is not State.ACCEPTED:
                after_ms = 0  # D, I, J and K: nothing is repeated that had to be absorbed.
        if timer is Timer.RETRANSMIT:
            transaction.interval_ms = after_ms
        self._timers.start(transaction, timer, now_ms + after_ms)

    def _forget(self, transaction: Transaction, now_ms: int) -> None:
        self._timers.stop(transaction)
        if transaction.machine in (INVITE_CLIENT, CLIENT):
            self._clients.pop(transaction.key, None)
            return
        if self._servers.pop(transaction.key, None) is not None:
            self._held_bytes -= _size(transaction.request)
        if transaction.machine is INVITE_SERVER:
            self._buried.append((now_ms + PATIENCE_MS, _identity(transaction.request)))


def server_key(request: Request, method: str | None = None) -> Key:
    """What a request's server transaction is found by; an ACK's is its INVITE's."""
    method = method or ("INVITE" if request.method == "ACK" else request.method)
    via = request.top_via
    if via.is_unique:
        return (via.branch, via.host.lower(), via.port, method)
    return (
        *(via.branch, via.host.lower(), via.port, method),
        *(request.call_id, request.from_.tag, request.cseq.number),
    )


def reply_vias(request: Request, source: HostPort) -> tuple[str, ...]:
    """The request's Via values, the top one stamped (RFC 3261 section 18.2.1, RFC 3581)."""
    return (str(request.top_via.stamped(source)), *request.vias[1:])


def ack_of_failure(request: Request, response: Response) -> Request:
    """The ACK that belongs to the INVITE's own transaction (RFC 3261, section 17.1.1.3)."""
    fields = [("Via", str(request.top_via))]
    fields += [item for item in request.headers if item[0].lower() in _COPIED_INTO_ACK]
    fields += [("To", response.headers.get("to")), ("CSeq", str(CSeq(request.cseq.number, "ACK")))]
    return Request("ACK", request.uri, Headers(fields))


def _redirect(transaction: Transaction, request: Request) -> None:
    """Sends the request by the transport that its Via names; its branch stays."""
    transaction.request, transaction.wire = request, request.encode()
    transport = request.top_via.transport
    transaction.destination = replace(transaction.destination, transport=transport)


def _size(request: Request) -> int:
    return len(request.body) + sum(len(name) + len(value) for name, value in request.headers)


def _identity(request: Request) -> Key:
    """What an INVITE keeps on every way it takes."""
    return (request.call_id, request.from_.tag, request.to.tag, request.cseq.number)
