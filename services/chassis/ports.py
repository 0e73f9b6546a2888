"""Ports of this machine for servers."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Sequence

LOOPBACK = "127.0.0.1"
FIRST_PORT = 10_000
PORTS = 10_000
"""For servers: 10,000 to 19,999. Audio is above, and the system's own choice above that."""


def is_free(port: int, hosts: Sequence[str] = (LOOPBACK,)) -> bool:
    """Whether UDP and TCP of a port can both be listened on, on loopback or all of `hosts`."""
    return all(_is_free_on(host, port) for host in hosts)


def free_port(hosts: Sequence[str] = (LOOPBACK,)) -> int:
    """Some port that nobody has, on loopback or any of `hosts`.

    Below the system's own choice (Linux: from 32,768), so that no connection takes it before a
    server does, nor while that server is restarted.
    """
    while True:
        port = FIRST_PORT + secrets.randbelow(PORTS)
        if is_free(port, hosts):
            return port


def free_ports(count: int) -> list[int]:
    """So many different ports that nobody has on loopback."""
    found: dict[int, None] = {}
    while len(found) < count:
        found[free_port()] = None
    return list(found)


def _is_free_on(host: str, port: int) -> bool:
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            # A connection of a server that has just ended does not keep its port.
            probe.setsockopt(
                socket.SOL_SOCKET, socket.SO_REUSEADDR, int(kind == socket.SOCK_STREAM)
            )
            try:
                probe.bind((host, port))
            except OSError:
                return False
    return True
