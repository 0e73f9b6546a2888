"""SIP over TCP: connections in and out, each with its framing, its limits and its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

from media_gateway.sip.address import HostPort
from media_gateway.sip.framing import PONG, BrokenStream, Framer
from media_gateway.sip.stack import Datagram
from services.chassis.log import get_logger
from services.chassis.tasks import Tasks

log = get_logger("sip")

MAX_CONNECTIONS = 1_000
MAX_FROM_ONE_HOST = 200
MAX_CONNECTING = 64
MAX_CONNECTING_TO_ONE_HOST = 16
"""So that nobody who asks and hangs up keeps the others from being reached."""
MAX_WAITING = 64
"""Messages that wait for one connection to be made."""
MAX_UNSENT_BYTES = 1024 * 1024
"""Waiting for the other side to read; beyond it the connection is closed."""
CONNECT_TIMEOUT_S = 2.0
"""An agent's phone is given little more to ring, and may be reached by UDP instead."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a connection may keep its place, in seconds."""

    first_s: float = 15.0
    """Until the first message of one that somebody else made begins."""
    message_s: float = 15.0
    """From the first byte of a message to its last."""
    idle_s: float = 900.0
    """Without a byte between messages (RFC 5626 asks for keep-alives every two minutes)."""


class SipStreams:
    """Every TCP connection of one SIP endpoint."""

    def __init__(
        self,
        *,
        on_message: Callable[[bytes, HostPort], None],
        on_failure: Callable[[Datagram], None],
        patience: Patience = Patience(),
    ) -> None:
        """`on_message` gets whole messages; `on_failure` what could not be sent."""
        self.patience = patience
        self._on_message = on_message
        self._on_failure = on_failure
        self._server: asyncio.Server | None = None
        self._numbers = count(1)
        self._by_flow: dict[int, _Connection] = {}
        self._by_peer: dict[tuple[str, int], _Connection] = {}
        self._connecting: dict[tuple[str, int], list[Datagram]] = {}
        self._tasks = Tasks(limit=MAX_CONNECTIONS + MAX_CONNECTING)

    def __len__(self) -> int:
        return len(self._by_flow)

    async def listen(self, *, host: str, port: int) -> None:
        """Takes connections; OSError when the port cannot be had."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), host, port)

    async def close(self) -> None:
        """Closes the listener and every connection."""
        if self._server is not None:
            self._server.close()
        await self._tasks.close()
        for connection in tuple(self._by_flow.values()):
            connection.close()

    def send(self, datagram: Datagram) -> None:
        """Sends by the connection that is named or there, or by one that is made for it."""
        destination = datagram.destination
        peer = (destination.host, destination.port)
        connection = self._by_flow.get(destination.flow) or self._by_peer.get(peer)
        if connection is not None:
            connection.write(datagram.data)
            return
        waiting = self._connecting.get(peer)
        if waiting is not None and len(waiting) < MAX_WAITING:
            waiting.append(datagram)
        elif waiting is None and self._may_connect(peer[0]):
            self._connecting[peer] = [datagram]
            self._tasks.start(self._connect(peer), "sip-connect")
        else:
            self._on_failure(datagram)

    def _may_connect(self, host: str) -> bool:
        alike = sum(other == host for other, _ in self._connecting)
        return (
            len(self._connecting) < MAX_CONNECTING
            and alike < MAX_CONNECTING_TO_ONE_HOST
            and len(self) < MAX_CONNECTIONS
        )

    async def _connect(self, peer: tuple[str, int]) -> None:
        loop = asyncio.get_running_loop()
        connection: _Connection | None = None
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                _, connection = await loop.create_connection(
                    lambda: _Connection(self, made_here=True), *peer
                )
        except (OSError, TimeoutError, ValueError) as error:  # ValueError: a host that is none
            log.debug("no connection", to=f"{peer[0]}:{peer[1]}", reason=str(error))
        if connection is not None and not connection.is_closed:
            # Its peer is an address; who is called by a name is found by that, too.
            connection.called = peer
            self._by_peer[peer] = connection
        waiting = self._connecting.pop(peer)
        for datagram in waiting:
            if connection is None or connection.is_closed:
                self._on_failure(datagram)
            else:
                connection.write(datagram.data)

    def opened(self, connection: _Connection) -> int:
        """Takes a connection in; 0 when there are too many."""
        host = connection.peer[0]
        alike = sum(1 for other in self._by_flow.values() if other.peer[0] == host)
        if len(self) >= MAX_CONNECTIONS or alike >= MAX_FROM_ONE_HOST:
            log.warning("connection refused", peer=host, connections=len(self))
            return 0
        flow = next(self._numbers)
        self._by_flow[flow] = connection
        self._by_peer[connection.peer] = connection
        return flow

    def received(self, message: bytes, connection: _Connection) -> None:
        """Hands on a whole message."""
        host, port = connection.peer
        self._on_message(message, HostPort(host, port, "TCP", connection.flow))

    def closed(self, connection: _Connection) -> None:
        """Forgets a connection."""
        self._by_flow.pop(connection.flow, None)
        for peer in (connection.peer, connection.called):
            if self._by_peer.get(peer) is connection:
                del self._by_peer[peer]


class _Connection(asyncio.Protocol):
    """One connection, whichever side made it."""

    def __init__(self, streams: SipStreams, *, made_here: bool = False) -> None:
        self._streams = streams
        self._trusted = made_here
        self._framer = Framer()
        self._transport: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._inside = False
        self.peer = self.called = ("", 0)
        self.flow = 0

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be sent by it any more."""
        return self._transport is None or self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Takes its place among the others, or is closed at once."""
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        address: Any = transport.get_extra_info("peername")
        self._transport = transport  # type: ignore[assignment]  # uvloop's is none by inheritance
        if not address:
            transport.close()  # gone again before it was taken in
            return
        self.peer = (str(address[0]), int(address[1]))
        self.flow = self._streams.opened(self)
        if not self.flow:
            transport.close()
            return
        patience = self._streams.patience
        self._arm(patience.idle_s if self._trusted else patience.first_s)

    def data_received(self, data: bytes) -> None:
        """Cuts messages out; a stream that cannot be cut is closed."""
        try:
            messages = self._framer.feed(data)
        except BrokenStream as error:
            log.info("stream closed", peer=self.peer[0], reason=str(error))
            self.close()
            return
        if self._framer.pings:
            self.write(PONG * self._framer.pings)
            self._framer.pings = 0
        for message in messages:
            self._streams.received(message, self)
        self._trusted = self._trusted or bool(messages)
        inside = self._framer.is_inside
        if inside and (messages or not self._inside):
            # Bytes that drip in do not make the message's time longer.
            self._arm(self._streams.patience.message_s)
        elif not inside and self._trusted:
            # Nor do questions from one who never said anything keep its place.
            self._arm(self._streams.patience.idle_s)
        self._inside = inside

    def write(self, data: bytes) -> None:
        """Sends; who does not read is left."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            log.info("stream closed", peer=self.peer[0], reason="the other side does not read")
            transport.abort()
            return
        transport.write(data)

    def close(self) -> None:
        """Closes it, what was written is still sent."""
        if self._transport is not None:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's)
        """Forgotten; transactions that wait for an answer have their own patience."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._transport = None
        self._streams.closed(self)

    def _arm(self, after_s: float) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = asyncio.get_running_loop().call_later(after_s, self._give_up)

    def _give_up(self) -> None:
        """Closes it at once: waiting for one who does not read would keep its place for ever."""
        if self._transport is not None:
            self._transport.abort()
