"""Which of this machine's addresses leads to another one."""

from __future__ import annotations

import socket


def own_address(towards: str) -> str:
    """The IPv4 address that packets to `host:port` leave from; OSError without a way."""
    host, _, port = towards.rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        # Nothing is sent: the kernel only looks the way up.
        line.connect((host, int(port)))
        return str(line.getsockname()[0])
