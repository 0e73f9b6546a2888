"""The SIP stack on its sockets, UDP and TCP: messages in, messages out, one timer."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any, ClassVar

from media_gateway.adapters.sip_ladders import SipLadders
from media_gateway.adapters.sip_streams import SipStreams
from media_gateway.sip.address import HostPort
from media_gateway.sip.events import SipEvent
from media_gateway.sip.limits import Limits
from media_gateway.sip.message import Request, Response
from media_gateway.sip.stack import Datagram, SipStack
from services.chassis.clock import Clock
from services.chassis.errors import CarillonError, Kind
from services.chassis.log import get_logger
from services.chassis.tasks import Tasks

log = get_logger("sip")

MAX_DATAGRAM_BYTES = 65_535
MAX_ROUNDS = 1_000
"""Times that events and output are drained in a row: each event can cause only so many more."""
MAX_LOOKUPS = 64
"""Host names that are looked up at once."""
ENTROPY_BITS = 96
BIND_ATTEMPTS = 20


class SipPortTaken(CarillonError):
    """The SIP port cannot be had."""

    code: ClassVar[str] = "sip-port-taken"
    kind: ClassVar[Kind] = Kind.CONFLICT


class SipEndpoint(asyncio.DatagramProtocol):
    """Owns the socket, the stack and its timer.

    `on_event` is called for each event of the stack, never from within a verb: whoever used a
    verb calls `flush` afterwards, which sends what there is to send and tells what happened.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        random_bits: Callable[[int], int],
        on_event: Callable[[SipEvent], None],
        user_agent: str,
        name: str = "",
    ) -> None:
        """Tags begin with `name`, so that whoever sees a dialog knows whose it is."""
        self._clock = clock
        self._random_bits = random_bits
        self._on_event = on_event
        self._user_agent = user_agent
        self._prefix = f"{name}-" if name else ""
        self._transport: asyncio.DatagramTransport | None = None
        self._stack: SipStack | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at_ms = 0
        self._flushing = False
        self.ladders = SipLadders()
        """Which calls' messages went by."""
        self._lookups = Tasks(limit=MAX_LOOKUPS)
        self._streams = SipStreams(on_message=self._receive, on_failure=self._undeliverable)

    async def open(self, *, host: str, port: int, advertised: str, limits: Limits) -> None:
        """Binds UDP and TCP of the same port; SipPortTaken says what to set."""
        transport = await self._bind(host, port)
        if hasattr(transport, "max_size"):
            transport.max_size = MAX_DATAGRAM_BYTES
        self._family = socket.AF_INET6 if ":" in host else socket.AF_INET
        bound = transport.get_extra_info("sockname")[1]
        self._transport = transport
        self._stack = SipStack(
            local=HostPort(advertised or host, bound),
            user_agent=self._user_agent,
            entropy=self._entropy,
            contact_user="carillon",
            limits=limits,
            on_received=self._received,
        )
        self.local = HostPort(advertised or host, bound)
        """Where others reach it."""

    async def _bind(self, host: str, port: int) -> asyncio.DatagramTransport:
        loop = asyncio.get_running_loop()
        for attempt in range(1, BIND_ATTEMPTS + 1):
            try:
                transport, _ = await loop.create_datagram_endpoint(
                    lambda: self, local_addr=(host, port)
                )
            except OSError as error:
                raise SipPortTaken(_advice("UDP", host, port, error)) from error
            bound = transport.get_extra_info("sockname")[1]
            try:
                await self._streams.listen(host=host, port=bound)
            except OSError as error:
                transport.close()
                # Any port will do: one whose TCP half is free, too.
                if port or attempt == BIND_ATTEMPTS:
                    raise SipPortTaken(_advice("TCP", host, bound, error)) from error
            else:
                return transport
        raise AssertionError("the last attempt returns or raises")

    @property
    def stack(self) -> SipStack:
        """The stack, once open."""
        assert self._stack is not None, "the endpoint is open"
        return self._stack

    @property
    def connections(self) -> int:
        """TCP connections that are open."""
        return len(self._streams)

    @property
    def malformed(self) -> int:
        """Datagrams and messages that were no SIP."""
        return 0 if self._stack is None else self._stack.malformed

    async def close(self) -> None:
        """Sends what is left and closes the socket."""
        if self._stack is not None:
            self.flush()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        await self._lookups.close()
        await self._streams.close()
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def now_ms(self) -> int:
        """The stack's time."""
        return self._clock.now_ms()

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """Hands a datagram to the stack."""
        self._receive(data, HostPort(str(addr[0]), int(addr[1])))

    def error_received(self, exc: Exception) -> None:
        """A far end that is not there: the transaction's own patience deals with it."""
        log.debug("datagram came back", reason=str(exc))

    def _receive(self, data: bytes, source: HostPort) -> None:
        try:
            self.stack.receive(data, source, self.now_ms())
        finally:
            self.flush()

    def _received(self, message: Request | Response, source: HostPort, now_ms: int) -> None:
        self.ladders.received(message, source, now_ms)

    def _undeliverable(self, datagram: Datagram) -> None:
        self.stack.undeliverable(datagram, self.now_ms())
        self.flush()

    def flush(self) -> None:
        """Sends and tells until nothing is left, then arms the timer.

        What an event makes its owner do comes back here at once; the outer round goes on with it.
        """
        if self._flushing:
            return
        self._flushing = True
        try:
            self._drain()
        finally:
            self._flushing = False
        self._arm()

    def _drain(self) -> None:
        stack = self.stack
        for _ in range(MAX_ROUNDS):
            for datagram in stack.take_output():
                self.ladders.sent(datagram.data, datagram.destination, self.now_ms())
                self._send(datagram)
            events = stack.take_events()
            if not events:
                return
            for event in events:
                self._tell(event)
        log.error("signalling does not come to rest", rounds=MAX_ROUNDS)

    def _tell(self, event: SipEvent) -> None:
        try:
            self._on_event(event)
        except Exception as error:
            # The socket is everybody's: one event that cannot be taken must not close it.
            log.error("event not taken", what=type(event).__name__, exc_info=error)

    def _send(self, datagram: Datagram) -> None:
        host = datagram.destination.host
        if datagram.destination.is_reliable:
            self._streams.send(datagram)
            return
        try:
            ip_address(host)
        except ValueError:
            self._look_up(datagram)
            return
        self._transmit(datagram, host)

    def _transmit(self, datagram: Datagram, host: str) -> None:
        if self._transport is None:
            return
        try:
            self._transport.sendto(datagram.data, (host, datagram.destination.port))
        except (OSError, ValueError) as error:
            log.debug("datagram was not sent", to=str(datagram.destination), reason=str(error))
            self.stack.undeliverable(datagram, self.now_ms())

    def _look_up(self, datagram: Datagram) -> None:
        try:
            self._lookups.start(self._send_by_name(datagram), "sip-lookup")
        except RuntimeError:
            self.stack.undeliverable(datagram, self.now_ms())

    async def _send_by_name(self, datagram: Datagram) -> None:
        loop = asyncio.get_running_loop()
        host = datagram.destination.host
        try:
            found = await loop.getaddrinfo(host, None, family=self._family, type=socket.SOCK_DGRAM)
        except (OSError, UnicodeError):
            found = []  # no such name, or none that could be one
        if found:
            self._transmit(datagram, str(found[0][4][0]))
        else:
            self.stack.undeliverable(datagram, self.now_ms())
        self.flush()

    def _arm(self) -> None:
        deadline_ms = self.stack.deadline_ms()
        if deadline_ms is None or self._transport is None:
            return
        if self._timer is not None:
            if self._timer_at_ms <= deadline_ms:
                return  # wakes early enough, and then looks again
            self._timer.cancel()
        delay_s = max(0, deadline_ms - self.now_ms()) / 1_000
        self._timer_at_ms = deadline_ms
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._wake)

    def _wake(self) -> None:
        self._timer = None
        try:
            self.stack.tick(self.now_ms())
        finally:
            self.flush()  # whatever went wrong, the other timers go on

    def _entropy(self) -> str:
        return f"{self._prefix}{self._random_bits(ENTROPY_BITS):024x}"


def _advice(transport: str, host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"{transport} port {port} of {host} is in use: set CARILLON_GATEWAY_SIP_PORT to a free "
            "port, or to 0 for any"
        )
    return (
        f"cannot receive SIP at {host}:{port} ({error.strerror or error}): "
        "set CARILLON_GATEWAY_SIP_HOST to an address of this machine and CARILLON_GATEWAY_SIP_PORT "
        "to a port that this user may bind"
    )
