"""Where a gRPC server lets its clients in: a private unix socket, or a TCP port with mTLS."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

from grpc import aio

from services.chassis.errors import CarillonError, Kind
from services.chassis.tls import ServiceTLS

MAX_SOCKET_PATH_BYTES = 107
"""What the kernel takes (unix(7): 108 with the final NUL)."""
KEEPALIVE_MS = 5_000
KEEPALIVE_TIMEOUT_MS = 3_000
"""A peer that is gone without a word is noticed after 8 s: less than a caller's patience."""

Options = tuple[tuple[str, int | str], ...]


class AlreadyRunning(CarillonError):
    """Another process serves this name in the same run folder."""

    code: ClassVar[str] = "already-running"
    kind: ClassVar[Kind] = Kind.CONFLICT


class SocketPathTooLong(CarillonError):
    """The run folder's path leaves no room for a socket's name."""

    code: ClassVar[str] = "socket-path-too-long"
    kind: ClassVar[Kind] = Kind.INVALID


class ListenRefused(CarillonError):
    """The address that a service was to listen at cannot be had."""

    code: ClassVar[str] = "listen-refused"
    kind: ClassVar[Kind] = Kind.INVALID


class Door(Protocol):
    """One way into a server."""

    @property
    def service(self) -> str:
        """Whose it is, for metrics and spans."""

    def options(self) -> Options:
        """What the server is told when it is made."""

    def hang(self, server: aio.Server) -> None:
        """Adds the door to a server that has not started; named errors say what to set."""

    def opened(self) -> None:
        """The server has started."""

    def admit(self, peer: Mapping[str, Iterable[bytes]]) -> None:
        """Refuses a client that may not come in, by a named error."""

    def close(self) -> None:
        """The server has stopped, or never started."""


class UnixDoor:
    """A unix socket for this user alone; its folder keeps everybody else out."""

    def __init__(self, path: Path) -> None:
        """The path's stem is the service's name."""
        self._path = path
        self._lock: int | None = None

    @property
    def service(self) -> str:
        """Whose it is."""
        return self._path.stem

    def options(self) -> Options:
        """Nothing of its own."""
        return ()

    def hang(self, server: aio.Server) -> None:
        """Takes the path; AlreadyRunning, SocketPathTooLong."""
        if len(os.fsencode(self._path)) > MAX_SOCKET_PATH_BYTES:
            raise SocketPathTooLong(f"{self._path}: set CARILLON_RUN_DIR to a shorter folder")
        self._lock = _lock(self._path.with_suffix(".lock"))
        # What a killed process left: nobody listens there, the lock proves it.
        self._path.unlink(missing_ok=True)
        server.add_insecure_port(f"unix:{self._path}")

    def opened(self) -> None:
        """Lets nobody else touch the socket."""
        self._path.chmod(0o600)

    def admit(self, peer: Mapping[str, Iterable[bytes]]) -> None:
        """Whoever reaches the socket is this user."""

    def close(self) -> None:
        """Lets another process have the path."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


@dataclass(frozen=True, slots=True)
class Ageing:
    """How long connections live, so that new replicas get their share."""

    age_s: float = 300.0
    """Then the server asks the client to come anew, which looks names up again."""
    grace_s: float = 3_600.0
    """For streams that are open then; afterwards they are cut, and opened elsewhere."""


class TcpDoor:
    """A TCP port with mTLS; without, where somebody has asked for that."""

    def __init__(
        self, *, service: str, host: str, port: int, tls: ServiceTLS | None, ageing: Ageing
    ) -> None:
        """`host` may be `0.0.0.0` or `[::]`; `port` 0: any that is free, see `port`."""
        self._service = service
        self._host = host
        self._tls = tls
        self._ageing = ageing
        self.port = port
        """Where it listens, once hung."""

    @property
    def service(self) -> str:
        """Whose it is."""
        return self._service

    def options(self) -> Options:
        """Ageing, and what tells a dead client."""
        return (
            ("grpc.max_connection_age_ms", round(self._ageing.age_s * 1_000)),
            ("grpc.max_connection_age_grace_ms", round(self._ageing.grace_s * 1_000)),
            ("grpc.keepalive_time_ms", KEEPALIVE_MS),
            ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.max_pings_without_data", 0),
            # Clients may ask as often as they do, see rpc_channel.
            ("grpc.http2.min_ping_interval_without_data_ms", KEEPALIVE_MS // 2),
            ("grpc.http2.max_ping_strikes", 0),
        )

    def hang(self, server: aio.Server) -> None:
        """Takes the port; ListenRefused."""
        address = f"{self._host}:{self.port}"
        try:
            if self._tls is None:
                self.port = server.add_insecure_port(address)
            else:
                self.port = server.add_secure_port(address, self._tls.server_credentials())
        except RuntimeError:
            # The library tells the reason to its own log only.
            raise ListenRefused(
                f"{address}: somebody listens there, or it is no address of this machine;"
                " set CARILLON_LISTEN"
            ) from None

    def opened(self) -> None:
        """Nothing is left to do."""

    def admit(self, peer: Mapping[str, Iterable[bytes]]) -> None:
        """Refuses certificates of other installations; StrangerRefused."""
        if self._tls is not None:
            self._tls.admit(peer)

    def close(self) -> None:
        """The server has closed the port."""


def _lock(path: Path) -> int:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise AlreadyRunning(f"{path.stem} is already running in {path.parent}") from None
    return handle
