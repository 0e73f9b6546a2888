"""The HTTP server, in the process's own loop and without claims on its signals."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Generator, Sequence
from typing import ClassVar

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from services.chassis.errors import CarillonError, Kind
from services.chassis.log import get_logger
from services.chassis.tasks import Tasks

log = get_logger("portal.http")

MAX_HEADER_BYTES = 32 * 1024
"""Of the request line and all headers together."""
MAX_CONNECTIONS = 20_000
KEEP_ALIVE_S = 15
REQUEST_LIMIT_S = 15.0
"""How long the headers of a request may take, on top of `KEEP_ALIVE_S` for any but the first."""
UNREAD_LIMIT_S = 60.0
"""How long somebody may take nothing of what was written for them."""
GRACE_S = 5
"""How long requests in progress may take once the server stops."""
BACKLOG = 512
MAX_SOCKET_MESSAGE_BYTES = 16 * 1024
SOCKET_PING_S = 20.0


class PortInUse(CarillonError):
    """Another program listens on the port."""

    code: ClassVar[str] = "port-in-use"
    kind: ClassVar[Kind] = Kind.CONFLICT


def bound(*, host: str, port: int, setting: str, fallback: bool) -> socket.socket:
    """A listening socket; PortInUse says which setting to change, unless a free port will do."""
    try:
        return _bind(host, port)
    except OSError as error:
        if not fallback:
            raise PortInUse(
                f"{host}:{port} is in use: set {setting} to another port, or "
                "CARILLON_PORTAL_PORT_FALLBACK=true to take any that is free"
            ) from error
    listening = _bind(host, 0)
    log.warning("port in use", wanted=port, taken=listening.getsockname()[1], setting=setting)
    return listening


def bound_to_all(
    *, hosts: Sequence[str], port: int, setting: str, fallback: bool
) -> list[socket.socket]:
    """A listening socket for each address, all of one port; PortInUse."""
    first = bound(host=hosts[0], port=port, setting=setting, fallback=fallback)
    listening = [first]
    try:
        for host in hosts[1:]:
            taken = first.getsockname()[1]
            listening.append(bound(host=host, port=taken, setting=setting, fallback=False))
    except PortInUse:
        for each in listening:
            each.close()
        raise
    return listening


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # asyncio keeps what a peer does not take, and a connection that is closed waits until it
        # has; this ends them (RFC 5482; Linux alone has it, and accepted connections inherit it).
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            limit_ms = int(UNREAD_LIMIT_S * 1_000)
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, limit_ms)
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    listening.setblocking(False)  # noqa: FBT003  # the standard library's signature
    return listening


class HttpServer:
    """Serves an application on its sockets until it is stopped; by TLS where it has a context."""

    def __init__(
        self, *, app: ASGIApp, listening: Sequence[socket.socket], tls: ssl.SSLContext | None = None
    ) -> None:
        self._listening = list(listening)
        self._tasks = Tasks(limit=1)
        self._serving: asyncio.Task[None] | None = None
        self._server = _Server(
            uvicorn.Config(
                app,
                http=_Impatient,
                ws=_Frugal,
                ws_max_size=MAX_SOCKET_MESSAGE_BYTES,
                ws_ping_interval=SOCKET_PING_S,
                ws_ping_timeout=SOCKET_PING_S,
                ws_per_message_deflate=False,
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                limit_concurrency=MAX_CONNECTIONS,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=GRACE_S,
                h11_max_incomplete_event_size=MAX_HEADER_BYTES,
                ssl_context_factory=None if tls is None else lambda _config, _usual: tls,
            )
        )

    def start(self) -> None:
        """Begins to serve."""
        self._serving = self._tasks.start(self._server.serve(sockets=self._listening), "http")

    async def stop(self) -> None:
        """Lets requests in progress finish for a moment, and ends."""
        self._server.should_exit = True
        if self._serving is not None:
            await asyncio.gather(self._serving, return_exceptions=True)
        for each in self._listening:
            each.close()


class _Impatient(H11Protocol):
    """A connection that is closed when no request comes on it, or no other."""

    _limit: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # narrower
        """Begins to wait for the first request."""
        super().connection_made(transport)
        self._wait(REQUEST_LIMIT_S)

    def connection_lost(self, exc: Exception | None) -> None:
        """Waits no longer."""
        super().connection_lost(exc)
        if self._limit is not None:
            self._limit.cancel()

    def on_response_complete(self) -> None:
        """Begins to wait for the next request; uvicorn itself does so to its first byte only."""
        super().on_response_complete()
        self._wait(KEEP_ALIVE_S + REQUEST_LIMIT_S)

    def _wait(self, limit_s: float) -> None:
        if self._limit is not None:
            self._limit.cancel()
        self._limit = self.loop.call_later(limit_s, self._give_up)

    def _give_up(self) -> None:
        # A WebSocket has taken the connection over by now.
        is_ours = self.transport.get_protocol() is self
        is_idle = self.cycle is None or self.cycle.response_complete
        if is_ours and is_idle and not self.transport.is_closing():
            self.transport.close()


class _Frugal(WebSocketsSansIOProtocol):
    """A WebSocket that keeps no answers for somebody who does not read."""

    def handle_ping(self) -> None:
        """Answers, unless earlier answers have not left yet: one to a later ping will do.

        RFC 6455, 5.5.3. All else is sent only when it can leave; these alone would pile up.
        """
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()


class _Server(uvicorn.Server):
    """A server that leaves SIGTERM and SIGINT to the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Takes none."""
        yield
